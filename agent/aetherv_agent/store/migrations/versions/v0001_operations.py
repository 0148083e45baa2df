"""Operations and their events."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make both tables and their indexes."""
    big = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "operation",
        sa.Column("seq", big, primary_key=True, autoincrement=True),
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("slots", sa.Text, nullable=False),
        sa.Column("host", sa.Text, nullable=False),
        sa.Column("vm_name", sa.Text, nullable=False),
        sa.Column("vm_key", sa.Text, nullable=False),
        sa.Column("target", sa.Text, nullable=False),
        sa.Column("request_id", sa.Text),
        sa.Column("fingerprint", sa.Text, nullable=False),
        sa.Column("principal", sa.Text, nullable=False),
        sa.Column("spec", sa.JSON, nullable=False),
        sa.Column("phase", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("owner", sa.Text),
        sa.Column("epoch", big, nullable=False),
        sa.Column("lease", big),
        sa.Column("shell", sa.JSON),
        sa.Column("not_before", big),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("cancel", sa.Boolean, nullable=False),
        sa.Column("timeout", big, nullable=False),
        sa.Column("queue_deadline", big, nullable=False),
        sa.Column("deadline", big),
        sa.Column("undo_deadline", big),
        sa.Column("secrets", sa.Text, nullable=False),
        sa.Column("steps", sa.JSON, nullable=False),
        sa.Column("warnings", sa.JSON, nullable=False),
        sa.Column("leftovers", sa.JSON, nullable=False),
        sa.Column("waiting_for", sa.Text, nullable=False),
        sa.Column("result", sa.JSON),
        sa.Column("error", sa.JSON),
        sa.Column("last_sequence", big, nullable=False),
        sa.Column("version", big, nullable=False),
        sa.Column("create_time", big, nullable=False),
        sa.Column("start_time", big),
        sa.Column("update_time", big, nullable=False),
        sa.Column("end_time", big),
        sa.PrimaryKeyConstraint("seq", name="pk_operation"),
        sa.UniqueConstraint("id", name="uq_operation_id"),
        sa.UniqueConstraint("request_id", name="uq_operation_request_id"),
    )
    op.create_index("ix_operation_end_time", "operation", ["end_time"])
    op.create_index("ix_operation_host_vm_key", "operation", ["host", "vm_key"])
    op.create_index("ix_operation_target", "operation", ["target"])
    op.create_index(
        "ix_operation_open",
        "operation",
        ["host", "slots", "seq"],
        sqlite_where=sa.text("end_time IS NULL"),
        postgresql_where=sa.text("end_time IS NULL"),
    )
    op.create_table(
        "event",
        sa.Column("operation", big, nullable=False),
        sa.Column("n", big, nullable=False),
        sa.Column("time", big, nullable=False),
        sa.Column("body", sa.JSON, nullable=False),
        sa.PrimaryKeyConstraint("operation", "n", name="pk_event"),
        sa.ForeignKeyConstraint(
            ["operation"], ["operation.seq"], name="fk_event_operation", ondelete="CASCADE"
        ),
    )
