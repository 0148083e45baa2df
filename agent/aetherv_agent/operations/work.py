"""One operation in the hands of a handler: what it tells is gathered here and written under the operation's fence.

``Item`` is the engine's ``Work``. What is told often (progress, lines) is kept and written at most every
``Limits.progress`` seconds; a handler never waits for the store, but where it must know that something is durable.
"""

from __future__ import annotations

import asyncio
import json
import logging
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from aetherv_agent.core.errors import AethervError
from aetherv_agent.store import UNSET, EventRow, Fence, OperationRow, OperationStore, Patch, Secrets

from . import convert, decide
from .handlers import LeaseLost, SecretLost
from .model import JsonMapping, Level, Limits, LogLine, Notice, Operation, Step, StepState, merge_step
from .secrets import SecretBox

_log = logging.getLogger(__name__)

Publish = Callable[[OperationRow, Sequence[EventRow]], None]
_MAX_KEPT = 1000  # events kept in memory while the store is away
_STORE_RETRY = 1.0


class Item:
    """An operation that this process holds. Implements ``handlers.Work``."""

    def __init__(
        self,
        row: OperationRow,
        *,
        owner: str,
        store: OperationStore,
        box: SecretBox,
        limits: Limits,
        publish: Publish,
    ) -> None:
        self.row = row
        self.fence = Fence(row.id, owner, row.epoch)
        self.cancelled = asyncio.Event()
        self.lost = asyncio.Event()
        self.progressed = False
        self.leaving = False
        if row.cancel:
            self.cancelled.set()
        self._store = store
        self._box = box
        self._limits = limits
        self._publish = publish
        self._operation = convert.snapshot(row)
        self._steps = {step.step: step for step in self._operation.steps}
        self._warnings = list(self._operation.warnings)
        self._stored = row.last_sequence
        self._kept: list[Step | LogLine | Notice] = []
        self._patch = Patch()
        self._dropped = 0
        self._dirty = asyncio.Event()
        self._urgent = asyncio.Event()
        self._writing = asyncio.Lock()

    # What the handler sees.

    @property
    def operation(self) -> Operation:
        """The newest snapshot, with what is not stored yet."""
        return replace(
            self._operation,
            steps=tuple(self._steps.values()),
            warnings=tuple(self._warnings),
            version=self.row.version,
        )

    @property
    def has_secrets(self) -> bool:
        """Whether ``secrets`` would return."""
        return self.row.secrets is not Secrets.NEEDED or self.row.id in self._box

    def secrets(self) -> Mapping[str, str]:
        """Return the operation's secrets, or raise ``SecretLost``."""
        self._check()
        if self.row.secrets is not Secrets.NEEDED:
            return {}
        secrets = self._box.get(self.row.id)
        if secrets is None:
            raise SecretLost
        return secrets

    async def secrets_published(self) -> None:
        """Drop the secrets."""
        self._check()
        self._box.drop(self.row.id)
        if self.row.secrets is Secrets.NEEDED:
            self.row = replace(self.row, secrets=Secrets.PUBLISHED)
            self._tell(Patch(secrets=Secrets.PUBLISHED))

    @property
    def shell(self) -> JsonMapping | None:
        """What was saved last."""
        return self.row.shell

    async def save_shell(self, shell: JsonMapping | None) -> None:
        """Store it; waits for the store."""
        self._check()
        await self.persist(Patch(shell=None if shell is None else plain(shell)))

    async def progress(self, step: Step) -> None:
        """Tell of a step."""
        await self.waiting_for("")
        known = self._steps.get(step.step)
        merged = merge_step(known, step, datetime.now(UTC))
        if merged == known:
            return
        self._steps[step.step] = merged
        again = known is not None and (known.state, known.attempt) == (merged.state, merged.attempt)
        if again and merged.state is StepState.RUNNING:
            self._keep_progress(merged)
        else:
            self.progressed = True
            self._keep(merged, urgent=True)

    async def log(self, level: Level, message: str) -> None:
        """Tell a line."""
        self._check()
        self._keep_line(LogLine(level, message))

    async def warn(self, reason: str, message: str, field: str = "") -> None:
        """Tell a warning, once."""
        self._check()
        notice = Notice(reason, message, field)
        if notice not in self._warnings:
            self._warnings.append(notice)
            self._keep(notice, urgent=True)

    async def set_target(self, target: str) -> None:
        """Say which VM it is."""
        self._check()
        if target != self._operation.target:
            self._operation = replace(self._operation, target=target)
            self._tell(Patch(target=target))

    async def waiting_for(self, text: str) -> None:
        """Say what is waited for."""
        self._check()
        text = clean(text)
        if text != self._operation.waiting_for:
            self._operation = replace(self._operation, waiting_for=text)
            self._tell(Patch(waiting_for=text))

    async def check_lease(self) -> None:
        """Ask the store whether the lease holds; waits for the store."""
        self._check()
        while True:
            try:
                held = await self._store.held(self.fence)
            except AethervError as error:
                await self._store_away(error)
                continue
            if not held:
                self.lose()
            self._check()
            return

    # What the engine does with it.

    def lose(self) -> None:
        """Note that the lease is lost: every call from now on raises ``LeaseLost``, nothing more is written."""
        if not self.lost.is_set():
            _log.warning("operation %s: its lease is lost, this worker stops", self.row.id)
            self.lost.set()

    async def flush_often(self) -> None:
        """Write what was told, soon if it is urgent, else at most every ``Limits.progress`` seconds; until cancelled."""
        while not self.lost.is_set():
            await self._dirty.wait()
            if not self._urgent.is_set():
                try:
                    async with asyncio.timeout(self._limits.progress):
                        await self._urgent.wait()
                except TimeoutError:
                    pass
            try:
                await self._write(Patch(), durable=False)
            except AethervError as error:
                await self._store_away(error)
            except LeaseLost:
                return

    async def persist(self, patch: Patch) -> OperationRow:
        """Write, together with what was told before; waits for a store that is away.

        Raises:
            LeaseLost: nothing was written.
        """
        while True:
            try:
                return await self._write(patch, durable=True)
            except AethervError as error:
                await self._store_away(error)

    async def give_back(self, delay: float, waiting_for: str, *, attempts: int) -> None:
        """Give the lease back, to be claimed again after ``delay`` seconds."""
        self.leaving = True
        patch = Patch(give_back_in=delay, waiting_for=clean(waiting_for), attempts=attempts)
        await self.persist(patch)

    def backoff(self) -> float:
        """Return the pause before the next try: doubled each time, bounded, with jitter."""
        attempts = 0 if self.progressed else self.row.attempts
        most = min(self._limits.backoff_most, self._limits.backoff_first * 2.0 ** min(attempts, 16))
        return most * float(random.uniform(0.5, 1.0))  # noqa: S311  # spreads load, protects nothing

    async def begin_undo(self, cause: AethervError) -> OperationRow:
        """Turn to the phase ``undo``; the secrets are dropped."""
        patch = Patch(undo_in=self._limits.undo_timeout, error=cause.to_json(), waiting_for="")
        row = await self.persist(patch)
        self._box.drop(row.id)
        self.progressed = False
        return row

    async def succeed(self, result: Mapping[str, Any]) -> None:
        """End it with a result."""
        await self._end(Patch(state="succeeded", result=plain(result), error=None, waiting_for=""))

    async def fail(self, end: decide.End) -> None:
        """End it with an error; leftovers are told in the row and in the error."""
        leftovers = [convert.leftover_to_json(leftover) for leftover in end.leftovers]
        error = end.error.to_json()
        error["leftovers"] = [[x.kind, x.host, x.path, x.message] for x in end.leftovers]
        if self.row.phase == "undo":
            error["undone"] = not end.leftovers
        state = decide.end_state(end.error).value
        await self._end(Patch(state=state, error=error, leftovers=leftovers, waiting_for=""))

    async def _end(self, patch: Patch) -> None:
        self.leaving = True
        row = await self.persist(patch)
        self._box.drop(row.id)

    async def _write(self, patch: Patch, *, durable: bool) -> OperationRow:
        async with self._writing:
            self._check()
            kept, told, dropped = self._kept, self._patch, self._dropped
            self._kept, self._patch, self._dropped = [], Patch(), 0
            self._dirty.clear()
            self._urgent.clear()
            if dropped:
                kept.append(LogLine(Level.WARNING, f"{dropped} lines were dropped: the database was away."))
            try:
                whole = _over(told, patch)
                if kept:
                    whole = replace(
                        whole,
                        steps=[step.to_json() for step in self._steps.values()],
                        warnings=[convert.notice_to_json(warning) for warning in self._warnings],
                    )
                bodies = [convert.body(item) for item in kept]
                write = asyncio.ensure_future(self._store.write(self.fence, whole, bodies, durable=durable))
                cancelled = await _to_its_end(write)
                written = write.result()
            except BaseException:
                self._kept = kept + self._kept
                self._patch = _over(told, self._patch)
                self._dirty.set()
                raise
            if written is None:
                self.lose()
                raise LeaseLost
            row, events = written
            again = self._patch
            self.row = row
            if again.secrets is not UNSET:
                self.row = replace(row, secrets=again.secrets)
            self._operation = convert.snapshot(row)
            if again.target is not UNSET:
                self._operation = replace(self._operation, target=again.target)
            if again.waiting_for is not UNSET:
                self._operation = replace(self._operation, waiting_for=again.waiting_for)
            self._stored = row.last_sequence
            self._publish(row, events)
            if cancelled is not None:
                raise cancelled
            return row

    def _tell(self, patch: Patch) -> None:
        self._patch = _over(self._patch, patch)
        self._dirty.set()
        self._urgent.set()

    def _keep(self, item: Step | LogLine | Notice, *, urgent: bool) -> None:
        self._kept.append(item)
        self._dirty.set()
        if urgent:
            self._urgent.set()

    def _keep_progress(self, step: Step) -> None:
        for i in range(len(self._kept) - 1, -1, -1):
            kept = self._kept[i]
            if isinstance(kept, Step) and kept.step == step.step:
                self._kept[i] = step
                return
        self._keep_line(step)

    def _keep_line(self, item: Step | LogLine) -> None:
        if self._stored + len(self._kept) >= self._limits.log_events:
            return
        if len(self._kept) >= _MAX_KEPT:
            self._dropped += 1
            return
        self._keep(item, urgent=False)

    def _check(self) -> None:
        if self.lost.is_set():
            raise LeaseLost

    async def _store_away(self, error: AethervError) -> None:
        _log.warning("operation %s: %s", self.row.id, error.message)
        await asyncio.sleep(min(_STORE_RETRY, self._limits.poll))


def plain(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return a copy of JSON values.

    Raises:
        TypeError: something in it is no JSON value. Found out here, it is its maker's bug and not the store's.
    """
    copy: dict[str, Any] = json.loads(json.dumps(dict(values), allow_nan=False))
    return copy


def clean(text: str) -> str:
    """Return a text that every database can hold: what a host says may carry lone surrogates or NULs."""
    return text.encode("utf-8", "replace").decode().replace("\0", "")


async def _to_its_end(write: asyncio.Future[Any]) -> asyncio.CancelledError | None:
    """Wait for a write even when cancelled: it happens anyway, and what it wrote must not be written again."""
    try:
        await asyncio.wait({write})
    except asyncio.CancelledError as cancelled:
        await asyncio.wait({write})
        return cancelled
    return None


def _over(under: Patch, over: Patch) -> Patch:
    """Return a patch with all that either sets; ``over`` wins."""
    values = {name: getattr(over, name) for name in Patch.__slots__ if getattr(over, name) is not UNSET}
    return replace(under, **values)
