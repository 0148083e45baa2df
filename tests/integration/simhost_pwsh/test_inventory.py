"""What an inventory needs, in a number of calls that does not grow with the VMs; rights, a second locale, the host's facts."""

import json
from pathlib import Path
from typing import Any

from support.pwsh_site import Console, console

INVENTORY = r"""
$space = 'root\virtualization\v2'
$systems = @(Get-CimInstance -Namespace $space -ClassName Msvm_ComputerSystem)
$guid = [guid]::Empty
$vms = @($systems | Where-Object { [guid]::TryParse($_.Name, [ref]$guid) })
$settings = @(Get-CimInstance -Namespace $space -ClassName Msvm_VirtualSystemSettingData -Filter "VirtualSystemType = 'Microsoft:Hyper-V:System:Realized'")
$memory = @(Get-CimInstance -Namespace $space -ClassName Msvm_MemorySettingData)
$processors = @(Get-CimInstance -Namespace $space -ClassName Msvm_ProcessorSettingData)
$ports = @(Get-CimInstance -Namespace $space -ClassName Msvm_SyntheticEthernetPortSettingData)
$allocations = @(Get-CimInstance -Namespace $space -ClassName Msvm_EthernetPortAllocationSettingData)
$vlans = @(Get-CimInstance -Namespace $space -ClassName Msvm_EthernetSwitchPortVlanSettingData)
$addresses = @(Get-CimInstance -Namespace $space -ClassName Msvm_GuestNetworkAdapterConfiguration)
$storage = @(Get-CimInstance -Namespace $space -ClassName Msvm_StorageAllocationSettingData)
$switches = @(Get-CimInstance -Namespace $space -ClassName Msvm_VirtualEthernetSwitch)
$kvp = @(Get-CimInstance -Namespace $space -ClassName Msvm_KvpExchangeComponent)
$found = foreach ($vm in $vms) {
    $own = "Microsoft:$($vm.Name)"
    $port = $ports | Where-Object { $_.InstanceID.StartsWith("$own\") }
    $allocation = $allocations | Where-Object { $_.InstanceID -eq "$($port.InstanceID)\C" }
    [ordered]@{
        name = $vm.ElementName
        on = $vm.EnabledState -eq 2
        path = ($settings | Where-Object InstanceID -eq $own).ConfigurationDataRoot
        memory = [long]($memory | Where-Object { $_.InstanceID.StartsWith("$own\") }).VirtualQuantity
        cpu = [int]($processors | Where-Object { $_.InstanceID.StartsWith("$own\") }).VirtualQuantity
        vlan = [int]($vlans | Where-Object { $_.InstanceID.StartsWith("$($port.InstanceID)\C\") }).AccessVlanId
        switch = ($switches | Where-Object { $allocation.HostResource -and $allocation.HostResource[0].Contains($_.Name) }).ElementName
        disks = @($storage | Where-Object { $_.InstanceID.StartsWith("$own\") } | ForEach-Object { $_.HostResource[0] })
        ips = @(($addresses | Where-Object { $_.InstanceID.Contains($vm.Name) }).IPAddresses).Count
        guest = [bool]($kvp | Where-Object SystemName -eq $vm.Name).GuestIntrinsicExchangeItems
    }
}
ConvertTo-Json -Compress -Depth 5 -InputObject @($found)
"""


def test_the_number_of_calls_does_not_grow(shell: Console) -> None:
    """One query per class gives every VM's facts, for one VM and for twenty alike."""
    host, model = shell.site.backend.host, shell.site.backend.model
    made = host.new_vm("one", r"C:\VMs\one", 1 << 30, "External")
    host.set_vlan(made.id, 9)
    shell.run(r"Copy-Item 'C:\ClusterStorage\Volume1\DiskImages\Debian 12.vhdx' C:\VMs\one\one.vhdx")
    host.add_disk(made.id, r"C:\VMs\one\one.vhdx")
    counts = []
    for _ in range(2):
        model.forget_calls()
        ran = shell.run(INVENTORY)
        assert ran.errors == []
        counts.append(dict(model.calls()))
        for number in range(19):
            host.new_vm(f"more {number}", rf"C:\VMs\more{number}", 2 << 30, "")
    assert counts[0] == counts[1] == {"Get-CimInstance": 11}
    found: list[dict[str, Any]] = json.loads(str(ran.output[0]))
    assert len(found) == 20
    assert found[0] == {
        "name": "one",
        "on": False,
        "path": r"C:\VMs\one",
        "memory": 1024,
        "cpu": 1,
        "vlan": 9,
        "switch": "External",
        "disks": [r"C:\VMs\one\one.vhdx"],
        "ips": 1,
        "guest": False,
    }


