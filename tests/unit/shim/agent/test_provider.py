"""The provider block."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from terraform_provider_aetherv.cty.values import UNKNOWN
from terraform_provider_aetherv.plugin.messages import ClientCapabilities, ConfigureRequest, ValidateRequest
from terraform_provider_aetherv.provider import SCHEMA, AethervProvider, build


@pytest.fixture
def provider(monkeypatch: pytest.MonkeyPatch) -> Iterator[AethervProvider]:
    """A provider in an empty environment."""
    for attribute in SCHEMA.attributes:
        monkeypatch.delenv(f"AETHERV_{attribute.name.upper()}", raising=False)
    made = build()
    yield made
    made.close()


def config(**changed: Any) -> dict[str, Any]:
    """Give a provider block."""
    return {attribute.name: None for attribute in SCHEMA.attributes} | changed


def configured(provider: AethervProvider, **changed: Any) -> tuple[Any, ...]:
    """Configure; give the paths of errors."""
    request = ConfigureRequest(
        config=config(**changed), terraform_version="1.11.4", capabilities=ClientCapabilities()
    )
    return tuple(item.path for item in provider.configure(request))


def test_configure(provider: AethervProvider, monkeypatch: pytest.MonkeyPatch) -> None:
    """Settings and variables make a connection; the same again keep it, others make another."""
    monkeypatch.setenv("AETHERV_TOKEN", "t")
    assert configured(provider, endpoint="127.0.0.1:1", plaintext=True, request_timeout="1m") == ()
    first = provider.session.agent
    assert first is not None
    configured(provider, endpoint="127.0.0.1:1", plaintext=True, request_timeout="1m")
    assert provider.session.agent is first
    configured(provider, endpoint="127.0.0.1:2", plaintext=True)
    assert provider.session.agent is not first
    configured(provider, endpoint=UNKNOWN)
    assert provider.session.agent is None


@pytest.mark.parametrize(
    ("changed", "path"),
    [
        ({}, "endpoint"),
        ({"endpoint": "agent"}, "endpoint"),
        ({"endpoint": "192.0.2.1:1", "plaintext": True}, "plaintext"),
        ({"endpoint": "a:1", "token_file": "/does/not/exist"}, "token_file"),
        ({"endpoint": "a:1", "ca_cert": "/does/not/exist"}, "ca_cert"),
        ({"endpoint": "a:1", "client_cert": "-----BEGIN"}, "client_key"),
    ],
)
def test_bad_settings(provider: AethervProvider, changed: dict[str, Any], path: str) -> None:
    """A setting that can't be used is an error at its attribute."""
    assert configured(provider, **changed) == ((path,),)


@pytest.mark.parametrize(
    ("changed", "path"),
    [({"token": "a", "token_file": "b"}, "token_file"), ({"request_timeout": "soon"}, "request_timeout")],
)
def test_validate(provider: AethervProvider, changed: dict[str, Any], path: str) -> None:
    """What the block alone tells is refused in validate; unknown parts never are."""
    (found,) = provider.validate(ValidateRequest(config=config(**changed)))
    assert found.path == (path,)
    unknown = {attribute.name: UNKNOWN for attribute in SCHEMA.attributes}
    assert provider.validate(ValidateRequest(config=unknown | {"token": None})) == ()


def test_building_loads_nothing_heavy() -> None:
    """The provider is built without gRPC, protobuf or the agent's client: they are loaded when first needed."""
    program = (
        "import sys\n"
        "from terraform_provider_aetherv.provider import build\n"
        "build()\n"
        "heavy = {name.split('.')[0] for name in sys.modules} & {'grpc', 'google', 'aetherv', 'cryptography'}\n"
        "sys.exit(str(heavy) if heavy else 0)\n"
    )
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
