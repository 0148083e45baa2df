"""How changes are planned: what is unknown, what replaces, what is recorded, what is refused."""

from __future__ import annotations

from typing import Any

import pytest
from aetherv.v1 import operation_pb2
from terraform_provider_aetherv.agent import AgentError
from terraform_provider_aetherv.cty.values import UNKNOWN
from terraform_provider_aetherv.plugin.messages import ClientCapabilities, PlanRequest, PlanResponse, Severity
from terraform_provider_aetherv.resources.session import Session
from terraform_provider_aetherv.resources.vm import private
from terraform_provider_aetherv.resources.vm.plan import plan

from .conftest import VM_ID, StubAgent, config_of, state_of

TAKEN = AgentError("ALREADY_EXISTS", "taken", reason="VM_ALREADY_EXISTS", metadata={"vm": f"vms/{VM_ID}"})
FULL = AgentError("RESOURCE_EXHAUSTED", "no memory", reason="MEMORY_INSUFFICIENT")


def planned(
    session: Session, config: dict[str, Any] | None, prior: dict[str, Any] | None = None, stored: bytes = b""
) -> PlanResponse:
    """Plan a change."""
    return plan(
        PlanRequest(
            prior=prior,
            proposed=config,
            config=config,
            prior_private=stored,
            planned_private=b"",
            prior_identity=None,
            capabilities=ClientCapabilities(),
        ),
        session,
    )


def errors(response: PlanResponse) -> list[tuple[Any, ...]]:
    """Give the paths of errors."""
    return [item.path for item in response.diagnostics if item.severity is Severity.ERROR]


def warnings(response: PlanResponse) -> list[tuple[Any, ...]]:
    """Give the paths of warnings."""
    return [item.path for item in response.diagnostics if item.severity is Severity.WARNING]


def test_create_knows_all_but_what_the_host_decides(session: Session, agent: StubAgent) -> None:
    """Defaults, family and unset values are known in the plan of a create; host, switch and results are not."""
    response = planned(session, config_of())
    assert response.diagnostics == ()
    result = response.planned
    assert result is not None
    assert result["os_family"] == "linux"
    assert (result["vlan_id"], result["vm_clustered"], result["power_state"]) == (0, False, "running")
    assert result["shutdown_mode"] == "graceful_then_off"
    assert result["guest_la_pw_wo"] is None
    for name in ("virtual_switch", "target_host", "id", "host", "ip_addresses", "verified"):
        assert result[name] is UNKNOWN, name
    (request,) = agent.checks
    assert request.vm.vm_name == "web-01"
    assert not request.HasField("secrets")


def test_update_without_a_difference_plans_the_prior_state(session: Session, agent: StubAgent) -> None:
    """Nothing becomes unknown over an update, and the agent is not asked."""
    response = planned(session, config_of(), state_of())
    assert response.planned == state_of()
    assert response.requires_replace == ()
    assert response.identity == {"id": VM_ID}
    assert agent.checks == []


def test_unknown_values_wait(session: Session, agent: StubAgent) -> None:
    """A create with an unknown name or image is planned without the agent."""
    for name in ("vm_name", "image_name"):
        response = planned(session, config_of(**{name: UNKNOWN}))
        assert errors(response) == []
        assert response.planned is not None
        assert response.planned[name] is UNKNOWN
        assert response.planned["os_family"] == (UNKNOWN if name == "image_name" else "linux")
    assert agent.checks == []


def test_unknown_secret_does_not_keep_the_agent_from_checking(session: Session, agent: StubAgent) -> None:
    """A check carries no secret, so an unknown one is no reason to leave it out."""
    assert errors(planned(session, config_of(guest_la_pw_wo=UNKNOWN))) == []
    assert len(agent.checks) == 1


@pytest.mark.parametrize(
    ("changed", "path"),
    [
        ({"image_name": "Debian 12"}, "image_name"),
        ({"os_family": "windows"}, "os_family"),
        ({"image_name": UNKNOWN}, "image_name"),
        ({"guest_replace_on_change": True, "guest_la_uid": "other"}, "guest_la_uid"),
        ({"guest_replace_on_change": True, "guest_la_pw_wo_version": 2}, "guest_la_pw_wo_version"),
    ],
)
def test_what_replaces(session: Session, changed: dict[str, Any], path: str) -> None:
    """Image, family and, when asked, what acts once replace; the old id goes to the plan of the new VM."""
    response = planned(session, config_of(**changed), state_of())
    assert (path,) in response.requires_replace
    assert private.decode(response.private).replaces == VM_ID


