"""Who works on what: claim, lease, release and the counts per host (design: operations, 1, 3, 9)."""

from __future__ import annotations

from collections.abc import Collection

import sqlalchemy as sa

from .database import Transaction
from .rows import Claim, Held, HostCount
from .tables import operation

DO, UNDO = "do", "undo"
QUEUED, RUNNING, UNDOING = "queued", "running", "undoing"


def claim(tx: Transaction, wanted: Claim) -> list[sa.RowMapping]:
    """Take work: what has begun first (it holds its slot already), then the oldest of each host that has room.

    Between hosts the one with the fewest running comes first, so that a long queue of one host starves no other.
    Work that waits for an unreachable host keeps its slot: else a dead host would start its whole queue.
    """
    if wanted.between is not None and not wanted.between[0] <= tx.now / 1000 <= wanted.between[1]:
        return []
    seqs = list(tx.connection.scalars(_begun(tx, wanted)))
    if len(seqs) < wanted.most and wanted.slots:
        seqs += list(tx.connection.scalars(_fresh(tx, wanted, wanted.most - len(seqs))))
    if not seqs:
        return []
    begins = operation.c.start_time.is_(None)
    statement = (
        operation.update()
        .where(operation.c.seq.in_(seqs))
        .values(
            owner=wanted.owner,
            epoch=operation.c.epoch + 1,
            lease=tx.now + int(wanted.lease * 1000),
            not_before=None,
            state=sa.case((operation.c.phase == UNDO, UNDOING), else_=RUNNING),
            deadline=sa.case((begins, tx.now + operation.c.timeout), else_=operation.c.deadline),
            start_time=sa.func.coalesce(operation.c.start_time, tx.now),
            update_time=tx.now,
            version=operation.c.version + 1,
        )
        .returning(*operation.c)
    )
    taken = tx.connection.execute(statement).mappings().all()
    return sorted(taken, key=lambda row: seqs.index(row["seq"]))


def _free(tx: Transaction, owner: str, kinds: Collection[str]) -> tuple[sa.ColumnElement[bool], ...]:
    return (
        operation.c.end_time.is_(None),
        operation.c.kind.in_(kinds),
        operation.c.phase.in_((DO, UNDO)),
        sa.or_(
            operation.c.owner.is_(None),
            # Its own rows an engine knows to be alive, whatever a jump of the clock makes of their leases.
            sa.and_(operation.c.owner != owner, operation.c.lease < tx.now),
        ),
        sa.or_(operation.c.not_before.is_(None), operation.c.not_before <= tx.now),
    )


def _begun(tx: Transaction, wanted: Claim) -> sa.Select[tuple[int]]:
    return (
        sa.select(operation.c.seq)
        .where(operation.c.start_time.is_not(None), *_free(tx, wanted.owner, wanted.kinds))
        .order_by(operation.c.seq)
        .limit(wanted.most)
    )


def _fresh(tx: Transaction, wanted: Claim, most: int) -> sa.Select[tuple[int]]:
    begun = (
        sa.select(operation.c.host, operation.c.slots, sa.func.count().label("used"))
        .where(operation.c.end_time.is_(None), operation.c.start_time.is_not(None))
        .group_by(operation.c.host, operation.c.slots)
        .subquery("begun")
    )
    rank = sa.func.row_number().over(
        partition_by=(operation.c.host, operation.c.slots), order_by=operation.c.seq
    )
    place = (rank + sa.func.coalesce(begun.c.used, 0)).label("place")
    room = sa.case(dict(wanted.slots), value=operation.c.slots, else_=0).label("room")
    queue = (
        sa.select(operation.c.seq, place, room)
        .outerjoin(begun, sa.and_(begun.c.host == operation.c.host, begun.c.slots == operation.c.slots))
        .where(operation.c.start_time.is_(None), *_free(tx, wanted.owner, wanted.kinds))
        .subquery("queue")
    )
    return (
        sa.select(queue.c.seq)
        .where(queue.c.place <= queue.c.room)
        .order_by(queue.c.place, queue.c.seq)
        .limit(most)
    )


def claimable(tx: Transaction, owner: str, kinds: Collection[str]) -> bool:
    """Whether anything is free, room or not."""
    statement = sa.select(operation.c.seq).where(*_free(tx, owner, kinds)).limit(1)
    return tx.connection.scalar(statement) is not None


def renew(tx: Transaction, owner: str, lease: float) -> list[Held]:
    """Renew all leases of an owner, and return what it holds."""
    statement = (
        operation.update()
        .where(operation.c.owner == owner, operation.c.end_time.is_(None))
        .values(lease=tx.now + int(lease * 1000))
        .returning(operation.c.id, operation.c.epoch, operation.c.cancel)
    )
    return [Held(*row) for row in tx.connection.execute(statement)]


def release(tx: Transaction, owner: str | None) -> int:
    """Free the rows of an owner, or all rows that somebody has."""
    whose = operation.c.owner.is_not(None) if owner is None else operation.c.owner == owner
    statement = (
        operation.update()
        .where(whose, operation.c.end_time.is_(None))
        .values(owner=None, lease=None, not_before=None)
        .returning(operation.c.seq)
    )
    return len(tx.connection.execute(statement).all())


def shift(tx: Transaction, seconds: float) -> None:
    """Move deadlines and pauses of all open operations."""
    moved = int(seconds * 1000)
    columns = (
        operation.c.queue_deadline,
        operation.c.deadline,
        operation.c.undo_deadline,
        operation.c.not_before,
    )
    tx.connection.execute(
        operation.update()
        .where(operation.c.end_time.is_(None))
        .values(
            {column: column + moved for column in columns} | {operation.c.version: operation.c.version + 1}
        )
    )


def overdue(tx: Transaction, kinds: Collection[str]) -> list[str]:
    """Return the ids of those that waited too long for their start."""
    statement = sa.select(operation.c.id).where(
        operation.c.end_time.is_(None),
        operation.c.start_time.is_(None),
        operation.c.kind.in_(kinds),
        operation.c.queue_deadline < tx.now,
    )
    return list(tx.connection.scalars(statement.limit(500)))


def counts(tx: Transaction) -> list[HostCount]:
    """Return, per host, how many have begun and how many are queued."""
    begun = sa.func.count(operation.c.start_time)
    statement = (
        sa.select(operation.c.host, begun, sa.func.count() - begun)
        .where(operation.c.end_time.is_(None))
        .group_by(operation.c.host)
    )
    return [HostCount(*row) for row in tx.connection.execute(statement)]
