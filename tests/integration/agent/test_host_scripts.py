"""Scripts on their way to a host whose remote shells are real PowerShells, and what the agent says of such a host."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from aetherv.client import AgentError
from aetherv.v1 import host_pb2, host_service_pb2
from aetherv_agent import contracts
from aetherv_simhost.serve import HostConfig, SimHostConfig, SimHostServer
from support.agent_site import PASSWORD, AgentProcess, MakeAgent, Site
from support.pwsh_site import needs_pwsh

VERSION = contracts.scripts_version()
OK, FAILED = host_pb2.HostFinding.STATE_OK, host_pb2.HostFinding.STATE_FAILED


@dataclass
class RealHost:
    """A simulated host with a real PowerShell, and its drive C: in this machine's folders."""

    site: Site
    drive: Path

    @property
    def scripts(self) -> Path:
        """The folder of all versions."""
        return self.drive / "Program Files" / "Aether-V" / "scripts"


MakeHost = Callable[..., RealHost]


@contextmanager
def real_host(folder: Path, edition: str, *, predeploy: bool) -> Iterator[RealHost]:
    """Start one."""
    folder.mkdir()
    (folder / "hv01.password").write_text(PASSWORD + "\n", "utf-8")
    (folder / "hv01.password").chmod(0o600)
    model: dict[str, object] = {
        "image_bytes": 65536,
        "pwsh": {"edition": edition, "predeploy": predeploy},
    }
    host = HostConfig("hv01", {"svc": PASSWORD}, model=model)
    with SimHostServer(SimHostConfig((host,), folder / "sim", backend="pwsh")) as server:
        yield RealHost(Site(server, folder), folder / "sim" / "hosts" / "hv01" / "drives" / "C")


@contextmanager
def agent_of(host: RealHost, folder: Path, **changes: Any) -> Iterator[AgentProcess]:
    """Start an agent of it."""
    folder.mkdir()
    agent = AgentProcess(folder, host.site.config(**changes))
    try:
        yield agent.start()
    finally:
        agent.stop()


