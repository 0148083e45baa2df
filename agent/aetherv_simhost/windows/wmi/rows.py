"""The rows of root/virtualization/v2: one function per class, from the model's values. No rights: no rows, and no error."""

import time
from collections.abc import Callable, Iterator
from typing import Any, Final
from xml.sax.saxutils import escape

from aetherv_simhost.hyperv.content import DEFAULT_DISK_PATH, DEFAULT_VM_PATH
from aetherv_simhost.hyperv.host import HyperVHost
from aetherv_simhost.hyperv.vm import State, VirtualMachine
from aetherv_simhost.windows import objects
from aetherv_simhost.windows.calls import Context
from aetherv_simhost.windows.wmi.schema import Instance, known

KVP: Final = "2A34B1C2-FD73-4043-8A5B-DD2159BC743F"
_HEARTBEAT: Final = "84EAAE65-2F2E-45F5-9BB5-0E857DC8EB47"
_SHUTDOWN: Final = "9F8233AC-BE49-4C79-8EE3-E7E1985B2077"
_STATES: Final = {State.RUNNING: 2, State.OFF: 3, State.STOPPING: 4, State.SAVED: 6, State.PAUSED: 9}
_KINDS: Final = {"external": 2, "internal": 1, "private": 0}
_CAPTIONS: Final = {
    "en": ("Hosting Computer System", "Virtual Machine"),
    "de": ("Hostcomputersystem", "Virtueller Computer"),
}

Maker = Callable[[Context], Iterator[dict[str, Any]]]
ROWS: Final[dict[str, Maker]] = {}


def rows(context: Context, name: str) -> list[Instance]:
    """All rows of a class, or none where the account sees nothing of Hyper-V."""
    of = known(name)
    if not (context.host.settings.hyperv_visible and context.vmms_runs):
        return []
    return [Instance(of, values) for values in ROWS[of.name](context)]


def _of(name: str) -> Callable[[Maker], Maker]:
    def register(maker: Maker) -> Maker:
        ROWS[name] = maker
        return maker

    return register


def data_item(name: str, value: str, source: int) -> str:
    """A Msvm_KvpExchangeDataItem as CIM-XML (DTD 2.0), as Hyper-V writes it."""

    def empty(label: str) -> str:
        return f'<PROPERTY NAME="{label}" PROPAGATED="true" TYPE="string"></PROPERTY>'

    def full(label: str, kind: str, text: str) -> str:
        return f'<PROPERTY NAME="{label}" TYPE="{kind}"><VALUE>{escape(text)}</VALUE></PROPERTY>'

    inside = (
        empty("Caption"),
        full("Data", "string", value),
        empty("Description"),
        empty("ElementName"),
        full("Name", "string", name),
        full("Source", "uint16", str(source)),
    )
    return f'<INSTANCE CLASSNAME="Msvm_KvpExchangeDataItem">{"".join(inside)}</INSTANCE>'


@_of("Msvm_ComputerSystem")
def _systems(context: Context) -> Iterator[dict[str, Any]]:
    host = context.host
    captions = _CAPTIONS[context.locale]
    yield {
        "InstanceID": None,
        "Caption": captions[0],
        "Description": captions[0],
        "ElementName": host.computer_name,
        "OperationalStatus": [2],
        "HealthState": 5,
        "EnabledState": 2,
        "CreationClassName": "Msvm_ComputerSystem",
        "Name": host.computer_name,
    }
    for vm in host.vms():
        yield {
            "Caption": captions[1],
            "Description": captions[1],
            "ElementName": vm.name,
            "InstallDate": vm.create_time,
            "OperationalStatus": [2],
            "HealthState": 5,
            "EnabledState": _STATES[vm.state],
            "RequestedState": 12,
            "EnabledDefault": 2,
            "CreationClassName": "Msvm_ComputerSystem",
            "Name": vm.id.upper(),
            "OnTimeInMilliseconds": int(vm.uptime(time.time()) * 1000),
            "ProcessID": 4000 + vm.number if vm.is_on else None,
            "TimeOfLastConfigurationChange": vm.create_time,
            "ReplicationState": 4 if vm.replica else 0,
            "ReplicationHealth": 1 if vm.replica else 0,
            "ReplicationMode": 2 if vm.replica else 0,
            "EnhancedSessionModeState": 3,
        }


