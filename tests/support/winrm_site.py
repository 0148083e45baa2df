"""A simulated host with a back-end of the tests' own that behaves as job scripts do, and agents for it."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aetherv_agent.core.job_document import encode, script_path
from aetherv_agent.core.model import HostSettings
from aetherv_agent.core.ports import JobCall
from aetherv_agent.core.results import Record
from aetherv_agent.winrm import WinRmHost, WinRmHosts, WinRmSettings
from aetherv_simhost.backends.api import CommandNotFound, ScriptCall
from aetherv_simhost.faults import Fault, Faults
from aetherv_simhost.serve import HostConfig, SimHostConfig, SimHostServer

HOST = HostSettings(id="hv1")
PASSWORD = "host's Pässwörd 8231"
TIME = "2026-01-02T03:04:05Z"
Write = Callable[[str], None]
Script = Callable[[ScriptCall, Write, threading.Event], None]


def record(kind: str, **values: object) -> str:
    """One record as a script writes it."""
    return json.dumps({"kind": kind, "time": TIME, "job_id": "j"} | values)


def progress(step: str, state: str = "done") -> str:
    """A progress record."""
    return record("progress", step=step, state=state, attempt=1)


def result(**values: object) -> str:
    """A result record."""
    return record("result", result=values)


def error(error_id: str, **values: object) -> str:
    """An error record."""
    given = {
        "category": "resource_exhausted",
        "step": "copy_image",
        "message": "No room.",
        "retryable": False,
    }
    return record("error", id=error_id, **(given | values))


@dataclass
class JobBackend:
    """Runs ``script`` for each call and counts. ``release`` lets ``waiting`` scripts end."""

    script: Script
    calls: list[ScriptCall] = field(default_factory=list)
    release: threading.Event = field(default_factory=threading.Event)
    stopped: int = 0
    running: int = 0
    most: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def run(self, call: ScriptCall, write: Write, stopped: threading.Event) -> None:
        """Run one script."""
        with self.lock:
            self.calls.append(call)
            self.running += 1
            self.most = max(self.most, self.running)
        try:
            self.script(call, write, stopped)
        finally:
            with self.lock:
                self.running -= 1
                self.stopped += stopped.is_set()

    def waiting(self, call: ScriptCall, write: Write, stopped: threading.Event) -> None:
        """A script that tells of a step, waits for ``release``, tells of another and ends well."""
        write(progress("copy_image"))
        while not stopped.is_set() and not self.release.is_set():
            self.release.wait(0.01)
        write(progress("register_vm"))
        write(result(run=len(self.calls)))


def at_once(call: ScriptCall, write: Write, stopped: threading.Event) -> None:
    """A script that ends well at once and tells what it was given."""
    write(result(input=list(call.pipeline_input), parameters=sorted(call.parameters)))


def scripts_only(script: Script) -> Script:
    """Refuse every path but those of the agent's own scripts."""
    known = {script_path(kind, HOST) for kind in ("create", "delete", "inventory")}

    def run(call: ScriptCall, write: Write, stopped: threading.Event) -> None:
        if call.path not in known:
            raise CommandNotFound(call.path)
        script(call, write, stopped)

    return run


@dataclass
class CountingFaults:
    """Counts the requests that a simulated host executes, by action."""

    counts: dict[str, int] = field(default_factory=dict)

    def watch(self, faults: Faults) -> None:
        """Count from now on: every request asks once for latency."""
        take = faults.take

        def counted(kind: str, where: str = "", vm_name: str = "") -> Fault | None:
            if kind == "latency":
                self.counts[where] = self.counts.get(where, 0) + 1
            return take(kind, where, vm_name)

        faults.take = counted  # type: ignore[method-assign]  # the one place that sees every request


@dataclass
class Site:
    """One running simulated host and what a test needs of it."""

    server: SimHostServer
    backend: JobBackend
    tls: bool
    requests: CountingFaults = field(default_factory=CountingFaults)

    def fault(self, kind: str, where: str = "", **values: Any) -> None:
        """Ask for a fault."""
        self.server.faults("hv1").add(Fault(kind, where, **values))

    async def quiet(self) -> None:
        """Wait until no Receive waits on the host: one whose client is gone could still take output with it."""
        service = self.server._hosts["hv1"]._service
        await until(lambda: not any(shell.pending for shell in list(service._shells.values())))

    def settings(self, **changes: Any) -> WinRmSettings:
        """The agent's settings for the host."""
        address, port = self.server.endpoint("hv1")
        values: dict[str, Any] = {
            "host": "hv1",
            "address": address,
            "port": port,
            "username": "admin",
            "password": lambda: PASSWORD,
            "https": self.tls,
            "ca_cert": self.server.ca_cert if self.tls else None,
            "operation_timeout": 3,
            "read_timeout": 10,
            "recover_seconds": 10,
        }
        return WinRmSettings(**(values | changes))

    def agent(self, **changes: Any) -> WinRmHosts:
        """An agent's hosts: this one alone."""
        return WinRmHosts({"hv1": WinRmHost(self.settings(**changes), HOST)})


@contextmanager
def site(folder: Path, script: Script | None = None, *, tls: bool = True) -> Iterator[Site]:
    """A started simulated host ``hv1``; without a script its jobs wait for ``backend.release``."""
    backend = JobBackend(at_once)
    backend.script = script or backend.waiting

    def make(name: str, host_id: str, state: Path, faults: Faults, model: Mapping[str, object]) -> JobBackend:
        return backend

    config = SimHostConfig((HostConfig("hv1", {"admin": PASSWORD}),), folder, tls=tls)
    with SimHostServer(config, make) as server:
        made = Site(server, backend, tls)
        made.requests.watch(server.faults("hv1"))
        try:
            yield made
        finally:
            backend.release.set()


def call(
    job_id: str = "j",
    script: str = "create",
    *,
    cancel: bool = False,
    secrets: Mapping[str, str] | None = None,
    deadline: float = 60,
    filler: str = "",
) -> JobCall:
    """A call of a job."""
    document = encode({"job_id": job_id, "cancel": cancel, "filler": filler})
    return JobCall(job_id, script, document, deadline, secrets, cancel)


async def until(condition: Callable[[], object], seconds: float = 20) -> None:
    """Wait for a condition that another thread brings about."""
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110  # threads of a simulated host set no event of this loop
            await asyncio.sleep(0.01)


@dataclass
class Listener:
    """What the engine's handler would do: keeps records and the saved shell."""

    records: list[Record] = field(default_factory=list)
    saved: list[Mapping[str, Any] | None] = field(default_factory=list)

    async def on_record(self, entry: Record) -> None:
        """Keep a record."""
        self.records.append(entry)

    async def save_shell(self, shell: Mapping[str, Any] | None) -> None:
        """Keep what a database would: JSON."""
        self.saved.append(json.loads(json.dumps(shell)))

    @property
    def shell(self) -> Mapping[str, Any] | None:
        """What was saved last."""
        return self.saved[-1] if self.saved else None

    @property
    def steps(self) -> list[str]:
        """The steps told of."""
        return [str(getattr(entry, "step", entry)) for entry in self.records]

    async def run(self, hosts: WinRmHosts, what: JobCall, *, again: bool = False) -> Mapping[str, Any]:
        """Run a job and return its result's values; ``again`` hands the saved shell over."""
        answer = await hosts.run_job(
            "hv1",
            what,
            on_record=self.on_record,
            shell=self.shell if again else None,
            save_shell=self.save_shell,
        )
        return answer.result
