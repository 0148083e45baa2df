"""Taking creates and deletes."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from aetherv_agent.core.errors import AethervError
from aetherv_agent.core.model import HostSettings, VmSecrets, VmSpec
from aetherv_agent.operations.model import Filter, Operation, Page, Request, State
from aetherv_agent.provisioning.requests import CreateRequest, DeleteRequest, ProvisioningSettings
from aetherv_agent.provisioning.service import VmProvisioning
from support.provisioning_fakes import FakeInventories, create_operation, inventory, vm

SPEC = VmSpec("web-01", "Ubuntu 24.04", 2, 2, guest_la_uid="admin")
SECRETS = VmSecrets("hunter2")
HELD = "0b5d7f1e-0000-4000-8000-000000000001"
HOSTS = {"hv01": HostSettings("hv01", "hv01.example.com"), "hv02": HostSettings("hv02", "hv02.example.com")}


@dataclass
class FakeOperations:
    """An engine that remembers what was submitted."""

    submitted: list[tuple[Request, Mapping[str, str]]] = field(default_factory=list)
    known: dict[str, Operation] = field(default_factory=dict)
    running: tuple[Operation, ...] = ()
    cancelled: list[str] = field(default_factory=list)

    async def submit(self, request: Request, secrets: Mapping[str, str] | None = None) -> Operation:
        """Remember it."""
        self.submitted.append((request, secrets or {}))
        made = create_operation(kind=request.kind, host=request.host, fingerprint=request.fingerprint)
        self.known[request.request_id] = made
        return made

    async def by_request(self, request_id: str) -> Operation | None:
        """Return what a request made."""
        return self.known.get(request_id)

    async def list(self, where: Filter, page_size: int = 100, page_token: str = "") -> Page:
        """Return the running ones on the hosts that are asked for."""
        return Page(tuple(o for o in self.running if where.hosts is None or o.host in where.hosts))

    async def cancel(self, operation_id: str) -> Operation:
        """Remember it."""
        self.cancelled.append(operation_id)
        return self.running[0]

    async def wait(self, operation_id: str, within: float) -> Operation:
        """Have it ended."""
        return replace(self.running[0], state=State.CANCELLED)


def service(
    inventories: FakeInventories | None = None,
    operations: FakeOperations | None = None,
    hosts: dict[str, HostSettings] | None = None,
) -> VmProvisioning:
    """Return the service over fakes, with one host."""
    return VmProvisioning(
        operations or FakeOperations(),  # type: ignore[arg-type]  # only what creates and deletes ask
        inventories or FakeInventories(),
        hosts or {"hv01": HOSTS["hv01"]},
        ProvisioningSettings(),
    )


async def test_a_create_is_submitted_with_its_effective_spec_and_without_its_secret() -> None:
    """The row's spec has what was completed; the secret is handed over apart."""
    operations = FakeOperations()
    await service(operations=operations).submit_create(CreateRequest(SPEC, "alice", SECRETS))
    request, secrets = operations.submitted[0]
    assert request.spec["fields"]["virtual_switch"] == "External"
    assert request.spec["fields"]["os_family"] == "linux"
    assert secrets == {"guest_la_pw": "hunter2"}
    assert "hunter2" not in repr(request)


async def test_bad_input_is_refused_without_asking_a_host() -> None:
    """What the fields alone tell is refused at once, with every path."""
    inventories = FakeInventories()
    with pytest.raises(AethervError) as caught:
        await service(inventories).submit_create(
            CreateRequest(replace(SPEC, gb_ram=0, vlan_id=5000), "alice", SECRETS)
        )
    assert {v.field for v in caught.value.violations} == {"vm.gb_ram", "vm.vlan_id"}
    assert inventories.asked == 0


@pytest.mark.parametrize(("making", "reason"), [(True, "CREATE_IN_PROGRESS"), (False, "VM_ALREADY_EXISTS")])
async def test_a_name_of_a_vm_that_is_still_made_is_no_vm_to_import(making: bool, reason: str) -> None:
    """A create that lost its client goes on: whoever asks again learns which operation, not an id to import."""
    running: Any = create_operation(target=f"vms/{HELD}")
    operations = FakeOperations(running=(running,) if making else ())
    inventories = FakeInventories(found=inventory(vms=(vm("web-01", vm_id=HELD),)))
    with pytest.raises(AethervError) as caught:
        await service(inventories, operations).validate_create(CreateRequest(SPEC, "alice"))
    assert caught.value.id == reason
    assert ("import" in str(caught.value)) is not making
    assert caught.value.metadata.get("operation", "") == (running.name if making else "")


async def test_check_and_submit_judge_alike_but_for_secrets() -> None:
    """A check needs no secret; a submit does."""
    assert (await service().validate_create(CreateRequest(SPEC, "alice"))).host == "hv01"
    with pytest.raises(AethervError) as caught:
        await service().submit_create(CreateRequest(SPEC, "alice", VmSecrets()))
    assert [v.field for v in caught.value.violations] == ["secrets.guest_la_pw"]


