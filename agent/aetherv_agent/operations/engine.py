"""The engine: takes operations, has them worked on, tells of them, and stops without hurting any.

It implements ``interface.Operations``. All of its methods belong to one event loop. It is alone on its rows (SQLite)
or shares them with other replicas by leases; it does the same in both cases.
"""

from __future__ import annotations

import asyncio
import logging
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence

from aetherv_agent.core.errors import AethervError, Violation
from aetherv_agent.store import (
    Claim,
    Fence,
    NewRow,
    OperationRow,
    OperationStore,
    Patch,
    Query,
    Refused,
    Secrets,
)

from . import convert, decide
from .feed import Hub, not_found
from .handlers import Handler
from .model import Event, Filter, HostLoad, Limits, Operation, Page, Request
from .secrets import SecretBox
from .work import Item
from .worker import Worker

_log = logging.getLogger(__name__)
_CLAIM_AT_ONCE = 64
_QUEUE_RETRY = 30.0
_LAST_SECONDS = 2.0
_JUMP = 30.0


class Engine:
    """Works on operations until each has ended."""

    def __init__(
        self, store: OperationStore, handlers: Mapping[str, Handler], limits: Limits | None = None
    ) -> None:
        self._store = store
        self._handlers = dict(handlers)
        self._limits = limits or Limits()
        self._owner = uuid.uuid4().hex
        self._box = SecretBox()
        self._hub = Hub(store, self._limits.watch_buffer)
        self._items: dict[str, Item] = {}
        self._workers: dict[asyncio.Task[None], str] = {}
        self._loops: list[asyncio.Task[None]] = []
        self._wake = asyncio.Event()
        self._stopping = asyncio.Event()
        self._orphans: set[Fence] = set()
        self._offset: float | None = None

    # Start and stop.

    async def start(self) -> None:
        """Begin to work.

        Raises:
            AethervError: STORE_UNAVAILABLE.
        """
        if self._store.alone:
            await self._store.release(None)
        for operation_id in await self._store.unknown(list(self._handlers)):
            _log.warning(
                "operation %s is of a kind or in a phase this version does not know: left alone", operation_id
            )
        limits = self._limits
        renew_every = limits.lease / 3 if self._store.alone else min(limits.poll, limits.lease / 3)
        self._loops = [
            self._forever("claim", self._claim, lambda: self._sleep_until_woken(limits.poll)),
            self._forever("renew", self._renew, lambda: self._sleep(renew_every)),
            self._forever("poll", self._hub.poll, lambda: self._sleep(limits.poll)),
            self._forever("prune", self._prune, lambda: self._sleep(limits.prune_every)),
        ]

    async def stop(self, grace: float = 10.0) -> None:
        """Stop: no new work, watches end, handlers are let go (no undo), leases are given back. Repeatable.

        Args:
            grace: seconds for the handlers to reach a safe point and for their last writes.
        """
        end = asyncio.get_running_loop().time() + grace
        self._stopping.set()
        self._wake.set()
        self._hub.stop()
        if self._loops:
            # A claim in flight may still bring in work; it is let go like the rest.
            await asyncio.wait(self._loops[:1], timeout=_until(end))
        if self._workers:
            await asyncio.wait(list(self._workers), timeout=_until(end))
        rest = [*self._loops, *self._workers]
        for task in rest:
            task.cancel()
        if rest:
            await asyncio.wait(rest, timeout=_LAST_SECONDS)
        self._loops = []
        self._box.clear()
        try:
            await self._store.release(self._owner)
        except AethervError as error:
            _log.warning("leases could not be given back: %s", error.message)

    # What api and provisioning ask.

    async def submit(self, request: Request, secrets: Mapping[str, str] | None = None) -> Operation:
        """Take a new operation; see ``interface.Operations.submit``."""
        self._refuse_if_stopping()
        handler = self._handlers.get(request.kind)
        if handler is None:
            raise AethervError("REQUEST_INVALID", f"There is no kind of operation named {request.kind}.")
        new = self._new(request, handler, secrets or {})
        # Before the row can be claimed its secrets must be here.
        self._box.put(new.id, secrets or {})
        try:
            taken = await self._store.submit(new)
        except BaseException:
            self._box.drop(new.id)
            raise
        if isinstance(taken, Refused):
            self._box.drop(new.id)
            raise _refusal(taken, new)
        if taken.id != new.id:
            self._box.drop(new.id)
            if taken.end_time is None and taken.secrets is Secrets.NEEDED and taken.id not in self._box:
                self._box.put(taken.id, secrets or {})
        self._wake.set()
        return convert.snapshot(taken)

    async def get(self, operation_id: str) -> Operation:
        """Return an operation as it stands."""
        row = await self._store.get(operation_id)
        if row is None:
            raise not_found(operation_id)
        return convert.snapshot(row)

    async def list(self, where: Filter, page_size: int = 100, page_token: str = "") -> Page:
        """Return operations, newest first."""
        if page_token and not (page_token.isascii() and page_token.isdigit() and len(page_token) < 19):  # noqa: PLR2004  # 63 bits
            raise AethervError(
                "REQUEST_INVALID",
                "The page token is none that this API gave.",
                violations=(Violation("page_token", "is none that this agent gave"),),
            )
        rows = await self._store.select(
            Query(
                ended=where.done,
                hosts=None if where.hosts is None else sorted(where.hosts),
                kind=where.kind,
                vm_name=where.vm_name,
                target=where.target,
                principal=where.principal,
                before=int(page_token) if page_token else None,
                limit=page_size + 1,
            )
        )
        more = len(rows) > page_size
        rows = rows[:page_size]
        return Page(tuple(map(convert.snapshot, rows)), str(rows[-1].seq) if more and rows else "")

    async def by_request(self, request_id: str) -> Operation | None:
        """Return the operation that a request of this id made, or None."""
        row = await self._store.by_request(request_id)
        return None if row is None else convert.snapshot(row)

    async def find_open(self, *, host: str = "", vm_name: str = "", target: str = "") -> Operation | None:
        """Return an operation that has not ended on that VM name of that host, or on that target, or None."""
        row = await self._store.find_open(host, vm_name, target)
        return None if row is None else convert.snapshot(row)

    async def wait(self, operation_id: str, within: float) -> Operation:
        """Return the operation once it has ended, or as it stands after ``within`` seconds."""
        try:
            async with asyncio.timeout(within):
                return await self._hub.ended(operation_id)
        except TimeoutError:
            return await self.get(operation_id)

    async def cancel(self, operation_id: str) -> Operation:
        """Ask for its end; see ``interface.Operations.cancel``."""
        self._refuse_if_stopping()
        before = await self.get(operation_id)
        error = decide.cancelled(before)
        row = await self._store.cancel(operation_id, error.to_json())
        if row is None:
            raise not_found(operation_id)
        self._hub.publish(row)
        if row.end_time is not None:
            self._box.drop(operation_id)
        elif (item := self._items.get(operation_id)) is not None:
            item.cancelled.set()
        self._wake.set()
        return convert.snapshot(row)

    def watch(self, operation_id: str, after: int = 0) -> AsyncIterator[Event]:
        """Yield the events after a sequence number as they happen; see ``interface.Operations.watch``."""
        return self._hub.watch(operation_id, after)

    async def loads(self) -> dict[str, HostLoad]:
        """Return how much each host has to do."""
        return {count.host: HostLoad(count.running, count.queued) for count in await self._store.counts()}

    # What goes on by itself.

    async def _claim(self) -> None:
        kinds = list(self._handlers)
        waiting = await self._store.look(self._owner, kinds)
        if self._store.alone and (jump := self._jumped(waiting.now)):
            _log.warning("the clock jumped by %.0f s: what is still to come is moved by as much", jump)
            await self._store.shift(jump)
            self._wake.set()
            return
        for operation_id in waiting.overdue:
            await self._end_overdue(operation_id)
        while waiting.claimable and not self._stopping.is_set():
            most = min(_CLAIM_AT_ONCE, self._limits.workers - len(self._items))
            if most <= 0:
                return
            between = (waiting.now - _JUMP, waiting.now + _JUMP) if self._store.alone else None
            claim = Claim(self._owner, kinds, self._limits.slots, self._limits.lease, most, between)
            rows = await self._store.claim(claim)
            for row in rows:
                self._begin(row)
            if len(rows) < most:
                return

    def _begin(self, row: OperationRow) -> None:
        item = Item(
            row,
            owner=self._owner,
            store=self._store,
            box=self._box,
            limits=self._limits,
            publish=self._hub.publish,
        )
        before = [task for task, operation_id in self._workers.items() if operation_id == row.id]
        if (lost := self._items.get(row.id)) is not None:
            lost.lose()
        self._items[row.id] = item
        self._hub.publish(row)
        worker = Worker(item, self._handlers[row.kind], self._limits, self._stopping)
        task = asyncio.create_task(_after(before, worker), name=f"operation-{row.id}")
        self._workers[task] = row.id
        task.add_done_callback(lambda done: self._ended(done, item))

    def _ended(self, task: asyncio.Task[None], item: Item) -> None:
        self._workers.pop(task, None)
        if self._items.get(item.row.id) is item:
            del self._items[item.row.id]
        if not task.cancelled() and (error := task.exception()) is not None:
            _log.error("operation %s: its worker broke, %s", item.row.id, type(error).__name__)
        self._wake.set()

    async def _renew(self) -> None:
        before = dict(self._items)
        held = {h.id: h for h in await self._store.renew(self._owner, self._limits.lease)}
        for operation_id, item in before.items():
            has = held.get(operation_id)
            if has is None or has.epoch != item.fence.epoch:
                # One that has just ended or was given back is no loss.
                if not item.leaving:
                    item.lose()
            elif has.cancel:
                item.cancelled.set()
        # Held in the store and unknown here: a claim or a return whose answer was lost. Seen twice, it is no race.
        unknown = {Fence(h.id, self._owner, h.epoch) for h in held.values() if h.id not in self._items}
        for fence in unknown & self._orphans:
            await self._store.write(fence, Patch(give_back_in=0.0))
        self._orphans = unknown

    def _jumped(self, now: float) -> float:
        # Hours that never passed end no operation. Replicas would each move the rows, so only who is alone does it.
        offset = now - asyncio.get_running_loop().time()
        jump = offset - (self._offset if self._offset is not None else offset)
        self._offset = offset
        return jump if abs(jump) >= _JUMP else 0.0

    async def _end_overdue(self, operation_id: str) -> None:
        row = await self._store.get(operation_id)
        if row is None:
            return
        error = decide.queue_timeout(convert.snapshot(row)).to_json()
        ended = await self._store.end_queued(operation_id, error)
        if ended is not None:
            self._box.drop(operation_id)
            self._hub.publish(ended)

    async def _prune(self) -> None:
        while await self._store.prune(self._limits.retention):
            continue

    def _forever(
        self, name: str, step: Callable[[], Awaitable[None]], pause: Callable[[], Awaitable[None]]
    ) -> asyncio.Task[None]:
        async def run() -> None:
            while not self._stopping.is_set():
                try:
                    await step()
                except AethervError as error:
                    _log.warning("%s: %s", name, error.message)
                except Exception as error:  # noqa: BLE001  # nothing may end this loop but the stop
                    _log.error("%s: a fault of the agent, %s", name, type(error).__name__)
                await pause()

        return asyncio.create_task(run(), name=f"operations-{name}")

    async def _sleep_until_woken(self, most: float) -> None:
        try:
            async with asyncio.timeout(most):
                await self._wake.wait()
        except TimeoutError:
            pass
        self._wake.clear()

    async def _sleep(self, most: float) -> None:
        try:
            async with asyncio.timeout(most):
                await self._stopping.wait()
        except TimeoutError:
            pass

    # Small things.

    def _refuse_if_stopping(self) -> None:
        if self._stopping.is_set():
            raise AethervError("AGENT_STOPPING", "The agent stops and takes no new work.")

    def _new(self, request: Request, handler: Handler, secrets: Mapping[str, str]) -> NewRow:
        wait = self._limits.queue_timeout if request.queue_timeout is None else request.queue_timeout
        return NewRow(
            id=request.id or str(uuid.uuid4()),
            kind=request.kind,
            slots=handler.slots,
            host=request.host,
            vm_name=request.vm_name,
            target=request.target,
            request_id=request.request_id or None,
            fingerprint=request.fingerprint,
            principal=request.principal,
            spec=request.spec,
            secrets=Secrets.NEEDED if secrets else Secrets.NONE,
            warnings=[convert.notice_to_json(warning) for warning in request.warnings],
            timeout=request.timeout,
            queue_timeout=wait,
            queue_limit=self._limits.queue,
        )


async def _after(before: Sequence[asyncio.Task[None]], worker: Worker) -> None:
    # A lease that was lost and claimed again here: one process never works twice on one operation at once.
    if before:
        await asyncio.wait(before)
    await worker.run()


def _until(end: float) -> float:
    return max(0.0, end - asyncio.get_running_loop().time())


def _refusal(refused: Refused, new: NewRow) -> AethervError:
    row = refused.row
    if row is None:
        return AethervError(
            "QUEUE_FULL",
            f"Too many operations wait for host {new.host} ({new.queue_limit}).",
            metadata={"host": new.host},
            retry_after=_QUEUE_RETRY,
        )
    metadata = {"operation": f"operations/{row.id}", "kind": row.kind}
    if refused.reason == "request_id":
        return AethervError(
            "REQUEST_ID_REUSED",
            f"The request_id {new.request_id} was sent before with another request (operations/{row.id}).",
            metadata=metadata,
        )
    return AethervError(
        "OPERATION_IN_PROGRESS",
        f"A {row.kind} works on {row.vm_name or row.target} of host {row.host}: operations/{row.id}.",
        metadata=metadata,
    )
