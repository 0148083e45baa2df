"""The statements on operations and their events. Every write by a worker is fenced (design: operations, 2)."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, fields
from functools import cache
from typing import Any, Literal

import sqlalchemy as sa
from sqlalchemy.sql.dml import ReturningUpdate

from . import claiming
from .claiming import DO, QUEUED, UNDO, UNDOING
from .database import Database, Transaction
from .rows import (
    UNSET,
    Claim,
    EventRow,
    Fence,
    Held,
    HostCount,
    Json,
    NewRow,
    OperationRow,
    Patch,
    Query,
    Secrets,
    Waiting,
)
from .tables import BIG, event, operation

_TIMES = (
    "queue_deadline",
    "deadline",
    "undo_deadline",
    "create_time",
    "start_time",
    "update_time",
    "end_time",
)
_NAMES = tuple(f.name for f in fields(OperationRow) if f.name != "position")
_PLAIN = (
    "target", "shell", "steps", "warnings", "leftovers", "waiting_for", "attempts", "result", "error",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Refused:
    """Why a new operation was not taken, and the row that stands in its way (None for a full queue)."""

    reason: Literal["request_id", "busy", "queue"]
    row: OperationRow | None = None


class OperationStore:
    """Operations as rows. Every method raises ``AethervError`` STORE_UNAVAILABLE and no other error."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @property
    def alone(self) -> bool:
        """Whether no other process can work on these rows."""
        return self._database.alone

    async def submit(self, new: NewRow) -> OperationRow | Refused:
        """Insert an operation, or return the earlier one of its request id, or say what stands in its way."""
        return await self._database.write(lambda tx: _submit(tx, new))

    async def claim(self, claim: Claim) -> list[OperationRow]:
        """Take the oldest work whose host has room, begun work first."""
        return await self._database.write(lambda tx: [_row(found) for found in claiming.claim(tx, claim)])

    async def renew(self, owner: str, lease: float) -> list[Held]:
        """Renew the leases of all that an owner holds, and say what that is and whose cancel was asked."""
        return await self._database.write(lambda tx: claiming.renew(tx, owner, lease), durable=False)

    async def release(self, owner: str | None) -> int:
        """Give back all leases of an owner, at its stop; of everybody (None), when a process alone starts."""
        return await self._database.write(lambda tx: claiming.release(tx, owner))

    async def held(self, fence: Fence) -> bool:
        """Whether a fenced write would hit."""
        return await self._database.read(lambda tx: _fenced(tx, fence) is not None)

    async def write(
        self, fence: Fence, patch: Patch, events: Sequence[Json] = (), *, durable: bool = True
    ) -> tuple[OperationRow, tuple[EventRow, ...]] | None:
        """Change an operation and add events, in one transaction; None: the lease is lost and nothing was written."""
        return await self._database.write(lambda tx: _write(tx, fence, patch, events), durable=durable)

    async def cancel(self, operation_id: str, error: Json) -> OperationRow | None:
        """Ask for an operation's end; one that never started ends here, with ``error``. None: unknown."""
        return await self._database.write(lambda tx: _cancel(tx, operation_id, error))

    async def end_queued(self, operation_id: str, error: Json) -> OperationRow | None:
        """End an operation that never started as failed; None: it started, ended or is unknown."""
        return await self._database.write(lambda tx: _end_queued(tx, operation_id, "failed", error))

    async def look(self, owner: str, kinds: Collection[str]) -> Waiting:
        """Return what a claim would be for, without the writer: an idle agent writes nothing."""
        return await self._database.read(
            lambda tx: Waiting(
                claiming.overdue(tx, kinds), claimable=claiming.claimable(tx, owner, kinds), now=tx.now / 1000
            )
        )

    async def shift(self, seconds: float) -> None:
        """Move what is still to come of all open operations, after the clock has jumped by that much."""
        await self._database.write(lambda tx: claiming.shift(tx, seconds))

    async def get(self, operation_id: str) -> OperationRow | None:
        """Return one operation."""
        return await self._database.read(lambda tx: _one(tx, operation.c.id == operation_id))

    async def by_request(self, request_id: str) -> OperationRow | None:
        """Return the operation of a request id."""
        return await self._database.read(lambda tx: _one(tx, operation.c.request_id == request_id))

    async def find_open(self, host: str, vm_name: str, target: str) -> OperationRow | None:
        """Return one that has not ended on a VM name of a host, or on a target; empty: not looked at."""
        return await self._database.read(lambda tx: _busy(tx, host, vm_name, target))

    async def select(self, query: Query) -> list[OperationRow]:
        """Return operations, newest first."""
        return await self._database.read(lambda tx: _select(tx, query))

    async def events(
        self, operation_id: str, after: int, limit: int
    ) -> tuple[OperationRow, int | None, tuple[EventRow, ...]] | None:
        """Return an operation, the number of its first kept event, and the events after a number; None: unknown."""
        return await self._database.read(lambda tx: _events(tx, operation_id, after, limit))

    async def tail(
        self, operation_id: str, limit: int
    ) -> tuple[OperationRow, int | None, tuple[EventRow, ...]] | None:
        """Return as ``events``, but the newest events (in ascending order)."""

        def read(tx: Transaction) -> tuple[OperationRow, int | None, tuple[EventRow, ...]] | None:
            row = _one(tx, operation.c.id == operation_id)
            return None if row is None else _events(tx, operation_id, row.last_sequence - limit, limit)

        return await self._database.read(read)

    async def versions(self, ids: Collection[str]) -> dict[str, int]:
        """Return the versions of some operations; unknown ones are missing."""
        statement = sa.select(operation.c.id, operation.c.version).where(operation.c.id.in_(ids))
        return await self._database.read(
            lambda tx: {row.id: row.version for row in tx.connection.execute(statement)}
        )

    async def counts(self) -> list[HostCount]:
        """Return how much each host has to do."""
        return await self._database.read(claiming.counts)

    async def unknown(self, kinds: Collection[str]) -> list[str]:
        """Return the ids of open operations whose kind or phase is not known here."""
        known = operation.c.kind.in_(kinds) & operation.c.phase.in_((DO, UNDO))
        statement = sa.select(operation.c.id).where(operation.c.end_time.is_(None), sa.not_(known))
        return await self._database.read(lambda tx: list(tx.connection.scalars(statement)))

    async def prune(self, retention: float, most: int = 200) -> int:
        """Delete ended operations older than ``retention`` seconds, with their events; return how many."""
        return await self._database.write(lambda tx: _prune(tx, retention, most))


