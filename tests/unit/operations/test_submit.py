"""Submit, limits and lists: what is taken, what is refused, and how much works at once."""

from __future__ import annotations

import asyncio
import uuid
from typing import Any

import pytest
from aetherv_agent.core.errors import AethervError
from aetherv_agent.operations.handlers import Work
from aetherv_agent.operations.model import Filter, HostLoad, JsonMapping, State

Rig = Any


class Gate:
    """A ``do`` that waits for the test, and notes who worked in which order and how many at once."""

    def __init__(self) -> None:
        self.go = asyncio.Semaphore(0)
        self.order: list[str] = []
        self.now = 0
        self.most = 0

    async def __call__(self, work: Work) -> JsonMapping:
        """Wait at the gate."""
        self.order.append(work.operation.vm_name)
        self.now += 1
        self.most = max(self.most, self.now)
        await self.go.acquire()
        self.now -= 1
        return {}


async def test_a_request_id_makes_one_operation(rig: Rig) -> None:
    """Sent again it is the same operation, also after its end and a restart; another request under it is refused."""
    handler = rig.handler()
    engine = await rig.engine(handler)
    request = rig.request(request_id=str(uuid.uuid4()), fingerprint="f")
    first, again = await asyncio.gather(engine.submit(request), engine.submit(request))
    assert first.id == again.id
    await engine.wait(first.id, 20)
    await engine.stop()
    engine = await rig.engine(handler)
    assert (await engine.submit(request)).id == first.id
    found = await engine.by_request(request.request_id)
    assert found is not None
    assert found.id == first.id
    assert await engine.by_request("other") is None
    with pytest.raises(AethervError) as error:
        await engine.submit(rig.request(request_id=request.request_id, fingerprint="g"))
    assert (error.value.id, error.value.metadata["operation"]) == ("REQUEST_ID_REUSED", first.name)
    assert handler.calls == ["do"]


async def test_a_request_that_is_sent_again_brings_its_lost_secrets_back(rig: Rig) -> None:
    """After a restart the same request, with its secrets, serves the operation that still waits for its start."""
    first = await rig.engine(rig.handler(), slots={})
    request = rig.request(request_id=str(uuid.uuid4()))
    asked = await first.submit(request, {"pw": "s"})
    await first.stop()
    seen = []

    async def do(work: Work) -> JsonMapping:
        seen.append(dict(work.secrets()))
        return {}

    second = await rig.engine(rig.handler(do), slots={})
    assert (await second.submit(request, {"pw": "s"})).id == asked.id
    second._limits = type(second._limits)()
    await second._claim()
    assert (await second.wait(asked.id, 20)).state is State.SUCCEEDED
    assert seen == [{"pw": "s"}]


async def test_one_vm_has_one_operation_at_a_time(rig: Rig) -> None:
    """Another one on its name or its target is refused with the running one's name, until that has ended."""
    gate = Gate()
    engine = await rig.engine(rig.handler(gate), rig.handler(slots="changes"))
    first = await engine.submit(rig.request(vm_name="Web", target="vms/1"))
    for values in ({"vm_name": "web"}, {"kind": "delete", "target": "vms/1", "vm_name": ""}):
        with pytest.raises(AethervError) as error:
            await engine.submit(rig.request(**values))
        assert error.value.id == "OPERATION_IN_PROGRESS"
        assert error.value.metadata == {"operation": first.name, "kind": "create"}
    by_name = await engine.find_open(host="hv1", vm_name="WEB")
    by_target = await engine.find_open(target="vms/1")
    assert by_name is not None
    assert by_target is not None
    assert by_name.id == by_target.id == first.id
    assert await engine.find_open(host="hv2", vm_name="web") is None
    gate.go.release()
    await engine.wait(first.id, 20)
    gate.go.release()
    assert (await engine.wait((await engine.submit(rig.request(vm_name="web"))).id, 20)).done


