"""Several writes in one transaction: what waits for the writer is committed together, with one sync of the disk.

A write's function is run again, alone, if the transaction that it shared failed: it may change nothing but the
transaction it is given. So a write never fails for the sake of another.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any, TypeVar

T = TypeVar("T")
A = TypeVar("A")

_MOST = 64
_FAILURES = 2


@dataclass(slots=True)
class _Job:
    work: Callable[[Any], Any]
    durable: bool
    done: Future[Any] = field(default_factory=Future)


class Batch:
    """The writes that wait. ``add`` belongs to the event loop, ``drain`` to the one thread that writes."""

    def __init__(self, transact: Callable[[Callable[[Any], Any], bool], Any]) -> None:
        """``transact`` runs a function in a transaction: (function, durable) -> what the function returns."""
        self._transact = transact
        self._jobs: deque[_Job] = deque()

    def add(self, work: Callable[[A], T], *, durable: bool) -> Future[T]:
        """Let a write wait; it is done by the next ``drain`` that reaches it, unless the future is cancelled before."""
        job = _Job(work, durable)
        self._jobs.append(job)
        return job.done

    def drain(self) -> None:
        """Do what waits, oldest first. Raises nothing: what went wrong stands in the futures."""
        jobs: list[_Job] = []
        while self._jobs and len(jobs) < _MOST:
            job = self._jobs.popleft()
            if job.done.set_running_or_notify_cancel():
                jobs.append(job)
        if len(jobs) < _FAILURES or not self._together(jobs):
            self._one_by_one(jobs)

    def _together(self, jobs: list[_Job]) -> bool:
        durable = any(job.durable for job in jobs)
        try:
            results = self._transact(lambda tx: [job.work(tx) for job in jobs], durable)
        except Exception:  # noqa: BLE001  # whose fault it is, each finds out alone
            return False
        for job, result in zip(jobs, results, strict=True):
            job.done.set_result(result)
        return True

    def _one_by_one(self, jobs: list[_Job]) -> None:
        failures = 0
        error: BaseException | None = None
        for job in jobs:
            # A database that is away is not waited for once per write.
            if error is None or failures < _FAILURES:
                try:
                    job.done.set_result(self._transact(job.work, job.durable))
                except BaseException as raised:  # noqa: BLE001  # it belongs to who waits for the future
                    error, failures = raised, failures + 1
                    job.done.set_exception(raised)
                else:
                    failures = 0
            else:
                job.done.set_exception(error)
