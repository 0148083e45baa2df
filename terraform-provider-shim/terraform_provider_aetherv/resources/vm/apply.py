"""Applying ``aetherv_vm``: what is only recorded, and destroy; ``create.py`` makes VMs."""

from __future__ import annotations

import uuid
from datetime import timedelta

from aetherv.v1 import vm_service_pb2

from terraform_provider_aetherv.agent import Agent, AgentError, Outcome
from terraform_provider_aetherv.cty.values import unknown_to_null
from terraform_provider_aetherv.diagnostics import from_error, title
from terraform_provider_aetherv.plugin.messages import ApplyRequest, ApplyResponse, State, error
from terraform_provider_aetherv.resources.session import Session
from terraform_provider_aetherv.resources.vm import leftovers, private
from terraform_provider_aetherv.resources.vm.create import create
from terraform_provider_aetherv.resources.vm.model import id_of, shutdown_mode, timeout_of
from terraform_provider_aetherv.resources.vm.plan import protected
from terraform_provider_aetherv.resources.vm.schema import CHANGED_IN_PLACE
from terraform_provider_aetherv.schema.planning import changed

_STANDS = "The VM stands as it was."


def apply(request: ApplyRequest, session: Session) -> ApplyResponse:
    """Make a planned change."""
    agent = session.agent
    if agent is None:
        return ApplyResponse(
            state=None,
            diagnostics=(
                error("The provider is not configured", "Its endpoint was not known. Nothing was changed."),
            ),
        )
    if request.prior is None:
        return create(request, agent, session)
    if request.planned is None:
        return _destroy(request, request.prior, agent, session)
    return _record(request, request.prior, request.planned)


def _record(request: ApplyRequest, prior: State, planned: State) -> ApplyResponse:
    # Plan refuses these; a change that only apply knows (a reference that was unknown) is planned again before.
    late = [
        name
        for name in CHANGED_IN_PLACE
        if prior[name] is not None and planned[name] is not None and changed(prior[name], planned[name])
    ]
    if late:
        return ApplyResponse(
            state=None,
            diagnostics=tuple(
                error(
                    f"{name} can't be changed in place by this version",
                    f"{_STANDS} Set it to what stands, or make the VM anew.",
                    (name,),
                )
                for name in late
            ),
        )
    return ApplyResponse(state=unknown_to_null(planned), private=request.planned_private)


def _destroy(request: ApplyRequest, prior: State, agent: Agent, session: Session) -> ApplyResponse:
    refusal = protected(prior, "destroyed")
    if refusal is not None:
        return ApplyResponse(state=None, diagnostics=(refusal,))
    name = prior["vm_name"]
    summary = title("delete", name, prior["host"])
    stored = private.decode(request.planned_private)
    vm_id = prior["id"]
    try:
        if stored.operation:
            outcome = settle(agent, stored.operation, f"create of {name}", timeout_of(prior, "delete"))
            if outcome is not None:
                vm_id = vm_id or (id_of(outcome.facts.target) if leftovers.vm_stands(outcome) else None)
        if not isinstance(vm_id, str):
            # Nothing of it is known to stand: its create ended without a VM.
            return ApplyResponse(state=None)
        outcome = _delete(prior, vm_id, agent)
    except AgentError as problem:
        return ApplyResponse(
            state=None, diagnostics=from_error(summary, problem, config=None, stands=_STANDS)
        )
    return _deleted(outcome, summary, session)


def settle(agent: Agent, operation: str, label: str, timeout: float) -> Outcome | None:
    """Bring a create whose end nobody saw to its end; None: the agent does not know it any more.

    Raises:
        AgentError: its end can't be seen.
    """
    try:
        outcome = agent.operation(operation)
        if not outcome.done:
            agent.cancel(operation)
            outcome = agent.follow(operation, label=label, timeout=timeout)
    except AgentError as problem:
        if problem.reason == "OPERATION_NOT_FOUND":
            return None
        raise
    if outcome.lost is not None:
        raise outcome.lost
    return outcome


def _delete(prior: State, vm_id: str, agent: Agent) -> Outcome | None:
    timeout = timeout_of(prior, "delete")
    request = vm_service_pb2.DeleteVmRequest(
        name=f"vms/{vm_id}",
        request_id=str(uuid.uuid4()),
        host_hint=prior["host"] or "",
        allow_missing=True,
        shutdown_mode=shutdown_mode(prior),
    )
    request.timeout.FromTimedelta(timedelta(seconds=timeout))
    operation = agent.delete(request)
    if operation is None:
        return None
    return agent.follow(operation, label=f"delete of {prior['vm_name']}", timeout=timeout)


def _deleted(outcome: Outcome | None, summary: str, session: Session) -> ApplyResponse:
    if outcome is None or (outcome.done and outcome.error is None):
        return ApplyResponse(state=None)
    if outcome.lost is not None:
        stands = f"{outcome.name} goes on in the agent; the VM may be gone. A refresh tells."
        return ApplyResponse(
            state=None, diagnostics=from_error(summary, outcome.lost, config=None, stands=stands)
        )
    problem = outcome.error
    if problem is None:
        return ApplyResponse(state=None, diagnostics=(error(summary, f"{outcome.name} has not ended."),))
    if problem.reason == "VM_NOT_FOUND":
        return ApplyResponse(state=None)
    stands = leftovers.describe(outcome) or "A refresh tells what stands."
    if session.stop_event.is_set() and problem.code == "CANCELLED":
        summary = summary.replace("Unable to delete", "Cancelled: delete", 1)
    return ApplyResponse(state=None, diagnostics=from_error(summary, problem, config=None, stands=stands))
