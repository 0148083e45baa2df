"""VmService: what a VM looks like, how requests are judged, lists, filters and pages."""

from __future__ import annotations

import dataclasses
from typing import Any

import grpc
import pytest
from aetherv.v1 import host_service_pb2, operation_pb2, vm_pb2, vm_service_pb2
from aetherv_agent.api.inventories import find_named
from aetherv_agent.core.errors import AethervError
from aetherv_agent.core.model import (
    FailurePolicy,
    GuestState,
    GuestWait,
    Mark,
    OsFamily,
    PowerState,
    ShutdownMode,
    VmSecrets,
    VmSpec,
    VmState,
)
from google.longrunning import operations_pb2
from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp
from google.rpc import error_details_pb2, status_pb2
from support.api_fakes import ADMIN, GUID, NOW, Served, Stubs, make_inventory, make_vm, refusal

REQUEST_ID = "3f1c8b52-9d0e-4c37-8a51-0f6f5c1f2a77"
STAMP = Timestamp(seconds=int(NOW.timestamp()))
OTHER = "ffffffff-ffff-4fff-8fff-ffffffffffff"


def fields_of(error: grpc.aio.AioRpcError) -> dict[str, str]:
    """Return the violations of an error by field."""
    raw: Any = dict(error.trailing_metadata())["grpc-status-details-bin"]
    for detail in status_pb2.Status.FromString(raw).details:
        bad = error_details_pb2.BadRequest()
        if detail.Unpack(bad):
            return {violation.field: violation.description for violation in bad.field_violations}
    return {}


async def test_a_vm_is_told_whole(served: Served, stubs: Stubs) -> None:
    """What the host says now, what the record says of the making, addresses sorted and without useless ones."""
    mark = Mark(
        "11111111-1111-4111-8111-111111111111",
        {
            "image_name": "Ubuntu 24.04",
            "guest_la_uid": "admin",
            "guest_v4_ipaddr": "192.0.2.20",
            "guest_v4_cidrprefix": 24,
            "unknown_of_later": ["x"],
            "guest_v4_dns1": 5,
        },
        GuestState.APPLIED,
        "differs",
        verified=False,
    )
    served.reads.answers["hv01"] = make_inventory("hv01", [make_vm(mark=mark, cluster="c1")])
    vm = await stubs.vms.ReadVm(vm_service_pb2.ReadVmRequest(name=f"vms/{GUID}"), metadata=ADMIN)
    assert vm == vm_pb2.Vm(
        name=f"vms/{GUID}",
        vm_name="web01",
        image_name="Ubuntu 24.04",
        gb_ram=4.0,
        cpu_cores=2,
        os_family=vm_pb2.OS_FAMILY_LINUX,
        guest_la_uid="admin",
        guest_v4_ipaddr="192.0.2.20",
        guest_v4_cidrprefix=24,
        vlan_id=10,
        virtual_switch="External",
        vm_clustered=False,
        power_state=vm_pb2.POWER_STATE_RUNNING,
        notes="mine",
        host="hv01",
        state=vm_pb2.Vm.STATE_RUNNING,
        guest_state=vm_pb2.GUEST_STATE_APPLIED,
        guest_message="differs",
        memory_bytes=4 * 1024**3,
        ip_addresses=["192.0.2.3", "192.0.2.20", "2001:db8::5"],
        mac_addresses=["00:15:5d:00:00:01"],
        disks=[vm_pb2.Disk(path=r"C:\VMs\web01\web01.vhdx", size_bytes=10, file_bytes=5)],
        cluster="c1",
        operation="operations/11111111-1111-4111-8111-111111111111",
        create_time=STAMP,
        observe_time=STAMP,
        etag=vm.etag,
        verified=False,
    )
    assert len(vm.etag) == 32


@pytest.mark.parametrize(
    ("change", "same"),
    [
        ({"uptime_seconds": 99}, True),
        ({"adapters": ()}, True),
        ({"mark": None}, True),
        ({"name": "web02"}, False),
        ({"memory_bytes": 1}, False),
        ({"cpu_count": 3}, False),
        ({"vlan_id": 0}, False),
        ({"switch": "Lab"}, False),
        ({"clustered": True}, False),
        ({"notes": "other"}, False),
        ({"state": VmState.OFF}, False),
    ],
)
async def test_the_etag_is_over_what_can_be_set(
    served: Served,
    stubs: Stubs,
    change: dict[str, Any],
    same: bool,  # a parameter of the test
) -> None:
    """An etag changes with what a user can set and with nothing else."""
    request = vm_service_pb2.ReadVmRequest(name=f"vms/{GUID}")
    served.reads.answers["hv01"] = make_inventory("hv01", [make_vm()])
    before = await stubs.vms.ReadVm(request, metadata=ADMIN)
    served.reads.answers["hv01"] = make_inventory("hv01", [dataclasses.replace(make_vm(), **change)])
    after = await stubs.vms.ReadVm(request, metadata=ADMIN)
    assert (before.etag == after.etag) is same


