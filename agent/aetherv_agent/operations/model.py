"""What an operation is and what it tells. Frozen values; no I/O is done here.

``api`` turns these into ``VmOperationMetadata`` and ``OperationEvent``; their fields have the same names there.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any, Self

from aetherv_agent.core.errors import AethervError, Leftover

JsonMapping = Mapping[str, Any]
"""JSON values alone: what a row of the store can hold."""


class Phase(StrEnum):
    """Which of a handler's two functions works on an operation."""

    DO = "do"
    UNDO = "undo"


class State(StrEnum):
    """Where an operation stands, as its watchers see it."""

    QUEUED = "queued"
    RUNNING = "running"
    CANCELLING = "cancelling"
    UNDOING = "undoing"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def ended(self) -> bool:
        """Whether nothing changes any more."""
        return self in {State.SUCCEEDED, State.FAILED, State.CANCELLED}


class StepState(StrEnum):
    """Where one step stands. The host's ``started`` is RUNNING here."""

    RUNNING = "running"
    DONE = "done"
    SKIPPED = "skipped"
    FAILED = "failed"
    UNDONE = "undone"


class Level(StrEnum):
    """How much a line of the log matters."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class Step:
    """One step of the host's job.

    Attributes:
        step: its name, from an open set (``copy_image``).
        attempt: from 1.
        start_time: UTC; the engine sets it when it sees the step first.
        end_time: UTC; the engine sets it when the step leaves RUNNING.
        done_bytes: bytes done, where the step copies.
        total_bytes: bytes in all, where the step copies.
        message: for people.
    """

    step: str
    state: StepState
    attempt: int = 1
    start_time: datetime | None = None
    end_time: datetime | None = None
    done_bytes: int = 0
    total_bytes: int = 0
    message: str = ""

    def to_json(self) -> dict[str, Any]:
        """Return the step as JSON values."""
        return {
            "step": self.step,
            "state": self.state.value,
            "attempt": self.attempt,
            "start_time": self.start_time.isoformat() if self.start_time else None,
            "end_time": self.end_time.isoformat() if self.end_time else None,
            "done_bytes": self.done_bytes,
            "total_bytes": self.total_bytes,
            "message": self.message,
        }

    @classmethod
    def from_json(cls, raw: JsonMapping) -> Self:
        """Return the step that ``to_json`` gave."""
        return cls(
            step=raw["step"],
            state=StepState(raw["state"]),
            attempt=raw["attempt"],
            start_time=datetime.fromisoformat(raw["start_time"]) if raw["start_time"] else None,
            end_time=datetime.fromisoformat(raw["end_time"]) if raw["end_time"] else None,
            done_bytes=raw["done_bytes"],
            total_bytes=raw["total_bytes"],
            message=raw["message"],
        )


@dataclass(frozen=True, slots=True)
class LogLine:
    """A line for people."""

    level: Level
    message: str


@dataclass(frozen=True, slots=True)
class Notice:
    """A warning: what the user should know and that is no failure.

    Attributes:
        reason: stable id, UPPER_SNAKE.
        message: for people.
        field: the field's path, or empty.
    """

    reason: str
    message: str
    field: str = ""


@dataclass(frozen=True, slots=True)
class Operation:
    """An operation as it stood at one moment.

    Attributes:
        id: a UUID; also the host job's id. The resource's name is ``operations/{id}``.
        kind: whose handler works on it (``create``, ``delete``).
        host: the bare id of its host.
        vm_name: the VM's name, or empty where only ``target`` is known.
        target: ``vms/{guid}``, or empty until it is known.
        request_id: the client's id of the request, or empty.
        fingerprint: the submitter's digest of the request; no secret can be read from it.
        principal: who submitted it.
        spec: what the handler needs to do it; JSON values, never a secret.
        steps: the host's steps so far, in their order.
        create_time: when it was submitted. This and all times are the store's clock, UTC.
        start_time: when work on it began first.
        update_time: when something of it changed last.
        end_time: when it ended.
        deadline: when it ends through undo; counts from ``start_time``, so None while it is queued.
        queue_position: how many stand before it in its host's queue; 0 when it works.
        last_sequence: the number of its newest event; 0 before the first.
        waiting_for: what it waits for, for people; empty when it works.
        secrets_published: whether the host needs its secrets no more.
        result: the handler's result, once SUCCEEDED.
        error: why it FAILED or was CANCELLED, and in UNDOING the cause of the undo.
        version: rises with every change of the row; of two snapshots the higher one is newer.
    """

    id: str
    kind: str
    host: str
    principal: str
    spec: JsonMapping
    state: State
    create_time: datetime
    update_time: datetime
    phase: Phase = Phase.DO
    vm_name: str = ""
    target: str = ""
    request_id: str = ""
    fingerprint: str = ""
    steps: tuple[Step, ...] = ()
    warnings: tuple[Notice, ...] = ()
    leftovers: tuple[Leftover, ...] = ()
    start_time: datetime | None = None
    end_time: datetime | None = None
    deadline: datetime | None = None
    cancel_requested: bool = False
    queue_position: int = 0
    last_sequence: int = 0
    waiting_for: str = ""
    secrets_published: bool = False
    result: JsonMapping | None = None
    error: AethervError | None = None
    version: int = 0

    @property
    def name(self) -> str:
        """The resource's name, ``operations/{id}``."""
        return f"operations/{self.id}"

    @property
    def done(self) -> bool:
        """Whether it has ended."""
        return self.state.ended

    def step(self, name: str) -> Step | None:
        """Return a step by its name, or None if it was not seen."""
        return next((step for step in self.steps if step.step == name), None)


