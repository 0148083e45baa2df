"""How failures end: what Terraform's user reads, what the state says, and what stands."""

from __future__ import annotations

import os
import signal
import threading
import time
from typing import TYPE_CHECKING

import pytest
from aetherv.v1 import operation_pb2
from support.fake_agent import status

from .conftest import PASSWORD, vm_config

if TYPE_CHECKING:
    from .conftest import Site

pytestmark = pytest.mark.terraform

GUEST_FAILED = status("FAILED_PRECONDITION", "GUEST_FAILED", "The guest said: error applying:modules")


def test_rolled_back_create_leaves_no_state(one_site: Site) -> None:
    """A create that fails and is taken back is an error with the guest's text, and nothing is in the state."""
    one_site.agent.faults.fail_at["wait_applied"] = GUEST_FAILED
    one_site.write(vm_config())
    result = one_site.terraform.apply()
    assert result.returncode == 1
    assert 'Unable to create VM "web-01" on hv01' in result.words
    assert "The guest said: error applying:modules." in result.words
    assert "GUEST_FAILED" in result.words
    assert "Nothing of it stands" in result.words
    assert PASSWORD not in result.output
    assert one_site.terraform.resources() == {}
    assert one_site.agent.vms == {}


def test_kept_vm_is_tainted_and_replaced_by_the_next_apply(site: Site) -> None:
    """With on_failure = keep the VM stands in the state as tainted; the next apply replaces it."""
    site.agent.faults.fail_at["wait_applied"] = GUEST_FAILED
    site.write(vm_config('  on_failure = "keep"'))
    result = site.terraform.apply()
    assert result.returncode == 1
    assert "The VM is in the state as tainted" in result.words
    resource = site.terraform.resources()["aetherv_vm.web"]
    assert resource["tainted"] is True
    kept = resource["values"]["id"]
    assert list(site.agent.vms) == [kept]
    site.agent.faults.fail_at.clear()
    site.terraform.apply().ok()
    assert kept not in site.agent.vms
    assert len(site.agent.vms) == 1
    site.no_changes()


def test_undo_that_failed_is_told_and_kept_in_the_state(one_site: Site) -> None:
    """What an undo could not remove is listed, and its VM is not lost to Terraform."""
    one_site.agent.faults.fail_at["verify"] = GUEST_FAILED
    one_site.agent.faults.undo_leaves = (
        operation_pb2.Leftover(kind="vm", host="hv01", path=r"C:\VMs\web-01", message="it is locked"),
    )
    one_site.write(vm_config())
    result = one_site.terraform.apply()
    assert result.returncode == 1
    assert r"vm C:\VMs\web-01 on hv01 (it is locked)" in result.words
    assert one_site.terraform.resources()["aetherv_vm.web"]["tainted"] is True


def test_wrong_token(started_site: Site) -> None:
    """A wrong token is an error in plan that says so and does not hold the token."""
    started_site.terraform.env["AETHERV_TOKEN"] = "wrong-token-8813"
    started_site.write(vm_config())
    result = started_site.terraform.plan()
    assert result.returncode == 1
    assert "The token is not valid" in result.words
    assert "wrong-token-8813" not in result.output


def test_agent_away_is_an_error_and_the_state_stays(one_site: Site) -> None:
    """An agent that is away is named, in plan and in destroy, and nothing leaves the state."""
    one_site.applied(vm_config())
    before = (one_site.terraform.workdir / "terraform.tfstate").read_bytes()
    one_site.agent.stop()
    for result in (one_site.terraform.plan(), one_site.terraform.destroy()):
        assert result.returncode == 1
        assert f"The agent at {one_site.agent.endpoint} can't be reached" in result.words
    assert (one_site.terraform.workdir / "terraform.tfstate").read_bytes() == before
    one_site.agent.start()
    one_site.no_changes()


def test_unreachable_host_is_never_a_removal(one_site: Site) -> None:
    """A read that no host answers is an error, and the VM stays in the state."""
    one_site.applied(vm_config())
    one_site.agent.faults.refuse["ReadVm"] = status(
        "UNAVAILABLE", "HOST_UNREACHABLE", "hv01 does not answer WinRM"
    )
    result = one_site.terraform.plan()
    assert result.returncode == 1
    assert 'Unable to read VM "web-01" on hv01' in result.words
    assert "hv01 does not answer WinRM" in result.words
    assert "aetherv_vm.web" in one_site.terraform.resources()


