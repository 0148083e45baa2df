"""The life of VMs: New-VM, Get-VM, Set-VM, Rename-VM, Start-VM, Stop-VM, Restart-VM, Remove-VM and their checkpoints."""

from typing import Any, Final

from aetherv_simhost.hyperv import paths
from aetherv_simhost.hyperv.content import DEFAULT_VM_PATH
from aetherv_simhost.hyperv.errors import FileError, FileMissing, InvalidState, OutOfMemory
from aetherv_simhost.hyperv.vm import State, VirtualMachine
from aetherv_simhost.windows import objects
from aetherv_simhost.windows.calls import Call, Context, Reply, command
from aetherv_simhost.windows.commands.selection import failing, selected, visible
from aetherv_simhost.windows.failures import CmdletFailure, Refused

_MIB: Final = 1 << 20
_GENERATION: Final = 2
_ALREADY: Final = "The virtual machine is already in the specified state."
_PROMPTS: Final = (
    "Windows PowerShell is in NonInteractive mode. Read and Prompt functionality is not available."
)
_SETTABLE: Final = {
    "NewVMName": "name",
    "Notes": "notes",
    "AutomaticCheckpointsEnabled": "automatic_checkpoints",
    "AutomaticStartAction": "start_action",
    "AutomaticStartDelay": "start_delay",
    "AutomaticStopAction": "stop_action",
    "CheckpointType": "checkpoint_type",
    "ProcessorCount": "cpu_count",
    "MemoryStartupBytes": "memory_bytes",
}


@command("Get-VM", "Name", "Id")
def get_vm(context: Context, call: Call, reply: Reply) -> None:
    """All VMs, or those of ids or names."""
    visible(context)
    everything = not (call.has("Name") or call.has("Id"))
    found = list(context.host.vms()) if everything else selected(context, call, reply, "Name")
    reply.objects += [objects.of_vm(context.host, vm) for vm in found]


@command(
    "New-VM", "Name", "MemoryStartupBytes", "Generation", "Path", "SwitchName", "NoVHD", "VHDPath", "Force"
)
def new_vm(context: Context, call: Call, reply: Reply) -> None:
    """A VM of generation 2, off; New-VM knows no notes."""
    visible(context)
    host = context.host
    if not call.has("Generation") or call.number("Generation") != _GENERATION:
        raise Refused("New-VM -Generation 1 (also its default)")
    name = call.text("Name", "New Virtual Machine")
    switch = call.text("SwitchName")
    if switch and switch.casefold() not in {known.casefold() for known in host.settings.switches}:
        raise CmdletFailure(
            "InvalidParameter", f'Hyper-V was unable to find a virtual switch with name "{switch}".'
        )
    switch = next((known for known in host.settings.switches if known.casefold() == switch.casefold()), "")
    disk = windows_path(context, call.text("VHDPath")) if call.has("VHDPath") else ""
    if disk and not host.files.exists(disk):
        raise CmdletFailure("ObjectNotFound", f"'{disk}' is not an existing virtual hard disk file.")
    # New-VM puts the VM into a folder of its own name below -Path.
    root = windows_path(context, call.text("Path", DEFAULT_VM_PATH))
    folder = paths.join(root, name) if call.has("Path") else root
    memory = call.number("MemoryStartupBytes") if call.has("MemoryStartupBytes") else 512 * _MIB
    _check_memory(context, name, memory)
    try:
        vm = host.new_vm(name, folder, memory, switch)
    except FileError as error:
        raise CmdletFailure(
            "ObjectNotFound",
            f"Failed to create a new virtual machine.\n'{name}' failed to realize.\n"
            "Failed to access configuration store: The system cannot find the path specified. (0x80070003).",
        ) from error
    if disk:
        vm = host.add_disk(vm.id, disk)
    reply.objects.append(objects.of_vm(host, vm))


@command("Set-VM", "Name", "VM", "Passthru", "StaticMemory", *_SETTABLE)
def set_vm(context: Context, call: Call, reply: Reply) -> None:
    """Changes what the model keeps of a VM."""
    values: dict[str, Any] = {_SETTABLE[name]: call.parameters[name] for name in _SETTABLE if call.has(name)}
    if call.flag("StaticMemory"):
        values["dynamic_memory"] = False
    _change(context, call, reply, values, "Name")


