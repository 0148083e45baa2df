# ruff: noqa: D102  # the fakes do what the interfaces say
"""Hosts of plain commands: folders in memory, scripted answers, and what the API asks of deployment and checks."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aetherv_agent.core.errors import AethervError
from aetherv_agent.core.ports import Cmdlet, CmdletAnswer, CmdletFailure
from aetherv_agent.deployment import Deployed, Finding, FindingState

EXISTS, MISSING = 20, 13


def failure(
    error_id: str = "X,Y", category: int = 0, reason: str = "Exception", text: str = "no"
) -> CmdletAnswer:
    """A command that failed."""
    return CmdletAnswer((), (CmdletFailure(error_id, category, reason, text),))


NOT_OFFERED = failure("CommandNotFoundException", MISSING, "CommandNotFoundException", "not recognized")
DENIED = failure(
    "SetContentUnauthorizedAccessError,X", 18, "UnauthorizedAccessException", "Access to the path is denied."
)


@dataclass
class FakeHost:
    """A host's folders and files, and the commands that were run on it.

    Attributes:
        files: text by path.
        folders: paths.
        answers: gives an answer of the test's own for a pipeline, or None.
        commands: what was run, by name and path.
    """

    files: dict[str, str] = field(default_factory=dict)
    folders: set[str] = field(default_factory=set)
    answers: Callable[[tuple[Cmdlet, ...]], CmdletAnswer | None] = lambda _: None
    commands: list[tuple[str, str]] = field(default_factory=list)

    async def run(self, *pipeline: Cmdlet) -> CmdletAnswer:
        command = pipeline[0]
        given = command.parameters
        path = given.get("LiteralPath", given.get("Path", ""))
        self.commands.append((command.name, str(path)))
        # As a network: others get their turn between two commands.
        await asyncio.sleep(0)
        if (own := self.answers(pipeline)) is not None:
            return own
        method = getattr(self, "_" + command.name.replace("-", "_").lower(), None)
        answer: CmdletAnswer = method(path, given) if method else NOT_OFFERED
        return answer

    def _test_path(self, path: str, given: Mapping[str, Any]) -> CmdletAnswer:
        return CmdletAnswer((path in self.folders or path in self.files,))

    def _new_item(self, path: str, given: Mapping[str, Any]) -> CmdletAnswer:
        if path in self.folders and not given.get("Force"):
            return failure("DirectoryExist,Microsoft.PowerShell.Commands.NewItemCommand", EXISTS)
        parts = path.split("\\")
        self.folders |= {"\\".join(parts[:count]) for count in range(1, len(parts) + 1)}
        return CmdletAnswer(({"FullName": path},))

    def _set_content(self, path: str, given: Mapping[str, Any]) -> CmdletAnswer:
        if path.rpartition("\\")[0] not in self.folders:
            return failure("GetContentWriterDirectoryNotFoundError,X", MISSING, "DirectoryNotFoundException")
        self.files[path] = str(given["Value"])
        return CmdletAnswer()

    def _add_content(self, path: str, given: Mapping[str, Any]) -> CmdletAnswer:
        self.files[path] = self.files.get(path, "") + str(given["Value"])
        return CmdletAnswer()

    def _get_filehash(self, paths: Sequence[str], given: Mapping[str, Any]) -> CmdletAnswer:
        there = tuple(path for path in paths if path in self.files)
        gone = tuple(
            CmdletFailure("FileNotFound,X", MISSING, "ItemNotFoundException", path)
            for path in paths
            if path not in self.files
        )
        values = tuple(
            {"Path": path, "Hash": hashlib.sha256(self.files[path].encode()).hexdigest().upper()}
            for path in there
        )
        return CmdletAnswer(values, gone)

    def _get_childitem(self, path: str, given: Mapping[str, Any]) -> CmdletAnswer:
        below = [(name, text) for name, text in self.files.items() if name.startswith(path + "\\")]
        return CmdletAnswer(tuple({"FullName": name, "Length": len(text)} for name, text in below))

    def _rename_item(self, path: str, given: Mapping[str, Any]) -> CmdletAnswer:
        target = path.rpartition("\\")[0] + "\\" + str(given["NewName"])
        if target in self.folders:
            return failure("RenameItemIOError,Microsoft.PowerShell.Commands.RenameItemCommand", 23)
        if path not in self.folders:
            return failure("PathNotFound,X", MISSING)
        self.folders = {_moved(name, path, target) for name in self.folders}
        self.files = {_moved(name, path, target): text for name, text in self.files.items()}
        return CmdletAnswer()

    def _remove_item(self, path: str, given: Mapping[str, Any]) -> CmdletAnswer:
        self.folders = {name for name in self.folders if name != path and not name.startswith(path + "\\")}
        self.files = {name: text for name, text in self.files.items() if not name.startswith(path + "\\")}
        return CmdletAnswer()


def _moved(name: str, path: str, target: str) -> str:
    return target + name[len(path) :] if name == path or name.startswith(path + "\\") else name


@dataclass
class FakeCmdlets:
    """Implements ``core.ports.CmdletPort``; an error stands for a host that can't be reached."""

    hosts: dict[str, FakeHost | AethervError]
    sessions: int = 0

    @asynccontextmanager
    async def cmdlets(self, host: str) -> AsyncIterator[FakeHost]:
        self.sessions += 1
        found = self.hosts[host]
        if isinstance(found, AethervError):
            raise found
        yield found


@dataclass
class FakeDeployment:
    """What the API asks of deployment."""

    error: AethervError | None = None
    deployed: list[str] = field(default_factory=list)

    async def deploy(self, host: str) -> Deployed:
        self.deployed.append(host)
        if self.error is not None:
            raise self.error
        return Deployed("0.1.0", r"C:\Program Files\Aether-V\scripts\0.1.0", made=True)


@dataclass
class FakeChecks:
    """What the API asks of checks."""

    found: tuple[Finding, ...] = (
        Finding("winrm", FindingState.OK, "logged in"),
        Finding("scripts", FindingState.FAILED, "there are none", "aetherv hosts deploy hv01"),
    )
    checked: list[str] = field(default_factory=list)

    async def check(self, host: str) -> tuple[Finding, ...]:
        self.checked.append(host)
        return self.found
