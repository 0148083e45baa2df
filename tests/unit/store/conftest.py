"""A database of its own for each test, with a clock that the test moves."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from aetherv_agent.store import Database, NewRow, OperationStore, Secrets, open_sqlite

MakeRow = Callable[..., NewRow]


@dataclass
class Clock:
    """Seconds since 1970; moved by hand."""

    now: float = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def database(tmp_path: Path, clock: Clock) -> AsyncIterator[Database]:
    opened = open_sqlite(tmp_path / "agent.db", clock=clock)
    yield opened
    await opened.close()


@pytest.fixture
def store(database: Database) -> OperationStore:
    return OperationStore(database)


@pytest.fixture
def new_row() -> MakeRow:
    made = iter(range(1, 10_000))

    def make(**values: Any) -> NewRow:
        n = next(made)
        every: dict[str, Any] = {
            "id": f"id-{n}",
            "kind": "create",
            "slots": "jobs",
            "host": "hv1",
            "vm_name": f"vm-{n}",
            "target": "",
            "request_id": None,
            "fingerprint": "f",
            "principal": "me",
            "spec": {"n": n},
            "secrets": Secrets.NONE,
            "warnings": [],
            "timeout": 600.0,
            "queue_timeout": 60.0,
            "queue_limit": 100,
        }
        return NewRow(**(every | values))

    return make
