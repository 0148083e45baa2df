r"""A version's folder on a host: making it, filling it, and comparing it. One command a pipeline, each with named parameters.

A file is written as ASCII text without a newline of the command's own: the one form that Windows PowerShell 5.1 and
PowerShell 7 both write byte by byte as it is given (their ways to write bytes differ).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from aetherv_agent.core.errors import AethervError
from aetherv_agent.core.ports import Cmdlet, CmdletAnswer, CmdletFailure, CmdletSession, CmdletValue

from .bundle import Bundle

# Each newline takes 7 bytes on the wire and base64 stands twice around all: far below an envelope of 150 KB.
_CHUNK: Final = 16 * 1024
_MOST_TEXT: Final = 1024
NOT_FOUND: Final = 13
"""ErrorCategory.ObjectNotFound."""
_HASHED_AT_ONCE: Final = 64


@dataclass(frozen=True, slots=True)
class Comparison:
    """What stands in a folder beside what should.

    Attributes:
        missing: relative paths that are not there.
        differing: relative paths of another content.
        wanted: how many files there should be.
    """

    wanted: int
    missing: tuple[str, ...] = ()
    differing: tuple[str, ...] = ()

    @property
    def equal(self) -> bool:
        """Whether all is there as it should be."""
        return not self.missing and not self.differing

    @property
    def absent(self) -> bool:
        """Whether none of it is there."""
        return len(self.missing) == self.wanted

    def __str__(self) -> str:
        """Return what is wrong, for people."""
        parts = (("missing", self.missing), ("different", self.differing))
        return "; ".join(f"{word}: {_some(paths)}" for word, paths in parts if paths)


class CmdletRefused(Exception):  # noqa: N818  # reads as what happened; never leaves this room
    """A command answered with an error."""

    def __init__(self, command: str, failure: CmdletFailure) -> None:
        super().__init__(command, failure.text)
        self.command = command
        self.failure = failure


class HostFolders:
    """A host's folders, seen through a session.

    Args:
        host: the host's id.
        session: runs the commands.
    """

    def __init__(self, host: str, session: CmdletSession) -> None:
        self._host = host
        self._session = session

    async def exists(self, path: str) -> bool:
        """Return whether something stands at a path."""
        return _first(await self._do("Test-Path", LiteralPath=path)) is True

    async def make(self, path: str, *, known: bool) -> bool:
        """Make a folder; return whether it was made.

        Args:
            path: the folder's path.
            known: whether one that is there already is as good, with those above it made too.
        """
        # New-Item has no -LiteralPath; it takes its path as it stands.
        parameters: dict[str, CmdletValue] = {"ItemType": "Directory", "Path": path}
        if known:
            parameters["Force"] = True
        answer = await self._session.run(Cmdlet("New-Item", parameters))
        for failure in answer.failures:
            if not known and failure.error_id.split(",")[0] in {"DirectoryExist", "ResourceExists"}:
                return False
            raise CmdletRefused("New-Item", failure)
        return True

    async def write(self, folder: str, bundle: Bundle) -> None:
        """Write all files of a bundle into a folder that holds nothing yet."""
        for name in bundle.folders():
            await self.make(joined(folder, name), known=True)
        for name, text in bundle.files.items():
            command = "Set-Content"
            for start in range(0, max(len(text), 1), _CHUNK):
                await self._do(
                    command,
                    LiteralPath=joined(folder, name),
                    Value=text[start : start + _CHUNK],
                    Encoding="ASCII",
                    NoNewline=True,
                )
                command = "Add-Content"

    async def compare(self, folder: str, wanted: Mapping[str, str]) -> Comparison:
        """Return what in a folder differs from some hashes.

        Args:
            folder: a version's folder.
            wanted: SHA-256 by relative path.
        """
        found: dict[str, str] = {}
        names = sorted(wanted)
        name = folder.rpartition("\\")[2].casefold()
        for start in range(0, len(names), _HASHED_AT_ONCE):
            some = names[start : start + _HASHED_AT_ONCE]
            paths = tuple(joined(folder, relative) for relative in some)
            answer = await self._session.run(
                Cmdlet("Get-FileHash", {"LiteralPath": paths, "Algorithm": "SHA256"})
            )
            for failure in answer.failures:
                if failure.denied or failure.not_offered or failure.category != NOT_FOUND:
                    raise CmdletRefused("Get-FileHash", failure)
            for value in answer.values:
                if relative := _relative(value, name, some):
                    found[relative] = str(value.get("Hash", "")).lower()
        return Comparison(
            len(names),
            tuple(relative for relative in names if relative not in found),
            tuple(
                relative for relative in names if relative in found and found[relative] != wanted[relative]
            ),
        )

    async def look(self, folder: str) -> tuple[tuple[str, str, str], ...]:
        """Return name, length and time of each file below a folder; nothing when it is gone."""
        answer = await self._session.run(
            Cmdlet("Get-ChildItem", {"LiteralPath": folder, "Recurse": True, "File": True})
        )
        keys = ("FullName", "Length", "LastWriteTimeUtc")
        seen = [value for value in answer.values if isinstance(value, dict)]
        return tuple(sorted(tuple(str(value.get(key)) for key in keys) for value in seen))  # type: ignore[misc]  # three keys

    async def rename(self, path: str, name: str) -> None:
        """Give a folder another name beside it; refused when that name is taken."""
        await self._do("Rename-Item", LiteralPath=path, NewName=name)

    async def remove(self, path: str) -> None:
        """Remove a folder with all in it."""
        await self._do("Remove-Item", LiteralPath=path, Recurse=True, Force=True)

    async def _do(self, command: str, **parameters: CmdletValue) -> CmdletAnswer:
        answer = await self._session.run(Cmdlet(command, parameters))
        for failure in answer.failures:
            raise CmdletRefused(command, failure)
        return answer


def joined(folder: str, relative: str) -> str:
    r"""Return the Windows path of a relative one that has ``/`` between its parts."""
    return f"{folder.rstrip(chr(92))}\\{relative.replace('/', chr(92))}"


def refusal(host: str, account: str, refused: CmdletRefused) -> AethervError:
    """Return why the scripts can't be deployed, for the caller.

    Args:
        host: the host's id.
        account: what the agent logs in with; empty if it is not known.
        refused: what the host said.
    """
    failure = refused.failure
    about = {"host": host, "command": refused.command, "powershell_error": failure.error_id}
    if failure.not_offered:
        return AethervError(
            "DEPLOYMENT_UNAVAILABLE",
            f"Host {host} does not offer the command {refused.command}, so nothing can be deployed to it.",
            metadata=about,
        )
    if failure.denied:
        return AethervError(
            "DEPLOYMENT_DENIED",
            f"Host {host} does not let {f'account {account}' if account else 'the account'} write its scripts:"
            f" {failure.text[:_MOST_TEXT]}",
            metadata=about,
        )
    return AethervError(
        "DEPLOYMENT_FAILED",
        f"The scripts could not be deployed to host {host}: {refused.command}: {failure.text[:_MOST_TEXT]}",
        metadata=about,
    )


def _first(answer: CmdletAnswer) -> Any:
    return answer.values[0] if answer.values else None


def _relative(value: Any, folder: str, names: list[str]) -> str:
    """Return which file an answer is of. Its path may be another one's name: a drive can be mapped."""
    if not isinstance(value, dict):
        return ""
    path = "/" + str(value.get("Path", "")).replace("\\", "/").casefold()
    return next((name for name in names if path.endswith(f"/{folder}/{name}".casefold())), "")


def _some(paths: tuple[str, ...]) -> str:
    shown = ", ".join(paths[:5])
    return shown if len(paths) <= 5 else f"{shown} and {len(paths) - 5} more"  # noqa: PLR2004  # as shown
