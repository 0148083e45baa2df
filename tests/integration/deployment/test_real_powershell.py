"""Agents that bring their scripts to one host with a real PowerShell at the same time, or after one that died."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aetherv_agent import contracts
from aetherv_agent.core.errors import AethervError
from aetherv_agent.core.model import HostSettings
from aetherv_agent.core.ports import Cmdlet
from aetherv_agent.deployment import Bundle, ScriptDeployment, read_bundle
from aetherv_agent.winrm import WinRmHost, WinRmHosts, WinRmSettings
from support.pwsh_site import PASSWORD, PwshSite, needs_pwsh, pwsh_site

BUNDLE = read_bundle(contracts.host_scripts_folder())
# Brackets are wildcards to PowerShell, and a quote ends a text.
FOLDER = r"C:\Program Files\Aether-V [a] 'b'"
HOST = HostSettings("hv1", install_directory=FOLDER)

pytestmark = needs_pwsh


@asynccontextmanager
async def agent(site: PwshSite) -> AsyncIterator[WinRmHosts]:
    """One agent's connection to the host."""
    address, port = site.server.endpoint("hv1")
    settings = WinRmSettings(
        "hv1", address, "admin", lambda: PASSWORD, port=port, auth="basic", ca_cert=site.server.ca_cert
    )
    hosts = WinRmHosts({"hv1": WinRmHost(settings, HOST)})
    try:
        yield hosts
    finally:
        await hosts.aclose()


async def soon(_seconds: float) -> None:
    """Wait shorter than asked."""
    await asyncio.sleep(0.02)


def deployment(hosts: WinRmHosts, bundle: Bundle = BUNDLE) -> ScriptDeployment:
    """One agent's deployment, which holds what is quiet for dead sooner."""
    return ScriptDeployment(hosts, {"hv1": HOST}, bundle, sleep=soon)


def scripts(site: PwshSite) -> Path:
    """The folder of all versions, on this machine."""
    return site.backend.host.files.real(FOLDER) / "scripts"


def texts(folder: Path) -> dict[str, str]:
    """What lies in a folder."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes().decode()
        for path in folder.rglob("*")
        if path.is_file()
    }


async def test_two_agents_leave_one_whole_folder(tmp_path: Path) -> None:
    """Both end well, every file is as it should be, and nothing else is left."""
    with pwsh_site(tmp_path, pwsh={"predeploy": False}) as site:
        async with agent(site) as one, agent(site) as two:
            done = await asyncio.gather(
                *(ScriptDeployment(hosts, {"hv1": HOST}, BUNDLE).deploy("hv1") for hosts in (one, two))
            )
        assert sorted(deployed.made for deployed in done) == [False, True]
        assert [path.name for path in scripts(site).iterdir()] == [BUNDLE.version]
        assert texts(scripts(site) / BUNDLE.version) == BUNDLE.files


async def test_a_dead_agents_partial_folder_is_made_anew(tmp_path: Path) -> None:
    """What it left does not get into the version."""
    with pwsh_site(tmp_path, pwsh={"predeploy": False}) as site:
        left = scripts(site) / f"{BUNDLE.version}.partial"
        left.mkdir(parents=True)
        (left / "Invoke-DeleteVmJob.ps1").write_text("half")
        (left / "other.ps1").write_text("not ours")
        async with agent(site) as hosts:
            assert (await deployment(hosts).deploy("hv1")).made
        assert [path.name for path in scripts(site).iterdir()] == [BUNDLE.version]
        assert texts(scripts(site) / BUNDLE.version) == BUNDLE.files


@pytest.mark.parametrize("edition", ["Desktop", "Core"])
async def test_texts_arrive_byte_by_byte(tmp_path: Path, edition: str) -> None:
    """Line ends, control characters, quotes, variables, nothing at all, and a text of several pieces."""
    hostile = "".join(map(chr, range(1, 127))) + "\r\n\n\r`$(Get-Date) ]]> %TEMP% <_x000A_ \"'"
    bundle = Bundle("7.7", {"a b.ps1": hostile * 300, "deep/er/c.json": "", "manifest.json": "{}\n"})
    with pwsh_site(tmp_path, pwsh={"predeploy": False, "edition": edition}) as site:
        async with agent(site) as hosts:
            assert (await deployment(hosts, bundle).deploy("hv1")).made
        assert texts(scripts(site) / "7.7") == bundle.files


async def test_a_file_in_the_folders_way_is_a_clear_error(tmp_path: Path) -> None:
    """The host's own text is told, and the file stays."""
    with pwsh_site(tmp_path, pwsh={"predeploy": False}) as site:
        scripts(site).parent.mkdir(parents=True)
        scripts(site).write_text("a file")
        async with agent(site) as hosts:
            with pytest.raises(AethervError, match="New-Item") as caught:
                await deployment(hosts).deploy("hv1")
        assert caught.value.id == "DEPLOYMENT_FAILED"
        assert scripts(site).read_text() == "a file"


async def test_a_session_s_shell_is_given_back_to_the_readers(tmp_path: Path) -> None:
    """Commands use the readers' warm shells: none is opened beside them."""
    with pwsh_site(tmp_path) as site:
        async with agent(site) as hosts:
            for _ in range(3):
                async with hosts.cmdlets("hv1") as session:
                    answer = await session.run(Cmdlet("Get-Location"))
                    assert answer.failures == ()
                    assert answer.values[0]["Path"].startswith("C:")
            assert len(site.backend.processes()) == 1


async def test_a_stale_shell_is_replaced_before_anything_is_changed(tmp_path: Path) -> None:
    """A shell that died since its last use costs a new one and no error; one that dies later is an error."""
    with pwsh_site(tmp_path) as site:
        async with agent(site) as hosts:
            async with hosts.cmdlets("hv1") as session:
                await session.run(Cmdlet("Get-Location"))
            kill(site)
            async with hosts.cmdlets("hv1") as session:
                assert (await session.run(Cmdlet("Get-Location"))).failures == ()
                kill(site)
                with pytest.raises(AethervError) as caught:
                    await session.run(Cmdlet("Get-Location"))
                assert caught.value.id.startswith("HOST_")


def kill(site: PwshSite) -> None:
    """End the shells' processes, as a host's restart does."""
    for process in site.backend.processes():
        os.kill(process, signal.SIGKILL)
