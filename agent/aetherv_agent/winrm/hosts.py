"""The hosts as the agent's other rooms see them: jobs and inventories by host id. Owns the threads and the limits."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final

import structlog

from aetherv_agent.core.errors import AethervError
from aetherv_agent.core.job_document import inventory_document, script_path
from aetherv_agent.core.model import HostSettings, Inventory
from aetherv_agent.core.ports import CmdletSession, JobCall
from aetherv_agent.core.results import Record, ScriptResult, parse_inventory

from .errors import host_error
from .pool import ReadShells
from .runner import JobRun, Rooms, close_surely
from .saved import SavedShell
from .session import Command, Shell
from .settings import WinRmSettings
from .workers import LEAVERS, Caps, Workers

# How long a stop waits for shells to be let go; what is not done by then ends by the hosts' idle time-outs.
_STOP_SECONDS: Final = 15.0
# Shells left behind that are remembered per host, to be closed once their jobs have ended.
_MAX_LEFT: Final = 200


_LOG = structlog.stdlib.get_logger("aetherv.winrm")


@dataclass(frozen=True, slots=True)
class WinRmHost:
    """One host: how it is reached, and what its scripts are told."""

    winrm: WinRmSettings
    settings: HostSettings


@dataclass(frozen=True, slots=True)
class _Left:
    saved: SavedShell
    leaving: asyncio.Task[None]


class _Room:
    """One host's limits and what is known of its shells."""

    def __init__(self, host: WinRmHost, reads: ReadShells) -> None:
        self.host = host
        self.reads = reads
        self.slots = {
            "jobs": asyncio.Semaphore(host.winrm.max_job_shells),
            "changes": asyncio.Semaphore(host.winrm.max_change_shells),
            "cancels": asyncio.Semaphore(host.winrm.max_cancel_shells),
        }
        self.left: dict[str, _Left] = {}
        """By job id: pipelines that go on without a client, until a later call of their job has ended."""

    def leave(self, saved: SavedShell, leaving: asyncio.Task[None]) -> None:
        """Remember a pipeline that was left running."""
        self.left[saved.job_id] = _Left(saved, leaving)
        while len(self.left) > _MAX_LEFT:
            del self.left[next(iter(self.left))]


