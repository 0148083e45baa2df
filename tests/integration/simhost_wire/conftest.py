"""Simulated hosts for the tests of their wire."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from support.simhost_site import Site, site


@pytest.fixture
def https(tmp_path: Path) -> Iterator[Site]:
    """A host with HTTPS."""
    with site(tmp_path) as found:
        yield found


@pytest.fixture
def http(tmp_path: Path) -> Iterator[Site]:
    """A host with plain HTTP."""
    with site(tmp_path, tls=False) as found:
        yield found
