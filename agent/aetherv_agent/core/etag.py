"""The etag of a VM: over what can be set, never over uptime, addresses or guest state (AIP-154). Pure."""

from __future__ import annotations

import hashlib
import json

from aetherv_agent.core.model import Vm, VmState


def etag_of(vm: Vm) -> str:
    """Return the etag of a VM, 32 hexadecimal digits; equal for VMs that a user would set alike."""
    settable = [
        vm.name,
        vm.memory_bytes,
        vm.cpu_count,
        vm.vlan_id,
        vm.switch,
        vm.clustered,
        vm.state in {VmState.RUNNING, VmState.CHANGING, VmState.CRITICAL},
        vm.notes,
    ]
    return hashlib.sha256(json.dumps(settable).encode()).hexdigest()[:32]
