"""A VM's life in a real Terraform: made, seen unchanged, replaced, imported, removed."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from .conftest import PASSWORD, vm_config

if TYPE_CHECKING:
    from .conftest import Site

pytestmark = pytest.mark.terraform


def test_create_plan_and_destroy(site: Site) -> None:
    """A VM is made with its password, a second plan is empty, and destroy removes it."""
    site.applied(vm_config())
    (request,) = site.agent.creates
    assert request.secrets.guest_la_pw == PASSWORD
    assert request.vm.vm_name == "web-01"
    values = site.vm()
    assert values["id"] in site.agent.vms
    assert values["host"] == "hv01"
    assert values["os_family"] == "linux"
    assert values["state"] == "running"
    assert values["guest_state"] == "applied"
    assert values["ip_addresses"] == ["192.0.2.10", "2001:db8::10"]
    assert values["ipv4_address"] == "192.0.2.10"
    assert values["virtual_switch"] == "External"
    assert values["guest_la_pw_wo"] is None
    site.no_changes()
    site.terraform.destroy().ok()
    assert site.agent.vms == {}
    assert site.agent.deletes[0].host_hint == "hv01"


def test_every_attribute_applies_and_plans_clean(site: Site) -> None:
    """All settings of a Linux VM reach the agent as written, and a second plan is empty."""
    extra = """
  guest_v4_ipaddr      = "192.0.2.10"
  guest_v4_cidrprefix  = 24
  guest_v4_defaultgw   = "192.0.2.1"
  guest_v4_dns1        = "192.0.2.53"
  guest_v4_dns2        = "192.0.2.54"
  guest_net_dnssuffix  = "example.com"
  cnf_ansible_ssh_user = "ansible"
  cnf_ansible_ssh_key  = "ssh-ed25519 AAAAC3Nz me@here"
  target_host          = "HV01"
  vlan_id              = 42
  virtual_switch       = "Lab"
  vm_clustered         = true
  power_state          = "running"
  notes                = "first line\\nsecond"
  shutdown_mode        = "off"
  allow_stop           = true
  on_failure           = "keep"
  timeouts             = { create = "5m" }
"""
    site.applied(vm_config(extra))
    request = site.agent.creates[0]
    assert request.vm.guest_v4_cidrprefix == 24
    assert request.vm.vlan_id == 42
    assert request.vm.notes == "first line\nsecond"
    assert request.vm.vm_clustered
    assert request.target_host == "HV01"
    assert request.timeout.seconds == 300
    assert site.vm()["target_host"] == "HV01"
    site.no_changes()
    site.terraform.destroy().ok()
    assert site.agent.deletes[0].shutdown_mode == 3


def test_windows_with_domain(one_site: Site) -> None:
    """A Windows VM joins a domain with both passwords write-only."""
    extra = """
  guest_domain_jointarget        = "example.com"
  guest_domain_joinuid           = "EXAMPLE\\\\joiner"
  guest_domain_joinpw_wo         = "Join-Secret-1"
  guest_domain_joinpw_wo_version = 1
  guest_domain_joinou            = "OU=Servers,DC=example,DC=com"
