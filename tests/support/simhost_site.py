"""Simulated hosts with a small back-end of the tests' own, and real clients for them."""

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from aetherv_simhost.backends.api import CommandNotFound, HostReboots, ScriptCall, ScriptFailed, SecureText
from aetherv_simhost.faults import Faults
from aetherv_simhost.serve import HostConfig, SimHostConfig, SimHostServer
from pypsrp.powershell import PowerShell, RunspacePool
from pypsrp.wsman import WSMan

SCRIPTS = r"C:\Aether\scripts\1.0"
PASSWORD = "Pa:ss w\u00f6rd"
USERS = {"admin": PASSWORD, "other": "another password"}


def script(name: str) -> str:
    """The full path of one of the test back-end's scripts."""
    return f"{SCRIPTS}\\{name}.ps1"


@dataclass
class ScriptBackend:
    """Runs a handful of scripts; remembers the calls and how many runs are active."""

    calls: list[ScriptCall] = field(default_factory=list)
    started: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))
    stopped: threading.Event = field(default_factory=threading.Event)
    release: threading.Event = field(default_factory=threading.Event)
    running: int = 0
    most_running: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)
    closed: bool = False

    def close(self) -> None:
        """The server ends."""
        self.closed = True

    def run(self, call: ScriptCall, write: Callable[[str], None], stopped: threading.Event) -> None:
        """Runs one script."""
        with self.lock:
            self.calls.append(call)
            self.running += 1
            self.most_running = max(self.running, self.most_running)
        self.started.release()
        try:
            self._run(call, write, stopped)
        finally:
            with self.lock:
                self.running -= 1

    def _run(self, call: ScriptCall, write: Callable[[str], None], stopped: threading.Event) -> None:
        name = call.path.removeprefix(SCRIPTS + "\\").removesuffix(".ps1")
        if name == "Echo":
            write(json.dumps({"parameters": shown(dict(call.parameters)), "input": call.pipeline_input}))
        elif name == "Emit":
            for _ in range(int(str(call.parameters["Lines"]))):
                write("x" * int(str(call.parameters["Size"])))
        elif name == "Wait":
            write("started")
            while not stopped.is_set() and not self.release.is_set():
                stopped.wait(0.005)
            if stopped.is_set():
                self.stopped.set()
            write("ended")
        elif name == "Fail":
            raise ScriptFailed("the disk is full", "DISK_FULL,Invoke-Job", "ResourceUnavailable")
        elif name == "Crash":
            raise RuntimeError("secret detail")
        elif name == "Reboot":
            raise HostReboots(float(str(call.parameters["Seconds"])))
        else:
            raise CommandNotFound(call.path)


def shown(value: object) -> object:
    """A parameter's value with SecureStrings revealed, for JSON."""
    if isinstance(value, SecureText):
        return {"secure": value.reveal()}
    if isinstance(value, dict):
        return {key: shown(item) for key, item in value.items()}
    return value


@dataclass
class Site:
    """One running simulated host and what a test needs of it."""

    server: SimHostServer
    backend: ScriptBackend
    tls: bool

    @property
    def faults(self) -> Faults:
        """The host's faults."""
        return self.server.faults("hv1")

    def wsman(
        self, auth: str = "basic", user: str = "admin", password: str = PASSWORD, **options: Any
    ) -> WSMan:
        """A client's connection."""
        host, port = self.server.endpoint("hv1")
        return WSMan(
            host,
            port=port,
            username=user,
            password=password,
            ssl=self.tls,
            auth=auth if self.tls or auth != "basic" else "ntlm",
            # requests takes a path too.
            cert_validation=cast("bool", str(self.server.ca_cert)) if self.tls else False,
            no_proxy=True,
            **options,
        )

    @contextmanager
    def pool(self, **options: Any) -> Iterator[RunspacePool]:
        """An open runspace pool."""
        with self.wsman(**options) as connection, RunspacePool(connection) as pool:
            yield pool


@contextmanager
def site(
    folder: Path, backend: ScriptBackend | None = None, *, tls: bool = True, max_running: int = 256
) -> Iterator[Site]:
    """A started server with the host ``hv1``."""
    chosen = backend or ScriptBackend()
    config = SimHostConfig((HostConfig("hv1", USERS, max_running=max_running),), folder, tls=tls)

    def make(
        name: str, host_id: str, state: Path, faults: Faults, model: Mapping[str, object]
    ) -> ScriptBackend:
        return chosen

    with SimHostServer(config, make) as server:
        yield Site(server, chosen, tls)


def command(pool: RunspacePool, name: str, **parameters: object) -> PowerShell:
    """A pipeline with one of the back-end's scripts."""
    shell = PowerShell(pool)
    shell.add_cmdlet(script(name))
    for key, value in parameters.items():
        shell.add_parameter(key, value)
    return shell


def run(pool: RunspacePool, name: str, given: object = None, **parameters: object) -> PowerShell:
    """Runs a script to its end and gives its pipeline, closed."""
    shell = command(pool, name, **parameters)
    shell.invoke(given)  # type: ignore[arg-type]  # pypsrp takes a string too
    # Not by "with": a close on the way of an error would replace it by another.
    shell.close()
    return shell


def begin_waiting(pool: RunspacePool) -> PowerShell:
    """Starts the script that waits, and reads until it has said "started"."""
    shell = command(pool, "Wait")
    shell.begin_invoke()
    while "started" not in shell.output:
        shell.poll_invoke()
    return shell
