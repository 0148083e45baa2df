"""What comes of a change: the state, what is left, and that nothing that exists is lost."""

from __future__ import annotations

from typing import Any

import pytest
from aetherv.v1 import operation_pb2, vm_pb2, vm_service_pb2
from terraform_provider_aetherv.agent import AgentError
from terraform_provider_aetherv.cty.values import UNKNOWN
from terraform_provider_aetherv.plugin.messages import (
    ApplyRequest,
    ApplyResponse,
    ClientCapabilities,
    PlanRequest,
    Severity,
)
from terraform_provider_aetherv.resources.session import Session
from terraform_provider_aetherv.resources.vm import private
from terraform_provider_aetherv.resources.vm.apply import apply
from terraform_provider_aetherv.resources.vm.plan import plan

from .conftest import VM_ID, StubAgent, config_of, outcome_of, state_of, vm_of

LOST = AgentError("UNAVAILABLE", "The agent can't be reached")
KEPT = operation_pb2.Leftover(kind="vm", host="hv01", path=r"C:\VMs\web-01", message="kept")


def applied(
    session: Session,
    planned: dict[str, Any] | None,
    prior: dict[str, Any] | None = None,
    config: dict[str, Any] | None = None,
    stored: bytes = b"",
) -> ApplyResponse:
    """Apply a change."""
    return apply(
        ApplyRequest(
            prior=prior,
            planned=planned,
            config=config,
            planned_private=stored,
            planned_identity=None,
        ),
        session,
    )


def created(session: Session, stored: bytes = b"", **changed: Any) -> ApplyResponse:
    """Plan and apply a create."""
    config = config_of(**changed)
    agent, session.agent = session.agent, None
    planned = plan(
        PlanRequest(
            prior=None,
            proposed=config,
            config=config,
            prior_private=b"",
            planned_private=b"",
            prior_identity=None,
            capabilities=ClientCapabilities(),
        ),
        session,
    ).planned
    session.agent = agent
    return applied(session, planned, config=config, stored=stored)


def has_error(response: ApplyResponse) -> bool:
    """Tell whether the change failed."""
    return any(item.severity is Severity.ERROR for item in response.diagnostics)


def facts(**changed: Any) -> operation_pb2.VmOperationMetadata:
    """Give an operation's facts."""
    values: dict[str, Any] = {"target": f"vms/{VM_ID}", "host": "hv01"}
    return operation_pb2.VmOperationMetadata(**values | changed)


def test_create_gives_what_was_planned_and_what_the_host_says(session: Session, agent: StubAgent) -> None:
    """Planned values stay as planned although the host writes them otherwise; open ones come from the host."""
    agent.outcomes = [outcome_of(vm=vm_of(vm_name="WEB-01", mac_addresses=["00:15:5d:00:00:01"]))]
    response = created(session)
    assert not has_error(response)
    state = response.state
    assert state is not None
    assert state["vm_name"] == "web-01"
    assert state["virtual_switch"] == "External"
    assert state["target_host"] == "hv01"
    assert state["mac_address"] == "00:15:5d:00:00:01"
    assert state["guest_la_pw_wo"] is None
    assert UNKNOWN not in state.values()
    assert response.identity == {"id": VM_ID}
    (request,) = agent.created
    assert request.secrets.guest_la_pw == "Secret-Value-1"
    assert request.wait_for_guest == vm_service_pb2.GUEST_WAIT_APPLIED


def test_warnings_are_told_once(session: Session, agent: StubAgent) -> None:
    """What the plan has warned of is not said again; what came up in apply is."""
    told = [
        operation_pb2.Warning(reason="OLD", message="a"),
        operation_pb2.Warning(reason="NEW", message="b"),
    ]
    agent.outcomes = [outcome_of(vm=vm_of(), facts=facts(warnings=told))]
    response = created(session, private.Private(warned="OLD,OTHER").encode())
    assert [item.summary for item in response.diagnostics] == ["b"]


def test_each_apply_has_its_own_request_id(session: Session, agent: StubAgent) -> None:
    """Two applies of one configuration are two requests."""
    agent.outcomes = [outcome_of(vm=vm_of()), outcome_of(vm=vm_of())]
    created(session)
    created(session)
    first, second = (request.request_id for request in agent.created)
    assert first != second


