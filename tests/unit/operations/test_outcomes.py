"""How an operation ends for each way in which its handler can (design: operations, 5 and 6)."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from aetherv_agent.core.errors import AethervError, Leftover
from aetherv_agent.operations.handlers import Work
from aetherv_agent.operations.model import JsonMapping, LogLine, State, Step, StepState

Rig = Any
DISK = Leftover("disk", "hv1", "V:\\web\\web.vhdx", "It is in use.")


def host_says(error_id: str = "DISK_FULL", **values: Any) -> AethervError:
    """Return a typed answer of the host."""
    return AethervError(error_id, "The host said so.", host_answered=True, **values)


async def forever(work: Work) -> JsonMapping:
    """Never end by itself."""
    await asyncio.Event().wait()
    return {}


def failing(*errors: BaseException) -> Any:
    """Return a ``do`` that raises one after the other and then succeeds."""
    left = list(errors)

    async def do(work: Work) -> JsonMapping:
        if left:
            raise left.pop(0)
        return {"ok": True}

    return do


async def test_a_result_ends_in_succeeded(rig: Rig) -> None:
    """The handler's mapping is the result; steps, target and times stand in the operation."""

    async def do(work: Work) -> JsonMapping:
        await work.progress(Step("copy_image", StepState.RUNNING, done_bytes=1, total_bytes=2))
        await work.progress(Step("copy_image", StepState.DONE))
        await work.set_target("vms/1")
        await work.warn("SLOW", "It is slow.")
        await work.warn("SLOW", "It is slow.")
        return {"vm": {"id": "1"}}

    engine = await rig.engine(rig.handler(do))
    asked = await engine.submit(rig.request())
    ended = await engine.wait(asked.id, 20)
    assert (ended.state, ended.result, ended.error, ended.target) == (
        State.SUCCEEDED,
        {"vm": {"id": "1"}},
        None,
        "vms/1",
    )
    step = ended.step("copy_image")
    assert step is not None
    assert (step.state, step.done_bytes, step.total_bytes) == (StepState.DONE, 1, 2)
    assert len(ended.warnings) == 1
    assert None not in {ended.start_time, ended.end_time, ended.deadline}


async def test_a_typed_failure_of_the_host_is_undone(rig: Rig) -> None:
    """Undo runs once with the host's error as its cause, and the operation fails with that error."""
    handler = rig.handler(failing(host_says()))
    engine = await rig.engine(handler)
    ended = await engine.wait((await engine.submit(rig.request())).id, 20)
    assert (handler.calls, handler.causes) == (["do", "undo"], ["DISK_FULL"])
    assert (ended.state, ended.error.id, ended.error.undone, ended.leftovers) == (
        State.FAILED,
        "DISK_FULL",
        True,
        (),
    )


@pytest.mark.parametrize(
    ("error", "undoes"),
    [
        (host_says(undone=True), True),
        (host_says(leftovers=(DISK,)), False),
        (host_says("GUEST_FAILED"), False),
    ],
)
async def test_no_undo_where_the_host_did_it_or_the_policy_keeps(
    rig: Rig, error: AethervError, *, undoes: bool
) -> None:
    """The operation ends with the host's error and leftovers at once."""
    handler = rig.handler(failing(error), undoes=undoes)
    engine = await rig.engine(handler)
    ended = await engine.wait((await engine.submit(rig.request())).id, 20)
    assert handler.calls == ["do"]
    assert (ended.state, ended.error.id, ended.leftovers) == (State.FAILED, error.id, error.leftovers)


@pytest.mark.parametrize(
    "error",
    [
        AethervError("HOST_UNREACHABLE", "hv1 does not answer."),
        AethervError("HOST_AUTHENTICATION_FAILED", "hv1 refused the account."),
        AethervError("STORE_UNAVAILABLE", "The disk is full."),
        ValueError("hunter2"),
        KeyError("hunter2"),
        asyncio.CancelledError(),
    ],
    ids=lambda error: getattr(error, "id", type(error).__name__),
)
async def test_whatever_is_no_word_of_the_host_is_tried_again(
    rig: Rig, error: BaseException, caplog: pytest.LogCaptureFixture
) -> None:
    """Twice a failure that nobody answered for, then success: never an undo, and no text of a bug in any log."""
    handler = rig.handler(failing(error, error))
    engine = await rig.engine(handler)
    ended = await engine.wait((await engine.submit(rig.request())).id, 20)
    assert handler.calls == ["do", "do", "do"]
    assert (ended.state, ended.result) == (State.SUCCEEDED, {"ok": True})
    events = [event async for event in engine.watch(ended.id)]
    assert "hunter2" not in caplog.text + str(events)


async def test_what_it_waits_for_is_told(rig: Rig) -> None:
    """While it is given back, ``waiting_for`` and a line say why; the first progress takes it back."""
    told = []

    async def do(work: Work) -> JsonMapping:
        told.append(work.operation.waiting_for)
        if len(told) == 1:
            raise AethervError("HOST_UNREACHABLE", "hv1 does not answer.")
        await work.progress(Step("copy_image", StepState.RUNNING))
        told.append(work.operation.waiting_for)
        return {}

    engine = await rig.engine(rig.handler(do))
    ended = await engine.wait((await engine.submit(rig.request())).id, 20)
    assert told[0] == told[2] == ended.waiting_for == ""
    assert "hv1 does not answer." in told[1]
    lines = [event.body.message async for event in engine.watch(ended.id) if isinstance(event.body, LogLine)]
    assert "hv1 does not answer." in lines[0]


