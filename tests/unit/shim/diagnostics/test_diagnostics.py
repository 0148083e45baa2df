"""What a user of Terraform reads of the agent's errors."""

from __future__ import annotations

import pytest
from aetherv.errors import AgentError, Violation
from aetherv.v1 import operation_pb2
from terraform_provider_aetherv.diagnostics import from_error, from_warnings, path_of, title

CONFIG = {"guest_la_pw": "x", "guest_domain_joinpw": None}


@pytest.mark.parametrize(
    ("field", "path"),
    [
        ("vm.cpu_cores", ("cpu_cores",)),
        ("secrets.guest_la_pw", ("guest_la_pw",)),
        ("secrets.guest_domain_joinpw", ("guest_domain_joinpw_wo",)),
        ("target_host", ("target_host",)),
        ("wait_for_ip", ("wait_for_ip",)),
        ("vm.name", ()),
        ("request_id", ()),
        ("", ()),
    ],
)
def test_paths(field: str, path: tuple[str, ...]) -> None:
    """A request's field leads to the attribute that the user wrote, or to none."""
    assert path_of(field, CONFIG) == path


def test_titles() -> None:
    """A title names what is known."""
    assert title("create", "web-01", "hv01") == 'Unable to create VM "web-01" on hv01'
    assert title("read", None) == "Unable to read VM"


def test_each_violation_is_an_error_of_its_own() -> None:
    """Several wrong fields are several errors, each at its attribute."""
    error = AgentError(
        "INVALID_ARGUMENT",
        "x",
        reason="FIELD_INVALID",
        violations=(Violation("vm.vlan_id", "must be 0 to 4094"), Violation("request_id", "is none.")),
    )
    found = from_error("T", error, config=CONFIG, stands="Nothing.")
    assert [(item.path, item.detail) for item in found] == [
        (("vlan_id",), "vlan_id must be 0 to 4094. Nothing."),
        ((), "request_id is none. Nothing."),
    ]


def test_error_tells_id_advice_and_what_stands() -> None:
    """Message, advice in Terraform's words, the stable id and what stands make the detail."""
    error = AgentError(
        "ABORTED", "Somebody makes it", reason="CREATE_IN_PROGRESS", metadata={"operation": "operations/7"}
    )
    (found,) = from_error("T", error, config=None, stands="Nothing was made.")
    assert found.detail.startswith("Somebody makes it. Another create works on this name.")
    assert "aetherv operations cancel operations/7" in found.detail
    assert found.detail.endswith("(Error id: CREATE_IN_PROGRESS.) Nothing was made.")


def test_import_command_is_said_once() -> None:
    """A taken name is at vm_name, with the import command unless the agent's text has it."""
    facts = {"vm": "vms/abc", "field": "vm.vm_name"}
    short = AgentError("ALREADY_EXISTS", "Taken", reason="VM_ALREADY_EXISTS", metadata=facts)
    (found,) = from_error("T", short, config=None)
    assert "terraform import aetherv_vm.NAME abc" in found.detail
    assert found.path == ("vm_name",)
    full = AgentError("ALREADY_EXISTS", "Taken by abc", reason="VM_ALREADY_EXISTS", metadata=facts)
    assert "import" not in from_error("T", full, config=None)[0].detail


def test_name_that_another_create_works_on_is_at_the_name() -> None:
    """Two resources of one name: the loser's error is at vm_name, and at no attribute of a VM that is destroyed."""
    busy = AgentError(
        "ABORTED", "busy", reason="OPERATION_IN_PROGRESS", metadata={"operation": "operations/7"}
    )
    assert from_error("T", busy, config=CONFIG)[0].path == ("vm_name",)
    assert from_error("T", busy, config=None)[0].path == ()


def test_warnings() -> None:
    """The agent's warnings are at their attributes."""
    raw = [
        operation_pb2.Warning(reason="A", field="vm.guest_v4_dns1", message="no DNS"),
        operation_pb2.Warning(reason="B", message="slow"),
    ]
    first, second = from_warnings(raw, None)
    assert (first.path, first.summary) == (("guest_v4_dns1",), "guest_v4_dns1: no DNS")
    assert (second.path, second.summary) == ((), "slow")
