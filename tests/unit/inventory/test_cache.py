"""The cache of inventories: how old an answer may be, who shares which call, what happens to errors."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field, replace

import pytest
import pytest_asyncio
from aetherv_agent.core.errors import AethervError
from aetherv_agent.core.model import Inventory
from aetherv_agent.inventory import InventoryCache
from support.provisioning_fakes import inventory


@dataclass
class FakePort:
    """Answers when it is told to."""

    calls: list[str] = field(default_factory=list)
    waiting: list[asyncio.Future[Inventory]] = field(default_factory=list)

    async def read_inventory(self, host: str) -> Inventory:
        """Wait for the test."""
        self.calls.append(host)
        future: asyncio.Future[Inventory] = asyncio.get_running_loop().create_future()
        self.waiting.append(future)
        return await future

    def land(self, answer: Inventory | Exception) -> None:
        """Answer the oldest call."""
        future = self.waiting.pop(0)
        if isinstance(answer, Exception):
            future.set_exception(answer)
        else:
            future.set_result(answer)


@dataclass
class Rig:
    """A cache on a fake port with a clock that the test turns."""

    port: FakePort = field(default_factory=FakePort)
    now: float = 100.0
    hosts: Sequence[str] = ("hv01", "hv02", "hv03")
    calls: int = 32

    def __post_init__(self) -> None:
        self.cache = InventoryCache(self.port, self.hosts, lambda: self.now, calls=self.calls)

    async def settle(self) -> None:
        """Let every task get as far as it can."""
        for _ in range(20):
            await asyncio.sleep(0)

    async def read(self, host: str = "hv01", *, cpu: int = 1) -> Inventory:
        """Read a host that answers at once; ``cpu`` tells answers apart."""
        task = asyncio.create_task(self.cache.get(host, 0))
        await self.settle()
        self.port.land(numbered(cpu, host))
        return await task


def numbered(cpu: int, host: str = "hv01") -> Inventory:
    """An inventory that can be told from others."""
    made = inventory(host=host)
    return replace(made, facts=replace(made.facts, cpu_count=cpu))


@pytest_asyncio.fixture
async def rig() -> AsyncIterator[Rig]:
    """A cache that is closed after the test."""
    made = Rig()
    yield made
    await made.cache.aclose()


async def test_an_answer_serves_as_long_as_it_may_be_old(rig: Rig) -> None:
    """Within ``max_age`` (5 s where nothing is said) no host is asked; after it one is."""
    first = await rig.read()
    rig.now += 5
    assert await rig.cache.get("hv01") is first
    assert await rig.cache.get("hv01", 60) is first
    rig.now += 0.1
    task = asyncio.create_task(rig.cache.get("hv01"))
    await rig.settle()
    assert rig.port.calls == ["hv01", "hv01"]
    rig.port.land(numbered(2))
    assert (await task).facts.cpu_count == 2


async def test_an_answer_is_as_old_as_the_asking(rig: Rig) -> None:
    """A host that took four seconds to answer gave an answer that is four seconds old."""
    task = asyncio.create_task(rig.cache.get("hv01", 0))
    await rig.settle()
    rig.now += 4
    rig.port.land(numbered(1))
    first = await task
    assert await rig.cache.get("hv01", 4) is first
    again = asyncio.create_task(rig.cache.get("hv01", 3.9))
    await rig.settle()
    assert len(rig.port.calls) == 2
    rig.port.land(numbered(2))
    assert (await again).facts.cpu_count == 2


async def test_everyone_who_waits_shares_one_call(rig: Rig) -> None:
    """A hundred readers of one host at one moment cost it one call."""
    tasks = [asyncio.create_task(rig.cache.get("hv01", 0)) for _ in range(100)]
    await rig.settle()
    assert rig.port.calls == ["hv01"]
    rig.port.land(numbered(7))
    assert {answer.facts.cpu_count for answer in await asyncio.gather(*tasks)} == {7}


async def test_who_needs_a_fresher_answer_waits_for_the_next_call(rig: Rig) -> None:
    """A call under way serves whom it is fresh enough for; all others share the one after it."""
    early = asyncio.create_task(rig.cache.get("hv01", 0))
    await rig.settle()
    rig.now += 1
    patient = asyncio.create_task(rig.cache.get("hv01", 2))
    strict = [asyncio.create_task(rig.cache.get("hv01", 0)) for _ in range(3)]
    await rig.settle()
    assert rig.port.calls == ["hv01"]
    rig.port.land(numbered(1))
    await rig.settle()
    assert [(await early).facts.cpu_count, (await patient).facts.cpu_count] == [1, 1]
    assert rig.port.calls == ["hv01", "hv01"]
    rig.port.land(numbered(2))
    assert {(await task).facts.cpu_count for task in strict} == {2}


async def test_after_a_change_neither_the_kept_nor_the_coming_answer_serves(rig: Rig) -> None:
    """``invalidate`` makes the next reader ask again, even while a call from before is under way."""
    first = await rig.read(cpu=1)
    rig.cache.invalidate("hv01")
    assert rig.cache.last("hv01") is first
    before = asyncio.create_task(rig.cache.get("hv01", 60))
    await rig.settle()
    assert len(rig.port.calls) == 2
    rig.cache.invalidate("hv01")
    after = asyncio.create_task(rig.cache.get("hv01", 60))
    await rig.settle()
    rig.port.land(numbered(2))
    assert (await before).facts.cpu_count == 2
    await rig.settle()
    assert len(rig.port.calls) == 3
    rig.port.land(numbered(3))
    assert (await after).facts.cpu_count == 3


async def test_an_error_reaches_all_who_wait_and_is_not_kept(rig: Rig) -> None:
    """Everyone who shared the call gets its error; the next reader asks again and the old answer stays at hand."""
    first = await rig.read()
    tasks = [asyncio.create_task(rig.cache.get("hv01", 0)) for _ in range(3)]
    rig.now += 1
    await rig.settle()
    rig.port.land(AethervError("HOST_UNREACHABLE", "away", metadata={"host": "hv01"}))
    errors = await asyncio.gather(*tasks, return_exceptions=True)
    assert [getattr(error, "id", None) for error in errors] == ["HOST_UNREACHABLE"] * 3
    assert all(isinstance(error, AethervError) and error.metadata == {"host": "hv01"} for error in errors)
    assert len({id(error) for error in errors}) == 3
    assert rig.cache.last("hv01") is first
    assert (await rig.read(cpu=2)).facts.cpu_count == 2


async def test_a_waiter_that_goes_leaves_the_call_to_the_others(rig: Rig) -> None:
    """A cancelled reader cancels nobody else's answer."""
    goes = asyncio.create_task(rig.cache.get("hv01", 0))
    stays = asyncio.create_task(rig.cache.get("hv01", 0))
    await rig.settle()
    goes.cancel()
    await rig.settle()
    rig.port.land(numbered(4))
    assert (await stays).facts.cpu_count == 4
    with pytest.raises(asyncio.CancelledError):
        await goes


