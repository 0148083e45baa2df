"""The handlers of creates and deletes."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from aetherv_agent.core.errors import AethervError, Leftover
from aetherv_agent.core.model import HostSettings
from aetherv_agent.core.results import Log, Progress, ScriptResult
from aetherv_agent.operations.handlers import SecretLost
from aetherv_agent.operations.model import Step, StepState
from aetherv_agent.provisioning.create import CreateHandler
from aetherv_agent.provisioning.delete import DeleteHandler
from aetherv_agent.provisioning.requests import ProvisioningSettings
from support.provisioning_fakes import FakeInventories, FakeJobs, FakeWork, create_operation

NOW = datetime(2026, 1, 2, tzinfo=UTC)
VM_ID = "0B5D7F1E-0000-4000-8000-000000000001"
DONE = ScriptResult(NOW, {"vm": {"id": VM_ID}})
PUBLISHED = (Step("publish", StepState.DONE),)


@pytest.fixture
def hosts() -> dict[str, HostSettings]:
    """One configured host."""
    return {"hv01": HostSettings("hv01", "hv01.example.com")}


def creates(
    jobs: FakeJobs, hosts: dict[str, HostSettings], inventories: FakeInventories | None = None
) -> CreateHandler:
    """Return the handler over fake jobs."""
    return CreateHandler(jobs, hosts, ProvisioningSettings(), inventories or FakeInventories())


async def test_a_create_hands_document_and_secrets_apart(hosts: dict[str, HostSettings]) -> None:
    """The document has no secret; the secrets go beside it; the result names the VM."""
    jobs = FakeJobs(answer=DONE)
    work = FakeWork(create_operation(), given={"guest_la_pw": "hunter2"})
    result = await creates(jobs, hosts).do(work)
    assert result["vm"] == {"id": VM_ID}
    assert jobs.calls[0].secrets == {"guest_la_pw": "hunter2"}
    assert "hunter2" not in repr(jobs.calls) + jobs.calls[0].document
    assert ("target", f"vms/{VM_ID.lower()}") in work.told


async def test_records_are_relayed_and_published_secrets_dropped(hosts: dict[str, HostSettings]) -> None:
    """Steps, lines and warnings reach the operation; the end of `publish` ends the need for secrets."""
    records = (
        Progress(NOW, "copy_image", "running", 1, 5, 10),
        Log(NOW, "info", "hello"),
        Log(NOW, "warning", "differs", "NOT_VERIFIED", "vm.vm_name"),
        Progress(NOW, "publish", "done", 1, vm_id=VM_ID.lower()),
    )
    work = FakeWork(create_operation(), given={})
    await creates(FakeJobs(records, DONE), hosts).do(work)
    kinds = [kind for kind, _ in work.told]
    assert kinds[:6] == ["shell", "step", "log", "warn", "target", "step"]
    assert kinds[6] == "published"


async def test_a_scripts_warning_has_the_requests_path(hosts: dict[str, HostSettings]) -> None:
    """A script calls a field by its bare name; told by its path, the warning is the one of submit, and is told once."""
    records = (
        Log(NOW, "warning", "guest_v4_dns1: unused", "DNS_WITHOUT_STATIC", "guest_v4_dns1"),
        Log(NOW, "warning", "differs", "NOT_VERIFIED"),
    )
    work = FakeWork(create_operation(), given={})
    await creates(FakeJobs(records, DONE), hosts).do(work)
    told = [value for kind, value in work.told if kind == "warn"]
    assert told == [("DNS_WITHOUT_STATIC", "unused", "vm.guest_v4_dns1"), ("NOT_VERIFIED", "differs", "")]


async def test_a_host_without_the_secret_means_it_is_lost(hosts: dict[str, HostSettings]) -> None:
    """Started again without its secrets, a job whose host still needs them is lost; a host that lacks nothing is not."""
    missing = AethervError("SECRET_MISSING", "guest_la_pw", host_answered=True)
    jobs = FakeJobs(answer=missing)
    with pytest.raises(SecretLost):
        await creates(jobs, hosts).do(FakeWork(create_operation()))
    assert jobs.calls[0].secrets is None


@pytest.mark.parametrize(
    ("spec", "steps", "undone", "expected"),
    [
        ({}, (), False, True),
        ({}, (), True, False),
        ({"on_failure": "keep"}, (), False, False),
        ({"wait_for_guest": "published"}, (), False, True),
        ({"wait_for_guest": "published"}, PUBLISHED, False, False),
    ],
)
def test_which_failures_are_undone(
    hosts: dict[str, HostSettings],
    spec: dict[str, Any],
    steps: tuple[Step, ...],
    undone: bool,
    expected: bool,
) -> None:
    """A rollback is the agent's matter only if the host has not done it and nothing may stay."""
    error = AethervError("GUEST_FAILED", "x", host_answered=True, undone=undone)
    operation = create_operation(spec=spec, steps=steps)
    assert creates(FakeJobs(), hosts).undoes(operation, error) is expected


