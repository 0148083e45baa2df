"""Who may call what: every method has a rule, and each role gets exactly what it is for."""

from __future__ import annotations

import itertools
from typing import Any

import grpc
import grpc.aio
import pytest
from aetherv.v1 import host_service_pb2, operation_service_pb2, vm_pb2, vm_service_pb2
from aetherv_agent.api.permissions import GRANTS, METHODS, Permission, Role
from aetherv_agent.api.server import SERVICES
from google.longrunning import operations_pb2
from grpc_health.v1 import health_pb2
from grpc_reflection.v1alpha import reflection_pb2
from support.api_fakes import (
    GUID,
    LIMITED,
    TOKENS,
    Served,
    Stubs,
    bearer,
    make_inventory,
    make_operation,
    make_vm,
    refusal,
)

DESCRIPTORS: tuple[Any, ...] = (
    vm_service_pb2.DESCRIPTOR.services_by_name["VmService"],
    host_service_pb2.DESCRIPTOR.services_by_name["HostService"],
    operation_service_pb2.DESCRIPTOR.services_by_name["OperationService"],
    operations_pb2.DESCRIPTOR.services_by_name["Operations"],
    health_pb2.DESCRIPTOR.services_by_name["Health"],
    reflection_pb2.DESCRIPTOR.services_by_name["ServerReflection"],
)
OF_DESCRIPTORS = {
    f"/{service.full_name}/{method.name}" for service in DESCRIPTORS for method in service.methods
}


def test_every_method_of_every_descriptor_has_a_rule_and_nothing_else_has() -> None:
    """A method that is added without a rule fails here, before it is denied to everybody."""
    assert set(METHODS) == OF_DESCRIPTORS
    assert {service.full_name for service in DESCRIPTORS} == set(SERVICES)


def test_only_health_is_open() -> None:
    """Nothing but health can be called without a token."""
    opened = {method for method, rule in METHODS.items() if rule.permission is Permission.OPEN}
    assert {method.rsplit("/", 1)[0] for method in opened} == {"/grpc.health.v1.Health"}
    assert all(rule.validate_only is not Permission.OPEN for rule in METHODS.values())


def test_roles_grow() -> None:
    """Each role may all that the one before may."""
    order = [Role.VIEWER, Role.PLANNER, Role.OPERATOR, Role.ADMIN]
    for less, more in itertools.pairwise(order):
        assert GRANTS[less] < GRANTS[more]


VIEW = {Role.VIEWER, Role.PLANNER, Role.OPERATOR, Role.ADMIN}
PLAN = VIEW - {Role.VIEWER}
CHANGE = PLAN - {Role.PLANNER}
VM = vm_pb2.Vm(vm_name="web01", image_name="Ubuntu 24.04", gb_ram=2, cpu_cores=2)
CALLS: list[tuple[str, str, Any, set[Role]]] = [
    ("vms", "ListVms", vm_service_pb2.ListVmsRequest(), VIEW),
    ("vms", "ReadVm", vm_service_pb2.ReadVmRequest(name=f"vms/{GUID}"), VIEW),
    ("vms", "CreateVm", vm_service_pb2.CreateVmRequest(vm=VM, validate_only=True), PLAN),
    ("vms", "CreateVm", vm_service_pb2.CreateVmRequest(vm=VM), CHANGE),
    ("vms", "DeleteVm", vm_service_pb2.DeleteVmRequest(name=f"vms/{GUID}", validate_only=True), PLAN),
    ("vms", "DeleteVm", vm_service_pb2.DeleteVmRequest(name=f"vms/{GUID}"), CHANGE),
    ("hosts", "ListHosts", host_service_pb2.ListHostsRequest(), VIEW),
    ("hosts", "ReadHost", host_service_pb2.ReadHostRequest(name="hosts/hv01"), VIEW),
    ("operations", "ListOperations", operations_pb2.ListOperationsRequest(), VIEW),
    ("operations", "GetOperation", operations_pb2.GetOperationRequest, VIEW),
    ("operations", "CancelOperation", operations_pb2.CancelOperationRequest, CHANGE),
]


@pytest.mark.parametrize("role", list(Role))
@pytest.mark.parametrize(("stub", "method", "request_", "allowed"), CALLS)
async def test_each_role_gets_what_it_is_for(
    served: Served, stubs: Stubs, role: Role, stub: str, method: str, request_: Any, allowed: set[Role]
) -> None:
    """A call is answered for the roles that may, and PERMISSION_DENIED for the others."""
    served.reads.answers["hv01"] = make_inventory("hv01", [make_vm()])
    operation = served.operations.add(make_operation())
    request = request_(name=operation.name) if isinstance(request_, type) else request_
    call = getattr(getattr(stubs, stub), method)(request, metadata=bearer(TOKENS[role]))
    if role in allowed:
        await call
    else:
        error = await refusal(call)
        assert error.code() is grpc.StatusCode.PERMISSION_DENIED


