"""What survives a stop, a crash and another worker: shell, steps, secrets' state, and the fence."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from aetherv_agent.core.errors import AethervError, Leftover
from aetherv_agent.operations.handlers import LeaseLost, Work
from aetherv_agent.operations.model import JsonMapping, Level, LogLine, State, Step, StepState

Rig = Any


async def test_a_stopped_operation_goes_on_with_its_id_shell_and_steps(rig: Rig) -> None:
    """A stop lets the handler go without undo; the next process calls it again and it finds what was saved."""
    begun = asyncio.Event()

    async def first_do(work: Work) -> JsonMapping:
        await work.save_shell({"shell": "A", "command": "C"})
        await work.progress(Step("copy_image", StepState.DONE))
        await work.set_target("vms/1")
        begun.set()
        await asyncio.Event().wait()
        return {}

    found: list[Any] = []

    async def second_do(work: Work) -> JsonMapping:
        found.extend([work.shell, work.operation.target, [step.step for step in work.operation.steps]])
        return {"ok": True}

    first_handler, second_handler = rig.handler(first_do), rig.handler(second_do)
    first = await rig.engine(first_handler)
    asked = await first.submit(rig.request())
    await begun.wait()
    await first.stop()
    second = await rig.engine(second_handler)
    ended = await second.wait(asked.id, 20)
    assert (ended.state, ended.result) == (State.SUCCEEDED, {"ok": True})
    assert first_handler.ids == second_handler.ids == [asked.id]
    assert first_handler.calls + second_handler.calls == ["do", "do"]
    assert found == [{"shell": "A", "command": "C"}, "vms/1", ["copy_image"]]


async def test_an_undo_that_was_cut_off_is_finished(rig: Rig) -> None:
    """After a restart in mid-undo only the undo is called again, with the same cause."""
    begun = asyncio.Event()

    async def do(work: Work) -> JsonMapping:
        raise AethervError("DISK_FULL", "Full.", host_answered=True)

    async def undo(work: Work, cause: AethervError) -> tuple[Leftover, ...]:
        begun.set()
        await asyncio.Event().wait()
        return ()

    first = await rig.engine(rig.handler(do, undo))
    asked = await first.submit(rig.request())
    await begun.wait()
    await first.stop()
    handler = rig.handler()
    second = await rig.engine(handler)
    ended = await second.wait(asked.id, 20)
    assert (handler.calls, handler.causes, ended.error.id) == (["undo"], ["DISK_FULL"], "DISK_FULL")


async def test_a_secret_that_is_lost_and_still_needed_ends_through_undo(rig: Rig) -> None:
    """The handler finds out that the host needs it, and the operation ends with SECRET_UNAVAILABLE."""
    begun = asyncio.Event()

    async def first_do(work: Work) -> JsonMapping:
        assert work.secrets() == {"guest_la_pw": "hunter2"}
        begun.set()
        await asyncio.Event().wait()
        return {}

    async def second_do(work: Work) -> JsonMapping:
        assert not work.has_secrets
        work.secrets()
        return {}

    first = await rig.engine(rig.handler(first_do))
    asked = await first.submit(rig.request(), {"guest_la_pw": "hunter2"})
    await begun.wait()
    await first.stop()
    handler = rig.handler(second_do)
    second = await rig.engine(handler)
    ended = await second.wait(asked.id, 20)
    assert (handler.calls, handler.causes) == (["do", "undo"], ["SECRET_UNAVAILABLE"])
    assert (ended.state, ended.error.id) == (State.FAILED, "SECRET_UNAVAILABLE")


async def test_a_lost_secret_is_no_harm_where_the_host_goes_on_without(rig: Rig) -> None:
    """Who never asks for the secrets (the job still runs on the host) ends as if nothing had been."""
    begun = asyncio.Event()

    async def first_do(work: Work) -> JsonMapping:
        begun.set()
        await asyncio.Event().wait()
        return {}

    async def second_do(work: Work) -> JsonMapping:
        await work.secrets_published()
        return {"adopted": not work.secrets()}

    first = await rig.engine(rig.handler(first_do))
    asked = await first.submit(rig.request(), {"guest_la_pw": "hunter2"})
    await begun.wait()
    await first.stop()
    second = await rig.engine(rig.handler(second_do))
    ended = await second.wait(asked.id, 20)
    assert (ended.state, ended.result) == (State.SUCCEEDED, {"adopted": True})


async def test_published_secrets_are_needed_no_more(rig: Rig) -> None:
    """Once published they are dropped at once, and a restart does not miss them."""
    begun = asyncio.Event()
    seen: list[Any] = []

    async def first_do(work: Work) -> JsonMapping:
        await work.secrets_published()
        seen.append((work.secrets(), work.has_secrets))
        await work.save_shell({"id": 1})
        begun.set()
        await asyncio.Event().wait()
        return {}

    async def second_do(work: Work) -> JsonMapping:
        seen.append((work.secrets(), work.has_secrets))
        return {}

    first = await rig.engine(rig.handler(first_do))
    asked = await first.submit(rig.request(), {"guest_la_pw": "hunter2"})
    await begun.wait()
    assert asked.id not in first._box
    await first.stop()
    second = await rig.engine(rig.handler(second_do))
    ended = await second.wait(asked.id, 20)
    assert (ended.state, ended.secrets_published, seen) == (State.SUCCEEDED, True, [({}, True)] * 2)


async def test_a_queued_operation_whose_secret_is_lost_is_never_started(rig: Rig) -> None:
    """The host knows nothing of it, so nothing is called and nothing undone."""
    first = await rig.engine(rig.handler(), slots={})
    asked = await first.submit(rig.request(), {"guest_la_pw": "hunter2"})
    await first.stop()
    handler = rig.handler()
    second = await rig.engine(handler)
    ended = await second.wait(asked.id, 20)
    assert (ended.state, ended.error.id, handler.calls) == (State.FAILED, "SECRET_UNAVAILABLE", [])


async def test_secrets_are_dropped_at_every_end_and_shown_nowhere(
    rig: Rig, caplog: pytest.LogCaptureFixture
) -> None:
    """Neither the box's repr nor the database's file nor a log has them."""
    engine = await rig.engine(rig.handler(), slots={"jobs": 1})
    asked = await engine.submit(rig.request(), {"guest_la_pw": "hunter2"})
    assert "hunter2" not in repr(engine._box) + repr(asked)
    await engine.wait(asked.id, 20)
    await rig.until(lambda: asked.id not in engine._box)
    folder = rig.database._lock.path.parent
    assert not any(b"hunter2" in path.read_bytes() for path in folder.iterdir())
    assert "hunter2" not in caplog.text


async def test_a_slow_worker_is_fenced_and_writes_nothing(rig: Rig) -> None:
    """Two engines on one store: after its lease the old one's every call raises LeaseLost, and the row is the other's."""
    begun, go, raised = asyncio.Event(), asyncio.Event(), []

    async def slow_do(work: Work) -> JsonMapping:
        begun.set()
        await go.wait()
        for call in (
            work.check_lease(),
            work.save_shell({"old": True}),
            work.progress(Step("old", StepState.DONE)),
            work.set_target("vms/old"),
            work.secrets_published(),
        ):
            try:
                await call
            except LeaseLost:
                raised.append(True)
        return {"old": True}

    async def new_do(work: Work) -> JsonMapping:
        await work.progress(Step("new", StepState.DONE))
        return {"new": True}

    slow = await rig.engine(rig.handler(slow_do), store=rig.shared_store())

    asked = await slow.submit(rig.request(timeout=7200.0))
    await begun.wait()
    slow._loops[1].cancel()  # it renews no more
    await rig.store.renew("nobody", 1.0)  # one writer: what was on its way is done now
    rig.clock_offset = 3600.0
    other = await rig.engine(rig.handler(new_do), store=rig.shared_store())
    ended = await other.wait(asked.id, 20)
    go.set()
    await rig.until(lambda: not slow._items)
    assert raised == [True] * 5
    after = await other.get(asked.id)
    assert (after.version, after.result, [step.step for step in after.steps]) == (
        ended.version,
        {"new": True},
        ["new"],
    )


async def test_a_worker_whose_lease_was_taken_is_let_go(rig: Rig) -> None:
    """The next renewal tells it, in a wait for the host too; it neither undoes nor writes."""
    begun, let_go = asyncio.Event(), asyncio.Event()

    async def do(work: Work) -> JsonMapping:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            let_go.set()
        return {}

    handler = rig.handler(do)
    engine = await rig.engine(handler, store=rig.shared_store())
    asked = await engine.submit(rig.request(host="hv9"))
    await begun.wait()
    begun.clear()
    await rig.store.release(engine._owner)
    await let_go.wait()
    # The row was free, so this engine has it again, in a new epoch.
    await begun.wait()
    assert handler.calls == ["do", "do"]
    assert (await engine.get(asked.id)).state is State.RUNNING


async def test_a_jump_of_the_clock_takes_nothing_away(rig: Rig) -> None:
    """An engine that is alone goes on over hours that never passed: no second worker, no undo."""
    begun, go = asyncio.Event(), asyncio.Event()

    async def do(work: Work) -> JsonMapping:
        begun.set()
        await go.wait()
        return {}

    handler = rig.handler(do)
    engine = await rig.engine(handler)
    asked = await engine.submit(rig.request(timeout=60.0))
    await begun.wait()
    rig.clock_offset = 7200.0
    await engine._renew()
    await engine._claim()
    go.set()
    ended = await engine.wait(asked.id, 20)
    assert (ended.state, handler.calls) == (State.SUCCEEDED, ["do"])


async def test_a_jump_of_the_clock_ends_nothing_that_waits(
    rig: Rig, caplog: pytest.LogCaptureFixture
) -> None:
    """Neither what is queued nor what waits for its host loses its time."""

    async def do(work: Work) -> JsonMapping:
        raise AethervError("HOST_UNREACHABLE", "Away.")

    handler = rig.handler(do)
    engine = await rig.engine(handler, slots={"jobs": 1}, backoff_first=3600.0, backoff_most=3600.0)
    waiting = await engine.submit(rig.request(timeout=60.0))
    queued = await engine.submit(rig.request(queue_timeout=60.0))
    await rig.until(lambda: bool(handler.calls) and not engine._items)
    before = await engine.get(waiting.id)
    rig.clock_offset = 7200.0
    await rig.until(lambda: "jumped" in caplog.text)
    await rig.store.renew("nobody", 1.0)  # one writer: what was on its way is done now
    after = await engine.get(waiting.id)
    assert (after.deadline - before.deadline).total_seconds() == pytest.approx(7200.0, abs=5.0)
    assert (await engine.get(queued.id)).state is State.QUEUED
    assert handler.calls == ["do"]
    assert after.state is State.RUNNING


async def test_a_handler_cancelled_in_a_write_tells_nothing_twice(rig: Rig) -> None:
    """What was on its way when the cancel came is written once."""
    begun = asyncio.Event()

    async def do(work: Work) -> JsonMapping:
        begun.set()
        n = 0
        while True:
            n += 1
            await work.log(Level.INFO, f"line {n}")
            await work.save_shell({"n": n})

    engine = await rig.engine(rig.handler(do), cancel_grace=0.0)
    asked = await engine.submit(rig.request())
    await begun.wait()
    await engine.cancel(asked.id)
    events = [event async for event in engine.watch(asked.id)]
    lines = [event.body.message for event in events if isinstance(event.body, LogLine)]
    assert lines == [f"line {n}" for n in range(1, len(lines) + 1)]


async def test_a_claim_whose_answer_was_lost_is_given_back(rig: Rig) -> None:
    """A row that the store says is held here and that nobody here has is free again after two renewals."""
    engine = await rig.engine(rig.handler(), slots={})
    asked = await engine.submit(rig.request())
    other = await rig.engine(rig.handler(), slots={}, store=rig.shared_store())
    from aetherv_agent.store import Claim

    await rig.store.claim(Claim(engine._owner, ["create"], {"jobs": 1}, 30.0, 10))
    await engine._renew()
    await engine._renew()
    assert (await other.wait(asked.id, 20)).state is State.SUCCEEDED


async def test_stopping_refuses_work_and_can_be_repeated(rig: Rig) -> None:
    """After a stop, submit and cancel are AGENT_STOPPING; a second stop does nothing."""
    engine = await rig.engine(rig.handler())
    await engine.stop()
    await engine.stop()
    for call in (engine.submit(rig.request()), engine.cancel("x")):
        with pytest.raises(AethervError) as error:
            await call
        assert error.value.id == "AGENT_STOPPING"
