"""Warm shells for reads: few, shared, used in turn. A read changes nothing on a host and may be repeated.

Jobs never run here: what a script leaves in its process (environment, modules) is the next one's.
"""

from __future__ import annotations

import asyncio
import threading
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from aetherv_agent.core.errors import AethervError
from aetherv_agent.core.results import ScriptResult

from .errors import host_error
from .outcome import Ending, Transcript
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
        shell = await opened(self._settings, self._settings.read_idle_seconds, self._rooms)
        entry = _Warm(shell, time.monotonic())
        return await self._run(entry, command)

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
        given_up = threading.Event()
        transcript = Transcript(self._settings.host, command.path)
        running = self._rooms.workers.begin(
            lambda: self._blocking(entry.shell, command, transcript, given_up)
        )
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
        self._warm.append(entry)
        return transcript.result(ending, lossy=False)

    def _blocking(
        self, shell: Shell, command: Command, transcript: Transcript, given_up: threading.Event
    ) -> Ending:
        shell.prepare(command)
        shell.send_command()
        shell.send_input()
        while not given_up.is_set():
            output = shell.receive(self._settings.operation_timeout)
            transcript.read(output, datetime.now(UTC))
            if output.ending is not None:
                shell.finish()
                return output.ending
        return Ending.UNKNOWN

    async def _close_used(self, running: asyncio.Future[Ending], entry: _Warm) -> None:
        await asyncio.wait({running})
        await self._let_go(entry)

    async def _let_go(self, entry: _Warm) -> None:
        await self._rooms.leavers.run(lambda: close_surely(entry.shell))
