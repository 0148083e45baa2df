"""The threads that wait for hosts: named, bounded, one pool for jobs and one for each thing that must never wait behind them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final, TypeVar

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Caps:
    """The most threads that one agent uses for all hosts together. Idle threads are not made."""

    jobs: int = 256
    changes: int = 64
    cancels: int = 64
    reads: int = 64


LEAVERS: Final = 8


class Workers:
    """One thread pool: runs blocking calls, and never drops one that has started."""

    def __init__(self, name: str, threads: int) -> None:
        self._executor = ThreadPoolExecutor(max_workers=threads, thread_name_prefix=name)

    def begin(self, action: Callable[[], _T]) -> asyncio.Future[_T]:
        """Start a call. Cancelling who waits for it (through ``asyncio.shield``) leaves the call alone."""
        future = asyncio.get_running_loop().run_in_executor(self._executor, action)
        # A call that nobody waits for any more may fail in peace.
        future.add_done_callback(lambda done: done.cancelled() or done.exception())
        return future

    async def run(self, action: Callable[[], _T]) -> _T:
        """Return what a call returns; when this is cancelled the call goes on."""
        return await asyncio.shield(self.begin(action))

    def stop(self) -> None:
        """Take no more calls; those that run end by their own time-outs."""
        self._executor.shutdown(wait=False, cancel_futures=True)