class WinRmHosts:
    """Implements ``core.ports.JobPort``, ``InventoryPort`` and ``CmdletPort``. Made and used in one event loop.

    Args:
        hosts: by host id.
        caps: the most threads for all hosts together.
    """

    def __init__(self, hosts: Mapping[str, WinRmHost], caps: Caps | None = None) -> None:
        caps = caps or Caps()
        wanted = [host.winrm for host in hosts.values()]
        self._workers = {
            "jobs": Workers("winrm-job", _threads(caps.jobs, (w.max_job_shells for w in wanted))),
            "changes": Workers("winrm-change", _threads(caps.changes, (w.max_change_shells for w in wanted))),
            "cancels": Workers("winrm-cancel", _threads(caps.cancels, (w.max_cancel_shells for w in wanted))),
            "reads": Workers("winrm-read", _threads(caps.reads, (w.max_read_shells for w in wanted))),
            "leavers": Workers("winrm-leave", LEAVERS),
        }
        self._background: set[asyncio.Task[None]] = set()
        self._stopping = False
        reads = self._rooms("reads")
        self._hosts = {name: _Room(host, ReadShells(host.winrm, reads)) for name, host in hosts.items()}

    async def run_job(
        self,
        host: str,
        call: JobCall,
        *,
        on_record: Callable[[Record], Awaitable[None]],
        shell: Mapping[str, Any] | None,
        save_shell: Callable[[Mapping[str, Any] | None], Awaitable[None]],
    ) -> ScriptResult:
        """Run a job; see ``JobPort.run_job``.

        A saved shell that cannot be taken up any more is no error: the same job is started again.

        Raises:
            AethervError: HOST_NOT_FOUND for an unknown id; HOST_TIMEOUT at the call's deadline (the job goes on).
        """
        room = self._room(host)
        try:
            async with asyncio.timeout(call.deadline_seconds) as limit:
                return await self._run_job(room, call, on_record, shell, save_shell)
        except TimeoutError:
            if not limit.expired():
                raise
        raise host_error(
            "HOST_TIMEOUT", room.host.winrm, f"the job had {call.deadline_seconds:g} s and goes on"
        )

    async def read_inventory(self, host: str) -> Inventory:
        """Ask a host for all it has; see ``InventoryPort.read_inventory``."""
        room = self._room(host)
        settings = room.host.settings
        command = Command(script_path("inventory", settings), inventory_document(settings))
        return parse_inventory(await room.reads.read(command), host)

    @asynccontextmanager
    async def cmdlets(self, host: str) -> AsyncIterator[CmdletSession]:
        """Give a shell for plain commands; see ``core.ports.CmdletPort``."""
        async with self._room(host).reads.cmdlets() as session:
            yield session

    async def aclose(self) -> None:
        """Close warm shells, wait for shells that are being let go, end the threads. Cancel running jobs before."""
        self._stopping = True
        for room in self._hosts.values():
            self._spawn(room.reads.close())
        try:
            if self._background:
                await asyncio.wait(set(self._background), timeout=_STOP_SECONDS)
        finally:
            for workers in self._workers.values():
                workers.stop()

    async def _run_job(
        self,
        room: _Room,
        call: JobCall,
        on_record: Callable[[Record], Awaitable[None]],
        shell: Mapping[str, Any] | None,
        save_shell: Callable[[Mapping[str, Any] | None], Awaitable[None]],
    ) -> ScriptResult:
        kind = _kind(call)
        winrm = room.host.winrm
        saved = SavedShell.from_json(shell)
        left = room.left.get(call.job_id)
        if left is not None:
            # The connection that says goodbye and the one that comes back must not meet.
            await asyncio.wait({left.leaving})
        async with room.slots[kind]:
            path = script_path(call.script, room.host.settings)
            run = JobRun(winrm, path, call, self._rooms(kind), on_record, save_shell, room.leave)
            try:
                result = None
                if saved is not None and saved.is_of(winrm.host, call):
                    if left is not None and left.saved.ids == saved.ids:
                        room.left.pop(call.job_id, None)
                    result = await run.adopt(saved)
                    _LOG.info("job_taken_up", host=winrm.host, job=call.job_id, ended=result is not None)
                if result is None:
                    result = await run.start()
            except AethervError as error:
                if error.host_answered:
                    self._job_ended(room, call.job_id)
                raise
            self._job_ended(room, call.job_id)
            return result

    def _job_ended(self, room: _Room, job_id: str) -> None:
        """Close the shell that an earlier call of the job left: its pipeline has ended, or follows one that has."""
        left = room.left.pop(job_id, None)
        if left is not None:
            self._spawn(self._close_left(room.host.winrm, left.saved))

    async def _close_left(self, settings: WinRmSettings, saved: SavedShell) -> None:
        await self._workers["leavers"].run(lambda: close_surely(Shell.recall(settings, saved.ids)))

    def _room(self, host: str) -> _Room:
        if self._stopping:
            raise AethervError("AGENT_STOPPING", "The agent stops.")
        room = self._hosts.get(host)
        if room is None:
            raise AethervError("HOST_NOT_FOUND", f"There is no host {host!r}.", metadata={"host": host})
        return room

    def _rooms(self, kind: str) -> Rooms:
        return Rooms(self._workers[kind], self._workers["leavers"], self._spawn)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.get_running_loop().create_task(work)
        self._background.add(task)
        task.add_done_callback(self._background.discard)
        return task


def _threads(cap: int, wanted: Iterable[int]) -> int:
    return max(1, min(cap, sum(wanted)))


def _kind(call: JobCall) -> str:
    """Return which limit a call counts against: creates, other changes, and what takes jobs back."""
    if call.cancel:
        return "cancels"
    return "jobs" if call.script == "create" else "changes"