"""
    one_site.applied(vm_config(extra, image_name='"Windows Server 2022"'))
    assert one_site.agent.creates[0].secrets.guest_domain_joinpw == "Join-Secret-1"
    assert one_site.vm()["os_family"] == "windows"
    one_site.no_changes()


def test_another_image_replaces(site: Site) -> None:
    """A changed image destroys the VM and makes a new one, although the old one holds the name in plan."""
    site.applied(vm_config())
    old = site.vm()["id"]
    site.write(vm_config(image_name='"Debian 12"'))
    plan = site.terraform.plan()
    assert plan.returncode == 2, plan.output
    assert "forces replacement" in plan.output
    assert site.agent.checks[-1].ignore_vms == [f"vms/{old}"]
    site.terraform.apply().ok()
    assert list(site.agent.vms) == [site.vm()["id"]]
    assert site.vm()["id"] != old
    site.no_changes()


def test_replace_option(site: Site) -> None:
    """-replace makes the VM anew although nothing differs."""
    site.applied(vm_config())
    old = site.vm()["id"]
    plan = site.terraform.plan("-replace=aetherv_vm.web")
    assert plan.returncode == 2, plan.output
    site.terraform.apply("-replace=aetherv_vm.web").ok()
    assert site.vm()["id"] != old
    assert len(site.agent.vms) == 1


@pytest.mark.parametrize("option", ["-refresh=true", "-refresh=false"])
def test_tainted_vm_plans_and_is_replaced(site: Site, option: str) -> None:
    """A tainted VM holds its own name and is replaced all the same, refreshed before or not."""
    site.applied(vm_config())
    old = site.vm()["id"]
    site.terraform.run("taint", "aetherv_vm.web").ok()
    plan = site.terraform.plan(option)
    assert plan.returncode == 2, plan.output
    assert "is held by a VM of this state" in plan.words
    site.terraform.apply(option).ok()
    assert site.vm()["id"] != old
    assert len(site.agent.vms) == 1
    site.no_changes()


def test_removed_outside_is_made_again(one_site: Site) -> None:
    """A VM that is definitely gone is planned anew."""
    one_site.applied(vm_config())
    one_site.agent.vms.clear()
    assert one_site.terraform.plan().returncode == 2
    one_site.terraform.apply().ok()
    assert len(one_site.agent.vms) == 1


def test_count_and_for_each(one_site: Site) -> None:
    """Several VMs of one block are made, and their plan is empty afterwards."""
    many = vm_config('  for_each = toset(["a", "b", "c"])', vm_name='"web-${each.key}"')
    one_site.applied(many)
    assert sorted(vm.vm_name for vm in one_site.agent.vms.values()) == ["web-a", "web-b", "web-c"]
    one_site.no_changes()


def test_import_by_id_in_any_form(site: Site) -> None:
    """An id in braces and capitals imports the VM, its record fills the facts, and the plan never replaces."""
    site.applied(vm_config('  notes = "mine"'))
    vm_id = str(site.vm()["id"])
    site.terraform.run("state", "rm", "aetherv_vm.web").ok()
    site.terraform.import_("aetherv_vm.web", "{" + vm_id.upper() + "}").ok()
    values = site.vm()
    assert values["id"] == vm_id
    assert values["image_name"] == "Ubuntu 24.04"
    assert values["shutdown_mode"] == "graceful_then_off"
    plan = site.terraform.plan("-out=saved")
    assert "forces replacement" not in plan.output
    (change,) = site.terraform.show_json("saved")["resource_changes"]
    before, after = change["change"]["before"], change["change"]["after"]
    differing = {name for name in after if after[name] != before[name]}
    assert differing <= {"guest_la_pw_wo_version"}, plan.output
    site.terraform.apply().ok()
    assert len(site.agent.creates) == 1
    site.no_changes()


def test_import_of_a_foreign_vm_changes_nothing(one_site: Site) -> None:
    """A VM that was not made here is imported; filling in what nobody knows is recorded without a call."""
    vm = one_site.agent.add_vm(vm_name="web-01", cpu_cores=2, notes="somebody's", vlan_id=7)
    one_site.write(vm_config())
    one_site.terraform.import_("aetherv_vm.web", vm.name.removeprefix("vms/")).ok()
    plan = one_site.terraform.plan()
    assert "forces replacement" not in plan.output
    assert "0 to destroy" in plan.output
    one_site.terraform.apply().ok()
    assert one_site.agent.creates == []
    assert one_site.vm()["vlan_id"] == 7
    one_site.no_changes()


def test_import_of_what_is_not_there(one_site: Site) -> None:
    """A wrong id, and a form that is no id, are errors."""
    one_site.write(vm_config())
    missing = one_site.terraform.import_("aetherv_vm.web", "5f1c2ab4-7d0e-4a55-9a57-0c1a4d6f2b11")
    assert missing.returncode == 1
    assert "VM not found" in missing.words
    form = one_site.terraform.import_("aetherv_vm.web", "hv01/web-01")
    assert form.returncode == 1
    assert "is not the id of a VM" in form.words


def test_no_secret_in_state_or_plan(site: Site) -> None:
    """A write-only password is in neither file, while a control value is found in both."""
    site.write(vm_config('  notes = "control-value-4711"'))
    site.terraform.plan("-out=saved")
    site.terraform.apply("saved").ok()
    state = (site.terraform.workdir / "terraform.tfstate").read_bytes()
    with zipfile.ZipFile(site.terraform.workdir / "saved") as archive:
        # tfconfig/ holds the user's own text.
        parts = {name: archive.read(name) for name in archive.namelist() if not name.startswith("tfconfig/")}
    assert b"control-value-4711" in state
    assert any(b"control-value-4711" in part for part in parts.values())
    assert PASSWORD.encode() not in state
    assert not any(PASSWORD.encode() in part for part in parts.values())


def test_plaintext_password_is_warned_of(one_site: Site) -> None:
    """guest_la_pw works, is said to be stored, and then is."""
    config = vm_config('  guest_la_pw = "Stored-1"', guest_la_pw_wo="-", guest_la_pw_wo_version="-")
    one_site.write(config)
    plan = one_site.terraform.plan()
    assert "guest_la_pw is stored in Terraform's state" in plan.words
    one_site.terraform.apply().ok()
    assert one_site.agent.creates[0].secrets.guest_la_pw == "Stored-1"
    one_site.no_changes()


def test_ephemeral_and_unknown_values(site: Site) -> None:
    """Ephemeral secrets and values known only in apply reach the agent; the plan's checks wait for them."""
    site.write(
        """
variable "password" {
  type      = string
  ephemeral = true
}
resource "terraform_data" "name" { input = "web-01" }
"""
        + vm_config(
            vm_name="terraform_data.name.output",
            image_name='"${terraform_data.name.output == "web-01" ? "Ubuntu" : "Debian"} 24"',
            guest_la_pw_wo="var.password",
        )
    )
    plan = site.terraform.plan("-var=password=Ephemeral-1")
    assert plan.returncode == 2, plan.output
    assert site.agent.checks == []
    site.terraform.apply("-var=password=Ephemeral-1").ok()
    assert site.agent.creates[0].secrets.guest_la_pw == "Ephemeral-1"
    assert site.vm()["os_family"] == "linux"
    again = site.terraform.plan("-var=password=Ephemeral-2")
    assert again.returncode == 0, again.output


