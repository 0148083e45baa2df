"""A create from the first byte of its document to what the guest has become."""

from __future__ import annotations

import dataclasses
import threading
from pathlib import Path
from typing import Any

import pytest
from aetherv_agent.core.model import GuestState, PowerState, VmState
from aetherv_agent.core.results import Progress
from aetherv_simhost.backends import BackendRefused, make_backend
from aetherv_simhost.backends.api import CommandNotFound
from aetherv_simhost.faults import Faults

PASSWORD = "Sehr-geheim-4711"
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


def test_a_linux_vm_is_made_and_has_become_what_was_asked(site: Any) -> None:
    """Every step runs in order, and the guest is what the fields said, by what it decrypted."""
    key = "ssh-ed25519 " + "AAAA" * 60 + " ansible@control"
    spec = site.spec(
        guest_v4_ipaddr="192.0.2.10",
        guest_v4_cidrprefix=24,
        guest_v4_defaultgw="192.0.2.1",
        guest_v4_dns1="192.0.2.53",
        guest_net_dnssuffix="example.com",
        cnf_ansible_ssh_user="ansible",
        cnf_ansible_ssh_key=key,
        vlan_id=12,
        notes="made for a test\n\n",
    )
    answer = site.create(spec=spec)
    assert answer.steps("started") == answer.steps("done") == STEPS
    vm = answer.vm
    assert (vm.name, vm.state, vm.cpu_count, vm.memory_bytes) == ("web-01", VmState.RUNNING, 2, 2 << 30)
    assert (vm.vlan_id, vm.switch, vm.notes) == (12, "External", "made for a test\n\n")
    assert vm.path == r"C:\ClusterStorage\Volume1\Hyper-V\web-01"
    assert vm.mark is not None
    assert vm.mark.job == "job-1"
    assert vm.mark.fields["image_name"] == "Ubuntu 24.04"
    assert vm.mark.guest_state is GuestState.APPLIED
    assert vm.mark.verified is True
    assert answer.result["guest_state"] == "applied"
    assert set(answer.result["durations"]) == set(STEPS)
    assert "192.0.2.10" in vm.adapters[0].ip_addresses
    identity = site.backend.host.guest(vm.id).identity
    assert (identity.host_name, identity.ipv4, identity.prefix) == ("web-01", "192.0.2.10", 24)
    assert (identity.gateway, identity.dns, identity.dns_suffix) == (
        "192.0.2.1",
        ("192.0.2.53",),
        "example.com",
    )
    account = identity.account("ops")
    assert account is not None
    assert account.administrator
    assert account.password_is(PASSWORD)
    assert not account.password_is(PASSWORD + "x")
    ansible = identity.account("ansible")
    assert ansible is not None
    assert ansible.ssh_keys == (key,)


def test_a_windows_vm_joins_its_domain(site: Any) -> None:
    """A Windows guest takes its values whole and joins the domain into the OU."""
    spec = site.spec(
        vm_name="win-01",
        image_name="Windows Server 2022",
        guest_domain_jointarget="example.com",
        guest_domain_joinuid=r"EXAMPLE\join",
        guest_domain_joinou="OU=Servers,DC=example,DC=com",
    )
    answer = site.create(spec=spec, secrets={"guest_la_pw": PASSWORD, "guest_domain_joinpw": "join-" * 100})
    assert answer.result["verified"] is True
    identity = site.backend.host.guest(answer.vm.id).identity
    assert (identity.fqdn, identity.domain_ou) == ("win-01.example.com", "OU=Servers,DC=example,DC=com")
    account = identity.account("ops")
    assert account is not None
    assert account.password_is(PASSWORD)


def test_nothing_of_the_making_is_left(site: Any) -> None:
    """After a create the ISO, the drive, the partial file and every published item are gone."""
    vm = site.create().vm
    model = site.backend.host
    assert model.vm(vm.id).drives == ()
    names = list(model.host_items(vm.id))
    assert not [name for name in names if name.startswith("hlvmm.data.") or name.endswith("aes_key")]
    assert site.stands()[1] == [
        "web-01",
        "web-01/Virtual Machines",
        f"web-01/Virtual Machines/{vm.id.upper()}.vmcx",
        "web-01/web-01.vhdx",
    ]


