"""How the agent's rooms speak to hosts: Protocols and the values they carry. No I/O is done here."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Any, Protocol

from aetherv_agent.core.model import Inventory
from aetherv_agent.core.results import Record, ScriptResult


@dataclass(frozen=True, slots=True)
class JobCall:
    """One call of a job script.

    Attributes:
        job_id: the operation's id; the host's journal has it too.
        script: ``create`` or ``delete``, as in ``records.json``.
        document: what goes into the pipeline.
        secrets: field name to value, handed over as SecureStrings; None where the script takes none.
        deadline_seconds: how long the call may take at the most.
        cancel: whether the call takes the job back (the document's ``cancel``): it must not wait behind jobs.
    """

    job_id: str
    script: str
    document: str
    deadline_seconds: float
    secrets: Mapping[str, str] | None = field(default=None, repr=False)
    cancel: bool = False


class JobPort(Protocol):
    """Runs job scripts on hosts."""

    async def run_job(
        self,
        host: str,
        call: JobCall,
        *,
        on_record: Callable[[Record], Awaitable[None]],
        shell: Mapping[str, Any] | None,
        save_shell: Callable[[Mapping[str, Any] | None], Awaitable[None]],
    ) -> ScriptResult:
        """Run a job, or adopt the pipeline that ``shell`` names if the host still has it.

        Cancelling the coroutine lets the host's pipeline go on: it is not a cancel of the job.

        Args:
            host: the host's id in the configuration.
            call: what is called.
            on_record: gets progress and log records as they come; awaited one after the other.
            shell: what ``save_shell`` last wrote for this job, or None.
            save_shell: is awaited before the command is sent; when it raises, nothing is sent.

        Raises:
            AethervError: the host's own typed answer (``host_answered``), or a transport error (HOST_*).
        """
        ...


class InventoryPort(Protocol):
    """Reads hosts' inventories."""

    async def read_inventory(self, host: str) -> Inventory:
        """Ask a host for all it has; raise AethervError (HOST_*, or its typed answer)."""
        ...


CmdletValue = str | bool | int | tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Cmdlet:
    """One command with its named parameters; never script text. A switch is a bool."""

    name: str
    parameters: Mapping[str, CmdletValue] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class CmdletFailure:
    """An error record of a command.

    Attributes:
        error_id: FullyQualifiedErrorId.
        category: .NET's ErrorCategory as a number.
        reason: the exception's type name.
        text: for people; localised.
    """

    error_id: str
    category: int
    reason: str
    text: str

    @property
    def denied(self) -> bool:
        """Whether the account lacks a right (PermissionDenied, SecurityError)."""
        return self.category in {18, 25} or self.reason in {
            "UnauthorizedAccessException",
            "SecurityException",
        }

    @property
    def not_offered(self) -> bool:
        """Whether the host has no such command for this account."""
        return "CommandNotFoundException" in {self.reason, self.error_id.split(",")[0]}


@dataclass(frozen=True, slots=True)
class CmdletAnswer:
    """What a pipeline of commands gave.

    Attributes:
        values: its output: texts, numbers, bools, lists, and objects as mappings of their properties.
        failures: its error records.
    """

    values: tuple[Any, ...] = ()
    failures: tuple[CmdletFailure, ...] = ()


class CmdletSession(Protocol):
    """A shell of a host for plain commands."""

    async def run(self, *pipeline: Cmdlet) -> CmdletAnswer:
        """Run some commands as one pipeline, to its end.

        The first pipeline of a session may be run twice (its shell may have gone stale), so it must change nothing.

        Raises:
            AethervError: a transport error (HOST_*). What the commands say is in the answer.
        """
        ...


class CmdletPort(Protocol):
    """Runs plain commands on hosts: what has to work before there are scripts."""

    def cmdlets(self, host: str) -> AbstractAsyncContextManager[CmdletSession]:
        """Give a session; entering waits for room among the host's reads and raises AethervError for an unknown host."""
        ...
