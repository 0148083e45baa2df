"""The rows of root/cimv2 and root/mscluster: volumes, system, services, folders; cluster, nodes and roles."""

import time
from collections.abc import Callable, Iterator
from typing import Any, Final

from aetherv_simhost.hyperv import paths
from aetherv_simhost.windows import objects
from aetherv_simhost.windows.calls import Context
from aetherv_simhost.windows.values import PsObject, Typed
from aetherv_simhost.windows.wmi.schema import CIMV2, CLUSTER, Instance, known

_NODE_STATES: Final = {"up": 0, "down": 1, "paused": 2, "draining": 2}
_DRAINS: Final = {"draining": 1, "paused": 2}

Maker = Callable[[Context], Iterator[dict[str, Any]]]


def volumes(context: Context) -> Iterator[dict[str, Any]]:
    """Win32_Volume: a cluster volume has a mount path and no letter."""
    host = context.host
    for mount, (size, free) in host.files.volumes().items():
        root = mount.endswith(":\\")
        own = objects.switch_guid(host, f"volume:{mount}")
        yield {
            "DeviceID": f"\\\\?\\Volume{{{own}}}\\",
            "Name": mount if root else f"{mount}\\",
            "Caption": mount if root else f"{mount}\\",
            "DriveLetter": mount[:2] if root else None,
            "DriveType": 3,
            "FileSystem": "NTFS" if root else "CSVFS",
            "Capacity": size,
            "FreeSpace": free,
            "BlockSize": 4096,
            "Compressed": False,
            "BootVolume": root and mount[0] == "C",
            "SystemName": host.computer_name,
        }


def system(context: Context) -> Iterator[dict[str, Any]]:
    """Win32_OperatingSystem: memory in KiB."""
    host = context.host
    build = host.settings.os_version.rpartition(".")[2]
    yield {
        "Name": r"Microsoft Windows Server 2022 Datacenter|C:\Windows|\Device\Harddisk0\Partition3",
        "Caption": "Microsoft Windows Server 2022 Datacenter",
        "CSName": host.computer_name,
        "Version": host.settings.os_version,
        "BuildNumber": build,
        "OSArchitecture": "64-bit",
        "OSLanguage": 1031 if context.locale == "de" else 1033,
        "Locale": "0407" if context.locale == "de" else "0409",
        "ProductType": 3,
        "OperatingSystemSKU": 8,
        "TotalVisibleMemorySize": host.settings.memory_bytes // 1024,
        "FreePhysicalMemory": host.memory_free() // 1024,
        "LastBootUpTime": context.started,
        "LocalDateTime": time.time(),
        "CurrentTimeZone": Typed("I16", "0"),
        "SystemDirectory": r"C:\Windows\system32",
        "WindowsDirectory": r"C:\Windows",
    }


def computer(context: Context) -> Iterator[dict[str, Any]]:
    """Win32_ComputerSystem."""
    host = context.host
    yield {
        "Name": host.computer_name,
        "DNSHostName": host.computer_name,
        "Domain": "WORKGROUP",
        "PartOfDomain": False,
        "HypervisorPresent": True,
        "Manufacturer": "Aether-V",
        "Model": "Simulated host",
        "NumberOfProcessors": 1,
        "NumberOfLogicalProcessors": host.settings.cpu_count,
        "TotalPhysicalMemory": host.settings.memory_bytes,
        "SystemType": "x64-based PC",
    }


def processor(context: Context) -> Iterator[dict[str, Any]]:
    """Win32_Processor."""
    count = context.host.settings.cpu_count
    yield {
        "DeviceID": "CPU0",
        "Name": "Simulated CPU",
        "NumberOfCores": count,
        "NumberOfLogicalProcessors": count,
    }


def services(context: Context) -> Iterator[dict[str, Any]]:
    """Win32_Service: those that matter to a Hyper-V host."""
    there = ["vmms", "vmcompute", "WinRM", *(["ClusSvc"] if context.host.cluster.name else [])]
    for name in there:
        running = name != "ClusSvc" or context.host.cluster.node_state != "down"
        yield {
            "Name": name,
            "DisplayName": name,
            "State": "Running" if running else "Stopped",
            "Started": running,
            "StartMode": "Auto",
            "Status": "OK",
        }


def folders(context: Context) -> Iterator[dict[str, Any]]:
    """Win32_Directory: the folders that NTFS compresses, and every one that a query's Name means is judged by them."""
    for folder in context.host.settings.compressed_folders:
        yield {"Name": folder, "Compressed": True, "Encrypted": False}


def _cluster(context: Context) -> Iterator[dict[str, Any]]:
    name = context.host.cluster.name
    yield {"Name": name, "Caption": name, "Fqdn": name, "Status": "OK"}


def _nodes(context: Context) -> Iterator[dict[str, Any]]:
    state = context.host.cluster.node_state
    yield {
        "Name": context.host.computer_name,
        "Id": "1",
        "State": _NODE_STATES[state],
        "NodeDrainStatus": _DRAINS.get(state, 0),
        "NodeWeight": 1,
        "StatusInformation": 0,
    }


def _groups(context: Context) -> Iterator[dict[str, Any]]:
    for vm_id in sorted(context.host.cluster.roles):
        vm = context.host.vm(vm_id)
        yield {
            "Name": vm.name,
            "Id": vm.id,
            "GroupType": 111,
            "OwnerNode": context.host.computer_name,
            "State": 0 if vm.is_on else 1,
        }


def _resources(context: Context) -> Iterator[dict[str, Any]]:
    for vm_id in sorted(context.host.cluster.roles):
        vm = context.host.vm(vm_id)
        for kind in ("Virtual Machine", "Virtual Machine Configuration"):
            yield {
                "Name": f"{kind} {vm.name}",
                "Id": objects.switch_guid(context.host, f"{kind}:{vm.id}"),
                "Type": kind,
                "OwnerGroup": vm.name,
                "OwnerNode": context.host.computer_name,
                "State": 2 if vm.is_on else 3,
                "PrivateProperties": _private(vm.id),
            }


def _private(vm_id: str) -> object:
    return PsObject(("System.Management.Automation.PSCustomObject", "System.Object"), {"VmID": vm_id})


ROWS: Final[dict[tuple[str, str], Maker]] = {
    (CIMV2, "Win32_Volume"): volumes,
    (CIMV2, "Win32_OperatingSystem"): system,
    (CIMV2, "Win32_ComputerSystem"): computer,
    (CIMV2, "Win32_Processor"): processor,
    (CIMV2, "Win32_Service"): services,
    (CIMV2, "Win32_Directory"): folders,
    (CLUSTER, "MSCluster_Cluster"): _cluster,
    (CLUSTER, "MSCluster_Node"): _nodes,
    (CLUSTER, "MSCluster_ResourceGroup"): _groups,
    (CLUSTER, "MSCluster_Resource"): _resources,
}


def rows(context: Context, namespace: str, name: str) -> list[Instance]:
    """All rows of a class."""
    of = known(name, namespace)
    return [Instance(of, values) for values in ROWS[namespace, of.name](context)]


def folder_row(context: Context, name: str) -> Instance | None:
    """The row of one folder, as a query by its Name finds it."""
    host = context.host
    if not host.files.is_dir(name):
        return None
    compressed = any(paths.within(name, folder) for folder in host.settings.compressed_folders)
    values = {"Name": name, "Caption": name, "Drive": name[:2], "Compressed": compressed, "Encrypted": False}
    return Instance(known("Win32_Directory", CIMV2), values)