def test_not_found_without_the_agents_reason_is_never_a_removal(one_site: Site) -> None:
    """A NOT_FOUND that is not the agent's word about this VM is an error."""
    one_site.applied(vm_config())
    one_site.agent.faults.refuse["ReadVm"] = status("NOT_FOUND", "HOST_NOT_FOUND", "no such host")
    assert one_site.terraform.plan().returncode == 1
    assert "aetherv_vm.web" in one_site.terraform.resources()


def test_checks_of_the_agent_carry_the_attributes_path(one_site: Site) -> None:
    """Every violation of the agent is an error at its attribute, a secret's at the way it was given."""
    one_site.agent.faults.refuse["validate"] = status(
        "INVALID_ARGUMENT",
        "FIELD_INVALID",
        "wrong fields",
        violations={
            "vm.image_name": "no such image",
            "secrets.guest_la_pw": "is weak",
            "target_host": "is unknown",
        },
    )
    one_site.write(vm_config())
    result = one_site.terraform.plan()
    assert result.returncode == 1
    assert "image_name no such image." in result.words
    assert "guest_la_pw_wo is weak." in result.words
    assert "target_host is unknown." in result.words
    assert 'image_name = "Ubuntu 24.04"' in result.words


def test_refused_at_submit(one_site: Site) -> None:
    """A create that is refused after its plan says what was made: nothing."""
    one_site.write(vm_config())
    one_site.terraform.plan("-out=saved")
    one_site.agent.faults.refuse["submit"] = status(
        "RESOURCE_EXHAUSTED", "DISK_FULL", "The volume has 1 GB left", metadata={"host": "hv01"}
    )
    result = one_site.terraform.apply("saved")
    assert result.returncode == 1
    assert "The volume has 1 GB left. (Error id: DISK_FULL.) Nothing was made." in result.words


def test_lost_connection_is_survived(one_site: Site) -> None:
    """A watch that is cut off after each event goes on where it was."""
    one_site.agent.faults.drop_watch = 6
    one_site.applied(vm_config())
    assert len(one_site.agent.creates) == 1
    assert one_site.vm()["guest_state"] == "applied"


def test_without_waiting_for_the_guest(one_site: Site) -> None:
    """wait_for_guest = false returns once the data are published, and a later failure keeps the VM."""
    release = one_site.agent.faults.hold_at["wait_applied"] = threading.Event()
    one_site.applied(vm_config("  wait_for_guest = false"))
    assert one_site.vm()["guest_state"] == "applying"
    one_site.agent.faults.fail_at["wait_applied"] = GUEST_FAILED
    release.set()
    one_site.agent.settle()
    assert list(one_site.agent.vms) == [one_site.vm()["id"]]
    one_site.no_changes()


def test_create_that_nobody_saw_the_end_of_is_looked_up(one_site: Site) -> None:
    """A create that can't be followed is in the state; the next run finds out how it ended and replaces its VM."""
    hold = one_site.agent.faults.hold_at["copy_image"] = threading.Event()
    one_site.agent.faults.refuse["WatchOperation"] = status(
        "PERMISSION_DENIED", "PERMISSION_DENIED", "not you"
    )
    one_site.write(vm_config())
    result = one_site.terraform.apply()
    assert result.returncode == 1
    assert "goes on in the agent" in result.words
    assert one_site.terraform.resources()["aetherv_vm.web"]["tainted"] is True
    assert one_site.vm()["id"] is None
    running = one_site.terraform.plan()
    assert running.returncode == 1
    assert "still makes it" in running.words
    hold.set()
    one_site.agent.settle()
    del one_site.agent.faults.refuse["WatchOperation"]
    (first,) = one_site.agent.vms
    one_site.terraform.apply().ok()
    assert first not in one_site.agent.vms
    assert len(one_site.agent.vms) == 1
    one_site.no_changes()


def test_create_that_nobody_saw_the_end_of_is_destroyed(one_site: Site) -> None:
    """Destroy without a refresh cancels a create that still runs, and leaves nothing."""
    one_site.agent.faults.hold_at["wait_ready"] = threading.Event()
    one_site.agent.faults.refuse["WatchOperation"] = status(
        "PERMISSION_DENIED", "PERMISSION_DENIED", "not you"
    )
    one_site.write(vm_config())
    assert one_site.terraform.apply().returncode == 1
    del one_site.agent.faults.refuse["WatchOperation"]
    one_site.terraform.destroy("-refresh=false").ok()
    assert len(one_site.agent.cancels) == 1
    assert one_site.agent.vms == {}


