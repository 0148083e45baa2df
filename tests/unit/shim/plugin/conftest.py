"""A servicer without a network, and the resource behind it."""

from __future__ import annotations

import pytest
from support.shim_fakes import Bare, Fake, Lookup, Thing, Twice
from terraform_provider_aetherv.plugin.dispatch import ProviderServicer


@pytest.fixture
def thing() -> Thing:
    """The resource that the test drives."""
    return Thing()


@pytest.fixture
def provider(thing: Thing) -> Fake:
    """A provider with a bit of everything."""
    return Fake(
        resources={"thing": thing, "bare": Bare()},
        data_sources={"lookup": Lookup()},
        functions={"twice": Twice()},
    )


@pytest.fixture
def servicer(provider: Fake) -> ProviderServicer:
    """The servicer of that provider."""
    return ProviderServicer(provider)
