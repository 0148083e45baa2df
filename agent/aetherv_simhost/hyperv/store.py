"""The model's state in a folder: one JSON file per VM and one for the host, each replaced in one step. No rule of Hyper-V."""

import json
import os
import threading
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from aetherv_simhost.hyperv.kvp import KvpExchange
from aetherv_simhost.hyperv.vm import (
    Account,
    Checkpoint,
    Guest,
    GuestIdentity,
    GuestPhase,
    NetworkAdapter,
    State,
    VirtualMachine,
)


class StateStore:
    """Reads and writes a host's state folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._vms = folder / "vms"
        self._vms.mkdir(parents=True, exist_ok=True)

    @property
    def debug_folder(self) -> Path:
        """Where exchanges are recorded, if they are."""
        return self._folder / "debug"

    @property
    def drives_folder(self) -> Path:
        """Where the host's drives are."""
        return self._folder / "drives"

    def host(self) -> dict[str, Any]:
        """The host's own state; empty at the first start."""
        return _read(self._folder / "host.json") or {}

    def keep_host(self, state: Mapping[str, Any]) -> None:
        """Writes the host's own state."""
        _write(self._folder / "host.json", state)

    def vms(self) -> Iterator[tuple[VirtualMachine, Guest, KvpExchange]]:
        """Every VM that is kept; a file that is no VM is passed over."""
        for path in sorted(self._vms.glob("*.json")):
            raw = _read(path)
            if raw is not None:
                yield _vm(raw["vm"]), _guest(raw["guest"]), _kvp(raw["kvp"])

    def keep(self, vm: VirtualMachine, guest: Guest, kvp: KvpExchange) -> None:
        """Writes one VM."""
        items = {"host": kvp.host, "pool": kvp.pool, "guest": kvp.guest, "intrinsic": kvp.intrinsic}
        _write(self._vms / f"{vm.id}.json", {"vm": asdict(vm), "guest": asdict(guest), "kvp": items})

    def forget(self, vm_id: str) -> None:
        """Removes one VM."""
        (self._vms / f"{vm_id}.json").unlink(missing_ok=True)


def _read(path: Path) -> dict[str, Any] | None:
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return raw if isinstance(raw, dict) else None


def _write(path: Path, values: Mapping[str, Any]) -> None:
    partial = path.with_name(f"{path.name}.{os.getpid()}.{threading.get_ident()}.partial")
    partial.write_text(json.dumps(values), encoding="utf-8")
    partial.replace(path)


def _vm(raw: Mapping[str, Any]) -> VirtualMachine:
    return VirtualMachine(
        **{
            **raw,
            "state": State(raw["state"]),
            "adapters": tuple(
                NetworkAdapter(**{**a, "ip_addresses": tuple(a["ip_addresses"])}) for a in raw["adapters"]
            ),
            "disks": tuple(raw["disks"]),
            "drives": tuple(raw["drives"]),
            "checkpoints": tuple(Checkpoint(c["name"], tuple(c["disks"])) for c in raw["checkpoints"]),
        }
    )


def _identity(raw: Mapping[str, Any]) -> GuestIdentity:
    accounts = tuple(Account(**{**a, "ssh_keys": tuple(a["ssh_keys"])}) for a in raw["accounts"])
    return GuestIdentity(**{**raw, "accounts": accounts, "dns": tuple(raw["dns"])})


def _guest(raw: Mapping[str, Any]) -> Guest:
    return Guest(
        image=raw["image"],
        family=raw["family"],
        phase=GuestPhase(raw["phase"]),
        identity=_identity(raw["identity"]),
        becoming=None if raw["becoming"] is None else _identity(raw["becoming"]),
        provisioned_life=raw["provisioned_life"],
    )


def _kvp(raw: Mapping[str, Any]) -> KvpExchange:
    return KvpExchange(
        host=dict(raw["host"]),
        pool=dict(raw["pool"]),
        guest=[(name, value) for name, value in raw["guest"]],
        intrinsic=dict(raw["intrinsic"]),
    )
