"""Starts and stops simulated hosts: in a thread of this process (tests, the demo) or as the process (the CLI)."""

import asyncio
import json
import logging
import re
import signal
import ssl
import stat
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from types import FrameType, TracebackType
from typing import Final, Self

from aetherv_simhost.backends import BackendRefused, make_backend
from aetherv_simhost.backends.api import Backend
from aetherv_simhost.config import HostConfig, SimHostConfig
from aetherv_simhost.faults import Faults
from aetherv_simhost.host import SimulatedHost
from aetherv_simhost.tls import server_context

__all__ = [
    "BackendRefused",
    "HostConfig",
    "SimHostConfig",
    "SimHostError",
    "SimHostServer",
    "read_users",
    "serve",
]

BackendFactory = Callable[[str, str, Path, Faults, Mapping[str, object]], Backend]

_log: Final = logging.getLogger(__name__)
_HOST_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")
_START_SECONDS: Final = 30.0
_STOP_SECONDS: Final = 20.0


class SimHostError(Exception):
    """The simulated hosts cannot be started; the text says why."""


class SimHostServer:
    """Simulated hosts that run in a thread of their own. Also a context manager.

    Args:
        config: What to start.
        backend_factory: Makes each host's back-end; the default goes by the config's name for it.
    """

    def __init__(self, config: SimHostConfig, backend_factory: BackendFactory = make_backend) -> None:
        self._config = config
        self._factory = backend_factory
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._started = threading.Event()
        self._stop: asyncio.Event | None = None
        self._error: Exception | None = None
        self._ports: dict[str, int] = {}
        self._hosts: dict[str, SimulatedHost] = {}
        self._faults: dict[str, Faults] = {}

    @property
    def ca_cert(self) -> Path:
        """The CA's certificate that clients have to trust (PEM)."""
        return self._config.state_dir / "ca.pem"

    def endpoint(self, host_id: str) -> tuple[str, int]:
        """Address and port of a started host."""
        return self._config.address, self._ports[host_id]

    def faults(self, host_id: str) -> Faults:
        """The faults of a started host."""
        return self._faults[host_id]

    def reboot(self, host_id: str, seconds: float) -> None:
        """Takes a started host down for so many seconds; its model lives on."""
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._hosts[host_id].reboot, seconds)

    def start(self) -> None:
        """Starts all hosts and returns when they listen.

        Raises:
            SimHostError: A port, the state folder, a host's id or the back-end cannot be used.
        """
        _check(self._config)
        self._thread = threading.Thread(target=self._run, name="simhost", daemon=True)
        self._thread.start()
        if not self._started.wait(_START_SECONDS):
            raise SimHostError(f"the simulated hosts did not start within {_START_SECONDS:g} s")
        if self._error is not None:
            self._thread.join(_STOP_SECONDS)
            raise SimHostError(str(self._error)) from self._error

    def stop(self) -> None:
        """Stops all hosts; returns when their scripts have ended, or after some seconds."""
        if self._loop is not None and self._stop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._stop.set)
        if self._thread is not None:
            self._thread.join(_STOP_SECONDS)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _run(self) -> None:
        try:
            asyncio.run(self._main())
        except Exception as error:  # noqa: BLE001  # handed to the thread that called start
            self._error = error
        finally:
            self._started.set()

    async def _main(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._stop = asyncio.Event()
        config = self._config
        config.state_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        context = server_context(config.state_dir, config.names)[0] if config.tls else None
        try:
            for host in config.hosts:
                folder = config.host_dir(host.host_id)
                folder.mkdir(parents=True, exist_ok=True, mode=0o700)
                faults = Faults(folder, _log.warning)
                backend = self._factory(config.backend, host.host_id, folder, faults, host.model)
                simulated = self._hosts[host.host_id] = SimulatedHost(host, backend, faults)
                port = host.port or _kept_ports(config).get(host.host_id, 0)
                self._ports[host.host_id] = await _listen(simulated, config, host, port, context)
                self._faults[host.host_id] = faults
            _keep_ports(config, self._ports)
            self._started.set()
            await self._stop.wait()
        finally:
            await asyncio.gather(*(host.stop() for host in self._hosts.values()))


def serve(config: SimHostConfig, ready: Callable[[SimHostServer], None] | None = None) -> None:
    """Runs simulated hosts until SIGTERM or SIGINT. To be called in the main thread.

    Args:
        config: What to start.
        ready: Told once that all hosts listen.

    Raises:
        SimHostError: They cannot be started.
    """
    ended = threading.Event()

    def end(number: int, frame: FrameType | None) -> None:
        del number, frame
        ended.set()

    before = {number: signal.signal(number, end) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        with SimHostServer(config) as server:
            if ready is not None:
                ready(server)
            while not ended.wait(1.0):
                pass
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def read_users(path: Path) -> dict[str, str]:
    """Reads accounts from a file that its owner alone may read.

    Args:
        path: A JSON object: password by account name.

    Raises:
        SimHostError: The file cannot be read, others may read it, or it is something else.
    """
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
        if mode & 0o077:
            raise SimHostError(f"{path}: others may read it (mode {mode:o}); make it 600")
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise SimHostError(f"{path}: {error}") from error
    except ValueError:
        # The parser's own message would quote the file.
        raise SimHostError(f"{path}: not JSON") from None
    if not isinstance(content, dict) or not all(isinstance(value, str) for value in content.values()):
        raise SimHostError(f"{path}: expected a JSON object of account names and passwords")
    return content


def _check(config: SimHostConfig) -> None:
    ids = [host.host_id for host in config.hosts]
    if not ids:
        raise SimHostError("no host is configured")
    for host_id in ids:
        if not _HOST_ID.fullmatch(host_id):
            raise SimHostError(f"host id {host_id!r}: letters, digits, '.', '_' and '-' only")
    if len(set(ids)) != len(ids):
        raise SimHostError("two hosts have the same id")


async def _listen(
    simulated: SimulatedHost,
    config: SimHostConfig,
    host: HostConfig,
    port: int,
    context: ssl.SSLContext | None,
) -> int:
    try:
        return await simulated.start(config.address, port, context)
    except OSError as error:
        raise SimHostError(
            f"host {host.host_id}: cannot listen on {config.address}:{port}: {error.strerror}"
        ) from error


def _kept_ports(config: SimHostConfig) -> dict[str, int]:
    path = config.state_dir / "ports.json"
    try:
        return {str(key): int(port) for key, port in json.loads(path.read_text(encoding="utf-8")).items()}
    except (OSError, ValueError, AttributeError):
        return {}


def _keep_ports(config: SimHostConfig, ports: Mapping[str, int]) -> None:
    path = config.state_dir / "ports.json"
    partial = path.with_suffix(".partial")
    partial.write_text(json.dumps({**_kept_ports(config), **ports}, indent=1), encoding="utf-8")
    partial.replace(path)
