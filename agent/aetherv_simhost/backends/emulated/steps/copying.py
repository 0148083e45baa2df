"""Steps ``copy_image`` and ``copy_iso``: real bytes, in rounds, with progress and a look for a cancel in each round."""

import contextlib
import os
import time
from collections.abc import Iterator
from typing import Final

from aetherv_simhost.backends.emulated.context import JobContext
from aetherv_simhost.backends.emulated.failures import JobFailed
from aetherv_simhost.backends.emulated.locks import one_of
from aetherv_simhost.backends.emulated.plan import Plan
from aetherv_simhost.hyperv.errors import FileInUse, FileMissing, FileThere

_MAX_ROUND: Final = 4 << 20
_MIN_ROUND: Final = 64 << 10
_ROUNDS: Final = 16
_RENAME_TRIES: Final = 50


def copy_image(context: JobContext) -> None:
    """Clones the golden image into the VM's new folder."""
    _, plan = context.planned()
    with context.step("copy_image") as needed:
        if not needed:
            return
        _make_folder(context, plan)
        if not context.host.files.exists(plan.disk):
            context.journal.make("disk", plan.disk)
            with _slot(context):
                _copy(context, plan)
            _rename(context, plan.partial, plan.disk)


def copy_iso(context: JobContext) -> None:
    """Copies the provisioning ISO into the VM's folder."""
    _, plan = context.planned()
    with context.step("copy_iso") as needed:
        if not needed:
            return
        context.journal.make("iso", plan.iso_copy)
        files = context.host.files
        with contextlib.suppress(FileMissing):  # the rest of a copy that was cut off
            files.delete(plan.iso_copy)
        with files.open(plan.iso) as source:
            content = source.read()
        with files.create(plan.iso_copy, len(content)) as target:
            target.write(content)


def _make_folder(context: JobContext, plan: Plan) -> None:
    known = {"kind": "folder", "path": plan.folder} in context.journal.values["made"]
    context.journal.make("folder", plan.folder)
    try:
        context.host.files.make_dir(plan.folder, new=not known)
    except FileThere as error:
        context.journal.unmake("folder", plan.folder)
        raise JobFailed(
            "FOLDER_ALREADY_EXISTS", f"The folder {plan.folder} is there already.", field="vm_name"
        ) from error


@contextlib.contextmanager
def _slot(context: JobContext) -> Iterator[None]:
    copies = context.document.host.copies
    slots = context.jobs.slots(copies)
    attempt = context.journal.values["steps"]["copy_image"]["attempt"]
    told = False
    while True:
        with one_of(slots) as got:
            if got:
                yield
                return
        if not told:
            context.records.progress(
                "copy_image", "running", attempt, message=f"waits for one of the host's {copies} copy slots"
            )
            told = True
        context.sleep(context.host.settings.host_seconds.poll)


def _copy(context: JobContext, plan: Plan) -> None:
    files, settings = context.host.files, context.host.settings
    attempt = context.journal.values["steps"]["copy_image"]["attempt"]
    full = context.fault("disk_full", "copy_image")
    breaks_at = None if full is None else int(full.number(plan.image_bytes / 2))
    size = min(_MAX_ROUND, max(_MIN_ROUND, plan.image_bytes // _ROUNDS))
    with contextlib.suppress(FileMissing):
        files.delete(plan.partial)
    done, began, told = 0, time.monotonic(), 0.0
    with files.open(plan.image) as source, files.create(plan.partial, plan.image_bytes) as target:
        context.journal.save(reserved_bytes=0)  # the file has its length, so the volume has given the room
        while block := source.read(size):
            context.check()
            if breaks_at is not None and done + len(block) > breaks_at:
                free = files.free(plan.folder)
                raise JobFailed(
                    "DISK_FULL",
                    f"The volume {files.mount_of(plan.folder)} was full after {done} of {plan.image_bytes} bytes of"
                    f" {plan.disk}; {free} bytes are free now.",
                )
            target.write(block)
            done += len(block)
            if time.monotonic() - told >= settings.host_seconds.progress or done == plan.image_bytes:
                told = time.monotonic()
                context.records.progress(
                    "copy_image", "running", attempt, done_bytes=done, total_bytes=plan.image_bytes
                )
                context.journal.note("copy_image", done_bytes=done, total_bytes=plan.image_bytes)
            if settings.copy_bytes_per_second:
                context.sleep(max(0.0, began + done / settings.copy_bytes_per_second - time.monotonic()))
        os.fsync(target.fileno())


def _rename(context: JobContext, path: str, new_path: str) -> None:
    for _ in range(_RENAME_TRIES):
        try:
            context.host.files.rename(path, new_path)
        except FileInUse:
            context.sleep(context.host.settings.host_seconds.poll)
        else:
            return
    raise JobFailed("FILE_LOCKED", f"The file {path} stays open in another program.")
