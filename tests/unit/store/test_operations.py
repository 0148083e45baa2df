"""Rows of operations: submit, claim, lease, fence, cancel, events, prune."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from aetherv_agent.store import Claim, Fence, NewRow, OperationRow, OperationStore, Patch, Query, Refused

MakeRow = Callable[..., NewRow]


def claim(owner: str, most: int = 10, **values: Any) -> Claim:
    """Return a claim of both kinds."""
    every: dict[str, Any] = {"kinds": ["create", "delete"], "slots": {"jobs": 4, "changes": 2}, "lease": 30.0}
    return Claim(owner=owner, most=most, **(every | values))


async def submit(store: OperationStore, new: NewRow) -> OperationRow:
    """Submit what must be taken."""
    taken = await store.submit(new)
    assert isinstance(taken, OperationRow)
    return taken


def fence(row: OperationRow) -> Fence:
    """Return the fence of a claimed row."""
    assert row.owner is not None
    return Fence(row.id, row.owner, row.epoch)


async def test_a_submitted_operation_is_read_back_as_it_was_given(
    store: OperationStore, new_row: MakeRow
) -> None:
    """What is inserted is what is read, queued, with nothing done."""
    row = await submit(store, new_row(warnings=[{"reason": "R", "message": "m", "field": ""}]))
    found = await store.get(row.id)
    assert found == row
    assert (row.state, row.phase, row.spec, row.position) == ("queued", "do", {"n": 1}, 0)
    assert (row.last_sequence, row.start_time, row.deadline) == (1, None, None)


async def test_a_request_id_gives_its_own_operation_again_or_refuses(
    store: OperationStore, new_row: MakeRow
) -> None:
    """The same request is one operation, also after its end; another one under its id is refused."""
    row = await submit(store, new_row(request_id="r"))
    assert await store.submit(new_row(request_id="r")) == row
    refused = await store.submit(new_row(request_id="r", fingerprint="other"))
    assert refused == Refused("request_id", row)
    await store.cancel(row.id, {})
    again = await submit(store, new_row(request_id="r"))
    assert (again.id, again.state) == (row.id, "cancelled")


@pytest.mark.parametrize(
    ("first", "second", "busy"),
    [
        ({"vm_name": "Web"}, {"vm_name": "wEB"}, True),
        ({"vm_name": "web"}, {"vm_name": "web", "host": "hv2"}, False),
        ({"target": "vms/1"}, {"target": "vms/1", "host": "hv2"}, True),
        ({"vm_name": "", "target": "vms/1"}, {"vm_name": "", "target": "vms/2"}, False),
    ],
)
async def test_one_vm_has_one_operation(
    store: OperationStore, new_row: MakeRow, first: dict[str, str], second: dict[str, str], *, busy: bool
) -> None:
    """A name on a host and a target can each have one open operation, whatever the case of the name."""
    row = await submit(store, new_row(**first))
    other = await store.submit(new_row(**second))
    assert isinstance(other, Refused) is busy
    if busy:
        assert other == Refused("busy", row)
    await store.cancel(row.id, {})
    assert isinstance(await store.submit(new_row(**first)), OperationRow)


async def test_the_queue_of_a_host_is_limited(store: OperationStore, new_row: MakeRow) -> None:
    """A full queue refuses, and another host's is not touched by it."""
    for _ in range(2):
        await submit(store, new_row(queue_limit=2))
    assert await store.submit(new_row(queue_limit=2)) == Refused("queue")
    assert isinstance(await store.submit(new_row(queue_limit=2, host="hv2")), OperationRow)
    await store.claim(claim("a"))
    assert isinstance(await store.submit(new_row(queue_limit=2)), OperationRow)


async def test_claims_at_the_same_time_share_no_row(store: OperationStore, new_row: MakeRow) -> None:
    """However many claim, each row goes to one of them."""
    for i in range(12):
        await submit(store, new_row(host=f"hv{i % 4}"))
    taken = await asyncio.gather(*(store.claim(claim(f"owner-{i}", most=3)) for i in range(6)))
    ids = [row.id for rows in taken for row in rows]
    assert len(ids) == len(set(ids)) == 12


async def test_each_claim_raises_the_epoch_and_keeps_the_start(
    store: OperationStore, new_row: MakeRow, clock: SimpleNamespace
) -> None:
    """A second claim has a new epoch; start and deadline are those of the first."""
    await submit(store, new_row())
    (first,) = await store.claim(claim("a"))
    assert (first.epoch, first.state, first.start_time, first.deadline) == (
        1,
        "running",
        clock.now,
        clock.now + 600,
    )
    await store.release("a")
    clock.now += 50
    (second,) = await store.claim(claim("b"))
    assert (second.epoch, second.start_time, second.deadline) == (2, first.start_time, first.deadline)


