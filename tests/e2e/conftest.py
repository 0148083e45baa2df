"""A started site per test, and Terraform configured for it."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from support.site import GUEST_PASSWORD, Site
from support.terraform import Terraform
from terraform_provider_aetherv.install import install

HEADER = """
terraform {
  required_providers {
    aetherv = { source = "aetherv.internal/aetherv/aetherv" }
  }
}
provider "aetherv" {}
variable "password" {
  type      = string
  ephemeral = true
  sensitive = true
}
"""


@pytest.fixture
def make_site(tmp_path: Path) -> Iterator[Callable[..., Site]]:
    """Make and start sites that are stopped after the test."""
    made: list[Site] = []

    def make(**settings: Any) -> Site:
        site = Site(tmp_path / f"site{len(made)}", **settings)
        made.append(site)
        return site.start()

    yield make
    for site in made:
        site.stop()


@pytest.fixture
def site(make_site: Callable[..., Site]) -> Site:
    """One host and an agent."""
    return make_site()


@pytest.fixture(scope="session")
def plugin_dir(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The provider, installed into a folder of the tests' own."""
    folder = tmp_path_factory.mktemp("plugins")
    install(folder)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def terraform_for(terraform_factory: Callable[..., Terraform], plugin_dir: Path) -> Callable[..., Terraform]:
    """Make an initialised Terraform with a site's agent and some resources."""

    def make(site: Site, resources: str, name: str = "work") -> Terraform:
        env = site.client_env | {"TF_VAR_password": GUEST_PASSWORD}
        terraform = terraform_factory(plugin_dir=plugin_dir, env=env, name=name)
        terraform.write(HEADER + resources)
        terraform.init().ok()
        return terraform

    return make
