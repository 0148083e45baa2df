"""The real provider in a real Terraform, against an agent in memory."""

from __future__ import annotations

import functools
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from support.fake_agent import TOKEN, FakeAgent
from support.terraform import FLAVOURS, Result, Terraform, available
from terraform_provider_aetherv.install import install

HEADER = """
terraform {
  required_providers {
    aetherv = { source = "aetherv.internal/aetherv/aetherv" }
  }
}
"""
PASSWORD = "Correct-Horse-7731"

_VM = """
resource "aetherv_vm" "web" {{
  vm_name                = "web-01"
  image_name             = "Ubuntu 24.04"
  gb_ram                 = 2
  cpu_cores              = 2
  guest_la_uid           = "admin1"
  guest_la_pw_wo         = "{password}"
  guest_la_pw_wo_version = 1
{extra}
}}
"""


def vm_config(extra: str = "", **changed: str) -> str:
    """Give a VM's block, with attributes changed (as HCL text; ``-`` leaves one out) and lines added."""
    text = _VM.format(password=PASSWORD, extra=extra)
    for name, value in changed.items():
        lines = text.splitlines()
        (index,) = [i for i, line in enumerate(lines) if line.strip().startswith(f"{name} ")]
        lines[index] = "" if value == "-" else f"  {name} = {value}"
        text = "\n".join(lines)
    return text


@dataclass(frozen=True)
class Site:
    """A Terraform that uses the provider on a fake agent."""

    terraform: Terraform
    agent: FakeAgent
    provider: str = ""

    def write(self, body: str) -> None:
        """Write the configuration's body."""
        self.terraform.write(HEADER + self.provider + body)

    def applied(self, body: str) -> Result:
        """Write a configuration and apply it."""
        self.write(body)
        return self.terraform.apply().ok()

    def no_changes(self) -> None:
        """Fail unless a plan says that nothing is to do."""
        result = self.terraform.plan()
        assert result.returncode == 0, result.output
        assert "No changes" in result.output

    def vm(self, address: str = "aetherv_vm.web") -> dict[str, object]:
        """Give a VM's values in the state."""
        values: dict[str, object] = self.terraform.resources()[address]["values"]
        return values


@pytest.fixture(scope="session")
def plugins(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The provider's launcher, installed once."""
    folder = tmp_path_factory.mktemp("plugins")
    install(folder / "plugins", home=folder, environ={})
    return folder / "plugins"


@pytest.fixture
def agent() -> Iterator[FakeAgent]:
    """An agent in memory that listens."""
    with FakeAgent() as fake:
        yield fake
        for event in fake.faults.hold_at.values():
            event.set()
        fake.settle()


@pytest.fixture(scope="session")
def initialised(plugins: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Give, per flavour, a folder in which ``terraform init`` ran: what it leaves is the same for every test."""

    @functools.cache
    def folder(flavour: str) -> Path:
        work = tmp_path_factory.mktemp("initialised") / "work"
        terraform = Terraform(work, flavour, plugins)
        terraform.write(HEADER)
        terraform.init().ok()
        return work

    return folder


def _site(agent: FakeAgent, plugins: Path, work: Path, flavour: str, template: Path) -> Site:
    shutil.copytree(template, work, symlinks=True)
    return Site(Terraform(work, flavour, plugins, agent.env), agent)


@pytest.fixture
def site(
    agent: FakeAgent,
    plugins: Path,
    tmp_path: Path,
    terraform_flavour: str,
    initialised: Callable[[str], Path],
) -> Site:
    """An initialised site of each flavour in turn."""
    return _site(agent, plugins, tmp_path / "work", terraform_flavour, initialised(terraform_flavour))


@pytest.fixture
def started_site(agent: FakeAgent, plugins: Path, tmp_path: Path, initialised: Callable[[str], Path]) -> Site:
    """An initialised site of one flavour, whose Terraform starts the provider with the test's environment."""
    flavour = next(name for name in FLAVOURS if available(name))
    return _site(agent, plugins, tmp_path / "work", flavour, initialised(flavour))


@pytest.fixture(scope="session")
def reattach() -> Iterator[str]:
    """One provider process for many runs of Terraform, which saves its starts."""
    process = subprocess.Popen(
        [sys.executable, "-m", "terraform_provider_aetherv", "--debug"], stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        line = process.stdout.readline().strip()
        yield line.removeprefix("TF_REATTACH_PROVIDERS='").removesuffix("'")
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=30)


@pytest.fixture
def one_site(started_site: Site, reattach: str) -> Site:
    """A site of one flavour, for what differs neither between Terraforms nor by how the provider is started."""
    started_site.terraform.env["TF_REATTACH_PROVIDERS"] = reattach
    provider = f"""
provider "aetherv" {{
  endpoint  = "{started_site.agent.endpoint}"
  token     = "{TOKEN}"
  plaintext = true
}}
"""
    return replace(started_site, provider=provider)
