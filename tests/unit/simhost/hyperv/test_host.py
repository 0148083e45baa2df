"""The model's rules: what Hyper-V allows, refuses and keeps."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from aetherv_simhost.faults import Faults
from aetherv_simhost.hyperv.errors import (
    ClusterRefused,
    FileInUse,
    FileMissing,
    InvalidState,
    KvpRefused,
    OutOfMemory,
    VmNotFound,
)
from aetherv_simhost.hyperv.host import HyperVHost
from aetherv_simhost.hyperv.settings import GuestSeconds, HostSeconds, ModelSettings, SettingsError
from aetherv_simhost.hyperv.vm import GuestPhase, State, VirtualMachine

SETTINGS = ModelSettings(
    image_bytes=64 * 1024,
    memory_bytes=8 << 30,
    cluster="CL1",
    guest_seconds=GuestSeconds(boot=0.02, poll=0.01, apply=0.01, deliver=0.0),
    host_seconds=HostSeconds(release=0.0),
)
IMAGE = r"C:\ClusterStorage\Volume1\DiskImages\Ubuntu 24.04.vhdx"


@pytest.fixture
def host(tmp_path: Path) -> Iterator[HyperVHost]:
    """A host with its default content."""
    model = HyperVHost("h1", tmp_path, Faults(), SETTINGS)
    yield model
    model.close()


def cloned(host: HyperVHost, name: str = "vm", memory: int = 1 << 30) -> VirtualMachine:
    """A VM with a clone of an image, off."""
    folder = rf"C:\VMs\{name}"
    vm = host.new_vm(name, folder, memory, "External")
    disk = rf"{folder}\{name}.vhdx"
    host.files.real(disk).write_bytes(host.files.real(IMAGE).read_bytes())
    return host.add_disk(vm.id, disk)


def eventually(host: HyperVHost, vm_id: str, item: str) -> str:
    """An intrinsic item, once the guest reports it."""
    for _ in range(500):
        if item in (items := host.intrinsic_items(vm_id)):
            return items[item]
        time.sleep(0.01)
    raise AssertionError(f"{item} never came")


def test_names_need_not_be_unique(host: HyperVHost) -> None:
    """Two VMs of one name have two ids, in lower case, and are found by either case."""
    one, two = host.new_vm("Same", r"C:\VMs\1", 1, ""), host.new_vm("same", r"C:\VMs\2", 1, "")
    assert one.id != two.id
    assert one.id == one.id.lower()
    assert host.vm(one.id.upper()) == one
    assert host.named("SAME") == (one, two)


def test_a_snapshot_does_not_change(host: HyperVHost) -> None:
    """Who holds a VM must read again to see what became of it."""
    vm = cloned(host)
    started = host.start_vm(vm.id)
    assert (vm.state, vm.adapters[0].mac) == (State.OFF, "")
    assert started.state is State.RUNNING
    assert started.adapters[0].mac.startswith("00155D")
    assert host.start_vm(vm.id).lives == 1


def test_a_running_vms_files_are_in_use(host: HyperVHost) -> None:
    """Disk and ISO can't be deleted while the VM is on."""
    vm = cloned(host)
    iso = r"C:\Program Files\Aether-V\LinuxProvisioning.iso"
    host.set_drive(vm.id, iso)
    host.start_vm(vm.id)
    for path in (vm.disks[0].upper(), iso):
        with pytest.raises(FileInUse):
            host.files.delete(path)
    host.stop_vm(vm.id, turn_off=True)
    host.files.delete(vm.disks[0])
    with pytest.raises(FileMissing):
        host.start_vm(vm.id)


def test_memory_is_finite(host: HyperVHost) -> None:
    """A VM that does not fit is not started, and a stopped one gives its memory back."""
    big, small = cloned(host, "big", 7 << 30), cloned(host, "small", 2 << 30)
    host.start_vm(big.id)
    assert host.memory_free() == 1 << 30
    with pytest.raises(OutOfMemory):
        host.start_vm(small.id)
    host.stop_vm(big.id, turn_off=False)
    host.start_vm(small.id)


def test_what_the_state_does_not_allow(host: HyperVHost) -> None:
    """Hardware of a running VM, removing a running VM, a drive with an ISO in it, a switch that is not there."""
    vm = host.start_vm(host.set_drive(cloned(host).id, IMAGE).id)
    with pytest.raises(InvalidState):
        host.change_vm(vm.id, memory_bytes=1)
    with pytest.raises(InvalidState):
        host.remove_vm(vm.id)
    with pytest.raises(InvalidState):
        host.remove_drive(vm.id)
    with pytest.raises(InvalidState):
        host.new_vm("x", r"C:\VMs\x", 1, "No Switch")
    assert host.change_vm(vm.id, notes="live").notes == "live"


def test_a_removed_vm_leaves_its_disk(host: HyperVHost) -> None:
    """Remove-VM takes the configuration and leaves disks and folder."""
    vm = cloned(host)
    host.remove_vm(vm.id)
    with pytest.raises(VmNotFound):
        host.vm(vm.id)
    assert host.files.entries(vm.path) == [vm.disks[0]]


def test_items_cannot_be_read_while_the_vm_is_off(host: HyperVHost) -> None:
    """A key pushed while off exists, though it can't be seen, and a second Add fails."""
    vm = cloned(host)
    host.kvp_change(vm.id, "add", [("k", "v")])
    assert host.host_items(vm.id) == {}
    assert host.guest_items(vm.id) is None
    with pytest.raises(KvpRefused):
        host.kvp_change(vm.id, "add", [("k", "v")])
    host.start_vm(vm.id)
    assert host.host_items(vm.id) == {"k": "v"}
    eventually(host, vm.id, "OSName")
    assert host.guest_items(vm.id) == {}
    assert host.guest_pool(vm.id) == {"k": "v"}