async def test_the_same_request_is_the_same_operation() -> None:
    """A repeated request_id is answered with its operation; with another request it is refused."""
    operations = FakeOperations()
    provisioning = service(operations=operations)
    request = CreateRequest(SPEC, "alice", SECRETS, request_id="r1")
    first = await provisioning.submit_create(request)
    assert await provisioning.submit_create(request) is first
    with pytest.raises(AethervError) as caught:
        await provisioning.submit_create(replace(request, spec=replace(SPEC, cpu_cores=4)))
    assert (caught.value.id, len(operations.submitted)) == ("REQUEST_ID_REUSED", 1)


@pytest.mark.parametrize(
    ("asked", "allowed", "host"),
    [("", frozenset({"hv02"}), "hv02"), ("HV01", None, "hv01"), ("hv02.EXAMPLE.com", None, "hv02")],
)
def test_a_host_is_found_by_id_and_address(asked: str, allowed: frozenset[str] | None, host: str) -> None:
    """Case and FQDN make no difference; a caller with one host need not name it."""
    assert service(hosts=HOSTS).resolve_host(asked, allowed).id == host


@pytest.mark.parametrize(
    ("asked", "allowed", "error"),
    [
        ("", None, "TARGET_HOST_REQUIRED"),
        ("hv09", None, "HOST_NOT_FOUND"),
        ("hv01", frozenset({"hv02"}), "HOST_NOT_FOUND"),
    ],
)
def test_a_host_that_cannot_be_meant_is_refused_by_names(
    asked: str, allowed: frozenset[str] | None, error: str
) -> None:
    """The error lists the hosts that the caller may use."""
    with pytest.raises(AethervError) as caught:
        service(hosts=HOSTS).resolve_host(asked, allowed)
    assert caught.value.id == error
    assert "hv02" in caught.value.message


def test_an_address_of_several_hosts_means_none_of_them() -> None:
    """Hosts behind one address (other ports) are told apart by name: no VM goes to whichever stands first."""
    shared = {name: replace(host, address="gate.example.com") for name, host in HOSTS.items()}
    with pytest.raises(AethervError) as caught:
        service(hosts=shared).resolve_host("gate.example.com", None)
    assert caught.value.id == "TARGET_HOST_REQUIRED"
    assert "hv01, hv02" in caught.value.message


async def test_a_delete_of_a_missing_vm_is_refused_unless_allowed() -> None:
    """VM_NOT_FOUND comes before an operation is made; allowed, the delete succeeds on the host."""
    operations = FakeOperations()
    provisioning = service(operations=operations)
    with pytest.raises(AethervError) as caught:
        await provisioning.submit_delete(DeleteRequest(HELD, "alice"))
    assert (caught.value.id, operations.submitted) == ("VM_NOT_FOUND", [])
    await provisioning.submit_delete(DeleteRequest(HELD, "alice", allow_missing=True))
    assert operations.submitted[0][0].target == f"vms/{HELD}"


async def test_an_unreachable_host_is_never_taken_for_a_missing_vm() -> None:
    """allow_missing does not cover a host that did not answer."""
    inventories = FakeInventories(vm=AethervError("HOST_UNREACHABLE", "hv01"))
    with pytest.raises(AethervError) as caught:
        await service(inventories).submit_delete(DeleteRequest(HELD, "alice", allow_missing=True))
    assert caught.value.id == "HOST_UNREACHABLE"


async def test_another_etag_is_refused() -> None:
    """A VM that changed since it was read is not deleted."""
    with pytest.raises(AethervError) as caught:
        await service(FakeInventories(vm=vm("web-01"))).submit_delete(
            DeleteRequest(HELD, "alice", etag="old")
        )
    assert caught.value.id == "ETAG_MISMATCH"


async def test_a_delete_cancels_the_create_that_still_runs() -> None:
    """The create is cancelled first; the VM that its undo removed is deleted as asked."""
    running: Any = create_operation(target=f"vms/{HELD}")
    operations = FakeOperations(running=(running,))
    await service(operations=operations).submit_delete(DeleteRequest(HELD, "alice"))
    assert operations.cancelled == [running.id]
    assert operations.submitted[0][0].kind == "delete"


async def test_a_delete_cancels_no_create_on_a_host_that_the_caller_may_not_use() -> None:
    """A caller who is limited to other hosts learns nothing of the create, and does not end it."""
    running: Any = create_operation(target=f"vms/{HELD}", host="hv01")
    operations = FakeOperations(running=(running,))
    request = DeleteRequest(HELD, "alice", allowed_hosts=frozenset({"hv02"}))
    with pytest.raises(AethervError) as caught:
        await service(operations=operations).submit_delete(request)
    assert caught.value.id == "VM_NOT_FOUND"
    assert operations.cancelled == []
