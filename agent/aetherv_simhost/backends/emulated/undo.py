"""Taking back what a job made: in reverse, and only what its journal says that it made."""

import time
from collections.abc import Callable, Mapping
from typing import Final

from aetherv_simhost.backends.emulated.context import JobContext
from aetherv_simhost.backends.emulated.failures import PipelineStopped
from aetherv_simhost.backends.emulated.steps.register import own_vm
from aetherv_simhost.hyperv import paths
from aetherv_simhost.hyperv.errors import FileInUse, FileMissing, HyperVError

_STEPS: Final = {
    "cluster_role": "cluster",
    "vm": "register_vm",
    "iso": "copy_iso",
    "disk": "copy_image",
    "folder": "copy_image",
}
_LOCKED_SECONDS: Final = 10.0


def undo(context: JobContext) -> list[dict[str, str]]:
    """Takes back everything; neither a stop nor a cancel ends it.

    Returns:
        What is left, as ``leftover`` objects; empty where nothing is.
    """
    journal = context.journal
    journal.save(state="undoing")
    left: list[dict[str, str]] = []
    for made in reversed(list(journal.values["made"])):
        try:
            _ACTS[made["kind"]](context, made["path"])
        except HyperVError as error:
            left.append({**made, "message": str(error)})
            continue
        journal.unmake(made["kind"], made["path"])
        step = _STEPS[made["kind"]]
        context.records.progress(
            step,
            "undone",
            int(journal.values["steps"].get(step, {}).get("attempt", 1)),
            message=f"{made['kind']} removed",
        )
    journal.save(reserved_bytes=0)
    return left


def leftovers(context: JobContext) -> list[dict[str, str]]:
    """What stands of a job that is not taken back: of what it meant to make, what is really there, and where."""
    return [
        {"kind": made["kind"], "path": place, "message": "was made by the job and stands"}
        for made in context.journal.values["made"]
        if (place := _place(context, made["kind"], made["path"]))
    ]


def _place(context: JobContext, kind: str, path: str) -> str:
    """Where something that the journal says was begun stands; empty: nowhere."""
    files = context.host.files
    match kind:
        case "vm":
            vm = own_vm(context)
            return vm.id if vm else ""
        case "folder":
            return path if files.is_dir(path) else ""
        case "disk" | "iso":
            # A copy that was cut off has another name.
            return next((there for there in (path, _partial(path)) if files.exists(there)), "")
        case _:
            return path


def _role(context: JobContext, vm_id: str) -> None:
    context.host.remove_role(vm_id)


def _vm(context: JobContext, _folder: str) -> None:
    vm = own_vm(context)
    if vm is None:
        return
    context.host.remove_role(vm.id)
    context.host.stop_vm(vm.id, turn_off=True)
    context.host.remove_vm(vm.id)
    context.journal.save(vm_id="")


def _file(context: JobContext, path: str) -> None:
    _delete(context, path)


def _disk(context: JobContext, path: str) -> None:
    _delete(context, path)
    _delete(context, _partial(path))


def _partial(path: str) -> str:
    return path.removesuffix(".vhdx") + ".partial.vhdx"


def _folder(context: JobContext, path: str) -> None:
    files = context.host.files
    for name in ("Virtual Machines", ""):
        folder = paths.join(path, name) if name else path
        if files.is_dir(folder):
            files.delete_dir(folder)


def _delete(context: JobContext, path: str) -> None:
    until = time.monotonic() + _LOCKED_SECONDS
    while True:
        try:
            context.host.files.delete(path)
        except FileMissing:
            return
        except FileInUse:
            if context.ends.closed.is_set():
                raise PipelineStopped from None  # the journal says "undoing"; the next start goes on
            if time.monotonic() > until:
                raise
            time.sleep(context.host.settings.host_seconds.poll)
        else:
            return


_ACTS: Final[Mapping[str, Callable[[JobContext, str], None]]] = {
    "cluster_role": _role,
    "vm": _vm,
    "iso": _file,
    "disk": _disk,
    "folder": _folder,
}
