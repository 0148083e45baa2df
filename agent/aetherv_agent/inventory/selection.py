"""Which hosts could have a VM, and what their answers mean together. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from aetherv_agent.core.errors import AethervError, Category
from aetherv_agent.core.model import Inventory, Vm

Answer = Inventory | AethervError
_MAX_REASONS = 5


def with_id(answers: Mapping[str, Answer], vm_id: str) -> tuple[Vm, ...]:
    """Return the VMs of that GUID; replicas are left out, for they share it."""
    wanted = vm_id.casefold()
    return tuple(
        vm
        for answer in answers.values()
        if isinstance(answer, Inventory)
        for vm in answer.vms
        if vm.id.casefold() == wanted and not vm.replica
    )


def only_one(answers: Mapping[str, Answer], vm_id: str) -> Vm | None:
    """Return the VM of that GUID, or None where no answer has it.

    Raises:
        AethervError: VM_ID_AMBIGUOUS where several hosts have it.
    """
    found = with_id(answers, vm_id)
    if len(found) > 1:
        hosts = ", ".join(sorted(vm.host for vm in found))
        raise AethervError(
            "VM_ID_AMBIGUOUS",
            f"The hosts {hosts} each have a VM with the id {vm_id}.",
            metadata={"vm": f"vms/{vm_id}", "hosts": hosts},
        )
    return found[0] if found else None


def peers(
    host: str,
    answer: Answer,
    others: Iterable[str],
    last: Callable[[str], Inventory | None],
) -> tuple[str, ...]:
    """Return the other hosts that could have a VM which was last seen on ``host``: those of its cluster.

    A host of which no cluster is known, since it never answered, could be one of them.

    Args:
        host: the host that was asked first.
        answer: what it answered.
        others: the hosts that may be asked; ``host`` among them is left out.
        last: the newest inventory of a host that is at hand.
    """
    known = answer if isinstance(answer, Inventory) else last(host)
    if known is not None and not known.facts.cluster:
        return ()
    chosen = []
    for other in others:
        seen = last(other)
        if other != host and (known is None or seen is None or seen.facts.cluster == known.facts.cluster):
            chosen.append(other)
    return tuple(chosen)


def not_there(answers: Mapping[str, Answer], vm_id: str) -> AethervError:
    """Return why a VM that no answer has was not found: VM_NOT_FOUND only if every host answered.

    Where every host was reached and none may be read (credentials, rights), the first one's id is told, so that its
    advice and code are; else HOST_UNREACHABLE.
    """
    failures = {host: answer for host, answer in answers.items() if isinstance(answer, AethervError)}
    about = {"vm": f"vms/{vm_id}"}
    if not answers:
        # That nobody has it is true of no host too, and would make a client forget a VM that runs.
        text = f"Nobody knows whether the VM {vm_id} exists: this agent has no host that it may ask for the caller."
        return AethervError("HOST_UNREACHABLE", text, metadata=about)
    if not failures:
        hosts = ", ".join(sorted(answers))
        return AethervError("VM_NOT_FOUND", f"No VM has the id {vm_id} (asked: {hosts}).", metadata=about)
    hosts = ", ".join(sorted(failures))
    reasons = " ".join(failures[host].message for host in sorted(failures)[:_MAX_REASONS])
    refusals = [failures[host] for host in sorted(failures)]
    away = any(failure.category is Category.UNAVAILABLE for failure in refusals)
    return AethervError(
        "HOST_UNREACHABLE" if away else refusals[0].id,
        f"Nobody knows whether the VM {vm_id} exists: it may be on {hosts}. {reasons}",
        metadata=about | {"hosts": hosts},
    )


def elsewhere(host: str, vm_id: str) -> AethervError:
    """Return why nobody knows of a VM that was last on a host which can't be asked: configured no more, or not for all."""
    return AethervError(
        "HOST_UNREACHABLE",
        f"Nobody knows whether the VM {vm_id} exists: it was last on {host}, which this agent does not have or this "
        "caller may not use.",
        metadata={"vm": f"vms/{vm_id}", "hosts": host},
    )
