"""One emulated host per test, fast, with what the agent would send and read."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from aetherv_agent.core.job_document import (
    create_document,
    delete_document,
    inventory_document,
    script_path,
)
from aetherv_agent.core.model import HostSettings, Inventory, ShutdownMode, Vm, VmSpec
from aetherv_agent.core.results import (
    Log,
    Progress,
    Record,
    ScriptError,
    ScriptResult,
    parse_inventory,
    parse_record,
    parse_vm,
)
from aetherv_simhost.backends.api import ScriptCall, SecureText
from aetherv_simhost.backends.emulated import EmulatedBackend
from aetherv_simhost.faults import Fault, Faults

PASSWORD = "Sehr-geheim-4711"
FAST: Mapping[str, object] = {
    "image_bytes": 256 * 1024,
    "copy_bytes_per_second": 0,
    "guest_seconds": {"boot": 0.04, "poll": 0.01, "apply": 0.05, "retry": 0.02, "deliver": 0.0},
    "host_seconds": {"poll": 0.01, "repeat": 0.1, "settle_scale": 0.001, "release": 0.02, "progress": 0.0},
}
SHORT = {"wait_ready": 20, "settle_seconds": 10, "wait_applied": 20, "verify_timeout": 5}


@dataclass
class Answer:
    """One call's lines, read as the agent reads them."""

    lines: list[str] = field(default_factory=list)
    raised: list[Exception] = field(default_factory=list)

    @property
    def records(self) -> list[Record]:
        """All records."""
        return [parse_record(line) for line in self.lines]

    @property
    def error(self) -> ScriptError:
        """The last record, an error."""
        last = self.records[-1]
        assert isinstance(last, ScriptError), last
        return last

    @property
    def result(self) -> Mapping[str, Any]:
        """The last record's result."""
        last = self.records[-1]
        assert isinstance(last, ScriptResult), last
        return last.result

    @property
    def vm(self) -> Vm:
        """The VM of a create's result."""
        return parse_vm(self.result["vm"], "host1", self.records[-1].time)

    def steps(self, state: str) -> list[str]:
        """The steps that came into a state, in order."""
        return [r.step for r in self.records if isinstance(r, Progress) and r.state == state]

    def logs(self) -> list[Log]:
        """The log records that carry a reason."""
        return [r for r in self.records if isinstance(r, Log) and r.reason]


class Running:
    """A call in a thread of its own; ``seen`` lets a test wait for a record."""

    def __init__(self, backend: EmulatedBackend, call: ScriptCall) -> None:
        self.answer = Answer()
        self.stopped = threading.Event()
        self._new = threading.Condition()
        self._thread = threading.Thread(target=self._run, args=(backend, call), daemon=True)
        self._thread.start()

    def _run(self, backend: EmulatedBackend, call: ScriptCall) -> None:
        try:
            backend.run(call, self._write, self.stopped)
        except Exception as error:  # noqa: BLE001  # the test looks at it
            self.answer.raised.append(error)
        with self._new:
            self._new.notify_all()

    def _write(self, line: str) -> None:
        with self._new:
            if not self.stopped.is_set():
                self.answer.lines.append(line)
            self._new.notify_all()

    def wait_for(self, step: str, state: str = "started") -> None:
        """Waits until a step has come into a state."""
        with self._new:
            reached = self._new.wait_for(
                lambda: step in self.answer.steps(state) or not self._thread.is_alive(), 20
            )
        assert reached
        assert step in self.answer.steps(state), self.answer.lines

    def join(self) -> Answer:
        """Waits for the call's end."""
        self._thread.join(30)
        assert not self._thread.is_alive()
        return self.answer

    def stop(self) -> Answer:
        """Stops the pipeline and waits for the call's end."""
        self.stopped.set()
        return self.join()


