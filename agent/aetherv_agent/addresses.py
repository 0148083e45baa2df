"""Addresses to listen on: ``host:port``, ``[v6]:port`` or ``unix:PATH``. Pure."""

from __future__ import annotations

import ipaddress

_MOST_PORT = 65535


def checked(address: str) -> str:
    """Return an address that has a known form.

    Raises:
        ValueError: it has none.
    """
    if address.startswith("unix:"):
        path = address.removeprefix("unix:")
        if not path.startswith("/"):
            raise ValueError("a unix socket needs an absolute path: unix:/run/aetherv/agent.sock")
        return address
    host, _, port = address.rpartition(":")
    if not host or not port.isascii() or not port.isdigit() or int(port) > _MOST_PORT:
        raise ValueError("must be HOST:PORT, [IPv6]:PORT or unix:/PATH")
    if ":" in host and not (host.startswith("[") and host.endswith("]")):
        raise ValueError("an IPv6 address stands in brackets: [::1]:7443")
    return address


def host_of(address: str) -> str:
    """Return an address's host without brackets; empty for a unix socket."""
    return "" if address.startswith("unix:") else address.rpartition(":")[0].strip("[]")


def is_local(address: str) -> bool:
    """Return whether nothing but this machine can reach an address: a unix socket or loopback."""
    if address.startswith("unix:"):
        return True
    host = host_of(address)
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