async def test_a_create_reaches_provisioning_with_all_that_was_said(served: Served, stubs: Stubs) -> None:
    """Every field of the request has its place; what was not said stays unsaid."""
    request = vm_service_pb2.CreateVmRequest(
        vm=vm_pb2.Vm(
            name="vms/ignored",
            vm_name="web01",
            image_name="Ubuntu 24.04",
            gb_ram=2,
            cpu_cores=4,
            vlan_id=0,
            power_state=vm_pb2.POWER_STATE_OFF,
            guest_v4_cidrprefix=24,
            host="ignored",
        ),
        secrets=vm_pb2.VmSecrets(guest_la_pw="pw-of-the-guest"),
        target_host="hv02",
        request_id=REQUEST_ID.upper(),
        on_failure=vm_service_pb2.FAILURE_POLICY_KEEP,
        wait_for_guest=vm_service_pb2.GUEST_WAIT_PUBLISHED,
        timeout=Duration(seconds=90),
    )
    await stubs.vms.CreateVm(request, metadata=ADMIN)
    (seen,) = served.provisioning.creates
    assert seen.spec == VmSpec(
        vm_name="web01",
        image_name="Ubuntu 24.04",
        gb_ram=2.0,
        cpu_cores=4,
        vlan_id=0,
        power_state=PowerState.OFF,
        guest_v4_cidrprefix=24,
    )
    assert seen.secrets == VmSecrets("pw-of-the-guest")
    assert (seen.target_host, seen.request_id, seen.principal) == ("hv02", REQUEST_ID, "admin")
    assert (seen.on_failure, seen.wait_for_guest, seen.timeout) == (
        FailurePolicy.KEEP,
        GuestWait.PUBLISHED,
        90.0,
    )
    assert "pw-of-the-guest" not in repr(seen)


async def test_validate_only_answers_done_without_a_name(served: Served, stubs: Stubs) -> None:
    """The answer holds the VM as it would be; nothing is submitted."""
    request = vm_service_pb2.CreateVmRequest(
        vm=vm_pb2.Vm(vm_name="web01", gb_ram=2, os_family=vm_pb2.OS_FAMILY_LINUX),
        validate_only=True,
        ignore_vms=[f"vms/{GUID}"],
    )
    answer = await stubs.vms.CreateVm(request, metadata=ADMIN)
    vm = vm_pb2.Vm()
    about = operation_pb2.VmOperationMetadata()
    assert (answer.done, answer.name) == (True, "")
    assert answer.response.Unpack(vm)
    assert answer.metadata.Unpack(about)
    assert (vm.vm_name, vm.name, vm.memory_bytes) == ("web01", "", 2 * 1024**3)
    assert about.state == about.STATE_SUCCEEDED
    (seen,) = served.provisioning.creates
    assert seen.secrets is None
    assert seen.ignore_vms == frozenset({GUID})
    assert seen.spec.os_family is OsFamily.LINUX
    assert not served.operations.known


async def test_every_wrong_field_of_a_create_is_told_at_once(served: Served, stubs: Stubs) -> None:
    """Forms, enums, ids and the VM's own fields are refused in one answer, each with its path."""
    request = vm_service_pb2.CreateVmRequest(
        vm=vm_pb2.Vm(vm_name="web01", image_name="Ubuntu 24.04", gb_ram=0.5, cpu_cores=99),
        secrets=vm_pb2.VmSecrets(guest_la_pw="x"),
        validate_only=True,
        ignore_vms=["web01"],
        target_host="hosts/hv01",
        request_id="not-a-uuid",
        timeout=Duration(),
        on_failure=77,  # type: ignore[arg-type]  # a number of a later version
    )
    request.vm.os_family = 9  # type: ignore[assignment]  # a number of a later version
    error = await refusal(stubs.vms.CreateVm(request, metadata=ADMIN))
    assert error.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert set(fields_of(error)) >= {
        "secrets",
        "ignore_vms[0]",
        "target_host",
        "request_id",
        "timeout",
        "on_failure",
        "vm.os_family",
        "vm.gb_ram",
        "vm.cpu_cores",
        "vm.guest_la_uid",
    }
    assert not served.provisioning.creates


