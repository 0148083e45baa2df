"""A few threads that go on with many waiting things: a thing is a generator that yields how many seconds it sleeps."""

import heapq
import itertools
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field


@dataclass(order=True, slots=True)
class _Entry:
    due: float
    order: int
    work: Iterator[float] = field(compare=False)


class Timers:
    """Runs generators in steps.

    Args:
        workers: How many threads.
        name: Their name.
        failed: Called with an exception that a generator let out; the generator is over then.
    """

    def __init__(self, workers: int, name: str, failed: Callable[[BaseException], None]) -> None:
        self._workers = workers
        self._name = name
        self._failed = failed
        self._heap: list[_Entry] = []
        self._order = itertools.count()
        self._changed = threading.Condition()
        self._threads: list[threading.Thread] = []
        self._closed = False

    def start(self, work: Iterator[float]) -> None:
        """Begins a generator at once; nothing happens once the timers are closed."""
        with self._changed:
            if self._closed:
                return
            if not self._threads:
                self._threads = [
                    threading.Thread(target=self._run, name=f"{self._name}-{n}", daemon=True)
                    for n in range(self._workers)
                ]
                for thread in self._threads:
                    thread.start()
            self._push(work, 0.0)

    def close(self, timeout: float = 5.0) -> None:
        """Stops all work between two steps and waits for the threads, so many seconds at most."""
        with self._changed:
            self._closed = True
            self._heap.clear()
            self._changed.notify_all()
        until = time.monotonic() + timeout
        for thread in self._threads:
            if thread is not threading.current_thread():
                thread.join(max(0.0, until - time.monotonic()))

    def _push(self, work: Iterator[float], seconds: float) -> None:
        heapq.heappush(self._heap, _Entry(time.monotonic() + seconds, next(self._order), work))
        self._changed.notify()

    def _run(self) -> None:
        while (work := self._next()) is not None:
            try:
                seconds = next(work)
            except StopIteration:
                continue
            except Exception as error:  # noqa: BLE001  # one guest's fault must not stop the others
                self._failed(error)
                continue
            with self._changed:
                if not self._closed:
                    self._push(work, seconds)

    def _next(self) -> Iterator[float] | None:
        with self._changed:
            while not self._closed:
                wait = self._heap[0].due - time.monotonic() if self._heap else None
                if wait is not None and wait <= 0:
                    return heapq.heappop(self._heap).work
                self._changed.wait(wait)
        return None
