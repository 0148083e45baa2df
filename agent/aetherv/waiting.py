"""Following one operation: its event stream, resumed by sequence number; cancel; deadline. ``Client.wait`` uses it."""

from __future__ import annotations

import queue
import random
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, final

import grpc
from google.longrunning import operations_pb2

from aetherv.errors import AgentError
from aetherv.v1 import operation_pb2, operation_service_pb2

if TYPE_CHECKING:
    from aetherv.client import Client

_POLL: Final = 0.2
_BACKOFF_FIRST: Final = 0.2
_BACKOFF_MOST: Final = 5.0
_QUEUE: Final = 256
# The agent sends a heartbeat every 15 s: a stream that is silent for longer is dead, whatever TCP says.
_SILENCE: Final = 60.0
_CANCEL_CALL: Final = 10.0

Event = operation_service_pb2.OperationEvent


@final
class Waiter:
    """One wait for one operation.

    Args:
        client: the agent's.
        cancel_event: once set, the operation is asked to cancel.
        timeout: seconds of waiting in all; None: as long as it takes.
        cancel_grace: seconds that a cancelled operation may take to end.
        patience: seconds without any sign of the agent after which the wait ends with the connection's error.
    """

    def __init__(
        self,
        client: Client,
        *,
        cancel_event: threading.Event | None,
        timeout: float | None,
        cancel_grace: float,
        patience: float,
    ) -> None:
        self._client = client
        self._cancel_event = cancel_event
        self._deadline = None if timeout is None else time.monotonic() + timeout
        self._grace = cancel_grace
        self._patience = patience
        self._heard = time.monotonic()
        self._cancel_sent = False
        self._grace_set = False
        self._sequence = 0
        self._polling = False

    def run(
        self,
        operation: operations_pb2.Operation | str,
        *,
        on_event: Callable[[Event], None] | None,
        until: Callable[[Event], bool] | None,
    ) -> operations_pb2.Operation:
        """Follow the operation; see ``Client.wait``."""
        name = operation if isinstance(operation, str) else operation.name
        if not isinstance(operation, str) and operation.done:
            return operation
        failures = 0
        while True:
            before = self._sequence
            try:
                finished = self._follow(name, on_event, until)
                if finished is not None:
                    return finished
            except AgentError as error:
                if error.reason == "CLIENT_DEADLINE":
                    raise
                if not error.transient and error.code != "DEADLINE_EXCEEDED":
                    raise
                self._check_deadline(name, error)
                if time.monotonic() - self._heard > self._patience:
                    raise
            failures = 0 if self._sequence > before else failures + 1
            self._pause(name, min(_BACKOFF_FIRST * 2**failures, _BACKOFF_MOST))

    def _follow(
        self,
        name: str,
        on_event: Callable[[Event], None] | None,
        until: Callable[[Event], bool] | None,
    ) -> operations_pb2.Operation | None:
        """Read one stream (or poll once); None: it ended before the operation did."""
        self._cancel_if_asked(name)
        if self._polling:
            return self._poll(name, until)
        request = operation_service_pb2.WatchOperationRequest(name=name, after_sequence=self._sequence)
        stream = _Stream(self._client.watcher.WatchOperation(request))
        silent_since = time.monotonic()
        try:
            while True:
                self._cancel_if_asked(name)
                self._check_deadline(name, None)
                event = stream.next(_POLL)
                if event is None:
                    if time.monotonic() - silent_since > _SILENCE:
                        return None
                    continue
                if isinstance(event, Event):
                    silent_since = self._heard = time.monotonic()
                    finished = self._take(name, event, on_event, until)
                    if finished is not None:
                        return finished
                elif isinstance(event, grpc.RpcError):
                    return self._stream_failed(name, self._client.error_of(event, "WatchOperation"))
                else:
                    return None
        finally:
            stream.close()

    def _take(
        self,
        name: str,
        event: Event,
        on_event: Callable[[Event], None] | None,
        until: Callable[[Event], bool] | None,
    ) -> operations_pb2.Operation | None:
        fresh = event.sequence > self._sequence or event.WhichOneof("event") in {"heartbeat", "operation"}
        self._sequence = max(self._sequence, event.sequence)
        if not fresh:
            return None
        if on_event is not None:
            on_event(event)
        if event.HasField("operation"):
            return event.operation
        if until is not None and until(event):
            return self._client.get_operation(name)
        return None

    def _stream_failed(self, name: str, error: AgentError) -> operations_pb2.Operation | None:
        if error.code == "OUT_OF_RANGE":
            # The events are pruned: the operation itself says where it stands.
            operation = self._client.get_operation(name)
            self._heard = time.monotonic()
            if operation.done:
                return operation
            self._sequence = _metadata(operation).last_sequence
            return None
        if error.code == "UNIMPLEMENTED":
            self._polling = True
            return None
        raise error

    def _poll(self, name: str, until: Callable[[Event], bool] | None) -> operations_pb2.Operation | None:
        operation = self._client.get_operation(name)
        self._heard = time.monotonic()
        if operation.done:
            return operation
        steps = [Event(step=step) for step in _metadata(operation).steps]
        if until is not None and any(until(event) for event in steps):
            return operation
        return None

    def _cancel_if_asked(self, name: str) -> None:
        if self._cancel_event is None or self._cancel_sent or not self._cancel_event.is_set():
            return
        if not self._grace_set:
            # The grace counts from the wish, so that an agent that is away can't stretch it.
            self._grace_set = True
            self._deadline = time.monotonic() + self._grace
        try:
            self._client.cancel_operation(name, timeout=_CANCEL_CALL)
        except AgentError as error:
            if not error.transient and error.code != "DEADLINE_EXCEEDED":
                # It ended meanwhile, or may not be cancelled: its end says which.
                self._cancel_sent = True
                return
            raise
        self._cancel_sent = True

    def _check_deadline(self, name: str, cause: AgentError | None) -> None:
        if self._deadline is None or time.monotonic() < self._deadline:
            return
        why = f" Last error: {cause.message}" if cause is not None else ""
        # With a reason, so that it is told apart from a call that was slow.
        raise AgentError(
            "DEADLINE_EXCEEDED", f"{name} has not ended in time and goes on.{why}", reason="CLIENT_DEADLINE"
        )

    def _pause(self, name: str, seconds: float) -> None:
        end = time.monotonic() + seconds * random.uniform(0.5, 1.0)  # noqa: S311  # jitter, no secret
        while (left := end - time.monotonic()) > 0:
            self._check_deadline(name, None)
            wanted = self._cancel_event is not None and not self._cancel_sent and self._cancel_event.is_set()
            if wanted and not self._grace_set:
                return
            time.sleep(min(left, _POLL))


class _Stream:
    """A server stream read by a thread of its own, so that its reader can look at other things meanwhile."""

    def __init__(self, call: Any) -> None:
        self._call = call
        self._items: queue.Queue[Any] = queue.Queue(_QUEUE)
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._read, name="aetherv-watch", daemon=True)
        self._thread.start()

    def next(self, timeout: float) -> Any:
        """Give the next event, the error that ended the stream, ``Ended`` after its end, or None if nothing came."""
        try:
            return self._items.get(timeout=timeout)
        except queue.Empty:
            return None

    def close(self) -> None:
        self._closed.set()
        self._call.cancel()
        self._thread.join(timeout=5.0)

    def _read(self) -> None:
        try:
            for event in self._call:
                self._put(event)
        except grpc.RpcError as error:
            self._put(error)
        else:
            self._put(Ended)

    def _put(self, item: Any) -> None:
        while not self._closed.is_set():
            try:
                self._items.put(item, timeout=_POLL)
            except queue.Full:
                continue
            return


class Ended:
    """Marks the end of a stream."""


def _metadata(operation: operations_pb2.Operation) -> operation_pb2.VmOperationMetadata:
    metadata = operation_pb2.VmOperationMetadata()
    operation.metadata.Unpack(metadata)
    return metadata
