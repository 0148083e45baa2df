"""Warm shells for reads: few, shared, used in turn. A read changes nothing on a host and may be repeated.

Jobs never run here: what a script leaves in its process (environment, modules) is the next one's.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from aetherv_agent.core.errors import AethervError
from aetherv_agent.core.ports import Cmdlet, CmdletAnswer, CmdletFailure
from aetherv_agent.core.results import ScriptResult

from .errors import host_error
from .outcome import Ending, Output, Transcript
from .runner import Rooms, close_surely, opened
from .session import Command, Shell
from .settings import WinRmSettings

# Some hosts count every pipeline that a shell ever had against its quota (1,000), freed or not.
_MAX_USES: Final = 400
# Beyond this part of its idle time-out a shell is as good as gone.
_FRESH: Final = 0.8


@dataclass(slots=True)
class _Warm:
    shell: Shell
    used: float
    uses: int = 0


class Cmdlets:
    """A session of plain commands in one of the readers' shells. Used by one task.

    Attributes:
        entry: the shell that it holds between two pipelines.
        began: whether a pipeline was run already.
    """

    def __init__(self, shells: ReadShells) -> None:
        self._shells = shells
        self.entry: _Warm | None = None
        self.began = False

    async def run(self, *pipeline: Cmdlet) -> CmdletAnswer:
        """Run some commands as one pipeline; see ``core.ports.CmdletSession.run``."""
        return await self._shells.run_cmdlets(self, pipeline)


class ReadShells:
    """One host's shells for reads.

    Args:
        settings: the host's.
        rooms: where blocking calls run.
    """

    def __init__(self, settings: WinRmSettings, rooms: Rooms) -> None:
        self._settings = settings
        self._rooms = rooms
        self._room = asyncio.Semaphore(settings.max_read_shells)
        self._warm: list[_Warm] = []

    async def read(self, command: Command) -> ScriptResult:
        """Run a script that changes nothing and return its result.

        Raises:
            AethervError: HOST_*, or the script's typed error.
        """
        try:
            async with asyncio.timeout(self._settings.read_deadline) as limit, self._room:
                return await self._read(command)
        except TimeoutError:
            if not limit.expired():
                raise
        raise host_error(
            "HOST_TIMEOUT", self._settings, f"no answer within {self._settings.read_deadline:g} s"
        )

    @asynccontextmanager
    async def cmdlets(self) -> AsyncIterator[Cmdlets]:
        """Give a shell for plain commands, one after the other; it takes the room of one read meanwhile.

        Raises:
            AethervError: HOST_TIMEOUT when no room comes free.
        """
        try:
            async with asyncio.timeout(self._settings.read_deadline):
                await self._room.acquire()
        except TimeoutError:
            failure: AethervError | None = host_error(
                "HOST_TIMEOUT", self._settings, "its readers have no room"
            )
        else:
            failure = None
        if failure is not None:
            raise failure
        session = Cmdlets(self)
        try:
            yield session
        finally:
            if session.entry is not None:
                self._warm.append(session.entry)
                session.entry = None
            self._room.release()

    async def run_cmdlets(self, session: Cmdlets, pipeline: tuple[Cmdlet, ...]) -> CmdletAnswer:
        """Run a pipeline in a session's shell; see ``core.ports.CmdletSession``."""
        try:
            async with asyncio.timeout(self._settings.read_deadline) as limit:
                return await self._run_cmdlets(session, pipeline)
        except TimeoutError:
            if not limit.expired():
                raise
        raise host_error(
            "HOST_TIMEOUT", self._settings, f"no answer within {self._settings.read_deadline:g} s"
        )

    async def _run_cmdlets(self, session: Cmdlets, pipeline: tuple[Cmdlet, ...]) -> CmdletAnswer:
        entry, session.entry = session.entry, None
        may_be_stale = False
        if entry is None:
            entry = self._take()
            may_be_stale = entry is not None and not session.began
        session.began = True
        if may_be_stale and entry is not None:
            try:
                return await self._answer(session, entry, pipeline)
            except AethervError:
                # It went stale since its last use; this pipeline changes nothing, so it may be asked twice.
                entry = None
        return await self._answer(session, entry or await self._new(), pipeline)

    async def _answer(self, session: Cmdlets, entry: _Warm, pipeline: tuple[Cmdlet, ...]) -> CmdletAnswer:
        values: list[object] = []
        failures: list[CmdletFailure] = []

        def read(output: Output) -> None:
            values.extend(output.values)
            failures.extend(
                CmdletFailure(error.error_id, error.category, error.reason, error.text)
                for error in output.errors
            )

        ending = await self._follow(entry, lambda shell: shell.prepare_cmdlets(pipeline), read)
        session.entry = entry
        if ending is not Ending.COMPLETED and not failures:
            text = f"{' | '.join(command.name for command in pipeline)} ended ({ending}) without an error"
            failures.append(CmdletFailure("", 0, "", text))
        return CmdletAnswer(tuple(values), tuple(failures))

    async def close(self) -> None:
        """Close the warm shells."""
        warm, self._warm = self._warm, []
        await asyncio.gather(*(self._let_go(entry) for entry in warm))

    async def _read(self, command: Command) -> ScriptResult:
        entry = self._take()
        if entry is not None:
            try:
                return await self._run(entry, command)
            except AethervError as error:
                if error.host_answered:
                    raise
                # The shell, or the connection to it, went stale since its last use: a new one says what is true.
        return await self._run(await self._new(), command)

    async def _new(self) -> _Warm:
        shell = await opened(self._settings, self._settings.read_idle_seconds, self._rooms)
        return _Warm(shell, time.monotonic())

    def _take(self) -> _Warm | None:
        now = time.monotonic()
        while self._warm:
            entry = self._warm.pop()
            if entry.uses < _MAX_USES and now - entry.used < self._settings.read_idle_seconds * _FRESH:
                return entry
            self._rooms.spawn(self._let_go(entry))
        return None

    async def _run(self, entry: _Warm, command: Command) -> ScriptResult:
        """Run it in this shell, which is kept only if the host answered."""
        transcript = Transcript(self._settings.host, command.path)
        ending = await self._follow(
            entry,
            lambda shell: shell.prepare(command),
            lambda output: transcript.read(output, datetime.now(UTC)),
        )
        self._warm.append(entry)
        return transcript.result(ending, lossy=False)

    async def _follow(
        self, entry: _Warm, prepare: Callable[[Shell], None], read: Callable[[Output], object]
    ) -> Ending:
        """Run a pipeline to its end in this shell, which is let go when that fails or is cancelled."""
        given_up = threading.Event()
        running = self._rooms.workers.begin(lambda: self._blocking(entry.shell, prepare, read, given_up))
        try:
            ending = await asyncio.shield(running)
        except asyncio.CancelledError:
            given_up.set()
            self._rooms.spawn(self._close_used(running, entry))
            raise
        except AethervError:
            self._rooms.spawn(self._let_go(entry))
            raise
        entry.used = time.monotonic()
        entry.uses += 1
        return ending

    def _blocking(
        self,
        shell: Shell,
        prepare: Callable[[Shell], None],
        read: Callable[[Output], object],
        given_up: threading.Event,
    ) -> Ending:
        prepare(shell)
        shell.send_command()
        shell.send_input()
        while not given_up.is_set():
            output = shell.receive(self._settings.operation_timeout)
            read(output)
            if output.ending is not None:
                shell.finish()
                return output.ending
        return Ending.UNKNOWN

    async def _close_used(self, running: asyncio.Future[Ending], entry: _Warm) -> None:
        await asyncio.wait({running})
        await self._let_go(entry)

    async def _let_go(self, entry: _Warm) -> None:
        await self._rooms.leavers.run(lambda: close_surely(entry.shell))