def _row(found: sa.RowMapping, position: int = 0) -> OperationRow:
    values: dict[str, Any] = {name: found[name] for name in _NAMES}
    for name in _TIMES:
        values[name] = None if values[name] is None else values[name] / 1000
    values["secrets"] = Secrets(values["secrets"])
    return OperationRow(**values, position=position)


def _position() -> sa.ScalarSelect[int]:
    """How many stand before an operation in the queue of its host."""
    before = operation.alias("before")
    return (
        sa.select(sa.func.count())
        .where(
            before.c.end_time.is_(None),
            before.c.start_time.is_(None),
            before.c.host == operation.c.host,
            before.c.slots == operation.c.slots,
            before.c.seq < operation.c.seq,
            operation.c.start_time.is_(None),
            operation.c.end_time.is_(None),
        )
        .correlate(operation)
        .scalar_subquery()
    )


def _rows(tx: Transaction, *where: sa.ColumnElement[bool], limit: int) -> list[OperationRow]:
    statement = (
        sa.select(operation, _position().label("position"))
        .where(*where)
        .order_by(operation.c.seq.desc())
        .limit(limit)
    )
    return [_row(found, found["position"]) for found in tx.connection.execute(statement).mappings()]


def _one(tx: Transaction, *where: sa.ColumnElement[bool]) -> OperationRow | None:
    return next(iter(_rows(tx, *where, limit=1)), None)


def _busy(tx: Transaction, host: str, vm_name: str, target: str) -> OperationRow | None:
    same: list[sa.ColumnElement[bool]] = []
    if host and vm_name:
        same.append(sa.and_(operation.c.host == host, operation.c.vm_key == vm_name.casefold()))
    if target:
        same.append(operation.c.target == target)
    return _one(tx, operation.c.end_time.is_(None), sa.or_(*same)) if same else None


