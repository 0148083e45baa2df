"""A VM of the model as a record of ``records.json``."""

import time
from typing import Any

from aetherv_simhost.backends.emulated import mark
from aetherv_simhost.backends.emulated.records import timestamp
from aetherv_simhost.hyperv.errors import FileError
from aetherv_simhost.hyperv.host import HyperVHost
from aetherv_simhost.hyperv.vm import State, VirtualMachine


def vm_record(host: HyperVHost, vm: VirtualMachine) -> dict[str, Any]:
    """The ``vm`` object of a VM."""
    notes, marked = mark.split(vm.notes)
    first = vm.adapters[0] if vm.adapters else None
    record: dict[str, Any] = {
        "id": vm.id,
        "name": vm.name,
        "state": "changing" if vm.state is State.STOPPING else vm.state.value,
        "memory_bytes": vm.memory_bytes,
        "dynamic_memory": vm.dynamic_memory,
        "cpu_count": vm.cpu_count,
        "vlan_id": first.vlan_id if first else 0,
        "switch": first.switch if first else "",
        "clustered": vm.id in host.cluster.roles,
        "notes": notes,
        "adapters": [
            {
                "mac": ":".join(a.mac[i : i + 2] for i in range(0, len(a.mac), 2)).lower(),
                "switch": a.switch,
                "vlan_id": a.vlan_id,
                "ip_addresses": list(a.ip_addresses),
            }
            for a in vm.adapters
        ],
        "disks": [disk_record(host, path) for path in vm.disks],
        "path": vm.path,
        "create_time": timestamp(vm.create_time),
        "uptime_seconds": int(vm.uptime(time.time())),
        "replica": vm.replica,
    }
    if marked is not None:
        record["mark"] = marked
    return record


def disk_record(host: HyperVHost, path: str) -> dict[str, Any]:
    """The ``disk`` object of a disk's file."""
    try:
        size = host.files.size(path)
    except FileError:
        size = 0
    return {"path": path, "size_bytes": host.disk_sizes.of(path), "file_bytes": size}
