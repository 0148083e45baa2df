"""Looking at a VM: drift of what can be set, what the host says now, and what a read must not touch."""

from __future__ import annotations

from typing import Final

from aetherv.v1 import vm_pb2

from terraform_provider_aetherv.agent import Agent, AgentError
from terraform_provider_aetherv.cty.values import Value
from terraform_provider_aetherv.diagnostics import from_error, title
from terraform_provider_aetherv.plugin.messages import ReadRequest, ReadResponse, State, error
from terraform_provider_aetherv.resources.session import Session
from terraform_provider_aetherv.resources.vm import leftovers, private
from terraform_provider_aetherv.resources.vm.model import id_of, observed, timeout_of
from terraform_provider_aetherv.resources.vm.plan import SAME
from terraform_provider_aetherv.resources.vm.schema import CHANGED_IN_PLACE, COMPUTED_ONLY

_ADDRESSES: Final = ("ip_addresses", "ipv4_address", "ipv6_address")


def read(request: ReadRequest, session: Session) -> ReadResponse:
    """Look at a VM; only a definite "not found" gives a null state."""
    session.known.remember(request.state["id"])
    agent = session.agent
    if agent is None:
        # Provider settings are unknown in this plan: the state as last known is the best there is.
        return ReadResponse(state=request.state, private=request.private, identity=request.identity)
    name = request.state["vm_name"]
    try:
        response = _read(request, agent)
    except AgentError as problem:
        summary = title("read", name, request.state["host"])
        return ReadResponse(
            state=None,
            private=request.private,
            diagnostics=from_error(summary, problem, config=None, stands="The state is as it was."),
        )
    # An open create's id is known only now.
    session.known.remember(None if response.state is None else response.state["id"])
    return response


def _read(request: ReadRequest, agent: Agent) -> ReadResponse:
    state, stored = request.state, private.decode(request.private)
    vm_id, host = state["id"], state["host"]
    if stored.operation:
        outcome = _ended(agent, stored.operation)
        if isinstance(outcome, str):
            return _still(request, outcome)
        if outcome is not None:
            vm_id, host = outcome
            if vm_id is None:
                return ReadResponse(state=None, private=b"")
        stored = private.Private(origin=stored.origin)
    if not isinstance(vm_id, str):
        # Its create ended without a VM, or nobody knows of it any more.
        return ReadResponse(state=None, private=b"")
    vm = agent.read(vm_id, host_hint=host or "", timeout=timeout_of(state, "read"))
    if vm is None:
        return ReadResponse(state=None, private=b"")
    return ReadResponse(state=refreshed(state, vm), private=stored.encode(), identity={"id": vm_id})


def refreshed(state: State, vm: vm_pb2.Vm) -> State:
    """Give the state with what the host says now; equal in meaning stays as it was written."""
    seen = observed(vm)
    result = dict(state)
    for name in CHANGED_IN_PLACE:
        result[name] = _drifted(name, state[name], seen[name])
    for name in COMPUTED_ONLY:
        result[name] = seen[name]
    if seen["state"] == "running" and not seen["ip_addresses"] and state["ip_addresses"]:
        # The guest's agent is silent, which says nothing about its addresses.
        result.update({name: state[name] for name in _ADDRESSES})
    return result


def _drifted(name: str, old: Value, new: Value) -> Value:
    if new is None:
        return old
    if name == "notes" and old is None:
        # Not in the configuration, so not ours.
        return None
    same = SAME.get(name)
    return old if same is not None and old is not None and same(old, new) else new


def _ended(agent: Agent, operation: str) -> tuple[str | None, str | None] | str | None:
    """Give the VM and host of a create that nobody saw the end of; a text: it still runs; None: nobody knows."""
    try:
        outcome = agent.operation(operation)
    except AgentError as problem:
        if problem.reason == "OPERATION_NOT_FOUND":
            return None
        raise
    vm_id = id_of(outcome.facts.target)
    if not outcome.done:
        return f"{operation} still makes it."
    if not leftovers.vm_stands(outcome) or not vm_id:
        return None, None
    return vm_id, outcome.facts.host or None


def _still(request: ReadRequest, why: str) -> ReadResponse:
    return ReadResponse(
        state=None,
        private=request.private,
        diagnostics=(
            error(
                title("read", request.state["vm_name"], request.state["host"]),
                f"{why} Wait for its end, or cancel it, then plan again. The state is as it was.",
            ),
        ),
    )
