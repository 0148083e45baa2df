"""What a user of Terraform reads when something fails, and what stands on the host then: a test per row."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from typing import Any

import pytest
from aetherv.v1 import operation_pb2
from aetherv_simhost.faults import Fault
from google.longrunning import operations_pb2
from support.site import Site, eventually
from support.terraform import FLAVOURS, Terraform, available
from support.vm_blocks import vm

pytestmark = pytest.mark.terraform
TerraformFor = Callable[..., Terraform]
MakeSite = Callable[..., Site]


@pytest.fixture
def terraform_flavour() -> str:
    """One Terraform: what the provider says of a fault does not depend on it."""
    return next(flavour for flavour in FLAVOURS if available(flavour))


def nothing_stands(site: Site, terraform: Terraform) -> None:
    """Hold that neither host nor state has a VM."""
    assert (site.vms(), site.vm_folders(), terraform.resources()) == ({}, [], {})


def step_seen(site: Site, step: str) -> Callable[[], bool]:
    """Return a condition: an operation of the site's agent has begun the step."""
    client = site.client()

    def seen() -> bool:
        metadata = operation_pb2.VmOperationMetadata()
        for operation in client.operations.ListOperations(operations_pb2.ListOperationsRequest()).operations:
            operation.metadata.Unpack(metadata)
            if any(known.step == step for known in metadata.steps):
                return True
        return False

    return seen


def test_a_wrong_password_names_host_and_account(make_site: MakeSite, terraform_for: TerraformFor) -> None:
    """A host that refuses the agent's credentials is named with the account, at plan, and gets no VM."""
    site = make_site(password="not-the-password")
    terraform = terraform_for(site, vm())
    result = terraform.plan()
    assert result.returncode == 1
    assert "HOST_AUTHENTICATION_FAILED" in result.words
    assert "hv01" in result.words
    assert "aetherv" in result.words
    assert "not-the-password" not in result.output + site.log("agent")
    nothing_stands(site, terraform)


@pytest.mark.parametrize("kind", ["http_503", "unreachable"])
def test_a_host_that_does_not_answer_at_submit_is_named(
    site: Site, terraform_for: TerraformFor, kind: str
) -> None:
    """A host that is away when a saved plan is applied is an error that names it; nothing is made."""
    terraform = terraform_for(site, vm())
    terraform.plan("-out=saved").returncode  # noqa: B018  # the file is what counts
    site.faults(Fault(kind, count=-1))
    result = terraform.run("apply", "-no-color", "saved")
    assert result.returncode == 1
    assert "HOST_UNREACHABLE" in result.words
    assert "hv01" in result.words
    site.faults()
    nothing_stands(site, terraform)


@pytest.mark.parametrize(
    "fault",
    [
        Fault("reset", where="Receive", count=2),
        Fault("reset_mid", where="Receive", count=1),
        Fault("lost_answer", where="Receive", count=1),
        Fault("http_503", where="Receive", count=2),
        Fault("shells_killed", where="Receive", count=1),
    ],
    ids=lambda fault: f"{fault.kind}-{fault.where}",
)
def test_a_broken_connection_in_mid_job_makes_one_vm(
    make_site: MakeSite, terraform_for: TerraformFor, fault: Fault
) -> None:
    """The job is adopted, or the same job is started again: no error, one VM, nothing left of a second."""
    site = make_site(model={"guest_seconds": {"boot": 4.0}})
    terraform = terraform_for(site, vm())
    process = terraform.start("apply", "-no-color", "-auto-approve", "-input=false")
    eventually(step_seen(site, "wait_ready"), "the guest boots")
    site.faults(fault)
    terraform.finish(process).ok()
    assert list(site.vms()) == ["web-01"]
    assert site.vm_folders() == ["web-01"]
    assert terraform.plan().returncode == 0


def test_a_lost_answer_to_the_start_of_a_job_makes_one_vm(site: Site, terraform_for: TerraformFor) -> None:
    """A job whose start was executed and not answered is found again, not started twice."""
    terraform = terraform_for(site, vm())
    site.faults(Fault("lost_answer", where="Command", after=1))
    terraform.apply().ok()
    assert (list(site.vms()), site.vm_folders()) == (["web-01"], ["web-01"])


def test_an_agent_killed_after_publishing_goes_on(make_site: MakeSite, terraform_for: TerraformFor) -> None:
    """Killed once the secrets are published and started again, the agent ends the same create: one VM, no error."""
    site = make_site(model={"guest_seconds": {"apply": 6.0}})
    terraform = terraform_for(site, vm())
    process = terraform.start("apply", "-no-color", "-auto-approve", "-input=false")
    eventually(step_seen(site, "wait_applied"), "the guest applies")
    site.kill("agent")
    site.start_agent()
    terraform.finish(process).ok()
    assert list(site.vms()) == ["web-01"]
    assert terraform.plan().returncode == 0