@_of("Msvm_VirtualSystemSettingData")
def _settings(context: Context) -> Iterator[dict[str, Any]]:
    for vm in context.host.vms():
        common = {
            "ElementName": vm.name,
            "VirtualSystemIdentifier": vm.id.upper(),
            "Notes": [vm.notes],
            "CreationTime": vm.create_time,
            "ConfigurationID": vm.id.upper(),
            "ConfigurationDataRoot": vm.path,
            "ConfigurationFile": f"Virtual Machines\\{vm.id.upper()}.vmcx",
            "SnapshotDataRoot": vm.path,
            "SwapFileDataRoot": vm.path,
            "AutomaticStartupAction": {"Nothing": 2, "StartIfRunning": 3, "Start": 4}[vm.start_action],
            "AutomaticShutdownAction": {"TurnOff": 2, "Save": 3, "ShutDown": 4}[vm.stop_action],
            "UserSnapshotType": {"Disabled": 2, "Production": 3, "ProductionOnly": 4, "Standard": 5}[
                vm.checkpoint_type
            ],
            "IsSaved": vm.state is State.SAVED,
            "Version": "10.0",
            "VirtualSystemSubType": f"Microsoft:Hyper-V:SubType:{vm.generation}",
            "AutomaticSnapshotsEnabled": vm.automatic_checkpoints,
            "IsAutomaticSnapshot": False,
            "SecureBootEnabled": vm.secure_boot,
            "SecureBootTemplateId": objects.TEMPLATES.get(vm.secure_boot_template, objects.NO_GUID).upper(),
        }
        yield {
            **common,
            "InstanceID": f"Microsoft:{vm.id.upper()}",
            "Caption": "Virtual Machine Settings",
            "VirtualSystemType": "Microsoft:Hyper-V:System:Realized",
        }
        for point in vm.checkpoints:
            own = str(objects.snapshot(context.host, vm, point).properties["Id"].text).upper()  # type: ignore[attr-defined]  # a Guid
            yield {
                **common,
                "InstanceID": f"Microsoft:{own}",
                "ElementName": point.name,
                "ConfigurationID": own,
                "VirtualSystemType": "Microsoft:Hyper-V:Snapshot:Realized",
            }


@_of("Msvm_VirtualSystemManagementService")
def _service(context: Context) -> Iterator[dict[str, Any]]:
    yield {
        "Caption": "Hyper-V Virtual System Management Service",
        "ElementName": "Hyper-V Virtual System Management Service",
        "CreationClassName": "Msvm_VirtualSystemManagementService",
        "Name": "vmms",
        "SystemCreationClassName": "Msvm_ComputerSystem",
        "SystemName": context.host.computer_name,
        "Started": True,
        "EnabledState": 5,
        "HealthState": 5,
        "OperationalStatus": [2],
    }


@_of("Msvm_VirtualSystemManagementServiceSettingData")
def _service_settings(context: Context) -> Iterator[dict[str, Any]]:
    yield {
        "InstanceID": f"Microsoft:{context.host.computer_name}",
        "DefaultExternalDataRoot": DEFAULT_VM_PATH,
        "DefaultVirtualHardDiskPath": DEFAULT_DISK_PATH,
        "NumaSpanningEnabled": True,
        "EnhancedSessionModeEnabled": False,
    }


def _component(host: HyperVHost, vm: VirtualMachine, name: str, own: str) -> dict[str, Any]:
    speaks = vm.state is State.RUNNING and bool(host.intrinsic_items(vm.id))
    return {
        "ElementName": name,
        "OperationalStatus": [2] if speaks else [12],
        "HealthState": 5,
        "EnabledState": 2 if vm.is_on else 3,
        "SystemCreationClassName": "Msvm_ComputerSystem",
        "SystemName": vm.id.upper(),
        "CreationClassName": "",
        "DeviceID": f"Microsoft:{vm.id.upper()}\\{own}",
    }


