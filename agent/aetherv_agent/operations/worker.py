"""Works on one claimed operation: calls its handler, and does what ``decide`` makes of the end."""

from __future__ import annotations

import asyncio
import logging
import traceback
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any, TypeVar

from aetherv_agent.core.errors import AethervError, Leftover
from aetherv_agent.store import OperationRow, Patch

from . import convert, decide
from .handlers import Handler, LeaseLost
from .model import Level, Limits
from .work import Item, plain

T = TypeVar("T")
_log = logging.getLogger(__name__)
_NAG = 30.0
_MAX_TEXT = 500


class _Stopped(Exception):  # noqa: N818  # a way out, not an error
    """The handler was let go: the agent stops, or the lease is lost."""


class _Cancelled(Exception):  # noqa: N818  # a way out, not an error
    """The handler was let go because of a cancel."""


class _TimeUp(Exception):  # noqa: N818  # a way out, not an error
    """The handler was let go because its time is over."""


class Worker:
    """Brings one claimed operation to its end, or gives it back."""

    def __init__(self, item: Item, handler: Handler, limits: Limits, stopping: asyncio.Event) -> None:
        self._item = item
        self._handler = handler
        self._limits = limits
        self._stopping = stopping

    async def run(self) -> None:
        """Work until the operation has ended, is given back or is lost. Raises nothing."""
        flusher = asyncio.create_task(self._item.flush_often())
        try:
            if await self._do():
                await self._undo()
        except LeaseLost:
            _log.info("operation %s: another worker has it", self._item.row.id)
        except _Stopped:
            if not self._item.lost.is_set():
                await self._give_back(0.0)
        except Exception as error:  # noqa: BLE001  # a bug of the engine: the operation must go on all the same
            self._report(error)
            await self._give_back(self._item.backoff())
        finally:
            flusher.cancel()
            await asyncio.wait({flusher})
            if not flusher.cancelled() and (broken := flusher.exception()) is not None:
                self._report(broken)

    async def _give_back(self, delay: float) -> None:
        row = self._item.row
        with suppress(LeaseLost):
            await self._item.give_back(delay, row.waiting_for, attempts=row.attempts)

    async def _do(self) -> bool:  # noqa: PLR0911  # one way out per cause, and each is one line of the design
        """Run the phase ``do``; return whether ``undo`` is next."""
        item, row = self._item, self._item.row
        if row.phase == "undo":
            return True
        operation = item.operation
        if row.start_time == row.update_time and not item.has_secrets:
            # It begins now, so the host knows nothing of it yet and there is nothing to undo.
            await item.fail(decide.End(decide.secret_unavailable(operation)))
            return False
        try:
            result = plain(
                await self._run(self._handler.do(item), until=_left(row, row.deadline), heed_cancel=True)
            )
        except _Cancelled:
            await item.begin_undo(decide.cancelled(item.operation))
            return True
        except _TimeUp:
            await item.begin_undo(decide.deadline(item.operation, item.operation.waiting_for))
            return True
        except (_Stopped, LeaseLost):
            raise
        except Exception as error:  # noqa: BLE001  # whatever a handler raises, the operation must end one day
            match decide.after_do(error, lambda e: self._handler.undoes(item.operation, e), item.operation):
                case decide.End() as end:
                    await item.fail(end)
                case decide.Undo(cause):
                    await item.begin_undo(cause)
                    return True
                case decide.Again(why, bug):
                    await self._again(why, error if bug else None)
            return False
        await item.succeed(result)
        return False

    async def _undo(self) -> None:
        item, row = self._item, self._item.row
        cause = AethervError.from_json(row.error or decide.cancelled(item.operation).to_json())
        try:
            leftovers = await self._run(
                self._handler.undo(item, cause), until=_left(row, row.undo_deadline), heed_cancel=False
            )
        except _TimeUp:
            await item.fail(decide.End(cause, self._abandoned(cause)))
        except (_Stopped, LeaseLost):
            raise
        except Exception as error:  # noqa: BLE001  # as in ``_do``
            match decide.after_undo(error, cause):
                case decide.End(_, left):
                    await item.log(Level.ERROR, f"The undo failed: {_text(error)}")
                    await item.fail(decide.End(cause, left or self._abandoned(cause)))
                case decide.Again(why, bug):
                    if why.leftovers:
                        known = [convert.leftover_to_json(leftover) for leftover in why.leftovers]
                        await item.persist(Patch(leftovers=known))
                    await self._again(why, error if bug else None)
        else:
            await item.fail(decide.End(cause, tuple(leftovers)))

    async def _again(self, why: AethervError, bug: BaseException | None) -> None:
        item = self._item
        if bug is not None:
            self._report(bug)
        delay = item.backoff()
        attempts = 1 if item.progressed else item.row.attempts + 1
        await item.log(Level.WARNING, f"{_text(why)} Next try in {delay:.0f} s.")
        await item.give_back(delay, _text(why), attempts=attempts)

    def _abandoned(self, cause: AethervError) -> tuple[Leftover, ...]:
        known = self._item.operation.leftovers
        return known or self._handler.abandoned(self._item.operation, cause)

    async def _run(self, call: Coroutine[Any, Any, T], *, until: float, heed_cancel: bool) -> T:
        """Run a handler's function until it ends or must be let go.

        Args:
            call: the handler's coroutine.
            until: seconds from now.
            heed_cancel: whether a cancel ends it.
        """
        item = self._item
        if self._stopping.is_set():
            call.close()
            raise _Stopped
        if until <= 0 or (heed_cancel and item.cancelled.is_set()):
            call.close()
            raise _Cancelled if item.cancelled.is_set() and heed_cancel else _TimeUp
        task = asyncio.create_task(call)
        heeded = [item.lost, self._stopping, *([item.cancelled] if heed_cancel else [])]
        signals = {asyncio.create_task(event.wait()) for event in heeded}
        try:
            await asyncio.wait({task, *signals}, timeout=until, return_when=asyncio.FIRST_COMPLETED)
            way_out = self._way_out(heed_cancel=heed_cancel)
            if not task.done() and isinstance(way_out, _Cancelled):
                await asyncio.wait({task}, timeout=self._limits.cancel_grace)
            asked = not task.done()
            await self._let_go(task)
        finally:
            for waiter in (task, *signals):
                waiter.cancel()
        if item.lost.is_set():
            raise LeaseLost
        if task.cancelled():
            if asked:
                raise way_out
            raise RuntimeError("The handler cancelled itself.")
        error = task.exception()
        # What a handler still says while it is let go counts only if it is the host's word.
        if asked and error is not None and not (isinstance(error, AethervError) and error.host_answered):
            raise way_out from error
        return task.result()

    def _way_out(self, *, heed_cancel: bool) -> Exception:
        if self._stopping.is_set():
            return _Stopped()
        if heed_cancel and self._item.cancelled.is_set():
            return _Cancelled()
        return _TimeUp()

    async def _let_go(self, task: asyncio.Task[Any]) -> None:
        # Undoing beside a handler that still runs would be worse than waiting for it.
        while not task.done():
            task.cancel()
            done, _ = await asyncio.wait({task}, timeout=_NAG)
            if not done:
                _log.error("operation %s: its handler does not let go", self._item.row.id)

    def _report(self, error: BaseException) -> None:
        # No message and no values: they could hold anything, a secret too.
        frames = traceback.extract_tb(error.__traceback__)
        places = " < ".join(f"{frame.filename}:{frame.lineno} {frame.name}" for frame in reversed(frames))
        _log.error(
            "operation %s: a fault of the agent, %s at %s", self._item.row.id, type(error).__name__, places
        )


def _left(row: OperationRow, deadline: float | None) -> float:
    """Return the seconds left by the store's clock when the row was read; from there the loop's clock counts."""
    return float("inf") if deadline is None else deadline - row.update_time


def _text(error: BaseException) -> str:
    text = str(error) if isinstance(error, AethervError) else str(decide.fault(error))
    return text if len(text) <= _MAX_TEXT else text[: _MAX_TEXT - 3] + "..."
