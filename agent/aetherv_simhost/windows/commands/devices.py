"""What is in a VM: disks, DVD drives, adapters, VLANs, firmware, memory, processors, integration services; and Get-VHD."""

import itertools
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

from aetherv_simhost.hyperv import media
from aetherv_simhost.hyperv.errors import InvalidState
from aetherv_simhost.hyperv.host import HyperVHost
from aetherv_simhost.hyperv.vm import NetworkAdapter, VirtualMachine
from aetherv_simhost.windows import objects
from aetherv_simhost.windows.calls import Call, Context, Reply, command
from aetherv_simhost.windows.commands.selection import failing, selected, visible, vm_of
from aetherv_simhost.windows.commands.vm import windows_path
from aetherv_simhost.windows.failures import CmdletFailure, Refused
from aetherv_simhost.windows.values import PsObject, guid, u32, u64

_MAX_VLAN: Final = 4094
_DRIVE: Final = ("ControllerNumber", "ControllerLocation", "ControllerType")
_SERVICES: Final = {
    "Guest Service Interface": "6C09BB55-D683-4DA0-8931-C9BF705F6480",
    "Heartbeat": "84EAAE65-2F2E-45F5-9BB5-0E857DC8EB47",
    "Key-Value Pair Exchange": "2A34B1C2-FD73-4043-8A5B-DD2159BC743F",
    "Shutdown": "9F8233AC-BE49-4C79-8EE3-E7E1985B2077",
    "Time Synchronization": "2497F4DE-E9FA-4204-80E4-4B75C46419C0",
    "VSS": "5CED1297-4598-4915-A5FC-AD21BB4D02A4",
}


@command("Get-VMHardDiskDrive", "VMName", "VM", *_DRIVE)
def get_disks(context: Context, call: Call, reply: Reply) -> None:
    """Disks of VMs, never those of their checkpoints."""
    for vm in selected(context, call, reply, "VMName"):
        reply.objects += _placed(call, objects.hard_drives(context.host, vm))


@command("Add-VMHardDiskDrive", "VMName", "VM", "Path", "Passthru", *_DRIVE)
def add_disk(context: Context, call: Call, reply: Reply) -> None:
    """Attaches a disk's file to the SCSI controller."""
    path = windows_path(context, call.text("Path"))
    _only_scsi(call)
    for vm in selected(context, call, reply, "VMName"):
        with failing(reply):
            if path.casefold() in {disk.casefold() for disk in vm.disks}:
                line = (
                    f"Cannot add '{path}'. The disk is already connected to the virtual machine '{vm.name}'."
                )
                which = f"(Virtual machine ID {vm.id.upper()})"
                raise CmdletFailure(
                    "InvalidParameter",
                    f"'{vm.name}' failed to add resources to '{vm.name}'.\n{line} {which}\n"
                    f"'{vm.name}' failed to add resources. {which}\n{line} {which}",
                )
            made = context.host.add_disk(vm.id, path)
            if call.flag("Passthru"):
                reply.objects.append(objects.hard_drives(context.host, made)[-1])


@command("Remove-VMHardDiskDrive", "VMName", "VMHardDiskDrive", *_DRIVE)
def remove_disk(context: Context, call: Call, reply: Reply) -> None:
    """Detaches a disk; its file stays."""
    for vm, location in _drives(context, call, reply, "VMHardDiskDrive", lambda vm: range(len(vm.disks))):
        with failing(reply):
            kept = (*vm.disks[:location], *vm.disks[location + 1 :])
            context.host.change_vm(vm.id, disks=kept)


@command("Get-VMDvdDrive", "VMName", "VM", "ControllerNumber", "ControllerLocation")
def get_drives(context: Context, call: Call, reply: Reply) -> None:
    """DVD drives of VMs."""
    for vm in selected(context, call, reply, "VMName"):
        reply.objects += _placed(call, objects.dvd_drives(context.host, vm))


@command("Add-VMDvdDrive", "VMName", "VM", "Path", "Passthru", "ControllerNumber", "ControllerLocation")
def add_drive(context: Context, call: Call, reply: Reply) -> None:
    """A new drive, empty or with an ISO."""
    path = windows_path(context, call.text("Path")) if call.text("Path") else ""
    for vm in selected(context, call, reply, "VMName"):
        with failing(reply):
            _iso_is_there(context, vm, path)
            made = context.host.change_vm(vm.id, drives=(*vm.drives, path))
            if call.flag("Passthru"):
                reply.objects.append(objects.dvd_drives(context.host, made)[-1])


