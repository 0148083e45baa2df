"""The model's values as the objects of Hyper-V's cmdlets: type names, properties and their types (module 2.0.0.0). Pure."""

import time
import uuid
from collections.abc import Mapping
from typing import Final

from aetherv_simhost.hyperv.host import HyperVHost
from aetherv_simhost.hyperv.vm import Checkpoint, NetworkAdapter, State, VirtualMachine
from aetherv_simhost.windows.values import PsObject, guid, i64, moment, span, u32, version

_SPACE: Final = "Microsoft.HyperV.PowerShell."
_VM_OBJECT: Final = (f"{_SPACE}VMComponentObject", f"{_SPACE}VirtualizationObject", "System.Object")
NO_GUID: Final = "00000000-0000-0000-0000-000000000000"
TEMPLATES: Final = {
    "MicrosoftWindows": "1734c6e8-3154-4dda-ba5f-a874cc483422",
    "MicrosoftUEFICertificateAuthority": "272e7447-90a4-4563-a4b9-8e4ab00526ce",
    "OpenSourceShieldedVM": "4292ae2b-ee2c-42b5-a969-dd8f8689f6f3",
}
STATES: Final = {
    State.OFF: "Off",
    State.RUNNING: "Running",
    State.PAUSED: "Paused",
    State.SAVED: "Saved",
    State.STOPPING: "Stopping",
}
# What the stub turns text back into, by the object's first type name.
SHAPES: Final[dict[str, dict[str, str]]] = {
    f"{_SPACE}VirtualMachine": {
        "State": f"{_SPACE}VMState",
        "Heartbeat": f"{_SPACE}VMHeartbeatStatus",
        "AutomaticStartAction": f"{_SPACE}StartAction",
        "AutomaticStopAction": f"{_SPACE}StopAction",
        "AutomaticCriticalErrorAction": f"{_SPACE}CriticalErrorAction",
        "CheckpointType": f"{_SPACE}CheckpointType",
        "VirtualMachineSubType": f"{_SPACE}VirtualMachineSubType",
        "OperationalStatus": f"{_SPACE}VMOperationalStatus[]",
        "PrimaryOperationalStatus": f"{_SPACE}VMOperationalStatus",
        "ReplicationState": f"{_SPACE}VMReplicationState",
        "ReplicationMode": f"{_SPACE}VMReplicationMode",
        "ReplicationHealth": f"{_SPACE}VMReplicationHealthState",
        "StatusDescriptions": "strings",
        "NetworkAdapters": "objects",
        "HardDrives": "objects",
        "DVDDrives": "objects",
    },
    f"{_SPACE}VMNetworkAdapter": {
        "IPAddresses": "strings",
        "StatusDescription": "strings",
        "Status": f"{_SPACE}VMNetworkAdapterOperationalStatus[]",
        "VlanSetting": "object",
        "MacAddressSpoofing": f"{_SPACE}OnOffState",
        "DhcpGuard": f"{_SPACE}OnOffState",
        "RouterGuard": f"{_SPACE}OnOffState",
        "DeviceNaming": f"{_SPACE}OnOffState",
    },
    f"{_SPACE}VMNetworkAdapterVlanSetting": {"OperationMode": f"{_SPACE}VMNetworkAdapterVlanMode"},
    f"{_SPACE}HardDiskDrive": {"ControllerType": f"{_SPACE}ControllerType"},
    f"{_SPACE}DvdDrive": {
        "ControllerType": f"{_SPACE}ControllerType",
        "DvdMediaType": f"{_SPACE}DvdMediaType",
    },
    f"{_SPACE}VMFirmware": {"SecureBoot": f"{_SPACE}OnOffState", "BootOrder": "objects"},
    f"{_SPACE}VMBootSource": {"Device": "object"},
    f"{_SPACE}VMSwitch": {
        "SwitchType": f"{_SPACE}VMSwitchType",
        "BandwidthReservationMode": f"{_SPACE}VMSwitchBandwidthMode",
        "NetAdapterInterfaceDescriptions": "strings",
        "IovSupportReasons": "strings",
    },
    f"{_SPACE}VMSnapshot": {
        "SnapshotType": f"{_SPACE}SnapshotType",
        "State": f"{_SPACE}VMState",
        "HardDrives": "objects",
    },
    f"{_SPACE}VMIntegrationComponent": {
        "OperationalStatus": f"{_SPACE}VMIntegrationComponentOperationalStatus[]",
        "PrimaryOperationalStatus": f"{_SPACE}VMIntegrationComponentOperationalStatus",
        "StatusDescription": "strings",
    },
    f"{_SPACE}VMHost": {"SupportedVmVersions": "strings", "IovSupportReasons": "strings"},
    "Microsoft.Vhd.PowerShell.VirtualHardDisk": {
        "VhdFormat": "Microsoft.Vhd.PowerShell.VhdFormat",
        "VhdType": "Microsoft.Vhd.PowerShell.VhdType",
    },
}


