"""What the servicers ask of the agent's other rooms. Interfaces alone; no I/O is done here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from aetherv_agent.core.model import HostSettings, Inventory, Vm
from aetherv_agent.deployment import Deployed, Finding
from aetherv_agent.operations.model import Operation
from aetherv_agent.provisioning.requests import CreateRequest, DeleteRequest, Plan


class Provisioning(Protocol):
    """Creates and deletes. Every method raises AethervError for what is refused before work begins."""

    async def submit_create(self, request: CreateRequest) -> Operation:
        """Check a create and take it; it is durable when this returns."""
        ...

    async def validate_create(self, request: CreateRequest) -> Plan:
        """Check a create as ``submit_create`` would, and make nothing."""
        ...

    async def submit_delete(self, request: DeleteRequest) -> Operation:
        """Check a delete and take it."""
        ...

    async def validate_delete(self, request: DeleteRequest) -> Vm | None:
        """Check a delete as ``submit_delete`` would, and remove nothing; None: the VM is gone already."""
        ...


class Reads(Protocol):
    """The hosts' inventories."""

    async def get(self, host: str, max_age: float) -> Inventory:
        """Return a host's inventory.

        Args:
            host: a host of the configuration.
            max_age: how old it may be in seconds; 0: the host is asked.

        Raises:
            AethervError: HOST_* or the host's typed answer.
        """
        ...

    async def find_vm(
        self, vm_id: str, *, host_hint: str = "", max_age: float = 0.0, hosts: Sequence[str] | None = None
    ) -> Vm:
        """Return a VM by its GUID.

        Raises:
            AethervError: VM_NOT_FOUND only if every host that could have it answered; VM_ID_AMBIGUOUS; HOST_*.
        """
        ...


class Deployment(Protocol):
    """Brings the agent's scripts to hosts."""

    async def deploy(self, host: str) -> Deployed:
        """Bring them to a host of the configuration.

        Raises:
            AethervError: DEPLOYMENT_*, SCRIPTS_*, HOST_*.
        """
        ...


class Checks(Protocol):
    """Looks at hosts."""

    async def check(self, host: str) -> Sequence[Finding]:
        """Return what is found of a host of the configuration; one that can't be reached is a finding."""
        ...


Hosts = Mapping[str, HostSettings]
"""The configuration's hosts by their names."""
