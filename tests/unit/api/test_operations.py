"""Operations as clients read, wait for, watch and cancel them."""

from __future__ import annotations

import asyncio
import dataclasses
from typing import Any

import grpc
import pytest
from aetherv.v1 import operation_pb2, operation_service_pb2, vm_pb2
from aetherv_agent.core.errors import AethervError, Leftover, Violation
from aetherv_agent.operations.model import Event, Level, LogLine, Notice, Operation, State, Step, StepState
from google.longrunning import operations_pb2
from google.protobuf.duration_pb2 import Duration
from google.protobuf.empty_pb2 import Empty
from google.rpc import error_details_pb2, status_pb2
from support.api_fakes import ADMIN, GUID, NOW, Serve, Served, Stubs, make_operation, refusal

RAW_VM = {
    "id": GUID.upper(),
    "name": "web01",
    "state": "running",
    "memory_bytes": 4 * 1024**3,
    "dynamic_memory": False,
    "cpu_count": 2,
    "vlan_id": 0,
    "switch": "External",
    "clustered": False,
    "notes": "",
    "mark": None,
    "adapters": [],
    "disks": [],
    "path": "C:\\VMs\\web01",
    "create_time": NOW.isoformat(),
    "uptime_seconds": 1,
    "replica": False,
}


def metadata_of(operation: operations_pb2.Operation) -> operation_pb2.VmOperationMetadata:
    """Return an operation's metadata."""
    about = operation_pb2.VmOperationMetadata()
    assert operation.metadata.Unpack(about)
    return about


async def get(stubs: Stubs, operation: Operation) -> operations_pb2.Operation:
    """Read an operation."""
    request = operations_pb2.GetOperationRequest(name=operation.name)
    answer: operations_pb2.Operation = await stubs.operations.GetOperation(request, metadata=ADMIN)
    return answer


async def test_metadata_tells_all_of_a_running_operation(served: Served, stubs: Stubs) -> None:
    """Every field of the engine's operation has its place."""
    operation = served.operations.add(
        make_operation(
            state=State.CANCELLING,
            steps=(Step("copy_image", StepState.RUNNING, 2, NOW, None, 5, 10, "copies"),),
            warnings=(Notice("FIELD_DROPPED", "is not used", "vm.notes"),),
            leftovers=(Leftover("vm", "hv01", "p", "m"),),
            start_time=NOW,
            deadline=NOW,
            cancel_requested=True,
            request_id="r",
            queue_position=3,
            last_sequence=7,
            waiting_for="the host",
            target=f"vms/{GUID}",
        )
    )
    answer = await get(stubs, operation)
    about = metadata_of(answer)
    assert not answer.done
    assert about.verb == about.VERB_CREATE
    assert about.state == about.STATE_CANCELLING
    (step,) = about.steps
    assert (step.step, step.state, step.attempt) == ("copy_image", step.STATE_RUNNING, 2)
    assert (step.done_bytes, step.total_bytes, step.message) == (5, 10, "copies")
    assert step.start_time.ToDatetime(NOW.tzinfo) == NOW
    assert not step.HasField("end_time")
    assert (about.warnings[0].reason, about.warnings[0].field) == ("FIELD_DROPPED", "vm.notes")
    assert about.leftovers[0].kind == "vm"
    assert (about.queue_position, about.last_sequence, about.waiting_for) == (3, 7, "the host")
    assert (about.cancel_requested, about.principal, about.target) == (True, "ops", f"vms/{GUID}")


async def test_a_succeeded_create_answers_the_vm_and_a_delete_answers_empty(
    served: Served, stubs: Stubs
) -> None:
    """The response's type is the RPC's own; the VM names the operation that made it."""
    result = {"vm": RAW_VM, "time": NOW.isoformat(), "host": "hv01"}
    created = served.operations.add(make_operation(state=State.SUCCEEDED, result=result, end_time=NOW))
    answer = await get(stubs, created)
    vm = vm_pb2.Vm()
    assert answer.done
    assert answer.response.Unpack(vm)
    assert (vm.name, vm.host, vm.operation) == (f"vms/{GUID}", "hv01", created.name)
    deleted = served.operations.add(make_operation(kind="delete", state=State.SUCCEEDED, result={}))
    assert (await get(stubs, deleted)).response.Is(Empty.DESCRIPTOR)


async def test_a_failed_operation_tells_its_error_with_details(served: Served, stubs: Stubs) -> None:
    """Operation.error is the same status that an RPC would have had."""
    error = AethervError("GUEST_FAILED", "The guest said no.", host_answered=True, metadata={"host": "hv01"})
    failed = served.operations.add(make_operation(state=State.FAILED, error=error))
    answer = await get(stubs, failed)
    assert answer.error.code == grpc.StatusCode.FAILED_PRECONDITION.value[0]
    info = error_details_pb2.ErrorInfo()
    assert answer.error.details[0].Unpack(info)
    assert info.reason == "GUEST_FAILED"
    cancelled = make_operation(
        state=State.CANCELLED, error=AethervError("OPERATION_CANCELLED", "It was cancelled.")
    )
    served.operations.add(cancelled)
    assert (await get(stubs, cancelled)).error.code == grpc.StatusCode.CANCELLED.value[0]


