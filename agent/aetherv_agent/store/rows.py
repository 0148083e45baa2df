"""The rows as frozen values: what goes into the store and what comes out. No I/O is done here.

Times are seconds since 1970 (float) of the database's clock, or seconds from now where a name ends in ``_in``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

Json = Mapping[str, Any]


class Secrets(StrEnum):
    """Whether an operation needs secrets that are kept outside its row."""

    NONE = "none"
    NEEDED = "needed"
    PUBLISHED = "published"


class Unset(StrEnum):
    """Marks what a ``Patch`` leaves as it is."""

    UNSET = "unset"


UNSET: Final = Unset.UNSET


@dataclass(frozen=True, slots=True)
class NewRow:
    """A new operation.

    Attributes:
        slots: the group whose limit per host it counts against.
        timeout: seconds from its start to its deadline.
        queue_timeout: seconds it may wait for its start.
        queue_limit: how many operations of the host may be waiting for their start already.
        request_id: None where the client gave none.
    """

    id: str
    kind: str
    slots: str
    host: str
    vm_name: str
    target: str
    request_id: str | None
    fingerprint: str
    principal: str
    spec: Json
    secrets: Secrets
    warnings: Sequence[Json]
    timeout: float
    queue_timeout: float
    queue_limit: int


@dataclass(frozen=True, slots=True)
class OperationRow:
    """One row of ``operation``; ``position`` is how many stand before it in its queue (0 once it started)."""

    seq: int
    id: str
    kind: str
    slots: str
    host: str
    vm_name: str
    target: str
    request_id: str | None
    fingerprint: str
    principal: str
    spec: Json
    phase: str
    state: str
    owner: str | None
    epoch: int
    shell: Json | None
    attempts: int
    cancel: bool
    queue_deadline: float
    deadline: float | None
    undo_deadline: float | None
    secrets: Secrets
    steps: Sequence[Json]
    warnings: Sequence[Json]
    leftovers: Sequence[Json]
    waiting_for: str
    result: Json | None
    error: Json | None
    last_sequence: int
    version: int
    create_time: float
    start_time: float | None
    update_time: float
    end_time: float | None
    position: int = 0


@dataclass(frozen=True, slots=True)
class EventRow:
    """One row of ``event``."""

    n: int
    time: float
    body: Json


@dataclass(frozen=True, slots=True)
class Fence:
    """Whose write it is: it hits only while this owner has the operation in this epoch."""

    id: str
    owner: str
    epoch: int


@dataclass(frozen=True, slots=True)
class Patch:
    """Changes of one operation; what is UNSET stays.

    Attributes:
        state: an end state; sets the end time and gives the lease back.
        undo_in: begins the phase ``undo``, with its deadline that many seconds from now.
        give_back_in: gives the lease back; the next claim is that many seconds from now, at its deadline at the latest.
    """

    target: str | Unset = UNSET
    shell: Json | Unset | None = UNSET
    secrets: Secrets | Unset = UNSET
    steps: Sequence[Json] | Unset = UNSET
    warnings: Sequence[Json] | Unset = UNSET
    leftovers: Sequence[Json] | Unset = UNSET
    waiting_for: str | Unset = UNSET
    attempts: int | Unset = UNSET
    result: Json | Unset | None = UNSET
    error: Json | Unset | None = UNSET
    state: str | Unset = UNSET
    undo_in: float | Unset = UNSET
    give_back_in: float | Unset = UNSET


@dataclass(frozen=True, slots=True)
class Claim:
    """Who claims what.

    Attributes:
        owner: the claiming engine; its own rows are never claimed again.
        kinds: the kinds it has handlers for; other rows are left alone.
        slots: limit per host of each group; a group without one gets nothing.
        lease: seconds.
        most: how many operations at most.
        between: where the database's clock must be (seconds since 1970) for anything to be taken: a jump of the clock
            makes deadlines and pauses look over that are not.
    """

    owner: str
    kinds: Sequence[str]
    slots: Mapping[str, int]
    lease: float
    most: int
    between: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True)
class Waiting:
    """What waits: the ids of those that waited too long for their start, and whether a claim may find something.

    ``now`` is the database's clock.
    """

    overdue: Sequence[str]
    claimable: bool
    now: float


@dataclass(frozen=True, slots=True)
class Held:
    """What a renewal says of an operation that is still held."""

    id: str
    epoch: int
    cancel: bool


@dataclass(frozen=True, slots=True)
class HostCount:
    """How many operations of a host have started and not ended, and how many are queued."""

    host: str
    running: int
    queued: int


@dataclass(frozen=True, slots=True)
class Query:
    """Which rows to list; None: not looked at. ``before`` is the sequence number to go on below."""

    ended: bool | None = None
    hosts: Sequence[str] | None = None
    kind: str | None = None
    vm_name: str | None = None
    target: str | None = None
    principal: str | None = None
    before: int | None = None
    limit: int = 100
