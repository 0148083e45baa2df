"""A delete by id: what goes, what stays, and that it can be said twice."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest
from aetherv_agent.core.job_document import delete_document
from aetherv_agent.core.model import ShutdownMode

NOTHING: tuple[list[str], list[str]] = ([], [])


def test_a_running_vm_goes_with_its_files(site: Any) -> None:
    """The VM, its disk and its folder are gone; the image stays."""
    vm = site.create().vm
    answer = site.delete(vm.id.upper())
    assert answer.result["existed"] is True
    assert answer.result["deleted"] == [vm.disks[0].path, vm.path]
    assert answer.steps("done") == ["inspect", "stop", "remove_vm", "wait_released", "delete_files"]
    assert site.stands() == NOTHING
    assert len(site.inventory().images) == 3


def test_kept_disks_stay_and_are_listed(site: Any) -> None:
    """With keep_disks the disk and its folder stay and are in the result."""
    vm = site.create().vm
    result = site.delete(vm.id, keep_disks=True).result
    assert [(k["kind"], k["path"]) for k in result["kept"]] == [
        ("disk", vm.disks[0].path),
        ("folder", vm.path),
    ]
    assert site.stands() == ([], ["web-01", "web-01/web-01.vhdx"])


def test_a_missing_vm_is_an_error_unless_allowed(site: Any) -> None:
    """Gone already is success only where the caller said so."""
    missing = "00000000-0000-4000-8000-000000000000"
    assert site.delete(missing).error.id == "VM_NOT_FOUND"
    result = site.delete(missing, allow_missing=True).result
    assert result == {"vm_id": missing, "existed": False, "deleted": [], "kept": []}


def test_a_delete_answers_again(site: Any) -> None:
    """A second start of an ended delete gives its result, not 'not found'."""
    vm = site.create().vm
    assert site.delete(vm.id, "del-1").result == site.delete(vm.id, "del-1").result


def test_a_stopped_delete_goes_on(site: Any) -> None:
    """What the first run noted before it removed anything is what the second deletes."""
    vm = site.create().vm
    held = vm.disks[0].path
    site.backend.host.files.hold(held, "backup")
    timer = threading.Timer(0.3, lambda: site.backend.host.files.hold(held, None))
    timer.start()
    answer = site.delete(vm.id, "del-1")
    timer.join()
    assert answer.result["deleted"][0] == held
    assert site.stands() == NOTHING


def test_a_guest_that_does_not_follow_is_turned_off_or_reported(make_site: Any) -> None:
    """A graceful stop alone fails with the VM's name; the default turns it off; the same job may be tried again."""
    site = make_site(images=[{"name": "Debian 12", "family": "linux", "shutdown_works": False}])
    vm = site.create(spec=site.spec(image_name="Debian 12")).vm
    error = site.delete(vm.id, "del-1", shutdown_mode=ShutdownMode.GRACEFUL, stop_seconds=0).error
    assert error.id == "VM_STOP_FAILED"
    assert "'web-01'" in error.message
    assert site.delete(vm.id, "del-1", stop_seconds=0).result["existed"]


@pytest.mark.parametrize("mode", list(ShutdownMode))
def test_each_way_to_stop_works(site: Any, mode: ShutdownMode) -> None:
    """Every mode ends with nothing."""
    site.delete(site.create().vm.id, shutdown_mode=mode)
    assert site.stands() == NOTHING


def test_a_role_is_removed_first(make_site: Any) -> None:
    """A clustered VM leaves its cluster before it is removed."""
    site = make_site(cluster="CL1")
    vm = site.create(spec=site.spec(vm_clustered=True), delegated=True).vm
    assert site.delete(vm.id).steps("done")[:2] == ["inspect", "cluster"]
    assert site.backend.host.cluster.roles == frozenset()


def test_disks_of_others_are_never_deleted(site: Any) -> None:
    """A disk that another VM has, and one outside the VM's folder, stay and are listed."""
    model = site.backend.host
    vm = site.create().vm
    outside = r"C:\Data\data.vhdx"
    model.files.make_dir(r"C:\Data")
    model.files.write_text(outside, "data")
    model.add_disk(vm.id, outside)
    other = model.new_vm("other", r"C:\VMs\other", 1 << 30, "")
    model.add_disk(other.id, vm.disks[0].path)
    result = site.delete(vm.id).result
    assert {k["path"] for k in result["kept"]} == {outside, vm.disks[0].path, vm.path}
    assert model.files.exists(outside)
    assert model.files.exists(vm.disks[0].path)


def test_checkpoints_are_merged_and_go(site: Any) -> None:
    """A VM with a checkpoint leaves nothing either."""
    vm = site.create().vm
    site.backend.host.checkpoint(vm.id, "before")
    site.delete(vm.id)
    assert site.stands() == NOTHING


def test_a_foreign_file_keeps_the_folder(site: Any) -> None:
    """A file that the VM does not know of is left, with a warning."""
    vm = site.create().vm
    site.backend.host.files.write_text(vm.path + r"\notes.txt", "mine")
    answer = site.delete(vm.id)
    assert [log.reason for log in answer.logs()] == ["FOLDER_KEPT"]
    assert answer.result["kept"][0]["path"] == vm.path


def test_a_cancelled_delete_stops_between_steps(site: Any) -> None:
    """A cancel of an unknown delete is unknown, and the delete does nothing afterwards."""
    vm = site.create().vm
    document = delete_document(
        "del-1",
        vm.id,
        site.agent,
        shutdown_mode=ShutdownMode.OFF,
        keep_disks=False,
        allow_missing=False,
        stop_seconds=1,
        cancel=True,
    )
    lines: list[str] = []
    site.backend.run(site.call("delete", document), lines.append, threading.Event())
    assert '"JOB_UNKNOWN"' in lines[-1]
    assert site.delete(vm.id, "del-1").error.id == "JOB_CANCELLED"
    assert [v.id for v in site.backend.host.vms()] == [vm.id]


def test_a_delete_that_has_removed_its_vm_is_not_cancelled(site: Any) -> None:
    """From there a cancel only waits: files whose VM is gone would be nobody's, and hold the name's folder."""
    vm = site.create().vm
    held = vm.disks[0].path
    site.backend.host.files.hold(held, "backup")
    deleting: list[Any] = []
    first = threading.Thread(target=lambda: deleting.append(site.delete(vm.id, "del-1")))
    first.start()
    while site.backend.host.vms():
        time.sleep(0.01)
    cancelling: list[Any] = []
    second = threading.Thread(target=lambda: cancelling.append(site.delete(vm.id, "del-1", cancel=True)))
    second.start()
    time.sleep(0.2)
    site.backend.host.files.hold(held, None)
    first.join()
    second.join()
    assert [answer.result["existed"] for answer in (*deleting, *cancelling)] == [True, True]
    assert site.stands() == NOTHING
