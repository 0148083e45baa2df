"""Plain gRPC clients, what the guest gets, and where no secret may be."""

from __future__ import annotations

import base64
import hashlib
import json
import subprocess
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from aetherv.client import AgentError
from aetherv.v1 import operation_pb2, vm_pb2, vm_service_pb2
from google.longrunning import operations_pb2
from support.site import DOMAIN_PASSWORD, GUEST_PASSWORD, HOST_PASSWORD, Site, files_with

MakeSite = Callable[..., Site]
LINUX: dict[str, Any] = {
    "vm_name": "api-01",
    "image_name": "Ubuntu 24.04",
    "gb_ram": 1,
    "cpu_cores": 1,
    "guest_la_uid": "admin",
}
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI" + "Ab1+/" * 60 + " someone@example.com"
WINDOWS: dict[str, Any] = {
    "vm_name": "win-01",
    "image_name": "Windows Server 2022",
    "gb_ram": 2,
    "cpu_cores": 2,
    "guest_la_uid": "Administrator",
    "guest_domain_jointarget": "example.com",
    "guest_domain_joinuid": "joiner",
    "guest_domain_joinou": "OU=Servers,DC=example,DC=com",
}


def request(
    fields: dict[str, Any], domain_password: str = "", **options: Any
) -> vm_service_pb2.CreateVmRequest:
    """Return a create with the tests' passwords."""
    return vm_service_pb2.CreateVmRequest(
        vm=vm_pb2.Vm(**fields),
        secrets=vm_pb2.VmSecrets(guest_la_pw=GUEST_PASSWORD, guest_domain_joinpw=domain_password),
        request_id=str(uuid.uuid4()),
        **options,
    )


def made(operation: operations_pb2.Operation) -> vm_pb2.Vm:
    """Return the VM of an operation that succeeded."""
    assert not operation.HasField("error"), operation.error
    vm = vm_pb2.Vm()
    assert operation.response.Unpack(vm)
    return vm


def test_a_plain_client_makes_reads_lists_and_removes_a_vm(site: Site) -> None:
    """The main job by generated stubs: create, the same request again, read, list, delete but its disks, not found."""
    with site.client() as client:
        create = request(LINUX)
        operation = client.vms.CreateVm(create)
        assert client.vms.CreateVm(create).name == operation.name
        vm = made(client.wait(operation))
        assert (vm.vm_name, vm.host, vm.guest_state) == ("api-01", "hv01", vm_pb2.GUEST_STATE_APPLIED)
        assert client.vms.ReadVm(vm_service_pb2.ReadVmRequest(name=vm.name)).etag == vm.etag
        by_name = vm_service_pb2.ReadVmRequest(name="hosts/-/vms/API-01")
        assert client.vms.ReadVm(by_name).name == vm.name
        listed = client.vms.ListVms(vm_service_pb2.ListVmsRequest(filter='vm_name = "api*"'))
        assert [found.name for found in listed.vms] == [vm.name]
        delete = vm_service_pb2.DeleteVmRequest(name=vm.name, etag=vm.etag, keep_disks=True)
        metadata = operation_pb2.VmOperationMetadata()
        client.wait(client.vms.DeleteVm(delete)).metadata.Unpack(metadata)
        assert [left.path for left in metadata.leftovers if left.kind == "disk"] == [vm.disks[0].path]
        with pytest.raises(AgentError) as caught:
            client.vms.ReadVm(vm_service_pb2.ReadVmRequest(name=vm.name))
    assert caught.value.reason == "VM_NOT_FOUND"
    assert (site.vms(), site.vm_folders()) == ({}, ["api-01"])


def test_a_check_makes_nothing_and_tells_the_vm_to_come(site: Site) -> None:
    """validate_only is done, has no name, and holds the VM as it would be."""
    create = vm_service_pb2.CreateVmRequest(vm=vm_pb2.Vm(**LINUX), validate_only=True)
    with site.client() as client:
        operation = client.vms.CreateVm(create)
        vm = made(operation)
        assert (operation.done, operation.name) == (True, "")
        assert (vm.virtual_switch, vm.host, vm.os_family) == ("External", "hv01", vm_pb2.OS_FAMILY_LINUX)
        assert len(client.operations.ListOperations(operations_pb2.ListOperationsRequest()).operations) == 0
    assert site.vms() == {}


def test_a_create_waits_for_an_address_until_its_deadline(site: Site) -> None:
    """An IPv4 address is waited for and answered; a family that never comes ends at the deadline, and is undone."""
    ipv4 = request(LINUX, wait_for_ip=vm_service_pb2.IP_WAIT_IPV4)
    ipv6 = request(LINUX | {"vm_name": "api-02"}, wait_for_ip=vm_service_pb2.IP_WAIT_IPV6)
    ipv6.timeout.FromSeconds(25)
    with site.client() as client:
        assert len(made(client.wait(client.vms.CreateVm(ipv4))).ip_addresses) == 1
        ended = client.wait(client.vms.CreateVm(ipv6))
    assert ended.error.code == 4
    assert list(site.vms()) == ["api-01"]


