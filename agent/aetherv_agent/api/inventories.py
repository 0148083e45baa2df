"""Reading hosts on behalf of a caller: those that it may see, all at once, each answer or error kept apart."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from aetherv_agent.api.ports import Hosts, Reads
from aetherv_agent.core.errors import AethervError
from aetherv_agent.core.model import Inventory, Vm

Found = Inventory | AethervError


async def read_all(reads: Reads, hosts: Iterable[str], max_age: float) -> dict[str, Found]:
    """Return each host's inventory, or why it can't be read.

    Args:
        reads: the inventories.
        hosts: hosts of the configuration.
        max_age: how old an answer may be, in seconds; 0: the hosts are asked.
    """
    names = tuple(hosts)
    answers = await asyncio.gather(*(_read(reads, name, max_age) for name in names))
    return dict(zip(names, answers, strict=True))


async def find_named(reads: Reads, hosts: Hosts, vm_name: str, *, on: Iterable[str], max_age: float) -> Vm:
    """Return the one VM of a name on some hosts.

    Raises:
        AethervError: VM_NOT_FOUND or VM_NAME_AMBIGUOUS; a host's error where one can't be asked, for then nobody knows.
    """
    found = await read_all(reads, (host for host in on if host in hosts), max_age)
    wanted = vm_name.casefold()
    vms = {
        vm.id: vm
        for inventory in found.values()
        if isinstance(inventory, Inventory)
        for vm in inventory.vms
        if vm.name.casefold() == wanted and not vm.replica
    }
    if len(vms) > 1:
        where = ", ".join(sorted(f"vms/{vm.id} on {vm.host}" for vm in vms.values())[:20])
        raise AethervError("VM_NAME_AMBIGUOUS", f"{len(vms)} VMs are called {vm_name!r}: {where}.")
    for answer in found.values():
        # A host that is away may have a VM of that name too: nobody knows.
        if isinstance(answer, AethervError):
            raise answer
    for vm in vms.values():
        return vm
    if not found:
        raise AethervError(
            "HOST_UNREACHABLE",
            f"Nobody knows whether a VM is called {vm_name!r}: this agent has no host that it may ask for the caller.",
        )
    raise AethervError("VM_NOT_FOUND", f"No VM is called {vm_name!r} on {', '.join(sorted(found))}.")


async def _read(reads: Reads, host: str, max_age: float) -> Found:
    try:
        return await reads.get(host, max_age)
    except AethervError as error:
        return error