@command("Rename-VM", "Name", "VM", "NewName", "Passthru")
def rename_vm(context: Context, call: Call, reply: Reply) -> None:
    """Renames; a name may be there already."""
    _change(context, call, reply, {"name": call.text("NewName")}, "Name")


@command("Set-VMProcessor", "VMName", "VM", "Count", "Passthru")
def set_processor(context: Context, call: Call, reply: Reply) -> None:
    """The number of processors."""
    values = {"cpu_count": call.number("Count")} if call.has("Count") else {}
    _change(context, call, reply, values, "VMName", device="Processor")


@command("Set-VMMemory", "VMName", "VM", "StartupBytes", "DynamicMemoryEnabled", "Passthru")
def set_memory(context: Context, call: Call, reply: Reply) -> None:
    """Memory in bytes; static unless said otherwise."""
    values: dict[str, Any] = {}
    if call.has("StartupBytes"):
        values["memory_bytes"] = call.number("StartupBytes")
    if call.has("DynamicMemoryEnabled"):
        values["dynamic_memory"] = call.flag("DynamicMemoryEnabled")
    _change(context, call, reply, values, "VMName", device="Memory")


@command("Start-VM", "Name", "VM", "Passthru")
def start_vm(context: Context, call: Call, reply: Reply) -> None:
    """Starts; one that runs already is a warning."""
    for vm in selected(context, call, reply, "Name"):
        with failing(reply):
            if vm.state is State.RUNNING:
                reply.warnings.append(_ALREADY)
            else:
                _start(context, vm)
            _pass(context, call, reply, vm)


@command("Stop-VM", "Name", "VM", "TurnOff", "Force", "Passthru")
def stop_vm(context: Context, call: Call, reply: Reply) -> None:
    """Shuts down or turns off; without integration services the real one asks, which nobody can answer."""
    for vm in selected(context, call, reply, "Name"):
        with failing(reply):
            if not vm.is_on:
                reply.warnings.append(_ALREADY)
            elif call.flag("TurnOff"):
                context.host.stop_vm(vm.id, turn_off=True)
            else:
                try:
                    context.host.stop_vm(vm.id, turn_off=False)
                except InvalidState as error:
                    if call.flag("Force"):
                        raise CmdletFailure("OperationFailed", "Failed to stop.") from error
                    raise CmdletFailure("InvalidOperation", _PROMPTS) from error
            _pass(context, call, reply, vm)


@command("Restart-VM", "Name", "VM", "Force", "Passthru")
def restart_vm(context: Context, call: Call, reply: Reply) -> None:
    """Resets the guest."""
    for vm in selected(context, call, reply, "Name"):
        with failing(reply):
            if not vm.is_on:
                raise _wrong_state(vm)
            context.host.restart_guest(vm.id)
            _pass(context, call, reply, vm)


@command("Remove-VM", "Name", "VM", "Force")
def remove_vm(context: Context, call: Call, reply: Reply) -> None:
    """Removes the configuration; disks and folder stay."""
    for vm in selected(context, call, reply, "Name"):
        with failing(reply):
            if not call.flag("Force"):
                raise CmdletFailure("InvalidOperation", _PROMPTS)
            if vm.is_on:
                raise _wrong_state(vm)
            context.host.remove_vm(vm.id)


@command("Checkpoint-VM", "Name", "VM", "SnapshotName", "Passthru")
def checkpoint_vm(context: Context, call: Call, reply: Reply) -> None:
    """A checkpoint: the disks become parents of differencing disks."""
    for vm in selected(context, call, reply, "Name"):
        with failing(reply):
            if vm.checkpoint_type == "Disabled":
                text = "Checkpoint operation failed.\nCheckpoints have been disabled."
                raise CmdletFailure("OperationFailed", text)
            made = context.host.checkpoint(vm.id, call.text("SnapshotName", f"{vm.name} - checkpoint"))
            if call.flag("Passthru"):
                reply.objects.append(objects.snapshot(context.host, made, made.checkpoints[-1]))


