"""What a guest's integration services say of it: its names and addresses. Pure."""

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass

from aetherv_simhost.hyperv.settings import ImageSettings
from aetherv_simhost.hyperv.vm import Guest, GuestIdentity, GuestPhase, VirtualMachine


@dataclass(frozen=True, slots=True)
class Speech:
    """Intrinsic items by name, and the addresses of the first adapter."""

    items: Mapping[str, str]
    addresses: tuple[str, ...]


def spoken(vm: VirtualMachine, guest: Guest, switches: Mapping[str, str], dhcp: str) -> Speech:
    """What a guest reports once it runs.

    Args:
        vm: Its VM.
        guest: What it is.
        switches: The host's switches, type by name: an address by DHCP comes over an external one alone.
        dhcp: The address that DHCP gives it.
    """
    switch = vm.adapters[0].switch if vm.adapters else ""
    addresses: tuple[str, ...] = ()
    if switch:
        address = guest.identity.ipv4 or (dhcp if switches.get(switch) == "external" else "")
        number = int(vm.adapters[0].mac or "0", 16)
        local = f"fe80::{number >> 32 & 0xFFFF:x}:{number >> 16 & 0xFFFF:x}:{number & 0xFFFF:x}"
        addresses = (*((address,) if address else ()), local)
    items = {
        "FullyQualifiedDomainName": guest.identity.fqdn,
        "OSName": guest.image,
        "OSPlatformId": "2" if guest.family == "windows" else "1",
        "NetworkAddressIPv4": ";".join(a for a in addresses if ":" not in a),
        "NetworkAddressIPv6": ";".join(a for a in addresses if ":" in a),
    }
    return Speech(items, addresses)


def fresh_guest(image: ImageSettings, vm_id: str) -> Guest:
    """A guest at its very first start: it has the image's host name, and perhaps a phase of an earlier life."""
    windows = image.family == "windows"
    name = f"WIN-{vm_id.replace('-', '')[:11].upper()}" if windows else image.name.split()[0].lower()
    phase = GuestPhase.FAILED if image.phase_left else GuestPhase.FRESH
    return Guest(image.name, image.family, phase, GuestIdentity(name))


def mac_address(host_byte: int, number: int, index: int) -> str:
    """The address that a host gives an adapter at its VM's first start: Hyper-V's own prefix, the host's part, a counter."""
    return f"00155D{host_byte:02X}{(number << 2 | index) & 0xFFFF:04X}"


def dhcp_address(host_byte: int, number: int) -> str:
    """The address that the simulated network gives a VM; another one for each VM and, mostly, host."""
    return str(ipaddress.IPv4Address("10.0.0.10") + (host_byte << 16) + (number & 0x7FFF))