@pytest.mark.parametrize(("stub", "method", "request_", "allowed"), CALLS)
async def test_nothing_is_answered_without_a_token(
    stubs: Stubs, stub: str, method: str, request_: Any, allowed: set[Role]
) -> None:
    """Missing, wrong and malformed tokens get UNAUTHENTICATED, and all of them the same text."""
    request = request_(name="operations/x") if isinstance(request_, type) else request_
    texts = set()
    for metadata in (
        (),
        bearer(""),
        bearer("wrong"),
        (("authorization", TOKENS[Role.ADMIN]),),
        (("authorization", f"Basic {TOKENS[Role.ADMIN]}"),),
        bearer(TOKENS[Role.ADMIN] + "x"),
        bearer(TOKENS[Role.ADMIN][:-1]),
    ):
        error = await refusal(getattr(getattr(stubs, stub), method)(request, metadata=metadata))
        assert error.code() is grpc.StatusCode.UNAUTHENTICATED
        texts.add(error.details())
    assert len(texts) == 1


async def test_a_host_limited_token_sees_and_uses_its_hosts_alone(served: Served, stubs: Stubs) -> None:
    """Lists leave other hosts out; naming one is refused."""
    served.reads.answers["hv01"] = make_inventory("hv01", [make_vm()])
    other = make_vm("hv02", "db01", "1" + GUID[1:])
    served.reads.answers["hv02"] = make_inventory("hv02", [other])
    foreign = served.operations.add(make_operation(host="hv01"))
    own = served.operations.add(make_operation(host="hv02"))
    token = bearer(LIMITED)
    vms = await stubs.vms.ListVms(vm_service_pb2.ListVmsRequest(), metadata=token)
    assert [vm.vm_name for vm in vms.vms] == ["db01"]
    hosts = await stubs.hosts.ListHosts(host_service_pb2.ListHostsRequest(), metadata=token)
    assert [host.name for host in hosts.hosts] == ["hosts/hv02"]
    listed = await stubs.operations.ListOperations(operations_pb2.ListOperationsRequest(), metadata=token)
    assert [operation.name for operation in listed.operations] == [own.name]
    asked = operations_pb2.ListOperationsRequest(filter='host = "hv01"')
    assert not (await stubs.operations.ListOperations(asked, metadata=token)).operations
    missing = await refusal(
        stubs.vms.ReadVm(vm_service_pb2.ReadVmRequest(name=f"vms/{GUID}"), metadata=token)
    )
    assert missing.code() is grpc.StatusCode.NOT_FOUND
    refused = [
        stubs.hosts.ReadHost(host_service_pb2.ReadHostRequest(name="hosts/hv01"), metadata=token),
        stubs.vms.ReadVm(vm_service_pb2.ReadVmRequest(name="hosts/hv01/vms/web01"), metadata=token),
        stubs.vms.ReadVm(vm_service_pb2.ReadVmRequest(name=f"vms/{GUID}", host_hint="hv01"), metadata=token),
        stubs.vms.CreateVm(vm_service_pb2.CreateVmRequest(vm=VM, target_host="hv01"), metadata=token),
        stubs.vms.DeleteVm(
            vm_service_pb2.DeleteVmRequest(name=f"vms/{GUID}", host_hint="hv01"), metadata=token
        ),
        stubs.operations.GetOperation(operations_pb2.GetOperationRequest(name=foreign.name), metadata=token),
        stubs.operations.WaitOperation(
            operations_pb2.WaitOperationRequest(name=foreign.name), metadata=token
        ),
        stubs.operations.CancelOperation(
            operations_pb2.CancelOperationRequest(name=foreign.name), metadata=token
        ),
    ]
    for call in refused:
        assert (await refusal(call)).code() is grpc.StatusCode.PERMISSION_DENIED
    watch = stubs.watcher.WatchOperation(
        operation_service_pb2.WatchOperationRequest(name=foreign.name), metadata=token
    )
    assert (await refusal(watch.read())).code() is grpc.StatusCode.PERMISSION_DENIED
    assert not served.operations.cancelled
    await stubs.vms.CreateVm(vm_service_pb2.CreateVmRequest(vm=VM, target_host="hv02"), metadata=token)
    assert served.provisioning.creates[-1].allowed_hosts == frozenset({"hv02"})
