"""FailoverClusters: the cluster, its node, and VMs as its roles."""

from typing import Final

from aetherv_simhost.hyperv import paths
from aetherv_simhost.hyperv.content import CLUSTER_STORAGE
from aetherv_simhost.hyperv.vm import VirtualMachine
from aetherv_simhost.windows import objects
from aetherv_simhost.windows.calls import Call, Context, Reply, command
from aetherv_simhost.windows.commands.selection import failing, pattern, vm_of
from aetherv_simhost.windows.failures import cluster_down, cluster_failure
from aetherv_simhost.windows.values import PsObject, guid

_SPACE: Final = "Microsoft.FailoverClusters.PowerShell."
_NODE_STATES: Final = {"up": "Up", "paused": "Paused", "draining": "Paused", "down": "Down"}
_ISSUES: Final = (
    "There were issues updating the virtual machine configuration that may prevent the virtual machine from running. "
    "For more information view the report file below."
)
SHAPES: Final = {
    f"{_SPACE}ClusterNode": {
        "State": f"{_SPACE}ClusterNodeState",
        "DrainStatus": f"{_SPACE}ClusterNodeDrainStatus",
    },
    f"{_SPACE}ClusterGroup": {
        "State": f"{_SPACE}ClusterGroupState",
        "OwnerNode": "object",
        "GroupType": f"{_SPACE}GroupType",
    },
    f"{_SPACE}ClusterSharedVolume": {"OwnerNode": "object", "SharedVolumeInfo": "objects"},
}
objects.SHAPES.update(SHAPES)


def needed(context: Context) -> None:
    """Refuses where no cluster service runs."""
    if not context.host.cluster.name or context.host.cluster.node_state == "down":
        raise cluster_down()


@command("Get-Cluster", "Name")
def get_cluster(context: Context, call: Call, reply: Reply) -> None:
    """The cluster."""
    needed(context)
    name = context.host.cluster.name
    if call.has("Name") and call.text("Name").casefold() not in {name.casefold(), "."}:
        raise cluster_failure("Get-Cluster", f"Cluster {call.text('Name')} is not there.")
    properties = {"Name": name, "Id": objects.switch_guid(context.host, f"cluster:{name}"), "Domain": ""}
    reply.objects.append(PsObject((f"{_SPACE}Cluster", "System.Object"), properties, name))


@command("Get-ClusterNode", "Name")
def get_node(context: Context, call: Call, reply: Reply) -> None:
    """The one node of the model."""
    needed(context)
    own = context.host.computer_name
    for name in call.many("Name"):
        if str(name).casefold() != own.casefold():
            reply.failures.append(
                cluster_failure("Get-ClusterNode", f"The cluster node '{name}' was not found.")
            )
            return
    reply.objects.append(node(context))


@command("Get-ClusterGroup", "Name", "VMId")
def get_group(context: Context, call: Call, reply: Reply) -> None:
    """The roles; those that are VMs alone."""
    needed(context)
    found = [context.host.vm(own) for own in sorted(context.host.cluster.roles)]
    if call.has("VMId"):
        found = [vm for vm in found if vm.id == call.text("VMId").lower()]
        if not found:
            raise cluster_failure(
                call.command, f"There is no cluster group for virtual machine {call.text('VMId')}."
            )
    for name in call.many("Name"):
        wild = pattern(str(name))
        found = [
            vm
            for vm in found
            if (wild.fullmatch(vm.name) if wild else vm.name.casefold() == str(name).casefold())
        ]
        if not found and wild is None:
            raise cluster_failure(call.command, f"There is no cluster group {name}.")
    reply.objects += [group(context, vm) for vm in found]


@command("Add-ClusterVirtualMachineRole", "VMId", "VMName", "VirtualMachine", "Name")
def add_role(context: Context, call: Call, reply: Reply) -> None:
    """Makes a VM a role: needs a second hop, and warns of files that are not on cluster storage."""
    _second_hop(context, call)
    vm = _meant(context, call)
    if vm.id in context.host.cluster.roles:
        raise cluster_failure(call.command, f"The virtual machine '{vm.name}' is already clustered.")
    context.host.add_role(vm.id)
    if any(
        not paths.within(path, CLUSTER_STORAGE)
        for path in (vm.path, *vm.all_disks(), *filter(None, vm.drives))
    ):
        reply.warnings.append(_ISSUES)
    reply.objects.append(group(context, vm))