@pytest.mark.parametrize(
    "name", ["", "x", "operations/", "operations/x", f"vms/{GUID}", f"operations/{GUID}/x"]
)
async def test_malformed_names_are_invalid_with_their_field(stubs: Stubs, name: str) -> None:
    """A name of another form is INVALID_ARGUMENT, not NOT_FOUND."""
    error: Any = await refusal(
        stubs.operations.GetOperation(operations_pb2.GetOperationRequest(name=name), metadata=ADMIN)
    )
    assert error.code() is grpc.StatusCode.INVALID_ARGUMENT
    status = status_pb2.Status.FromString(dict(error.trailing_metadata())["grpc-status-details-bin"])
    bad = error_details_pb2.BadRequest()
    assert status.details[1].Unpack(bad)
    assert [violation.field for violation in bad.field_violations] == ["name"]


async def test_list_filters_and_pages(served: Served, stubs: Stubs) -> None:
    """Filters reach the engine; a page's token comes from it, and is good for its own filter alone."""
    for _ in range(3):
        served.operations.add(make_operation())
    request = operations_pb2.ListOperationsRequest(
        filter='done = false AND host = "hv01" AND kind = create', page_size=2
    )
    answer = await stubs.operations.ListOperations(request, metadata=ADMIN)
    assert len(answer.operations) == 2
    request.page_token = answer.next_page_token
    await stubs.operations.ListOperations(request, metadata=ADMIN)
    assert served.operations.tokens == ["", "more"]
    other = operations_pb2.ListOperationsRequest(page_token=answer.next_page_token)
    error = await refusal(stubs.operations.ListOperations(other, metadata=ADMIN))
    assert error.code() is grpc.StatusCode.INVALID_ARGUMENT
    served.operations.filters.pop()
    (where,) = served.operations.filters
    assert (where.done, where.hosts, where.kind) == (False, frozenset({"hv01"}), "create")
    for text in (
        "done = perhaps",
        'host = "hv*"',
        "host = hv01 AND host = hv02",
        "colour = red",
        "host hv01",
    ):
        bad = operations_pb2.ListOperationsRequest(filter=text)
        error = await refusal(stubs.operations.ListOperations(bad, metadata=ADMIN))
        assert error.code() is grpc.StatusCode.INVALID_ARGUMENT
    error = await refusal(
        stubs.operations.ListOperations(operations_pb2.ListOperationsRequest(page_size=-1), metadata=ADMIN)
    )
    assert error.code() is grpc.StatusCode.INVALID_ARGUMENT


async def test_wait_answers_before_its_own_time_and_the_clients(served: Served, stubs: Stubs) -> None:
    """An operation that goes on is answered as it stands, before the client's deadline loses the answer."""
    operation = served.operations.add(make_operation())
    short = operations_pb2.WaitOperationRequest(name=operation.name, timeout=Duration(nanos=1_000_000))
    assert not (await stubs.operations.WaitOperation(short, metadata=ADMIN)).done
    long = operations_pb2.WaitOperationRequest(name=operation.name)
    assert not (await stubs.operations.WaitOperation(long, metadata=ADMIN, timeout=1.0)).done


async def test_cancel_reaches_the_engine_and_delete_is_unimplemented(served: Served, stubs: Stubs) -> None:
    """A cancel is asked and answered at once; operations can't be deleted."""
    operation = served.operations.add(make_operation())
    await stubs.operations.CancelOperation(
        operations_pb2.CancelOperationRequest(name=operation.name), metadata=ADMIN
    )
    assert served.operations.cancelled == [operation.id]
    error = await refusal(
        stubs.operations.DeleteOperation(
            operations_pb2.DeleteOperationRequest(name=operation.name), metadata=ADMIN
        )
    )
    assert error.code() is grpc.StatusCode.UNIMPLEMENTED


def watch(stubs: Stubs, operation: Operation, after: int = 0) -> Any:
    """Begin to watch an operation."""
    request = operation_service_pb2.WatchOperationRequest(name=operation.name, after_sequence=after)
    return stubs.watcher.WatchOperation(request, metadata=ADMIN)


