"""Output of one command on its way from the thread that runs it to the requests that read it.

A thread writes and is held up while too much is unread; the event loop reads and waits. An answer that was given out is
kept until the next one, so that the same request (same message id) gets the same bytes again.
"""

import asyncio
import threading
from collections import deque
from dataclasses import dataclass
from typing import Final

MAX_UNREAD_BYTES: Final = 4 * 1024 * 1024
_POLL_SECONDS: Final = 0.1


@dataclass(frozen=True, slots=True)
class Piece:
    """Bytes of one stream, small enough for one answer."""

    stream: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Batch:
    """What one Receive is answered with; ``done``: nothing comes after it."""

    pieces: tuple[Piece, ...]
    done: bool
    exit_code: int = 0


class Output:
    """Pieces waiting to be read.

    Args:
        loop: The loop that reads; its thread alone may call `take` and `wait`.
        limit: Unread bytes above which `put` waits.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, limit: int = MAX_UNREAD_BYTES) -> None:
        self._loop = loop
        self._limit = limit
        self._space = threading.Condition()
        self._pieces: deque[Piece] = deque()
        self._unread = 0
        self._exit_code: int | None = None
        self._ended = False
        self._waiting: set[asyncio.Future[None]] = set()
        self._last: tuple[str, Batch] | None = None

    @property
    def finished(self) -> bool:
        """Whether nothing more will be put."""
        return self._exit_code is not None

    def put(self, pieces: tuple[Piece, ...]) -> None:
        """Adds pieces without waiting. From any thread."""
        with self._space:
            self._pieces.extend(pieces)
            self._unread += sum(len(piece.data) for piece in pieces)
        self._notify()

    def wait_for_space(self, stopped: threading.Event) -> None:
        """Holds the calling thread up while too much is unread, but not once ``stopped`` is set."""
        with self._space:
            while self._unread > self._limit and not stopped.is_set():
                self._space.wait(_POLL_SECONDS)

    def finish(self, exit_code: int = 0) -> None:
        """Says that nothing more comes. From any thread."""
        with self._space:
            if self._exit_code is None:
                self._exit_code = exit_code
        self._notify()

    def take(self, message_id: str, max_bytes: int) -> Batch | None:
        """What a Receive is answered with now: None if there is nothing to say yet.

        Args:
            message_id: The request's id: one that was answered last gets the same answer again.
            max_bytes: Raw bytes that fit into the answer (at least one piece is given).

        Raises:
            LookupError: Everything was read to the end before.
        """
        if self._last is not None and self._last[0] == message_id:
            return self._last[1]
        with self._space:
            taken: list[Piece] = []
            size = 0
            while self._pieces and (not taken or size + len(self._pieces[0].data) <= max_bytes):
                taken.append(self._pieces.popleft())
                size += len(taken[-1].data)
            self._unread -= size
            done = self._exit_code is not None and not self._pieces
            self._space.notify_all()
        if self._ended:
            raise LookupError
        if not taken and not done:
            return None
        self._ended = done
        batch = Batch(tuple(taken), done, self._exit_code or 0)
        self._last = (message_id, batch)
        return batch

    def give_back(self, message_id: str) -> None:
        """Undoes the last `take` of this request, whose answer was not sent."""
        if self._last is None or self._last[0] != message_id:
            return
        batch = self._last[1]
        self._last = None
        self._ended = False
        with self._space:
            self._pieces.extendleft(reversed(batch.pieces))
            self._unread += sum(len(piece.data) for piece in batch.pieces)
        self._notify()

    async def wait(self, seconds: float) -> bool:
        """Waits until something changed; False after so many seconds."""
        future = self._loop.create_future()
        self._waiting.add(future)
        try:
            async with asyncio.timeout(max(seconds, 0)):
                await future
        except TimeoutError:
            return False
        finally:
            self._waiting.discard(future)
        return True

    def _notify(self) -> None:
        # A loop that is closed has no reader left.
        if not self._loop.is_closed():
            try:
                self._loop.call_soon_threadsafe(self._wake)
            except RuntimeError:
                return

    def _wake(self) -> None:
        for future in self._waiting:
            if not future.done():
                future.set_result(None)
