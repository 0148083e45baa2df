"""Waiting for an address of a new VM."""

from dataclasses import replace

import pytest
from aetherv_agent.core.errors import AethervError
from aetherv_agent.core.guest_addresses import has_address, own_addresses
from aetherv_agent.core.model import Adapter, IpWait, Vm
from aetherv_agent.provisioning import ip_wait
from support.provisioning_fakes import FakeInventories, FakeWork, create_operation, inventory, vm

IPV4 = "192.0.2.10"
IPV6 = "2001:db8::10"


def addressed(*addresses: str) -> Vm:
    """Return a VM with one adapter that has these addresses."""
    return replace(vm("web-01"), adapters=(Adapter("00:15:5d:00:00:01", "External", 0, addresses),))


@pytest.mark.parametrize(
    ("addresses", "wanted", "had"),
    [
        ((), IpWait.NONE, True),
        ((IPV4,), IpWait.IPV4, True),
        ((IPV4,), IpWait.IPV6, False),
        ((IPV6,), IpWait.IPV6, True),
        ((IPV6,), IpWait.ANY, True),
        (("fe80::1", "127.0.0.1", "169.254.3.4", "::1", "rubbish"), IpWait.ANY, False),
    ],
)
def test_the_family_decides(addresses: tuple[str, ...], wanted: IpWait, had: bool) -> None:
    """Only an address that others can reach counts, and only of the wanted family."""
    assert has_address(addressed(*addresses), wanted) is had


def test_addresses_are_sorted_and_of_the_first_adapter() -> None:
    """IPv4 comes first; another adapter's addresses are not the VM's own."""
    two = addressed(IPV6, "192.0.2.9", IPV4)
    two = replace(two, adapters=(*two.adapters, Adapter("x", "y", 0, ("172.17.0.1",))))
    assert own_addresses(two) == ("192.0.2.9", IPV4, IPV6)


async def test_the_host_is_asked_until_it_reports_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is waited for is told; the answer has the address."""
    monkeypatch.setattr(ip_wait, "_POLL_SECONDS", 0.001)
    inventories = FakeInventories(found=inventory(vms=(addressed(IPV4),)))
    work = FakeWork(create_operation())
    found = await ip_wait.wait_for_address(work, addressed(), IpWait.IPV4, inventories)
    assert own_addresses(found) == (IPV4,)
    assert "waits for an address (ipv4) of web-01" in work.told[0][1]
    assert work.told[-1] == ("waiting", "")


async def test_a_vm_that_is_gone_ends_the_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    """A VM that somebody removed is an error, not a wait without end."""
    monkeypatch.setattr(ip_wait, "_POLL_SECONDS", 0.001)
    with pytest.raises(AethervError) as caught:
        await ip_wait.wait_for_address(
            FakeWork(create_operation()), addressed(), IpWait.ANY, FakeInventories()
        )
    assert (caught.value.id, caught.value.undone) == ("VM_NOT_FOUND", True)