def test_the_hosts_own_facts(shell: Console) -> None:
    """Volumes by mount path, memory, name, cluster and node come from root/cimv2 and root/mscluster."""
    found = shell.value(
        "$v = Get-CimInstance Win32_Volume | ? Name -eq 'C:\\ClusterStorage\\Volume1\\'; $v.FileSystem; $null -eq $v.DriveLetter;"
        " $v.FreeSpace -le $v.Capacity; (Get-CimInstance Win32_OperatingSystem).Version;"
        " (Get-CimInstance Win32_ComputerSystem).Name; (Get-CimInstance -Namespace root/MSCluster MSCluster_Node).State;"
        " (Get-CimInstance -Namespace root/MSCluster MSCluster_Cluster).Name;"
        " (Get-CimInstance Win32_Directory -Filter \"Name = 'C:\\\\Windows'\").Compressed"
    )
    assert found == ["CSVFS", True, True, "10.0.20348", "HV1", 0, "CLUSTER1", False]


def test_associations(shell: Console) -> None:
    """A VM's settings and their parts are found from its system, as are its adapters' addresses."""
    made = shell.site.backend.host.new_vm("linked", r"C:\VMs\linked", 1 << 30, "External")
    found = shell.value(
        f"$s = Get-CimInstance -Namespace root/virtualization/v2 Msvm_ComputerSystem -Filter \"Name='{made.id.upper()}'\";"
        " $d = Get-CimAssociatedInstance -InputObject $s -ResultClassName Msvm_VirtualSystemSettingData; $d.ElementName;"
        " (Get-CimAssociatedInstance -InputObject $d -ResultClassName Msvm_MemorySettingData -Association"
        " Msvm_VirtualSystemSettingDataComponent).VirtualQuantity; (Get-CimInstance -InputObject $s).EnabledState"
    )
    assert found == ["linked", 1024, 3]


def test_wmi_refuses_what_windows_refuses(shell: Console) -> None:
    """A wrong namespace, class or query and an instance that is gone have the HRESULT ids of the CIM cmdlets."""
    commands = "Microsoft.Management.Infrastructure.CimCmdlets.GetCimInstanceCommand"
    for call, hresult in (
        ("Get-CimInstance -Namespace root/nowhere Msvm_ComputerSystem", "0x8004100e"),
        ("Get-CimInstance Win32_Nothing", "0x80041010"),
        ("Get-CimInstance Win32_Volume -Filter 'Name ='", "0x80041017"),
        ("Get-CimInstance -Query 'SELECT * FROM'", "0x80041017"),
    ):
        error = shell.error(call)
        assert (error["id"], error["reason"]) == (f"HRESULT {hresult},{commands}", "CimException")
    gone = shell.site.backend.host.new_vm("gone", r"C:\VMs\gone", 1 << 30, "")
    shell.run(
        f"$global:held = Get-CimInstance -Namespace root/virtualization/v2 Msvm_ComputerSystem -Filter \"Name='{gone.id}'\""
    )
    shell.site.backend.host.remove_vm(gone.id)
    assert shell.error("Get-CimInstance -InputObject $held")["id"] == f"HRESULT 0x80041002,{commands}"


def test_without_rights_there_are_no_rows_and_no_error(tmp_path: Path) -> None:
    """An account without rights gets no rows from WMI, and AccessDenied from Hyper-V's cmdlets."""
    with console(tmp_path, hyperv_visible=False) as shell:
        assert (
            shell.value("@(Get-CimInstance -Namespace root/virtualization/v2 Msvm_ComputerSystem).Count") == 0
        )
        error = shell.error("Get-VM")
        assert (error["id"], error["category"]) == (
            "AccessDenied,Microsoft.HyperV.PowerShell.Commands.GetVM",
            "PermissionDenied",
        )


def test_a_second_locale(tmp_path: Path) -> None:
    """Captions are in the host's language: who goes by them finds nothing."""
    with console(tmp_path, pwsh={"locale": "de"}) as shell:
        shell.site.backend.host.new_vm("vm", r"C:\VMs\vm", 1 << 30, "")
        found = shell.value(
            "Get-CimInstance -Namespace root/virtualization/v2 Msvm_ComputerSystem | % Caption"
        )
        assert found == ["Hostcomputersystem", "Virtueller Computer"]


def test_no_cluster(shell: Console, tmp_path: Path) -> None:
    """On a host that is no node FailoverClusters says that the service does not run, and the namespace is not there."""
    del shell
    with console(tmp_path) as plain:
        error = plain.error("Get-Cluster")
        assert (
            error["id"]
            == "ClusterEndpointNotRegistered,Microsoft.FailoverClusters.PowerShell.GetClusterCommand"
        )
        assert (error["category"], error["reason"]) == ("ConnectionError", "ClusterCmdletException")
        node = plain.error("Get-ClusterNode")["id"]
        assert node == "ClusterEndpointNotRegistered,Microsoft.FailoverClusters.PowerShell.GetNodeCommand"
        assert plain.error("Get-CimInstance -Namespace root/MSCluster MSCluster_Node")["id"].startswith(
            "HRESULT 0x8004100e"
        )
