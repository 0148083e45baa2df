"""The life of a VM through Hyper-V's cmdlets: objects, warnings and error records as captured from real hosts."""

import pytest
from support.pwsh_site import Console

HYPERV = "Microsoft.HyperV.PowerShell.Commands"
NO_VM = 'Hyper-V was unable to find a virtual machine with name "nobody".'


@pytest.mark.parametrize(
    ("call", "kind", "category", "target"),
    [
        ("Get-VM nobody", f"InvalidParameter,{HYPERV}.GetVM", "InvalidArgument", "nobody"),
        ("Start-VM nobody", f"ObjectNotFound,{HYPERV}.StartVM", "ObjectNotFound", ""),
        ("Stop-VM nobody", f"ObjectNotFound,{HYPERV}.StopVM", "ObjectNotFound", ""),
        ("Remove-VM nobody -Force", f"ObjectNotFound,{HYPERV}.RemoveVM", "ObjectNotFound", ""),
        ("Set-VM nobody -Notes x", f"ObjectNotFound,{HYPERV}.SetVM", "ObjectNotFound", ""),
        ("Set-VMFirmware nobody", f"ObjectNotFound,{HYPERV}.SetVMFirmware", "ObjectNotFound", ""),
    ],
)
def test_a_missing_name_has_each_commands_own_id(
    shell: Console, call: str, kind: str, category: str, target: str
) -> None:
    """The same text comes with another id and category from Get-VM than from every other command."""
    assert shell.error(call) == {
        "id": kind,
        "category": category,
        "reason": "VirtualizationException",
        "activity": call.split(maxsplit=1)[0],
        "target": target,
        "type": "Microsoft.HyperV.PowerShell.VirtualizationException",
        "message": NO_VM,
    }


def test_a_missing_id_is_not_found(shell: Console) -> None:
    """Get-VM -Id of a VM that is not there is ObjectNotFound."""
    error = shell.error("Get-VM -Id 6d0c2c46-9f0a-4ac6-9c3c-5d3d9f1f1a10")
    assert error["id"] == f"ObjectNotFound,{HYPERV}.GetVM"


def test_a_whole_life(shell: Console) -> None:
    """New-VM, Set-VM, drives, VLAN, firmware, start, stop and removal, each read again by id."""
    shell.run(
        r"""
        $global:life = New-VM -Name life -MemoryStartupBytes 1GB -Generation 2 -SwitchName External -Path C:\ClusterStorage\Volume1\Hyper-V
        Copy-Item -LiteralPath 'C:\ClusterStorage\Volume1\DiskImages\Ubuntu 24.04.vhdx' -Destination C:\ClusterStorage\Volume1\Hyper-V\life\life.vhdx
        Add-VMHardDiskDrive -VM $life -Path C:\ClusterStorage\Volume1\Hyper-V\life\life.vhdx
        Add-VMDvdDrive -VM $life -Path 'C:\Program Files\Aether-V\LinuxProvisioning.iso'
        Set-VM -VM $life -ProcessorCount 4 -StaticMemory -AutomaticCheckpointsEnabled $false -CheckpointType Disabled -Notes "one`ntwo"
        Set-VMNetworkAdapterVlan -VM $life -Access -VlanId 17
        Set-VMFirmware -VM $life -SecureBootTemplate MicrosoftUEFICertificateAuthority -FirstBootDevice (Get-VMHardDiskDrive -VM $life)[0]
        """
    )
    before = shell.value(
        "$v = Get-VM -Id $life.Id; [ordered]@{ type = $v.PSObject.TypeNames[0]; state = [string]$v.State; number = [int]$v.State;"
        " id = ($v.Id -is [guid]); cpu = $v.ProcessorCount; notes = $v.Notes; path = $v.Path; mac = $v.NetworkAdapters[0].MacAddress;"
        " disks = @($v.HardDrives | % Path); iso = @($v.DVDDrives | % Path); uptime = ($v.Uptime -is [timespan]);"
        " vlan = (Get-VMNetworkAdapterVlan -VM $v).AccessVlanId; old = $life.ProcessorCount; text = [string]$v;"
        " template = (Get-VMFirmware -VM $v).SecureBootTemplate }"
    )
    vm = shell.site.backend.host.named("life")[0]
    folder = r"C:\ClusterStorage\Volume1\Hyper-V\life"
    assert before == {
        "type": "Microsoft.HyperV.PowerShell.VirtualMachine",
        "state": "Off",
        "number": 3,
        "id": True,
        "cpu": 4,
        "notes": "one\ntwo",
        "path": folder,
        "mac": "000000000000",
        "disks": [f"{folder}\\life.vhdx"],
        "iso": [r"C:\Program Files\Aether-V\LinuxProvisioning.iso"],
        "uptime": True,
        "vlan": 17,
        "old": 1,
        "text": f"VirtualMachine (Name = 'life') [Id = '{vm.id}']",
        "template": "MicrosoftUEFICertificateAuthority",
    }
    shell.run("Start-VM -VM $life")
    again = shell.run("Start-VM -VM $life")
    assert again.warnings == ["The virtual machine is already in the specified state."]
    assert shell.value(
        "(Get-VM life).State.ToString(); (Get-VM life).NetworkAdapters[0].MacAddress.Substring(0, 6)"
    ) == [
        "Running",
        "00155D",
    ]
    busy = shell.error("Set-VM -VM $life -ProcessorCount 8")
    assert busy["id"] == f"InvalidState,{HYPERV}.SetVM"
    assert busy["message"].startswith("Modifying the properties of 'life' failed.\n")
    assert shell.error("Remove-VM -VM $life -Force")["id"] == f"InvalidState,{HYPERV}.RemoveVM"
    shell.run("Stop-VM -VM $life -Force; Remove-VM -VM $life -Force")
    assert shell.site.backend.host.named("life") == ()
    assert shell.value(f"Test-Path {folder}\\life.vhdx") is True