@_of("Msvm_KvpExchangeComponent")
def _kvp(context: Context) -> Iterator[dict[str, Any]]:
    host = context.host
    for vm in host.vms():
        if not vm.is_on:
            continue  # a component of a VM that is off is not there
        guest = [data_item(name, value, 1) for name, value in (host.guest_items(vm.id) or {}).items()]
        intrinsic = [data_item(name, value, 2) for name, value in host.intrinsic_items(vm.id).items()]
        yield {
            **_component(host, vm, "Key-Value Pair Exchange", KVP),
            "CreationClassName": "Msvm_KvpExchangeComponent",
            "GuestExchangeItems": guest,
            "GuestIntrinsicExchangeItems": intrinsic,
        }


@_of("Msvm_KvpExchangeComponentSettingData")
def _kvp_settings(context: Context) -> Iterator[dict[str, Any]]:
    yield _definition("6", "Microsoft:Hyper-V:Key-Value Pair Exchange Component") | {"EnabledState": 2}
    for vm in context.host.vms():
        items = [data_item(name, value, 0) for name, value in context.host.host_items(vm.id).items()]
        yield {
            "InstanceID": f"Microsoft:{vm.id.upper()}\\{KVP}",
            "ElementName": "Key-Value Pair Exchange",
            "ResourceType": 1,
            "OtherResourceType": "Microsoft:Hyper-V:Key-Value Pair Exchange Component",
            "ResourceSubType": "",
            "EnabledState": 2,
            "DisableHostKVPItems": False,
            "HostExchangeItems": items,
        }


@_of("Msvm_HeartbeatComponent")
def _heartbeat(context: Context) -> Iterator[dict[str, Any]]:
    for vm in context.host.vms():
        if vm.is_on:
            values = _component(context.host, vm, "Heartbeat", _HEARTBEAT)
            yield {**values, "CreationClassName": "Msvm_HeartbeatComponent"}


@_of("Msvm_ShutdownComponent")
def _shutdown(context: Context) -> Iterator[dict[str, Any]]:
    for vm in context.host.vms():
        if vm.is_on:
            values = _component(context.host, vm, "Shutdown", _SHUTDOWN)
            yield {**values, "CreationClassName": "Msvm_ShutdownComponent"}


@_of("Msvm_SummaryInformation")
def summaries(context: Context) -> Iterator[dict[str, Any]]:
    """Also what GetSummaryInformation answers."""
    host = context.host
    for vm in host.vms():
        on = vm.state is State.RUNNING
        intrinsic = host.intrinsic_items(vm.id) if on else {}
        yield {
            "InstanceID": f"Microsoft:{vm.id.upper()}",
            "Name": vm.id.upper(),
            "ElementName": vm.name,
            "CreationTime": vm.create_time,
            "Notes": vm.notes,
            "EnabledState": _STATES[vm.state],
            "HealthState": 5,
            "OperationalStatus": [2],
            "StatusDescriptions": ["Operating normally"],
            "Heartbeat": (2 if intrinsic else 12) if on else None,
            "NumberOfProcessors": vm.cpu_count,
            "ProcessorLoad": 0,
            "MemoryUsage": vm.memory_bytes >> 20 if on else 0,
            "UpTime": int(vm.uptime(time.time()) * 1000),
            "GuestOperatingSystem": intrinsic.get("OSName") or None,
            "Version": "10.0",
            "VirtualSystemSubType": f"Microsoft:Hyper-V:SubType:{vm.generation}",
            "VirtualSwitchNames": [adapter.switch for adapter in vm.adapters if adapter.switch],
            "HostComputerSystemName": host.computer_name,
            "ReplicationState": 4 if vm.replica else 0,
            "ReplicationHealth": 1 if vm.replica else 0,
            "ReplicationMode": 2 if vm.replica else 0,
            "IntegrationServicesVersionState": 1 if intrinsic else 0,
        }


@_of("Msvm_ProcessorSettingData")
def _processors(context: Context) -> Iterator[dict[str, Any]]:
    yield _definition("3", "Microsoft:Hyper-V:Processor") | {"VirtualQuantity": 1}
    for vm in context.host.vms():
        yield {
            "InstanceID": f"Microsoft:{vm.id.upper()}\\b637f346-6a0e-4dec-af52-bd70cb80a21d\\0",
            "ElementName": "Processor",
            "ResourceType": 3,
            "ResourceSubType": "Microsoft:Hyper-V:Processor",
            "VirtualQuantity": vm.cpu_count,
            "Reservation": 0,
            "Limit": 100000,
            "Weight": 100,
        }


