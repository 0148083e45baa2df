"""Operations and their events as clients read them. Pure."""

from __future__ import annotations

from aetherv.v1 import operation_pb2 as pb
from aetherv.v1 import operation_service_pb2
from aetherv.v1.vm_pb2 import Vm as VmMessage
from google.longrunning import operations_pb2
from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.empty_pb2 import Empty
from google.protobuf.message import Message

from aetherv_agent.api import status
from aetherv_agent.api.convert.basics import clean, timestamp
from aetherv_agent.api.convert.vm import vm_message
from aetherv_agent.core.errors import AethervError
from aetherv_agent.core.rules import Warning as FieldWarning
from aetherv_agent.operations.model import Event, Level, LogLine, Notice, Operation, State, Step, StepState
from aetherv_agent.provisioning.create import vm_of
from aetherv_agent.provisioning.delete import kept_by

Metadata = pb.VmOperationMetadata

_VERBS = {"create": Metadata.VERB_CREATE, "update": Metadata.VERB_UPDATE, "delete": Metadata.VERB_DELETE}
_STATES = {
    State.QUEUED: Metadata.STATE_QUEUED,
    State.RUNNING: Metadata.STATE_RUNNING,
    State.CANCELLING: Metadata.STATE_CANCELLING,
    State.UNDOING: Metadata.STATE_UNDOING,
    State.SUCCEEDED: Metadata.STATE_SUCCEEDED,
    State.FAILED: Metadata.STATE_FAILED,
    State.CANCELLED: Metadata.STATE_CANCELLED,
}
_STEPS = {
    StepState.RUNNING: pb.Step.STATE_RUNNING,
    StepState.DONE: pb.Step.STATE_DONE,
    StepState.SKIPPED: pb.Step.STATE_SKIPPED,
    StepState.FAILED: pb.Step.STATE_FAILED,
    StepState.UNDONE: pb.Step.STATE_UNDONE,
}
_LEVELS = {
    Level.DEBUG: operation_service_pb2.Log.LEVEL_DEBUG,
    Level.INFO: operation_service_pb2.Log.LEVEL_INFO,
    Level.WARNING: operation_service_pb2.Log.LEVEL_WARNING,
    Level.ERROR: operation_service_pb2.Log.LEVEL_ERROR,
}
_TEXT = 4000
_MOST_LEFTOVERS = 200


def operation_message(operation: Operation) -> operations_pb2.Operation:
    """Return an operation with its metadata, and its response or error once it has ended."""
    message = operations_pb2.Operation(
        name=operation.name, metadata=_packed(_metadata(operation)), done=operation.done
    )
    if not operation.done:
        return message
    if operation.error is not None:
        message.error.CopyFrom(status.to_status(operation.error, operation.name))
    elif operation.kind == "delete":
        message.response.CopyFrom(_packed(Empty()))
    else:
        try:
            message.response.CopyFrom(_packed(created_vm(operation)))
        except AethervError as error:
            message.error.CopyFrom(status.to_status(error, operation.name))
    return message


def created_vm(operation: Operation) -> VmMessage:
    """Return the VM that a create has made.

    Raises:
        AethervError: HOST_PROTOCOL_ERROR where the kept result is no VM.
    """
    message = vm_message(vm_of(operation))
    message.operation = operation.name
    return message


def validated_message(
    verb: str, host: str, vm_name: str, target: str, warnings: tuple[FieldWarning, ...], response: Message
) -> operations_pb2.Operation:
    """Return the answer to ``validate_only``: done, without a name."""
    metadata = Metadata(
        verb=_VERBS[verb],
        state=Metadata.STATE_SUCCEEDED,
        target=target,
        vm_name=vm_name,
        host=host,
        warnings=[pb.Warning(reason=w.reason, field=w.field, message=w.message) for w in warnings],
    )
    return operations_pb2.Operation(done=True, metadata=_packed(metadata), response=_packed(response))


def event_message(event: Event) -> operation_service_pb2.OperationEvent:
    """Return an event of an operation."""
    message = operation_service_pb2.OperationEvent(sequence=event.sequence, time=timestamp(event.time))
    match event.body:
        case Step():
            message.step.CopyFrom(_step(event.body))
        case LogLine(level=level, message=text):
            message.log.CopyFrom(operation_service_pb2.Log(level=_LEVELS[level], message=clean(text)[:_TEXT]))
        case Notice():
            message.warning.CopyFrom(_warning(event.body))
        case Operation():
            message.operation.CopyFrom(operation_message(event.body))
    return message


def heartbeat_message(operation: Operation, sequence: int) -> operation_service_pb2.OperationEvent:
    """Return a heartbeat that says where an operation stands; ``sequence`` is the newest one sent."""
    return operation_service_pb2.OperationEvent(
        sequence=sequence,
        time=timestamp(operation.update_time),
        heartbeat=operation_service_pb2.Heartbeat(
            state=_STATES[operation.state], waiting_for=clean(operation.waiting_for)
        ),
    )


def _metadata(operation: Operation) -> Metadata:
    return Metadata(
        verb=_VERBS.get(operation.kind, Metadata.VERB_UNSPECIFIED),
        state=_STATES[operation.state],
        target=operation.target,
        vm_name=operation.vm_name,
        host=operation.host,
        steps=[_step(step) for step in operation.steps],
        warnings=[_warning(notice) for notice in operation.warnings],
        leftovers=[
            pb.Leftover(kind=x.kind, host=x.host, path=clean(x.path), message=clean(x.message)[:_TEXT])
            for x in (*operation.leftovers, *kept_by(operation))[:_MOST_LEFTOVERS]
        ],
        create_time=timestamp(operation.create_time),
        start_time=timestamp(operation.start_time),
        update_time=timestamp(operation.update_time),
        end_time=timestamp(operation.end_time),
        deadline=timestamp(operation.deadline),
        cancel_requested=operation.cancel_requested,
        principal=operation.principal,
        request_id=operation.request_id,
        queue_position=operation.queue_position,
        last_sequence=operation.last_sequence,
        waiting_for=clean(operation.waiting_for),
    )


def _step(step: Step) -> pb.Step:
    return pb.Step(
        step=step.step,
        state=_STEPS[step.state],
        attempt=step.attempt,
        start_time=timestamp(step.start_time),
        end_time=timestamp(step.end_time),
        done_bytes=step.done_bytes,
        total_bytes=step.total_bytes,
        message=clean(step.message)[:_TEXT],
    )


def _warning(notice: Notice) -> pb.Warning:
    return pb.Warning(reason=notice.reason, field=notice.field, message=clean(notice.message)[:_TEXT])


def _packed(message: Message) -> AnyMessage:
    packed = AnyMessage()
    packed.Pack(message)
    return packed
