"""Brings a database's schema up to this version's. Boundary: Alembic; the migrations are package data beside this file.

Migrations go forward and only add, so that the release before still starts on a newer schema.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from aetherv_agent.core.errors import AethervError

from .tables import metadata


def config() -> Config:
    """Return Alembic's configuration, as its commands want it; the connection goes into its ``attributes``."""
    made = Config()
    made.set_main_option("script_location", "aetherv_agent.store:migrations")
    return made


def upgrade(engine: sa.Engine, revision: str = "head") -> None:
    """Bring the schema up, in one transaction.

    A revision that this version does not know is a newer release's: it is used as it is, if all that this version
    needs is there.

    Raises:
        AethervError: STORE_UNSUPPORTED if the schema is not one of ours.
    """
    settings = config()
    known = {script.revision for script in ScriptDirectory.from_config(settings).walk_revisions()}
    with engine.begin() as connection:
        current = MigrationContext.configure(connection).get_current_revision()
        if current is None or current in known:
            settings.attributes["connection"] = connection
            command.upgrade(settings, revision)
            return
        missing = _missing(connection)
    if missing:
        raise AethervError(
            "STORE_UNSUPPORTED",
            f"The database is of another version ({current}) and has no {', '.join(missing)}.",
        )


def _missing(connection: sa.Connection) -> list[str]:
    inspector = sa.inspect(connection)
    tables = set(inspector.get_table_names())
    missing = []
    for table in metadata.sorted_tables:
        there = (
            {column["name"] for column in inspector.get_columns(table.name)}
            if table.name in tables
            else set()
        )
        missing += [f"{table.name}.{column.name}" for column in table.columns if column.name not in there]
    return missing