def _submit(tx: Transaction, new: NewRow) -> OperationRow | Refused:
    if new.request_id is not None:
        earlier = _one(tx, operation.c.request_id == new.request_id)
        if earlier is not None:
            return earlier if earlier.fingerprint == new.fingerprint else Refused("request_id", earlier)
    other = _busy(tx, new.host, new.vm_name, new.target)
    if other is not None:
        return Refused("busy", other)
    queued = sa.select(sa.func.count()).where(
        operation.c.end_time.is_(None), operation.c.start_time.is_(None), operation.c.host == new.host
    )
    if (tx.connection.scalar(queued) or 0) >= new.queue_limit:
        return Refused("queue")
    insert = operation.insert().values(
        id=new.id,
        kind=new.kind,
        slots=new.slots,
        host=new.host,
        vm_name=new.vm_name,
        vm_key=new.vm_name.casefold(),
        target=new.target,
        request_id=new.request_id,
        fingerprint=new.fingerprint,
        principal=new.principal,
        spec=dict(new.spec),
        phase=DO,
        state=QUEUED,
        epoch=0,
        attempts=0,
        cancel=False,
        timeout=int(new.timeout * 1000),
        queue_deadline=tx.now + int(new.queue_timeout * 1000),
        secrets=new.secrets.value,
        steps=[],
        warnings=list(new.warnings),
        leftovers=[],
        waiting_for="",
        last_sequence=len(new.warnings),
        version=1,
        create_time=tx.now,
        update_time=tx.now,
    )
    tx.connection.execute(insert)
    made = _one(tx, operation.c.id == new.id)
    if made is None:
        raise sa.exc.NoResultFound
    # A warning is an event too, so that who watches from the start hears of it.
    _add_events(tx, made.seq, 0, [{"warning": warning} for warning in new.warnings])
    return made


def _add_events(tx: Transaction, seq: int, last: int, bodies: Sequence[Json]) -> tuple[EventRow, ...]:
    added = tuple(EventRow(last + i, tx.now / 1000, body) for i, body in enumerate(bodies, 1))
    if added:
        rows = [{"operation": seq, "n": row.n, "time": tx.now, "body": row.body} for row in added]
        tx.connection.execute(event.insert(), rows)
    return added


# Statements of every write are built once: building them cost more than running them.
_IS_FENCED = (
    operation.c.id == sa.bindparam("fence_id", type_=sa.Text),
    operation.c.owner == sa.bindparam("fence_owner", type_=sa.Text),
    operation.c.epoch == sa.bindparam("fence_epoch", type_=BIG),
    operation.c.end_time.is_(None),
)
_FENCED = sa.select(
    operation.c.seq,
    operation.c.phase,
    operation.c.deadline,
    operation.c.undo_deadline,
    operation.c.last_sequence,
).where(*_IS_FENCED)


@cache
def _fenced_update(names: tuple[str, ...]) -> ReturningUpdate[Any]:
    values: dict[str, Any] = {n: sa.bindparam(f"new_{n}", type_=operation.c[n].type) for n in names}
    return (
        operation.update()
        .where(*_IS_FENCED)
        .values(values | {"version": operation.c.version + 1})
        .returning(*operation.c)
    )


def _parameters(fence: Fence) -> dict[str, Any]:
    return {"fence_id": fence.id, "fence_owner": fence.owner, "fence_epoch": fence.epoch}


def _fenced(tx: Transaction, fence: Fence) -> sa.RowMapping | None:
    return tx.connection.execute(_FENCED, _parameters(fence)).mappings().one_or_none()