async def test_a_lease_ends_by_the_databases_clock(
    store: OperationStore, new_row: MakeRow, clock: SimpleNamespace
) -> None:
    """A row is free for others once its lease is over by the database's clock, and not before."""
    await submit(store, new_row())
    await store.claim(claim("a", lease=30.0))
    clock.now += 29
    assert await store.claim(claim("b")) == []
    await store.renew("a", 30.0)
    clock.now += 29
    assert await store.claim(claim("b")) == []
    clock.now += 2
    assert await store.claim(claim("a")) == []
    assert [row.epoch for row in await store.claim(claim("b"))] == [2]
    assert await store.renew("a", 30.0) == []


async def test_a_write_behind_the_fence_changes_nothing(
    store: OperationStore, new_row: MakeRow, clock: SimpleNamespace
) -> None:
    """After another claim the earlier owner's writes hit no row and add no event."""
    await submit(store, new_row())
    (old,) = await store.claim(claim("a"))
    clock.now += 31
    (new,) = await store.claim(claim("b"))
    assert await store.write(fence(old), Patch(state="failed", target="vms/x"), [{"log": {}}]) is None
    assert not await store.held(fence(old))
    assert await store.held(fence(new))
    found = await store.get(old.id)
    assert found is not None
    assert (found.state, found.target, found.last_sequence, found.version) == ("running", "", 0, new.version)


async def test_an_ended_row_takes_no_more_writes(store: OperationStore, new_row: MakeRow) -> None:
    """The end is written once; its shell is gone, its time stands."""
    await submit(store, new_row())
    (row,) = await store.claim(claim("a"))
    await store.write(fence(row), Patch(shell={"id": 1}))
    written = await store.write(fence(row), Patch(state="succeeded", result={"ok": True}))
    assert written is not None
    assert (written[0].state, written[0].result, written[0].shell, written[0].owner) == (
        "succeeded", {"ok": True}, None, None,
    )  # fmt: skip
    assert written[0].end_time is not None
    assert await store.write(fence(row), Patch(state="failed")) is None
    assert await store.claim(claim("b")) == []


async def test_room_is_given_to_the_oldest_and_fairly(store: OperationStore, new_row: MakeRow) -> None:
    """Each host gets its limit, oldest first; with little to claim the hosts take turns; groups do not block each other."""
    for i in range(6):
        await submit(store, new_row(id=f"a{i}", host="hv1"))
    for i in range(2):
        await submit(store, new_row(id=f"b{i}", host="hv2"))
    await submit(store, new_row(id="c0", host="hv1", slots="changes", kind="delete"))
    first = await store.claim(claim("x", most=3))
    assert [row.id for row in first] == ["a0", "b0", "c0"]
    rest = await store.claim(claim("x", most=10))
    assert [row.id for row in rest] == ["a1", "b1", "a2", "a3"]
    assert await store.claim(claim("x")) == []
    waiting = await store.get("a5")
    assert waiting is not None
    assert waiting.position == 1


async def test_begun_work_comes_first_and_keeps_its_slot(
    store: OperationStore, new_row: MakeRow, clock: SimpleNamespace
) -> None:
    """Work that was given back is claimed again before fresh work, and nobody gets its slot in between."""
    for i in range(3):
        await submit(store, new_row(id=f"a{i}"))
    one = {"jobs": 1}
    (row,) = await store.claim(claim("x", slots=one))
    await store.write(fence(row), Patch(give_back_in=10.0, waiting_for="the host"))
    assert await store.claim(claim("x", slots=one)) == []
    clock.now += 11
    assert [row.id for row in await store.claim(claim("x", slots=one))] == ["a0"]


async def test_work_is_given_back_until_its_deadline_at_most(
    store: OperationStore, new_row: MakeRow, clock: SimpleNamespace
) -> None:
    """A pause ends at the deadline, so that the deadline is kept."""
    await submit(store, new_row(timeout=5.0))
    (row,) = await store.claim(claim("x"))
    await store.write(fence(row), Patch(give_back_in=100.0))
    clock.now += 5
    assert len(await store.claim(claim("x"))) == 1


async def test_a_kind_or_phase_that_is_not_known_is_left_alone(
    store: OperationStore, new_row: MakeRow
) -> None:
    """Such rows are not claimed, and reported."""
    await submit(store, new_row(id="u", kind="migrate"))
    assert not (await store.look("x", ["create"])).claimable
    assert await store.claim(claim("x")) == []
    assert await store.unknown(["create"]) == ["u"]
    assert await store.unknown(["create", "migrate"]) == []


