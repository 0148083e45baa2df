"""Making a VM: submit, follow, and say what stands. Whatever exists is in the state, tainted if the create failed."""

from __future__ import annotations

import uuid
from typing import Final

from aetherv.v1 import vm_pb2

from terraform_provider_aetherv.agent import Agent, AgentError, Outcome
from terraform_provider_aetherv.cty.values import unknown_to_null
from terraform_provider_aetherv.diagnostics import from_error, from_warnings, title
from terraform_provider_aetherv.plugin.messages import ApplyRequest, ApplyResponse, Diagnostics, State, error
from terraform_provider_aetherv.resources.session import Session
from terraform_provider_aetherv.resources.vm import leftovers
from terraform_provider_aetherv.resources.vm.model import completed, id_of, timeout_of, to_create, to_secrets
from terraform_provider_aetherv.resources.vm.private import CREATED, Private, decode

_PUBLISH: Final = "publish"
_LOOK_SECONDS: Final = 30.0


def create(request: ApplyRequest, agent: Agent, session: Session) -> ApplyResponse:
    """Make the planned VM."""
    planned, config = request.planned, request.config
    if planned is None or config is None:
        return ApplyResponse(state=None, diagnostics=(error("Nothing to create", "Terraform sent no plan."),))
    name, target = planned["vm_name"], planned["target_host"]
    host = target if isinstance(target, str) else None
    if session.stop_event.is_set():
        return ApplyResponse(
            state=None,
            diagnostics=(error(f'Cancelled: create of VM "{name}"', "It had not begun; nothing was made."),),
        )
    # Fresh for each apply: a retry within it is the same request, the next apply another one.
    message = to_create(planned, request_id=str(uuid.uuid4()))
    message.secrets.CopyFrom(to_secrets(planned, config))
    try:
        operation = agent.create(message)
    except AgentError as problem:
        unsure = " If the agent took the request all the same, the VM appears without being in the state."
        stands = (
            "Nothing was made."
            if problem.reason or not problem.transient
            else "No operation is known." + unsure
        )
        if problem.reason == "VM_ALREADY_EXISTS":
            stands += _held(problem, session)
        return ApplyResponse(
            state=None,
            diagnostics=from_error(title("create", name, host), problem, config=config, stands=stands),
        )
    published = planned["wait_for_guest"] is False
    outcome = agent.follow(
        operation,
        label=f"create of {name}",
        timeout=timeout_of(planned, "create"),
        until_step=_PUBLISH if published else "",
    )
    host = outcome.facts.host or host
    if outcome.lost is not None:
        return _lost(planned, config, outcome, outcome.lost, title("follow the create of", name, host))
    if outcome.error is not None:
        return _failed(planned, config, agent, session, outcome, host)
    warned = decode(request.planned_private).warned.split(",")
    diagnostics = from_warnings((w for w in outcome.facts.warnings if w.reason not in warned), config)
    return _made(planned, agent, outcome, host, diagnostics)


def _held(problem: AgentError, session: Session) -> str:
    """Say why a name can be taken by a VM that this very run replaces."""
    holder = problem.metadata.get("vm", "").removeprefix("vms/").lower()
    if holder in session.known.all():
        return (
            " The VM that has the name is of this state, and was not gone yet when this one was to be made. If it is to "
            "be destroyed, apply again; if only the resource's address changed, use a `moved` block."
        )
    return (
        " If another resource makes it, or this one replaces it with create_before_destroy: two VMs of a host can't "
        "have one name."
    )


def _made(
    planned: State, agent: Agent, outcome: Outcome, host: str | None, diagnostics: Diagnostics
) -> ApplyResponse:
    vm = outcome.vm
    vm_id = id_of(vm.name if vm is not None else outcome.facts.target)
    if vm is None:
        # The create goes on behind a published VM: what the host says now is all there is.
        vm, trouble = _look(agent, vm_id, outcome.facts.host)
        if vm is None:
            summary = title("read", planned["vm_name"], host)
            detail = f"It was made and its guest's data are published ({outcome.name} goes on). {trouble}"
            return ApplyResponse(
                state=_partial(planned, vm_id, host),
                private=_open(outcome),
                identity=_identity(vm_id),
                diagnostics=(*diagnostics, error(summary, detail)),
            )
    return ApplyResponse(
        state=completed(planned, vm),
        private=Private(origin=CREATED).encode(),
        identity=_identity(vm_id),
        diagnostics=diagnostics,
    )


def _failed(
    planned: State, config: State, agent: Agent, session: Session, outcome: Outcome, host: str | None
) -> ApplyResponse:
    problem = outcome.error
    if problem is None:
        raise AssertionError("only a failed create is described here")
    summary = title("create", planned["vm_name"], host)
    if session.stop_event.is_set() and problem.code == "CANCELLED":
        summary = summary.replace("Unable to create", "Cancelled: create of", 1)
    left = leftovers.describe(outcome)
    vm_id = id_of(outcome.facts.target)
    if not leftovers.vm_stands(outcome) or not vm_id:
        stands = left or "Nothing of it stands: what was made was removed."
        return ApplyResponse(
            state=None, diagnostics=from_error(summary, problem, config=config, stands=stands)
        )
    vm, _ = _look(agent, vm_id, outcome.facts.host)
    state = _partial(planned, vm_id, host) if vm is None else completed(planned, vm)
    stands = f"{left} The VM is in the state as tainted: the next apply replaces it.".strip()
    return ApplyResponse(
        # Protection is for a VM that was made; of this one it would only hinder the next apply.
        state=state | {"deletion_protection": False},
        private=Private(origin=CREATED).encode(),
        identity=_identity(vm_id),
        diagnostics=from_error(summary, problem, config=config, stands=stands),
    )


def _lost(
    planned: State, config: State, outcome: Outcome, problem: AgentError, summary: str
) -> ApplyResponse:
    """Keep what is known of a create whose end could not be seen: the next run looks it up by its operation."""
    vm_id = id_of(outcome.facts.target)
    stands = (
        f"{outcome.name} goes on in the agent. The VM is in the state as tainted; the next plan looks up how it ended. "
        f"See `aetherv operations watch {outcome.name}`."
    )
    return ApplyResponse(
        state=_partial(planned, vm_id, outcome.facts.host or None),
        private=_open(outcome),
        identity=_identity(vm_id),
        diagnostics=from_error(summary, problem, config=config, stands=stands),
    )


def _look(agent: Agent, vm_id: str, host: str) -> tuple[vm_pb2.Vm | None, str]:
    """Read a VM that is known to be made; its absence is not an answer here."""
    if not vm_id:
        return None, "The operation does not say which VM it made."
    try:
        vm = agent.read(vm_id, host_hint=host, timeout=_LOOK_SECONDS, fresh=True)
    except AgentError as problem:
        return None, problem.message
    return vm, "" if vm is not None else "No host has it."


def _partial(planned: State, vm_id: str, host: str | None) -> State:
    state: State = unknown_to_null(planned)
    return state | {"id": vm_id or None, "host": host}


def _open(outcome: Outcome) -> bytes:
    return Private(origin=CREATED, operation=outcome.name).encode()


def _identity(vm_id: str) -> State | None:
    return {"id": vm_id} if vm_id else None
