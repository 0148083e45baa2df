"""Looking at a VM, and taking one over."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from aetherv.v1 import operation_pb2, vm_pb2
from terraform_provider_aetherv.agent import AgentError
from terraform_provider_aetherv.plugin.messages import (
    ClientCapabilities,
    ImportRequest,
    ReadRequest,
    ReadResponse,
    UpgradeStateRequest,
)
from terraform_provider_aetherv.resources.session import Session
from terraform_provider_aetherv.resources.vm import private
from terraform_provider_aetherv.resources.vm.import_ import guid, import_vm
from terraform_provider_aetherv.resources.vm.model import facts, observed
from terraform_provider_aetherv.resources.vm.read import read
from terraform_provider_aetherv.resources.vm.resource import VmResource
from terraform_provider_aetherv.resources.vm.schema import ATTRIBUTES

from .conftest import VM_ID, StubAgent, outcome_of, state_of, vm_of

OPEN = private.Private(operation="operations/1").encode()


def seen(session: Session, state: dict[str, Any], stored: bytes = b"") -> ReadResponse:
    """Read a VM."""
    return read(
        ReadRequest(state=state, private=stored, identity=None, capabilities=ClientCapabilities()), session
    )


def test_nothing_new(session: Session, agent: StubAgent) -> None:
    """A VM that is as it was gives the state as it was."""
    agent.vm = vm_of()
    response = seen(session, state_of())
    assert response.state == state_of()
    assert response.identity == {"id": VM_ID}


def test_drift(session: Session, agent: StubAgent) -> None:
    """Everything that can be changed outside is seen; what acts once and target_host are not touched."""
    agent.vm = vm_of(
        vm_name="other",
        gb_ram=1.501953125,
        cpu_cores=4,
        vlan_id=5,
        virtual_switch="Lab",
        vm_clustered=True,
        power_state=vm_pb2.POWER_STATE_OFF,
        state=vm_pb2.Vm.STATE_OFF,
        notes="changed",
        host="hv02",
        image_name="Other",
        guest_la_uid="other",
    )
    response = seen(session, state_of(notes="mine"))
    assert response.state == state_of(
        vm_name="other",
        gb_ram=Decimal("1.501953125"),
        cpu_cores=4,
        vlan_id=5,
        virtual_switch="Lab",
        vm_clustered=True,
        power_state="off",
        state="off",
        notes="changed",
        host="hv02",
    )


def test_meaning_counts_not_writing(session: Session, agent: StubAgent) -> None:
    """Names in other letters stay as they are written."""
    agent.vm = vm_of(vm_name="WEB-01", virtual_switch="external")
    response = seen(session, state_of())
    assert response.state is not None
    assert (response.state["vm_name"], response.state["virtual_switch"]) == ("web-01", "External")


def test_addresses_of_a_vm_that_is_off_are_gone(session: Session, agent: StubAgent) -> None:
    """The last known addresses stay while the VM runs, and go when it is off."""
    agent.vm = vm_of(ip_addresses=[])
    running = seen(session, state_of()).state
    assert running is not None
    assert running["ip_addresses"] == ["192.0.2.10"]
    agent.vm = vm_of(ip_addresses=[], state=vm_pb2.Vm.STATE_OFF, power_state=vm_pb2.POWER_STATE_OFF)
    off = seen(session, state_of()).state
    assert off is not None
    assert off["ip_addresses"] == []
    assert off["ipv4_address"] is None


def test_gone_and_unsure(session: Session, agent: StubAgent) -> None:
    """Only a definite "not found" removes; every error leaves the state and is told."""
    assert seen(session, state_of()).state is None
    for code in ("UNAVAILABLE", "NOT_FOUND", "PERMISSION_DENIED", "DEADLINE_EXCEEDED"):
        agent.errors = [AgentError(code, "who knows")]
        response = seen(session, state_of())
        assert response.diagnostics, code


def test_open_create(session: Session, agent: StubAgent) -> None:
    """A create that nobody saw the end of is looked up: made, taken back, running, or forgotten."""
    state = state_of(id=None, host=None)
    agent.vm = vm_of()
    facts_ = operation_pb2.VmOperationMetadata(target=f"vms/{VM_ID}", host="hv01")
    agent.looked_up = outcome_of(vm=vm_of(), facts=facts_)
    made = seen(session, state, OPEN)
    assert made.state is not None
    assert made.state["id"] == VM_ID
    assert private.decode(made.private).operation == ""
    assert session.known.all() == {VM_ID}
    agent.looked_up = outcome_of(error=AgentError("INTERNAL", "no", reason="X"), facts=facts_)
    assert seen(session, state, OPEN).state is None
    agent.looked_up = outcome_of(done=False)
    assert seen(session, state, OPEN).diagnostics
    agent.looked_up = AgentError("NOT_FOUND", "no", reason="OPERATION_NOT_FOUND")
    forgotten = seen(session, state, OPEN)
    assert (forgotten.state, forgotten.diagnostics) == (None, ())
    agent.looked_up = AgentError("UNAVAILABLE", "away")
    assert seen(session, state, OPEN).diagnostics


def test_unknown_settings_leave_the_state(session: Session) -> None:
    """Without an agent the state is as last known."""
    session.agent = None
    assert seen(session, state_of()).state == state_of()


def test_ids_are_remembered(session: Session, agent: StubAgent) -> None:
    """Reading and upgrading a state remember its VM."""
    agent.vm = vm_of()
    seen(session, state_of())
    VmResource(session).upgrade_state(UpgradeStateRequest(version=0, state=None, raw={"id": "ANOTHER"}))
    VmResource(session).upgrade_state(UpgradeStateRequest(version=0, state=None, raw={"id": None}))
    assert session.known.all() == {VM_ID, "another"}


@pytest.mark.parametrize(
    "text",
    [VM_ID, VM_ID.upper(), "{" + VM_ID + "}", VM_ID.replace("-", ""), f" {VM_ID} ", f"vms/{VM_ID}"],
)
def test_guid_in_any_form(text: str) -> None:
    """An id is read in every form that Windows tools print."""
    assert guid(text) == VM_ID


@pytest.mark.parametrize("text", ["", "web-01", "hv01/web-01", VM_ID[:-1], "{" + VM_ID, VM_ID + "}"])
def test_no_guid(text: str) -> None:
    """Anything else is none."""
    assert guid(text) is None


def test_import(session: Session, agent: StubAgent) -> None:
    """Settings get their defaults, facts come from the record, secrets stay null."""
    agent.vm = vm_of(guest_la_uid="admin1", notes="")
    request = ImportRequest(id=VM_ID.upper(), identity=None, capabilities=ClientCapabilities())
    response = import_vm(request, session)
    state = response.state
    assert state is not None
    assert state.keys() == {attribute.name for attribute in ATTRIBUTES}
    assert (state["wait_for_guest"], state["deletion_protection"]) == (True, False)
    assert (state["guest_la_uid"], state["notes"], state["target_host"]) == ("admin1", None, "hv01")
    assert state["guest_la_pw"] is None
    assert private.decode(response.private).origin == private.IMPORTED
    assert response.identity == {"id": VM_ID}


def test_import_by_identity_and_what_is_not_there(session: Session, agent: StubAgent) -> None:
    """An identity does as well as an id; a VM that is not there is an error."""
    request = ImportRequest(id="", identity={"id": VM_ID}, capabilities=ClientCapabilities())
    assert import_vm(request, session).diagnostics[0].summary == "VM not found"
    agent.errors = [AgentError("UNAVAILABLE", "away")]
    assert "away" in import_vm(request, session).diagnostics[0].detail


def test_numbers_and_enums_of_a_newer_agent() -> None:
    """Memory is exact, and a state that this version does not know is told as unknown."""
    vm = vm_of(gb_ram=0.5)
    vm.state = 42  # type: ignore[assignment]  # a value to come
    result = observed(vm)
    assert result["gb_ram"] == Decimal("0.5")
    assert isinstance(observed(vm_of())["gb_ram"], int)
    assert result["state"] == "unknown"
    assert facts(vm_pb2.Vm())["image_name"] is None


def test_private_of_another_version() -> None:
    """Private data that can't be read are as good as none."""
    assert private.decode(b"\xff") == private.Private()
    assert private.decode(b"[]") == private.Private()
    assert private.decode(b'{"origin": "imported", "more": 1, "operation": 3}').origin == "imported"
