"""Changes of a VM that exists: what is recorded, what is refused, and what nothing may do."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from aetherv.v1 import vm_pb2

from .conftest import vm_config

if TYPE_CHECKING:
    from .conftest import Site

pytestmark = pytest.mark.terraform


def test_change_that_needs_an_update_is_refused_in_plan(one_site: Site) -> None:
    """More CPUs are an error in plan that names the attribute, both values and the way out, which works."""
    one_site.applied(vm_config())
    old = one_site.vm()["id"]
    one_site.write(vm_config(cpu_cores="4"))
    plan = one_site.terraform.plan()
    assert plan.returncode == 1
    assert "cpu_cores can't be changed in place by this version" in plan.words
    assert "with aetherv_vm.web" in plan.words
    assert 'VM "web-01" has cpu_cores = 2, the configuration says 4' in plan.words
    assert len(one_site.agent.vms) == 1
    one_site.terraform.run("taint", "aetherv_vm.web").ok()
    one_site.terraform.apply().ok()
    assert one_site.vm()["id"] != old
    assert one_site.agent.vm("web-01").cpu_cores == 4


def test_change_beside_a_new_image_is_made_with_it(one_site: Site) -> None:
    """A VM that is replaced anyway gets its new size without an error."""
    one_site.applied(vm_config())
    one_site.applied(vm_config(cpu_cores="4", image_name='"Debian 12"'))
    assert one_site.agent.vm("web-01").cpu_cores == 4


def test_drift_is_shown_and_refused_until_it_is_taken_over(one_site: Site) -> None:
    """A VM that was resized outside is an error that says so, and none once the configuration follows."""
    one_site.applied(vm_config())
    vm = one_site.agent.vm("web-01")
    vm.cpu_cores = 8
    vm.vlan_id = 99
    plan = one_site.terraform.plan()
    assert plan.returncode == 1
    assert "has cpu_cores = 8, the configuration says 2" in plan.words
    assert "vlan_id" not in plan.words.replace("vlan_id = ", "")
    one_site.write(vm_config(cpu_cores="8"))
    one_site.terraform.apply().ok()
    assert one_site.vm()["cpu_cores"] == 8
    assert one_site.vm()["vlan_id"] == 99
    one_site.no_changes()


def test_vm_that_moved_and_paused_is_no_change(one_site: Site) -> None:
    """Another host, a paused state and other addresses are followed without a plan."""
    one_site.applied(vm_config())
    vm = one_site.agent.vm("web-01")
    vm.host = "hv02"
    vm.state = vm_pb2.Vm.STATE_PAUSED
    vm.power_state = vm_pb2.POWER_STATE_UNSPECIFIED
    vm.notes = "written by hand"
    plan = one_site.terraform.plan()
    assert plan.returncode == 0, plan.output
    one_site.terraform.run("apply", "-refresh-only", "-auto-approve", "-no-color").ok()
    values = one_site.vm()
    assert values["host"] == "hv02"
    assert values["state"] == "paused"
    assert values["notes"] is None
    assert values["target_host"] == "hv01"


def test_silent_guest_keeps_its_addresses(one_site: Site) -> None:
    """A running VM whose guest says nothing keeps the addresses that were last known."""
    one_site.applied(vm_config())
    del one_site.agent.vm("web-01").ip_addresses[:]
    one_site.no_changes()
    one_site.terraform.run("apply", "-refresh-only", "-auto-approve", "-no-color").ok()
    assert one_site.vm()["ipv4_address"] == "192.0.2.10"


def test_what_acts_once_is_recorded_with_a_warning(one_site: Site) -> None:
    """A changed address and password version neither replace the VM nor call the agent."""
    one_site.applied(vm_config('  guest_net_dnssuffix = "example.com"'))
    one_site.write(vm_config('  guest_net_dnssuffix = "example.org"', guest_la_pw_wo_version="2"))
    plan = one_site.terraform.plan()
    assert plan.returncode == 2, plan.output
    assert "1 to change, 0 to destroy" in plan.words
    assert 'are used only when the VM is made; "web-01" is unchanged' in plan.words
    one_site.terraform.apply().ok()
    assert len(one_site.agent.creates) == 1
    assert one_site.vm()["guest_net_dnssuffix"] == "example.org"
    one_site.no_changes()


def test_replace_on_change_is_asked_for(one_site: Site) -> None:
    """guest_replace_on_change makes the VM anew when a version of its password changes, and only then."""
    one_site.applied(vm_config())
    old = one_site.vm()["id"]
    one_site.applied(vm_config("  guest_replace_on_change = true"))
    assert one_site.vm()["id"] == old
    one_site.applied(vm_config("  guest_replace_on_change = true", guest_la_pw_wo_version="2"))
    assert one_site.vm()["id"] != old


def test_case_and_comments_do_not_flap(one_site: Site) -> None:
    """The same key with another comment, the same image and host in other letters, plan nothing."""
    key = '  cnf_ansible_ssh_user = "ansible"\n  cnf_ansible_ssh_key = "ssh-ed25519 AAAAC3Nz {}"'
    one_site.applied(vm_config(key.format("me@here") + '\n  target_host = "hv01"'))
    one_site.write(
        vm_config(key.format("you@there") + '\n  target_host = "HV01"', image_name='"ubuntu 24.04"')
    )
    one_site.no_changes()


def test_target_host_of_the_same_host_is_recorded_and_another_refused(one_site: Site) -> None:
    """The FQDN of the VM's host is recorded; another host is an error that names both."""
    one_site.applied(vm_config())
    one_site.applied(vm_config('  target_host = "hv01.example.com"'))
    assert one_site.vm()["target_host"] == "hv01.example.com"
    one_site.no_changes()
    one_site.write(vm_config('  target_host = "hv02"'))
    plan = one_site.terraform.plan()
    assert plan.returncode == 1
    assert "It is on hv01, and target_host is now hv02" in plan.words
    assert len(one_site.agent.vms) == 1


