"""Having the agent judge a planned create, as if the VMs that this run takes away were gone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from terraform_provider_aetherv.agent import AgentError
from terraform_provider_aetherv.cty.values import is_wholly_known
from terraform_provider_aetherv.diagnostics import from_error, from_warnings, title
from terraform_provider_aetherv.plugin.messages import Diagnostic, Diagnostics, State, warning
from terraform_provider_aetherv.resources.session import Session
from terraform_provider_aetherv.resources.vm.model import to_create
from terraform_provider_aetherv.resources.vm.schema import COMPUTED_ONLY, SECRETS, VERSION_OF

# Refusals that a VM of this run may be the cause of: it holds a name, memory and space until it is gone.
_NAME_HELD: Final = frozenset({"VM_ALREADY_EXISTS", "CREATE_IN_PROGRESS"})
_HELD: Final = _NAME_HELD | {"MEMORY_INSUFFICIENT", "DISK_FULL"}
# The agent's own choice in apply: unknown in every plan that leaves it open.
_CHOSEN: Final = frozenset({"virtual_switch", "target_host"})
_TRIES: Final = 3


@dataclass(frozen=True, slots=True)
class Checked:
    """What the agent says of a planned create; ``warned`` holds the reasons of its own warnings."""

    diagnostics: Diagnostics = ()
    warned: frozenset[str] = frozenset()


def check_with_agent(planned: State, config: State, session: Session, replaced: str) -> Checked:
    """Check a create with the agent, once all that it sends is known.

    Args:
        planned: the VM as planned.
        config: its configuration.
        session: with an agent.
        replaced: the id of the VM whose place it takes, or empty.
    """
    agent = session.agent
    if agent is None or not _sendable(planned, config):
        return Checked()
    summary = title("create", planned["vm_name"], planned["target_host"] if config["target_host"] else None)
    ignored = {replaced} - {""}
    warnings: list[Diagnostic] = []
    for attempt in range(_TRIES):
        request = to_create(planned)
        request.ignore_vms.extend(f"vms/{vm_id}" for vm_id in sorted(ignored))
        try:
            told = agent.check_create(request)
        except AgentError as problem:
            # Read after the answer: the state of a tainted VM may have been shown to this process meanwhile.
            holders = _holders(problem, session) - ignored
            if not holders or attempt == _TRIES - 1:
                return Checked(from_error(summary, problem, config=config, stands="Nothing was changed."))
            warnings.append(_held(problem, planned))
            ignored |= holders
        else:
            reasons = frozenset(item.reason for item in told)
            return Checked((*warnings, *from_warnings(told, config)), reasons)
    return Checked(tuple(warnings))


def _sendable(planned: State, config: State) -> bool:
    open_values = {
        *COMPUTED_ONLY,
        *SECRETS,
        *VERSION_OF.values(),
        *(name for name in _CHOSEN if config[name] is None),
    }
    return all(is_wholly_known(value) for name, value in planned.items() if name not in open_values)


def _holders(problem: AgentError, session: Session) -> frozenset[str]:
    """Give the VMs of this run that may be the cause of a refusal."""
    if problem.reason not in _HELD:
        return frozenset()
    known = session.known.all()
    if problem.reason in _NAME_HELD:
        return known & {problem.metadata.get("vm", "").removeprefix("vms/").lower()}
    return known


def _held(problem: AgentError, planned: State) -> Diagnostic:
    if problem.reason in _NAME_HELD:
        holder = problem.metadata.get("vm", "").removeprefix("vms/")
        return warning(
            f'The name "{planned["vm_name"]}" is held by a VM of this state',
            f"VM {holder} has it now and is expected to be destroyed by this plan. If only the resource's address "
            "changed, use a `moved` block instead.",
            ("vm_name",),
        )
    return warning(
        f'"{planned["vm_name"]}" fits only once VMs of this state are gone',
        f"{problem.message} The plan goes on as if the VMs that this run knows made room; if they stay, the apply "
        "fails.",
    )
