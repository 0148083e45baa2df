"""Reading what host scripts write: one JSON record a line (``records.json``). Pure.

A line that does not fit the contract is HOST_PROTOCOL_ERROR, never another exception.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeVar

from aetherv_agent import contracts
from aetherv_agent.core.errors import AethervError, Leftover
from aetherv_agent.core.model import (
    Adapter,
    Disk,
    GuestState,
    HostFacts,
    Image,
    Inventory,
    Iso,
    Mark,
    OpenJob,
    OsFamily,
    VirtualSwitch,
    Vm,
    VmState,
    Volume,
)

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Progress:
    """A step changed. ``state`` is started, running, done, skipped, failed or undone; ``vm_id`` once it is known."""

    time: datetime
    step: str
    state: str
    attempt: int
    done_bytes: int = 0
    total_bytes: int = 0
    message: str = ""
    vm_id: str = ""


@dataclass(frozen=True, slots=True)
class Log:
    """A line for people; with a ``reason`` it is a warning that the user must see."""

    time: datetime
    level: str
    message: str
    reason: str = ""
    field: str = ""


@dataclass(frozen=True, slots=True)
class ScriptResult:
    """A script's success: its ``result`` object as JSON values."""

    time: datetime
    result: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ScriptError:
    """A script's failure. ``vm`` is the VM that was kept, if one was."""

    time: datetime
    id: str
    category: str
    step: str
    message: str
    retryable: bool
    field: str = ""
    undone: bool = False
    leftovers: tuple[tuple[str, str, str], ...] = ()
    guest_state: str = ""
    guest_message: str = ""
    vm: Mapping[str, Any] | None = None

    def to_error(self, host: str) -> AethervError:
        """Return the failure as the agent's error: a typed answer of the host, but for JOB_BUSY."""
        known = self.id in contracts.error_rules()
        return AethervError(
            self.id if known else "SCRIPT_ERROR",
            self.message if known else f"{self.id}: {self.message}",
            metadata={
                name: value
                for name, value in (
                    ("host", host),
                    ("step", self.step),
                    ("field", self.field),
                    ("vm", f"vms/{str(self.vm['id']).lower()}" if self.vm else ""),
                )
                if value
            },
            step=self.step,
            leftovers=tuple(Leftover(kind, host, path, text) for kind, path, text in self.leftovers),
            # Another run of the same job works: that says nothing of the job, so nothing may be undone for it.
            host_answered=self.id != "JOB_BUSY",
            undone=self.undone,
        )


Record = Progress | Log | ScriptResult | ScriptError


def parse_record(line: str) -> Record:
    """Return the record of one line.

    Raises:
        AethervError: HOST_PROTOCOL_ERROR for a line that is no record of the contract.
    """
    return _guard("a record", lambda: _record(json.loads(line)))


def parse_vm(raw: Mapping[str, Any], host: str, observed: datetime, cluster: str = "") -> Vm:
    """Return the VM of a ``vm`` object; raise AethervError (HOST_PROTOCOL_ERROR) if it does not fit."""
    return _guard("a VM", lambda: _vm(raw, host, observed, cluster))


def parse_inventory(result: ScriptResult, host: str) -> Inventory:
    """Return the inventory of ``Get-HostInventory.ps1``'s result.

    Args:
        result: the script's result record.
        host: the host's id in the configuration.

    Raises:
        AethervError: HOST_PROTOCOL_ERROR for a result that does not fit.
    """
    return _guard("an inventory", lambda: _inventory(result, host))


def _guard(what: str, read: Callable[[], _T]) -> _T:
    try:
        return read()
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise AethervError(
            "HOST_PROTOCOL_ERROR",
            f"A host script answered something that is not {what} ({type(error).__name__}).",
        ) from None


