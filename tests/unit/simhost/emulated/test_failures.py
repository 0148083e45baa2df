"""How a create ends that cannot succeed: its id, its facts, and what stands on the host."""

from __future__ import annotations

import base64
import threading
from pathlib import Path
from typing import Any

import pytest
from aetherv_agent.core.model import GuestState
from aetherv_agent.core.results import ScriptError, parse_record
from aetherv_simhost.hyperv.guests import crypto

NOTHING: tuple[list[str], list[str]] = ([], [])


@pytest.mark.parametrize(
    ("fault", "values", "error_id", "step", "text"),
    [
        ("image_missing", {}, "IMAGE_NOT_FOUND", "", "'Debian 12', 'Windows Server 2022'"),
        (
            "disk_full",
            {},
            "DISK_FULL",
            "copy_image",
            r"The volume C:\ClusterStorage\Volume1 was full after 131072 of 262144",
        ),
        ("guest_never_ready", {}, "GUEST_NOT_READY", "wait_ready", "did not ask for its data within 0 s"),
        ("guest_fails", {}, "GUEST_FAILED", "wait_applied", "error applying:modules"),
        (
            "guest_fails",
            {"value": "error generating:rsa_keys"},
            "GUEST_FAILED",
            "wait_ready",
            "error generating:rsa_keys",
        ),
        (
            "guest_fails",
            {"value": "error validating:checksum"},
            "GUEST_FAILED",
            "wait_applied",
            "error validating:checksum",
        ),
        ("guest_restarts", {}, "GUEST_RESTARTED", "", "restarted between"),
    ],
)
def test_a_fault_is_rolled_back(
    site: Any, fault: str, values: dict[str, str], error_id: str, step: str, text: str
) -> None:
    """Each fault ends with its own id and facts, and with nothing on the host."""
    site.fault(fault, **values)
    timeouts = {"wait_ready": 0} if fault == "guest_never_ready" else {}
    answer = site.create(timeouts=timeouts)
    error = answer.error
    assert (error.id, error.undone, error.leftovers) == (error_id, True, ())
    assert text in error.message
    if step:
        assert error.step == step
    assert site.stands() == NOTHING
    assert site.inventory().jobs == ()


@pytest.mark.parametrize("policy", ["keep", "keep_after_publish"])
def test_a_guests_failure_keeps_the_vm(site: Any, policy: str) -> None:
    """With keep the VM stands, is in the error, and its mark says how its guest ended."""
    site.fault("guest_fails", value="error applying:network")
    answer = site.create(on_failure=policy)
    error = answer.error
    assert (error.id, error.undone, error.guest_state) == ("GUEST_FAILED", False, "failed")
    assert error.guest_message == "error applying:network"
    assert error.vm is not None
    (vm,) = site.inventory().vms
    assert vm.id == error.vm["id"]
    assert vm.mark is not None
    assert (vm.mark.guest_state, vm.mark.guest_message) == (GuestState.FAILED, "error applying:network")
    assert ("vm", vm.id) in [(kind, path) for kind, path, _ in error.leftovers]


def test_what_is_kept_is_named_as_it_stands(site: Any) -> None:
    """A disk whose copy was cut off is told under the name that it has, and what was never made is not told."""
    site.fault("disk_full")
    error = site.create(on_failure="keep").error
    assert error.id == "DISK_FULL"
    told = {kind: path for kind, path, _ in error.leftovers}
    assert set(told) == {"folder", "disk"}
    assert told["disk"].endswith(".partial.vhdx")
    assert site.backend.host.files.exists(told["disk"])


def test_keep_after_publish_rolls_back_before_it(site: Any) -> None:
    """Before publish is done that policy is a rollback."""
    site.fault("guest_never_ready")
    assert site.create(on_failure="keep_after_publish", timeouts={"wait_ready": 0}).error.undone
    assert site.stands() == NOTHING


def test_a_guest_that_comes_late_is_waited_for(site: Any) -> None:
    """A late guest is no failure."""
    site.fault("guest_ready_late", value=0.2)
    assert site.create().result["verified"] is True


@pytest.mark.parametrize("item", ["hlvmm.meta.host_provisioning_system_state", "hlvmm.meta.version"])
def test_what_is_lost_before_the_guest_answers_is_repeated(site: Any, item: str) -> None:
    """The repeater writes version and state again, so a lost one does no harm once the guest reads in time."""
    site.fault("guest_ready_late", value=0.3)
    site.fault("kvp_lost", where=item)
    assert site.create().result["guest_state"] == "applied"