async def test_a_result_that_is_no_json_is_a_bug_of_the_handler(rig: Rig) -> None:
    """It is tried again like every bug, and never taken for a store that is away."""
    results: list[Any] = [{"x": object()}, {"x": float("nan")}, {"x": 1}]

    async def do(work: Work) -> JsonMapping:
        result: JsonMapping = results.pop(0)
        return result

    handler = rig.handler(do)
    engine = await rig.engine(handler)
    ended = await engine.wait((await engine.submit(rig.request())).id, 20)
    assert (ended.state, ended.result, handler.calls) == (State.SUCCEEDED, {"x": 1}, ["do"] * 3)


async def test_the_deadline_ends_through_undo(rig: Rig) -> None:
    """An operation whose time is over is undone and fails with OPERATION_DEADLINE, which names the step."""

    async def do(work: Work) -> JsonMapping:
        await work.progress(Step("wait_ready", StepState.RUNNING))
        return await forever(work)

    handler = rig.handler(do)
    engine = await rig.engine(handler)
    ended = await engine.wait((await engine.submit(rig.request(timeout=0.1))).id, 20)
    assert (handler.calls, handler.causes) == (["do", "undo"], ["OPERATION_DEADLINE"])
    assert (ended.state, ended.error.id, ended.error.step) == (
        State.FAILED,
        "OPERATION_DEADLINE",
        "wait_ready",
    )


async def test_a_host_that_stays_away_ends_at_the_deadline(rig: Rig) -> None:
    """Trying again ends with the deadline, and the error says what was waited for."""

    async def do(work: Work) -> JsonMapping:
        raise AethervError("HOST_UNREACHABLE", "hv1 does not answer.")

    handler = rig.handler(do)
    engine = await rig.engine(handler)
    ended = await engine.wait((await engine.submit(rig.request(timeout=0.2))).id, 20)
    assert ended.error.id == "OPERATION_DEADLINE"
    assert "hv1 does not answer." in ended.error.message
    assert handler.calls[-1] == "undo"


async def test_a_failed_undo_is_tried_again(rig: Rig) -> None:
    """An undo that could not be done is done later; its leftovers are told at the end."""
    errors: list[BaseException] = [AethervError("HOST_UNREACHABLE", "away"), ValueError()]

    async def undo(work: Work, cause: AethervError) -> tuple[Leftover, ...]:
        if errors:
            raise errors.pop()
        return (DISK,)

    handler = rig.handler(failing(host_says()), undo)
    engine = await rig.engine(handler)
    ended = await engine.wait((await engine.submit(rig.request())).id, 20)
    assert handler.calls == ["do", "undo", "undo", "undo"]
    assert (ended.error.id, ended.error.undone, ended.leftovers) == ("DISK_FULL", False, (DISK,))
    assert ended.error.leftovers == (DISK,)


async def test_an_undo_has_a_deadline_of_its_own(rig: Rig) -> None:
    """After it, what may stand is reported and the operation ends with its first cause."""

    async def undo(work: Work, cause: AethervError) -> tuple[Leftover, ...]:
        raise AethervError("HOST_UNREACHABLE", "away")

    engine = await rig.engine(rig.handler(failing(host_says()), undo), undo_timeout=0.1)
    ended = await engine.wait((await engine.submit(rig.request())).id, 20)
    assert (ended.state, ended.error.id) == (State.FAILED, "DISK_FULL")
    assert [left.kind for left in ended.leftovers] == ["folder"]


async def test_an_undo_that_hangs_is_let_go(rig: Rig) -> None:
    """A host that never answers the undo holds nothing up beyond the undo's deadline."""

    async def undo(work: Work, cause: AethervError) -> tuple[Leftover, ...]:
        await forever(work)
        return ()

    engine = await rig.engine(rig.handler(failing(host_says()), undo), undo_timeout=0.1)
    ended = await engine.wait((await engine.submit(rig.request())).id, 20)
    assert [left.kind for left in ended.leftovers] == ["folder"]


async def test_a_final_word_of_the_host_on_the_undo_is_the_end(rig: Rig) -> None:
    """A typed answer that is not retryable reports its leftovers at once; a retryable one is remembered."""

    async def final(work: Work, cause: AethervError) -> tuple[Leftover, ...]:
        raise host_says("PATH_INVALID", leftovers=(DISK,))

    async def later(work: Work, cause: AethervError) -> tuple[Leftover, ...]:
        raise host_says("UNDO_INCOMPLETE", leftovers=(DISK,))

    engine = await rig.engine(rig.handler(failing(host_says()), final))
    ended = await engine.wait((await engine.submit(rig.request())).id, 20)
    assert ended.leftovers == (DISK,)
    await engine.stop()
    engine = await rig.engine(rig.handler(failing(host_says()), later), undo_timeout=0.1)
    ended = await engine.wait((await engine.submit(rig.request())).id, 20)
    assert ended.leftovers == (DISK,)


async def test_a_store_that_is_away_undoes_nothing(rig: Rig) -> None:
    """The host goes on meanwhile; what was told is written when the store is back, in order."""

    async def do(work: Work) -> JsonMapping:
        rig.store.away = 5
        for i in range(3):
            await work.progress(Step(f"step-{i}", StepState.DONE))
        await work.save_shell({"id": 1})
        rig.store.away = 3
        return {"ok": True}

    handler = rig.handler(do)
    engine = await rig.engine(handler)
    ended = await engine.wait((await engine.submit(rig.request())).id, 20)
    assert (ended.state, handler.calls) == (State.SUCCEEDED, ["do"])
    events = [event async for event in engine.watch(ended.id)]
    assert [event.body.step for event in events[:-1]] == ["step-0", "step-1", "step-2"]
    assert [event.sequence for event in events] == [1, 2, 3, 3]
