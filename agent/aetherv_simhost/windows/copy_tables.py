"""Copies from the catalogue of documented commands what the stubs need, as compact JSON: facts alone. A developer's tool.

Run as ``python -m aetherv_simhost.windows.copy_tables CATALOGUE_FOLDER``; the tables are checked in.
"""

import json
import sys
from pathlib import Path
from typing import Any, Final

TABLES: Final = Path(__file__).with_name("tables")
MODULES: Final = ("Hyper-V", "FailoverClusters", "CimCmdlets")
_KEPT: Final = ("type", "aliases", "mandatory_in", "position", "pipeline", "accepted", "switch", "only_2025")
_CLASSES: Final = (
    "Msvm_ComputerSystem",
    "Msvm_ConcreteJob",
    "Msvm_ElementSettingData",
    "Msvm_Error",
    "Msvm_EthernetPortAllocationSettingData",
    "Msvm_EthernetPortSettingDataComponent",
    "Msvm_EthernetSwitchPortVlanSettingData",
    "Msvm_ExternalEthernetPort",
    "Msvm_GuestNetworkAdapterConfiguration",
    "Msvm_HeartbeatComponent",
    "Msvm_KvpExchangeComponent",
    "Msvm_KvpExchangeComponentSettingData",
    "Msvm_KvpExchangeDataItem",
    "Msvm_MemorySettingData",
    "Msvm_ProcessorSettingData",
    "Msvm_ResourceAllocationSettingData",
    "Msvm_SettingAllocationData",
    "Msvm_SettingsDefineState",
    "Msvm_ShutdownComponent",
    "Msvm_SnapshotOfVirtualSystem",
    "Msvm_StorageAllocationSettingData",
    "Msvm_SummaryInformation",
    "Msvm_SyntheticEthernetPort",
    "Msvm_SyntheticEthernetPortSettingData",
    "Msvm_SystemDevice",
    "Msvm_VirtualEthernetSwitch",
    "Msvm_VirtualEthernetSwitchSettingData",
    "Msvm_VirtualSystemManagementService",
    "Msvm_VirtualSystemManagementServiceSettingData",
    "Msvm_VirtualSystemSettingData",
    "Msvm_VirtualSystemSettingDataComponent",
)
_METHODS: Final = (
    "AddKvpItems",
    "ModifyKvpItems",
    "RemoveKvpItems",
    "GetSummaryInformation",
    "RequestStateChange",
)


def copy(catalogue: Path, target: Path = TABLES) -> None:
    """Writes the tables.

    Args:
        catalogue: Folder of the catalogue.
        target: Where the tables go.
    """
    for module in MODULES:
        raw = json.loads((catalogue / f"{module}.json").read_text(encoding="utf-8"))
        _write(target / f"{module}.json", {name: _command(c) for name, c in raw["commands"].items()})
    raw = json.loads((catalogue / "wmi-virtualization-v2.json").read_text(encoding="utf-8"))
    classes = {name: _class(raw["classes"][name]) for name in _CLASSES if name in raw["classes"]}
    _write(target / "wmi-virtualization-v2.json", classes)


def _command(raw: dict[str, Any]) -> dict[str, Any]:
    parameters = {
        name: {key: value[key] for key in _KEPT if key in value} for name, value in raw["parameters"].items()
    }
    kept: dict[str, Any] = {
        key: raw[key] for key in ("aliases", "default_set", "supports_should_process") if key in raw
    }
    return {**kept, "sets": raw["sets"], "parameters": parameters}


def _class(raw: dict[str, Any]) -> dict[str, Any]:
    keys = raw.get("base_keys") or [name for name, p in raw["properties"].items() if p.get("key")]
    properties = {
        name: ("ref" if p.get("ref") else p["type"]) + ("[]" if p.get("array") else "")
        for name, p in raw["properties"].items()
    }
    methods = {name: _method(raw["methods"][name]) for name in _METHODS if name in raw.get("methods", {})}
    return {"keys": keys, "properties": properties, **({"methods": methods} if methods else {})}


def _method(raw: dict[str, Any]) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {"in": {}, "out": {}}
    for parameter in raw.get("params", []):
        kind = ("ref" if parameter.get("ref") else parameter["type"]) + (
            "[]" if parameter.get("array") else ""
        )
        for direction in ("in", "out"):
            if direction in parameter["dir"]:
                found[direction][parameter["name"]] = kind
    return found


def _write(path: Path, entries: dict[str, Any]) -> None:
    lines = [
        f"{json.dumps(name)}:{json.dumps(entry, separators=(',', ':'))}" for name, entry in entries.items()
    ]
    path.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")


if __name__ == "__main__":
    copy(Path(sys.argv[1]))
