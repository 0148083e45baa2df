"""A host's WinRM settings: what is refused, what is never shown."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from aetherv_agent.core.errors import AethervError
from aetherv_agent.winrm import PasswordFile, WinRmSettings


def make(**changes: Any) -> WinRmSettings:
    """Settings with changes."""
    values: dict[str, Any] = {"host": "hv1", "address": "h", "username": "u", "password": lambda: "p"}
    return WinRmSettings(**(values | changes))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"https": False, "auth": "basic"}, "basic needs https"),
        ({"auth": "digest"}, "auth must be"),
        ({"address": ""}, "address"),
        ({"username": ""}, "username"),
        ({"port": 0, "delegate": True}, "delegate needs"),
        ({"port": 70000}, "port must be"),
        ({"https": False, "ca_cert": Path("x")}, "ca_cert"),
        ({"read_timeout": 20}, "read_timeout"),
        ({"connection_timeout": 0}, "connection_timeout"),
        ({"max_read_shells": 0}, "max_read_shells"),
        ({"idle_timeout_seconds": 10}, "idle_timeout_seconds"),
        ({"recover_seconds": 0}, "recover_seconds"),
    ],
)
def test_settings_that_cannot_work_are_refused(changes: dict[str, Any], said: str) -> None:
    """The error is CONFIG_INVALID, names the host and says what is wrong."""
    with pytest.raises(AethervError) as caught:
        make(**changes)
    assert caught.value.id == "CONFIG_INVALID"
    assert "hv1" in caught.value.message
    assert said in caught.value.message


def test_everything_wrong_is_said_at_once() -> None:
    """Two mistakes are one error with both."""
    with pytest.raises(AethervError) as caught:
        make(address="", port=-1)
    assert "address" in caught.value.message
    assert "port" in caught.value.message


def test_http_is_always_encrypted_and_ports_follow() -> None:
    """Over HTTP the messages themselves are encrypted, never optional."""
    assert (make().encryption, make().effective_port) == ("auto", 5986)
    assert (make(https=False).encryption, make(https=False).effective_port) == ("always", 5985)
    assert make(port=55).effective_port == 55


def test_neither_password_nor_proxy_is_shown() -> None:
    """A proxy's URL can hold a password too."""
    shown = repr(make(password=lambda: "s3cret", proxy="http://u:s3cret@proxy"))
    assert "s3cret" not in shown
    assert "password" not in shown


def test_a_password_file_is_read_anew_each_time(tmp_path: Path) -> None:
    """Its first line is the password of the moment; what cannot be read is CONFIG_INVALID."""
    file = tmp_path / "password"
    supplier = PasswordFile(file)
    for text in ("first \n", "zwöi\nrest\n"):
        file.write_text(text, "utf-8")
        assert supplier() == text.split("\n")[0]
    for broken in (b"", b"\n", b"\xff"):
        file.write_bytes(broken)
        with pytest.raises(AethervError) as caught:
            supplier()
        assert caught.value.id == "CONFIG_INVALID"
    file.unlink()
    with pytest.raises(AethervError):
        supplier()
