"""The tables, as the newest migration leaves them (a test holds the two equal). No I/O is done here.

Times are whole milliseconds since 1970 of the database's clock: SQLite has no time type, and one form on every
database keeps the queries the same.
"""

from __future__ import annotations

import sqlalchemy as sa

# SQLite numbers rows by itself only for a primary key of type INTEGER.
BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

metadata = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

operation = sa.Table(
    "operation",
    metadata,
    sa.Column("seq", BIG, primary_key=True, autoincrement=True),
    sa.Column("id", sa.Text, nullable=False, unique=True),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("slots", sa.Text, nullable=False),
    sa.Column("host", sa.Text, nullable=False),
    sa.Column("vm_name", sa.Text, nullable=False),
    sa.Column("vm_key", sa.Text, nullable=False),
    sa.Column("target", sa.Text, nullable=False),
    sa.Column("request_id", sa.Text, nullable=True, unique=True),
    sa.Column("fingerprint", sa.Text, nullable=False),
    sa.Column("principal", sa.Text, nullable=False),
    sa.Column("spec", sa.JSON, nullable=False),
    sa.Column("phase", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("owner", sa.Text, nullable=True),
    sa.Column("epoch", BIG, nullable=False),
    sa.Column("lease", BIG, nullable=True),
    sa.Column("shell", sa.JSON(none_as_null=True), nullable=True),
    sa.Column("not_before", BIG, nullable=True),
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("cancel", sa.Boolean, nullable=False),
    sa.Column("timeout", BIG, nullable=False),
    sa.Column("queue_deadline", BIG, nullable=False),
    sa.Column("deadline", BIG, nullable=True),
    sa.Column("undo_deadline", BIG, nullable=True),
    sa.Column("secrets", sa.Text, nullable=False),
    sa.Column("steps", sa.JSON, nullable=False),
    sa.Column("warnings", sa.JSON, nullable=False),
    sa.Column("leftovers", sa.JSON, nullable=False),
    sa.Column("waiting_for", sa.Text, nullable=False),
    sa.Column("result", sa.JSON(none_as_null=True), nullable=True),
    sa.Column("error", sa.JSON(none_as_null=True), nullable=True),
    sa.Column("last_sequence", BIG, nullable=False),
    sa.Column("version", BIG, nullable=False),
    sa.Column("create_time", BIG, nullable=False),
    sa.Column("start_time", BIG, nullable=True),
    sa.Column("update_time", BIG, nullable=False),
    sa.Column("end_time", BIG, nullable=True),
    sa.Index(None, "end_time"),
    sa.Index(None, "host", "vm_key"),
    sa.Index(None, "target"),
)
# The claim and the counts look at what has not ended, and that is little of the whole.
sa.Index(
    "ix_operation_open",
    operation.c.host,
    operation.c.slots,
    operation.c.seq,
    sqlite_where=operation.c.end_time.is_(None),
    postgresql_where=operation.c.end_time.is_(None),
)

event = sa.Table(
    "event",
    metadata,
    sa.Column("operation", BIG, sa.ForeignKey(operation.c.seq, ondelete="CASCADE"), primary_key=True),
    sa.Column("n", BIG, primary_key=True, autoincrement=False),
    sa.Column("time", BIG, nullable=False),
    sa.Column("body", sa.JSON, nullable=False),
)