def test_deletion_protection(site: Site) -> None:
    """A protected VM is neither destroyed nor replaced, by whichever way, and nothing is touched."""
    site.applied(vm_config("  deletion_protection = true"))
    destroy = site.terraform.destroy()
    assert destroy.returncode == 1
    assert 'VM "web-01" is protected' in destroy.words
    site.write(vm_config("  deletion_protection = true", image_name='"Debian 12"'))
    assert "is protected" in site.terraform.plan().words
    site.write(vm_config("  deletion_protection = true"))
    replace = site.terraform.apply("-replace=aetherv_vm.web")
    assert replace.returncode == 1
    assert "is protected" in replace.words
    assert site.agent.deletes == []
    site.applied(vm_config())
    site.terraform.destroy().ok()
    assert site.agent.vms == {}


def test_moved_block_keeps_the_vm(one_site: Site) -> None:
    """A resource's new address with a moved block plans nothing."""
    one_site.applied(vm_config())
    moved = "moved {\n  from = aetherv_vm.web\n  to   = aetherv_vm.app\n}\n"
    one_site.write(vm_config().replace('"aetherv_vm" "web"', '"aetherv_vm" "app"') + moved)
    plan = one_site.terraform.plan()
    assert "0 to add, 0 to change, 0 to destroy" in plan.words or "No changes" in plan.words
    assert len(one_site.agent.vms) == 1


def test_new_address_without_moved_block_is_a_warning_then_an_error(one_site: Site) -> None:
    """The name of a VM that the same run destroys may be planned again, with a hint at the moved block."""
    one_site.applied(vm_config())
    one_site.write(vm_config().replace('"aetherv_vm" "web"', '"aetherv_vm" "app"'))
    plan = one_site.terraform.plan()
    assert plan.returncode == 2, plan.output
    assert "use a `moved` block instead" in plan.words


def test_name_taken_by_a_foreign_vm_is_refused_with_the_import_command(one_site: Site) -> None:
    """A name that a VM outside this state holds is an error in plan with the id to import."""
    vm = one_site.agent.add_vm(vm_name="web-01")
    one_site.write(vm_config())
    plan = one_site.terraform.plan()
    assert plan.returncode == 1
    assert f"terraform import aetherv_vm.NAME {vm.name.removeprefix('vms/')}" in plan.words
    assert "VM_ALREADY_EXISTS" in plan.words