def _time(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _record(raw: Mapping[str, Any]) -> Record:
    time = _time(raw["time"])
    match raw["kind"]:
        case "progress":
            return Progress(
                time,
                str(raw["step"]),
                str(raw["state"]),
                int(raw["attempt"]),
                int(raw.get("done_bytes") or 0),
                int(raw.get("total_bytes") or 0),
                str(raw.get("message") or ""),
                str(raw.get("vm_id") or "").lower(),
            )
        case "log":
            return Log(
                time,
                str(raw["level"]),
                str(raw["message"]),
                str(raw.get("reason") or ""),
                str(raw.get("field") or ""),
            )
        case "result":
            return ScriptResult(time, dict(raw["result"]))
        case "error":
            return ScriptError(
                time,
                str(raw["id"]),
                str(raw["category"]),
                str(raw.get("step") or ""),
                str(raw["message"]),
                bool(raw["retryable"]),
                str(raw.get("field") or ""),
                bool(raw.get("undone")),
                tuple((x["kind"], x["path"], x["message"]) for x in raw.get("leftovers") or ()),
                str(raw.get("guest_state") or ""),
                str(raw.get("guest_message") or ""),
                raw.get("vm"),
            )
    raise ValueError("kind")


def _vm(raw: Mapping[str, Any], host: str, observed: datetime, cluster: str) -> Vm:
    return Vm(
        id=str(raw["id"]).lower(),
        name=str(raw["name"]),
        host=host,
        state=VmState(raw["state"]),
        memory_bytes=int(raw["memory_bytes"]),
        dynamic_memory=bool(raw["dynamic_memory"]),
        cpu_count=int(raw["cpu_count"]),
        vlan_id=int(raw["vlan_id"]),
        switch=str(raw["switch"]),
        clustered=bool(raw["clustered"]),
        notes=str(raw["notes"]),
        mark=_mark(raw.get("mark")),
        adapters=tuple(
            Adapter(str(a["mac"]), str(a["switch"]), int(a["vlan_id"]), tuple(map(str, a["ip_addresses"])))
            for a in raw["adapters"]
        ),
        disks=tuple(Disk(str(d["path"]), int(d["size_bytes"]), int(d["file_bytes"])) for d in raw["disks"]),
        path=str(raw["path"]),
        create_time=_time(raw["create_time"]) if raw.get("create_time") else None,
        uptime_seconds=int(raw["uptime_seconds"]),
        replica=bool(raw["replica"]),
        observe_time=observed,
        cluster=cluster,
    )


def _mark(raw: Mapping[str, Any] | None) -> Mark | None:
    if raw is None:
        return None
    state = raw.get("guest_state")
    verified = raw.get("verified")
    return Mark(
        job=str(raw.get("job") or ""),
        fields=dict(raw.get("fields") or {}),
        guest_state=GuestState(state) if state in set(GuestState) else None,
        guest_message=str(raw.get("guest_message") or ""),
        verified=None if verified is None else bool(verified),
    )


def _inventory(result: ScriptResult, host: str) -> Inventory:
    raw = result.result
    facts = raw["host"]
    cluster = str(facts.get("cluster") or "")
    return Inventory(
        host=host,
        facts=HostFacts(
            computer_name=str(facts["computer_name"]),
            os_version=str(facts["os_version"]),
            scripts_version=str(facts["scripts_version"]),
            cluster=cluster,
            node_state=str(facts.get("node_state") or ""),
            cpu_count=int(facts["cpu_count"]),
            memory_bytes=int(facts["memory_bytes"]),
            memory_free_bytes=int(facts["memory_free_bytes"]),
            vm_path=str(facts["vm_path"]),
        ),
        vms=tuple(_vm(vm, host, result.time, cluster) for vm in raw["vms"]),
        images=tuple(
            Image(
                str(i["image_name"]),
                str(i["path"]),
                int(i["size_bytes"]),
                _time(i["update_time"]) if i.get("update_time") else None,
            )
            for i in raw["images"]
        ),
        switches=tuple(VirtualSwitch(str(s["name"]), str(s["type"])) for s in raw["switches"]),
        volumes=tuple(
            Volume(str(v["path"]), int(v["size_bytes"]), int(v["free_bytes"])) for v in raw["volumes"]
        ),
        isos=tuple(
            Iso(OsFamily(i["family"]), str(i["path"]), str(i.get("version") or "")) for i in raw["isos"]
        ),
        jobs=tuple(
            OpenJob(
                str(j["job_id"]),
                str(j["script"]),
                str(j["vm_name"]),
                str(j.get("vm_id") or ""),
                str(j["step"]),
                str(j["state"]),
                int(j["reserved_bytes"]),
            )
            for j in raw["jobs"]
        ),
        observe_time=result.time,
    )