def test_a_lost_data_item_fails_the_checksum(site: Any) -> None:
    """What is lost after the guest answered makes it refuse everything."""
    site.fault("kvp_lost", where="hlvmm.data.guest_la_uid")
    assert site.create().error.guest_message == "error validating:checksum"


def test_a_taken_name_is_refused_before_any_change(site: Any) -> None:
    """A VM of that name in any letter case, with its id in the text."""
    vm = site.create().vm
    before = site.stands()
    error = site.create("job-2", site.spec(vm_name="WEB-01")).error
    assert (error.id, error.field, error.undone) == ("VM_ALREADY_EXISTS", "vm_name", True)
    assert vm.id in error.message
    assert site.stands() == before


def test_a_foreign_folder_is_left_alone(site: Any) -> None:
    """Nothing is copied into, or deleted from, a folder that the job did not make."""
    files = site.backend.host.files
    folder = r"C:\ClusterStorage\Volume1\Hyper-V\Web-01"
    files.make_dir(folder)
    files.write_text(folder + r"\theirs.txt", "theirs")
    assert site.create().error.id == "FOLDER_ALREADY_EXISTS"
    assert site.stands() == ([], ["Web-01", "Web-01/theirs.txt"])


@pytest.mark.parametrize(
    ("settings", "values", "error_id", "text"),
    [
        (
            {},
            {"image_name": "Ubuntu 99"},
            "IMAGE_NOT_FOUND",
            "'Debian 12', 'Ubuntu 24.04', 'Windows Server 2022'",
        ),
        ({}, {"image_name": "ReactOS"}, "OS_FAMILY_UNKNOWN", "'ReactOS'"),
        ({}, {"virtual_switch": "Nope"}, "SWITCH_NOT_FOUND", "'External' (external)"),
        ({"switches": {"a": "external", "b": "external"}}, {}, "SWITCH_AMBIGUOUS", "'b' (external)"),
        ({"memory_bytes": 1 << 30}, {}, "MEMORY_INSUFFICIENT", "1 GiB of memory left, 2 are needed"),
        (
            {"volumes": {"C:\\": 1 << 40, r"C:\ClusterStorage\Volume1": 1 << 20}},
            {},
            "DISK_FULL",
            r"C:\ClusterStorage\Volume1 has",
        ),
        ({"guest_version": ""}, {}, "GUEST_VERSION_UNKNOWN", "LinuxProvisioning.iso"),
        ({"guest_version": "2.1.000"}, {}, "GUEST_VERSION_UNSUPPORTED", "2.1.000"),
        ({"language_mode": "ConstrainedLanguage"}, {}, "CONSTRAINED_LANGUAGE", "ConstrainedLanguage"),
        ({"hyperv_visible": False}, {}, "HYPERV_NOT_VISIBLE", "HOST1"),
        ({}, {"vm_clustered": True}, "CLUSTER_NOT_AVAILABLE", "HOST1"),
        ({}, {"vm_name": "a_b", "vlan_id": 4095}, "FIELD_INVALID", "vlan_id must be 0 (untagged) to 4094"),
        ({}, {"guest_v4_dns2": "192.0.2.54"}, "FIELD_INVALID", "guest_v4_dns2 needs guest_v4_dns1"),
    ],
)
def test_what_can_be_known_before_is_refused_before(
    make_site: Any, settings: dict[str, Any], values: dict[str, Any], error_id: str, text: str
) -> None:
    """Each refusal has its id and the facts, and nothing is on the host afterwards."""
    site = make_site(**settings)
    error = site.create(spec=site.spec(**values)).error
    assert (error.id, error.undone) == (error_id, True)
    assert text in error.message
    assert site.stands() == NOTHING


def test_a_paused_node_takes_no_vm(make_site: Any) -> None:
    """A node that drains is refused."""
    site = make_site(cluster="CL1")
    site.backend.host.set_node_state("draining")
    assert site.create().error.id == "HOST_PAUSED"
    assert site.inventory().facts.node_state == "draining"