class Site:
    """One emulated host and the agent's side of its scripts."""

    def __init__(self, folder: Path, settings: Mapping[str, object]) -> None:
        self.folder = folder
        self.settings = {**FAST, **settings}
        folder.mkdir(parents=True, exist_ok=True)
        self.faults = Faults(folder)
        self.backend = EmulatedBackend("host1", folder, self.faults, self.settings)
        self.agent = HostSettings("host1")

    def restart(self) -> None:
        """The simulated host's process ends and starts again."""
        self.backend.close()
        self.backend = EmulatedBackend("host1", self.folder, self.faults, self.settings)

    def fault(self, kind: str, **values: Any) -> None:
        """Asks for a fault."""
        self.faults.add(Fault(kind, **values))

    def spec(self, **values: Any) -> VmSpec:
        """A small Linux VM."""
        return VmSpec(
            **{
                "vm_name": "web-01",
                "image_name": "Ubuntu 24.04",
                "gb_ram": 2,
                "cpu_cores": 2,
                "guest_la_uid": "ops",
                **values,
            }
        )

    def call(
        self, kind: str, document: str, secrets: Mapping[str, str] | None = None, *, delegated: bool = False
    ) -> ScriptCall:
        """A script's call as the wire hands it over."""
        parameters = (
            {} if secrets is None else {"Secrets": {name: SecureText(text) for name, text in secrets.items()}}
        )
        return ScriptCall("host1", script_path(kind, self.agent), parameters, (document,), "admin", delegated)

    def create_call(
        self,
        job_id: str,
        spec: VmSpec | None = None,
        *,
        on_failure: str = "rollback",
        cancel: bool = False,
        secrets: Mapping[str, str] | None = None,
        timeouts: Mapping[str, int] | None = None,
        delegated: bool = False,
    ) -> ScriptCall:
        """A create's call."""
        document = create_document(
            job_id,
            spec or self.spec(),
            self.agent,
            on_failure=on_failure,
            timeouts={**SHORT, **(timeouts or {})},
            cancel=cancel,
        )
        given = None if cancel else {"guest_la_pw": PASSWORD} if secrets is None else secrets
        return self.call("create", document, given, delegated=delegated)

    def start_create(self, job_id: str, spec: VmSpec | None = None, **values: Any) -> Running:
        """Begins a create."""
        return Running(self.backend, self.create_call(job_id, spec, **values))

    def create(self, job_id: str = "job-1", spec: VmSpec | None = None, **values: Any) -> Answer:
        """Runs a create to its end."""
        return self.start_create(job_id, spec, **values).join()

    def delete(self, vm_id: str, job_id: str = "", **values: Any) -> Answer:
        """Runs a delete to its end."""
        options: dict[str, Any] = {
            "shutdown_mode": ShutdownMode.GRACEFUL_THEN_OFF,
            "keep_disks": False,
            "allow_missing": False,
            "stop_seconds": 1,
            **values,
        }
        document = delete_document(job_id or str(uuid.uuid4()), vm_id, self.agent, **options)
        return Running(self.backend, self.call("delete", document)).join()

    def inventory(self) -> Inventory:
        """Reads everything."""
        answer = Running(self.backend, self.call("inventory", inventory_document(self.agent))).join()
        last = answer.records[-1]
        assert isinstance(last, ScriptResult), answer.lines
        return parse_inventory(last, "host1")

    def stands(self) -> tuple[list[str], list[str]]:
        """What stands on the host: ids of VMs, and files in the VMs' folders."""
        files = self.backend.host.files
        root = files.real(r"C:\ClusterStorage\Volume1\Hyper-V")
        found = sorted(str(p.relative_to(root)) for p in root.rglob("*")) if root.exists() else []
        return [vm.id for vm in self.backend.host.vms()], found


SiteFactory = Callable[..., Site]


@pytest.fixture
def make_site(tmp_path: Path) -> Iterator[SiteFactory]:
    """Makes emulated hosts with settings of a test's own."""
    sites: list[Site] = []

    def make(**settings: object) -> Site:
        sites.append(Site(tmp_path / f"host{len(sites)}", settings))
        return sites[-1]

    yield make
    for site in sites:
        site.backend.close()


@pytest.fixture
def site(make_site: SiteFactory) -> Site:
    """An emulated host with the default content."""
    return make_site()