def aetherv(agent: AgentProcess, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command."""
    return subprocess.run(
        [sys.executable, "-m", "aetherv_agent", *arguments],
        env={**os.environ, **agent.environment},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def same_as_ours(folder: Path) -> bool:
    """Whether a folder holds this version's scripts, byte by byte, and nothing else."""
    ours = contracts.host_scripts_folder()
    names = {*json.loads((ours / "manifest.json").read_text())["files"], "manifest.json"}
    found = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    return found == names and all((folder / n).read_bytes() == (ours / n).read_bytes() for n in names)


@needs_pwsh
@pytest.mark.parametrize("edition", ["Desktop", "Core"])
def test_deploy_brings_the_scripts_and_the_host_is_usable(tmp_path: Path, edition: str) -> None:
    """Before: refused with what to do. After: READY, byte by byte the same, old things untouched, repeatable."""
    with real_host(tmp_path / "site", edition, predeploy=False) as host:
        old = host.scripts / "0.0.9" / "Do.ps1"
        old.parent.mkdir(parents=True)
        old.write_text("old")
        with agent_of(host, tmp_path / "agent") as agent:
            before = aetherv(agent, "hosts", "list")
            assert "scripts_mismatch" in before.stdout
            assert "hv01" in before.stderr
            checked = aetherv(agent, "hosts", "check", "hv01")
            assert checked.returncode == 1
            assert "aetherv hosts deploy hv01" in checked.stdout
            first = aetherv(agent, "hosts", "deploy", "hv01")
            assert (first.returncode, first.stderr) == (0, "")
            assert f"scripts {VERSION} deployed to" in first.stdout
            assert same_as_ours(host.scripts / VERSION)
            assert sorted(path.name for path in host.scripts.iterdir()) == ["0.0.9", VERSION]
            assert old.read_text() == "old"
            again = aetherv(agent, "hosts", "deploy", "--all")
            assert f"hv01: scripts {VERSION} were already in" in again.stdout
            checked = aetherv(agent, "hosts", "check", "--json")
            states = {f["id"]: f["state"] for f in json.loads(checked.stdout)["hosts"][0]["findings"]}
            assert states["scripts"] == "STATE_OK", checked.stdout
            assert states["hyper_v"] == "STATE_OK", checked.stdout
            assert states["execution_policy"] == "STATE_OK"
            assert "ready" in aetherv(agent, "hosts", "list").stdout


@needs_pwsh
def test_scripts_come_by_themselves_where_the_configuration_allows_it(tmp_path: Path) -> None:
    """The first read of a host without scripts brings them."""
    with (
        real_host(tmp_path / "site", "Desktop", predeploy=False) as host,
        agent_of(host, tmp_path / "agent", deploy_scripts=True) as agent,
    ):
        with agent.client() as client:
            found = client.hosts.ReadHost(host_service_pb2.ReadHostRequest(name="hosts/hv01"))
        assert found.state == host_pb2.Host.STATE_READY, found
        assert found.scripts_version == VERSION
        assert same_as_ours(host.scripts / VERSION)


@needs_pwsh
def test_scripts_that_differ_from_their_manifest_are_refused(tmp_path: Path) -> None:
    """The host is SCRIPTS_MISMATCH, nothing is overwritten, and the folder moved away makes it usable again."""
    with real_host(tmp_path / "site", "Desktop", predeploy=True) as host:
        script = host.scripts / VERSION / "Invoke-DeleteVmJob.ps1"
        script.write_text(script.read_text() + "# changed\n")
        with agent_of(host, tmp_path / "agent", deploy_scripts=True) as agent, agent.client() as client:
            read = host_service_pb2.ReadHostRequest(name="hosts/hv01")
            found = client.hosts.ReadHost(read)
            assert found.state == host_pb2.Host.STATE_SCRIPTS_MISMATCH
            assert "Invoke-DeleteVmJob.ps1" in found.error.message
            deploy = host_service_pb2.DeployHostScriptsRequest(name="hosts/hv01")
            with pytest.raises(AgentError) as caught:
                client.hosts.DeployHostScripts(deploy)
            assert caught.value.reason == "SCRIPTS_MISMATCH"
            assert script.read_text().endswith("# changed\n")
            (host.scripts / VERSION).rename(host.scripts / "moved")
            answer = client.hosts.DeployHostScripts(deploy)
            assert answer.made
            assert answer.host.state == host_pb2.Host.STATE_READY
            assert same_as_ours(host.scripts / VERSION)


def test_an_emulated_host_says_that_there_is_nothing_to_deploy_to(make_agent: MakeAgent) -> None:
    """Its scripts answer by themselves: deploy is refused by name, check says what it could not look at."""
    agent = make_agent(deploy_scripts=True)
    refused = aetherv(agent, "hosts", "deploy", "hv01")
    assert refused.returncode == 1
    assert "emulated" in refused.stderr
    assert "[DEPLOYMENT_UNAVAILABLE]" in refused.stderr
    with agent.client() as client:
        answer = client.hosts.CheckHost(host_service_pb2.CheckHostRequest(name="hosts/hv01"))
    states = {finding.id: finding.state for finding in answer.findings}
    assert FAILED not in states.values()
    assert (states["winrm"], states["hyper_v"], states["switch"]) == (OK, OK, OK)
    assert states["execution_policy"] == host_pb2.HostFinding.STATE_UNKNOWN


def test_a_host_that_refuses_the_password_is_a_finding(make_agent: MakeAgent, site: Site) -> None:
    """The check names the login first, looks no further, and ends with 1; all else is unknown."""
    (site.folder / "hv01.password").write_text("wrong\n")
    agent = make_agent()
    checked = aetherv(agent, "hosts", "check", "hosts/hv01")
    assert checked.returncode == 1
    rows = [line.split()[:3] for line in checked.stdout.splitlines()[1:]]
    assert rows[0] == ["hv01", "winrm", "failed"]
    assert {row[2] for row in rows[1:]} == {"unknown"}


def test_a_host_that_is_not_configured_is_named(make_agent: MakeAgent) -> None:
    """Both commands end with the agent's own error."""
    agent = make_agent()
    assert "HOST_NOT_FOUND" in aetherv(agent, "hosts", "check", "hv99").stderr
    refused = aetherv(agent, "hosts", "deploy", "hv99")
    assert refused.returncode == 1
    assert "HOST_NOT_FOUND" in refused.stderr
    assert aetherv(agent, "hosts", "deploy").returncode == 2