@command("Get-VMSnapshot", "VMName", "VM", "Name")
def get_snapshot(context: Context, call: Call, reply: Reply) -> None:
    """The checkpoints of VMs."""
    wanted = call.text("Name")
    for vm in selected(context, call, reply, "VMName"):
        points = [p for p in vm.checkpoints if not wanted or p.name.casefold() == wanted.casefold()]
        reply.objects += [objects.snapshot(context.host, vm, point) for point in points]


def windows_path(context: Context, path: str) -> str:
    """A path as a stub handed it over, as a Windows path."""
    return context.host.files.spoken(path)


def _change(
    context: Context, call: Call, reply: Reply, values: dict[str, Any], names: str, *, device: str = ""
) -> None:
    for vm in selected(context, call, reply, names):
        with failing(reply):
            if "memory_bytes" in values:
                _check_memory(context, vm.name, values["memory_bytes"])
            try:
                context.host.change_vm(vm.id, **values)
            except InvalidState as error:
                raise _not_changed(vm, device) from error
            _pass(context, call, reply, vm)


def _not_changed(vm: VirtualMachine, device: str) -> CmdletFailure:
    if device:
        text = (
            f"Failed to modify device '{device}'.\n'{vm.name}' failed to modify device '{device}'. {_id(vm)}"
        )
    else:
        text = (
            f"Modifying the properties of '{vm.name}' failed.\n"
            "The operation cannot be performed while the object is in its current state."
        )
    return CmdletFailure("InvalidState", text)


def _check_memory(context: Context, name: str, memory: int) -> None:
    del context
    if memory < 32 * _MIB or memory % (2 * _MIB):
        raise CmdletFailure(
            "InvalidParameter",
            f"'{name}' failed to modify device 'Memory'.\nInvalid startup memory amount assigned for '{name}'. The "
            "minimum amount of memory you can assign to this virtual machine is '32' MB.",
        )


def _start(context: Context, vm: VirtualMachine) -> None:
    try:
        context.host.start_vm(vm.id)
    except OutOfMemory as error:
        mib = vm.memory_bytes // _MIB
        short = "Not enough memory resources are available to complete this operation. (0x8007000E)"
        lines = (
            f"'{vm.name}' failed to start.",
            f"Not enough memory in the system to start the virtual machine {vm.name}.",
            f"Could not initialize memory: {short}.",
            f"'{vm.name}' failed to start. {_id(vm)}",
            (
                f"Not enough memory in the system to start the virtual machine {vm.name} with ram size {mib} megabytes."
                f" {_id(vm)}"
            ),
            f"'{vm.name}' could not initialize memory: {short}. {_id(vm)}",
        )
        raise CmdletFailure("OutOfMemory", "\n".join(lines)) from error
    except FileMissing as error:
        text = "The system cannot find the file specified."
        missing = (
            f"'{vm.name}' failed to start.",
            (
                f"Synthetic SCSI Controller (Instance ID {objects.controller_id(vm.id)}): Failed to Power on with Error"
                f" '{text}'."
            ),
            f"Attachment '{error.path}' failed to open because of error: '{text}'.",
            f"'{vm.name}' failed to start. {_id(vm)}",
            f"'{vm.name}': Attachment '{error.path}' failed to open because of error: '{text}' (0x80070002). {_id(vm)}",
        )
        raise CmdletFailure("ObjectNotFound", "\n".join(missing)) from error


def _wrong_state(vm: VirtualMachine) -> CmdletFailure:
    return CmdletFailure(
        "InvalidState",
        "The operation cannot be performed while the virtual machine is in its current state.\n"
        f"The name of the virtual machine is {vm.name} and its ID is {vm.id}.",
    )


def _id(vm: VirtualMachine) -> str:
    return f"(Virtual machine ID {vm.id.upper()})"


def _pass(context: Context, call: Call, reply: Reply, vm: VirtualMachine) -> None:
    if call.flag("Passthru"):
        reply.objects.append(objects.of_vm(context.host, context.host.vm(vm.id)))