def test_an_image_that_a_vm_runs_on_is_in_use(site: Any) -> None:
    """An image that is a running VM's disk is open for writing."""
    model = site.backend.host
    vm = model.new_vm("dev", r"C:\VMs\dev", 1 << 30, "External")
    model.add_disk(vm.id, r"C:\ClusterStorage\Volume1\DiskImages\Ubuntu 24.04.vhdx")
    model.start_vm(vm.id)
    assert site.create().error.id == "IMAGE_IN_USE"


def test_two_images_of_one_name_are_named(site: Any) -> None:
    """Which of two is meant is not guessed, and a .vhd is no image."""
    files = site.backend.host.files
    other = r"C:\ProgramData\Microsoft\Windows\DiskImages"
    files.make_dir(other)
    files.write_text(other + r"\ubuntu 24.04.vhdx", "x")
    files.write_text(other + r"\Debian 11.vhd", "x")
    error = site.create().error
    assert error.id == "IMAGE_AMBIGUOUS"
    assert other in error.message
    assert site.create("job-2", site.spec(image_name="Debian 11")).error.id == "IMAGE_UNSUPPORTED"


def test_a_missing_secret_is_named(site: Any) -> None:
    """Without the password nothing is made."""
    error = site.create(secrets={}).error
    assert (error.id, error.field) == ("SECRET_MISSING", "guest_la_pw")
    assert site.stands() == NOTHING


def test_dropped_fields_are_warned_of(site: Any) -> None:
    """A Windows VM drops the SSH fields and the DNS suffix with a warning."""
    spec = site.spec(vm_name="w", image_name="Windows Server 2022", guest_net_dnssuffix="example.com")
    answer = site.create(spec=spec)
    assert [(log.reason, log.field) for log in answer.logs()] == [("FIELD_DROPPED", "guest_net_dnssuffix")]
    assert answer.vm.mark is not None
    assert "guest_net_dnssuffix" not in answer.vm.mark.fields


@pytest.mark.parametrize(
    ("document", "error_id"),
    [
        ("not: [a", "DOCUMENT_INVALID"),
        ("", "DOCUMENT_INVALID"),
        ('{"schema": {"id": "vm-delete", "version": 1}}', "DOCUMENT_INVALID"),
        (
            '{"schema": {"id": "vm-provisioning", "version": 1}, "job_id": "../x", "fields": {}}',
            "DOCUMENT_INVALID",
        ),
        (
            '{"schema": {"id": "vm-provisioning", "version": 1}, "job_id": "x", "scripts_version": "9", "fields": {}}',
            "SCRIPTS_MISMATCH",
        ),
        (
            '{"schema": {"id": "vm-provisioning", "version": 1}, "job_id": "x", "fields": {"no_such": 1}}',
            "FIELD_INVALID",
        ),
        (
            "schema: {id: vm-provisioning, version: 1}\njob_id: x\nhost: {jobs_directory: 'Q:\\j'}\nfields: {}",
            "PATH_INVALID",
        ),
    ],
)
def test_a_document_that_cannot_be_read_is_refused(site: Any, document: str, error_id: str) -> None:
    """Every wrong document has a typed answer."""
    lines: list[str] = []
    site.backend.run(site.call("create", document), lines.append, threading.Event())
    last = parse_record(lines[-1])
    assert isinstance(last, ScriptError)
    assert last.id == error_id


def test_a_persons_yaml_is_read_too(site: Any) -> None:
    """A block of YAML with Yes and No and the password in its fields makes a VM."""
    document = f"""
schema: {{id: vm-provisioning, version: 1}}
job_id: by-hand
on_failure: rollback
timeouts: {{verify_timeout: 5}}
fields:
  vm_name: hand
  image_name: Debian 12
  gb_ram: 1
  cpu_cores: '1'
  guest_la_uid: ops
  guest_la_pw: {"x" * 12}
  vm_clustered: No
"""
    lines: list[str] = []
    site.backend.run(site.call("create", document), lines.append, threading.Event())
    assert '"kind": "result"' in lines[-1]


def test_no_secret_is_anywhere(site: Any, tmp_path: Path) -> None:
    """The password is in no file of the host and in no record, whatever happened; the account's name is."""
    secret = "Geheimnis-9f3a"
    answers = [site.create("job-1", secrets={"guest_la_pw": secret})]
    site.fault("guest_fails")
    answers.append(
        site.create("job-2", site.spec(vm_name="two"), on_failure="keep", secrets={"guest_la_pw": secret})
    )
    answers.append(site.create("job-3", site.spec(vm_name="thr\nee"), secrets={"guest_la_pw": secret + "\n"}))
    site.backend.close()
    told = "".join(line for answer in answers for line in answer.lines).encode()
    kept = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    for form in (secret.encode(), secret.encode("utf-16-le"), secret.encode().hex().encode()):
        assert form not in told + kept
    assert b"PRIVATE KEY" not in kept
    assert b'"ops"' in told
    assert b'"ops"' in kept


