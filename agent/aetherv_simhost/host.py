"""One simulated host on one TCP port: its back-end, its shells, its connections. Lives in the server's event loop."""

import asyncio
import logging
import ssl
import time
from typing import Final

from aetherv_simhost.backends.api import Backend, Closable, FragmentBackend, Rebooting
from aetherv_simhost.config import HostConfig
from aetherv_simhost.faults import Faults
from aetherv_simhost.psrp.relay import RelayShell
from aetherv_simhost.psrp.shell import PsrpShell
from aetherv_simhost.runner import Runner
from aetherv_simhost.winrs.shell import CmdShell
from aetherv_simhost.wsman.connection import Connection, Protocol, reset
from aetherv_simhost.wsman.ntlm import Accounts
from aetherv_simhost.wsman.service import SHELL_RESOURCE, Service
from aetherv_simhost.wsman.shell import Shell, ShellSeat
from aetherv_simhost.wsman.soap import PWSH

_log: Final = logging.getLogger(__name__)
# http.sys takes more; a simulated host is bounded.
_MAX_CONNECTIONS: Final = 1024
_STOP_SECONDS: Final = 5.0


class SimulatedHost:
    """One simulated host.

    Args:
        config: What it is.
        backend: Runs its scripts.
        faults: Its faults.
    """

    def __init__(self, config: HostConfig, backend: Backend, faults: Faults) -> None:
        self._config = config
        self._loop = asyncio.get_running_loop()
        self._faults = faults
        self._accounts = Accounts(config.users)
        self._backend = backend
        self._runner = Runner(backend, self._reboot_soon, config.max_running)
        self._service = Service(config.host_id, self._loop, self._runner, faults, self._make_shell)
        if isinstance(backend, Rebooting):
            backend.on_reboot(self._reboot_soon)
        self._server: asyncio.Server | None = None
        self._reaper: asyncio.Task[None] | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._down_until = 0.0
        self._tls = False

    async def start(self, address: str, port: int, context: ssl.SSLContext | None) -> int:
        """Begins to listen.

        Args:
            address: Where.
            port: 0 for any.
            context: TLS, or None for plain HTTP.

        Returns:
            The port.

        Raises:
            OSError: The port cannot be had.
        """
        self._tls = context is not None
        self._server = await self._loop.create_server(
            lambda: Protocol(self._accept, self._loop), address, port, ssl=context, backlog=256
        )
        self._reaper = self._loop.create_task(self._service.reap())
        return int(self._server.sockets[0].getsockname()[1])

    async def stop(self) -> None:
        """Ends everything; scripts get a few seconds to end."""
        if isinstance(self._backend, Closable):
            self._backend.close()
        if self._server is not None:
            self._server.close()
        if self._reaper is not None:
            self._reaper.cancel()
        self._service.kill_shells()
        # Waiting requests get their fault (995) before the connections go.
        await asyncio.sleep(0)
        for writer in list(self._writers):
            writer.transport.abort()
        for task in list(self._tasks):
            task.cancel()
        tasks = [*self._tasks, *([self._reaper] if self._reaper else [])]
        await asyncio.gather(*tasks, return_exceptions=True)
        if not self._runner.join(_STOP_SECONDS):
            _log.warning("simulated host %s: a script does not stop", self._config.host_id)

    def reboot(self, seconds: float) -> None:
        """Takes the host down for so many seconds: shells and connections die, nobody answers."""
        self._down_until = time.monotonic() + seconds
        self._service.kill_shells()
        for writer in list(self._writers):
            reset(writer)

    def _reboot_soon(self, seconds: float) -> None:
        self._loop.call_soon_threadsafe(self.reboot, seconds)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, protocol: Protocol) -> None:
        down = time.monotonic() < self._down_until or len(self._writers) >= _MAX_CONNECTIONS
        if down or self._faults.take("unreachable"):
            reset(writer)
            return
        self._writers.add(writer)
        connection = Connection(reader, writer, self._accounts, self._service, self._faults, tls=self._tls)
        task = self._loop.create_task(self._serve(connection, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        protocol.lost = lambda: task.cancel() if connection.abandonable else None

    async def _serve(self, connection: Connection, writer: asyncio.StreamWriter) -> None:
        try:
            await connection.run()
        except asyncio.CancelledError:
            # The peer is gone, or the server stops: there is nobody to tell.
            return
        except Exception:  # noqa: BLE001  # one connection must not end the host; it is logged
            _log.exception("simulated host %s: a connection ended by an error", self._config.host_id)
            writer.transport.abort()
        finally:
            self._writers.discard(writer)

    def _make_shell(self, seat: ShellSeat) -> Shell | None:
        if seat.resource_uri.startswith(f"{PWSH}/"):
            if isinstance(self._backend, FragmentBackend):
                return RelayShell(seat, self._backend)
            return PsrpShell(seat)
        if seat.resource_uri == f"{SHELL_RESOURCE}/cmd":
            return CmdShell(seat)
        return None
