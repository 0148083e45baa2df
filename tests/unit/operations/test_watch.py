"""Watching: resumed by number, one reader for all, never ahead of itself, and over a restart."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aetherv_agent.core.errors import AethervError
from aetherv_agent.operations.handlers import Work
from aetherv_agent.operations.model import (
    Event,
    JsonMapping,
    Level,
    LogLine,
    Notice,
    Operation,
    State,
    Step,
    StepState,
)

Rig = Any


async def all_of(events: AsyncIterator[Event]) -> list[Event]:
    """Return all events."""
    return [event async for event in events]


def numbers(events: list[Event]) -> list[int]:
    """Return the events' numbers."""
    return [event.sequence for event in events]


async def talkative(work: Work) -> JsonMapping:
    """Tell twenty lines."""
    for i in range(20):
        await work.log(Level.INFO, f"line {i}")
    return {}


async def test_a_watch_gives_every_event_and_then_the_operation(rig: Rig) -> None:
    """Numbers from 1 without gaps; the last event is the ended operation under the newest number."""

    async def do(work: Work) -> JsonMapping:
        await work.progress(Step("publish", StepState.DONE))
        await work.log(Level.INFO, "line")
        return {"ok": True}

    engine = await rig.engine(rig.handler(do))
    asked = await engine.submit(rig.request(warnings=(Notice("DROPPED", "dropped", "vm.x"),)))
    events = await all_of(engine.watch(asked.id))
    assert numbers(events) == [1, 2, 3, 3]
    assert events[0].body == Notice("DROPPED", "dropped", "vm.x")
    assert events[2].body == LogLine(Level.INFO, "line")
    last = events[-1].body
    assert isinstance(last, Operation)
    assert (last.state, last.result, last.last_sequence) == (State.SUCCEEDED, {"ok": True}, 3)


async def test_a_watch_resumes_after_a_number(rig: Rig) -> None:
    """Only what comes after it is given, also from an ended operation."""
    engine = await rig.engine(rig.handler(talkative))
    asked = await engine.submit(rig.request())
    await engine.wait(asked.id, 20)
    assert numbers(await all_of(engine.watch(asked.id, 18))) == [19, 20, 20]
    assert numbers(await all_of(engine.watch(asked.id, 20))) == [20]


async def test_a_number_that_was_never_given_is_out_of_range(rig: Rig) -> None:
    """And an operation that nobody knows is not found; neither leaves a feed behind."""
    engine = await rig.engine(rig.handler())
    asked = await engine.submit(rig.request())
    await engine.wait(asked.id, 20)
    with pytest.raises(AethervError) as out:
        await all_of(engine.watch(asked.id, 99))
    with pytest.raises(AethervError) as unknown:
        await all_of(engine.watch("nobody"))
    with pytest.raises(AethervError) as unknown_wait:
        await engine.wait("nobody", 20)
    assert [error.value.id for error in (out, unknown, unknown_wait)] == [
        "EVENTS_PRUNED",
        "OPERATION_NOT_FOUND",
        "OPERATION_NOT_FOUND",
    ]
    assert not engine._hub._feeds


async def test_two_hundred_watchers_cost_one_read(rig: Rig) -> None:
    """All get the same events, and the store is asked once for all of them."""
    go = asyncio.Event()

    async def do(work: Work) -> JsonMapping:
        await go.wait()
        return await talkative(work)

    engine = await rig.engine(rig.handler(do))
    asked = await engine.submit(rig.request())
    watchers = [asyncio.create_task(all_of(engine.watch(asked.id))) for _ in range(200)]
    await rig.until(lambda: engine._hub.watched(asked.id) and engine._hub._feeds[asked.id].watchers == 200)
    go.set()
    seen = await asyncio.gather(*watchers)
    assert all(numbers(events) == [*range(1, 21), 20] for events in seen)
    assert rig.store.reads["tail"] == 1
    assert rig.store.reads["events"] == 0
    assert not engine._hub._feeds


async def test_a_slow_watcher_reads_what_memory_has_lost_from_the_store(rig: Rig) -> None:
    """It gets every event, in order, however small the memory is; the others are not held up."""
    engine = await rig.engine(rig.handler(talkative), watch_buffer=4)
    asked = await engine.submit(rig.request(), None)
    slow = engine.watch(asked.id)
    first = await anext(slow)
    await engine.wait(asked.id, 20)
    rest = await all_of(slow)
    assert numbers([first, *rest]) == [*range(1, 21), 20]
    assert rig.store.reads["events"] > 0


