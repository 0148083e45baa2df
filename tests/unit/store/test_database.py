"""The database: alone on its file, its clock, and no driver's error outside."""

from __future__ import annotations

import os
import sqlite3
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest
import sqlalchemy as sa
from aetherv_agent.core.errors import AethervError, Category
from aetherv_agent.store import OperationStore, database, open_sqlite
from aetherv_agent.store.alone import refuse_network_filesystem

MOUNTS = """\
22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
30 22 0:40 / /srv rw - nfs4 server:/export rw
31 30 8:2 / /srv/local\\040disk rw - xfs /dev/sdb1 rw
32 22 0:41 / /mnt/win rw - cifs //server/share rw
"""


def told_to_another_process(path: Path) -> str:
    """Open the file in another process and return what it was told."""
    code = (
        "import sys, pathlib\n"
        "from aetherv_agent.store import open_sqlite\n"
        "from aetherv_agent.core.errors import AethervError\n"
        "try:\n"
        "    open_sqlite(pathlib.Path(sys.argv[1]))\n"
        "except AethervError as error:\n"
        "    print(error.id, error.message)\n"
    )
    told = subprocess.run(
        [sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=True, timeout=60
    )
    return told.stdout


async def test_a_second_process_is_refused_and_told_who_has_it(tmp_path: Path) -> None:
    """One process has the file; another is refused with a clear error; after the end it is free again."""
    path = tmp_path / "agent.db"
    first = open_sqlite(path)
    told = told_to_another_process(path)
    assert told.startswith("STORE_LOCKED")
    assert f"process {os.getpid()}" in told
    with pytest.raises(AethervError) as refused:
        open_sqlite(path)
    assert refused.value.id == "STORE_LOCKED"
    await first.close()
    await open_sqlite(path).close()


@pytest.mark.parametrize(
    ("path", "refused"),
    [
        ("/var/lib/agent.db", False),
        ("/srv/agent.db", True),
        ("/srv/local disk/agent.db", False),
        ("/mnt/win/a/agent.db", True),
        ("/srv2/agent.db", False),
    ],
)
def test_a_network_filesystem_is_refused(path: str, *, refused: bool) -> None:
    """The filesystem of the longest mount point decides."""
    if not refused:
        refuse_network_filesystem(Path(path), MOUNTS)
        return
    with pytest.raises(AethervError) as error:
        refuse_network_filesystem(Path(path), MOUNTS)
    assert error.value.id == "STORE_UNSUPPORTED"


def modes_in(folder: Path) -> dict[str, int]:
    """Return the mode of each file."""
    return {path.name: stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()}


async def test_the_file_is_its_owners_alone(tmp_path: Path) -> None:
    """Nobody else can read the database, its WAL or its lock."""
    opened = open_sqlite(tmp_path / "agent.db")
    modes = modes_in(tmp_path)
    await opened.close()
    assert set(modes.values()) == {0o600}
    assert {"agent.db", "agent.db.lock"} <= set(modes)


async def test_the_clock_is_the_databases(tmp_path: Path) -> None:
    """Without a clock of a test, time comes from SQLite, in UTC."""
    opened = open_sqlite(tmp_path / "agent.db")
    now = await opened.read(lambda tx: tx.now)
    await opened.close()
    assert abs(now / 1000 - time.time()) < 600


async def test_a_folder_that_is_missing_is_a_clear_error(tmp_path: Path) -> None:
    """No exception of the operating system crosses."""
    with pytest.raises(AethervError) as error:
        open_sqlite(tmp_path / "missing" / "agent.db")
    assert error.value.id == "STORE_UNAVAILABLE"


async def test_a_file_that_is_no_database_is_a_clear_error(tmp_path: Path) -> None:
    """It is refused, and the lock is given back."""
    path = tmp_path / "agent.db"
    path.write_bytes(b"no database at all" * 100)
    for _ in range(2):
        with pytest.raises(AethervError) as error:
            open_sqlite(path)
        assert error.value.id == "STORE_UNAVAILABLE"


async def test_a_locked_database_is_store_unavailable_and_heals(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A driver's error becomes ours, of the category that is tried again; the next call works."""
    monkeypatch.setattr(database, "BUSY_SECONDS", 0.02)
    opened = open_sqlite(tmp_path / "agent.db")
    store = OperationStore(opened)
    blocker = sqlite3.connect(tmp_path / "agent.db", isolation_level=None)
    blocker.execute("BEGIN IMMEDIATE")
    with pytest.raises(AethervError) as error:
        await store.release(None)
    assert (error.value.id, error.value.category) == ("STORE_UNAVAILABLE", Category.UNAVAILABLE)
    assert error.value.transient
    blocker.execute("ROLLBACK")
    blocker.close()
    assert await store.release(None) == 0
    await opened.close()


async def test_a_full_disk_is_store_unavailable_and_undoes_the_transaction(tmp_path: Path) -> None:
    """What could not be written whole is not there at all."""
    opened = open_sqlite(tmp_path / "agent.db")
    await opened.write(lambda tx: tx.connection.exec_driver_sql("CREATE TABLE filler (x)"))
    pages = await opened.write(lambda tx: tx.connection.exec_driver_sql("PRAGMA page_count").scalar_one())
    await opened.write(lambda tx: tx.connection.exec_driver_sql(f"PRAGMA max_page_count={pages + 4}"))

    def fill(tx: database.Transaction) -> None:
        for _ in range(100):
            tx.connection.exec_driver_sql("INSERT INTO filler VALUES (zeroblob(4096))")

    with pytest.raises(AethervError) as error:
        await opened.write(fill)
    assert error.value.id == "STORE_UNAVAILABLE"
    assert "full" in error.value.message
    count = await opened.read(lambda tx: tx.connection.scalar(sa.text("SELECT count(*) FROM filler")))
    await opened.close()
    assert count == 0


async def test_readers_cannot_write(tmp_path: Path) -> None:
    """A read transaction that tries to write fails."""
    opened = open_sqlite(tmp_path / "agent.db")
    with pytest.raises(AethervError):
        await opened.read(lambda tx: tx.connection.exec_driver_sql("DELETE FROM operation"))
    await opened.close()


async def test_a_closed_database_refuses(tmp_path: Path) -> None:
    """After ``close``, which may be called twice, every call is STORE_UNAVAILABLE."""
    opened = open_sqlite(tmp_path / "agent.db")
    await opened.close()
    await opened.close()
    with pytest.raises(AethervError) as error:
        await opened.read(lambda tx: tx.now)
    assert error.value.id == "STORE_UNAVAILABLE"


def test_an_error_of_the_store_shows_no_value() -> None:
    """Only the first line of the driver's text is told: PostgreSQL puts values into the others."""
    inner = sqlite3.IntegrityError("duplicate key\nDETAIL: Key (request_id)=(secret) already exists.")
    outer = sa.exc.IntegrityError("INSERT ...", {"x": "secret"}, inner)
    assert "secret" not in str(database.unavailable(outer))