@command(
    "Set-VMDvdDrive", "VMName", "VMDvdDrive", "Path", "Passthru", "ControllerNumber", "ControllerLocation"
)
def set_drive(context: Context, call: Call, reply: Reply) -> None:
    """Puts an ISO in, or with no path takes it out."""
    path = windows_path(context, call.text("Path")) if call.text("Path") else ""
    for vm, location in _drives(context, call, reply, "VMDvdDrive", _dvd_places):
        with failing(reply):
            _iso_is_there(context, vm, path)
            index = location - len(vm.disks)
            drives = (*vm.drives[:index], path, *vm.drives[index + 1 :])
            made = context.host.change_vm(vm.id, drives=drives)
            if not path:
                context.ejected[vm.id] = time.monotonic()
            if call.flag("Passthru"):
                reply.objects.append(objects.dvd_drives(context.host, made)[index])


@command("Remove-VMDvdDrive", "VMName", "VMDvdDrive", "Passthru", "ControllerNumber", "ControllerLocation")
def remove_drive(context: Context, call: Call, reply: Reply) -> None:
    """Removes a drive; a running VM's may refuse for a while after an eject."""
    for vm, location in _drives(context, call, reply, "VMDvdDrive", _dvd_places):
        with failing(reply):
            index = location - len(vm.disks)
            since = time.monotonic() - context.ejected.get(vm.id, -context.eject_seconds)
            if vm.is_on and (vm.drives[index] or since < context.eject_seconds):
                text = f"'{vm.name}' failed to remove device 'Virtual CD/DVD Disk'. (Virtual machine ID {vm.id.upper()})"
                raise CmdletFailure("InvalidState", text)
            context.host.change_vm(vm.id, drives=(*vm.drives[:index], *vm.drives[index + 1 :]))


@command("Get-VMNetworkAdapter", "VMName", "VM", "Name", "All")
def get_adapters(context: Context, call: Call, reply: Reply) -> None:
    """Adapters of VMs."""
    vms = selected(context, call, reply, "VMName") if not call.flag("All") else list(context.host.vms())
    for vm in vms:
        reply.objects += [
            objects.adapter(context.host, vm, index)
            for index, adapter in enumerate(vm.adapters)
            if not call.has("Name") or adapter.name.casefold() == call.text("Name").casefold()
        ]


@command(
    "Connect-VMNetworkAdapter", "VMName", "Name", "VMNetworkAdapter", "SwitchName", "VMSwitch", "Passthru"
)
def connect(context: Context, call: Call, reply: Reply) -> None:
    """Connects adapters with a switch."""
    given = call.many("VMSwitch")
    wanted = str(given[0].get("Name", "")) if given else call.text("SwitchName")
    switch = next((s for s in context.host.settings.switches if s.casefold() == wanted.casefold()), None)
    if switch is None:
        text = f'Hyper-V was unable to find a virtual switch with name "{wanted}".'
        raise CmdletFailure("ObjectNotFound", text)
    _each_adapter(context, call, reply, lambda adapter: replace(adapter, switch=switch))


@command("Disconnect-VMNetworkAdapter", "VMName", "Name", "VMNetworkAdapter", "Passthru")
def disconnect(context: Context, call: Call, reply: Reply) -> None:
    """Takes adapters off their switch."""
    _each_adapter(context, call, reply, lambda adapter: replace(adapter, switch=""))


_VLAN: Final = (
    "VMName",
    "VM",
    "VMNetworkAdapter",
    "VMNetworkAdapterName",
    "Access",
    "Untagged",
    "VlanId",
    "Passthru",
)


@command("Set-VMNetworkAdapterVlan", *_VLAN)
def set_vlan(context: Context, call: Call, reply: Reply) -> None:
    """Access mode with a VLAN of 1 to 4094, or untagged."""
    if call.flag("Access") == call.flag("Untagged"):
        raise Refused("Set-VMNetworkAdapterVlan without one of -Access and -Untagged")
    vlan = 0 if call.flag("Untagged") else int(call.parameters.get("VlanId") or 0)
    if call.flag("Access") and not 1 <= vlan <= _MAX_VLAN:
        raise CmdletFailure(
            "InvalidParameter", "Invalid VLAN ID. The VLAN ID must be in the range of 1 to 4094."
        )
    _each_adapter(context, call, reply, lambda adapter: replace(adapter, vlan_id=vlan))


@command("Get-VMNetworkAdapterVlan", "VMName", "VM", "VMNetworkAdapter", "VMNetworkAdapterName")
def get_vlan(context: Context, call: Call, reply: Reply) -> None:
    """The VLAN settings of adapters."""
    for vm, index in _adapters(context, call, reply):
        reply.objects.append(objects.vlan(context.host, vm.adapters[index]))


@command("Get-VMFirmware", "VMName", "VM")
def get_firmware(context: Context, call: Call, reply: Reply) -> None:
    """Secure Boot and boot order."""
    reply.objects += [objects.firmware(context.host, vm) for vm in selected(context, call, reply, "VMName")]


