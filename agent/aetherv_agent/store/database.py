"""Runs transactions on the database, in threads of its own, and keeps the driver's errors inside.

Blocking work runs in two named, bounded executors: one thread that writes (SQLite has one writer anyway) and two
that read. PostgreSQL will come in by a second ``open_*`` that differs in how a write transaction is begun.
"""

from __future__ import annotations

import asyncio
import os
import sqlite3
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.expression import ColumnElement

from aetherv_agent.core.errors import AethervError

from . import migrate
from .alone import Lock, refuse_network_filesystem
from .batch import Batch

T = TypeVar("T")
BUSY_SECONDS = 5.0
MAX_PENDING = 4096


class NowMs(ColumnElement[int]):
    """The database's clock in whole milliseconds since 1970."""

    type = sa.BigInteger()
    inherit_cache = True


@compiles(NowMs, "sqlite")
def _now_sqlite(element: NowMs, compiler: SQLCompiler, **kw: Any) -> str:  # noqa: ARG001  # SQLAlchemy's signature
    # unixepoch('subsec') came with SQLite 3.42, after Debian 12's.
    return "CAST((julianday('now') - 2440587.5) * 86400000.0 AS INTEGER)"


@compiles(NowMs, "postgresql")
def _now_postgresql(element: NowMs, compiler: SQLCompiler, **kw: Any) -> str:  # noqa: ARG001  # SQLAlchemy's signature
    return "CAST(extract(epoch FROM clock_timestamp()) * 1000 AS BIGINT)"


@dataclass(frozen=True, slots=True)
class Transaction:
    """A transaction in progress: its connection, and the database's clock when it began (milliseconds)."""

    connection: sa.Connection
    now: int


class Database:
    """Transactions on one database. All methods may be called from one event loop."""

    def __init__(
        self,
        reader: sa.Engine,
        writer: sa.Engine,
        *,
        lock: Lock | None,
        clock: Callable[[], float] | None = None,
    ) -> None:
        """Use ``open_sqlite``. ``lock`` says that this process is alone on it; ``clock`` replaces its clock in tests."""
        self._reader = reader
        self._writer = writer
        self._lock = lock
        self._clock = clock
        self._pending = 0
        self._batch = Batch(lambda work, durable: self._transact(writer, work, durable=durable))
        self._closed = False
        self._reads = ThreadPoolExecutor(2, thread_name_prefix="aetherv-store-read")
        self._writes = ThreadPoolExecutor(1, thread_name_prefix="aetherv-store-write")

    @property
    def alone(self) -> bool:
        """Whether no other process can use the database: every row that somebody works on is then free at start."""
        return self._lock is not None

    async def read(self, work: Callable[[Transaction], T]) -> T:
        """Run a function in a read transaction and return what it returns.

        Raises:
            AethervError: STORE_UNAVAILABLE.
        """
        return await self._bounded(lambda: self._reads.submit(self._transact, self._reader, work))

    async def write(self, work: Callable[[Transaction], T], *, durable: bool = True) -> T:
        """Run a function in a write transaction, and return what it returns once that is committed.

        Args:
            work: runs in a thread, perhaps twice; it may change nothing but the transaction. What it raises undoes
                what it wrote. Writes that wait at the same time are committed together (``batch``).
            durable: whether it must outlive a loss of power when this returns, not only the end of the process.

        Raises:
            AethervError: STORE_UNAVAILABLE.
        """

        def wait() -> Future[T]:
            done = self._batch.add(work, durable=durable)
            self._writes.submit(self._batch.drain)
            return done

        return await self._bounded(wait)

    async def close(self) -> None:
        """Let what runs come to its end, close the connections and give the file's lock back. Repeatable."""
        if self._closed:
            return
        self._closed = True
        for executor, engine in ((self._reads, self._reader), (self._writes, self._writer)):
            await asyncio.get_running_loop().run_in_executor(executor, engine.dispose)
            executor.shutdown(wait=True)
        if self._lock is not None:
            self._lock.release()

    async def _bounded(self, begin: Callable[[], Future[T]]) -> T:
        if self._closed:
            raise AethervError("STORE_UNAVAILABLE", "The database is closed.")
        if self._pending >= MAX_PENDING:
            raise AethervError("STORE_UNAVAILABLE", f"More than {MAX_PENDING} calls wait for the database.")
        self._pending += 1
        try:
            return await asyncio.wrap_future(begin())
        finally:
            self._pending -= 1

    def _transact(self, engine: sa.Engine, work: Callable[[Transaction], T], *, durable: bool = False) -> T:
        try:
            with engine.connect() as connection:
                if engine is self._writer and connection.dialect.name == "sqlite":
                    _set_durability(connection, durable=durable)
                with connection.begin():
                    return work(Transaction(connection, self._now(connection)))
        except (sa.exc.SQLAlchemyError, sqlite3.Error) as error:
            raise unavailable(error) from error

    def _now(self, connection: sa.Connection) -> int:
        if self._clock is not None:
            return int(self._clock() * 1000)
        return int(connection.scalar(sa.select(NowMs())) or 0)