def test_a_windows_guest_joins_its_domain(site: Site) -> None:
    """What a Windows guest decrypts is what it becomes."""
    with site.client() as client:
        vm = made(client.wait(client.vms.CreateVm(request(WINDOWS, DOMAIN_PASSWORD))))
    identity = site.vms()["win-01"]["guest"]["identity"]
    assert vm.verified
    assert identity["host_name"].casefold() == "win-01"
    assert identity["domain"] == "example.com"


def test_a_delete_cancels_a_create_that_still_runs(make_site: MakeSite) -> None:
    """Deleting the VM of a running create ends that create first, and leaves nothing."""
    site = make_site(model={"guest_seconds": {"boot": 30.0}})
    with site.client() as client:
        operation = client.vms.CreateVm(request(LINUX))
        metadata = operation_pb2.VmOperationMetadata()

        def registered(event: Any) -> bool:
            del event
            client.get_operation(operation.name).metadata.Unpack(metadata)
            return bool(metadata.target)

        client.wait(operation, until=registered)
        client.wait(client.vms.DeleteVm(vm_service_pb2.DeleteVmRequest(name=metadata.target)))
        assert client.get_operation(operation.name).error.code == 1
    assert (site.vms(), site.vm_folders()) == ({}, [])


def openssl(*arguments: str, data: bytes) -> bytes:
    """Run the openssl command on standard input."""
    return subprocess.run(["openssl", *arguments], input=data, capture_output=True, check=True).stdout


def test_what_was_published_opens_with_openssl_alone(make_site: MakeSite) -> None:
    """The guest's key opens the wrapped key, that opens each value, and their digest is the checksum."""
    site = make_site(model={"record_exchange": True})
    fields = LINUX | {"cnf_ansible_ssh_user": "ansible", "cnf_ansible_ssh_key": KEY}
    with site.client() as client:
        vm = made(client.wait(client.vms.CreateVm(request(fields))))
    folder = next(
        path for path in site.sim.rglob("private_key.pem") if vm.name.removeprefix("vms/") in str(path)
    ).parent
    items: dict[str, str] = {}
    for line in (folder / "host_items.jsonl").read_text().splitlines():
        item = json.loads(line)
        if item["change"] != "remove":
            items[item["name"]] = item["value"]
    wrapped = base64.b64decode(items["hlvmm.meta.shared_aes_key"])
    pem = str(folder / "private_key.pem")
    key = openssl("pkeyutl", "-decrypt", "-inkey", pem, "-pkeyopt", "rsa_padding_mode:pkcs1", data=wrapped)
    assert len(key) == 32

    def opened(name: str) -> str:
        raw = base64.b64decode(items[name])
        return openssl(
            "enc", "-d", "-aes-256-cbc", "-K", key.hex(), "-iv", raw[:16].hex(), data=raw[16:]
        ).decode()

    values: dict[str, str] = {}
    for name in sorted(items, key=lambda text: (text.partition("._")[0], int(text.partition("._")[2] or 0))):
        if name.startswith("hlvmm.data."):
            base = name.partition("._")[0]
            values[base] = values.get(base, "") + opened(name)
    assert values["hlvmm.data.guest_la_pw"] == GUEST_PASSWORD
    assert values["hlvmm.data.ansible_ssh_key"] == KEY
    assert values["hlvmm.data.guest_host_name"] == "api-01"
    digest = hashlib.sha256("|".join(values[name] for name in sorted(values)).encode()).digest()
    assert items["hlvmm.meta.provisioning_system_checksum"] == base64.b64encode(digest).decode()


def test_no_secret_is_left_anywhere(site: Site) -> None:
    """Passwords are in no file of agent and host but the two that hold the host's login; a control value is found."""
    marker = "control-value-4711"
    with site.client() as client:
        made(client.wait(client.vms.CreateVm(request(LINUX | {"notes": marker}))))
        failing = request(LINUX | {"vm_name": "api-02", "vlan_id": 4095})
        with pytest.raises(AgentError) as caught:
            client.vms.CreateVm(failing)
    assert GUEST_PASSWORD not in str(caught.value)
    site.stop()
    assert files_with(site.folder, marker) != []
    assert files_with(site.folder, GUEST_PASSWORD) == []
    token = Path(site.client_env["AETHERV_TOKEN_FILE"]).read_text().strip()
    assert [path.name for path in files_with(site.folder, token)] == ["token"]
    assert sorted(path.name for path in files_with(site.folder, HOST_PASSWORD)) == [
        "host-password",
        "users.json",
    ]