@command(
    "Set-VMFirmware", "VMName", "VM", "EnableSecureBoot", "SecureBootTemplate", "FirstBootDevice", "Passthru"
)
def set_firmware(context: Context, call: Call, reply: Reply) -> None:
    """Secure Boot's template; the first boot device has to be the disk, which it is in the model."""
    values: dict[str, Any] = {}
    if call.has("EnableSecureBoot"):
        values["secure_boot"] = call.text("EnableSecureBoot") == "On"
    if call.has("SecureBootTemplate"):
        template = call.text("SecureBootTemplate")
        known = next((name for name in objects.TEMPLATES if name.casefold() == template.casefold()), None)
        if known is None:
            text = f"The secure boot template '{template}' was not found."
            raise CmdletFailure("InvalidParameter", text)
        values["secure_boot_template"] = known
    for device in call.many("FirstBootDevice"):
        if not str(device.get("$type", "")).endswith(".HardDiskDrive"):
            raise Refused("Set-VMFirmware -FirstBootDevice with anything but the disk")
    for vm in selected(context, call, reply, "VMName"):
        with failing(reply):
            try:
                made = context.host.change_vm(vm.id, **values)
            except InvalidState as error:
                text = f"'{vm.name}' failed to modify settings. (Virtual machine ID {vm.id.upper()})"
                raise CmdletFailure("InvalidState", text) from error
            if call.flag("Passthru"):
                reply.objects.append(objects.firmware(context.host, made))


@command("Get-VMMemory", "VMName", "VM")
def get_memory(context: Context, call: Call, reply: Reply) -> None:
    """Memory settings."""
    reply.objects += [objects.memory(context.host, vm) for vm in selected(context, call, reply, "VMName")]


@command("Get-VMProcessor", "VMName", "VM")
def get_processor(context: Context, call: Call, reply: Reply) -> None:
    """Processor settings."""
    reply.objects += [objects.processor(context.host, vm) for vm in selected(context, call, reply, "VMName")]


@command("Get-VMIntegrationService", "VMName", "VM", "Name")
def get_services(context: Context, call: Call, reply: Reply) -> None:
    """Integration services; names are not localised here."""
    wanted = {str(name).casefold() for name in call.many("Name")}
    for vm in selected(context, call, reply, "VMName"):
        for name, own in _SERVICES.items():
            if not wanted or name.casefold() in wanted:
                reply.objects.append(_service(context.host, vm, name, own))


@command("Enable-VMIntegrationService", "VMName", "VM", "Name", "VMIntegrationService", "Passthru")
def enable_service(context: Context, call: Call, reply: Reply) -> None:
    """Data Exchange is on in every VM of the model; the others change nothing in it."""
    selected(context, call, reply, "VMName")
    for item in call.many("VMIntegrationService"):
        vm_of(context, str(item.get("VMId")))


@command("Get-VHD", "Path")
def get_vhd(context: Context, call: Call, reply: Reply) -> None:
    """Facts of disk files."""
    visible(context)
    for value in call.many("Path"):
        with failing(reply):
            path = windows_path(context, str(value))
            if not context.host.files.exists(path) or context.host.files.is_dir(path):
                raise CmdletFailure(
                    "InvalidParameter", f"'{path}' is not an existing virtual hard disk file."
                )
            reply.objects.append(_vhd(context.host, path))


def _service(host: HyperVHost, vm: VirtualMachine, name: str, own: str) -> PsObject:
    speaks = bool(host.intrinsic_items(vm.id)) and vm.is_on
    status = "Ok" if speaks else "NoContact" if vm.is_on else None
    text = "OK" if speaks else "No Contact" if vm.is_on else ""
    space = "Microsoft.HyperV.PowerShell."
    return PsObject(
        (
            f"{space}VMIntegrationComponent",
            f"{space}VMDevice",
            f"{space}VMComponentObject",
            f"{space}VirtualizationObject",
            "System.Object",
        ),
        {
            "Enabled": name != "Guest Service Interface",
            "OperationalStatus": [status] if status else None,
            "PrimaryOperationalStatus": status,
            "PrimaryStatusDescription": text,
            "SecondaryOperationalStatus": None,
            "SecondaryStatusDescription": None,
            "StatusDescription": [text] if text else None,
            "Name": name,
            "Id": f"Microsoft:{vm.id.upper()}\\{own}",
            "VMId": guid(vm.id),
            "VMName": vm.name,
            "ComputerName": host.computer_name,
            "IsDeleted": False,
        },
    )