def open_sqlite(path: Path, *, clock: Callable[[], float] | None = None) -> Database:
    """Open a SQLite file, alone, and bring its schema up. Blocks; call it before the event loop serves anybody.

    Args:
        path: the file; made with mode 0600 if it is missing. Its folder must exist.
        clock: seconds since 1970, instead of the database's clock; for tests.

    Raises:
        AethervError: STORE_LOCKED if another process has it, STORE_UNSUPPORTED on a network filesystem or if it is too
            new for this version, STORE_UNAVAILABLE otherwise.
    """
    refuse_network_filesystem(path)
    lock = Lock(path)
    try:
        try:
            os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
        except OSError as error:
            raise AethervError(
                "STORE_UNAVAILABLE", f"The database {path} can't be opened: {error.strerror}."
            ) from error
        reader = _sqlite_engine(path, begin="BEGIN", pool_size=2, query_only=True)
        writer = _sqlite_engine(path, begin="BEGIN IMMEDIATE", pool_size=1, query_only=False)
        try:
            migrate.upgrade(writer)
        except (sa.exc.SQLAlchemyError, sqlite3.Error) as error:
            raise unavailable(error) from error
        except AethervError:
            writer.dispose()
            raise
    except AethervError:
        lock.release()
        raise
    return Database(reader, writer, lock=lock, clock=clock)


def unavailable(error: Exception) -> AethervError:
    """Return STORE_UNAVAILABLE for a driver's error: its first line alone, which holds no values of a row."""
    cause = error.orig if isinstance(error, sa.exc.DBAPIError) and error.orig is not None else error
    lines = str(cause).splitlines() if cause is not error or isinstance(error, sqlite3.Error) else []
    text = f"{type(cause).__name__}: {lines[0]}" if lines else type(cause).__name__
    return AethervError("STORE_UNAVAILABLE", f"The agent's database failed ({text}).")


def _sqlite_engine(path: Path, *, begin: str, pool_size: int, query_only: bool) -> sa.Engine:
    engine = sa.create_engine(
        sa.URL.create("sqlite", database=str(path)),
        pool_size=pool_size,
        max_overflow=0,
        hide_parameters=True,
        connect_args={"timeout": BUSY_SECONDS, "check_same_thread": False},
    )

    def connected(connection: sqlite3.Connection, _record: object) -> None:
        # The driver would begin by itself, and only at the first write; ours begins when it is told to.
        connection.isolation_level = None
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA foreign_keys=ON")
        connection.execute("PRAGMA secure_delete=ON")
        if query_only:
            connection.execute("PRAGMA query_only=ON")

    def begun(connection: sa.Connection) -> None:
        connection.exec_driver_sql(begin)

    sa.event.listen(engine, "connect", connected)
    sa.event.listen(engine, "begin", begun)
    return engine


def _set_durability(connection: sa.Connection, *, durable: bool) -> None:
    # A commit in FULL syncs the whole WAL, so what was written before in NORMAL is then safe too.
    driver = connection.connection.dbapi_connection
    if isinstance(driver, sqlite3.Connection):
        driver.execute(f"PRAGMA synchronous={'FULL' if durable else 'NORMAL'}")
