"""Handing what a host's script tells to the operation that it works for."""

from __future__ import annotations

from aetherv_agent import contracts
from aetherv_agent.core.results import Log, Progress, Record
from aetherv_agent.operations.handlers import Work
from aetherv_agent.operations.model import Level, Step, StepState

_STATES = {
    "started": StepState.RUNNING,
    "running": StepState.RUNNING,
    "done": StepState.DONE,
    "skipped": StepState.SKIPPED,
    "failed": StepState.FAILED,
    "undone": StepState.UNDONE,
}
PUBLISH_STEP = "publish"


class Relay:
    """Gives a job's records to its operation, in order.

    Args:
        work: the operation.
        secrets_end: whether the step ``publish`` ends the need for secrets (a create).
    """

    def __init__(self, work: Work, *, secrets_end: bool = False) -> None:
        self._work = work
        self._secrets_end = secrets_end

    async def __call__(self, record: Record) -> None:
        """Hand one record on; raise ``LeaseLost`` when the operation is somebody else's now."""
        match record:
            case Progress():
                await self._progress(record)
            case Log(reason="", level=level, message=message):
                await self._work.log(Level(level) if level in set(Level) else Level.INFO, message)
            case Log(reason=reason, message=message, field=field):
                # The agent has told of the same field by its path before: in the same words it is told once.
                await self._work.warn(reason, message.removeprefix(f"{field}: "), _path(field))
            case _:
                # The result and the error are the call's own answer.
                return

    async def _progress(self, record: Progress) -> None:
        if record.vm_id:
            await self._work.set_target(f"vms/{record.vm_id}")
        await self._work.progress(
            Step(
                step=record.step,
                state=_STATES.get(record.state, StepState.RUNNING),
                attempt=record.attempt,
                done_bytes=record.done_bytes,
                total_bytes=record.total_bytes,
                message=record.message,
            )
        )
        if self._secrets_end and record.step == PUBLISH_STEP and record.state == "done":
            await self._work.secrets_published()


def _path(field: str) -> str:
    """Return the request's path of a field that a script calls by the contract's name."""
    for rule in contracts.field_rules().fields:
        if rule.name == field:
            return f"secrets.{field}" if rule.secret else f"vm.{field}"
    return field
