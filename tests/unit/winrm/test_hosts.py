"""The room's front: it fits the ports, and sizes its threads by its hosts."""

from __future__ import annotations

import pytest
from aetherv_agent.core.errors import AethervError
from aetherv_agent.core.model import HostSettings
from aetherv_agent.core.ports import InventoryPort, JobPort
from aetherv_agent.winrm import Caps, WinRmHost, WinRmHosts, WinRmSettings


def _hosts(count: int) -> dict[str, WinRmHost]:
    return {
        f"hv{n}": WinRmHost(
            WinRmSettings(host=f"hv{n}", address="127.0.0.1", username="u", password=lambda: "p"),
            HostSettings(f"hv{n}"),
        )
        for n in range(count)
    }


async def test_it_is_both_ports() -> None:
    """What the application injects is one object for jobs and inventories (held by the type checker)."""
    hosts = WinRmHosts(_hosts(1))
    jobs: JobPort = hosts
    inventories: InventoryPort = hosts
    assert isinstance(jobs, WinRmHosts)
    assert isinstance(inventories, WinRmHosts)
    await hosts.aclose()


@pytest.mark.parametrize(("count", "jobs", "reads"), [(0, 1, 1), (1, 16, 2), (3, 48, 6), (100, 256, 64)])
async def test_threads_are_as_many_as_the_hosts_can_use_and_no_more_than_the_caps(
    count: int, jobs: int, reads: int
) -> None:
    """Jobs and reads have pools of their own, each bounded."""
    hosts = WinRmHosts(_hosts(count), Caps())
    pools = {name: workers._executor._max_workers for name, workers in hosts._workers.items()}
    await hosts.aclose()
    assert pools["jobs"] == jobs
    assert pools["reads"] == reads
    assert len({id(workers._executor) for workers in hosts._workers.values()}) == 5


async def test_a_password_that_cannot_be_had_is_the_configurations_fault() -> None:
    """The supplier's own error reaches the caller; no connection is tried."""

    def missing() -> str:
        raise AethervError("CONFIG_INVALID", "The password file is empty.")

    settings = WinRmSettings(host="hv0", address="127.0.0.1", port=1, username="u", password=missing)
    hosts = WinRmHosts({"hv0": WinRmHost(settings, HostSettings("hv0"))})
    with pytest.raises(AethervError) as caught:
        await hosts.read_inventory("hv0")
    await hosts.aclose()
    assert caught.value.id == "CONFIG_INVALID"