def test_a_guest_reports_its_system_and_addresses(host: HyperVHost) -> None:
    """Before provisioning: the image's name, an address by DHCP and a link-local one; gone when it is off."""
    vm = host.start_vm(cloned(host).id)
    assert vm.adapters[0].ip_addresses == ()
    assert eventually(host, vm.id, "FullyQualifiedDomainName") == "ubuntu"
    (v4, v6) = host.vm(vm.id).adapters[0].ip_addresses
    assert host.intrinsic_items(vm.id)["NetworkAddressIPv4"] == v4
    assert v6.startswith("fe80::")
    host.stop_vm(vm.id, turn_off=True)
    assert host.intrinsic_items(vm.id) == {}
    assert host.vm(vm.id).adapters[0].ip_addresses == ()


def test_a_restart_begins_the_uptime_anew(host: HyperVHost) -> None:
    """The guest's restart is a new life with a fresh uptime."""
    vm = host.start_vm(cloned(host).id)
    host.restart_guest(vm.id)
    again = host.vm(vm.id)
    assert (again.lives, again.started > vm.started) == (2, True)
    host.reboot()
    assert host.vm(vm.id).lives == 3


def test_a_windows_guest_in_a_domain_spoils_its_state_later(tmp_path: Path) -> None:
    """From its third start on it writes 'failed' over a good VM's state: who reads it then is wrong."""
    host = HyperVHost("h1", tmp_path, Faults(), SETTINGS)
    vm = cloned(host)
    host.files.real(vm.disks[0]).write_bytes(
        host.files.real(IMAGE.replace("Ubuntu 24.04", "Windows Server 2022")).read_bytes()
    )
    vm = host.start_vm(vm.id)
    identity = dataclasses.replace(host.guest(vm.id).identity, domain="example.com")
    host.guest_phase(vm.id, GuestPhase.APPLIED, identity)
    host.guest_report(vm.id, "hlvmm.meta.guest_provisioning_system_state", "provisioningapplied")
    states = []
    for _ in range(2):
        host.restart_guest(vm.id)
        eventually(host, vm.id, "OSName")
        time.sleep(0.05)
        states.append((host.guest_items(vm.id) or {})["hlvmm.meta.guest_provisioning_system_state"])
    host.close()
    assert states == ["provisioningapplied", "provisioningfailed"]


def test_a_new_process_has_all_of_it(host: HyperVHost, tmp_path: Path) -> None:
    """VMs, items, roles and the node's state are the same in a second model on the folder."""
    vm = host.start_vm(cloned(host).id)
    off = host.change_vm(cloned(host, "off").id, notes="n\u00f6tes\nline")
    host.kvp_change(vm.id, "add", [("k", "v")])
    host.add_role(vm.id)
    host.set_node_state("paused")
    eventually(host, vm.id, "OSName")
    host.close()
    again = HyperVHost("h1", tmp_path, Faults(), SETTINGS)
    try:
        assert again.vms() == host.vms()
        assert again.vm(off.id).notes == "n\u00f6tes\nline"
        assert again.host_items(vm.id) == {"k": "v"}
        assert (again.cluster.node_state, again.cluster.roles) == ("paused", frozenset({vm.id}))
        assert again.new_vm("next", r"C:\VMs\n", 1, "").number == 3
        assert again.guest(vm.id) == host.guest(vm.id)
    finally:
        again.close()


def test_the_content_is_made_once(host: HyperVHost, tmp_path: Path) -> None:
    """An image that was deleted does not come back with the next process."""
    host.files.delete(IMAGE)
    host.close()
    again = HyperVHost("h1", tmp_path, Faults(), SETTINGS)
    again.close()
    assert not again.files.exists(IMAGE)


def test_a_cluster_role_holds_its_vm(host: HyperVHost) -> None:
    """A role is removed before its VM; no cluster or a node that is down refuses roles."""
    vm = host.new_vm("a", r"C:\VMs\a", 1, "")
    host.add_role(vm.id)
    with pytest.raises(InvalidState):
        host.remove_vm(vm.id)
    host.remove_role(vm.id)
    host.set_node_state("down")
    with pytest.raises(ClusterRefused):
        host.add_role(vm.id)
    with pytest.raises(ClusterRefused):
        host.set_node_state("asleep")


def test_settings_are_read_strictly() -> None:
    """Plain values become settings; an unknown name is an error that lists what there is."""
    read = ModelSettings.read(
        {
            "memory_bytes": 5,
            "guest_seconds": {"boot": 1},
            "images": [{"name": "SUSE 15", "family": "linux", "accounts": ["root"]}],
        }
    )
    assert (read.memory_bytes, read.guest_seconds.boot, read.guest_seconds.poll) == (5, 1, 0.05)
    assert [image.name for image in read.images][-1] == "SUSE 15"
    assert len(read.images) == 4
    for wrong in (
        {"memory": 5},
        {"memory_bytes": "much"},
        {"record_exchange": 1},
        {"guest_seconds": {"boots": 1}},
        {"images": [{"nome": "x"}]},
        {"images": 5},
    ):
        with pytest.raises(SettingsError):
            ModelSettings.read(wrong)
