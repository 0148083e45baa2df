"""What is read of hosts here; ``inventory.InventoryCache`` does it. An interface alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from aetherv_agent.core.model import Inventory, Vm


class Inventories(Protocol):
    """What is read of hosts; ``inventory.InventoryCache`` does it."""

    async def get(self, host: str, max_age: float) -> Inventory:
        """Return a host's inventory, at most ``max_age`` seconds old; raise AethervError."""
        ...

    def last(self, host: str) -> Inventory | None:
        """Return the newest inventory of a host that is at hand, without asking."""
        ...

    def invalidate(self, host: str) -> None:
        """Let the next reader ask the host."""
        ...

    async def find_vm(
        self, vm_id: str, *, host_hint: str = "", max_age: float = 0.0, hosts: Sequence[str] | None = None
    ) -> Vm:
        """Return a VM; VM_NOT_FOUND only if every host that could have it answered, else HOST_UNREACHABLE."""
        ...