async def test_a_full_queue_is_refused_with_when_to_come_back(rig: Rig) -> None:
    """RESOURCE_EXHAUSTED, per host, and the refused one's secrets are not kept."""
    engine = await rig.engine(rig.handler(), slots={}, queue=2)
    for _ in range(2):
        await engine.submit(rig.request(), {"pw": "s"})
    with pytest.raises(AethervError) as error:
        await engine.submit(rig.request(), {"pw": "s"})
    assert error.value.id == "QUEUE_FULL"
    assert error.value.retry_after
    assert repr(engine._box) == "SecretBox(2 operations)"
    assert (await engine.submit(rig.request(host="hv2"))).state is State.QUEUED
    assert await engine.loads() == {"hv1": HostLoad(0, 2), "hv2": HostLoad(0, 1)}


async def test_an_unknown_kind_is_refused(rig: Rig) -> None:
    """Nothing is stored of it."""
    engine = await rig.engine(rig.handler())
    with pytest.raises(AethervError) as error:
        await engine.submit(rig.request(kind="migrate"))
    assert error.value.id == "REQUEST_INVALID"
    assert (await engine.list(Filter())).operations == ()


async def test_a_host_works_on_its_limit_oldest_first_and_deletes_pass(rig: Rig) -> None:
    """Creates never exceed their slots and start in order; a delete does not wait behind them."""
    gate, other = Gate(), Gate()
    engine = await rig.engine(
        rig.handler(gate), rig.handler(other, slots="changes"), slots={"jobs": 2, "changes": 1}
    )
    asked = [await engine.submit(rig.request(vm_name=f"a{i}")) for i in range(5)]
    await rig.until(lambda: gate.now == 2)
    await engine.submit(rig.request(kind="delete", vm_name="gone"))
    await rig.until(lambda: other.now == 1)
    queued = await engine.get(asked[4].id)
    assert (queued.state, queued.queue_position) == (State.QUEUED, 2)
    assert "2 before it" in queued.waiting_for
    for _ in range(5):
        gate.go.release()
    for operation in asked:
        assert (await engine.wait(operation.id, 20)).state is State.SUCCEEDED
    assert (gate.order, gate.most) == ([f"a{i}" for i in range(5)], 2)
    other.go.release()


async def test_who_waits_too_long_for_a_start_is_told(rig: Rig) -> None:
    """QUEUE_TIMEOUT, nothing called, secrets dropped."""
    handler = rig.handler()
    engine = await rig.engine(handler, slots={})
    asked = await engine.submit(rig.request(queue_timeout=0.05), {"pw": "s"})
    ended = await engine.wait(asked.id, 20)
    assert (ended.state, ended.error.id, handler.calls) == (State.FAILED, "QUEUE_TIMEOUT", [])
    assert asked.id not in engine._box


async def test_lists_are_paged_newest_first(rig: Rig) -> None:
    """Tokens lead through all; one that is none is refused."""
    engine = await rig.engine(rig.handler(), slots={})
    asked = [(await engine.submit(rig.request(host=f"hv{i % 2}"))).id for i in range(5)]
    seen, token = [], ""
    while True:
        page = await engine.list(Filter(), 2, token)
        seen += [operation.id for operation in page.operations]
        token = page.next_token
        if not token:
            break
    assert seen == asked[::-1]
    some = await engine.list(Filter(done=False, hosts=frozenset({"hv1"})))
    assert [operation.id for operation in some.operations] == [asked[3], asked[1]]
    for bad in ("x", "-1", "9" * 40):
        with pytest.raises(AethervError) as error:
            await engine.list(Filter(), 2, bad)
        assert error.value.id == "REQUEST_INVALID"


async def test_ended_operations_are_pruned_after_their_time(rig: Rig) -> None:
    """And are then not found."""
    engine = await rig.engine(rig.handler(), retention=60.0)
    ended = await engine.wait((await engine.submit(rig.request())).id, 20)
    rig.clock_offset = 61.0
    await engine._prune()
    assert (await engine.list(Filter())).operations == ()
    with pytest.raises(AethervError) as error:
        await engine.get(ended.id)
    assert error.value.id == "OPERATION_NOT_FOUND"