@_of("Msvm_MemorySettingData")
def _memory(context: Context) -> Iterator[dict[str, Any]]:
    yield _definition("4", "Microsoft:Hyper-V:Memory") | {"VirtualQuantity": 512}
    for vm in context.host.vms():
        yield {
            "InstanceID": f"Microsoft:{vm.id.upper()}\\4764334d-e001-4176-82ee-5594ec9b530e",
            "ElementName": "Memory",
            "ResourceType": 4,
            "ResourceSubType": "Microsoft:Hyper-V:Memory",
            "AllocationUnits": "byte * 2^20",
            "VirtualQuantity": vm.memory_bytes >> 20,
            "DynamicMemoryEnabled": vm.dynamic_memory,
        }


def _adapters(context: Context) -> Iterator[tuple[VirtualMachine, int, str]]:
    for vm in context.host.vms():
        for index in range(len(vm.adapters)):
            yield vm, index, f"Microsoft:{vm.id.upper()}\\{objects.adapter_guid(vm.id, index)}"


@_of("Msvm_SyntheticEthernetPortSettingData")
def _port_settings(context: Context) -> Iterator[dict[str, Any]]:
    yield _definition("10", "Microsoft:Hyper-V:Synthetic Ethernet Port")
    for vm, index, own in _adapters(context):
        yield {
            "InstanceID": own,
            "ElementName": vm.adapters[index].name,
            "ResourceType": 10,
            "ResourceSubType": "Microsoft:Hyper-V:Synthetic Ethernet Port",
            "Address": vm.adapters[index].mac or "000000000000",
            "StaticMacAddress": False,
            "ClusterMonitored": True,
            "VirtualSystemIdentifiers": ["{" + objects.adapter_guid(vm.id, index) + "}"],
        }


@_of("Msvm_EthernetPortAllocationSettingData")
def _allocations(context: Context) -> Iterator[dict[str, Any]]:
    yield _definition("33", "Microsoft:Hyper-V:Ethernet Connection")
    for vm, index, own in _adapters(context):
        switch = vm.adapters[index].switch
        path = (
            f"\\\\{context.host.computer_name}\\root\\virtualization\\v2:Msvm_VirtualEthernetSwitch."
            f'CreationClassName="Msvm_VirtualEthernetSwitch",Name="{_switch(context, switch)}"'
        )
        yield {
            "InstanceID": f"{own}\\C",
            "ElementName": "Dynamic Ethernet Switch Port",
            "ResourceType": 33,
            "ResourceSubType": "Microsoft:Hyper-V:Ethernet Connection",
            "Parent": f'\\\\{context.host.computer_name}\\root\\virtualization\\v2:Msvm_SyntheticEthernetPortSettingData.InstanceID="{_escaped(own)}"',
            "HostResource": [path] if switch else None,
            "EnabledState": 2 if switch else 3,
            "LastKnownSwitchName": switch,
        }


@_of("Msvm_EthernetSwitchPortVlanSettingData")
def _vlans(context: Context) -> Iterator[dict[str, Any]]:
    for vm, index, own in _adapters(context):
        vlan = vm.adapters[index].vlan_id
        if vlan:  # an untagged adapter has no such setting
            yield {
                "InstanceID": f"{own}\\C\\952C5004-4465-451C-8CB8-FA9AB382B773\\1",
                "ElementName": "Ethernet Switch Port VLAN Settings",
                "OperationMode": 1,
                "AccessVlanId": vlan,
                "NativeVlanId": 0,
            }


@_of("Msvm_GuestNetworkAdapterConfiguration")
def _guest_networks(context: Context) -> Iterator[dict[str, Any]]:
    for vm, index, _ in _adapters(context):
        addresses = vm.adapters[index].ip_addresses
        yield {
            "InstanceID": f"Microsoft:GuestNetwork\\{vm.id.upper()}\\{objects.adapter_guid(vm.id, index)}",
            "ProtocolIFType": 4098,
            "DHCPEnabled": True,
            "IPAddresses": list(addresses),
            "Subnets": ["255.255.255.0" if ":" not in a else "/64" for a in addresses],
        }


