"""An agent in memory: the services of aetherv.v1 on a loopback port, with faults that a test asks for.

It knows no host and checks next to nothing: it is what the provider and the client are tried against alone.
"""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable, Iterator
from concurrent import futures
from dataclasses import dataclass, field
from typing import Any, Final, Self

import grpc
from aetherv.v1 import (
    host_pb2,
    host_service_pb2,
    host_service_pb2_grpc,
    operation_pb2,
    operation_service_pb2,
    operation_service_pb2_grpc,
    vm_pb2,
    vm_service_pb2,
    vm_service_pb2_grpc,
)
from google.longrunning import operations_pb2, operations_pb2_grpc
from google.protobuf import empty_pb2
from google.rpc import code_pb2, error_details_pb2, status_pb2
from grpc_status import rpc_status

STEPS: Final = (
    "copy_image",
    "copy_iso",
    "register_vm",
    "wait_ready",
    "publish",
    "wait_applied",
    "verify",
    "cleanup_iso",
)
TOKEN: Final = "fake-agent-token-5d1c"
HOST: Final = "hv01"
_WAIT: Final = 60.0


def status(
    code: str,
    reason: str,
    message: str,
    *,
    metadata: dict[str, str] | None = None,
    violations: dict[str, str] | None = None,
) -> status_pb2.Status:
    """Make a ``google.rpc.Status`` as the agent does: ErrorInfo always, BadRequest for wrong fields."""
    made = status_pb2.Status(code=code_pb2.Code.Value(code), message=message)
    details: list[Any] = [
        error_details_pb2.ErrorInfo(domain="aetherv", reason=reason, metadata=metadata or {})
    ]
    if violations:
        bad = error_details_pb2.BadRequest()
        for path, text in violations.items():
            bad.field_violations.add(field=path, description=text)
        details.append(bad)
    for detail in details:
        made.details.add().Pack(detail)
    return made


@dataclass
class Faults:
    """What goes wrong, until a test takes it back.

    Attributes:
        refuse: by method (``CreateVm``, ``ReadVm``, ...), ``validate`` or ``submit``, the status to answer.
        fail_at: by step, the error that ends a create there.
        hold_at: by step, an event that the step waits for (a cancel ends the wait).
        warnings: what each check and create warns of.
        drop_watch: how many watches are cut off after one event.
        undo_leaves: what an undo can't remove.
        ip_addresses: of new VMs.
    """

    refuse: dict[str, status_pb2.Status] = field(default_factory=dict)
    fail_at: dict[str, status_pb2.Status] = field(default_factory=dict)
    hold_at: dict[str, threading.Event] = field(default_factory=dict)
    warnings: list[operation_pb2.Warning] = field(default_factory=list)
    drop_watch: int = 0
    undo_leaves: tuple[operation_pb2.Leftover, ...] = ()
    ip_addresses: tuple[str, ...] = ("192.0.2.10", "2001:db8::10")


class Running:
    """An operation and its events."""

    def __init__(self, verb: operation_pb2.VmOperationMetadata.Verb.ValueType, vm_name: str) -> None:
        self.name = f"operations/{uuid.uuid4()}"
        self.facts = operation_pb2.VmOperationMetadata(
            verb=verb, state=operation_pb2.VmOperationMetadata.STATE_RUNNING, vm_name=vm_name, host=HOST
        )
        self.events: list[operation_service_pb2.OperationEvent] = []
        self.changed = threading.Condition()
        self.cancelled = threading.Event()
        self.done = False
        self.error: status_pb2.Status | None = None
        self.response: Any = None

    def step(self, name: str, state: operation_pb2.Step.State.ValueType) -> None:
        """Let a step come to a state."""
        with self.changed:
            for known in self.facts.steps:
                if known.step == name:
                    known.state = state
                    break
            else:
                self.facts.steps.add(step=name, state=state, attempt=1)
            event = operation_service_pb2.OperationEvent(sequence=len(self.events) + 1)
            event.step.CopyFrom(operation_pb2.Step(step=name, state=state, attempt=1))
            self.events.append(event)
            self.facts.last_sequence = len(self.events)
            self.changed.notify_all()

    def end(self, *, error: status_pb2.Status | None = None, response: Any = None) -> None:
        """End with an error or a response."""
        with self.changed:
            self.error, self.response, self.done = error, response, True
            states = operation_pb2.VmOperationMetadata
            self.facts.state = states.STATE_FAILED if error else states.STATE_SUCCEEDED
            self.changed.notify_all()

    def operation(self) -> operations_pb2.Operation:
        """Give the operation as the API does."""
        with self.changed:
            made = operations_pb2.Operation(name=self.name, done=self.done)
            made.metadata.Pack(self.facts)
            if self.error is not None:
                made.error.CopyFrom(self.error)
            elif self.done:
                made.response.Pack(self.response)
            return made