def test_too_little_memory_has_its_six_lines(shell: Console) -> None:
    """Start-VM without memory is OutOfMemory, whose category really is FromStdErr."""
    shell.run("New-VM -Name huge -MemoryStartupBytes 900GB -Generation 2")
    error = shell.error("Start-VM huge")
    vm = shell.site.backend.host.named("huge")[0]
    assert (error["id"], error["category"]) == (f"OutOfMemory,{HYPERV}.StartVM", "FromStdErr")
    lines = error["message"].split("\n")
    assert len(lines) == 6
    assert lines[0] == "'huge' failed to start."
    assert lines[3] == f"'huge' failed to start. (Virtual machine ID {vm.id.upper()})"
    shell.run("Remove-VM huge -Force")


def test_names_may_be_there_twice(shell: Console) -> None:
    """Two VMs of a name are two VMs, and a name means both."""
    shell.run("1..2 | % { $null = New-VM -Name twin -MemoryStartupBytes 1GB -Generation 2 }")
    assert shell.value("@(Get-VM twin).Count; @(Get-VM tw*).Count; @(Get-VM zzz*).Count") == [2, 2, 0]
    shell.run("Remove-VM twin -Force")
    assert shell.site.backend.host.named("twin") == ()


def test_a_stop_that_asks_fails(shell: Console) -> None:
    """Stop-VM of a guest without integration services prompts, which nobody answers; -TurnOff works."""
    shell.run("$null = New-VM -Name mute -MemoryStartupBytes 1GB -Generation 2; Start-VM mute")
    assert shell.error("Stop-VM mute")["id"] == f"InvalidOperation,{HYPERV}.StopVM"
    failed = shell.error("Stop-VM mute -Force")
    assert (failed["id"], failed["message"]) == (f"OperationFailed,{HYPERV}.StopVM", "Failed to stop.")
    shell.run("Stop-VM mute -TurnOff; Remove-VM mute -Force")


def test_a_cluster_role(shell: Console) -> None:
    """A VM becomes a role by its id, shows as one, and can be removed only after its role."""
    shell.run(
        "$global:role = New-VM -Name role -MemoryStartupBytes 1GB -Generation 2 -Path C:\\ClusterStorage\\Volume1\\Hyper-V"
    )
    added = shell.value(
        "$g = Add-ClusterVirtualMachineRole -VMId $role.Id; $g.Name; [string]$g.State; $g.OwnerNode.Name"
    )
    assert added == ["role", "Offline", "HV1"]
    assert shell.value("(Get-VM role).IsClustered; [string](Get-ClusterNode).State; (Get-Cluster).Name") == [
        True,
        "Up",
        "CLUSTER1",
    ]
    assert shell.error("Remove-VM role -Force")["id"].startswith("InvalidState,")
    shell.run("Remove-ClusterGroup -VMId $role.Id -RemoveResources -Force; Remove-VM role -Force")
    assert shell.site.backend.host.cluster.roles == frozenset()


def test_a_checkpoint_forks_the_disk(shell: Console) -> None:
    """After Checkpoint-VM the VM writes into a differencing disk whose parent is the first one."""
    shell.run(
        r"""
        $global:forked = New-VM -Name forked -MemoryStartupBytes 1GB -Generation 2 -Path C:\VMs
        Copy-Item 'C:\ClusterStorage\Volume1\DiskImages\Ubuntu 24.04.vhdx' C:\VMs\forked\d.vhdx
        Add-VMHardDiskDrive -VM $forked -Path C:\VMs\forked\d.vhdx
        Checkpoint-VM -VM $forked -SnapshotName before
        """
    )
    found = shell.value(
        "$d = (Get-VM forked).HardDrives[0].Path; $v = Get-VHD -Path $d; [string]$v.VhdType; $v.ParentPath;"
        " (Get-VMSnapshot -VM $forked).Name; (Get-VMSnapshot -VM $forked).HardDrives[0].Path"
    )
    assert found == ["Differencing", r"C:\VMs\forked\d.vhdx", "before", r"C:\VMs\forked\d.vhdx"]
    shell.run("Remove-VM forked -Force")
