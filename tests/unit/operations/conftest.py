"""Engines on a database of the test's own, with handlers that do what the test says."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from aetherv_agent.core.errors import AethervError, Leftover
from aetherv_agent.operations.engine import Engine
from aetherv_agent.operations.handlers import Work
from aetherv_agent.operations.model import JsonMapping, Limits, Operation, Request
from aetherv_agent.store import Database, OperationStore, open_sqlite

Do = Callable[[Work], Awaitable[JsonMapping]]
Undo = Callable[[Work, AethervError], Awaitable[tuple[Leftover, ...]]]

FAST: dict[str, Any] = {
    "poll": 0.02,
    "backoff_first": 0.01,
    "backoff_most": 0.02,
    "cancel_grace": 0.02,
    "progress": 0.01,
    "undo_timeout": 20.0,
}


class FakeHandler:
    """A handler whose functions are given; it notes each call."""

    def __init__(
        self, do: Do | None = None, undo: Undo | None = None, *, undoes: bool = True, slots: str = "jobs"
    ) -> None:
        self.slots = slots
        self.calls: list[str] = []
        self.ids: list[str] = []
        self.causes: list[str] = []
        self.do_with = do
        self.undo_with = undo
        self._undoes = undoes

    def undoes(self, operation: Operation, error: AethervError) -> bool:
        """As given."""
        return self._undoes

    async def do(self, work: Work) -> JsonMapping:
        """Note the call and do as given."""
        self.calls.append("do")
        self.ids.append(work.operation.id)
        return await self.do_with(work) if self.do_with else {}

    async def undo(self, work: Work, cause: AethervError) -> tuple[Leftover, ...]:
        """Note the call and undo as given."""
        self.calls.append("undo")
        self.causes.append(cause.id)
        return await self.undo_with(work, cause) if self.undo_with else ()

    def abandoned(self, operation: Operation, cause: AethervError) -> tuple[Leftover, ...]:
        """Name one folder."""
        return (Leftover("folder", operation.host, "V:\\somewhere", "Look for it."),)


class WatchedStore(OperationStore):
    """Counts what is read for watchers, can be away, and can be shared."""

    def __init__(self, database: Database, *, shared: bool = False) -> None:
        super().__init__(database)
        self.reads: Counter[str] = Counter()
        self.away = 0
        self._shared = shared

    @property
    def alone(self) -> bool:
        """Whether it is not shared."""
        return super().alone and not self._shared

    async def tail(self, operation_id: str, limit: int) -> Any:
        """Count and read."""
        self.reads["tail"] += 1
        return await super().tail(operation_id, limit)

    async def events(self, operation_id: str, after: int, limit: int) -> Any:
        """Count and read."""
        self.reads["events"] += 1
        return await super().events(operation_id, after, limit)

    async def write(self, *args: Any, **values: Any) -> Any:
        """Write, unless it is away."""
        if self.away > 0:
            self.away -= 1
            raise AethervError("STORE_UNAVAILABLE", "The agent's database failed (test).")
        return await super().write(*args, **values)


class Rig:
    """Makes engines and requests; stops the engines at the end."""

    def __init__(self, path: Path) -> None:
        self.clock_offset = 0.0
        self.database = open_sqlite(path, clock=lambda: time.time() + self.clock_offset)
        self.store = WatchedStore(self.database)
        self.engines: list[Engine] = []
        self._names = iter(range(10_000))

    def handler(self, *args: Any, **values: Any) -> FakeHandler:
        """Return a handler."""
        return FakeHandler(*args, **values)

    def shared_store(self) -> WatchedStore:
        """Return a store of the same rows that is not alone on them."""
        return WatchedStore(self.database, shared=True)

    async def engine(
        self, *handlers: FakeHandler, store: OperationStore | None = None, **limits: Any
    ) -> Engine:
        """Return a started engine; its first handler does creates, its second deletes."""
        kinds = dict(zip(("create", "delete"), handlers, strict=False))
        engine = Engine(store or self.store, kinds, Limits(**(FAST | limits)))
        self.engines.append(engine)
        await engine.start()
        return engine

    def request(self, **values: Any) -> Request:
        """Return a create of its own VM; ``values`` change it."""
        every: dict[str, Any] = {
            "kind": "create",
            "host": "hv1",
            "principal": "me",
            "spec": {},
            "timeout": 60.0,
            "vm_name": f"vm-{next(self._names)}",
        }
        return Request(**(every | values))

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait until a condition holds; the test's own limit ends it."""
        while not condition():  # noqa: ASYNC110  # what is looked at has no event
            await asyncio.sleep(0.005)

    async def close(self) -> None:
        """Stop all engines."""
        for engine in self.engines:
            await engine.stop(5.0)
        await self.database.close()


@pytest.fixture
async def rig(tmp_path: Path) -> AsyncIterator[Rig]:
    """Return what makes engines."""
    made = Rig(tmp_path / "agent.db")
    yield made
    await made.close()
