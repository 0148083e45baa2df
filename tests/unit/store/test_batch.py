"""Writes that wait are committed together, and none fails for the sake of another."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from aetherv_agent.store.batch import Batch


class Transactions:
    """Runs functions and notes how often and how durably; ``away`` makes every one fail."""

    def __init__(self) -> None:
        self.seen: list[bool] = []
        self.away = False

    def __call__(self, work: Callable[[Any], Any], durable: bool) -> Any:  # Batch's own call
        """Run one."""
        self.seen.append(durable)
        if self.away:
            raise OSError
        return work("tx")


@pytest.fixture
def transactions() -> Transactions:
    """Return what runs transactions."""
    return Transactions()


def test_what_waits_is_done_in_one_transaction_in_order(transactions: Transactions) -> None:
    """One durable write makes the whole durable; each gets its own result."""
    batch, order = Batch(transactions), []

    def work(n: int) -> Callable[[Any], int]:
        def run(tx: Any) -> int:
            order.append((tx, n))
            return n

        return run

    futures = [batch.add(work(n), durable=n == 1) for n in range(3)]
    batch.drain()
    assert [future.result(0) for future in futures] == [0, 1, 2]
    assert transactions.seen == [True]
    assert order == [("tx", 0), ("tx", 1), ("tx", 2)]
    batch.drain()
    assert transactions.seen == [True]


def test_a_write_that_fails_fails_alone(transactions: Transactions) -> None:
    """The others are done again, each in a transaction of its own."""
    batch = Batch(transactions)

    def bad(tx: Any) -> None:
        raise KeyError

    first, broken, last = (batch.add(work, durable=False) for work in (str, bad, str))
    batch.drain()
    assert (first.result(0), last.result(0)) == ("tx", "tx")
    assert isinstance(broken.exception(0), KeyError)
    assert len(transactions.seen) == 4


def test_a_database_that_is_away_is_not_waited_for_by_each(transactions: Transactions) -> None:
    """After two failures in a row the rest is told the same at once."""
    batch = Batch(transactions)
    transactions.away = True
    futures = [batch.add(str, durable=False) for _ in range(20)]
    batch.drain()
    assert all(isinstance(future.exception(0), OSError) for future in futures)
    assert len(transactions.seen) == 3


def test_who_no_longer_waits_is_not_served(transactions: Transactions) -> None:
    """A cancelled write that has not begun is never done."""
    batch = Batch(transactions)
    future = batch.add(str, durable=False)
    future.cancel()
    batch.drain()
    assert transactions.seen == []
