# ruff: noqa: N802  # methods are called as gRPC calls them
"""VmService: requests in, provisioning and inventories asked, answers out. Thin; no rule of its own."""

from __future__ import annotations

from typing import Any

from aetherv.v1 import vm_pb2, vm_service_pb2, vm_service_pb2_grpc
from google.longrunning import operations_pb2
from google.protobuf.empty_pb2 import Empty

from aetherv_agent.api import callers, filters, paging
from aetherv_agent.api.convert import basics
from aetherv_agent.api.convert.operation import operation_message, validated_message
from aetherv_agent.api.convert.requests import create_request, delete_request, read_request
from aetherv_agent.api.convert.vm import STATES, family_name, planned_message, vm_message
from aetherv_agent.api.inventories import find_named, read_all
from aetherv_agent.api.ports import Hosts, Provisioning, Reads
from aetherv_agent.core.errors import AethervError, Violation
from aetherv_agent.core.model import Inventory, Vm
from aetherv_agent.logs import SECRETS

_FIELDS = ("host", "vm_name", "cluster", "state", "os_family")


class VmServicer(vm_service_pb2_grpc.VmServiceServicer):
    """Virtual machines.

    Args:
        provisioning: takes creates and deletes.
        reads: what stands on the hosts.
        hosts: the configuration's hosts.
        max_age: how old a read may be where the client says nothing, in seconds.
    """

    def __init__(self, provisioning: Provisioning, reads: Reads, hosts: Hosts, max_age: float) -> None:
        self._provisioning = provisioning
        self._reads = reads
        self._hosts = hosts
        self._max_age = max_age

    async def CreateVm(
        self, request: vm_service_pb2.CreateVmRequest, _context: Any
    ) -> operations_pb2.Operation:
        """Take a create, or judge it alone."""
        call = callers.current()
        for secret in (request.secrets.guest_la_pw, request.secrets.guest_domain_joinpw):
            SECRETS.add(secret)
        if request.target_host in self._hosts:
            call.need_host(request.target_host)
        wanted = create_request(request, call.principal)
        if request.validate_only:
            plan = await self._provisioning.validate_create(wanted)
            return validated_message(
                "create", plan.host, plan.spec.vm_name, "", plan.warnings, planned_message(plan)
            )
        operation = await self._provisioning.submit_create(wanted)
        call.operation = operation.name
        return operation_message(operation)

    async def ReadVm(self, request: vm_service_pb2.ReadVmRequest, _context: Any) -> vm_pb2.Vm:
        """Read a VM by its GUID, or by a name on a host."""
        call = callers.current()
        name, hint, age = read_request(request)
        max_age = self._max_age if age is None else age
        if name.host:
            self._known(name.host, call)
        if hint in self._hosts:
            call.need_host(hint)
        if name.guid:
            narrowed = (
                None if call.principal.hosts is None else sorted(call.principal.hosts & set(self._hosts))
            )
            return vm_message(
                await self._reads.find_vm(name.guid, host_hint=hint, max_age=max_age, hosts=narrowed)
            )
        where = [name.host] if name.host else self._visible(call)
        return vm_message(await find_named(self._reads, self._hosts, name.vm_name, on=where, max_age=max_age))

    async def DeleteVm(
        self, request: vm_service_pb2.DeleteVmRequest, _context: Any
    ) -> operations_pb2.Operation:
        """Take a delete, or judge it alone."""
        call = callers.current()
        if request.host_hint in self._hosts:
            call.need_host(request.host_hint)
        wanted = delete_request(request, call.principal)
        if request.validate_only:
            vm = await self._provisioning.validate_delete(wanted)
            return validated_message(
                "delete", vm.host if vm else "", vm.name if vm else "", request.name, (), Empty()
            )
        operation = await self._provisioning.submit_delete(wanted)
        call.operation = operation.name
        return operation_message(operation)

    async def ListVms(
        self, request: vm_service_pb2.ListVmsRequest, _context: Any
    ) -> vm_service_pb2.ListVmsResponse:
        """List the VMs of all hosts that the caller may see."""
        call = callers.current()
        size = paging.page_size(request.page_size)
        terms = filters.parse(request.filter, _FIELDS)
        problems: list[Violation] = []
        max_age = (
            basics.seconds_of(request.max_age, "max_age", problems, zero=True)
            if request.HasField("max_age")
            else self._max_age
        )
        if problems:
            raise paging.request_invalid(problems[0].field, problems[0].message)
        asked = [
            host
            for host in self._visible(call)
            if all(term.holds(host) for term in terms if term.field == "host")
        ]
        found = await read_all(self._reads, asked, max_age)
        vms = sorted(
            (
                vm
                for inventory in found.values()
                if isinstance(inventory, Inventory)
                for vm in inventory.vms
                if not vm.replica and filters.fits(terms, _filterable(vm))
            ),
            key=_key,
        )
        shown, token = paging.page(vms, _key, size, request.page_token, request.filter, of="vms")
        return vm_service_pb2.ListVmsResponse(
            vms=[vm_message(vm) for vm in shown],
            next_page_token=token,
            unreachable=[
                f"hosts/{host}" for host, answer in found.items() if isinstance(answer, AethervError)
            ],
        )

    def _visible(self, call: callers.Call) -> list[str]:
        return sorted(host for host in self._hosts if call.principal.may_use(host))

    def _known(self, host: str, call: callers.Call) -> None:
        call.need_host(host)
        if host not in self._hosts:
            raise AethervError(
                "HOST_NOT_FOUND",
                f"This agent has no host {host!r}; it has {', '.join(self._visible(call)) or 'none'}.",
            )


def _key(vm: Vm) -> paging.Key:
    return (vm.host, vm.name, vm.id)


def _filterable(vm: Vm) -> dict[str, str]:
    return {
        "host": vm.host,
        "vm_name": vm.name,
        "cluster": vm.cluster,
        "state": vm_pb2.Vm.State.Name(STATES[vm.state]).removeprefix("STATE_"),
        "os_family": family_name(vm),
    }
