"""A job that was stopped, cancelled or left by its process: who goes on with it, and what it makes then."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import pytest
from aetherv_simhost.backends.api import HostReboots

STEPS = [
    "copy_image",
    "copy_iso",
    "register_vm",
    "wait_ready",
    "publish",
    "wait_applied",
    "verify",
    "cleanup_iso",
]
NOTHING: tuple[list[str], list[str]] = ([], [])


def stopped_in(site: Any, step: str, job_id: str = "job-1", **values: Any) -> Any:
    """Starts a create and stops its pipeline when a step has started."""
    running = site.start_create(job_id, **values)
    running.wait_for(step)
    return running.stop()


@pytest.fixture
def slow(make_site: Any) -> Any:
    """A host whose steps take long enough to be stopped in."""
    return make_site(
        copy_bytes_per_second=1 << 20,
        guest_seconds={"boot": 0.05, "poll": 0.02, "apply": 0.15, "retry": 0.02, "deliver": 0.0},
        host_seconds={"poll": 0.01, "repeat": 0.1, "settle_scale": 0.01, "release": 0.02, "progress": 0.0},
    )


@pytest.mark.parametrize("step", STEPS)
def test_a_stopped_job_goes_on_at_its_next_start(slow: Any, step: str) -> None:
    """A stop alone undoes nothing; the next start ends with the one VM."""
    stopped_in(slow, step)
    if step != "cleanup_iso":
        (job,) = slow.inventory().jobs
        assert (job.job_id, job.state, job.vm_name) == ("job-1", "interrupted", "web-01")
    answer = slow.create()
    assert answer.result["guest_state"] == "applied"
    assert [vm.id for vm in slow.inventory().vms] == [answer.vm.id]
    assert slow.inventory().jobs == ()


@pytest.mark.parametrize("step", ["copy_image", "register_vm", "wait_ready", "publish", "verify"])
def test_a_killed_process_leaves_the_job_to_the_next(slow: Any, step: str) -> None:
    """A new process on the same folder has the VM, and the same job ends well."""
    running = slow.start_create("job-1")
    running.wait_for(step)
    slow.restart()
    running.join()
    answer = slow.create()
    assert answer.result["guest_state"] == "applied"
    assert len(slow.inventory().vms) == 1


def test_a_process_killed_after_publish_has_one_vm_or_none(slow: Any) -> None:
    """A guest that had taken its data goes on; one whose key went with the process counts as restarted."""
    running = slow.start_create("job-1")
    running.wait_for("wait_applied")
    slow.restart()
    running.join()
    answer = slow.create(secrets={})
    if answer.lines[-1].startswith('{"kind": "result"'):
        assert slow.stands()[0] == [answer.vm.id]
    else:
        assert (answer.error.id, answer.error.undone) == ("GUEST_RESTARTED", True)
        assert slow.stands() == NOTHING


def test_after_publish_no_secret_is_needed(slow: Any) -> None:
    """A job that was stopped while its guest applies goes on without secrets."""
    stopped_in(slow, "wait_applied")
    assert slow.create(secrets={}).result["verified"] is True


def test_before_publish_the_secrets_are_needed_again(make_site: Any) -> None:
    """Without them the job is taken back and says which is missing."""
    site = make_site(guest_seconds={"boot": 2.0})
    stopped_in(site, "wait_ready")
    error = site.create(secrets={}).error
    assert (error.id, error.undone) == ("SECRET_MISSING", True)
    assert site.stands() == NOTHING


@pytest.mark.parametrize("step", STEPS)
def test_a_cancel_takes_everything_back(slow: Any, step: str) -> None:
    """A cancel in any step ends the run as cancelled, and both calls say so."""
    running = slow.start_create("job-1")
    running.wait_for(step)
    cancelled = slow.create(cancel=True)
    first = running.join()
    assert (cancelled.error.id, cancelled.error.undone) == ("JOB_CANCELLED", True)
    assert slow.stands() == NOTHING
    if not first.lines[-1].startswith('{"kind": "result"'):
        assert first.error.id == "JOB_CANCELLED"


@pytest.mark.parametrize("step", ["copy_image", "wait_ready", "wait_applied"])
def test_a_cancel_undoes_what_nobody_runs(slow: Any, step: str) -> None:
    """A start with cancel does the undo itself where no run goes on; a second one has nothing to do."""
    stopped_in(slow, step)
    for _ in range(2):
        error = slow.create(cancel=True).error
        assert (error.id, error.undone) == ("JOB_CANCELLED", True)
        assert slow.stands() == NOTHING


def test_a_cancel_that_keeps_leaves_the_vm(slow: Any) -> None:
    """A cancel whose document says keep ends the job and lists what stands."""
    stopped_in(slow, "wait_ready")
    error = slow.create(cancel=True, on_failure="keep").error
    assert (error.id, error.undone) == ("JOB_CANCELLED", False)
    (vm,) = slow.inventory().vms
    assert ("vm", vm.id) in [(kind, path) for kind, path, _ in error.leftovers]
    assert slow.create(cancel=True).error.undone
    assert slow.stands() == NOTHING


def test_a_finished_job_is_taken_back_by_a_cancel(site: Any) -> None:
    """A cancel that comes after the end removes what was made."""
    site.create()
    assert site.create(cancel=True).error.undone
    assert site.stands() == NOTHING


def test_a_cancel_of_an_unknown_job_keeps_it_from_ever_starting(site: Any) -> None:
    """The cancel says that it knows no such job, and a start that comes later makes nothing."""
    assert site.create(cancel=True).error.id == "JOB_UNKNOWN"
    assert site.create().error.id == "JOB_CANCELLED"
    assert site.stands() == NOTHING


def test_a_second_start_follows_the_first(slow: Any) -> None:
    """While a job runs, another start of it relays its steps and its outcome, and makes nothing itself."""
    first = slow.start_create("job-1")
    first.wait_for("copy_image")
    second = slow.start_create("job-1")
    one, two = first.join(), second.join()
    assert two.result == one.result
    assert two.steps("done")[-1] == "cleanup_iso"
    assert len(slow.inventory().vms) == 1


def test_a_follower_goes_on_with_a_job_that_was_left(slow: Any) -> None:
    """When the first run is stopped, the follower takes the job over."""
    first = slow.start_create("job-1")
    first.wait_for("copy_image")
    second = slow.start_create("job-1")
    first.stop()
    assert second.join().result["guest_state"] == "applied"


def test_copies_wait_for_a_slot(make_site: Any) -> None:
    """With one copy slot a second job waits, and says so."""
    site = make_site(copy_bytes_per_second=1 << 18)
    site.agent = dataclasses.replace(site.agent, copies=1)
    first = site.start_create("job-1", site.spec(vm_name="one"))
    first.wait_for("copy_image", "running")
    second = site.start_create("job-2", site.spec(vm_name="two"))
    assert first.join().vm.name == "one"
    answer = second.join()
    assert any("waits for one of the host's 1 copy slots" in line for line in answer.lines)
    assert answer.vm.name == "two"


def test_two_jobs_for_one_name_make_one_vm(make_site: Any) -> None:
    """A name that an open job has is taken, whatever its letter case."""
    site = make_site(copy_bytes_per_second=1 << 16)
    first = site.start_create("job-1")
    first.wait_for("copy_image")
    error = site.create("job-2", site.spec(vm_name="WEB-01")).error
    assert error.id == "VM_ALREADY_EXISTS"
    assert "job-1" in error.message
    assert site.create("job-1", cancel=True).error.undone
    assert first.join().error.id == "JOB_CANCELLED"


def test_an_unmarked_vm_in_the_jobs_folder_is_the_jobs(make_site: Any) -> None:
    """A kill between New-VM and Set-VM leaves an unmarked VM: the folder decides."""
    site = make_site(copy_bytes_per_second=1 << 18)
    stopped_in(site, "copy_image")
    folder = r"C:\ClusterStorage\Volume1\Hyper-V\web-01"
    vm = site.backend.host.new_vm("web-01", folder, 2 << 30, "External")
    journal = site.backend.host.files.real(r"C:\ProgramData\Aether-V\jobs\job-1.json")
    values = json.loads(journal.read_text())
    values["made"].append({"kind": "vm", "path": folder})
    journal.write_text(json.dumps(values))
    assert site.create().vm.id == vm.id
    assert [v.id for v in site.backend.host.vms()] == [vm.id]


def test_a_host_reboot_leaves_the_job_to_its_next_start(slow: Any) -> None:
    """The host goes down in mid-job; the same job ends well afterwards."""
    slow.fault("host_reboot", where="wait_ready", value=0.5)
    answer = slow.create()
    (raised,) = answer.raised
    assert isinstance(raised, HostReboots)
    assert raised.seconds == 0.5
    assert slow.create().result["verified"] is True


def test_an_undo_that_was_cut_off_is_finished(slow: Any) -> None:
    """A typed error stands in the journal before its undo begins, and the next start goes on with that undo."""
    held = r"C:\ClusterStorage\Volume1\Hyper-V\web-01\web-01.vhdx"
    slow.backend.host.files.hold(held, "backup")
    slow.fault("guest_fails")
    running = slow.start_create("job-1")
    running.wait_for("register_vm", "undone")
    slow.backend.close()
    running.join()
    slow.restart()
    error = slow.create().error
    assert (error.id, error.undone) == ("GUEST_FAILED", True)
    assert slow.stands() == NOTHING


def test_newer_journals_are_left_alone(site: Any) -> None:
    """A journal of a later format is refused by name."""
    site.create()
    journal = site.backend.host.files.real(r"C:\ProgramData\Aether-V\jobs\job-1.json")
    journal.write_text(journal.read_text().replace('"format": 1', '"format": 2'))
    assert site.create().error.id == "JOURNAL_NEWER"


def test_an_open_job_holds_no_secret_either(slow: Any) -> None:
    """In the middle of a job, with everything published, no file of the host holds the password; the account it does."""
    secret = "Mitten-drin-77c1"
    stopped_in(slow, "wait_applied", secrets={"guest_la_pw": secret})
    kept = b"".join(path.read_bytes() for path in slow.folder.rglob("*") if path.is_file())
    assert secret.encode() not in kept
    assert b"PRIVATE KEY" not in kept
    assert b"hlvmm.meta.provisioning_system_checksum" in kept
    assert b'\\"ops\\"' in kept
