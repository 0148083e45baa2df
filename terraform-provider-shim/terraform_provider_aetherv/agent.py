"""The agent as the provider's resources use it: the only importer of ``aetherv.client``.

Calls have deadlines and are made again while only the connection failed; waiting logs one line a step.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeVar

from aetherv.client import AgentError, Client, Settings, SettingsError, from_status, open_client
from aetherv.settings import resolve
from aetherv.v1 import operation_pb2, operation_service_pb2, vm_pb2, vm_service_pb2

if TYPE_CHECKING:
    from google.longrunning import operations_pb2

__all__ = ["Agent", "AgentError", "Outcome", "SettingsError", "open_agent", "resolve"]

_LOG = logging.getLogger(__name__)
_T = TypeVar("_T")
# How long a lost connection is tried again: a look is soon told apart from an agent that is away, a change is worth more.
_LOOK_PATIENCE: Final = 3.0
_CHANGE_PATIENCE: Final = 15.0
_BACKOFF: Final = 0.4
# A cancelled operation takes back what it made; the agent bounds that itself.
_CANCEL_GRACE: Final = 600.0
# The operation's own deadline, which does not count queueing, ends it through undo. This is a net below that.
_QUEUE_AND_UNDO: Final = 4 * 3600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """Where an operation stands when the provider stops following it.

    Attributes:
        name: ``operations/...``.
        done: whether it has ended; if not, it goes on.
        error: why it failed; None: it did not, or is not done.
        vm: the VM that it made.
        facts: what it says of itself.
        lost: why it could not be followed to its end; None: it was.
    """

    name: str
    done: bool
    error: AgentError | None
    vm: vm_pb2.Vm | None
    facts: operation_pb2.VmOperationMetadata
    lost: AgentError | None = None


def open_agent(settings: Settings, stop_event: threading.Event) -> Agent:
    """Make an agent of complete settings; nothing is sent yet."""
    return Agent(open_client(settings), stop_event)


class Agent:
    """One agent; used by several threads at once.

    Args:
        client: the connection.
        stop_event: set when Terraform asks to stop.
    """

    def __init__(self, client: Client, stop_event: threading.Event) -> None:
        self._client = client
        self._stop_event = stop_event
        self.endpoint = client.endpoint

    def close(self) -> None:
        """Close the connection."""
        self._client.close()

    def check_create(self, request: vm_service_pb2.CreateVmRequest) -> list[operation_pb2.Warning]:
        """Have a create checked; nothing is made.

        Returns:
            What the user should know.

        Raises:
            AgentError: why it can't be made, or that the agent can't be reached.
        """
        request.validate_only = True
        answer = self._again(_LOOK_PATIENCE, lambda: self._client.vms.CreateVm(request))
        return list(_facts(answer).warnings)

    def create(self, request: vm_service_pb2.CreateVmRequest) -> operations_pb2.Operation:
        """Submit a create; the request id makes a second try of the same request harmless.

        Raises:
            AgentError: it is refused, or nobody knows.
        """
        return self._again(_CHANGE_PATIENCE, lambda: self._client.vms.CreateVm(request))

    def delete(self, request: vm_service_pb2.DeleteVmRequest) -> operations_pb2.Operation | None:
        """Submit a delete; None: the VM is gone already.

        Raises:
            AgentError: it is refused, or nobody knows.
        """
        try:
            return self._again(_CHANGE_PATIENCE, lambda: self._client.vms.DeleteVm(request))
        except AgentError as error:
            if _definitely_gone(error):
                return None
            raise

    def read(self, vm_id: str, *, host_hint: str, timeout: float, fresh: bool = False) -> vm_pb2.Vm | None:
        """Read a VM; None: every host that could have it says that it has not.

        Args:
            vm_id: Hyper-V's GUID in lower case.
            host_hint: the host that had it last, or empty.
            timeout: seconds.
            fresh: the host is asked, however new the agent's knowledge is.

        Raises:
            AgentError: nobody knows.
        """
        request = vm_service_pb2.ReadVmRequest(name=f"vms/{vm_id}", host_hint=host_hint)
        if fresh:
            request.max_age.SetInParent()
        try:
            return self._again(_LOOK_PATIENCE, lambda: self._client.vms.ReadVm(request, timeout=timeout))
        except AgentError as error:
            if _definitely_gone(error):
                return None
            raise

    def operation(self, name: str) -> Outcome:
        """Look where an operation stands.

        Raises:
            AgentError: it is not known, or the agent can't be reached.
        """
        return _outcome(self._again(_LOOK_PATIENCE, lambda: self._client.get_operation(name)))

    def cancel(self, name: str) -> None:
        """Ask for an operation's cancel.

        Raises:
            AgentError: it is not known, or the agent can't be reached.
        """
        self._again(_LOOK_PATIENCE, lambda: self._client.cancel_operation(name))

    def follow(
        self,
        operation: operations_pb2.Operation | str,
        *,
        label: str,
        timeout: float,
        until_step: str = "",
    ) -> Outcome:
        """Follow an operation to its end, or to the end of one step; a stop of Terraform cancels it.

        Args:
            operation: the operation or its name.
            label: what it is about, for log lines.
            timeout: seconds of work that the operation has; queueing and undo come on top of it.
            until_step: stop following once this step is done.
        """
        name = operation if isinstance(operation, str) else operation.name
        progress = _Progress(label, name)

        def reached(event: operation_service_pb2.OperationEvent) -> bool:
            ended = event.step.state in {operation_pb2.Step.STATE_DONE, operation_pb2.Step.STATE_SKIPPED}
            return bool(until_step) and event.step.step == until_step and ended

        try:
            ended = self._client.wait(
                operation,
                on_event=progress.tell,
                until=reached if until_step else None,
                cancel_event=self._stop_event,
                timeout=timeout + _QUEUE_AND_UNDO,
                cancel_grace=_CANCEL_GRACE,
            )
        except AgentError as error:
            return Outcome(
                name=name,
                done=False,
                error=None,
                vm=None,
                facts=self._last_facts(name),
                lost=error,
            )
        return _outcome(ended)

    def _last_facts(self, name: str) -> operation_pb2.VmOperationMetadata:
        try:
            return _facts(self._client.get_operation(name, timeout=5.0))
        except AgentError:
            return operation_pb2.VmOperationMetadata()

    def _again(self, patience: float, call: Callable[[], _T]) -> _T:
        """Make a call again while only the connection fails."""
        end = time.monotonic() + patience
        pause = _BACKOFF
        while True:
            try:
                return call()
            except AgentError as error:
                late = time.monotonic() + pause > end
                if not error.transient or late or self._stop_event.wait(pause):
                    raise
            pause *= 2


class _Progress:
    """Logs what an operation does, one line a step."""

    def __init__(self, label: str, operation: str) -> None:
        self._label = label
        self._operation = operation
        self._told: set[tuple[str, int, int]] = set()

    def tell(self, event: operation_service_pb2.OperationEvent) -> None:
        kind = event.WhichOneof("event")
        if kind == "step":
            step = event.step
            if (key := (step.step, step.state, step.attempt)) not in self._told:
                self._told.add(key)
                state = operation_pb2.Step.State.Name(step.state).removeprefix("STATE_").lower()
                self._line(logging.INFO, f"{step.step} {state}", step.message)
        elif kind == "warning":
            self._line(logging.WARNING, event.warning.reason, event.warning.message)
        elif kind == "log":
            level = (
                logging.DEBUG if event.log.level <= operation_service_pb2.Log.LEVEL_DEBUG else logging.INFO
            )
            self._line(level, "log", event.log.message)

    def _line(self, level: int, what: str, message: str) -> None:
        text = f"{self._label}: {what}" + (f": {message}" if message else "")
        _LOG.log(level, "%s", text, extra={"fields": {"operation": self._operation}})


def _definitely_gone(error: AgentError) -> bool:
    # Only the agent's own word: a proxy's or router's NOT_FOUND has no such reason.
    return error.code == "NOT_FOUND" and error.reason == "VM_NOT_FOUND"


def _facts(operation: operations_pb2.Operation) -> operation_pb2.VmOperationMetadata:
    facts = operation_pb2.VmOperationMetadata()
    operation.metadata.Unpack(facts)
    return facts


def _outcome(operation: operations_pb2.Operation) -> Outcome:
    vm = vm_pb2.Vm()
    made = operation.done and operation.HasField("response") and operation.response.Unpack(vm)
    return Outcome(
        name=operation.name,
        done=operation.done,
        error=from_status(operation.error) if operation.done and operation.HasField("error") else None,
        vm=vm if made else None,
        facts=_facts(operation),
    )