async def test_a_watch_tells_every_kind_of_event_and_ends_with_the_operation(
    served: Served, stubs: Stubs
) -> None:
    """Events come in order with their numbers; the last is the finished operation."""
    operation = served.operations.add(make_operation())
    queue = served.operations.events[operation.id]
    ended = dataclasses.replace(
        operation,
        state=State.FAILED,
        error=AethervError("FIELD_INVALID", "No.", violations=(Violation("a", "b"),)),
    )
    bodies: tuple[Step | LogLine | Notice, ...] = (
        Step("copy_image", StepState.DONE),
        LogLine(Level.WARNING, "look"),
        Notice("R", "m", "f"),
    )
    for number, body in enumerate(bodies, start=1):
        queue.put_nowait(Event(number, NOW, body))
    queue.put_nowait(Event(3, NOW, ended))
    events = [event async for event in watch(stubs, operation)]
    assert [(event.sequence, event.WhichOneof("event")) for event in events] == [
        (1, "step"),
        (2, "log"),
        (3, "warning"),
        (3, "operation"),
    ]
    assert events[1].log.level == operation_service_pb2.Log.LEVEL_WARNING
    assert events[-1].operation.done
    assert events[-1].operation.error.code == grpc.StatusCode.INVALID_ARGUMENT.value[0]


async def test_a_silent_watch_gets_heartbeats_that_repeat_the_newest_number(serve: Serve) -> None:
    """While nothing happens the stream says that it lives, and what the operation waits for."""
    served = await serve(heartbeat=0.02)
    async with served.channel() as channel:
        operation = served.operations.add(make_operation(waiting_for="room"))
        stream = watch(Stubs(channel), operation, after=4)
        first = await stream.read()
        second = await stream.read()
        stream.cancel()
    for event in (first, second):
        assert event.WhichOneof("event") == "heartbeat"
        assert (event.sequence, event.heartbeat.waiting_for) == (4, "room")


async def test_pruned_events_are_out_of_range(served: Served, stubs: Stubs) -> None:
    """A watcher that comes too late learns it."""
    operation = served.operations.add(make_operation())
    served.operations.events[operation.id].put_nowait(AethervError("EVENTS_PRUNED", "They are gone."))
    error = await refusal(watch(stubs, operation).read())
    assert error.code() is grpc.StatusCode.OUT_OF_RANGE
    negative = await refusal(watch(stubs, operation, after=-1).read())
    assert negative.code() is grpc.StatusCode.INVALID_ARGUMENT


async def test_at_a_stop_watches_and_waits_end_with_unavailable_and_retry_info(
    served: Served, stubs: Stubs
) -> None:
    """Who watches when the agent stops is told to come back; changes are refused the same way."""
    operation = served.operations.add(make_operation())
    served.operations.events[operation.id].put_nowait(Event(1, NOW, LogLine(Level.INFO, "begun")))
    stream = watch(stubs, operation)
    await stream.read()
    waiting = asyncio.ensure_future(
        refusal(
            stubs.operations.WaitOperation(
                operations_pb2.WaitOperationRequest(name=operation.name), metadata=ADMIN
            )
        )
    )
    await served.operations.waited.wait()
    served.api.lifecycle.stop()
    cancel = stubs.operations.CancelOperation(
        operations_pb2.CancelOperationRequest(name=operation.name), metadata=ADMIN
    )
    for error in (await refusal(stream.read()), await waiting, await refusal(cancel)):
        assert error.code() is grpc.StatusCode.UNAVAILABLE
        raw: Any = dict(error.trailing_metadata())["grpc-status-details-bin"]
        kinds = [detail.TypeName() for detail in status_pb2.Status.FromString(raw).details]
        assert kinds == ["google.rpc.ErrorInfo", "google.rpc.RetryInfo"]
    assert not served.operations.cancelled


async def test_a_client_that_goes_away_ends_its_watch(served: Served, stubs: Stubs) -> None:
    """Nothing of a cancelled watch is left running."""
    operation = served.operations.add(make_operation())
    served.operations.events[operation.id].put_nowait(Event(1, NOW, LogLine(Level.INFO, "begun")))
    stream = watch(stubs, operation)
    await stream.read()
    assert served.operations.watching == 1
    stream.cancel()
    async with asyncio.timeout(10):
        await served.operations.unwatched.wait()


async def test_half_a_surrogate_pair_of_a_host_breaks_nothing(served: Served, stubs: Stubs) -> None:
    """A host's JSON may hold text that protobuf refuses; the operation can be read all the same."""
    half = "a\ud800b"
    raw = RAW_VM | {"name": half, "notes": half, "switch": half}
    operation = served.operations.add(
        make_operation(
            state=State.SUCCEEDED,
            result={"vm": raw, "time": NOW.isoformat(), "host": "hv01"},
            steps=(Step("copy_image", StepState.DONE, message=half),),
            warnings=(Notice("R", half),),
            leftovers=(Leftover("vm", "hv01", half, half),),
            waiting_for=half,
        )
    )
    vm = vm_pb2.Vm()
    assert (await get(stubs, operation)).response.Unpack(vm)
    assert vm.vm_name == "a?b"
    failed = served.operations.add(
        make_operation(state=State.FAILED, error=AethervError("GUEST_FAILED", half, host_answered=True))
    )
    assert (await get(stubs, failed)).error.message.startswith("a?b")