@pytest.mark.parametrize(
    "request_id", ["3f1c8b52-9d0e-1c37-8a51-0f6f5c1f2a77", "3f1c8b529d0e4c378a510f6f5c1f2a77", "{}", " "]
)
async def test_a_request_id_is_a_uuid4(stubs: Stubs, request_id: str) -> None:
    """Another version or form of a UUID is refused with the field's path."""
    request = vm_service_pb2.DeleteVmRequest(name=f"vms/{GUID}", request_id=request_id)
    assert list(fields_of(await refusal(stubs.vms.DeleteVm(request, metadata=ADMIN)))) == ["request_id"]


async def test_a_delete_reaches_provisioning(served: Served, stubs: Stubs) -> None:
    """Every field of the request has its place, and only vms/{guid} is taken."""
    request = vm_service_pb2.DeleteVmRequest(
        name=f"vms/{GUID}",
        etag="e",
        allow_missing=True,
        keep_disks=True,
        shutdown_mode=vm_service_pb2.SHUTDOWN_MODE_OFF,
        host_hint="hv01",
    )
    answer = await stubs.vms.DeleteVm(request, metadata=ADMIN)
    (seen,) = served.provisioning.deletes
    assert (seen.vm_id, seen.etag, seen.allow_missing, seen.keep_disks) == (GUID, "e", True, True)
    assert (seen.shutdown_mode, seen.host_hint) == (ShutdownMode.OFF, "hv01")
    assert answer.name.startswith("operations/")
    for name in ("hosts/hv01/vms/web01", "web01", f"vms/{GUID.upper()}", ""):
        error = await refusal(stubs.vms.DeleteVm(vm_service_pb2.DeleteVmRequest(name=name), metadata=ADMIN))
        assert error.code() is grpc.StatusCode.INVALID_ARGUMENT


async def test_a_read_by_name_is_refused_where_it_is_not_sure(served: Served, stubs: Stubs) -> None:
    """One VM of that name on hosts that all answered, or an error that says why not."""
    served.reads.answers["hv01"] = make_inventory("hv01", [make_vm(), make_vm(guid=OTHER, replica=True)])

    async def read(name: str) -> Any:
        return await stubs.vms.ReadVm(vm_service_pb2.ReadVmRequest(name=name), metadata=ADMIN)

    assert (await read("hosts/-/vms/WEB01")).name == f"vms/{GUID}"
    assert (await read("hosts/hv01/vms/web01")).name == f"vms/{GUID}"
    assert (await refusal(read("hosts/hv02/vms/web01"))).code() is grpc.StatusCode.NOT_FOUND
    assert (await refusal(read("hosts/hv09/vms/web01"))).code() is grpc.StatusCode.NOT_FOUND
    served.reads.answers["hv02"] = make_inventory("hv02", [make_vm("hv02", guid=OTHER)])
    ambiguous = await refusal(read("hosts/-/vms/web01"))
    assert ambiguous.code() is grpc.StatusCode.FAILED_PRECONDITION
    served.reads.answers["hv02"] = AethervError("HOST_UNREACHABLE", "hv02 is away.")
    assert (await refusal(read("hosts/-/vms/web01"))).code() is grpc.StatusCode.UNAVAILABLE
    assert (await read("hosts/hv01/vms/web01")).name == f"vms/{GUID}"
    with pytest.raises(AethervError) as caught:
        await find_named(served.reads, {}, "web01", on=(), max_age=0.0)
    assert caught.value.id == "HOST_UNREACHABLE"


async def test_a_hint_that_names_no_host_is_no_reason_to_refuse(served: Served, stubs: Stubs) -> None:
    """A host that was renamed in the configuration does not keep its VMs from being read by their ids."""
    served.reads.answers["hv01"] = make_inventory("hv01", [make_vm()])
    request = vm_service_pb2.ReadVmRequest(name=f"vms/{GUID}", host_hint="hv01-old")
    assert (await stubs.vms.ReadVm(request, metadata=ADMIN)).host == "hv01"


@pytest.mark.parametrize(
    "name", ["", "web01", "vms/web01", f"vms/{GUID}/", "hosts/hv01", "hosts//vms/x", "hosts/h/vms/"]
)
async def test_a_read_of_an_unknown_form_is_invalid(stubs: Stubs, name: str) -> None:
    """A name that has no known form is INVALID_ARGUMENT with its field."""
    error = await refusal(stubs.vms.ReadVm(vm_service_pb2.ReadVmRequest(name=name), metadata=ADMIN))
    assert error.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert list(fields_of(error)) == ["name"]


