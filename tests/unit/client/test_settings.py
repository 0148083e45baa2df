"""How the agent is reached: what is refused before anything is opened, and where settings come from."""

from __future__ import annotations

from pathlib import Path

import pytest
from aetherv.errors import SettingsError
from aetherv.settings import check_endpoint, is_local, resolve

SECRET = "token-value-91"


def secret_file(folder: Path, text: str = SECRET, mode: int = 0o600) -> str:
    """Write a secret file."""
    path = folder / "token"
    path.write_text(text + "\n", encoding="utf-8")
    path.chmod(mode)
    return str(path)


@pytest.mark.parametrize("endpoint", ["agent:8443", "192.0.2.1:1", "[2001:db8::1]:443", "unix:/run/a.sock"])
def test_endpoints(endpoint: str) -> None:
    """Host with port, IPv6 in brackets and a unix socket are endpoints."""
    check_endpoint(endpoint)


@pytest.mark.parametrize(
    "endpoint",
    ["agent", "agent:", ":8443", "agent:0", "agent:65536", "https://agent:8443", "2001:db8::1:443", "unix:"],
)
def test_no_endpoints(endpoint: str) -> None:
    """Anything else is refused, by name of the setting."""
    with pytest.raises(SettingsError) as caught:
        check_endpoint(endpoint)
    assert caught.value.setting == "endpoint"


def test_environment_and_arguments(tmp_path: Path) -> None:
    """Arguments win over variables, a token given here over one of the environment."""
    environ = {
        "AETHERV_ENDPOINT": "one:1",
        "AETHERV_TOKEN": "from-environment",
        "AETHERV_REQUEST_TIMEOUT": "2m",
    }
    settings = resolve(environ=environ)
    assert (settings.endpoint, settings.token, settings.request_timeout) == ("one:1", "from-environment", 120)
    settings = resolve(endpoint="two:2", token_file=secret_file(tmp_path), request_timeout=7, environ=environ)
    assert (settings.endpoint, settings.token, settings.request_timeout) == ("two:2", SECRET, 7)
    settings = resolve(environ={"AETHERV_ENDPOINT": "a:1", "AETHERV_TOKEN_FILE": secret_file(tmp_path)})
    assert settings.token == SECRET
    assert SECRET not in repr(settings)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o666])
def test_readable_token_file_is_refused(tmp_path: Path, mode: int) -> None:
    """A token file that group or world can read is refused, and its content not told."""
    with pytest.raises(SettingsError) as caught:
        resolve(endpoint="a:1", token_file=secret_file(tmp_path, mode=mode), environ={})
    assert caught.value.setting == "token_file"
    assert "chmod 600" in caught.value.message
    assert SECRET not in str(caught.value)


def test_missing_and_empty_files(tmp_path: Path) -> None:
    """A file that is not there, is empty or is no text is refused by its setting."""
    for setting, value in (("token_file", str(tmp_path / "none")), ("token_file", secret_file(tmp_path, ""))):
        with pytest.raises(SettingsError) as caught:
            resolve(endpoint="a:1", environ={}, token_file=value)
        assert caught.value.setting == setting
    with pytest.raises(SettingsError) as caught:
        resolve(endpoint="a:1", environ={}, ca_cert=str(tmp_path / "none.pem"))
    assert caught.value.setting == "ca_cert"


@pytest.mark.parametrize("endpoint", ["127.0.0.1:1", "[::1]:1", "localhost:1", "unix:/s", "127.9.9.9:1"])
def test_plaintext_on_this_machine(endpoint: str) -> None:
    """Plaintext is for loopback and unix sockets."""
    assert is_local(endpoint)
    assert resolve(endpoint=endpoint, plaintext=True, environ={}).plaintext


@pytest.mark.parametrize("endpoint", ["192.0.2.1:1", "agent:1", "localhost.example.com:1"])
def test_plaintext_elsewhere_is_refused(endpoint: str) -> None:
    """Plaintext to another machine is refused, by variable too."""
    with pytest.raises(SettingsError) as caught:
        resolve(endpoint=endpoint, environ={"AETHERV_PLAINTEXT": "true"})
    assert caught.value.setting == "plaintext"


@pytest.mark.parametrize(
    ("environ", "setting"),
    [
        ({}, "endpoint"),
        ({"AETHERV_ENDPOINT": "a:1", "AETHERV_PLAINTEXT": "maybe"}, "plaintext"),
        ({"AETHERV_ENDPOINT": "a:1", "AETHERV_REQUEST_TIMEOUT": "soon"}, "request_timeout"),
        ({"AETHERV_ENDPOINT": "a:1", "AETHERV_REQUEST_TIMEOUT": "0"}, "request_timeout"),
        ({"AETHERV_ENDPOINT": "a:1", "AETHERV_TOKEN": "two\nlines"}, "token"),
        ({"AETHERV_ENDPOINT": "a:1", "AETHERV_CLIENT_CERT": "-----BEGIN X"}, "client_key"),
    ],
)
def test_bad_variables(environ: dict[str, str], setting: str) -> None:
    """Each bad variable is refused by its setting's name."""
    with pytest.raises(SettingsError) as caught:
        resolve(environ=environ)
    assert caught.value.setting == setting


def test_pem_or_path(tmp_path: Path) -> None:
    """A certificate is given as PEM or as a file."""
    pem = "-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----\n"
    file = tmp_path / "ca.pem"
    file.write_text(pem, encoding="utf-8")
    assert resolve(endpoint="a:1", ca_cert=pem, environ={}).ca_cert == pem.encode()
    assert resolve(endpoint="a:1", ca_cert=str(file), environ={}).ca_cert == pem.encode()
