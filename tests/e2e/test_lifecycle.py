"""A VM's life through real Terraforms, the agent and a simulated host over TCP."""

from collections.abc import Callable

import pytest
from support.site import Site
from support.terraform import Terraform
from support.vm_blocks import vm

pytestmark = pytest.mark.terraform
TerraformFor = Callable[..., Terraform]
STATIC = """
  guest_v4_ipaddr     = "192.0.2.10"
  guest_v4_cidrprefix = 24
  guest_v4_defaultgw  = "192.0.2.1"
  guest_v4_dns1       = "192.0.2.53"
  wait_for_ip         = "ipv4"
"""


def test_a_vm_is_made_kept_and_removed(site: Site, terraform_for: TerraformFor) -> None:
    """Apply makes the VM that was asked, a second plan is empty, destroy leaves nothing on the host."""
    terraform = terraform_for(site, vm(extra=STATIC))
    assert terraform.plan().returncode == 2
    terraform.apply().ok()
    made = site.vms()["web-01"]
    assert (made["vm"]["state"], made["vm"]["cpu_count"], made["vm"]["memory_bytes"]) == (
        "running",
        2,
        2 << 30,
    )
    assert made["guest"]["identity"]["host_name"] == "web-01"
    state = terraform.resources()["aetherv_vm.web"]["values"]
    assert (state["id"], state["guest_state"], state["verified"]) == (made["vm"]["id"], "applied", True)
    assert state["ip_addresses"] == ["192.0.2.10"]
    assert terraform.plan().ok().returncode == 0
    terraform.destroy().ok()
    assert (site.vms(), site.vm_folders()) == ({}, [])


def test_a_changed_image_replaces_the_vm(site: Site, terraform_for: TerraformFor) -> None:
    """Another image plans a replacement although the old VM holds the name, and makes another VM."""
    terraform = terraform_for(site, vm())
    terraform.apply().ok()
    before = site.vms()["web-01"]["vm"]["id"]
    terraform = terraform_for(site, vm(image="Debian 12"))
    planned = terraform.plan()
    assert planned.returncode == 2
    assert "must be replaced" in planned.words
    terraform.apply().ok()
    after = site.vms()["web-01"]
    assert after["vm"]["id"] != before
    assert after["guest"]["image"] == "Debian 12"
    assert terraform.plan().returncode == 0


def test_replace_asked_for_replaces(site: Site, terraform_for: TerraformFor) -> None:
    """``-replace`` makes another VM of the same name."""
    terraform = terraform_for(site, vm())
    terraform.apply().ok()
    before = site.vms()["web-01"]["vm"]["id"]
    terraform.apply("-replace=aetherv_vm.web").ok()
    assert list(site.vms()) == ["web-01"]
    assert site.vms()["web-01"]["vm"]["id"] != before


@pytest.mark.parametrize("option", ["-refresh=true", "-refresh=false"])
def test_a_tainted_vm_is_replaced(site: Site, terraform_for: TerraformFor, option: str) -> None:
    """A tainted VM plans and is replaced, also where the plan read nothing."""
    terraform = terraform_for(site, vm())
    terraform.apply().ok()
    before = site.vms()["web-01"]["vm"]["id"]
    terraform.run("taint", "aetherv_vm.web").ok()
    assert terraform.plan(option).returncode == 2
    terraform.apply(option).ok()
    assert list(site.vms()) == ["web-01"]
    assert site.vms()["web-01"]["vm"]["id"] != before
