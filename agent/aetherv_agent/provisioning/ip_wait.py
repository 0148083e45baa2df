"""Waiting, at the end of a create, until the host reports an address of the new VM.

It ends with the operation's own deadline and nothing else: what stands then is what the request said of failures.
"""

from __future__ import annotations

import asyncio

from aetherv_agent.core.errors import AethervError
from aetherv_agent.core.guest_addresses import has_address, own_addresses
from aetherv_agent.core.model import IpWait, Vm
from aetherv_agent.operations.handlers import Work

from .inventories import Inventories

_POLL_SECONDS = 2.0


async def wait_for_address(work: Work, vm: Vm, wanted: IpWait, inventories: Inventories) -> Vm:
    """Return the VM once it has an address of the wanted family.

    Args:
        work: the create; is told what is waited for.
        vm: the VM as its job left it.
        wanted: the family; NONE returns at once.
        inventories: asks the host, at most once in two seconds for all who wait.

    Raises:
        AethervError: VM_NOT_FOUND where the host says that the VM is gone.
    """
    while not has_address(vm, wanted):
        seen = ", ".join(own_addresses(vm)) or "none"
        await work.waiting_for(f"waits for an address ({wanted.value}) of {vm.name}; reported: {seen}")
        await asyncio.sleep(_POLL_SECONDS)
        try:
            inventory = await inventories.get(vm.host, _POLL_SECONDS / 2)
        except AethervError:
            # A host that is away for a while says nothing of its VM.
            continue
        found = next((known for known in inventory.vms if known.id == vm.id), None)
        if found is None:
            raise AethervError(
                "VM_NOT_FOUND",
                f"{vm.name} was made on {vm.host} and is gone from it while an address was waited for.",
                metadata={"host": vm.host, "vm": f"vms/{vm.id}"},
                host_answered=True,
                undone=True,
            )
        vm = found
    await work.waiting_for("")
    return vm
