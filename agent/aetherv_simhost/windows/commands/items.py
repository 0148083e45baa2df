"""Whether Remove-, Move-, Rename- or Copy-Item meets a file that the model has open. Linux would let it pass."""

from typing import Final

from aetherv_simhost.hyperv import paths
from aetherv_simhost.windows.calls import Call, Context, Reply, command
from aetherv_simhost.windows.failures import CmdletFailure

_IO: Final = "System.IO.IOException"


@command("Remove-Item", "sources", "destination")
@command("Move-Item", "sources", "destination")
@command("Rename-Item", "sources", "destination")
@command("Copy-Item", "sources", "destination")
def judge(context: Context, call: Call, reply: Reply) -> None:
    """One entry per source: None, or the error that Windows raises."""
    files = context.host.files
    target = call.text("destination")
    target = files.spoken(target) if target else ""
    for source in call.many("sources"):
        path = files.spoken(str(source))
        held = next((name for name in files.held() if paths.within(name, path)), None)
        into = target and any(
            paths.same(name, target) or paths.same(name, paths.join(target, paths.name_of(path)))
            for name in files.held()
        )
        held = held and files.spoken(str(files.real(held)))
        failure = _failure(
            call.command,
            path,
            path if held and paths.same(held, path) else held or (target if into else None),
        )
        reply.objects.append(None if failure is None else failure.record(call.command))


def _failure(name: str, path: str, held: str | None) -> CmdletFailure | None:
    if held is None:
        return None
    busy = "because it is being used by another process."
    if name == "Remove-Item":
        text = f"Cannot remove item {held}: The process cannot access the file '{paths.name_of(held)}' {busy}"
        return CmdletFailure("RemoveFileSystemItemIOError", text, "WriteError", _IO, path)
    if name == "Move-Item":
        text = f"The process cannot access the file {busy}"
        return CmdletFailure("MoveFileInfoItemIOError", text, "WriteError", _IO, path)
    if name == "Rename-Item":
        text = f"The process cannot access the file {busy}"
        return CmdletFailure("RenameItemIOError", text, "WriteError", _IO, path)
    text = f"The process cannot access the file '{held}' {busy}"
    return CmdletFailure("CopyFileInfoItemIOError", text, "WriteError", _IO, path)
