"""Turns the store's rows into what the engine tells, and back. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from aetherv_agent.core.errors import AethervError, Leftover
from aetherv_agent.store import EventRow, OperationRow, Secrets

from .model import Event, Level, LogLine, Notice, Operation, Phase, State, Step


def utc(seconds: float) -> datetime:
    """Return a time of the store's clock."""
    return datetime.fromtimestamp(seconds, UTC)


def _maybe(seconds: float | None) -> datetime | None:
    return None if seconds is None else utc(seconds)


def snapshot(row: OperationRow) -> Operation:
    """Return the operation that a row describes. A phase that this version does not know counts as ``do``."""
    state = State(row.state)
    if state is State.RUNNING and row.cancel:
        state = State.CANCELLING
    waiting_for = row.waiting_for
    if state is State.QUEUED and not waiting_for:
        waiting_for = f"room on host {row.host} ({row.position} before it)"
    return Operation(
        id=row.id,
        kind=row.kind,
        host=row.host,
        principal=row.principal,
        spec=row.spec,
        state=state,
        create_time=utc(row.create_time),
        update_time=utc(row.update_time),
        phase=Phase.UNDO if row.phase == Phase.UNDO.value else Phase.DO,
        vm_name=row.vm_name,
        target=row.target,
        request_id=row.request_id or "",
        fingerprint=row.fingerprint,
        steps=tuple(Step.from_json(step) for step in row.steps),
        warnings=tuple(notice_from_json(warning) for warning in row.warnings),
        leftovers=tuple(Leftover(**leftover) for leftover in row.leftovers),
        start_time=_maybe(row.start_time),
        end_time=_maybe(row.end_time),
        deadline=_maybe(row.deadline),
        cancel_requested=row.cancel,
        queue_position=row.position,
        last_sequence=row.last_sequence,
        waiting_for=waiting_for,
        secrets_published=row.secrets is not Secrets.NEEDED,
        result=row.result,
        error=None if row.error is None else AethervError.from_json(row.error),
        version=row.version,
    )


def event(row: EventRow) -> Event:
    """Return the event that a row describes; a body that this version does not know becomes a line of debugging."""
    ((kind, body),) = row.body.items()
    made: Step | LogLine | Notice
    match kind:
        case "step":
            made = Step.from_json(body)
        case "log":
            made = LogLine(Level(body["level"]), body["message"])
        case "warning":
            made = notice_from_json(body)
        case _:
            made = LogLine(Level.DEBUG, f"An event that this version does not know: {kind}.")
    return Event(row.n, utc(row.time), made)


def final(operation: Operation) -> Event:
    """Return the last event of an ended operation."""
    return Event(operation.last_sequence, operation.end_time or operation.update_time, operation)


def body(item: Step | LogLine | Notice) -> dict[str, Any]:
    """Return an event's body as JSON values."""
    match item:
        case Step():
            return {"step": item.to_json()}
        case LogLine():
            return {"log": {"level": item.level.value, "message": item.message}}
        case Notice():
            return {"warning": notice_to_json(item)}


def notice_to_json(notice: Notice) -> dict[str, Any]:
    """Return a warning as JSON values."""
    return {"reason": notice.reason, "message": notice.message, "field": notice.field}


def notice_from_json(raw: Mapping[str, Any]) -> Notice:
    """Return the warning that ``notice_to_json`` gave."""
    return Notice(reason=raw["reason"], message=raw["message"], field=raw["field"])


def leftover_to_json(leftover: Leftover) -> dict[str, Any]:
    """Return a leftover as JSON values."""
    return {
        "kind": leftover.kind,
        "host": leftover.host,
        "path": leftover.path,
        "message": leftover.message,
    }
