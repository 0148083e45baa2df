"""Which addresses of a VM its user means: those of its own adapter that others can reach. Pure."""

from __future__ import annotations

import ipaddress

from aetherv_agent.core.model import IpWait, Vm

_VERSIONS = {IpWait.IPV4: {4}, IpWait.IPV6: {6}, IpWait.ANY: {4, 6}, IpWait.NONE: set[int]()}


def own_addresses(vm: Vm) -> tuple[str, ...]:
    """Return the addresses of a VM's first adapter, IPv4 first, sorted, without loopback and link-local ones."""
    found: set[ipaddress.IPv4Address | ipaddress.IPv6Address] = set()
    for text in vm.adapters[0].ip_addresses if vm.adapters else ():
        try:
            address = ipaddress.ip_address(text.partition("%")[0])
        except ValueError:
            continue
        if not (
            address.is_loopback or address.is_link_local or address.is_unspecified or address.is_multicast
        ):
            found.add(address)
    return tuple(str(address) for address in sorted(found, key=lambda a: (a.version, int(a))))


def has_address(vm: Vm, wanted: IpWait) -> bool:
    """Return whether a VM has an address of the family that is waited for; nothing to wait for is had."""
    if wanted is IpWait.NONE:
        return True
    return any(ipaddress.ip_address(text).version in _VERSIONS[wanted] for text in own_addresses(vm))
