"""Claim, lease, fence, cancel and end against a model, in any order that hypothesis thinks of.

The promise: whatever two owners do and however late, a row has one worker whose writes hit, none is lost, and what has
ended stays as it is.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Coroutine
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from aetherv_agent.store import (
    Claim,
    Fence,
    NewRow,
    OperationRow,
    OperationStore,
    Patch,
    Query,
    Secrets,
    open_sqlite,
)
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

T = TypeVar("T")
ROOM = 2
MOST = 12
OWNERS = st.sampled_from(["a", "b"])
HOSTS = st.sampled_from(["hv1", "hv2"])


@dataclass
class Known:
    """What the model knows of one operation."""

    n: int
    host: str
    begun: bool = False
    ended: bool = False
    owner: str | None = None
    epoch: int = 0
    lease: float = 0.0
    not_before: float = 0.0
    cancel: bool = False
    undo: bool = False
    events: int = 0

    def free_for(self, owner: str, now: float) -> bool:
        """Whether an owner may claim it, were there room."""
        taken = self.owner is not None and (self.owner == owner or self.lease >= now)
        return not self.ended and not taken and self.not_before <= now


class ClaimMachine(RuleBasedStateMachine):
    """The store on one side, the model on the other."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 1_800_000_000.0
        # Memory where there is some: thousands of durable commits are not what is tried here.
        memory = Path("/dev/shm")
        self.folder = tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None)
        self.runner = asyncio.Runner()
        self.database = open_sqlite(Path(self.folder.name) / "agent.db", clock=lambda: self.now)
        self.store = OperationStore(self.database)
        self.known: dict[str, Known] = {}
        self.frozen: dict[str, int] = {}
        self.fences: list[Fence] = []

    def run(self, call: Coroutine[Any, Any, T]) -> T:
        """Run one call of the store."""
        return self.runner.run(call)

    def teardown(self) -> None:
        """Close everything."""
        self.run(self.database.close())
        self.runner.close()
        self.folder.cleanup()

    @initialize()
    def some(self) -> None:
        """Begin with work to do and somebody who does it."""
        for host in ("hv1", "hv1", "hv1", "hv2"):
            self.submit(host)
        self.claim("a", 2)

    @precondition(lambda self: len(self.known) < MOST)
    @rule(host=HOSTS)
    def submit(self, host: str) -> None:
        """Insert one."""
        n = len(self.known) + 1
        row = self.run(
            self.store.submit(
                NewRow(
                    id=f"id-{n}",
                    kind="create",
                    slots="jobs",
                    host=host,
                    vm_name=f"vm-{n}",
                    target="",
                    request_id=None,
                    fingerprint="",
                    principal="me",
                    spec={},
                    secrets=Secrets.NONE,
                    warnings=[],
                    timeout=1e6,
                    queue_timeout=1e6,
                    queue_limit=1000,
                )
            )
        )
        assert isinstance(row, OperationRow)
        self.known[row.id] = Known(n, host)

    @rule(owner=OWNERS, most=st.integers(1, 4))
    def claim(self, owner: str, most: int) -> None:
        """Exactly what the model says is free, with room, begun first and oldest first on each host."""
        wanted = [i for i, known in self.known.items() if known.begun and known.free_for(owner, self.now)]
        room = {
            host: ROOM - sum(k.begun and not k.ended for k in self.known.values() if k.host == host)
            for host in ("hv1", "hv2")
        }
        fresh = []
        for operation_id, known in self.known.items():
            if not known.begun and known.free_for(owner, self.now) and room[known.host] > 0:
                room[known.host] -= 1
                fresh.append(operation_id)
        rows = self.run(self.store.claim(Claim(owner, ["create"], {"jobs": ROOM}, 30.0, most)))
        got = [row.id for row in rows]
        assert len(got) == min(most, len(wanted) + len(fresh))
        assert got[: len(wanted)] == wanted[:most]
        assert set(got) <= {*wanted, *fresh}
        for row in rows:
            known = self.known[row.id]
            known.epoch += 1
            known.owner, known.lease, known.begun, known.not_before = owner, self.now + 30, True, 0.0
            assert (row.epoch, row.cancel, row.phase == "undo") == (known.epoch, known.cancel, known.undo)
            self.fences.append(Fence(row.id, owner, row.epoch))

    @rule(seconds=st.sampled_from([1.0, 20.0, 31.0, 3600.0, -5.0]))
    def clock_moves(self, seconds: float) -> None:
        """Time passes, jumps or is set back."""
        self.now += seconds

    @rule(owner=OWNERS)
    def renew(self, owner: str) -> None:
        """A renewal says exactly what the owner still has, and keeps that."""
        held = {(h.id, h.epoch, h.cancel) for h in self.run(self.store.renew(owner, 30.0))}
        mine = {i: k for i, k in self.known.items() if k.owner == owner and not k.ended}
        assert held == {(i, k.epoch, k.cancel) for i, k in mine.items()}
        for known in mine.values():
            known.lease = self.now + 30

    @rule(owner=OWNERS)
    def stop(self, owner: str) -> None:
        """An owner gives all back."""
        self.run(self.store.release(owner))
        for known in self.known.values():
            if known.owner == owner and not known.ended:
                known.owner = None

    @rule(
        which=st.integers(0, 200),
        what=st.sampled_from(["tell", "undo", "give back", "end"]),
        events=st.integers(0, 2),
    )
    def write(self, which: int, what: str, events: int) -> None:
        """Any fence ever given is tried; only the current one hits, all others change nothing."""
        fence = self.fences[which % len(self.fences)]
        known = self.known[fence.id]
        hits = not known.ended and (known.owner, known.epoch) == (fence.owner, fence.epoch)
        patch = {
            "tell": Patch(target="vms/1"),
            "undo": Patch(undo_in=1e6, error={"id": "E"}),
            "give back": Patch(give_back_in=5.0),
            "end": Patch(state="failed", error={"id": "E"}),
        }[what]
        written = self.run(self.store.write(fence, patch, [{"log": {}}] * events))
        assert (written is not None) is hits
        if not hits:
            return
        known.events += events
        if what == "undo":
            known.undo = True
        elif what == "give back":
            known.owner, known.not_before = None, self.now + 5
        elif what == "end":
            known.owner, known.ended = None, True

    @rule(which=st.integers(0, 200))
    def cancel(self, which: int) -> None:
        """What never began ends here; what began gets a flag and is free of its pause; the ended stays."""
        operation_id = list(self.known)[which % len(self.known)]
        known = self.known[operation_id]
        row = self.run(self.store.cancel(operation_id, {"id": "C"}))
        assert row is not None
        if known.ended:
            return
        if not known.cancel:
            known.cancel, known.not_before = True, 0.0
        known.ended = not known.begun
        assert (row.end_time is not None) is known.ended

    @precondition(lambda self: self.fences)
    @rule(which=st.integers(0, 200))
    def an_owner_claims_again(self, which: int) -> None:
        """What it gave back it may get again, in a new epoch; its old fence is worth nothing then."""
        owner = self.fences[which % len(self.fences)].owner
        self.stop(owner)
        self.claim(owner, 4)

    @invariant()
    def every_row_is_as_the_model_says(self) -> None:
        """None is lost, events have no gap, the ended never change."""
        rows = {row.id: row for row in self.run(self.store.select(Query(limit=1000)))}
        assert rows.keys() == self.known.keys()
        for operation_id, known in self.known.items():
            row = rows[operation_id]
            assert (row.end_time is not None) is known.ended
            assert (row.owner, row.epoch) == (known.owner, known.epoch)
            assert row.last_sequence == known.events
            if known.ended:
                assert self.frozen.setdefault(operation_id, row.version) == row.version
            if known.ended and known.events:
                found = self.run(self.store.events(operation_id, 0, 1000))
                assert found is not None
                assert [event.n for event in found[2]] == list(range(1, known.events + 1))


# Each step is a transaction on a file: shrinking would take longer than the test may.
ClaimMachine.TestCase.settings = settings(
    max_examples=12,
    stateful_step_count=50,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
)
TestClaims = ClaimMachine.TestCase
