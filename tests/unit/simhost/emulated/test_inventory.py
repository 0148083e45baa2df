"""The inventory says what is there, in the words that the agent reads."""

from __future__ import annotations

import threading
from typing import Any

from aetherv_agent.core.job_document import inventory_document
from aetherv_agent.core.model import OsFamily, VmState


def test_a_new_host_has_its_content(site: Any) -> None:
    """Images, a switch, volumes, both ISOs with their version, and no VM."""
    inventory = site.inventory()
    assert [i.image_name for i in inventory.images] == ["Debian 12", "Ubuntu 24.04", "Windows Server 2022"]
    assert [(s.name, s.type) for s in inventory.switches] == [("External", "external")]
    assert {(i.family, i.version) for i in inventory.isos} == {
        (OsFamily.LINUX, "2.4.000"),
        (OsFamily.WINDOWS, "2.4.000"),
    }
    assert {v.path for v in inventory.volumes} == {"C:\\", r"C:\ClusterStorage\Volume1"}
    assert inventory.facts.vm_path == r"C:\ClusterStorage\Volume1\Hyper-V"
    assert inventory.facts.memory_free_bytes == inventory.facts.memory_bytes == 256 << 30
    assert (inventory.vms, inventory.jobs) == ((), ())


def test_a_foreign_vm_has_no_mark(site: Any) -> None:
    """A VM made by hand is listed, off, without a MAC, and with its notes as they are."""
    model = site.backend.host
    vm = model.new_vm("by hand", r"C:\VMs\by hand", 1 << 30, "External")
    model.change_vm(vm.id, notes="aetherv: not json\nmine")
    (seen,) = site.inventory().vms
    assert (seen.state, seen.mark, seen.notes) == (VmState.OFF, None, "aetherv: not json\nmine")
    assert seen.adapters[0].mac == ""


def test_a_running_vm_takes_memory_and_space(site: Any) -> None:
    """Free memory and space shrink by what a VM takes, and it has its MAC and uptime."""
    before = site.inventory()
    site.create()
    after = site.inventory()
    assert before.facts.memory_free_bytes - after.facts.memory_free_bytes == 2 << 30
    assert after.volumes[1].free_bytes <= before.volumes[1].free_bytes - 256 * 1024
    assert after.vms[0].adapters[0].mac.startswith("00:15:5d:")


def test_a_restarted_process_has_the_same_vms(site: Any) -> None:
    """VMs, marks, memory and files are as they were, and the guest is who it was."""
    vm = site.create().vm
    identity = site.backend.host.guest(vm.id).identity
    before = site.inventory()
    site.restart()
    after = site.inventory()
    assert [(v.id, v.state, v.mark, v.adapters, v.disks) for v in after.vms] == [
        (v.id, v.state, v.mark, v.adapters, v.disks) for v in before.vms
    ]
    assert site.backend.host.guest(vm.id).identity == identity
    assert site.delete(vm.id).result["existed"]


def test_a_blind_account_gets_an_error_not_an_empty_list(make_site: Any) -> None:
    """Without rights nothing is believed to be absent."""
    site = make_site(hyperv_visible=False)
    lines: list[str] = []
    site.backend.run(site.call("inventory", inventory_document(site.agent)), lines.append, threading.Event())
    assert '"HYPERV_NOT_VISIBLE"' in lines[-1]
