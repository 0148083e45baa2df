"""Which VMs a call means: by object, id or name, as Hyper-V's cmdlets find them."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

from aetherv_simhost.hyperv.errors import (
    FileError,
    FileInUse,
    FileMissing,
    HyperVError,
    InvalidState,
    VmNotFound,
)
from aetherv_simhost.hyperv.vm import VirtualMachine
from aetherv_simhost.windows.calls import Call, Context, Reply
from aetherv_simhost.windows.failures import CmdletFailure, access_denied, no_service, no_such_id, no_such_vm

_WILD = re.compile(r"[*?\[]")


def pattern(text: str) -> re.Pattern[str] | None:
    """A PowerShell wildcard as a regular expression; None for a plain name."""
    if not _WILD.search(text):
        return None
    parts = (
        part if part.startswith("[") else {"*": ".*", "?": "."}.get(part, re.escape(part))
        for part in re.findall(r"\[[^\]]+\]|.", text, re.DOTALL)
    )
    return re.compile("".join(parts), re.IGNORECASE | re.DOTALL)


def vm_of(context: Context, vm_id: str) -> VirtualMachine:
    """The VM of an id.

    Raises:
        CmdletFailure: There is none.
    """
    try:
        return context.host.vm(vm_id)
    except VmNotFound:
        raise no_such_id(vm_id) from None


def visible(context: Context) -> None:
    """Refuses an account without rights, as Hyper-V's cmdlets do."""
    if not context.vmms_runs:
        raise no_service(context.host.computer_name)
    if not context.host.settings.hyperv_visible:
        raise access_denied(context.host.computer_name)


def selected(context: Context, call: Call, reply: Reply, *names: str) -> list[VirtualMachine]:
    """The VMs that a call means; what is not there becomes an error record each.

    Args:
        context: The model.
        call: The call: ``VM`` holds objects, ``Id`` ids.
        reply: Where the errors go.
        names: Parameters that hold names, in which wildcards count.
    """
    visible(context)
    found: list[VirtualMachine] = []
    for value in call.many("VM"):
        with failing(reply):
            found.append(vm_of(context, str(value.get("VMId") or value.get("Id"))))
    for value in call.many("Id"):
        with failing(reply):
            found.append(vm_of(context, str(value)))
    for parameter in names:
        for value in call.many(parameter):
            wild = pattern(str(value))
            matching = [
                vm
                for vm in context.host.vms()
                if (wild.fullmatch(vm.name) if wild else vm.name.casefold() == str(value).casefold())
            ]
            if not matching and wild is None:
                reply.failures.append(no_such_vm(str(value), call.command))
            found += matching
    return found


@contextmanager
def failing(reply: Reply) -> Iterator[None]:
    """Turns what the model refuses into an error record, and goes on."""
    try:
        yield
    except CmdletFailure as failure:
        reply.failures.append(failure)
    except HyperVError as error:
        reply.failures.append(failure_of(error))


def failure_of(error: HyperVError) -> CmdletFailure:
    """The model's refusal as Hyper-V's error record."""
    match error:
        case VmNotFound() | FileMissing():
            kind = "ObjectNotFound"
        case FileInUse():
            kind = "ObjectInUse"
        case InvalidState():
            kind = "InvalidState"
        case FileError():
            kind = "OperationFailed"
        case _:
            kind = "Unspecified"
    return CmdletFailure(kind, str(error))
