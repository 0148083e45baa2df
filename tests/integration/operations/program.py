"""An agent in small, to be killed: an engine whose handler keeps its truth in a journal, as a host does.

``program.py FOLDER SECRETS`` submits one operation (always the same request), works until it has ended and prints what
came out. Each step prints a line when it begins and one when it is done, so that the test can kill at every boundary.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from pathlib import Path

from aetherv_agent.core.errors import AethervError, Leftover
from aetherv_agent.operations.engine import Engine
from aetherv_agent.operations.handlers import SecretLost, Work
from aetherv_agent.operations.model import JsonMapping, Limits, Operation, Request, Step, StepState
from aetherv_agent.store import OperationStore, open_sqlite

STEPS = ("copy_image", "register_vm", "publish", "wait_applied")
REQUEST = "4b0f2c1e-6a4e-4d0c-9a55-0f0b7f9f2f10"


class Host:
    """Does a job by its journal: every step is get-or-create, so that a job may be started again."""

    slots = "jobs"

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def undoes(self, operation: Operation, error: AethervError) -> bool:
        """Say that failures are rolled back."""
        del operation, error
        return True

    async def do(self, work: Work) -> JsonMapping:
        """Go through the steps that the journal does not have yet."""
        operation = work.operation
        journal = self._folder / f"{operation.id}.journal"
        await work.save_shell({"pid": os.getpid()})
        done = _lines(journal)
        for step in STEPS:
            if step in done:
                continue
            if step == "publish" and not work.has_secrets:
                raise SecretLost
            await work.progress(Step(step, StepState.RUNNING))
            await _say(f"begin {step}")
            _append(journal, step)
            await work.progress(Step(step, StepState.DONE))
            await _say(f"done {step}")
            if step == "publish":
                await work.secrets_published()
                await _say("published")
        return {"vm": operation.id}

    async def undo(self, work: Work, cause: AethervError) -> tuple[Leftover, ...]:
        """Take the journal's steps back."""
        del cause
        journal = self._folder / f"{work.operation.id}.journal"
        await _say("begin undo")
        journal.unlink(missing_ok=True)
        _append(self._folder / f"{work.operation.id}.undone", "undone")
        await _say("done undo")
        return ()

    def abandoned(self, operation: Operation, cause: AethervError) -> tuple[Leftover, ...]:
        """Name the journal."""
        del cause
        return (Leftover("folder", operation.host, operation.id, "Look for it."),)


def _lines(path: Path) -> list[str]:
    return path.read_text().splitlines() if path.exists() else []


def _append(path: Path, line: str) -> None:
    with path.open("a") as file:
        file.write(line + "\n")


async def _say(line: str) -> None:
    print(line, flush=True)  # noqa: T201  # the test reads it
    # Room for the kill, and for the engine's own writes.
    await asyncio.sleep(0.03)


async def main(folder: Path, *, secrets: bool) -> None:
    """Submit, work, tell."""
    database = open_sqlite(folder / "agent.db")
    engine = Engine(OperationStore(database), {"create": Host(folder)}, Limits(poll=0.05, progress=0.01))
    await engine.start()
    request = Request("create", "hv1", "me", {}, 600.0, vm_name="web", request_id=REQUEST, fingerprint="f")
    if await engine.by_request(REQUEST) is None:
        await engine.submit(request, {"guest_la_pw": "hunter2"} if secrets else None)
    await _say("submitted")
    known = await engine.by_request(REQUEST)
    if known is None:
        raise SystemExit("The operation is lost.")
    ended = await engine.wait(known.id, 60.0)
    events = [event.sequence async for event in engine.watch(ended.id)]
    told = {
        "id": ended.id,
        "state": ended.state.value,
        "error": ended.error.id if ended.error else None,
        "steps": [step.step for step in ended.steps if step.state is StepState.DONE],
        "sequences": events,
    }
    await engine.stop()
    await database.close()
    print("ended " + json.dumps(told), flush=True)  # noqa: T201  # the test reads it


asyncio.run(main(Path(sys.argv[1]), secrets=sys.argv[2] == "secrets"))
