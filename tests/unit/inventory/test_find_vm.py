"""Finding a VM by its GUID: whom to ask, and when its absence is sure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import pytest
from aetherv_agent.core.errors import AethervError
from aetherv_agent.core.model import Inventory
from aetherv_agent.inventory import InventoryCache
from support.provisioning_fakes import inventory, vm

GUID = "0b5d7f1e-0000-4000-8000-00000000000a"


@dataclass
class Answers:
    """A port whose hosts have a cluster and VMs, or are away."""

    hosts: Mapping[str, tuple[str, tuple[str, ...]] | AethervError]
    asked: list[str] = field(default_factory=list)
    replicas: bool = False

    async def read_inventory(self, host: str) -> Inventory:
        """Answer at once."""
        self.asked.append(host)
        answer = self.hosts[host]
        if isinstance(answer, AethervError):
            raise answer
        cluster, ids = answer
        vms = tuple(replace(vm("web", vm_id=vm_id, host=host), replica=self.replicas) for vm_id in ids)
        return inventory(host=host, facts={"cluster": cluster}, vms=vms)


AWAY = AethervError("HOST_UNREACHABLE", "Host away.")
NONE: tuple[str, ...] = ()
HAS = (GUID,)


def _cache(**hosts: tuple[str, tuple[str, ...]] | AethervError) -> tuple[InventoryCache, Answers]:
    port = Answers(hosts)
    return InventoryCache(port, hosts), port


async def test_the_hinted_host_is_asked_first_and_alone() -> None:
    """Where the hint is right no other host is asked, whatever the GUID's case."""
    cache, port = _cache(a=("", NONE), b=("", HAS), c=AWAY)
    assert (await cache.find_vm(GUID.upper(), host_hint="b")).host == "b"
    assert port.asked == ["b"]


async def test_absence_is_sure_when_a_lone_hinted_host_answers() -> None:
    """Outside a cluster the hinted host alone could have it: others are not asked, though they are away."""
    cache, port = _cache(a=("", NONE), b=AWAY)
    with pytest.raises(AethervError) as caught:
        await cache.find_vm(GUID, host_hint="a")
    assert caught.value.id == "VM_NOT_FOUND"
    assert port.asked == ["a"]


async def test_a_vm_that_moved_is_found_on_its_cluster() -> None:
    """After the hinted host the hosts of its cluster are asked, and not those known to be elsewhere."""
    cache, port = _cache(a=("c1", NONE), b=("c1", HAS), c=("c2", NONE), d=("", NONE))
    for host in ("b", "c", "d"):
        await cache.get(host)
    port.asked.clear()
    assert (await cache.find_vm(GUID, host_hint="a")).host == "b"
    assert port.asked == ["a", "b"]


async def test_a_hinted_host_that_is_away_leaves_its_cluster_to_answer() -> None:
    """A VM that failed over is found although the host that had it is away."""
    cache, port = _cache(a=("c1", NONE), b=("c1", HAS))
    await cache.get("a")
    port.hosts = {**port.hosts, "a": AWAY}
    assert (await cache.find_vm(GUID, host_hint="a")).host == "b"


@pytest.mark.parametrize("hint", ["a", "b", ""])
async def test_absence_is_not_sure_while_a_host_that_could_have_it_is_away(hint: str) -> None:
    """Then the error is HOST_UNREACHABLE and names the hosts that did not answer, and why."""
    cache, _ = _cache(a=("c1", NONE), b=AWAY)
    with pytest.raises(AethervError) as caught:
        await cache.find_vm(GUID, host_hint=hint)
    assert caught.value.id == "HOST_UNREACHABLE"
    assert caught.value.metadata["hosts"] == "b"
    assert "Host away." in caught.value.message


async def test_without_a_hint_all_hosts_are_asked() -> None:
    """Every configured host could have it; a host that is away does not hide what another has."""
    cache, port = _cache(a=("", NONE), b=("", HAS), c=AWAY)
    assert (await cache.find_vm(GUID)).host == "b"
    assert sorted(port.asked) == ["a", "b", "c"]


