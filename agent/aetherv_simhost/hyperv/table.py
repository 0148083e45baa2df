"""The table of a host's VMs with their guests and data exchanges, and its cluster: found by id, kept on disk. Thread-safe.

It judges nothing but ids; Hyper-V's rules are `host.HyperVHost`'s.
"""

import threading
from dataclasses import replace

from aetherv_simhost.hyperv.cluster import Cluster
from aetherv_simhost.hyperv.errors import VmNotFound
from aetherv_simhost.hyperv.kvp import KvpExchange
from aetherv_simhost.hyperv.store import StateStore
from aetherv_simhost.hyperv.vm import Guest, VirtualMachine


class VmTable:
    """VMs by id.

    Args:
        store: Where they are kept.
        cluster: The cluster's name; empty: none.
    """

    def __init__(self, store: StateStore, cluster: str) -> None:
        self._lock = threading.RLock()
        self._store = store
        self._vms: dict[str, VirtualMachine] = {}
        self._guests: dict[str, Guest] = {}
        self._kvp: dict[str, KvpExchange] = {}
        kept = store.host()
        self.is_new = not kept.get("content")
        self._number = int(kept.get("number", 0))
        self._cluster = Cluster(cluster, str(kept.get("node_state", "up")), frozenset(kept.get("roles", ())))

    def vms(self) -> tuple[VirtualMachine, ...]:
        """All VMs in the order they were made."""
        with self._lock:
            return tuple(sorted(self._vms.values(), key=lambda vm: vm.number))

    def vm(self, vm_id: str) -> VirtualMachine:
        """One VM by its id, whatever its letter case.

        Raises:
            VmNotFound: There is none.
        """
        with self._lock:
            try:
                return self._vms[vm_id.lower()]
            except KeyError:
                raise VmNotFound(f"Hyper-V was unable to find a virtual machine with id {vm_id}.") from None

    def named(self, name: str) -> tuple[VirtualMachine, ...]:
        """The VMs of a name, whatever its letter case; Hyper-V allows several."""
        return tuple(vm for vm in self.vms() if vm.name.casefold() == name.casefold())

    def guest(self, vm_id: str) -> Guest:
        """What is on a VM's disk: phase and identity of its guest."""
        with self._lock:
            return self._guests[self.vm(vm_id).id]

    @property
    def cluster(self) -> Cluster:
        """A copy of the cluster's state."""
        with self._lock:
            return replace(self._cluster)

    def set_node_state(self, state: str) -> None:
        """Pauses, drains or resumes the cluster's node."""
        with self._lock:
            self._cluster.set_node_state(state)
            self._keep_host()

    def add_role(self, vm_id: str) -> None:
        """Add-ClusterVirtualMachineRole."""
        with self._lock:
            self._cluster.add(self.vm(vm_id).id)
            self._keep_host()

    def remove_role(self, vm_id: str) -> None:
        """Remove-ClusterGroup; a VM that is no role is no error."""
        with self._lock:
            self._cluster.remove(vm_id.lower())
            self._keep_host()

    def _next_number(self) -> int:
        self._number += 1
        self._keep_host()
        return self._number

    def _drop(self, vm_id: str) -> None:
        self._store.forget(vm_id)
        del self._vms[vm_id], self._guests[vm_id], self._kvp[vm_id]

    def _keep(self, vm: VirtualMachine) -> VirtualMachine:
        self._vms[vm.id] = vm
        self._store.keep(vm, self._guests[vm.id], self._kvp[vm.id])
        return vm

    def _keep_host(self) -> None:
        self._store.keep_host(
            {
                "content": True,
                "number": self._number,
                "node_state": self._cluster.node_state,
                "roles": sorted(self._cluster.roles),
            }
        )
