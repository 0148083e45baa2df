"""Migrations: from nothing to the tables in code, and what a newer schema means."""

from __future__ import annotations

from pathlib import Path

import pytest
import sqlalchemy as sa
from aetherv_agent.core.errors import AethervError
from aetherv_agent.store import migrate
from aetherv_agent.store.tables import metadata
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext


@pytest.fixture
def engine(tmp_path: Path) -> sa.Engine:
    """Return an engine on an empty file."""
    return sa.create_engine(f"sqlite:///{tmp_path / 'agent.db'}", poolclass=sa.pool.NullPool)


def test_migrations_from_empty_give_the_tables_in_code(engine: sa.Engine) -> None:
    """After all migrations nothing differs from the metadata, partial indexes included."""
    migrate.upgrade(engine)
    with engine.connect() as connection:
        differences = compare_metadata(MigrationContext.configure(connection), metadata)
        migrated = set(connection.scalars(sa.text("SELECT name FROM sqlite_master WHERE type = 'index'")))
    assert differences == []
    other = sa.create_engine("sqlite://", poolclass=sa.pool.StaticPool)
    metadata.create_all(other)
    with other.connect() as connection:
        made = set(connection.scalars(sa.text("SELECT name FROM sqlite_master WHERE type = 'index'")))
    other.dispose()
    assert {name for name in made if name.startswith("ix_")} == {n for n in migrated if n.startswith("ix_")}


def test_a_second_upgrade_changes_nothing(engine: sa.Engine) -> None:
    """Migrating what is up to date keeps its rows."""
    migrate.upgrade(engine)
    with engine.begin() as connection:
        connection.execute(sa.text("CREATE TABLE mine (x)"))
    migrate.upgrade(engine)
    assert "mine" in sa.inspect(engine).get_table_names()


def test_the_schema_of_a_newer_release_is_used_as_it_is(engine: sa.Engine) -> None:
    """A newer schema only adds, so this version starts on it and leaves its mark alone."""
    migrate.upgrade(engine)
    with engine.begin() as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
        connection.execute(sa.text("ALTER TABLE operation ADD COLUMN later TEXT"))
    migrate.upgrade(engine)
    with engine.connect() as connection:
        assert connection.scalar(sa.text("SELECT version_num FROM alembic_version")) == "9999"


def test_a_schema_that_lacks_something_is_refused(engine: sa.Engine) -> None:
    """What is not ours is not touched, and what is missing is named."""
    migrate.upgrade(engine)
    with engine.begin() as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
        connection.execute(sa.text("ALTER TABLE operation DROP COLUMN fingerprint"))
    with pytest.raises(AethervError) as error:
        migrate.upgrade(engine)
    assert error.value.id == "STORE_UNSUPPORTED"
    assert "operation.fingerprint" in error.value.message