def _write(
    tx: Transaction, fence: Fence, patch: Patch, events: Sequence[Json]
) -> tuple[OperationRow, tuple[EventRow, ...]] | None:
    found = _fenced(tx, fence)
    if found is None:
        return None
    values: dict[str, Any] = {
        name: getattr(patch, name) for name in _PLAIN if getattr(patch, name) is not UNSET
    }
    values["update_time"] = tx.now
    if patch.secrets is not UNSET:
        values["secrets"] = patch.secrets.value
    if patch.undo_in is not UNSET:
        values |= {
            "phase": UNDO,
            "state": UNDOING,
            "undo_deadline": tx.now + int(patch.undo_in * 1000),
            "attempts": 0,
        }
    if patch.give_back_in is not UNSET:
        until = found["undo_deadline"] if found["phase"] == UNDO else found["deadline"]
        due = tx.now + int(patch.give_back_in * 1000)
        values |= {"owner": None, "lease": None, "not_before": due if until is None else min(due, until)}
    if patch.state is not UNSET:
        values |= {"state": patch.state, "end_time": tx.now, "owner": None, "lease": None, "shell": None}
    if events:
        values["last_sequence"] = found["last_sequence"] + len(events)
    new = {f"new_{name}": value for name, value in values.items()}
    statement = _fenced_update(tuple(sorted(values)))
    changed = tx.connection.execute(statement, new | _parameters(fence)).mappings().one_or_none()
    if changed is None:
        return None
    return _row(changed), _add_events(tx, found["seq"], found["last_sequence"], events)


def _end_queued(tx: Transaction, operation_id: str, state: str, error: Json) -> OperationRow | None:
    statement = (
        operation.update()
        .where(
            operation.c.id == operation_id, operation.c.start_time.is_(None), operation.c.end_time.is_(None)
        )
        .values(
            state=state, error=error, end_time=tx.now, update_time=tx.now, version=operation.c.version + 1
        )
        .returning(*operation.c)
    )
    ended = tx.connection.execute(statement).mappings().one_or_none()
    return None if ended is None else _row(ended)


def _cancel(tx: Transaction, operation_id: str, error: Json) -> OperationRow | None:
    asked = (
        operation.update()
        .where(operation.c.id == operation_id, operation.c.end_time.is_(None), operation.c.cancel.is_(False))
        .values(cancel=True, not_before=None, update_time=tx.now, version=operation.c.version + 1)
    )
    tx.connection.execute(asked)
    return _end_queued(tx, operation_id, "cancelled", error) or _one(tx, operation.c.id == operation_id)


def _select(tx: Transaction, query: Query) -> list[OperationRow]:
    where: list[sa.ColumnElement[bool]] = []
    if query.ended is not None:
        where.append(operation.c.end_time.is_not(None) if query.ended else operation.c.end_time.is_(None))
    if query.hosts is not None:
        where.append(operation.c.host.in_(query.hosts))
    for column, value in (
        (operation.c.kind, query.kind),
        (operation.c.target, query.target),
        (operation.c.principal, query.principal),
        (operation.c.vm_key, None if query.vm_name is None else query.vm_name.casefold()),
    ):
        if value is not None:
            where.append(column == value)
    if query.before is not None:
        where.append(operation.c.seq < query.before)
    return _rows(tx, *where, limit=query.limit)


def _events(
    tx: Transaction, operation_id: str, after: int, limit: int
) -> tuple[OperationRow, int | None, tuple[EventRow, ...]] | None:
    row = _one(tx, operation.c.id == operation_id)
    if row is None:
        return None
    first = tx.connection.scalar(sa.select(sa.func.min(event.c.n)).where(event.c.operation == row.seq))
    statement = (
        sa.select(event.c.n, event.c.time, event.c.body)
        .where(event.c.operation == row.seq, event.c.n > after)
        .order_by(event.c.n)
        .limit(limit)
    )
    found = tx.connection.execute(statement).mappings()
    return row, first, tuple(EventRow(at["n"], at["time"] / 1000, at["body"]) for at in found)


def _prune(tx: Transaction, retention: float, most: int) -> int:
    old = (
        sa.select(operation.c.seq)
        .where(operation.c.end_time < tx.now - int(retention * 1000))
        .order_by(operation.c.end_time)
        .limit(most)
    )
    seqs = list(tx.connection.scalars(old))
    if seqs:
        tx.connection.execute(event.delete().where(event.c.operation.in_(seqs)))
        tx.connection.execute(operation.delete().where(operation.c.seq.in_(seqs)))
    return len(seqs)
