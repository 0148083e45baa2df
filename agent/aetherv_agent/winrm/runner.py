"""Running one job in a shell of its own, from its command to its result, through lost connections.

What is waited for stands in threads (``session.Shell``); what is decided stands here, in the event loop.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, TypeVar

import structlog

from aetherv_agent.core.errors import AethervError
from aetherv_agent.core.ports import JobCall
from aetherv_agent.core.results import Record, ScriptResult

from .outcome import Ending, Transcript
from .saved import SavedShell
from .session import Command, Shell
from .settings import WinRmSettings
from .workers import Workers

_T = TypeVar("_T")

_BACKOFF: Final = (0.1, 0.5, 1.0, 2.0, 5.0)
# How long an ended job waits for its shell to be closed, so that its room is really free; then it goes on alone.
_CLOSING_SECONDS: Final = 3.0
# After this no further try is made to close a shell.
_CLOSE_GIVES_UP: Final = 12.0

_LOG = structlog.stdlib.get_logger("aetherv.winrm")

OnRecord = Callable[[Record], Awaitable[None]]
SaveShell = Callable[[Mapping[str, Any] | None], Awaitable[None]]
Spawn = Callable[[Coroutine[Any, Any, None]], "asyncio.Task[None]"]


@dataclass(frozen=True, slots=True)
class Rooms:
    """Where a job's blocking calls run.

    Attributes:
        workers: for the job itself.
        leavers: for letting shells go, which must not wait behind jobs.
        spawn: starts what goes on after the call has returned; the owner waits for it when it stops.
    """

    workers: Workers
    leavers: Workers
    spawn: Spawn


class JobRun:
    """One call of ``run_job``: ``start`` or ``adopt``, then it is over.

    Args:
        settings: the host's.
        path: the script's full path.
        call: what is called.
        rooms: where blocking calls run.
        on_record: gets progress and log records.
        save_shell: stores how the pipeline is found again.
        left: is told of a running pipeline that is left on the host, with the task that does so.
    """

    def __init__(
        self,
        settings: WinRmSettings,
        path: str,
        call: JobCall,
        rooms: Rooms,
        on_record: OnRecord,
        save_shell: SaveShell,
        left: Callable[[SavedShell, asyncio.Task[None]], None],
    ) -> None:
        self._settings = settings
        self._path = path
        self._call = call
        self._rooms = rooms
        self._on_record = on_record
        self._save_shell = save_shell
        self._left = left

    async def start(self) -> ScriptResult:
        """Run the script in a new shell.

        Safe to be called again for the same job id: every job script looks into its journal first, goes on at the
        first step not done, and follows a run of the same id that has not ended.
        """
        call = self._call
        shell = await opened(self._settings, self._settings.idle_timeout_seconds, self._rooms, self._prepare)
        try:
            await self._save_shell(SavedShell.of(self._settings.host, call, shell.ids, fed=False).to_json())
        except BaseException:
            # Nothing was sent: the shell is empty.
            self._rooms.spawn(self._close(shell))
            raise
        feeding = asyncio.ensure_future(self._feed(shell))
        try:
            await asyncio.shield(feeding)
            await self._save_shell(SavedShell.of(self._settings.host, call, shell.ids, fed=True).to_json())
        except BaseException:
            # Not to be taken up by anyone (``fed`` was not stored), so it is ended: the journal keeps what it did.
            self._rooms.spawn(self._close_after(feeding, shell))
            raise
        return await self._follow(shell)

    async def adopt(self, saved: SavedShell) -> ScriptResult | None:
        """Take up the pipeline of an earlier client; None when that cannot be done, or its result is lost.

        Raises:
            AethervError: the script's own answer, or a host that cannot be asked now (it may still have the pipeline).
        """
        shell = await self._rooms.workers.run(lambda: Shell.recall(self._settings, saved.ids))
        if not saved.fed:
            self._rooms.spawn(self._close(shell))
            return None
        try:
            await self._reach(shell)
        except AethervError as error:
            self._rooms.spawn(self._drop(shell))
            if error.id != "HOST_RESULT_LOST":
                raise
            return None
        try:
            return await self._follow(shell)
        except AethervError as error:
            if error.host_answered or error.id != "HOST_RESULT_LOST":
                raise
            return None

    async def _reach(self, shell: Shell) -> None:
        """Get to where Receive works, whether the earlier client said goodbye, died, or is another session's.

        Which faults Windows answers a wrong guess with is not known, so each way is simply tried.
        """
        await self._unless_refused(shell, shell.reconnect)
        if await self._unless_refused(shell, shell.probe):
            return
        if not await self._unless_refused(shell, shell.connect):
            text = f"Host {self._settings.host} does not hand the job's running pipeline over."
            raise AethervError("HOST_RESULT_LOST", text, metadata={"host": self._settings.host})

    async def _unless_refused(self, shell: Shell, action: Callable[[], object]) -> bool:
        """Do it; return whether the host did it. A host that cannot be asked, or has lost the shell, is an error."""
        try:
            await self._persist(shell, action)
        except AethervError as error:
            if error.id == "HOST_RESULT_LOST" or "wsman_fault" not in error.metadata:
                raise
            return False
        return True

    def _prepare(self, shell: Shell) -> None:
        shell.prepare(Command(self._path, self._call.document, self._call.secrets))

    async def _feed(self, shell: Shell) -> None:
        """Send the command and its input.

        Command is never repeated on a guess: without an answer the host is asked whether it has the pipeline, and
        only its word that it has none allows a second one. Input is never repeated at all.
        """
        run = self._rooms.workers.run
        give_up = time.monotonic() + self._settings.recover_seconds
        while True:
            try:
                await run(shell.send_command)
                break
            except AethervError as error:
                if not _passes(error) or time.monotonic() > give_up:
                    raise
            await asyncio.sleep(_BACKOFF[0])
            await run(shell.reset)
            if await self._persist(shell, shell.has_command):
                break
        await run(shell.send_input)

    async def _follow(self, shell: Shell) -> ScriptResult:
        """Read the pipeline to its end and let its shell go."""
        transcript = Transcript(self._settings.host, self._path)
        ending: Ending | None = None
        while ending is None:
            try:
                output = await self._persist(shell, lambda: shell.receive(self._settings.operation_timeout))
            except AethervError as error:
                # What was read before the rest was lost may be all there was.
                if error.id != "HOST_RESULT_LOST":
                    self._rooms.spawn(self._drop(shell))
                    raise
                break
            try:
                for record in transcript.read(output, datetime.now(UTC)):
                    await self._on_record(record)
            except asyncio.CancelledError:
                self._leave(shell, None)
                raise
            except BaseException:
                # Whoever has the job now may be reading already: touch nothing more on the host.
                self._rooms.spawn(self._drop(shell))
                raise
            ending = output.ending
        await asyncio.wait({self._rooms.spawn(self._close(shell))}, timeout=_CLOSING_SECONDS)
        return transcript.result(ending or Ending.UNKNOWN, lossy=shell.lossy)

    async def _persist(self, shell: Shell, action: Callable[[], _T]) -> _T:
        """Return what ``action`` returns, over new connections while the host is away.

        When this is cancelled the pipeline is left running on the host.
        """
        give_up: float | None = None
        refusals = attempt = 0
        while True:
            pending = self._rooms.workers.begin(action)
            try:
                return await asyncio.shield(pending)
            except asyncio.CancelledError:
                self._leave(shell, pending)
                raise
            except AethervError as error:
                now = time.monotonic()
                give_up = give_up or now + self._settings.recover_seconds
                refusals += error.id == "HOST_AUTHENTICATION_FAILED"
                if not _passes(error) or refusals > 1 or now >= give_up:
                    raise
                _LOG.info(
                    "host_away",
                    host=self._settings.host,
                    job=self._call.job_id,
                    error=error.id,
                    attempt=attempt,
                )
            resetting: asyncio.Future[None] | None = None
            try:
                await asyncio.sleep(_BACKOFF[min(attempt, len(_BACKOFF) - 1)])
                attempt += 1
                resetting = self._rooms.workers.begin(shell.reset)
                await asyncio.shield(resetting)
            except asyncio.CancelledError:
                self._leave(shell, resetting)
                raise

    def _leave(self, shell: Shell, pending: asyncio.Future[Any] | None) -> None:
        """Let the pipeline go on without us, so that it can be taken up."""
        leaving = self._rooms.spawn(self._disconnect(shell, pending))
        self._left(SavedShell.of(self._settings.host, self._call, shell.ids, fed=True), leaving)

    async def _disconnect(self, shell: Shell, pending: asyncio.Future[Any] | None) -> None:
        if pending is None or pending.done():
            await self._rooms.leavers.run(lambda: _quietly(shell.disconnect))
            return
        # The shell's thread may sit in a Receive for long and pypsrp knows no locks, so another connection says goodbye for it.
        # Only then is the Receive cut off: a host could still spend output on it.
        ids = shell.ids
        await self._rooms.leavers.run(
            lambda: _quietly(lambda: Shell.recall(self._settings, ids).disconnect())
        )
        shell.interrupt()
        await asyncio.wait({pending})
        await self._drop(shell)

    async def _close_after(self, feeding: asyncio.Future[None], shell: Shell) -> None:
        await asyncio.wait({feeding})
        if not feeding.cancelled():
            feeding.exception()
        await self._close(shell)

    async def _close(self, shell: Shell) -> None:
        await self._rooms.leavers.run(lambda: close_surely(shell))

    async def _drop(self, shell: Shell) -> None:
        await self._rooms.leavers.run(lambda: _quietly(shell.drop))


async def opened(
    settings: WinRmSettings, idle_seconds: int, rooms: Rooms, then: Callable[[Shell], None] | None = None
) -> Shell:
    """Return a new shell on the host; none is left there when that fails or is cancelled.

    Args:
        settings: the host's.
        idle_seconds: when the host ends it if nobody asks for anything.
        rooms: where blocking calls run.
        then: what else is done in the same breath.
    """

    def opening() -> None:
        shell.open()
        if then is not None:
            then(shell)

    async def abandon() -> None:
        await asyncio.wait({pending})
        if shell.reached:
            await rooms.leavers.run(lambda: close_surely(shell))

    shell = await rooms.workers.run(lambda: Shell(settings, idle_seconds))
    pending = rooms.workers.begin(opening)
    try:
        await asyncio.shield(pending)
    except asyncio.CancelledError:
        rooms.spawn(abandon())
        raise
    except AethervError as error:
        # It may be there: an answer was lost, or what came after failed. A wrong password is not tried twice: the
        # domain counts.
        if shell.reached and error.id != "HOST_AUTHENTICATION_FAILED":
            rooms.spawn(abandon())
        else:
            shell.drop()
        raise
    return shell


def close_surely(shell: Shell) -> None:
    """Close a shell, over new connections while that fails; one that stays ends by its idle time-out.

    Blocking, for some tries within a bounded time.
    """
    give_up = time.monotonic() + _CLOSE_GIVES_UP
    for pause in (*_BACKOFF[:3], 0.0):
        if _quietly(shell.close) or time.monotonic() > give_up:
            break
        time.sleep(pause)
        if not _quietly(shell.reset):
            break
    _quietly(shell.drop)


def _quietly(action: Callable[[], object]) -> bool:
    """Do what nobody waits for; return whether it worked."""
    try:
        action()
    except AethervError as error:
        # What is gone already is what was wanted.
        return error.id == "HOST_RESULT_LOST"
    return True


def _passes(error: AethervError) -> bool:
    """Whether the host may answer over a new connection. A message of the old one's keys is refused as a login is."""
    if error.id in {"HOST_UNREACHABLE", "HOST_TIMEOUT"}:
        return True
    # A fault is an answer: the same question gets it again.
    return (
        error.id in {"HOST_PROTOCOL_ERROR", "HOST_AUTHENTICATION_FAILED"}
        and "wsman_fault" not in error.metadata
    )