def test_windows_drops_what_it_cannot_use(session: Session, agent: StubAgent) -> None:
    """SSH fields of a Windows VM stay in the state and are not sent."""
    agent.outcomes = [outcome_of(vm=vm_of())]
    response = created(session, image_name="Windows 2022", cnf_ansible_ssh_user="a", cnf_ansible_ssh_key="b")
    assert agent.created[0].vm.cnf_ansible_ssh_user == ""
    assert response.state is not None
    assert response.state["cnf_ansible_ssh_user"] == "a"


def test_refused_create_leaves_no_state(session: Session, agent: StubAgent) -> None:
    """A create that was never taken is an error without a state."""
    agent.errors = [
        AgentError("ABORTED", "busy", reason="CREATE_IN_PROGRESS", metadata={"operation": "operations/7"})
    ]
    response = created(session)
    assert response.state is None
    assert "aetherv operations watch operations/7" in response.diagnostics[0].detail
    assert "Nothing was made" in response.diagnostics[0].detail


@pytest.mark.parametrize(("known", "hint"), [(True, "apply again"), (False, "create_before_destroy")])
def test_a_taken_name_says_how_the_run_itself_can_be_the_cause(
    session: Session, agent: StubAgent, known: bool, hint: str
) -> None:
    """A VM that this run replaces can have the name: the user reads which setting makes it so."""
    agent.errors = [
        AgentError("ALREADY_EXISTS", "taken", reason="VM_ALREADY_EXISTS", metadata={"vm": f"vms/{VM_ID}"})
    ]
    if known:
        session.known.remember(VM_ID)
    response = created(session)
    assert response.state is None
    assert hint in response.diagnostics[0].detail


def test_rolled_back_create_leaves_no_state(session: Session, agent: StubAgent) -> None:
    """A create that failed and was taken back is an error without a state."""
    agent.outcomes = [outcome_of(error=AgentError("INTERNAL", "no", reason="VM_START_FAILED"))]
    response = created(session)
    assert response.state is None
    assert has_error(response)


def test_kept_vm_is_not_protected(session: Session, agent: StubAgent) -> None:
    """The next apply is to replace a VM whose create failed, so its protection never came to be."""
    error = AgentError("FAILED_PRECONDITION", "no", reason="GUEST_FAILED")
    agent.outcomes = [outcome_of(error=error, facts=facts(leftovers=[KEPT]))]
    agent.vm = vm_of()
    response = created(session, deletion_protection=True)
    assert response.state is not None
    assert response.state["deletion_protection"] is False
    assert response.state["id"] == VM_ID


@pytest.mark.parametrize("readable", [True, False])
def test_kept_vm_is_in_the_state(session: Session, agent: StubAgent, readable: bool) -> None:
    """A VM that stands after a failure is in the state with its id, whether it can be read or not."""
    error = AgentError("FAILED_PRECONDITION", "no", reason="GUEST_FAILED")
    agent.outcomes = [outcome_of(error=error, facts=facts(leftovers=[KEPT]))]
    agent.vm = vm_of() if readable else None
    response = created(session)
    assert has_error(response)
    assert response.state is not None
    assert response.state["id"] == VM_ID
    assert response.state["host"] == "hv01"
    assert (response.state["ipv4_address"] is not None) == readable
    assert UNKNOWN not in response.state.values()


@pytest.mark.parametrize("target", [f"vms/{VM_ID}", ""])
def test_create_that_nobody_saw_the_end_of(session: Session, agent: StubAgent, target: str) -> None:
    """A lost create is in the state with its operation, with an id or without one."""
    agent.outcomes = [outcome_of(done=False, lost=LOST, facts=facts(target=target))]
    response = created(session)
    assert has_error(response)
    assert response.state is not None
    assert response.state["id"] == (VM_ID if target else None)
    assert private.decode(response.private).operation == "operations/1"


def test_published_create_reads_the_vm(session: Session, agent: StubAgent) -> None:
    """Without waiting for the guest the state is what the host says at that moment."""
    agent.outcomes = [outcome_of(done=False)]
    agent.vm = vm_of(guest_state=vm_pb2.GUEST_STATE_APPLYING)
    response = created(session, wait_for_guest=False)
    assert not has_error(response)
    assert response.state is not None
    assert response.state["guest_state"] == "applying"
    assert agent.created[0].wait_for_guest == vm_service_pb2.GUEST_WAIT_PUBLISHED


def test_stopped_before_it_began(session: Session, agent: StubAgent) -> None:
    """After Ctrl-C nothing new is begun."""
    session.stop_event.set()
    response = created(session)
    assert response.state is None
    assert has_error(response)
    assert agent.created == []