def test_the_clone_is_the_image(site: Any) -> None:
    """The clone's bytes are the golden image's, and its size for the guest is the image's."""
    vm = site.create().vm
    files = site.backend.host.files
    image = files.real(r"C:\ClusterStorage\Volume1\DiskImages\Ubuntu 24.04.vhdx").read_bytes()
    assert files.real(vm.disks[0].path).read_bytes() == image
    assert (vm.disks[0].size_bytes, vm.disks[0].file_bytes) == (40 << 30, 256 * 1024)


def test_a_copy_tells_how_far_it_is(site: Any) -> None:
    """Even a short copy is reported a few times, with rising bytes up to the whole."""
    copied = [
        (r.done_bytes, r.total_bytes)
        for r in site.create().records
        if isinstance(r, Progress) and r.step == "copy_image" and r.state == "running"
    ]
    assert len(copied) >= 3
    assert copied == sorted(copied)
    assert copied[-1] == (256 * 1024, 256 * 1024)


def test_a_vm_that_is_to_be_off_is_off(site: Any) -> None:
    """With power_state off the VM is shut down after its guest is verified."""
    answer = site.create(spec=site.spec(power_state=PowerState.OFF))
    assert answer.steps("done")[-1] == "power_off"
    assert answer.vm.state is VmState.OFF


def test_a_known_job_answers_again(site: Any) -> None:
    """A second start of an ended job gives the same result and makes nothing."""
    first = site.create()
    before = site.stands()
    second = site.create()
    assert second.result == first.result
    assert second.steps("started") == []
    assert site.stands() == before


def test_a_clustered_vm_needs_delegation(make_site: Any) -> None:
    """A cluster role is refused before any change without a second hop, and added with one."""
    site = make_site(cluster="CL1")
    spec = site.spec(vm_clustered=True)
    refused = site.create(spec=spec)
    assert (refused.error.id, refused.error.undone) == ("CLUSTER_DELEGATION_MISSING", True)
    assert site.stands() == ([], [])
    made = site.create("job-2", spec, delegated=True)
    assert made.vm.clustered
    assert made.steps("done")[-1] == "cluster"
    assert site.inventory().facts.cluster == "CL1"


@pytest.mark.parametrize(
    "path",
    [
        r"C:\Program Files\Aether-V\scripts\9.9.9\Invoke-ProvisioningJob.ps1",
        r"C:\Program Files\Aether-V\Invoke-ProvisioningJob.ps1",
        "Get-VM",
    ],
)
def test_only_the_versioned_scripts_are_there(site: Any, path: str) -> None:
    """Any other path is Windows' own 'not found'."""
    running = site.start_create("job-1")
    running.join()
    call = site.create_call("job-2")
    with pytest.raises(CommandNotFound):
        site.backend.run(dataclasses.replace(call, path=path), lambda _line: None, threading.Event())


def test_the_scripts_path_knows_no_letter_case(site: Any) -> None:
    """Windows finds a script whatever its letter case."""
    call = site.create_call("job-1")
    lines: list[str] = []
    site.backend.run(dataclasses.replace(call, path=call.path.upper()), lines.append, threading.Event())
    assert '"kind": "result"' in lines[-1]


def test_two_vms_at_once_are_both_made(site: Any) -> None:
    """Two creates side by side end with two VMs, each with its own guest."""
    one = site.start_create("job-1", site.spec(vm_name="one"))
    two = site.start_create("job-2", site.spec(vm_name="two", image_name="Debian 12"))
    assert {one.join().vm.name, two.join().vm.name} == {"one", "two"}
    assert {vm.name for vm in site.inventory().vms} == {"one", "two"}


def test_a_wrong_setting_is_refused_by_name(tmp_path: Path) -> None:
    """The back-end is not made, and the error says what there is."""
    with pytest.raises(BackendRefused, match=r"unknown setting memory; known are .*memory_bytes"):
        make_backend("emulated", "host1", tmp_path, Faults(), {"memory": 1})