@_of("Msvm_VirtualEthernetSwitch")
def _switches(context: Context) -> Iterator[dict[str, Any]]:
    for name in context.host.settings.switches:
        yield {
            "Caption": "Virtual Switch",
            "ElementName": name,
            "CreationClassName": "Msvm_VirtualEthernetSwitch",
            "Name": _switch(context, name),
            "EnabledState": 5,
            "HealthState": 5,
            "OperationalStatus": [2],
        }


@_of("Msvm_VirtualEthernetSwitchSettingData")
def _switch_settings(context: Context) -> Iterator[dict[str, Any]]:
    for name in context.host.settings.switches:
        own = _switch(context, name)
        yield {"InstanceID": f"Microsoft:{own}", "ElementName": name, "VirtualSystemIdentifier": own}


@_of("Msvm_ExternalEthernetPort")
def _external(context: Context) -> Iterator[dict[str, Any]]:
    for index, (name, kind) in enumerate(context.host.settings.switches.items()):
        if kind == "external":
            yield {
                "ElementName": f"Simulated Ethernet Adapter #{index + 1}",
                "Name": name,
                "DeviceID": f"Microsoft:{{{_switch(context, name)}}}",
                "SystemName": context.host.computer_name,
                "EnabledState": 2,
                "IsBound": True,
            }


@_of("Msvm_StorageAllocationSettingData")
def _storage(context: Context) -> Iterator[dict[str, Any]]:
    yield _definition("31", "Microsoft:Hyper-V:Virtual Hard Disk")
    for vm in context.host.vms():
        disks = list(enumerate(vm.disks))
        for location, path in disks:
            yield _medium(vm, location, path, "Microsoft:Hyper-V:Virtual Hard Disk")
        for location, path in enumerate(vm.drives, start=len(disks)):
            if path:
                yield _medium(vm, location, path, "Microsoft:Hyper-V:Virtual CD/DVD Disk")
        for point in vm.checkpoints:
            own = str(objects.snapshot(context.host, vm, point).properties["Id"].text).upper()  # type: ignore[attr-defined]  # a Guid
            for location, path in enumerate(point.disks):
                medium = _medium(vm, location, path, "Microsoft:Hyper-V:Virtual Hard Disk")
                yield {**medium, "InstanceID": medium["InstanceID"].replace(vm.id.upper(), own, 1)}


@_of("Msvm_ResourceAllocationSettingData")
def _drives(context: Context) -> Iterator[dict[str, Any]]:
    for vm in context.host.vms():
        controller = f"Microsoft:{vm.id.upper()}\\{objects.controller_id(vm.id)}\\0"
        yield {
            "InstanceID": controller,
            "ElementName": "SCSI Controller",
            "ResourceType": 6,
            "ResourceSubType": "Microsoft:Hyper-V:Synthetic SCSI Controller",
        }
        for location in range(len(vm.disks) + len(vm.drives)):
            disk = location < len(vm.disks)
            yield {
                "InstanceID": objects.drive_id(vm.id, location),
                "ElementName": "Hard Drive" if disk else "DVD Drive",
                "ResourceType": 17 if disk else 16,
                "ResourceSubType": f"Microsoft:Hyper-V:Synthetic {'Disk' if disk else 'DVD'} Drive",
                "AddressOnParent": str(location),
            }


def _medium(vm: VirtualMachine, location: int, path: str, kind: str) -> dict[str, Any]:
    return {
        "InstanceID": objects.drive_id(vm.id, location)[:-1] + "L",
        "ElementName": "Hard Disk Image" if "Hard" in kind else "ISO Disk Image",
        "ResourceType": 31,
        "ResourceSubType": kind,
        "HostResource": [path],
        "Parent": f'Msvm_ResourceAllocationSettingData.InstanceID="{_escaped(objects.drive_id(vm.id, location))}"',
    }


def _definition(kind: str, sub: str) -> dict[str, Any]:
    """The default settings, which Hyper-V lists among those of the VMs: who joins has to leave them out."""
    return {
        "InstanceID": f"Microsoft:Definition\\{objects.controller_id(sub)}\\Default",
        "ResourceType": int(kind),
        "ResourceSubType": sub,
    }


def _switch(context: Context, name: str) -> str:
    return objects.switch_guid(context.host, name).upper()


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')