def test_cancelled_create_says_so(session: Session, agent: StubAgent) -> None:
    """A create that Ctrl-C ended is called cancelled."""
    cancelled = AgentError("CANCELLED", "The operation was cancelled", reason="OPERATION_CANCELLED")
    agent.outcomes = [outcome_of(error=cancelled)]
    config = config_of()
    planned = state_of() | {"id": UNKNOWN}

    class Stop:
        calls = 0

        def is_set(self) -> bool:
            self.calls += 1
            return self.calls > 1

    session.stop_event = Stop()  # type: ignore[assignment]  # set between the first look and the second
    response = applied(session, planned, config=config)
    assert response.diagnostics[0].summary == 'Cancelled: create of VM "web-01" on hv01'


def test_recorded_change_calls_nobody(session: Session, agent: StubAgent) -> None:
    """A change of what acts once is written to the state alone."""
    planned = state_of(guest_la_uid="other")
    response = applied(session, planned, state_of(), config_of(guest_la_uid="other"), b"x")
    assert response.state == planned
    assert response.private == b"x"
    assert (agent.created, agent.deleted) == ([], [])


def test_late_change_of_size_is_refused(session: Session) -> None:
    """A size that only apply knew is refused there, and the prior state stands."""
    response = applied(session, state_of(cpu_cores=4), state_of(), config_of(cpu_cores=4))
    assert response.state is None
    assert response.diagnostics[0].path == ("cpu_cores",)


def test_destroy(session: Session, agent: StubAgent) -> None:
    """Destroy sends the shutdown mode as last applied and the VM's place."""
    agent.outcomes = [outcome_of()]
    response = applied(session, None, state_of(shutdown_mode="off", timeouts={"delete": "2m"}))
    assert not has_error(response)
    (request,) = agent.deleted
    assert request.name == f"vms/{VM_ID}"
    assert request.host_hint == "hv01"
    assert request.allow_missing
    assert request.shutdown_mode == vm_service_pb2.SHUTDOWN_MODE_OFF
    assert request.timeout.seconds == 120


def test_destroy_of_a_protected_vm(session: Session, agent: StubAgent) -> None:
    """The destroy leg of an apply refuses a protected VM: it alone sees -replace and taint."""
    response = applied(session, None, state_of(deletion_protection=True))
    assert has_error(response)
    assert agent.deleted == []


def test_failed_destroy_keeps_the_state(session: Session, agent: StubAgent) -> None:
    """A delete that failed, or whose end nobody saw, is an error."""
    agent.outcomes = [outcome_of(error=AgentError("INTERNAL", "no", reason="VM_REMOVE_FAILED"))]
    assert has_error(applied(session, None, state_of()))
    agent.outcomes = [outcome_of(done=False, lost=LOST)]
    assert has_error(applied(session, None, state_of()))


def open_state(**changed: Any) -> dict[str, Any]:
    """Give the state of a create that nobody saw the end of."""
    return state_of(id=None, host=None, **changed)


OPEN = private.Private(operation="operations/1").encode()


def test_destroy_brings_an_open_create_to_its_end(session: Session, agent: StubAgent) -> None:
    """A create that still runs is cancelled; if its VM stands all the same, it is deleted."""
    agent.looked_up = outcome_of(done=False)
    agent.outcomes = [outcome_of(vm=vm_of()), outcome_of()]
    assert not has_error(applied(session, None, open_state(), stored=OPEN))
    assert agent.cancelled == ["operations/1"]
    assert agent.deleted[0].name == f"vms/{VM_ID}"


def test_destroy_of_a_create_that_left_nothing(session: Session, agent: StubAgent) -> None:
    """Where the open create was taken back, or is forgotten, there is nothing to delete."""
    agent.looked_up = outcome_of(error=AgentError("INTERNAL", "no", reason="X"), facts=facts(target=""))
    assert not has_error(applied(session, None, open_state(), stored=OPEN))
    agent.looked_up = AgentError("NOT_FOUND", "no", reason="OPERATION_NOT_FOUND")
    assert not has_error(applied(session, None, open_state(), stored=OPEN))
    assert agent.deleted == []


def test_no_agent(session: Session) -> None:
    """Without a configured agent nothing is changed, and that is said."""
    session.agent = None
    assert has_error(applied(session, None, state_of()))
