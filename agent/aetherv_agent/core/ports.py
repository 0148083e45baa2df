"""How the agent's rooms speak to hosts: Protocols and the values they carry. No I/O is done here."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
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


class Sleeper(Protocol):
    """Waits, so that tests need not."""

    async def __call__(self, seconds: float, wake: asyncio.Event | None = None) -> bool:
        """Wait; return whether ``wake`` was set before the time was up."""
        ...