async def test_absence_everywhere_is_vm_not_found() -> None:
    """When all answered and none has it, it does not exist."""
    cache, _ = _cache(a=("", NONE), b=("c1", NONE))
    with pytest.raises(AethervError) as caught:
        await cache.find_vm(GUID)
    assert caught.value.id == "VM_NOT_FOUND"


async def test_an_id_on_two_hosts_is_ambiguous_unless_one_is_hinted() -> None:
    """A copied VM is refused with both hosts' names; the hint decides."""
    cache, _ = _cache(a=("", HAS), b=("", HAS))
    with pytest.raises(AethervError) as caught:
        await cache.find_vm(GUID)
    assert caught.value.id == "VM_ID_AMBIGUOUS"
    assert caught.value.metadata["hosts"] == "a, b"
    assert (await cache.find_vm(GUID, host_hint="b")).host == "b"


async def test_replicas_are_no_vms() -> None:
    """A replica shares its primary's GUID and is never the answer."""
    cache, port = _cache(a=("", HAS))
    port.replicas = True
    with pytest.raises(AethervError) as caught:
        await cache.find_vm(GUID)
    assert caught.value.id == "VM_NOT_FOUND"


async def test_a_caller_limited_to_some_hosts_learns_of_those_alone() -> None:
    """Hosts outside the list are neither asked nor named, not even as a hint."""
    cache, port = _cache(a=("", NONE), b=("", HAS))
    with pytest.raises(AethervError) as caught:
        await cache.find_vm(GUID, hosts=["a"])
    assert caught.value.id == "VM_NOT_FOUND"
    with pytest.raises(AethervError) as hinted:
        await cache.find_vm(GUID, host_hint="b", hosts=["a"])
    with pytest.raises(AethervError) as unknown:
        await cache.find_vm(GUID, host_hint="x", hosts=["a"])
    assert hinted.value.message.replace(" b,", " x,") == unknown.value.message
    assert port.asked == ["a"] * 3


async def test_absence_is_never_sure_where_the_hinted_host_is_none_of_the_agents() -> None:
    """A host that left the configuration may still have its VMs: Terraform must not take them for gone."""
    cache, _ = _cache(a=("", NONE), b=("", NONE))
    with pytest.raises(AethervError) as caught:
        await cache.find_vm(GUID, host_hint="gone")
    assert caught.value.id == "HOST_UNREACHABLE"
    assert "last on gone" in caught.value.message
    found, _ = _cache(a=("", NONE), renamed=("", HAS))
    assert (await found.find_vm(GUID, host_hint="gone")).host == "renamed"


@pytest.mark.parametrize(
    ("others", "reason"), [(NONE, "HOST_AUTHENTICATION_FAILED"), (AWAY, "HOST_UNREACHABLE")]
)
async def test_a_host_that_refuses_the_agent_is_not_called_away(
    others: tuple[str, ...] | AethervError, reason: str
) -> None:
    """Refused credentials keep their id, and so their advice; beside a host that is away they are no reason to stop."""
    refused = AethervError("HOST_AUTHENTICATION_FAILED", "Host a refused the credentials.")
    cache, _ = _cache(a=refused, b=others if isinstance(others, AethervError) else ("", others))
    with pytest.raises(AethervError) as caught:
        await cache.find_vm(GUID)
    assert caught.value.id == reason
    assert "Nobody knows" in caught.value.message
    assert "refused the credentials" in caught.value.message


@pytest.mark.parametrize("asked", [None, (), ("unknown",)])
async def test_absence_is_never_sure_where_no_host_was_asked(asked: tuple[str, ...] | None) -> None:
    """An agent without hosts, or a caller with none of them, must not make a client forget its VMs."""
    cache, _ = _cache() if asked is None else _cache(a=("", HAS))
    with pytest.raises(AethervError) as caught:
        await cache.find_vm(GUID, hosts=asked)
    assert caught.value.id == "HOST_UNREACHABLE"
    assert "no host" in caught.value.message
