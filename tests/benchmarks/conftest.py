"""The table that all benchmarks of a run add to."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import pytest
from support.figures import Figures


@pytest.fixture(scope="session")
def figures() -> Iterator[Figures]:
    """Collects the figures and prints them at the end."""
    collected = Figures()
    yield collected
    sys.stdout.write(f"\n\n{collected.table()}\n")