STATE = "hlvmm.meta.guest_provisioning_system_state"
KEY = "hlvmm.meta.guest_provisioning_public_key"


@pytest.mark.parametrize(
    "stale",
    [
        {STATE: "provisioningapplied"},
        {STATE: "provisioningfailed", "hlvmm.meta.guest_provisioning_error": "error validating:checksum"},
        {STATE: "waitingforaeskey"},
        {STATE: "applying", KEY: "AAAA"},
    ],
)
def test_an_images_earlier_life_is_not_believed(make_site: Any, stale: dict[str, str]) -> None:
    """States and keys that were in the image from the beginning change nothing."""
    site = make_site(images=[{"name": "Debian 12", "family": "linux", "stale": stale}])
    answer = site.create(spec=site.spec(image_name="Debian 12"))
    assert (answer.result["guest_state"], answer.result["verified"]) == ("applied", True)


def test_an_old_key_is_noticed_before_the_last_state(make_site: Any) -> None:
    """A state and key of an earlier life are believed at first; the key is read again, and published for anew."""
    old = base64.b64encode(crypto.pkcs1_der(crypto.new_key())).decode()
    site = make_site(
        images=[{"name": "Debian 12", "family": "linux", "stale": {STATE: "waitingforaeskey", KEY: old}}],
        host_seconds={"poll": 0.01, "repeat": 0.1, "settle_scale": 0.3, "release": 0.02, "progress": 0.0},
    )
    answer = site.create(spec=site.spec(image_name="Debian 12"))
    assert answer.result["verified"] is True


def test_a_compressed_folder_is_refused(make_site: Any) -> None:
    """Hyper-V can't start a VM from one."""
    site = make_site(compressed_folders=[r"c:\clusterstorage\volume1\hyper-v"])
    assert site.create().error.id == "FOLDER_COMPRESSED"


@pytest.mark.parametrize(
    ("image", "error_id", "wait_ready"),
    [
        ({"openssl": False}, "GUEST_KEY_INVALID", 60),
        ({"phase_left": True}, "GUEST_NOT_READY", 1),
        ({"bootstrapper": False}, "GUEST_NOT_READY", 1),
    ],
)
def test_images_that_cannot_be_provisioned(
    make_site: Any, image: dict[str, Any], error_id: str, wait_ready: int
) -> None:
    """Each fault of an image has its id, and nothing stands."""
    site = make_site(images=[{"name": "Debian 12", "family": "linux", **image}])
    error = site.create(spec=site.spec(image_name="Debian 12"), timeouts={"wait_ready": wait_ready}).error
    assert (error.id, error.undone) == (error_id, True)
    assert site.stands() == NOTHING


def test_a_difference_is_told_and_is_no_failure(make_site: Any) -> None:
    """A guest that says 'applied' and has another address: the result says what differs."""
    site = make_site(images=[{"name": "Debian 12", "family": "linux", "netplan": False}])
    spec = site.spec(
        image_name="Debian 12",
        guest_v4_ipaddr="192.0.2.9",
        guest_v4_cidrprefix=24,
        guest_v4_defaultgw="192.0.2.1",
    )
    answer = site.create(spec=spec, timeouts={"verify_timeout": 0})
    assert answer.result["verified"] is False
    assert "not 192.0.2.9" in answer.result["guest_message"]
    assert [log.reason for log in answer.logs()] == ["NOT_VERIFIED"]


def test_a_vm_that_was_deleted_outside_ends_its_job(make_site: Any) -> None:
    """Nobody waits for a VM that is gone, and what else was made is taken back."""
    site = make_site(guest_seconds={"boot": 5.0})
    running = site.start_create("job-1")
    running.wait_for("wait_ready")
    (vm,) = site.backend.host.vms()
    site.backend.host.stop_vm(vm.id, turn_off=True)
    site.backend.host.remove_vm(vm.id)
    error = running.join().error
    assert (error.id, error.undone) == ("VM_NOT_FOUND", True)
    assert site.stands() == NOTHING
