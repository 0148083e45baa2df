"""The model's answers to calls, without a PowerShell."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from aetherv_simhost.faults import Faults
from aetherv_simhost.hyperv.host import HyperVHost
from aetherv_simhost.hyperv.settings import ModelSettings
from aetherv_simhost.windows.calls import Call, Context, Reply, Session, answer
from aetherv_simhost.windows.registry import COMMANDS
from aetherv_simhost.windows.values import PsObject
from aetherv_simhost.windows.wmi.jobs import JobBook


@pytest.fixture
def context(tmp_path: Path) -> Iterator[Context]:
    """A clustered host."""
    settings = ModelSettings.read({"image_bytes": 16384, "cluster": "C1"})
    host = HyperVHost("hv1", tmp_path, Faults(), settings)
    yield Context(host, JobBook(0.0, 1, 0.0))
    host.close()


def call(context: Context, command: str, session: Session | None = None, **parameters: Any) -> Reply:
    """One call."""
    return answer(context, Call(command, "", parameters, session or Session()))


def test_an_unknown_command_or_parameter_is_refused_by_name(context: Context) -> None:
    """What the registry does not have is refused, and nothing is done."""
    assert "Get-VM" in COMMANDS
    assert "Export-VM" in call(context, "Export-VM").failures[0].message
    refused = call(context, "New-VM", Name="x", Generation=2, Version="9.0").failures[0]
    assert "New-VM -Version" in refused.message
    assert refused.terminating
    assert context.host.vms() == ()


def test_a_second_hop_is_needed_for_the_cluster(context: Context) -> None:
    """Without delegated credentials a role can be looked at, not added."""
    vm = context.host.new_vm("vm", r"C:\ClusterStorage\Volume1\vm", 1 << 30, "")
    alone = Session(delegated=False)
    failed = call(context, "Add-ClusterVirtualMachineRole", alone, VMId=vm.id).failures
    assert [f.kind for f in failed] == ["Add-ClusterVirtualMachineRole"]
    assert call(context, "Get-ClusterGroup", alone).failures == []
    assert context.host.cluster.roles == frozenset()


def test_a_local_file_of_a_role_is_a_warning(context: Context) -> None:
    """A VM whose files are not on cluster storage becomes a role with Windows' warning."""
    vm = context.host.new_vm("vm", r"C:\VMs\vm", 1 << 30, "")
    assert len(call(context, "Add-ClusterVirtualMachineRole", VMId=vm.id).warnings) == 1


@pytest.mark.parametrize("state", ["paused", "draining"])
def test_a_node_that_is_not_up_says_so(context: Context, state: str) -> None:
    """Paused and draining nodes show as Paused, with how far the drain is."""
    context.host.set_node_state(state)
    node = call(context, "Get-ClusterNode").objects[0]
    assert isinstance(node, PsObject)
    assert node.properties["State"] == "Paused"
    assert node.properties["DrainStatus"] == ("InProgress" if state == "draining" else "Completed")


def test_a_cluster_service_that_is_down(context: Context) -> None:
    """Every cluster command ends with the endpoint's error then."""
    context.host.set_node_state("down")
    assert call(context, "Get-ClusterGroup").failures[0].kind == "ClusterEndpointNotRegistered"


def test_a_missing_switch_or_disk_is_an_error(context: Context) -> None:
    """New-VM and Connect-VMNetworkAdapter name the switch, Get-VHD and Add-VMHardDiskDrive the file."""
    made = call(context, "New-VM", Name="x", Generation=2, SwitchName="Nope").failures[0]
    assert made.message == 'Hyper-V was unable to find a virtual switch with name "Nope".'
    vhd = call(context, "Get-VHD", Path=[r"C:\nope.vhdx"]).failures[0]
    assert (vhd.kind, vhd.message) == (
        "InvalidParameter",
        r"'C:\nope.vhdx' is not an existing virtual hard disk file.",
    )
    vm = context.host.new_vm("vm", r"C:\VMs\vm", 1 << 30, "")
    reference = [{"$type": "x", "Id": vm.id}]
    assert (
        call(context, "Add-VMHardDiskDrive", VM=reference, Path=r"C:\nope.vhdx").failures[0].kind
        == "ObjectNotFound"
    )
    assert (
        call(context, "Connect-VMNetworkAdapter", VMName=["vm"], SwitchName="Nope").failures[0].kind
        == "ObjectNotFound"
    )


def test_an_iso_can_be_ejected_by_no_path(context: Context) -> None:
    """Set-VMDvdDrive with an empty path takes the ISO out; a full drive of a running VM is not removed."""
    vm = context.host.new_vm("vm", r"C:\VMs\vm", 1 << 30, "")
    iso = r"C:\Program Files\Aether-V\LinuxProvisioning.iso"
    call(context, "Add-VMDvdDrive", VMName=["vm"], Path=iso)
    context.host.start_vm(vm.id)
    refused = call(context, "Remove-VMDvdDrive", VMName=["vm"], ControllerNumber=0, ControllerLocation=0)
    assert [f.kind for f in refused.failures] == ["InvalidState"]
    assert call(context, "Set-VMDvdDrive", VMName="vm", Path="").failures == []
    assert context.host.vm(vm.id).drives == ("",)
    assert (
        call(context, "Remove-VMDvdDrive", VMName=["vm"], ControllerNumber=0, ControllerLocation=0).failures
        == []
    )
    assert context.host.vm(vm.id).drives == ()


def test_a_drive_refuses_for_a_while_after_an_eject(context: Context) -> None:
    """With a time set, a running VM's drive can be removed only that long after its ISO was taken out."""
    vm = context.host.new_vm("vm", r"C:\VMs\vm", 1 << 30, "")
    call(context, "Add-VMDvdDrive", VMName=["vm"], Path=r"C:\Program Files\Aether-V\LinuxProvisioning.iso")
    context.host.start_vm(vm.id)
    context.eject_seconds = 3600.0
    call(context, "Set-VMDvdDrive", VMName="vm", Path="")
    place: dict[str, Any] = {"ControllerNumber": 0, "ControllerLocation": 0}
    assert [f.kind for f in call(context, "Remove-VMDvdDrive", VMName=["vm"], **place).failures] == [
        "InvalidState"
    ]
    context.eject_seconds = 0.0
    assert call(context, "Remove-VMDvdDrive", VMName=["vm"], **place).failures == []


def test_a_service_that_is_not_there_yet(context: Context) -> None:
    """Until the management service runs, cmdlets do not find Hyper-V, and WMI has no rows."""
    context.vmms_back = time.monotonic() + 3600
    failed = call(context, "Get-VM").failures[0]
    assert (failed.kind, "Verify that the Virtual Machine Management service" in failed.message) == (
        "ObjectNotFound",
        True,
    )
    query: dict[str, Any] = {"Namespace": "root/virtualization/v2", "ClassName": "Msvm_ComputerSystem"}
    assert call(context, "Get-CimInstance", **query).objects == []
    context.vmms_back = 0.0
    assert len(call(context, "Get-CimInstance", **query).objects) == 1