def _vhd(host: HyperVHost, path: str) -> PsObject:
    differencing = path.casefold().endswith(".avhdx")
    image = media.read_disk(host.files, path)
    attached = not host.files.can_open_alone(path)
    size = host.disk_sizes.of(path) if image is None else image.size_bytes
    return PsObject(
        ("Microsoft.Vhd.PowerShell.VirtualHardDisk", "System.Object"),
        {
            "ComputerName": host.computer_name,
            "Path": path,
            "VhdFormat": "VHD" if path.casefold().endswith(".vhd") else "VHDX",
            "VhdType": "Differencing" if differencing else "Dynamic",
            "FileSize": u64(host.files.size(path)),
            "Size": u64(size),
            "MinimumSize": None,
            "LogicalSectorSize": u32(512),
            "PhysicalSectorSize": u32(4096),
            "BlockSize": u32(33554432),
            "ParentPath": _parent(host, path) if differencing else "",
            "DiskIdentifier": objects.controller_id(path),
            "FragmentationPercentage": u32(0),
            "Alignment": u32(1),
            "Attached": attached,
            "DiskNumber": None,
            "Number": None,
        },
    )


def _parent(host: HyperVHost, path: str) -> str:
    for vm in host.vms():
        chains = [vm.disks, *(point.disks for point in reversed(vm.checkpoints))]
        for child, parent in itertools.pairwise(chains):
            for index, disk in enumerate(child):
                if disk.casefold() == path.casefold() and index < len(parent):
                    return parent[index]
    return ""


def _placed(call: Call, found: list[PsObject]) -> list[PsObject]:
    return [
        drive
        for drive in found
        if all(
            not call.has(name) or str(drive.properties[name]).casefold() == call.text(name).casefold()
            for name in _DRIVE
        )
    ]


def _only_scsi(call: Call) -> None:
    if call.text("ControllerType", "SCSI") != "SCSI":
        raise Refused(f"{call.command} -ControllerType {call.text('ControllerType')}")


def _dvd_places(vm: VirtualMachine) -> range:
    return range(len(vm.disks), len(vm.disks) + len(vm.drives))


def _drives(
    context: Context, call: Call, reply: Reply, parameter: str, places: Callable[[VirtualMachine], range]
) -> list[tuple[VirtualMachine, int]]:
    found: list[tuple[VirtualMachine, int]] = []
    for value in call.many(parameter):
        with failing(reply):
            vm = vm_of(context, str(value.get("VMId")))
            location = int(value.get("ControllerLocation", -1))
            if location not in places(vm):
                raise _no_drive(vm)
            found.append((vm, location))
    for vm in selected(context, call, reply, "VMName"):
        locations = [
            at
            for at in places(vm)
            if not call.has("ControllerLocation") or at == call.number("ControllerLocation")
        ]
        if len(locations) != 1:
            reply.failures.append(_no_drive(vm))
        else:
            found.append((vm, locations[0]))
    return found


def _no_drive(vm: VirtualMachine) -> CmdletFailure:
    return CmdletFailure("ObjectNotFound", f"No drive of '{vm.name}' was found with the given criteria.")


def _iso_is_there(context: Context, vm: VirtualMachine, path: str) -> None:
    if path and not context.host.files.exists(path):
        text = "The system cannot find the file specified."
        raise CmdletFailure(
            "ObjectNotFound",
            f"'{vm.name}' failed to add device 'Virtual CD/DVD Disk'. (Virtual machine ID {vm.id.upper()})\n"
            f"'{vm.name}': Attachment '{path}' failed to open because of error: '{text}' (0x80070002).",
        )


def _adapters(context: Context, call: Call, reply: Reply) -> list[tuple[VirtualMachine, int]]:
    wanted = (call.text("VMNetworkAdapterName") or call.text("Name")).casefold()
    found = []
    for value in call.many("VMNetworkAdapter"):
        with failing(reply):
            vm = vm_of(context, str(value.get("VMId")))
            index = next(
                (
                    i
                    for i in range(len(vm.adapters))
                    if objects.adapter_guid(vm.id, i) == value.get("AdapterId")
                ),
                None,
            )
            if index is None:
                raise _no_adapter()
            found.append((vm, index))
    for vm in selected(context, call, reply, "VMName"):
        indexes = [
            i for i, adapter in enumerate(vm.adapters) if not wanted or adapter.name.casefold() == wanted
        ]
        if not indexes:
            reply.failures.append(_no_adapter())
        found += [(vm, index) for index in indexes]
    return found


def _no_adapter() -> CmdletFailure:
    return CmdletFailure("ObjectNotFound", "No network adapter was found with the given criteria.")


def _each_adapter(
    context: Context, call: Call, reply: Reply, change: Callable[[NetworkAdapter], NetworkAdapter]
) -> None:
    for vm, index in _adapters(context, call, reply):
        with failing(reply):
            now = context.host.vm(vm.id)
            adapters = tuple(change(a) if i == index else a for i, a in enumerate(now.adapters))
            made = context.host.change_vm(vm.id, adapters=adapters)
            if call.flag("Passthru"):
                reply.objects.append(objects.adapter(context.host, made, index))