def interrupt(site: Site, step: str) -> str:
    """Apply, and press Ctrl-C once a step works; give the output."""
    site.agent.faults.hold_at[step] = threading.Event()
    process = site.terraform.start("apply", "-no-color", "-input=false", "-auto-approve")
    deadline = time.monotonic() + 60
    while not any(s.step == step for o in list(site.agent.operations.values()) for s in o.facts.steps):
        assert time.monotonic() < deadline, "the step never came"
        time.sleep(0.05)
    # Ctrl-C reaches the whole process group.
    os.killpg(process.pid, signal.SIGINT)
    result = site.terraform.finish(process)
    assert result.returncode != 0
    return result.words


def test_ctrl_c_cancels_and_leaves_nothing(site: Site) -> None:
    """Ctrl-C cancels the operation, waits for its undo and says that nothing stands."""
    site.write(vm_config())
    words = interrupt(site, "wait_ready")
    assert 'Cancelled: create of VM "web-01" on hv01' in words
    assert "Nothing of it stands" in words
    assert len(site.agent.cancels) == 1
    assert site.agent.vms == {}
    assert site.terraform.resources() == {}


def test_ctrl_c_with_keep_is_tainted(started_site: Site) -> None:
    """A cancelled create that keeps its VM leaves it in the state, tainted."""
    started_site.write(vm_config('  on_failure = "keep"'))
    interrupt(started_site, "wait_ready")
    assert started_site.terraform.resources()["aetherv_vm.web"]["tainted"] is True
    assert len(started_site.agent.vms) == 1


def test_failed_destroy_keeps_the_state(one_site: Site) -> None:
    """A VM that can't be removed stays in the state with the host's reason."""
    one_site.applied(vm_config())
    one_site.agent.faults.fail_at["remove_vm"] = status("INTERNAL", "VM_REMOVE_FAILED", "Hyper-V refused")
    result = one_site.terraform.destroy()
    assert result.returncode == 1
    assert 'Unable to delete VM "web-01" on hv01' in result.words
    assert "Hyper-V refused. (Error id: VM_REMOVE_FAILED.)" in result.words
    assert "aetherv_vm.web" in one_site.terraform.resources()


def test_vm_that_is_gone_already_is_destroyed(one_site: Site) -> None:
    """Destroy of a VM that somebody removed succeeds."""
    one_site.applied(vm_config())
    one_site.agent.vms.clear()
    one_site.terraform.destroy("-refresh=false").ok()
    assert one_site.terraform.resources() == {}


@pytest.mark.parametrize(
    ("changed", "extra", "expected"),
    [
        ({"cpu_cores": "65"}, "", "cpu_cores must be 1 to 64"),
        ({"cpu_cores": "null"}, "", "cpu_cores is missing"),
        ({}, 'guest_v4_ipaddr = "192.0.2.10"', "guest_v4_cidrprefix is missing"),
        ({}, 'guest_la_pw = "x"', "guest_la_pw is given twice"),
    ],
)
def test_bad_input_is_refused_in_plan(
    one_site: Site, changed: dict[str, str], extra: str, expected: str
) -> None:
    """What a plan can judge alone is an error at the attribute, before the agent is asked."""
    one_site.write(vm_config(f"  {extra}", **changed))
    result = one_site.terraform.plan()
    assert result.returncode == 1
    assert expected in result.words
    assert "with aetherv_vm.web" in result.words
    assert one_site.agent.checks == []


def test_provider_settings_that_only_apply_knows(started_site: Site) -> None:
    """With an unknown endpoint the plan leaves the agent's checks out, and the apply works."""
    del started_site.terraform.env["AETHERV_ENDPOINT"]
    endpoint = f"""
resource "terraform_data" "agent" {{ input = "{started_site.agent.endpoint}" }}
provider "aetherv" {{ endpoint = terraform_data.agent.output }}
"""
    started_site.write(endpoint + vm_config())
    plan = started_site.terraform.plan()
    assert plan.returncode == 2, plan.output
    assert started_site.agent.checks == []
    started_site.terraform.apply().ok()
    assert len(started_site.agent.vms) == 1
    started_site.no_changes()


def test_provider_without_an_endpoint(started_site: Site) -> None:
    """A provider that nobody told where the agent is says which setting and variable are missing."""
    del started_site.terraform.env["AETHERV_ENDPOINT"]
    started_site.write(vm_config())
    result = started_site.terraform.plan()
    assert result.returncode == 1
    assert "endpoint is missing: set it, or AETHERV_ENDPOINT" in result.words