@dataclass(frozen=True, slots=True)
class Event:
    """One event of an operation.

    Attributes:
        sequence: from 1, without gaps within one operation. The last event repeats the newest number.
        time: UTC, the store's clock.
        body: what happened. An ``Operation`` is the ended operation, and always the last event.
    """

    sequence: int
    time: datetime
    body: Step | LogLine | Notice | Operation


@dataclass(frozen=True, slots=True)
class Request:
    """What ``Engine.submit`` needs to know of a new operation. Its secrets are given apart.

    Attributes:
        kind: a kind that the engine has a handler for.
        timeout: seconds from the start of work until it ends through undo.
        queue_timeout: seconds it may wait for its start; None: the engine's own limit.
        warnings: told from the first moment on (a dropped field).
        id: a UUID for it; empty: the engine makes one.
        The others are as in ``Operation``.
    """

    kind: str
    host: str
    principal: str
    spec: JsonMapping
    timeout: float
    vm_name: str = ""
    target: str = ""
    request_id: str = ""
    fingerprint: str = ""
    queue_timeout: float | None = None
    warnings: tuple[Notice, ...] = ()
    id: str = ""


@dataclass(frozen=True, slots=True)
class Filter:
    """Which operations ``Engine.list`` gives; None: not looked at.

    Attributes:
        done: ended ones (True), others (False).
        hosts: only those on one of these hosts.
    """

    done: bool | None = None
    hosts: frozenset[str] | None = None
    kind: str | None = None
    vm_name: str | None = None
    target: str | None = None
    principal: str | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """Some operations, newest first, and the token for the next page (empty: no more)."""

    operations: tuple[Operation, ...]
    next_token: str = ""


@dataclass(frozen=True, slots=True)
class HostLoad:
    """How many operations of a host work (or wait for the host) and how many are queued."""

    running: int = 0
    queued: int = 0


@dataclass(frozen=True, slots=True)
class Limits:
    """The engine's limits and intervals; all times in seconds.

    Attributes:
        slots: how many operations of a slot group (``Handler.slots``) work on one host at once.
        queue: how many operations of one host may wait for their start.
        workers: how many operations this process works on at once.
        lease: length of a lease; it is renewed at a third of it.
        poll: how often the store is asked for work and cancels that no wake-up told of.
        undo_timeout: how long an undo is tried before what is left is reported.
        backoff_first: the pause after a first failed attempt; it doubles up to ``backoff_most``.
        cancel_grace: how long a handler may end by itself after a cancel before it is let go for the undo.
        progress: the shortest time between two stored progress events of one running step.
        watch_buffer: how many newest events are kept in memory for an operation's watchers.
        log_events: how many log and progress events are stored of one operation; steps and warnings always are.
        retention: how long ended operations are kept.
    """

    slots: Mapping[str, int] = field(default_factory=lambda: {"jobs": 16, "changes": 8})
    queue: int = 256
    workers: int = 512
    lease: float = 30.0
    poll: float = 1.0
    undo_timeout: float = 900.0
    queue_timeout: float = 3600.0
    backoff_first: float = 1.0
    backoff_most: float = 30.0
    cancel_grace: float = 0.5
    progress: float = 0.5
    watch_buffer: int = 256
    log_events: int = 5000
    retention: float = 30 * 86400.0
    prune_every: float = 3600.0


def merge_step(known: Step | None, seen: Step, now: datetime) -> Step:
    """Return a step with its times: from what was known of it and what the host says now.

    Args:
        known: the step as stored, or None if it is new.
        seen: what the host says; its times are used where it has some.
        now: for the times that neither has.
    """
    again = known is None or seen.attempt > known.attempt
    start = seen.start_time or (now if known is None or again else known.start_time)
    end = None
    if seen.state is not StepState.RUNNING:
        same = known is not None and known.state is seen.state
        end = seen.end_time or (known.end_time if known is not None and same else now)
    copied = seen.done_bytes or (known.done_bytes if known is not None and not again else 0)
    total = seen.total_bytes or (known.total_bytes if known is not None and not again else 0)
    return replace(seen, start_time=start, end_time=end, done_bytes=copied, total_bytes=total)