def of_vm(host: HyperVHost, vm: VirtualMachine) -> PsObject:
    """Get-VM's object: a snapshot."""
    on = vm.state is State.RUNNING
    speaks = on and bool(host.intrinsic_items(vm.id))
    properties: Mapping[str, object] = {
        "VMName": vm.name,
        "VMId": guid(vm.id),
        "ConfigurationLocation": vm.path,
        "SmartPagingFileInUse": False,
        "SmartPagingFilePath": vm.path,
        "SnapshotFileLocation": vm.path,
        "CheckpointFileLocation": vm.path,
        "AutomaticStartAction": vm.start_action,
        "AutomaticStartDelay": vm.start_delay,
        "AutomaticStopAction": vm.stop_action,
        "AutomaticCriticalErrorAction": "Pause",
        "AutomaticCriticalErrorActionTimeout": 30,
        "AutomaticCheckpointsEnabled": vm.automatic_checkpoints,
        "CPUUsage": 0,
        "MemoryAssigned": i64(vm.memory_bytes if on else 0),
        "MemoryDemand": i64(vm.memory_bytes // 2 if on else 0),
        "MemoryStatus": "OK" if on else "",
        "Heartbeat": "OkApplicationsUnknown" if speaks else "NoContact" if on else None,
        "IntegrationServicesState": "",
        "IntegrationServicesVersion": version("0.0"),
        "Uptime": span(vm.uptime(time.time())),
        "OperationalStatus": ["Ok"],
        "PrimaryOperationalStatus": "Ok",
        "SecondaryOperationalStatus": None,
        "StatusDescriptions": ["Operating normally"],
        "PrimaryStatusDescription": "Operating normally",
        "SecondaryStatusDescription": None,
        "Status": "Operating normally",
        "ReplicationHealth": "Normal" if vm.replica else "NotApplicable",
        "ReplicationMode": "Replica" if vm.replica else "None",
        "ReplicationState": "Replicating" if vm.replica else "Disabled",
        "ResourceMeteringEnabled": False,
        "CheckpointType": vm.checkpoint_type,
        "Version": "10.0",
        "VirtualMachineSubType": f"Generation{vm.generation}",
        "Notes": vm.notes,
        "State": STATES[vm.state],
        "DVDDrives": dvd_drives(host, vm),
        "HardDrives": hard_drives(host, vm),
        "NetworkAdapters": [adapter(host, vm, index) for index in range(len(vm.adapters))],
        "DynamicMemoryEnabled": vm.dynamic_memory,
        "MemoryMaximum": i64(1 << 40),
        "MemoryMinimum": i64(512 << 20),
        "MemoryStartup": i64(vm.memory_bytes),
        "ProcessorCount": i64(vm.cpu_count),
        "BatteryPassthroughEnabled": True,
        "Generation": vm.generation,
        "IsClustered": vm.id in host.cluster.roles,
        "ParentSnapshotId": None,
        "ParentSnapshotName": None,
        "ParentCheckpointId": None,
        "ParentCheckpointName": None,
        "Path": vm.path,
        "SizeOfSystemFiles": i64(73728),
        "CreationTime": moment(vm.create_time),
        "Id": guid(vm.id),
        "Name": vm.name,
        "ComputerName": host.computer_name,
        "IsDeleted": False,
    }
    types = ("VirtualMachine", "VirtualMachineBase", "ComputeResource", "VirtualizationObject")
    return PsObject(
        (*(f"{_SPACE}{name}" for name in types), "System.Object"),
        properties,
        f"VirtualMachine (Name = '{vm.name}') [Id = '{vm.id}']",
    )


def _device(host: HyperVHost, vm: VirtualMachine, name: str, device_id: str) -> dict[str, object]:
    return {
        "Name": name,
        "Id": device_id,
        "VMId": guid(vm.id),
        "VMName": vm.name,
        "VMSnapshotId": guid(NO_GUID),
        "VMSnapshotName": "",
        "ComputerName": host.computer_name,
        "IsDeleted": False,
    }


def controller_id(vm_id: str) -> str:
    """The instance id of a VM's SCSI controller: the same for as long as the VM lives."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"scsi:{vm_id}")).upper()


def drive_id(vm_id: str, location: int) -> str:
    """The Id of a drive on the SCSI controller."""
    return f"Microsoft:{vm_id.upper()}\\{controller_id(vm_id)}\\0\\{location}\\D"


def hard_drives(host: HyperVHost, vm: VirtualMachine, disks: tuple[str, ...] | None = None) -> list[PsObject]:
    """Get-VMHardDiskDrive's objects."""
    return [
        PsObject(
            (f"{_SPACE}HardDiskDrive", f"{_SPACE}Drive", *_VM_OBJECT),
            {
                "Path": path,
                "DiskNumber": None,
                "MaximumIOPS": None,
                "MinimumIOPS": None,
                "QoSPolicyID": None,
                "SupportPersistentReservations": False,
                "ControllerLocation": location,
                "ControllerNumber": 0,
                "ControllerType": "SCSI",
                "PoolName": "Primordial",
                **_device(host, vm, "Hard Drive", drive_id(vm.id, location)),
            },
            f"HardDiskDrive (Name = 'Hard Drive', VMName = '{vm.name}')",
        )
        for location, path in enumerate(vm.disks if disks is None else disks)
    ]


def dvd_drives(host: HyperVHost, vm: VirtualMachine) -> list[PsObject]:
    """Get-VMDvdDrive's objects."""
    return [
        PsObject(
            (f"{_SPACE}DvdDrive", f"{_SPACE}Drive", *_VM_OBJECT),
            {
                "DvdMediaType": "ISO" if path else "None",
                "Path": path or None,
                "ControllerLocation": location,
                "ControllerNumber": 0,
                "ControllerType": "SCSI",
                "PoolName": "Primordial",
                **_device(host, vm, "DVD Drive", drive_id(vm.id, location)),
            },
            f"DvdDrive (Name = 'DVD Drive', VMName = '{vm.name}')",
        )
        for location, path in enumerate(vm.drives, start=len(vm.disks))
    ]


def adapter_guid(vm_id: str, index: int) -> str:
    """The GUID of a VM's adapter, upper case."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"adapter:{vm_id}:{index}")).upper()


def switch_guid(host: HyperVHost, name: str) -> str:
    """The GUID of a switch, lower case."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"switch:{host.computer_name}:{name}"))


def adapter(host: HyperVHost, vm: VirtualMachine, index: int) -> PsObject:
    """Get-VMNetworkAdapter's object."""
    own: NetworkAdapter = vm.adapters[index]
    on = vm.state is State.RUNNING
    return PsObject(
        (f"{_SPACE}VMNetworkAdapter", f"{_SPACE}VMNetworkAdapterBase", f"{_SPACE}VMDevice", *_VM_OBJECT),
        {
            "ClusterMonitored": True,
            "MacAddress": own.mac or "000000000000",
            "DynamicMacAddressEnabled": True,
            "IsLegacy": False,
            "IsSynthetic": True,
            "IPAddresses": list(own.ip_addresses),
            "DeviceNaming": "Off",
            "PoolName": "",
            "Connected": bool(own.switch),
            "SwitchName": own.switch,
            "AdapterId": adapter_guid(vm.id, index),
            "StatusDescription": ["OK"] if on else [],
            "Status": ["Ok"] if on else [],
            "IsManagementOs": False,
            "IsExternalAdapter": False,
            "SwitchId": guid(switch_guid(host, own.switch)) if own.switch else None,
            "VlanSetting": vlan(host, own),
            "MacAddressSpoofing": "Off",
            "DhcpGuard": "Off",
            "RouterGuard": "Off",
            "IsTemplate": False,
            **_device(host, vm, own.name, f"Microsoft:{vm.id.upper()}\\{adapter_guid(vm.id, index)}"),
        },
        f"VMNetworkAdapter (Name = '{own.name}', VMName = '{vm.name}')",
    )


def vlan(host: HyperVHost, own: NetworkAdapter) -> PsObject:
    """Get-VMNetworkAdapterVlan's object."""
    return PsObject(
        (f"{_SPACE}VMNetworkAdapterVlanSetting", f"{_SPACE}VirtualizationObject", "System.Object"),
        {
            "OperationMode": "Access" if own.vlan_id else "Untagged",
            "AccessVlanId": own.vlan_id,
            "NativeVlanId": 0,
            "AllowedVlanIdListString": "",
            "PrimaryVlanId": 0,
            "SecondaryVlanId": 0,
            "SecondaryVlanIdListString": "",
            "IsTemplate": False,
            "ComputerName": host.computer_name,
            "IsDeleted": False,
        },
    )


def snapshot(host: HyperVHost, vm: VirtualMachine, point: Checkpoint) -> PsObject:
    """Get-VMSnapshot's object."""
    own = str(uuid.uuid5(uuid.NAMESPACE_URL, f"checkpoint:{vm.id}:{point.name}:{point.disks}"))
    return PsObject(
        (
            f"{_SPACE}VMSnapshot",
            f"{_SPACE}VirtualMachineBase",
            f"{_SPACE}ComputeResource",
            f"{_SPACE}VirtualizationObject",
            "System.Object",
        ),
        {
            "Name": point.name,
            "Id": guid(own),
            "VMId": guid(vm.id),
            "VMName": vm.name,
            "SnapshotType": "Standard",
            "IsAutomaticCheckpoint": False,
            "State": "Off",
            "Path": vm.path,
            "ParentSnapshotId": None,
            "ParentSnapshotName": None,
            "HardDrives": hard_drives(host, vm, point.disks),
            "CreationTime": moment(vm.create_time),
            "ComputerName": host.computer_name,
            "IsDeleted": False,
        },
        f"VMSnapshot (Name = '{point.name}') [Id = '{own}']",
    )


def memory(host: HyperVHost, vm: VirtualMachine) -> PsObject:
    """Get-VMMemory's object."""
    return PsObject(
        (f"{_SPACE}VMMemory", f"{_SPACE}VMDevice", *_VM_OBJECT),
        {
            "ResourcePoolName": "Primordial",
            "Buffer": 20,
            "DynamicMemoryEnabled": vm.dynamic_memory,
            "Maximum": i64(1 << 40),
            "Minimum": i64(512 << 20),
            "Priority": 50,
            "Startup": i64(vm.memory_bytes),
            **_device(host, vm, "Memory", f"Microsoft:{vm.id.upper()}\\4764334D-E001-4176-82EE-5594EC9B530E"),
        },
    )


def processor(host: HyperVHost, vm: VirtualMachine) -> PsObject:
    """Get-VMProcessor's object."""
    return PsObject(
        (f"{_SPACE}VMProcessor", f"{_SPACE}VMDevice", *_VM_OBJECT),
        {
            "Count": i64(vm.cpu_count),
            "CompatibilityForMigrationEnabled": False,
            "ExposeVirtualizationExtensions": False,
            "Maximum": i64(100),
            "Reserve": i64(0),
            "RelativeWeight": 100,
            **_device(
                host, vm, "Processor", f"Microsoft:{vm.id.upper()}\\B637F346-6A0E-4DEC-AF52-BD70CB80A21D\\0"
            ),
        },
    )


def firmware(host: HyperVHost, vm: VirtualMachine) -> PsObject:
    """Get-VMFirmware's object; the disk is the first boot device."""
    boot = [*hard_drives(host, vm), *dvd_drives(host, vm)]
    return PsObject(
        (f"{_SPACE}VMFirmware", *_VM_OBJECT),
        {
            "VMName": vm.name,
            "VMId": guid(vm.id),
            "SecureBoot": "On" if vm.secure_boot else "Off",
            "SecureBootTemplate": vm.secure_boot_template,
            "SecureBootTemplateId": guid(TEMPLATES.get(vm.secure_boot_template, NO_GUID)),
            "BootOrder": [
                PsObject((f"{_SPACE}VMBootSource", "System.Object"), {"BootType": "Drive", "Device": device})
                for device in boot
            ],
            "ComputerName": host.computer_name,
            "IsDeleted": False,
        },
    )


def switch(host: HyperVHost, name: str) -> PsObject:
    """Get-VMSwitch's object."""
    kind = host.settings.switches[name]
    external = kind == "external"
    return PsObject(
        (f"{_SPACE}VMSwitch", f"{_SPACE}VirtualizationObject", "System.Object"),
        {
            "Name": name,
            "Id": guid(switch_guid(host, name)),
            "Notes": "",
            "BandwidthReservationMode": "Absolute",
            "EmbeddedTeamingEnabled": False,
            "IovEnabled": False,
            "SwitchType": kind.capitalize(),
            "AllowManagementOS": kind != "private",
            "NetAdapterInterfaceDescription": "Simulated Ethernet Adapter" if external else "",
            "NetAdapterInterfaceDescriptions": ["Simulated Ethernet Adapter"] if external else None,
            "IovSupport": False,
            "IovSupportReasons": None,
            "AvailableVMQueues": u32(0),
            "ComputerName": host.computer_name,
            "IsDeleted": False,
        },
        f"VMSwitch (Name = '{name}') [Id = '{switch_guid(host, name)}']",
    )