def test_a_secret_lost_with_agent_and_host_is_said_and_undone(
    make_site: MakeSite, terraform_for: TerraformFor
) -> None:
    """Killed before the secrets are published, and the host's job with it, the create ends undone and says why."""
    site = make_site(model={"guest_seconds": {"boot": 20.0}})
    terraform = terraform_for(site, vm())
    process = terraform.start("apply", "-no-color", "-auto-approve", "-input=false")
    eventually(step_seen(site, "wait_ready"), "the guest boots")
    site.kill("agent")
    site.kill("simhost")
    site.start_hosts()
    site.start_agent()
    result = terraform.finish(process)
    assert result.returncode == 1
    assert "SECRET_UNAVAILABLE" in result.words
    nothing_stands(site, terraform)


@pytest.mark.parametrize(
    ("fault", "reason"),
    [(Fault("disk_full", count=-1), "DISK_FULL"), (Fault("image_missing", count=-1), "IMAGE_NOT_FOUND")],
)
def test_a_host_without_space_or_image_makes_nothing(
    site: Site, terraform_for: TerraformFor, fault: Fault, reason: str
) -> None:
    """The error has its id and what to do; neither VM nor folder is left."""
    terraform = terraform_for(site, vm())
    terraform.run("plan", "-out=saved", "-input=false").ok()
    site.faults(fault)
    result = terraform.run("apply", "-no-color", "saved")
    assert result.returncode == 1
    assert reason in result.words
    site.faults()
    nothing_stands(site, terraform)


def test_a_taken_name_comes_with_the_import_command(site: Site, terraform_for: TerraformFor) -> None:
    """A name that somebody else took is refused in plan, and at apply of an older plan, with the import command."""
    terraform = terraform_for(site, vm())
    terraform.run("plan", "-out=saved", "-input=false").ok()
    other = terraform_for(site, vm(label="other"), name="other")
    other.apply().ok()
    held = site.vms()["web-01"]["vm"]["id"]
    for result in (terraform.plan(), terraform.run("apply", "-no-color", "saved")):
        assert result.returncode == 1
        assert "VM_ALREADY_EXISTS" in result.words
        assert f"terraform import aetherv_vm.NAME {held}" in result.words
    assert terraform.resources() == {}
    assert list(site.vms()) == ["web-01"]


GUEST_FAULTS = [
    pytest.param(
        {"faults": (Fault("guest_never_ready", count=-1),)}, "GUEST_NOT_READY", "KVP daemon", id="never-ready"
    ),
    pytest.param(
        {"faults": (Fault("guest_fails", value="error applying:mod_hostname", count=-1),)},
        "GUEST_FAILED",
        "error applying:mod_hostname",
        id="fails",
    ),
    pytest.param(
        {"faults": (Fault("guest_restarts", count=-1),)}, "GUEST_RESTARTED", "restarted", id="restarts"
    ),
]


@pytest.mark.parametrize(("how", "reason", "text"), GUEST_FAULTS)
@pytest.mark.parametrize("policy", ["rollback", "keep"])
def test_a_guest_that_fails_is_undone_or_kept_as_asked(
    make_site: MakeSite, terraform_for: TerraformFor, how: dict[str, Any], reason: str, text: str, policy: str
) -> None:
    """The error has its id and the guest's own text; rollback leaves nothing, keep a tainted VM that is replaced."""
    site = make_site(agent_settings={"provisioning": {"wait_ready": 3, "wait_applied": 10}})
    terraform = terraform_for(site, vm(extra=f'on_failure = "{policy}"'))
    site.faults(*how["faults"])
    result = terraform.apply()
    assert result.returncode == 1
    assert reason in result.words
    assert text in result.words
    site.faults()
    if policy == "rollback":
        nothing_stands(site, terraform)
        return
    kept = site.vms()["web-01"]["vm"]["id"]
    resource = terraform.resources()["aetherv_vm.web"]
    assert (resource["tainted"], resource["values"]["id"]) == (True, kept)
    terraform.apply().ok()
    assert list(site.vms()) == ["web-01"]
    assert site.vms()["web-01"]["vm"]["id"] != kept


@pytest.mark.parametrize("policy", ["rollback", "keep"])
def test_ctrl_c_leaves_nothing(make_site: MakeSite, terraform_for: TerraformFor, policy: str) -> None:
    """Ctrl-C in apply cancels the operation and waits for its undo: nothing stands, whatever the policy."""
    site = make_site(model={"guest_seconds": {"boot": 30.0}})
    terraform = terraform_for(site, vm(extra=f'on_failure = "{policy}"'))
    process = terraform.start("apply", "-no-color", "-auto-approve", "-input=false")
    eventually(step_seen(site, "wait_ready"), "the guest boots")
    os.killpg(process.pid, signal.SIGINT)
    result = terraform.finish(process)
    assert result.returncode == 1
    assert "cancel" in result.words.lower()
    nothing_stands(site, terraform)
