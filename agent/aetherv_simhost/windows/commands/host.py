"""The host itself: Get-VMHost, Get-VMSwitch and Get-Service."""

from typing import Final

from aetherv_simhost.hyperv.content import DEFAULT_DISK_PATH, DEFAULT_VM_PATH
from aetherv_simhost.windows import objects
from aetherv_simhost.windows.calls import Call, Context, Reply, command
from aetherv_simhost.windows.commands.selection import pattern, visible
from aetherv_simhost.windows.failures import CmdletFailure
from aetherv_simhost.windows.values import PsObject, i64, u32

_SERVICES: Final = {
    "vmms": "Hyper-V Virtual Machine Management",
    "vmcompute": "Hyper-V Host Compute Service",
    "WinRM": "Windows Remote Management (WS-Management)",
    "ClusSvc": "Cluster Service",
}


@command("Get-VMHost")
def get_vm_host(context: Context, call: Call, reply: Reply) -> None:
    """The host's settings."""
    del call
    visible(context)
    host = context.host
    reply.objects.append(
        PsObject(
            (
                "Microsoft.HyperV.PowerShell.VMHost",
                "Microsoft.HyperV.PowerShell.VirtualizationObject",
                "System.Object",
            ),
            {
                "LogicalProcessorCount": host.settings.cpu_count,
                "IovSupport": False,
                "SupportedVmVersions": ["8.0", "9.0", "10.0"],
                "EnableEnhancedSessionMode": False,
                "NumaSpanningEnabled": True,
                "VirtualHardDiskPath": DEFAULT_DISK_PATH,
                "VirtualMachinePath": DEFAULT_VM_PATH,
                "FullyQualifiedDomainName": host.computer_name,
                "MemoryCapacity": i64(host.settings.memory_bytes),
                "Name": host.computer_name,
                "MaximumStorageMigrations": u32(2),
                "MaximumVirtualMachineMigrations": u32(2),
                "VirtualMachineMigrationEnabled": False,
                "ComputerName": host.computer_name,
                "IsDeleted": False,
            },
        )
    )


@command("Get-VMSwitch", "Name", "SwitchType", "Id")
def get_switches(context: Context, call: Call, reply: Reply) -> None:
    """The host's switches, all or some."""
    visible(context)
    host = context.host
    kinds = {str(kind).casefold() for kind in call.many("SwitchType")}
    ids = {str(own).casefold() for own in call.many("Id")}
    names = [str(name) for name in call.many("Name")]
    for name in names:
        if pattern(name) is None and name.casefold() not in {
            known.casefold() for known in host.settings.switches
        }:
            text = f'Hyper-V was unable to find a virtual switch with name "{name}".'
            reply.failures.append(CmdletFailure("InvalidParameter", text, target=name))
    for known, kind in host.settings.switches.items():
        if (
            (not kinds or kind in kinds)
            and (not ids or objects.switch_guid(host, known) in ids)
            and (not names or any(_matches(known, name) for name in names))
        ):
            reply.objects.append(objects.switch(host, known))


@command("Get-Service", "Name")
def get_service(context: Context, call: Call, reply: Reply) -> None:
    """The few services that matter to a Hyper-V host."""
    wanted = [str(name) for name in call.many("Name")]
    there = [name for name in _SERVICES if name != "ClusSvc" or context.host.cluster.name]
    for name in wanted:
        if pattern(name) is None and name.casefold() not in {known.casefold() for known in there}:
            reply.failures.append(
                CmdletFailure(
                    "NoServiceFoundForGivenName",
                    f"Cannot find any service with service name '{name}'.",
                    "ObjectNotFound",
                    "Microsoft.PowerShell.Commands.ServiceCommandException",
                    name,
                )
            )
    for name in there:
        if not wanted or any(_matches(name, each) for each in wanted):
            running = name != "ClusSvc" or context.host.cluster.node_state != "down"
            reply.objects.append(
                PsObject(
                    (
                        "System.ServiceProcess.ServiceController",
                        "System.ComponentModel.Component",
                        "System.Object",
                    ),
                    {
                        "Name": name,
                        "ServiceName": name,
                        "DisplayName": _SERVICES[name],
                        "Status": "Running" if running else "Stopped",
                        "StartType": "Automatic",
                    },
                )
            )


def _matches(known: str, name: str) -> bool:
    wild = pattern(name)
    return known.casefold() == name.casefold() if wild is None else wild.fullmatch(known) is not None
