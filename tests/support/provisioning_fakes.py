"""A host's inventory, a job port and a unit of work that tests can script."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from aetherv_agent.core.errors import AethervError
from aetherv_agent.core.model import (
    HostFacts,
    Image,
    Inventory,
    Iso,
    OsFamily,
    VirtualSwitch,
    Vm,
    VmState,
    Volume,
)
from aetherv_agent.core.ports import JobCall
from aetherv_agent.core.results import Record, ScriptResult
from aetherv_agent.operations.model import Level, Operation, State, Step

NOW = datetime(2026, 1, 2, tzinfo=UTC)
GIB = 1024**3


def vm(
    name: str, *, vm_id: str = "0b5d7f1e-0000-4000-8000-000000000001", memory_gib: int = 4, host: str = "hv01"
) -> Vm:
    """Return a running VM of a host."""
    return Vm(
        vm_id, name, host, VmState.RUNNING, memory_gib * GIB, False, 2, 0, "External", False, "", None, (), (),
        f"C:\\VMs\\{name}", NOW, 60, False, NOW,
    )  # fmt: skip


def inventory(**changes: Any) -> Inventory:
    """Return what a healthy host says, with changes; ``facts`` may hold changes of the facts."""
    facts: dict[str, Any] = {
        "computer_name": "HV01",
        "os_version": "10.0.20348",
        "scripts_version": "0.1.0",
        "cluster": "",
        "node_state": "",
        "cpu_count": 16,
        "memory_bytes": 64 * GIB,
        "memory_free_bytes": 32 * GIB,
        "vm_path": "C:\\VMs",
    }
    facts |= changes.pop("facts", {})
    parts: dict[str, Any] = {
        "host": "hv01",
        "vms": (),
        "images": (Image("Ubuntu 24.04", "C:\\Images\\Ubuntu 24.04.vhdx", GIB, NOW),),
        "switches": (VirtualSwitch("External", "external"),),
        "volumes": (Volume("C:\\", 500 * GIB, 100 * GIB),),
        "isos": (Iso(OsFamily.LINUX, "C:\\LinuxProvisioning.iso", "2.4.000"),),
        "jobs": (),
        "observe_time": NOW,
    }
    return Inventory(facts=HostFacts(**facts), **(parts | changes))


@dataclass
class FakeWork:
    """A unit of work that remembers what it was told."""

    operation: Operation
    given: Mapping[str, str] | None = None
    shell: Mapping[str, Any] | None = None
    cancelled: asyncio.Event = field(default_factory=asyncio.Event)
    told: list[tuple[str, Any]] = field(default_factory=list)

    @property
    def has_secrets(self) -> bool:
        """Whether the process still has them."""
        return self.given is not None

    def secrets(self) -> Mapping[str, str]:
        """Return them."""
        assert self.given is not None
        return self.given

    async def secrets_published(self) -> None:
        """Remember."""
        self.told.append(("published", None))

    async def save_shell(self, shell: Mapping[str, Any] | None) -> None:
        """Remember."""
        self.told.append(("shell", shell))

    async def progress(self, step: Step) -> None:
        """Remember."""
        self.told.append(("step", step))

    async def log(self, level: Level, message: str) -> None:
        """Remember."""
        self.told.append(("log", (level, message)))

    async def warn(self, reason: str, message: str, field: str = "") -> None:
        """Remember."""
        self.told.append(("warn", (reason, message, field)))

    async def set_target(self, target: str) -> None:
        """Remember."""
        self.told.append(("target", target))

    async def waiting_for(self, text: str) -> None:
        """Remember."""
        self.told.append(("waiting", text))

    async def check_lease(self) -> None:
        """Have it always."""


@dataclass
class FakeJobs:
    """A job port that answers what a test wants."""

    records: tuple[Record, ...] = ()
    answer: ScriptResult | AethervError | None = None
    calls: list[JobCall] = field(default_factory=list)

    async def run_job(
        self,
        host: str,
        call: JobCall,
        *,
        on_record: Callable[[Record], Awaitable[None]],
        shell: Mapping[str, Any] | None,
        save_shell: Callable[[Mapping[str, Any] | None], Awaitable[None]],
    ) -> ScriptResult:
        """Tell the records, then answer."""
        self.calls.append(call)
        await save_shell({"host": host})
        for record in self.records:
            await on_record(record)
        if isinstance(self.answer, AethervError):
            raise self.answer
        assert self.answer is not None
        return self.answer


def create_operation(**changes: Any) -> Operation:
    """Return a running create of web-01; ``spec`` may hold changes of its options."""
    spec = {
        "fields": {
            "vm_name": "web-01",
            "image_name": "Ubuntu 24.04",
            "gb_ram": 2,
            "cpu_cores": 2,
            "os_family": "linux",
            "guest_la_uid": "admin",
            "power_state": "running",
        },
        "on_failure": "rollback",
        "wait_for_guest": "applied",
    }
    spec |= changes.pop("spec", {})
    parts: dict[str, Any] = {
        "id": "6f1d2c3b-0000-4000-8000-000000000001",
        "kind": "create",
        "host": "hv01",
        "principal": "alice",
        "spec": spec,
        "state": State.RUNNING,
        "create_time": NOW,
        "update_time": NOW,
        "vm_name": "web-01",
    }
    return Operation(**(parts | changes))


@dataclass
class FakeInventories:
    """Inventories that a test sets; counts the questions."""

    found: Inventory = field(default_factory=inventory)
    vm: Vm | AethervError | None = None
    asked: int = 0
    invalidated: list[str] = field(default_factory=list)

    async def get(self, host: str, max_age: float) -> Inventory:
        """Return the host's."""
        self.asked += 1
        return self.found

    def last(self, host: str) -> Inventory | None:
        """Know none."""
        return None

    def invalidate(self, host: str) -> None:
        """Remember it."""
        self.invalidated.append(host)

    async def find_vm(
        self, vm_id: str, *, host_hint: str = "", max_age: float = 0.0, hosts: Sequence[str] | None = None
    ) -> Vm:
        """Return or raise what the test set."""
        if isinstance(self.vm, Vm):
            return self.vm
        raise self.vm or AethervError("VM_NOT_FOUND", vm_id)