@pytest.mark.parametrize(
    ("prior", "changed"),
    [
        ({"image_name": None, "os_family": None}, {}),
        ({"guest_la_uid": None}, {"guest_replace_on_change": True}),
        ({}, {"image_name": None}),
        ({}, {"guest_la_uid": None, "guest_replace_on_change": True}),
        ({}, {"guest_la_pw_wo_version": 2}),
        ({}, {"guest_v4_ipaddr": "192.0.2.99"}),
        ({"host": "hv02"}, {}),
        ({"notes": "found"}, {}),
        ({"vlan_id": 9, "virtual_switch": "Other", "power_state": "off", "vm_clustered": True}, {}),
    ],
)
def test_what_never_replaces(session: Session, prior: dict[str, Any], changed: dict[str, Any]) -> None:
    """From null, to null, a moved VM, what acts once and what is not configured neither replace nor fail."""
    response = planned(session, config_of(**changed), state_of(**prior))
    assert response.requires_replace == ()
    assert errors(response) == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("vm_name", "web-02"),
        ("gb_ram", 4),
        ("cpu_cores", 4),
        ("vlan_id", 5),
        ("virtual_switch", "Lab"),
        ("power_state", "off"),
        ("vm_clustered", True),
    ],
)
def test_what_needs_an_update_is_refused(session: Session, name: str, value: Any) -> None:
    """A change that only UpdateVm could make is an error at its attribute."""
    assert errors(planned(session, config_of(**{name: value}), state_of())) == [(name,)]


def test_unknown_change_waits_for_apply(session: Session) -> None:
    """An unknown size of a VM that exists is planned as unknown: apply plans it again."""
    response = planned(session, config_of(cpu_cores=UNKNOWN), state_of())
    assert errors(response) == []
    assert response.planned is not None
    assert response.planned["cpu_cores"] is UNKNOWN


def test_notes_given_up_are_recorded(session: Session) -> None:
    """Notes that leave the configuration are left as found."""
    response = planned(session, config_of(), state_of(notes="mine"))
    assert response.planned is not None
    assert response.planned["notes"] is None
    assert errors(response) == []
    assert errors(planned(session, config_of(notes="new"), state_of(notes="old"))) == [("notes",)]


def test_notes_that_come_later_are_refused(session: Session) -> None:
    """Notes set on a VM without configured ones would need a call: recorded, they would be a lie until the next read."""
    assert errors(planned(session, config_of(notes="new"), state_of(notes=None))) == [("notes",)]
    assert errors(planned(session, config_of(notes=""), state_of(notes=None))) == []


def test_long_text_is_cut_in_messages(session: Session) -> None:
    """A refusal quotes the beginning of a long text, in one line."""
    response = planned(session, config_of(notes="n" * 4000), state_of(notes="a\nb"))
    detail = response.diagnostics[0].detail
    assert '"a\\nb"' in detail
    assert len(detail) < 400  # a message that fits a screen


def test_what_acts_once_is_warned_of_once(session: Session) -> None:
    """Several changes that do not reach the guest are one warning at the first of them."""
    response = planned(session, config_of(guest_la_uid="other", guest_v4_dns1="192.0.2.53"), state_of())
    assert warnings(response) == [("guest_la_uid",)]
    assert "guest_v4_dns1" in response.diagnostics[0].summary


def test_password_that_comes_into_the_state_later_is_warned_of(session: Session) -> None:
    """A change to the plain password stores it: said then, and not again by each plan after it."""
    config = config_of(guest_la_pw="Secret-Value-2", guest_la_pw_wo=None, guest_la_pw_wo_version=None)
    told = planned(session, config, state_of(guest_la_pw_wo_version=None))
    assert ("guest_la_pw",) in warnings(told)
    assert any("stored in Terraform's state" in item.summary for item in told.diagnostics)
    prior = state_of(guest_la_pw="Secret-Value-2", guest_la_pw_wo_version=None)
    assert planned(session, config, prior).diagnostics == ()


