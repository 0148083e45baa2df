"""A database of its own for each test, with a clock that the test moves."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from aetherv_agent.store import Database, NewRow, OperationStore, Secrets, open_sqlite

MakeRow = Callable[..., NewRow]


@pytest.fixture
def clock() -> SimpleNamespace:
    """Return a clock whose ``now`` (seconds since 1970) the test moves."""
    return SimpleNamespace(now=1_800_000_000.0)


@pytest.fixture
async def database(tmp_path: Path, clock: SimpleNamespace) -> AsyncIterator[Database]:
    """Open a database on that clock."""
    opened = open_sqlite(tmp_path / "agent.db", clock=lambda: clock.now)
    yield opened
    await opened.close()


@pytest.fixture
def store(database: Database) -> OperationStore:
    """Return the rows of that database."""
    return OperationStore(database)


@pytest.fixture
def new_row() -> MakeRow:
    """Return what makes new rows, each with an id and a VM of its own."""
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