async def test_max_age_reaches_the_hosts(served: Served, stubs: Stubs) -> None:
    """Unset is the agent's setting, 0 asks the host, and what is out of range is refused."""
    await stubs.vms.ListVms(vm_service_pb2.ListVmsRequest(), metadata=ADMIN)
    await stubs.vms.ListVms(vm_service_pb2.ListVmsRequest(max_age=Duration()), metadata=ADMIN)
    assert served.reads.ages == [5.0, 5.0, 0.0, 0.0]
    bad = vm_service_pb2.ListVmsRequest(max_age=Duration(seconds=-1))
    assert list(fields_of(await refusal(stubs.vms.ListVms(bad, metadata=ADMIN)))) == ["max_age"]


async def test_lists_page_in_order_and_name_unreachable_hosts(served: Served, stubs: Stubs) -> None:
    """Pages hold every VM once, by host and name, while a host is away."""
    vms = [make_vm(name=f"vm{n:02}", guid=f"{n:08x}" + GUID[8:]) for n in range(12)]
    served.reads.answers["hv01"] = make_inventory("hv01", vms[::-1])
    served.reads.answers["hv02"] = AethervError("HOST_UNREACHABLE", "hv02 is away.")
    names: list[str] = []
    token = ""
    for _ in range(3):
        request = vm_service_pb2.ListVmsRequest(page_size=5, page_token=token)
        answer = await stubs.vms.ListVms(request, metadata=ADMIN)
        names += [vm.vm_name for vm in answer.vms]
        assert list(answer.unreachable) == ["hosts/hv02"]
        token = answer.next_page_token
    assert names == [f"vm{n:02}" for n in range(12)]
    assert token == ""


async def test_page_tokens_of_others_are_refused(served: Served, stubs: Stubs) -> None:
    """A token that is none, or of another filter or list, and a negative size are INVALID_ARGUMENT."""
    vms = [make_vm(name=f"vm{n}", guid=f"{n:08x}" + GUID[8:]) for n in range(3)]
    served.reads.answers["hv01"] = make_inventory("hv01", vms)
    first = await stubs.vms.ListVms(vm_service_pb2.ListVmsRequest(page_size=1), metadata=ADMIN)
    for request in (
        vm_service_pb2.ListVmsRequest(page_token="nonsense"),
        vm_service_pb2.ListVmsRequest(page_token="\u00e4"),
        vm_service_pb2.ListVmsRequest(page_token="W10"),
        vm_service_pb2.ListVmsRequest(page_token=first.next_page_token, filter='host = "hv01"'),
        vm_service_pb2.ListVmsRequest(page_size=-1),
    ):
        error = await refusal(stubs.vms.ListVms(request, metadata=ADMIN))
        assert error.code() is grpc.StatusCode.INVALID_ARGUMENT
    others = (
        stubs.hosts.ListHosts(
            host_service_pb2.ListHostsRequest(page_token=first.next_page_token), metadata=ADMIN
        ),
        stubs.operations.ListOperations(
            operations_pb2.ListOperationsRequest(page_token=first.next_page_token), metadata=ADMIN
        ),
    )
    for call in others:
        error = await refusal(call)
        assert error.code() is grpc.StatusCode.INVALID_ARGUMENT
        assert list(fields_of(error)) == ["page_token"]


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ('vm_name = "web*"', ["web01", "web02"]),
        ('vm_name="WEB01"', ["web01"]),
        ('host = "hv02"', ["db01"]),
        ('state = "OFF" AND vm_name = "web*"', ["web02"]),
        ("os_family = LINUX AND host = hv0*", ["db01", "web01", "web02"]),
        ('cluster = ""', ["db01", "web01", "web02"]),
        ('vm_name = "a\\"b"', []),
    ],
)
async def test_filters(served: Served, stubs: Stubs, text: str, names: list[str]) -> None:
    """The subset of AIP-160 compares whole values and beginnings, joined by AND."""
    served.reads.answers["hv01"] = make_inventory(
        "hv01", [make_vm(), make_vm(name="web02", guid=OTHER, state=VmState.OFF)]
    )
    served.reads.answers["hv02"] = make_inventory("hv02", [make_vm("hv02", "db01", "1" + GUID[1:])])
    answer = await stubs.vms.ListVms(vm_service_pb2.ListVmsRequest(filter=text), metadata=ADMIN)
    assert sorted(vm.vm_name for vm in answer.vms) == names


@pytest.mark.parametrize(
    "text",
    [
        "vm_name",
        'vm_name = "x" OR host = "y"',
        'NOT host = "x"',
        'size = "1"',
        'host = "x" AND',
        'host = "x',
        "x" * 3000,
    ],
)
async def test_filters_that_cannot_be_read_are_invalid(stubs: Stubs, text: str) -> None:
    """What is outside the subset is refused, never ignored."""
    error = await refusal(stubs.vms.ListVms(vm_service_pb2.ListVmsRequest(filter=text), metadata=ADMIN))
    assert list(fields_of(error)) == ["filter"]
