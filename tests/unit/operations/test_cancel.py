"""Cancel: in every state, and what wins when it comes too late."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from aetherv_agent.core.errors import AethervError, Leftover
from aetherv_agent.operations.handlers import Work
from aetherv_agent.operations.model import JsonMapping, State

Rig = Any


class Blocking:
    """A ``do`` that says when it has begun, and never ends by itself."""

    def __init__(self) -> None:
        self.begun = asyncio.Event()
        self.let_go = False

    async def __call__(self, work: Work) -> JsonMapping:
        """Wait to be cancelled."""
        self.begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            self.let_go = True
        return {}


async def test_a_queued_operation_ends_at_once_and_nothing_is_called(rig: Rig) -> None:
    """Nothing was done, so nothing is undone."""
    handler = rig.handler()
    engine = await rig.engine(handler, slots={})
    asked = await engine.submit(rig.request(), {"pw": "s"})
    cancelled = await engine.cancel(asked.id)
    assert (cancelled.state, cancelled.error.id) == (State.CANCELLED, "OPERATION_CANCELLED")
    assert cancelled.version == (await engine.wait(asked.id, 20)).version
    assert handler.calls == []


async def test_a_running_operation_is_let_go_undone_and_cancelled(rig: Rig) -> None:
    """``do`` ends first, then undo runs with the cancel as its cause; watchers see CANCELLING and UNDOING on the way."""
    do = Blocking()
    states = []

    async def undo(work: Work, cause: AethervError) -> tuple[Leftover, ...]:
        states.append((work.operation.state, do.let_go))
        return ()

    handler = rig.handler(do, undo)
    engine = await rig.engine(handler)
    asked = await engine.submit(rig.request())
    await do.begun.wait()
    assert (await engine.cancel(asked.id)).state is State.CANCELLING
    ended = await engine.wait(asked.id, 2)
    assert (ended.state, ended.error.id, ended.cancel_requested) == (
        State.CANCELLED,
        "OPERATION_CANCELLED",
        True,
    )
    assert states == [(State.UNDOING, True)]
    assert handler.causes == ["OPERATION_CANCELLED"]


async def test_a_cancel_is_heard_by_the_handler_before_it_is_let_go(rig: Rig) -> None:
    """A handler that ends by itself after the cancel, with the host's word that all is undone, needs no undo."""
    begun = asyncio.Event()

    async def do(work: Work) -> JsonMapping:
        begun.set()
        await work.cancelled.wait()
        raise AethervError("JOB_CANCELLED", "Stopped.", host_answered=True, undone=True)

    handler = rig.handler(do)
    engine = await rig.engine(handler, cancel_grace=20.0)
    asked = await engine.submit(rig.request())
    await begun.wait()
    await engine.cancel(asked.id)
    ended = await engine.wait(asked.id, 20)
    assert (ended.state, ended.error.id, handler.calls) == (State.CANCELLED, "JOB_CANCELLED", ["do"])


async def test_a_cancel_is_undone_whatever_the_policy_for_failures_is(rig: Rig) -> None:
    """A host that says cancelled and not undone gets an undo even where failures are kept."""

    async def do(work: Work) -> JsonMapping:
        raise AethervError("JOB_CANCELLED", "Stopped.", host_answered=True)

    handler = rig.handler(do, undoes=False)
    engine = await rig.engine(handler)
    ended = await engine.wait((await engine.submit(rig.request())).id, 20)
    assert (ended.state, handler.calls) == (State.CANCELLED, ["do", "undo"])


async def test_a_result_that_was_there_first_wins(rig: Rig) -> None:
    """What is complete when the cancel comes is not destroyed."""
    begun = asyncio.Event()

    async def do(work: Work) -> JsonMapping:
        begun.set()
        await work.cancelled.wait()
        return {"ok": True}

    handler = rig.handler(do)
    engine = await rig.engine(handler, cancel_grace=20.0)
    asked = await engine.submit(rig.request())
    await begun.wait()
    await engine.cancel(asked.id)
    ended = await engine.wait(asked.id, 20)
    assert (ended.state, ended.cancel_requested, handler.calls) == (State.SUCCEEDED, True, ["do"])


async def test_a_cancel_during_the_undo_changes_neither_cause_nor_undo(rig: Rig) -> None:
    """The operation ends with what failed it."""
    begun, go = asyncio.Event(), asyncio.Event()

    async def do(work: Work) -> JsonMapping:
        raise AethervError("DISK_FULL", "Full.", host_answered=True)

    async def undo(work: Work, cause: AethervError) -> tuple[Leftover, ...]:
        begun.set()
        await go.wait()
        return ()

    handler = rig.handler(do, undo)
    engine = await rig.engine(handler)
    asked = await engine.submit(rig.request())
    await begun.wait()
    assert (await engine.cancel(asked.id)).state is State.UNDOING
    go.set()
    ended = await engine.wait(asked.id, 20)
    assert (ended.state, ended.error.id, handler.calls) == (State.FAILED, "DISK_FULL", ["do", "undo"])


async def test_a_cancel_reaches_what_waits_for_its_host(rig: Rig) -> None:
    """A long pause between two tries is cut short."""

    async def do(work: Work) -> JsonMapping:
        raise AethervError("HOST_UNREACHABLE", "Away.")

    handler = rig.handler(do)
    engine = await rig.engine(handler, backoff_first=3600.0, backoff_most=3600.0)
    asked = await engine.submit(rig.request())
    await rig.until(lambda: bool(handler.calls) and not engine._items)
    await engine.cancel(asked.id)
    ended = await engine.wait(asked.id, 20)
    assert (ended.state, handler.calls) == (State.CANCELLED, ["do", "undo"])


async def test_a_cancel_asked_of_another_replica_reaches_the_worker(rig: Rig) -> None:
    """The flag in the row is enough."""
    do = Blocking()
    worker = await rig.engine(rig.handler(do), store=rig.shared_store())
    other = await rig.engine(store=rig.shared_store())
    asked = await worker.submit(rig.request())
    await do.begun.wait()
    await other.cancel(asked.id)
    assert (await other.wait(asked.id, 20)).state is State.CANCELLED


async def test_a_cancel_outlives_the_process(rig: Rig) -> None:
    """After a restart the undo is the first thing that is done."""
    do = Blocking()
    first = await rig.engine(rig.handler(do))
    asked = await first.submit(rig.request())
    await do.begun.wait()
    await first.stop()
    await rig.store.cancel(asked.id, {})
    handler = rig.handler()
    second = await rig.engine(handler)
    ended = await second.wait(asked.id, 20)
    assert (ended.state, handler.calls) == (State.CANCELLED, ["undo"])


async def test_cancelling_what_has_ended_changes_nothing(rig: Rig) -> None:
    """And an operation that nobody knows is OPERATION_NOT_FOUND."""
    engine = await rig.engine(rig.handler())
    ended = await engine.wait((await engine.submit(rig.request())).id, 20)
    assert await engine.cancel(ended.id) == ended
    with pytest.raises(AethervError) as error:
        await engine.cancel("nobody")
    assert error.value.id == "OPERATION_NOT_FOUND"