def test_state_is_plain_json(one_site: Site) -> None:
    """The state holds whole numbers as such."""
    one_site.applied(vm_config())
    state = json.loads(Path(one_site.terraform.workdir / "terraform.tfstate").read_text(encoding="utf-8"))
    (resource,) = state["resources"]
    assert resource["instances"][0]["attributes"]["gb_ram"] == 2


def test_generated_configuration_plans_clean(site: Site) -> None:
    """An import block writes a configuration that changes nothing, for a VM made here and for a foreign one."""
    foreign = site.agent.add_vm(vm_name="db-01", notes="somebody's", vlan_id=7, vm_clustered=True)
    site.applied(vm_config('  notes = "mine"'))
    made = site.vm()["id"]
    site.terraform.run("state", "rm", "aetherv_vm.web").ok()
    blocks = [("web", made), ("db", foreign.name.removeprefix("vms/"))]
    imports = "".join(
        f'import {{\n  to = aetherv_vm.{name}\n  id = "{vm_id}"\n}}\n' for name, vm_id in blocks
    )
    site.write(imports)
    plan = site.terraform.plan("-generate-config-out=generated.tf")
    assert "2 to import, 0 to add, 0 to change, 0 to destroy" in plan.words, plan.output
    site.terraform.apply().ok()
    site.no_changes()
    assert len(site.agent.creates) == 1


def test_import_by_identity(site: Site) -> None:
    """From Terraform 1.12 on the state holds the identity, and an import block may give it instead of the id."""
    version = json.loads(site.terraform.run("version", "-json").ok().stdout)["terraform_version"]
    site.applied(vm_config())
    resource = site.terraform.resources()["aetherv_vm.web"]
    vm_id = resource["values"]["id"]
    if tuple(int(part) for part in version.split(".")[:2]) < (1, 12):
        assert "identity" not in resource
        return
    assert resource["identity"] == {"id": vm_id}
    site.terraform.run("state", "rm", "aetherv_vm.web").ok()
    site.write(
        vm_config() + f'import {{\n  to       = aetherv_vm.web\n  identity = {{ id = "{vm_id}" }}\n}}\n'
    )
    site.terraform.apply().ok()
    assert site.vm()["id"] == vm_id
    assert len(site.agent.creates) == 1
    site.no_changes()


def test_a_vm_that_create_before_destroy_cannot_replace_stays_in_the_state(site: Site) -> None:
    """The new VM can't have the old one's name: the user reads why, and the old VM stays managed, not deposed."""
    site.applied(vm_config())
    old = site.vm()["id"]
    site.write(vm_config("lifecycle {\n  create_before_destroy = true\n}"))
    result = site.terraform.apply("-replace=aetherv_vm.web")
    assert result.returncode == 1
    assert "create_before_destroy" in result.words
    assert site.vm()["id"] == old
    site.no_changes()