@command("Move-ClusterVirtualMachineRole", "VMId", "Name", "Node", "MigrationType", "Wait")
def move_role(context: Context, call: Call, reply: Reply) -> None:
    """Moves a role to the node that has it; the model has no second one."""
    _second_hop(context, call)
    vm = _meant(context, call)
    if call.text("Node", context.host.computer_name).casefold() != context.host.computer_name.casefold():
        raise cluster_failure(
            call.command,
            f"An error occurred while moving the clustered role '{vm.name}'.\n    The operation failed because either "
            "the specified cluster node is not the owner of the group, or the node is not a possible owner of the group",
        )
    reply.objects.append(group(context, vm))


@command("Remove-ClusterGroup", "Name", "VMId", "RemoveResources", "Force")
def remove_group(context: Context, call: Call, reply: Reply) -> None:
    """Removes roles; the VMs stay."""
    needed(context)
    roles = [context.host.vm(own) for own in context.host.cluster.roles]
    names = {str(name).casefold() for name in call.many("Name")}
    wanted = [vm for vm in roles if vm.id == call.text("VMId").lower() or vm.name.casefold() in names]
    if not wanted:
        raise cluster_failure(call.command, "There is no such cluster group.")
    for vm in wanted:
        with failing(reply):
            context.host.remove_role(vm.id)


@command("Get-ClusterSharedVolume", "Name")
def get_volumes(context: Context, call: Call, reply: Reply) -> None:
    """Cluster shared volumes."""
    needed(context)
    del call
    for mount in context.host.files.volumes():
        if paths.within(mount, CLUSTER_STORAGE):
            info = PsObject(
                (f"{_SPACE}ClusterSharedVolumeInfo", "System.Object"), {"FriendlyVolumeName": mount}
            )
            reply.objects.append(
                PsObject(
                    (f"{_SPACE}ClusterSharedVolume", "System.Object"),
                    {
                        "Name": f"Cluster Disk ({paths.name_of(mount)})",
                        "State": "Online",
                        "OwnerNode": node(context),
                        "SharedVolumeInfo": [info],
                    },
                )
            )


def node(context: Context) -> PsObject:
    """The node's object."""
    cluster = context.host.cluster
    return PsObject(
        (f"{_SPACE}ClusterNode", "System.Object"),
        {
            "Name": context.host.computer_name,
            "NodeName": context.host.computer_name,
            "State": _NODE_STATES[cluster.node_state],
            "DrainStatus": {"draining": "InProgress", "paused": "Completed"}.get(
                cluster.node_state, "NotInitiated"
            ),
            "Id": "1",
            "NodeWeight": 1,
            "Cluster": cluster.name,
        },
        context.host.computer_name,
    )


def group(context: Context, vm: VirtualMachine) -> PsObject:
    """A role's object."""
    return PsObject(
        (f"{_SPACE}ClusterGroup", "System.Object"),
        {
            "Name": vm.name,
            "Id": guid(vm.id),
            "OwnerNode": node(context),
            "State": "Online" if vm.is_on else "Offline",
            "GroupType": "VirtualMachine",
            "Cluster": context.host.cluster.name,
        },
        vm.name,
    )


def _second_hop(context: Context, call: Call) -> None:
    needed(context)
    if not call.session.delegated:
        raise cluster_failure(
            call.command,
            f"You do not have administrative privileges on the server '{context.host.cluster.name}'.",
        )


def _meant(context: Context, call: Call) -> VirtualMachine:
    if call.has("VMId"):
        return vm_of(context, call.text("VMId"))
    name = call.text("VMName") or call.text("VirtualMachine") or call.text("Name")
    found = context.host.named(name)
    if len(found) != 1:
        raise cluster_failure(call.command, f"The virtual machine '{name}' was not found.")
    return found[0]