async def test_few_hosts_are_asked_at_once() -> None:
    """Beyond ``calls`` hosts wait, and a reader that comes meanwhile shares the call that has not begun."""
    rig = Rig(calls=2)
    tasks = [asyncio.create_task(rig.cache.get(host, 0)) for host in rig.hosts]
    await rig.settle()
    assert rig.port.calls == ["hv01", "hv02"]
    rig.now += 10
    tasks.append(asyncio.create_task(rig.cache.get("hv03", 0)))
    rig.port.land(numbered(1, "hv01"))
    await rig.settle()
    assert rig.port.calls == ["hv01", "hv02", "hv03"]
    rig.port.land(numbered(2, "hv02"))
    rig.port.land(numbered(3, "hv03"))
    assert [answer.facts.cpu_count for answer in await asyncio.gather(*tasks)] == [1, 2, 3, 3]
    await rig.cache.aclose()


async def test_an_unknown_host_is_not_found(rig: Rig) -> None:
    """A host outside the configuration is HOST_NOT_FOUND, has no last answer and can be invalidated in peace."""
    with pytest.raises(AethervError) as caught:
        await rig.cache.get("hv99")
    assert caught.value.id == "HOST_NOT_FOUND"
    assert rig.cache.last("hv99") is None
    rig.cache.invalidate("hv99")


async def test_a_stop_ends_the_waiting(rig: Rig) -> None:
    """Who waits when the cache is closed is told that the agent stops."""
    task = asyncio.create_task(rig.cache.get("hv01", 0))
    await rig.settle()
    await rig.cache.aclose()
    with pytest.raises(AethervError) as caught:
        await task
    assert caught.value.id == "AGENT_STOPPING"


async def test_a_fault_of_our_own_is_an_internal_error(rig: Rig) -> None:
    """A port that breaks its contract leaves nobody waiting."""
    task = asyncio.create_task(rig.cache.get("hv01", 0))
    await rig.settle()
    rig.port.land(ZeroDivisionError())
    with pytest.raises(AethervError) as caught:
        await task
    assert caught.value.id == "INTERNAL_ERROR"