def test_filling_in_after_an_import_is_silent(session: Session) -> None:
    """A null of an imported VM means "unknown": to write it down is no change of the guest."""
    stored = private.Private(origin=private.IMPORTED).encode()
    response = planned(session, config_of(), state_of(guest_la_uid=None, guest_la_pw_wo_version=None), stored)
    assert response.diagnostics == ()
    assert response.private == stored


@pytest.mark.parametrize("reason", ["VM_ALREADY_EXISTS", "CREATE_IN_PROGRESS"])
def test_taken_name_of_a_known_vm_is_a_warning(session: Session, agent: StubAgent, reason: str) -> None:
    """The holder is read from the set after the answer, warned of, and ignored in the second check."""
    agent.errors = [AgentError("ABORTED", "taken", reason=reason, metadata={"vm": f"vms/{VM_ID}"})]
    agent.on_check = lambda: session.known.remember(VM_ID.upper())
    response = planned(session, config_of())
    assert errors(response) == []
    assert warnings(response) == [("vm_name",)]
    assert [list(check.ignore_vms) for check in agent.checks] == [[], [f"vms/{VM_ID}"]]


def test_taken_name_of_a_stranger_is_an_error(session: Session, agent: StubAgent) -> None:
    """A holder that this run does not know is an error."""
    agent.errors = [TAKEN]
    session.known.remember("another")
    assert len(errors(planned(session, config_of()))) == 1
    assert len(agent.checks) == 1


def test_room_held_by_known_vms(session: Session, agent: StubAgent) -> None:
    """A full host is an error only if it stays full without the VMs of this run."""
    session.known.remember(VM_ID)
    agent.errors = [FULL]
    assert errors(planned(session, config_of())) == []
    agent.errors = [FULL, FULL]
    assert len(errors(planned(session, config_of()))) == 1


def test_replacement_ignores_the_vm_that_it_replaces(session: Session, agent: StubAgent) -> None:
    """The create leg of a replace checks as if the old VM were gone, without a warning."""
    response = planned(session, config_of(), stored=private.Private(replaces=VM_ID).encode())
    assert response.diagnostics == ()
    assert list(agent.checks[0].ignore_vms) == [f"vms/{VM_ID}"]


def test_warnings_of_the_agent(session: Session, agent: StubAgent) -> None:
    """A check's warnings are at their attributes, and apply knows that they were told."""
    agent.warnings = [operation_pb2.Warning(reason="SLOW", field="vm.gb_ram", message="swaps")]
    response = planned(session, config_of())
    assert warnings(response) == [("gb_ram",)]
    assert private.decode(response.private).warned == "SLOW"


def test_a_plan_within_an_apply_leaves_the_check_to_the_create(session: Session, agent: StubAgent) -> None:
    """An error there would leave the VM that is to be replaced as a deposed object, which no later apply gets rid of."""
    config = config_of()
    capabilities = ClientCapabilities(deferral_allowed=True)
    agent.errors = [TAKEN]
    response = plan(
        PlanRequest(
            prior=None,
            proposed=config,
            config=config,
            prior_private=b"",
            planned_private=b"",
            prior_identity=None,
            capabilities=capabilities,
        ),
        session,
    )
    assert response.diagnostics == ()
    assert agent.checks == []


def test_agent_that_is_away_is_an_error(session: Session, agent: StubAgent) -> None:
    """A plan that can't be checked fails and says which agent."""
    agent.errors = [AgentError("UNAVAILABLE", "The agent at agent.test:1 can't be reached: no route")]
    response = planned(session, config_of())
    assert "agent.test:1" in response.diagnostics[0].detail


def test_without_an_agent_the_checks_are_left_out(session: Session) -> None:
    """Unknown provider settings skip the agent, not the shim's own checks."""
    session.agent = None
    assert planned(session, config_of()).diagnostics == ()
    assert errors(planned(session, config_of(guest_la_uid=None))) == [("guest_la_uid",)]


def test_protected(session: Session) -> None:
    """Destroy and replacement of a protected VM are refused."""
    prior = state_of(deletion_protection=True)
    assert errors(planned(session, None, prior)) == [("deletion_protection",)]
    assert errors(planned(session, config_of(image_name="Debian"), prior)) == [("deletion_protection",)]
    assert errors(planned(session, None, state_of())) == []
