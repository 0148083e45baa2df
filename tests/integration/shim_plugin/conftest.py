"""A plugin directory with the fake provider, and a Terraform that uses it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
from support.terraform import Terraform
from terraform_provider_aetherv.install import install

HEADER = """
terraform {
  required_providers {
    aetherv = { source = "aetherv.internal/aetherv/aetherv" }
  }
}
"""


@dataclass(frozen=True)
class Site:
    """A Terraform with the fake provider.

    Attributes:
        terraform: in a working directory of its own.
        store: the folder of the fake provider's objects.
    """

    terraform: Terraform
    store: Path

    def write(self, body: str) -> None:
        """Write the configuration's body."""
        self.terraform.write(HEADER + body)

    def calls(self) -> list[str]:
        """Give what the fake provider noted."""
        log = self.store / "calls.log"
        return log.read_text(encoding="utf-8").splitlines() if log.exists() else []

    def objects(self) -> list[Path]:
        """Give the objects that exist."""
        return sorted(self.store.glob("*.json"))


def plugin_dir_of(folder: Path) -> Path:
    """Install the launcher with a Python that runs the fake provider instead of the real one."""
    python = folder / "python"
    program = Path(__file__).with_name("fake_provider.py")
    # The launcher adds `-P -m terraform_provider_aetherv`.
    python.write_text(f'#!/bin/sh\nshift 3\nexec "{sys.executable}" -P "{program}" "$@"\n', encoding="utf-8")
    python.chmod(0o755)
    plugins = folder / "plugins"
    install(plugins, python=python, home=folder, environ={})
    return plugins


@pytest.fixture
def make_site(tmp_path: Path, terraform_factory: Callable[..., Terraform]) -> Callable[..., Site]:
    """Make sites; ``env`` reaches the fake provider."""
    plugins = plugin_dir_of(tmp_path)

    def make(env: Mapping[str, str] | None = None, name: str = "work") -> Site:
        store = tmp_path / f"{name}-store"
        store.mkdir()
        variables = {"FAKE_STORE": str(store), **(env or {})}
        return Site(terraform_factory(plugin_dir=plugins, env=variables, name=name), store)

    return make


@pytest.fixture
def site(make_site: Callable[..., Site]) -> Site:
    """One initialised site."""
    made = make_site()
    made.write("")
    made.terraform.init().ok()
    return made
