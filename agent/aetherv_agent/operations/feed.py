"""Watching: one feed per watched operation, whatever the number of its watchers (design: operations, 10).

A feed holds the newest events in memory. What this process writes is put into it as it is written; what another
process writes is found by one query for all feeds at each poll. A watcher has a cursor and no queue: one that is slow,
or that begins earlier than the memory reaches, reads from the store until it has caught up.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Sequence
from typing import TypeVar

from aetherv_agent.core.errors import AethervError
from aetherv_agent.store import EventRow, OperationRow, OperationStore

from . import convert
from .model import Event, Operation

_PAGE = 200


class Feed:
    """What is known here of one watched operation."""

    def __init__(self, buffer: int) -> None:
        self._recent: deque[Event] = deque(maxlen=buffer)
        self._early: list[tuple[OperationRow, Sequence[EventRow]]] = []
        self._changed = asyncio.Event()
        self.watchers = 0
        self.loading = asyncio.Lock()
        self.operation: Operation | None = None
        self.first_kept = 1
        self.last = 0
        self.gap = False

    def load(self, row: OperationRow, first_kept: int | None, events: Sequence[EventRow]) -> None:
        """Take what the store says now."""
        self.first_kept = first_kept or row.last_sequence + 1
        self.gap = False
        if events and events[0].n > self.last + 1:
            self._recent.clear()
            self.last = events[0].n - 1
        if not events:
            self.last = max(self.last, row.last_sequence)
        self._add(row, events)
        early, self._early = self._early, []
        for early_row, early_events in early:
            self._add(early_row, early_events)
        self._signal()

    def publish(self, row: OperationRow, events: Sequence[EventRow]) -> None:
        """Take what was just written."""
        if self.operation is None:
            self._early.append((row, events))
            return
        self._add(row, events)
        self._signal()

    def _add(self, row: OperationRow, events: Sequence[EventRow]) -> None:
        for event in events:
            if event.n == self.last + 1:
                self._recent.append(convert.event(event))
                self.last = event.n
        # A snapshot may not run ahead of its events: an end would be told before them.
        if self.last < row.last_sequence:
            self.gap = True
        elif self.operation is None or row.version > self.operation.version:
            self.operation = convert.snapshot(row)

    def changed(self) -> asyncio.Event:
        """Return what is set at the next change."""
        return self._changed

    def signal(self) -> None:
        """Wake all watchers."""
        self._signal()

    def _signal(self) -> None:
        before, self._changed = self._changed, asyncio.Event()
        before.set()

    def since(self, cursor: int) -> list[Event] | None:
        """Return the events after a cursor; None: the memory does not reach that far back."""
        if not self._recent or cursor + 1 < self._recent[0].sequence:
            return None
        return [event for event in self._recent if event.sequence > cursor]


class Hub:
    """All feeds of this process."""

    def __init__(self, store: OperationStore, buffer: int) -> None:
        self._store = store
        self._buffer = buffer
        self._feeds: dict[str, Feed] = {}
        self._stopped = False

    def publish(self, row: OperationRow, events: Sequence[EventRow] = ()) -> None:
        """Tell an operation's watchers, if it has any, what was just written."""
        feed = self._feeds.get(row.id)
        if feed is not None:
            feed.publish(row, events)

    def stop(self) -> None:
        """End all watches with AGENT_STOPPING."""
        self._stopped = True
        for feed in self._feeds.values():
            feed.signal()

    def watched(self, operation_id: str) -> bool:
        """Whether somebody in this process watches an operation or waits for it."""
        return operation_id in self._feeds

    async def poll(self) -> None:
        """Look for what others wrote; one query for all feeds.

        Raises:
            AethervError: STORE_UNAVAILABLE.
        """
        open_feeds = {
            i: f for i, f in self._feeds.items() if f.operation is not None and not f.operation.done
        }
        if not open_feeds:
            return
        versions = await self._store.versions(list(open_feeds))
        for operation_id, feed in open_feeds.items():
            known = feed.operation.version if feed.operation is not None else 0
            if feed.gap or versions.get(operation_id, 0) > known:
                await self._catch_up(operation_id, feed)

    async def watch(self, operation_id: str, after: int) -> AsyncIterator[Event]:
        """Yield events; see ``interface.Operations.watch``."""
        feed = await self._open(operation_id)
        try:
            if after > feed.last or (after > 0 and after + 1 < feed.first_kept):
                raise AethervError(
                    "EVENTS_PRUNED",
                    f"The events of operations/{operation_id} after {after} can't be given: "
                    f"{feed.first_kept} to {feed.last} are kept.",
                )
            cursor = after
            while True:
                self._check()
                changed = feed.changed()
                if cursor < feed.last:
                    recent = feed.since(cursor)
                    for event in await self._older(operation_id, cursor) if recent is None else recent:
                        yield event
                        cursor = event.sequence
                    continue
                if feed.operation is not None and feed.operation.done:
                    yield convert.final(feed.operation)
                    return
                await changed.wait()
        finally:
            self._close(operation_id, feed)

    async def ended(self, operation_id: str) -> Operation:
        """Wait for an operation's end and return it."""
        feed = await self._open(operation_id)
        try:
            while True:
                self._check()
                changed = feed.changed()
                if feed.operation is not None and feed.operation.done:
                    return feed.operation
                await changed.wait()
        finally:
            self._close(operation_id, feed)

    def _check(self) -> None:
        if self._stopped:
            raise AethervError("AGENT_STOPPING", "The agent stops; what works on the host goes on.")

    async def _open(self, operation_id: str) -> Feed:
        self._check()
        feed = self._feeds.setdefault(operation_id, Feed(self._buffer))
        feed.watchers += 1
        try:
            async with feed.loading:
                if feed.operation is None:
                    feed.load(*_known(operation_id, await self._store.tail(operation_id, self._buffer)))
        except BaseException:
            self._close(operation_id, feed)
            raise
        return feed

    def _close(self, operation_id: str, feed: Feed) -> None:
        feed.watchers -= 1
        if feed.watchers == 0 and self._feeds.get(operation_id) is feed:
            del self._feeds[operation_id]

    async def _catch_up(self, operation_id: str, feed: Feed) -> None:
        async with feed.loading:
            while True:
                found = await self._store.events(operation_id, feed.last, _PAGE)
                if found is None:
                    return
                feed.load(*found)
                if not feed.gap:
                    return

    async def _older(self, operation_id: str, cursor: int) -> Sequence[Event]:
        _, _, events = _known(operation_id, await self._store.events(operation_id, cursor, _PAGE))
        return [convert.event(row) for row in events]


T = TypeVar("T")


def _known(operation_id: str, found: T | None) -> T:
    if found is None:
        raise not_found(operation_id)
    return found


def not_found(operation_id: str) -> AethervError:
    """Return OPERATION_NOT_FOUND."""
    return AethervError(
        "OPERATION_NOT_FOUND",
        f"There is no operations/{operation_id}.",
        metadata={"operation": f"operations/{operation_id}"},
    )