async def test_cancel_ends_what_never_began_and_marks_what_did(
    store: OperationStore, new_row: MakeRow
) -> None:
    """Queued: ended at once. Running: a flag that the owner reads with its renewal. Ended: nothing. Unknown: None."""
    await submit(store, new_row(id="q"))
    queued = await store.cancel("q", {"id": "X"})
    assert queued is not None
    assert (queued.state, queued.error) == ("cancelled", {"id": "X"})
    await submit(store, new_row(id="r"))
    await store.claim(claim("x"))
    running = await store.cancel("r", {"id": "X"})
    assert running is not None
    assert (running.state, running.cancel, running.error) == ("running", True, None)
    assert [held.cancel for held in await store.renew("x", 30.0)] == [True]
    ended = await store.cancel("q", {"id": "Y"})
    assert ended == queued
    assert await store.cancel("nobody", {}) is None


async def test_undo_is_a_phase_with_its_own_deadline(
    store: OperationStore, new_row: MakeRow, clock: SimpleNamespace
) -> None:
    """The phase and its deadline outlive the owner."""
    await submit(store, new_row())
    (row,) = await store.claim(claim("x"))
    await store.write(fence(row), Patch(undo_in=90.0, error={"id": "E"}))
    await store.release(None)
    (again,) = await store.claim(claim("y"))
    assert (again.phase, again.state, again.undo_deadline, again.error) == (
        "undo", "undoing", clock.now + 90, {"id": "E"},
    )  # fmt: skip


async def test_events_are_numbered_without_gaps(store: OperationStore, new_row: MakeRow) -> None:
    """Numbers go on over writes and owners; a page and the tail give them in order."""
    row = await submit(store, new_row(warnings=[{"reason": "R"}]))
    (row,) = await store.claim(claim("x"))
    for i in range(3):
        await store.write(fence(row), Patch(), [{"log": {"i": i}}, {"log": {"i": i, "more": True}}])
    found = await store.events(row.id, 2, 3)
    assert found is not None
    assert (found[1], [event.n for event in found[2]], found[0].last_sequence) == (1, [3, 4, 5], 7)
    tail = await store.tail(row.id, 2)
    assert tail is not None
    assert [event.n for event in tail[2]] == [6, 7]
    assert await store.events("nobody", 0, 1) is None


async def test_overdue_are_those_that_never_began(
    store: OperationStore, new_row: MakeRow, clock: SimpleNamespace
) -> None:
    """The queue's time counts until the start alone."""
    await submit(store, new_row(id="a"))
    await store.claim(claim("x"))
    await submit(store, new_row(id="b"))
    clock.now += 61
    assert (await store.look("x", ["create"])).overdue == ["b"]
    assert (await store.end_queued("b", {"id": "Q"})) is not None
    assert await store.end_queued("a", {"id": "Q"}) is None


async def test_list_filters_and_pages(store: OperationStore, new_row: MakeRow) -> None:
    """Newest first; each filter narrows; a page goes on below the last."""
    for i in range(3):
        await submit(store, new_row(id=f"a{i}", host="hv1", target=f"vms/{i}"))
    await submit(store, new_row(id="b", host="hv2", vm_name="Web", kind="delete", principal="you"))
    await store.cancel("a0", {})

    async def ids(**query: Any) -> list[str]:
        return [row.id for row in await store.select(Query(**query))]

    assert await ids() == ["b", "a2", "a1", "a0"]
    assert await ids(ended=True) == ["a0"]
    assert await ids(ended=False, hosts=["hv1"]) == ["a2", "a1"]
    assert await ids(vm_name="WEB") == await ids(kind="delete") == await ids(principal="you") == ["b"]
    assert await ids(target="vms/1") == ["a1"]
    page = await store.select(Query(limit=2))
    assert await ids(before=page[-1].seq) == ["a1", "a0"]
    counts = {count.host: (count.running, count.queued) for count in await store.counts()}
    assert counts == {"hv1": (0, 2), "hv2": (0, 1)}


async def test_prune_takes_old_ended_operations_with_their_events(
    store: OperationStore, new_row: MakeRow, clock: SimpleNamespace
) -> None:
    """Open ones stay, however old."""
    await submit(store, new_row(id="old", warnings=[{"reason": "R"}]))
    await store.cancel("old", {})
    await submit(store, new_row(id="open"))
    clock.now += 100
    await submit(store, new_row(id="young"))
    await store.cancel("young", {})
    assert await store.prune(50.0) == 1
    assert await store.get("old") is None
    assert {row.id for row in await store.select(Query())} == {"open", "young"}


async def test_versions_rise_with_every_change(store: OperationStore, new_row: MakeRow) -> None:
    """Of two snapshots the one with the higher version is newer."""
    row = await submit(store, new_row())
    (claimed,) = await store.claim(claim("x"))
    written = await store.write(fence(claimed), Patch(target="vms/1"))
    assert written is not None
    assert row.version < claimed.version < written[0].version
    assert await store.versions([row.id, "nobody"]) == {row.id: written[0].version}