async def test_a_watcher_on_another_replica_sees_the_same(rig: Rig) -> None:
    """What another process writes is found by the poll."""
    go = asyncio.Event()

    async def do(work: Work) -> JsonMapping:
        await work.log(Level.INFO, "line")
        await go.wait()
        return await talkative(work)

    worker = await rig.engine(rig.handler(do), store=rig.shared_store())
    other = await rig.engine(store=rig.shared_store())
    asked = await worker.submit(rig.request())
    watch = other.watch(asked.id)
    assert (await anext(watch)).sequence == 1
    go.set()
    assert numbers(await all_of(watch)) == [*range(2, 22), 21]


async def test_a_watch_goes_on_over_a_restart(rig: Rig) -> None:
    """The stop ends it with AGENT_STOPPING; resumed at the next process it misses and repeats nothing."""
    begun = asyncio.Event()

    async def first_do(work: Work) -> JsonMapping:
        await work.log(Level.INFO, "one")
        begun.set()
        await asyncio.Event().wait()
        return {}

    async def second_do(work: Work) -> JsonMapping:
        await work.log(Level.INFO, "two")
        return {}

    first = await rig.engine(rig.handler(first_do))
    asked = await first.submit(rig.request())
    watch = first.watch(asked.id)
    seen = [await anext(watch)]
    await begun.wait()
    await first.stop()
    with pytest.raises(AethervError) as error:
        await anext(watch)
    assert error.value.id == "AGENT_STOPPING"
    second = await rig.engine(rig.handler(second_do))
    seen += await all_of(second.watch(asked.id, seen[-1].sequence))
    assert [event.body.message for event in seen if isinstance(event.body, LogLine)] == ["one", "two"]
    assert numbers(seen) == [1, 2, 2]


async def test_a_wait_that_is_over_gives_the_operation_as_it_stands(rig: Rig) -> None:
    """No error, no end; and a watcher that leaves takes its feed with it."""
    engine = await rig.engine(rig.handler(), slots={})
    asked = await engine.submit(rig.request())
    found = await engine.wait(asked.id, 0.02)
    assert found.state is State.QUEUED
    watcher = asyncio.create_task(all_of(engine.watch(asked.id)))
    await rig.until(lambda: engine._hub.watched(asked.id))
    watcher.cancel()
    await asyncio.wait({watcher})
    assert not engine._hub._feeds


async def test_fast_progress_is_coalesced(rig: Rig) -> None:
    """A thousand reports of one copy are a few events; the last one stands, and every change of state is told."""

    async def do(work: Work) -> JsonMapping:
        for i in range(1, 1001):
            await work.progress(Step("copy_image", StepState.RUNNING, done_bytes=i, total_bytes=1000))
        await work.progress(Step("copy_image", StepState.DONE, done_bytes=1000, total_bytes=1000))
        await work.progress(Step("publish", StepState.SKIPPED))
        return {}

    engine = await rig.engine(rig.handler(do), progress=5.0)
    asked = await engine.submit(rig.request())
    events = await all_of(engine.watch(asked.id))
    steps = [event.body for event in events if isinstance(event.body, Step)]
    assert len(steps) < 10
    assert [(step.step, step.state) for step in steps[-2:]] == [
        ("copy_image", StepState.DONE),
        ("publish", StepState.SKIPPED),
    ]
    assert numbers(events) == [*range(1, len(steps) + 1), len(steps)]


async def test_lines_are_limited_and_steps_are_not(rig: Rig) -> None:
    """A host that talks without end fills no database; what matters is still told."""

    async def do(work: Work) -> JsonMapping:
        await talkative(work)
        await work.progress(Step("publish", StepState.DONE))
        await work.warn("LATE", "late")
        return {}

    engine = await rig.engine(rig.handler(do), log_events=5)
    asked = await engine.submit(rig.request())
    events = await all_of(engine.watch(asked.id))
    kinds = [type(event.body).__name__ for event in events]
    assert kinds == ["LogLine"] * 5 + ["Step", "Notice", "Operation"]
