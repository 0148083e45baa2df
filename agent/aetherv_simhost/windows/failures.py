"""Error records as Hyper-V's, FailoverClusters' and the CIM cmdlets make them: ids and categories are captures. Pure."""

from typing import Final

VIRTUALIZATION: Final = "Microsoft.HyperV.PowerShell.VirtualizationException"
CLUSTER: Final = "Microsoft.FailoverClusters.PowerShell.ClusterCmdletException"
CIM: Final = "Microsoft.Management.Infrastructure.CimException"
INVALID_OPERATION: Final = "System.InvalidOperationException"

_CATEGORIES: Final = {
    "InvalidParameter": "InvalidArgument",
    "ObjectNotFound": "ObjectNotFound",
    "AccessDenied": "PermissionDenied",
    "InvalidState": "InvalidOperation",
    "InvalidOperation": "InvalidOperation",
    "NotSupported": "InvalidOperation",
    "ObjectInUse": "ResourceBusy",
    "OperationFailed": "NotSpecified",
    "Unspecified": "NotSpecified",
    "OutOfMemory": "FromStdErr",
}
_CLASSES: Final = {"New-VHD": "NewVhd", "Mount-VHD": "MountVhd", "Get-ClusterNode": "GetNodeCommand"}
_CIM_CATEGORIES: Final = {
    "0x8004100e": ("MetadataError", "Invalid namespace "),
    "0x80041010": ("MetadataError", "Invalid class "),
    "0x80041017": ("InvalidArgument", "Invalid query "),
    "0x80041002": ("ObjectNotFound", "Not found "),
    "0x8004102f": ("NotSpecified", "Invalid method Parameter(s) "),
    "0x80041003": ("PermissionDenied", "Access denied "),
}


class CmdletFailure(Exception):  # noqa: N818  # reads as what happened
    """One error record of a command.

    Args:
        kind: First part of the FullyQualifiedErrorId.
        message: The exception's text, lines parted by a line feed.
        category: Name of an ErrorCategory; empty: that which goes with the kind.
        exception: Full name of the exception's class.
        target: The record's target, or None as in almost all of Hyper-V's.
        terminating: Whether it ends the pipeline.
    """

    def __init__(
        self,
        kind: str,
        message: str,
        category: str = "",
        exception: str = VIRTUALIZATION,
        target: str | None = None,
        *,
        terminating: bool = False,
    ) -> None:
        super().__init__(message)
        self.kind = kind
        self.message = message
        self.category = category or _CATEGORIES.get(kind, "NotSpecified")
        self.exception = exception
        self.target = target
        self.terminating = terminating

    def record(self, command: str) -> dict[str, object]:
        """What the stub makes the record of."""
        return {
            "id": f"{self.kind},{class_of(command)}",
            "kind": self.kind,
            "message": self.message,
            "category": self.category,
            "exception": self.exception,
            "target": self.target,
            "target_type": "" if self.target is None else "String",
            "terminating": self.terminating,
        }


class Refused(CmdletFailure):
    """The model does not do this: said by name, so that nothing is ignored in silence."""

    def __init__(self, what: str) -> None:
        super().__init__(
            "SimulatedHostRefused",
            f"FakeHyperV: this simulated host does not do {what}.",
            "NotImplemented",
            INVALID_OPERATION,
            terminating=True,
        )


def class_of(command: str) -> str:
    """The class of a command, as the second part of its error ids names it."""
    verb, _, noun = command.partition("-")
    if noun.startswith("Cim"):
        return f"Microsoft.Management.Infrastructure.CimCmdlets.{verb}{noun}Command"
    if "Cluster" in noun:
        return f"Microsoft.FailoverClusters.PowerShell.{_CLASSES.get(command, f'{verb}{noun}Command')}"
    if noun in {"Item", "Service"}:
        return f"Microsoft.PowerShell.Commands.{verb}{noun}Command"
    if "VHD" in noun:
        return f"Microsoft.Vhd.PowerShell.Cmdlets.{_CLASSES.get(command, f'{verb}{noun}')}"
    return f"Microsoft.HyperV.PowerShell.Commands.{_CLASSES.get(command, f'{verb}{noun}')}"


def no_such_vm(name: str, command: str) -> CmdletFailure:
    """A VM that is not there, named: Get-VM has another id than every other command."""
    text = f'Hyper-V was unable to find a virtual machine with name "{name}".'
    if command == "Get-VM":
        return CmdletFailure("InvalidParameter", text, target=name)
    return CmdletFailure("ObjectNotFound", text)


def no_such_id(vm_id: str) -> CmdletFailure:
    """A VM that is not there, by id; Windows' text is not captured."""
    return CmdletFailure(
        "ObjectNotFound", f'Hyper-V was unable to find a virtual machine with id "{vm_id.lower()}".'
    )


def access_denied(computer: str) -> CmdletFailure:
    """The account sees nothing of Hyper-V."""
    return CmdletFailure(
        "AccessDenied",
        "You do not have the required permission to complete this task. Contact the administrator of the "
        f"authorization policy for the computer '{computer}'.",
    )


def no_service(computer: str) -> CmdletFailure:
    """The Virtual Machine Management service does not run, or not yet."""
    return CmdletFailure(
        "ObjectNotFound",
        f"Hyper-V encountered an error trying to access an object on computer '{computer}' because the object was not "
        "found. The object might have been deleted. Verify that the Virtual Machine Management service on the computer "
        "is running.",
    )


def cluster_down() -> CmdletFailure:
    """The cluster service does not run, or the host is no node at all."""
    return CmdletFailure(
        "ClusterEndpointNotRegistered",
        "The cluster service is not running.  Make sure that the service is running on all nodes in the cluster.\n"
        "    There are no more endpoints available from the endpoint mapper",
        "ConnectionError",
        CLUSTER,
    )


def cluster_failure(command: str, message: str) -> CmdletFailure:
    """A failed operation of a cluster command: its id is the command's own name."""
    return CmdletFailure(command, message, "NotSpecified", CLUSTER)


def cim_failure(hresult: str, target: str, detail: str = "") -> CmdletFailure:
    """A CIM cmdlet's error by its HRESULT."""
    category, text = _CIM_CATEGORIES[hresult]
    return CmdletFailure(f"HRESULT {hresult}", text + detail, category, CIM, target)
