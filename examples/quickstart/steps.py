"""Prints the steps of the agent's operations as they happen, between Terraform's lines."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from typing import Self

from aetherv.client import AgentError, Client, connect
from aetherv.v1 import operation_pb2, operation_service_pb2
from google.longrunning import operations_pb2

_POLL = 0.1
_PATIENCE = 5.0
_END_SECONDS = 10.0
_STEP = operation_pb2.Step
_VERB = operation_pb2.VmOperationMetadata.Verb
_SAID = {
    _STEP.STATE_DONE: "done",
    _STEP.STATE_SKIPPED: "skipped",
    _STEP.STATE_FAILED: "failed",
    _STEP.STATE_UNDONE: "taken back",
}


class StepPrinter:
    """Watches every operation that begins while it is entered.

    Args:
        environ: the client's ``AETHERV_*`` variables.
        show: prints a line.
    """

    def __init__(self, environ: Mapping[str, str], show: Callable[[str], None]) -> None:
        self._environ = environ
        self._show = show
        self._seen: dict[str, operation_pb2.VmOperationMetadata] = {}
        self._said: dict[str, str] = {}
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def __enter__(self) -> Self:
        """Begin to watch."""
        self._stop.clear()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """End."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join(_END_SECONDS)

    def summary(self) -> Iterator[str]:
        """Yield a line for each operation and each of its steps."""
        for metadata in self._seen.values():
            verb = _VERB.Name(metadata.verb).removeprefix("VERB_").lower()
            total = metadata.end_time.ToMilliseconds() - metadata.create_time.ToMilliseconds()
            yield f"{verb} {metadata.vm_name} on {metadata.host}: {total / 1000:.2f} s"
            for step in metadata.steps:
                took = (step.end_time.ToMilliseconds() - step.start_time.ToMilliseconds()) / 1000
                yield f"  {step.step:<14} {took:6.2f} s  {_bytes(step)}".rstrip()

    def _watch(self) -> None:
        try:
            with connect(environ=self._environ) as client:
                last = False
                while not last:
                    # Once more after the end: a short operation may have begun since the last look.
                    last = self._stop.wait(_POLL)
                    self._look(client)
        except AgentError as error:
            self._show(f"The steps can't be followed: {error}")
        except BrokenPipeError:
            return  # nobody reads; the demo notices it too

    def _look(self, client: Client) -> None:
        request = operations_pb2.ListOperationsRequest(name="operations")
        for operation in client.operations.ListOperations(request).operations:
            if operation.name not in self._seen:
                self._said.clear()
                ended = client.wait(operation.name, on_event=self._event, timeout=300, patience=_PATIENCE)
                metadata = operation_pb2.VmOperationMetadata()
                ended.metadata.Unpack(metadata)
                self._seen[operation.name] = metadata

    def _event(self, event: operation_service_pb2.OperationEvent) -> None:
        if event.WhichOneof("event") == "step":
            text = f"{_SAID.get(event.step.state, '...')} {_bytes(event.step)}".rstrip()
            # What a step says of itself is for logs: a line says something new.
            if self._said.get(event.step.step) != text:
                self._said[event.step.step] = text
                self._show(f"{event.step.step} {text}")
        elif event.WhichOneof("event") == "warning":
            self._show(f"warning: {event.warning.message}")


def _bytes(step: operation_pb2.Step) -> str:
    if not step.total_bytes:
        return ""
    return f"{step.done_bytes / 1e6:.1f} of {step.total_bytes / 1e6:.1f} MB"