@pytest.mark.parametrize(
    ("cause", "policy", "expected"),
    [
        ("OPERATION_CANCELLED", "keep", "rollback"),
        ("OPERATION_DEADLINE", "keep", "keep"),
        ("OPERATION_DEADLINE", "rollback", "rollback"),
    ],
)
async def test_an_undo_is_a_start_with_cancel(
    hosts: dict[str, HostSettings], cause: str, policy: str, expected: str
) -> None:
    """The undo stops the job on the host; only a cancel overrides `keep`."""
    left = (Leftover("vm", "hv01", "x", "y"),)
    jobs = FakeJobs(answer=AethervError("JOB_CANCELLED", "x", host_answered=True, leftovers=left))
    inventories = FakeInventories()
    found = await creates(jobs, hosts, inventories).undo(
        FakeWork(create_operation(spec={"on_failure": policy})), AethervError(cause, "x")
    )
    document = json.loads(jobs.calls[0].document)
    assert (document["cancel"], document["on_failure"], found, inventories.invalidated) == (
        True,
        expected,
        left,
        ["hv01"],
    )


async def test_an_undo_without_a_journal_finds_nothing(hosts: dict[str, HostSettings]) -> None:
    """A job that never reached the host leaves nothing; an unreachable host is not taken for that."""
    jobs = FakeJobs(answer=AethervError("JOB_UNKNOWN", "x", host_answered=True))
    cause = AethervError("OPERATION_CANCELLED", "x")
    assert await creates(jobs, hosts).undo(FakeWork(create_operation()), cause) == ()
    jobs.answer = AethervError("HOST_UNREACHABLE", "x")
    with pytest.raises(AethervError, match="does not answer WinRM"):
        await creates(jobs, hosts).undo(FakeWork(create_operation()), cause)


async def test_a_delete_names_the_vm_by_its_id(hosts: dict[str, HostSettings]) -> None:
    """The document has the GUID and how the VM is stopped; no secret is asked for."""
    jobs = FakeJobs(answer=ScriptResult(NOW, {"existed": True, "deleted": ["a"], "kept": []}))
    operation = create_operation(
        kind="delete",
        target=f"vms/{VM_ID.lower()}",
        spec={"shutdown_mode": "off", "keep_disks": True, "allow_missing": True},
    )
    handler = DeleteHandler(jobs, hosts, ProvisioningSettings(), lambda _: None)
    assert (await handler.do(FakeWork(operation)))["deleted"] == ["a"]
    document = json.loads(jobs.calls[0].document)
    assert document["vm"] == {
        "id": VM_ID.lower(),
        "shutdown_mode": "off",
        "keep_disks": True,
        "allow_missing": True,
    }
    assert jobs.calls[0].secrets is None


@pytest.mark.parametrize(("seconds", "least", "most"), [(20, 9, 10), (3600, 120, 120), (1, 1, 1)])
async def test_a_guest_that_does_not_shut_down_leaves_a_delete_the_time_to_turn_it_off(
    hosts: dict[str, HostSettings], seconds: int, least: int, most: int
) -> None:
    """The graceful wait takes at most half of what is left until the deadline."""
    jobs = FakeJobs(answer=ScriptResult(NOW, {"existed": True}))
    operation = create_operation(
        kind="delete",
        target=f"vms/{VM_ID.lower()}",
        spec={"shutdown_mode": "graceful_then_off", "keep_disks": False, "allow_missing": True},
        deadline=datetime.now(UTC) + timedelta(seconds=seconds),
    )
    await DeleteHandler(jobs, hosts, ProvisioningSettings(), lambda _: None).do(FakeWork(operation))
    assert least <= json.loads(jobs.calls[0].document)["timeouts"]["stop"] <= most