class FakeAgent:
    """The agent; ``with FakeAgent() as agent`` starts it on ``agent.endpoint``.

    Attributes:
        vms: by id; a test changes them to make drift.
        operations: by name.
        creates: each CreateVm request that was no check, secrets included.
        checks: each CreateVm request with validate_only.
        deletes: each DeleteVm request.
        faults: what goes wrong.
    """

    def __init__(self) -> None:
        self.vms: dict[str, vm_pb2.Vm] = {}
        self.operations: dict[str, Running] = {}
        self.creates: list[vm_service_pb2.CreateVmRequest] = []
        self.checks: list[vm_service_pb2.CreateVmRequest] = []
        self.deletes: list[vm_service_pb2.DeleteVmRequest] = []
        self.reads: list[vm_service_pb2.ReadVmRequest] = []
        self.cancels: list[str] = []
        self.faults = Faults()
        self._by_request: dict[str, Running] = {}
        self._threads: list[threading.Thread] = []
        self._server: grpc.Server | None = None
        self._port = 0

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def endpoint(self) -> str:
        """``host:port``."""
        return f"127.0.0.1:{self._port}"

    @property
    def env(self) -> dict[str, str]:
        """The variables by which a client finds it."""
        return {"AETHERV_ENDPOINT": self.endpoint, "AETHERV_TOKEN": TOKEN, "AETHERV_PLAINTEXT": "true"}

    def start(self) -> None:
        """Listen, after a stop on the same port again."""
        server = grpc.server(
            futures.ThreadPoolExecutor(32, thread_name_prefix="fake-agent"),
            interceptors=[_Gate(self)],
            options=(("grpc.so_reuseport", 0),),
        )
        services = _Services(self)
        vm_service_pb2_grpc.add_VmServiceServicer_to_server(services, server)
        host_service_pb2_grpc.add_HostServiceServicer_to_server(services, server)
        operations_pb2_grpc.add_OperationsServicer_to_server(services, server)
        operation_service_pb2_grpc.add_OperationServiceServicer_to_server(services, server)
        self._port = server.add_insecure_port(f"127.0.0.1:{self._port}")
        server.start()
        self._server = server

    def stop(self) -> None:
        """Stop listening; what it knows stays."""
        if self._server is not None:
            self._server.stop(0).wait(10)
            self._server = None

    def settle(self) -> None:
        """Wait until no operation works."""
        for thread in self._threads:
            thread.join(_WAIT)
            assert not thread.is_alive()

    def add_vm(self, **fields: Any) -> vm_pb2.Vm:
        """Put a VM there that nobody made, and give it."""
        values: dict[str, Any] = {
            "vm_name": "foreign",
            "gb_ram": 2.0,
            "cpu_cores": 1,
            "vlan_id": 0,
            "virtual_switch": "External",
            "vm_clustered": False,
            "power_state": vm_pb2.POWER_STATE_RUNNING,
            "notes": "",
            "host": HOST,
            "state": vm_pb2.Vm.STATE_RUNNING,
            "memory_bytes": 2 * 1024**3,
        }
        vm = vm_pb2.Vm(**{**values, **fields})
        vm.name = vm.name or f"vms/{uuid.uuid4()}"
        self.vms[vm.name.removeprefix("vms/")] = vm
        return vm

    def vm(self, name: str) -> vm_pb2.Vm:
        """Give the only VM of a name."""
        (found,) = [vm for vm in self.vms.values() if vm.vm_name == name]
        return found

    def begin(self, request: vm_service_pb2.CreateVmRequest) -> Running:
        """Start a create."""
        if request.request_id in self._by_request:
            return self._by_request[request.request_id]
        running = Running(operation_pb2.VmOperationMetadata.VERB_CREATE, request.vm.vm_name)
        running.facts.warnings.extend(self.faults.warnings)
        self.operations[running.name] = running
        self._by_request[request.request_id] = running
        self._work(lambda: self._create(request, running))
        return running

    def _work(self, target: Callable[[], None]) -> None:
        thread = threading.Thread(target=target, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _create(self, request: vm_service_pb2.CreateVmRequest, running: Running) -> None:
        vm = made_vm(request, running.name, self.faults.ip_addresses)
        vm_id = vm.name.removeprefix("vms/")
        published = False
        for step in STEPS:
            running.step(step, operation_pb2.Step.STATE_RUNNING)
            error = self._trouble(step, running)
            if error is not None:
                running.step(step, operation_pb2.Step.STATE_FAILED)
                self._undo(request, running, vm, error, published=published)
                return
            if step == "register_vm":
                self.vms[vm_id] = vm
                running.facts.target = vm.name
            published = published or step == "publish"
            running.step(step, operation_pb2.Step.STATE_DONE)
        vm.guest_state = vm_pb2.GUEST_STATE_APPLIED
        running.end(response=vm)

    def _trouble(self, step: str, running: Running) -> status_pb2.Status | None:
        hold = self.faults.hold_at.get(step)
        if hold is not None:
            for _ in range(int(_WAIT / 0.05)):
                if hold.wait(0.05) or running.cancelled.is_set():
                    break
        if running.cancelled.is_set():
            return status("CANCELLED", "OPERATION_CANCELLED", "The operation was cancelled.")
        return self.faults.fail_at.get(step)

    def _undo(
        self,
        request: vm_service_pb2.CreateVmRequest,
        running: Running,
        vm: vm_pb2.Vm,
        error: status_pb2.Status,
        *,
        published: bool,
    ) -> None:
        keep = request.on_failure == vm_service_pb2.FAILURE_POLICY_KEEP
        keep = keep or (published and request.wait_for_guest == vm_service_pb2.GUEST_WAIT_PUBLISHED)
        vm_id = vm.name.removeprefix("vms/")
        if keep and vm_id in self.vms:
            running.facts.leftovers.add(kind="vm", host=HOST, path=r"C:\VMs\x", message="kept as asked")
        elif self.faults.undo_leaves:
            running.facts.leftovers.extend(self.faults.undo_leaves)
        else:
            self.vms.pop(vm_id, None)
        vm.guest_state = vm_pb2.GUEST_STATE_FAILED
        running.end(error=error)

    def remove(self, request: vm_service_pb2.DeleteVmRequest) -> Running:
        """Delete a VM."""
        running = Running(operation_pb2.VmOperationMetadata.VERB_DELETE, "")
        running.facts.target = request.name
        self.operations[running.name] = running

        def work() -> None:
            running.step("remove_vm", operation_pb2.Step.STATE_RUNNING)
            error = self.faults.fail_at.get("remove_vm")
            if error is not None:
                running.end(error=error)
                return
            self.vms.pop(request.name.removeprefix("vms/"), None)
            running.end(response=empty_pb2.Empty())

        self._work(work)
        return running


def made_vm(request: vm_service_pb2.CreateVmRequest, operation: str, addresses: tuple[str, ...]) -> vm_pb2.Vm:
    """Give the VM that a create makes."""
    vm = vm_pb2.Vm()
    vm.CopyFrom(request.vm)
    vm.name = f"vms/{uuid.uuid4()}"
    vm.host = HOST
    vm.operation = operation
    vm.virtual_switch = vm.virtual_switch or "External"
    vm.vlan_id = request.vm.vlan_id
    vm.vm_clustered = request.vm.vm_clustered
    vm.notes = request.vm.notes
    vm.memory_bytes = int(vm.gb_ram * 1024**3)
    vm.power_state = request.vm.power_state or vm_pb2.POWER_STATE_RUNNING
    running = vm.power_state == vm_pb2.POWER_STATE_RUNNING
    vm.state = vm_pb2.Vm.STATE_RUNNING if running else vm_pb2.Vm.STATE_OFF
    vm.guest_state = vm_pb2.GUEST_STATE_APPLYING
    vm.verified = True
    vm.ip_addresses.extend(addresses if running else ())
    vm.mac_addresses.append("00:15:5d:01:02:03")
    vm.disks.add(path=rf"C:\VMs\{vm.vm_name}\disk.vhdx")
    vm.create_time.FromJsonString("2026-01-02T03:04:05Z")
    return vm


class _Gate(grpc.ServerInterceptor):
    """Refuses a wrong token, and what a test asks to be refused."""

    def __init__(self, agent: FakeAgent) -> None:
        self._agent = agent

    def intercept_service(self, continuation: Any, handler_call_details: Any) -> Any:
        method = handler_call_details.method.rpartition("/")[2]
        token = dict(handler_call_details.invocation_metadata).get("authorization")
        refused = self._agent.faults.refuse.get(method)
        if token != f"Bearer {TOKEN}":
            refused = status("UNAUTHENTICATED", "TOKEN_INVALID", "The token is not valid.")
        if refused is None:
            return continuation(handler_call_details)
        answer = refused

        def abort(_request: Any, context: grpc.ServicerContext) -> Any:
            context.abort_with_status(rpc_status.to_status(answer))

        handler = continuation(handler_call_details)
        if handler.response_streaming:
            return grpc.unary_stream_rpc_method_handler(
                abort, handler.request_deserializer, handler.response_serializer
            )
        return grpc.unary_unary_rpc_method_handler(
            abort, handler.request_deserializer, handler.response_serializer
        )


class _Services(
    vm_service_pb2_grpc.VmServiceServicer,
    host_service_pb2_grpc.HostServiceServicer,
    operations_pb2_grpc.OperationsServicer,  # type: ignore[misc]  # untyped
    operation_service_pb2_grpc.OperationServiceServicer,
):
    """The services; names and parameters are the generated code's."""

    # ruff: noqa: N802

    def __init__(self, agent: FakeAgent) -> None:
        self._agent = agent

    def CreateVm(self, request: vm_service_pb2.CreateVmRequest, context: Any) -> operations_pb2.Operation:
        agent = self._agent
        ignored = {name.removeprefix("vms/") for name in request.ignore_vms}
        (agent.checks if request.validate_only else agent.creates).append(request)
        wanted = agent.faults.refuse.get("validate" if request.validate_only else "submit")
        taken = [
            vm_id
            for vm_id, vm in agent.vms.items()
            if vm.vm_name.casefold() == request.vm.vm_name.casefold() and vm_id not in ignored
        ]
        if wanted is None and taken and request.request_id not in agent._by_request:
            wanted = status(
                "ALREADY_EXISTS",
                "VM_ALREADY_EXISTS",
                f"A VM {request.vm.vm_name!r} exists on {HOST}: id {taken[0]}. To manage it: "
                f"terraform import aetherv_vm.NAME {taken[0]}",
                metadata={"host": HOST, "vm": f"vms/{taken[0]}", "field": "vm.vm_name"},
            )
        if wanted is not None:
            context.abort_with_status(rpc_status.to_status(wanted))
        if request.validate_only:
            done = operations_pb2.Operation(done=True)
            done.response.Pack(request.vm)
            done.metadata.Pack(operation_pb2.VmOperationMetadata(warnings=agent.faults.warnings))
            return done
        return agent.begin(request).operation()

    def ReadVm(self, request: vm_service_pb2.ReadVmRequest, context: Any) -> vm_pb2.Vm:
        self._agent.reads.append(request)
        vm = self._agent.vms.get(request.name.removeprefix("vms/"))
        if vm is None:
            gone = status("NOT_FOUND", "VM_NOT_FOUND", f"No host has {request.name}.")
            context.abort_with_status(rpc_status.to_status(gone))
            raise AssertionError
        return vm

    def DeleteVm(self, request: vm_service_pb2.DeleteVmRequest, context: Any) -> operations_pb2.Operation:
        self._agent.deletes.append(request)
        return self._agent.remove(request).operation()

    def ListVms(self, request: vm_service_pb2.ListVmsRequest, context: Any) -> vm_service_pb2.ListVmsResponse:
        return vm_service_pb2.ListVmsResponse(vms=self._agent.vms.values())

    def ListHosts(
        self, request: host_service_pb2.ListHostsRequest, context: Any
    ) -> host_service_pb2.ListHostsResponse:
        host = host_pb2.Host(name=f"hosts/{HOST}", state=host_pb2.Host.STATE_READY)
        return host_service_pb2.ListHostsResponse(hosts=[host])

    def _running(self, name: str, context: Any) -> Running:
        running = self._agent.operations.get(name)
        if running is None:
            unknown = status("NOT_FOUND", "OPERATION_NOT_FOUND", f"No operation {name}.")
            context.abort_with_status(rpc_status.to_status(unknown))
            raise AssertionError
        return running

    def GetOperation(self, request: Any, context: Any) -> operations_pb2.Operation:
        return self._running(request.name, context).operation()

    def CancelOperation(self, request: Any, context: Any) -> empty_pb2.Empty:
        self._agent.cancels.append(request.name)
        running = self._running(request.name, context)
        running.cancelled.set()
        return empty_pb2.Empty()

    def WatchOperation(
        self, request: operation_service_pb2.WatchOperationRequest, context: Any
    ) -> Iterator[operation_service_pb2.OperationEvent]:
        running = self._running(request.name, context)
        position = request.after_sequence
        while context.is_active():
            with running.changed:
                if len(running.events) <= position and not running.done:
                    running.changed.wait(timeout=0.2)
                fresh = running.events[position:]
                done = running.done
            for event in fresh:
                position = event.sequence
                yield event
                if self._agent.faults.drop_watch > 0:
                    self._agent.faults.drop_watch -= 1
                    context.abort(grpc.StatusCode.UNAVAILABLE, "the connection was cut by a test")
            if done and not fresh:
                last = operation_service_pb2.OperationEvent(sequence=position)
                last.operation.CopyFrom(running.operation())
                yield last
                return


__all__ = ["HOST", "STEPS", "TOKEN", "FakeAgent", "Faults", "Running", "made_vm", "status"]
