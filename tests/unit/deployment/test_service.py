"""Bringing scripts to a host: beside what is there, never over it."""

import asyncio
import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from aetherv_agent import contracts
from aetherv_agent.core.errors import AethervError
from aetherv_agent.core.model import HostSettings
from aetherv_agent.core.ports import Cmdlet, CmdletAnswer
from aetherv_agent.deployment import Bundle, ScriptDeployment, read_bundle
from support.deployment_fakes import DENIED, NOT_OFFERED, FakeCmdlets, FakeHost, failure

ROOT = r"C:\Program Files\Aether-V"
FINAL = ROOT + r"\scripts\1.2.3"
BUNDLE = Bundle("1.2.3", {"Do.ps1": "'one'\n" * 6000, "contracts/x.json": "{}", "manifest.json": "{...}"})
FILES = {
    FINAL + r"\Do.ps1": BUNDLE.files["Do.ps1"],
    FINAL + r"\contracts\x.json": "{}",
    FINAL + r"\manifest.json": "{...}",
}


async def no_wait(_seconds: float) -> None:
    """Let others work, and no time pass."""
    await asyncio.sleep(0)


def service(*hosts: FakeHost | AethervError, sleep: Any = no_wait) -> ScriptDeployment:
    """A deployment for the hosts hv0, hv1..., each with its fake."""
    port = FakeCmdlets({f"hv{number}": host for number, host in enumerate(hosts)})
    settings = {name: HostSettings(name) for name in port.hosts}
    return ScriptDeployment(port, settings, BUNDLE, dict.fromkeys(settings, "admin"), sleep)


def with_scripts(**changed: str) -> FakeHost:
    """A host that has the scripts, some with another text."""
    host = FakeHost(dict(FILES), {ROOT, ROOT + r"\scripts", FINAL, FINAL + r"\contracts"})
    host.files |= {FINAL + "\\" + name.replace("_", "."): text for name, text in changed.items()}
    return host


async def test_scripts_are_written_compared_and_then_renamed() -> None:
    """All files stand under the version, each as it is, and nothing is left beside."""
    host = FakeHost()
    deployed = await service(host).deploy("hv0")
    assert (deployed.path, deployed.version, deployed.made) == (FINAL, "1.2.3", True)
    assert host.files == FILES
    assert not any(name.endswith(".partial") for name in host.folders)
    names = [name for name, _ in host.commands]
    assert names.index("Get-FileHash") < names.index("Rename-Item")


async def test_every_parameter_is_named_and_no_command_is_script_text() -> None:
    """Only plain cmdlets run, and a text of a script travels as a value, in pieces below an envelope."""
    seen: list[Cmdlet] = []

    def watch(pipeline: tuple[Cmdlet, ...]) -> CmdletAnswer | None:
        seen.extend(pipeline)
        return None

    await service(FakeHost(answers=watch)).deploy("hv0")
    assert {command.name for command in seen} <= {
        "Test-Path", "New-Item", "Set-Content", "Add-Content", "Get-FileHash", "Rename-Item"
    }  # fmt: skip
    assert {len(command.parameters) for command in seen} <= {1, 2, 3, 4}
    pieces = [str(c.parameters["Value"]) for c in seen if c.name in {"Set-Content", "Add-Content"}]
    assert max(map(len, pieces)) <= 16 * 1024
    assert sum(map(len, pieces)) == sum(map(len, BUNDLE.files.values()))


async def test_the_same_scripts_are_left_as_they_are() -> None:
    """A second deployment changes nothing and is content."""
    host = with_scripts()
    assert not (await service(host).deploy("hv0")).made
    assert {name for name, _ in host.commands} == {"Test-Path", "Get-FileHash"}


async def test_other_scripts_under_the_version_are_refused_and_stay() -> None:
    """A folder that differs from the manifest is named, with what to do, and nothing of it changes."""
    host = with_scripts(Do_ps1="tampered")
    before = dict(host.files)
    with pytest.raises(AethervError, match=r"differ.*Do\.ps1.*move that folder away") as caught:
        await service(host).deploy("hv0")
    assert caught.value.id == "SCRIPTS_MISMATCH"
    assert host.files == before


async def test_another_version_and_the_fields_files_are_left_alone() -> None:
    """What stands beside the new folder is neither renamed, written nor removed."""
    others = {ROOT + r"\version": "2.4.000", ROOT + r"\scripts\1.2.2\Do.ps1": "old"}
    host = FakeHost(dict(others), {ROOT, ROOT + r"\scripts", ROOT + r"\scripts\1.2.2"})
    await service(host).deploy("hv0")
    assert host.files == FILES | others
    touched = {path for name, path in host.commands if name in {"Set-Content", "Remove-Item", "Rename-Item"}}
    assert all(FINAL + ".partial" in path for path in touched)


async def test_a_partial_folder_of_a_dead_try_is_made_anew() -> None:
    """When nothing happens in it any more it is taken away, and what was in it does not get in."""
    host = FakeHost({FINAL + r".partial\old.ps1": "half"}, {ROOT, ROOT + r"\scripts", FINAL + ".partial"})
    waited: list[float] = []

    async def wait(seconds: float) -> None:
        waited.append(seconds)

    assert (await service(host, sleep=wait).deploy("hv0")).made
    assert sum(waited) >= 20
    assert host.files == FILES


async def test_a_partial_folder_in_which_work_goes_on_is_waited_for() -> None:
    """While the other agent writes its folder is not touched; its finished scripts are good enough."""
    host = FakeHost({FINAL + r".partial\Do.ps1": ""}, {ROOT, ROOT + r"\scripts", FINAL + ".partial"})
    looks = 0

    async def other(_seconds: float) -> None:
        nonlocal looks
        looks += 1
        host.files[FINAL + r".partial\Do.ps1"] += "x"
        if looks == 30:
            host.files = dict(FILES)
            host.folders = {ROOT, ROOT + r"\scripts", FINAL, FINAL + r"\contracts"}

    assert not (await service(host, sleep=other).deploy("hv0")).made
    assert "Remove-Item" not in {name for name, _ in host.commands}


async def test_two_agents_at_once_end_with_one_whole_folder() -> None:
    """Both are content, one of them has made it."""
    host = FakeHost()
    first, second = service(host), service(host)
    made = await asyncio.gather(first.deploy("hv0"), second.deploy("hv0"))
    assert sorted(deployed.made for deployed in made) == [False, True]
    assert host.files == FILES


async def test_the_loser_of_the_rename_takes_its_own_folder_away() -> None:
    """When the version appears under the hand it is compared, and no partial folder stays."""
    host = FakeHost()

    def beaten(pipeline: tuple[Cmdlet, ...]) -> CmdletAnswer | None:
        if pipeline[0].name == "Rename-Item" and FINAL not in host.folders:
            host.folders |= {FINAL, FINAL + r"\contracts"}
            host.files |= FILES
        return None

    host.answers = beaten
    assert not (await service(host).deploy("hv0")).made
    assert host.files == FILES


async def test_files_that_come_out_different_are_never_renamed() -> None:
    """A host that changes what is written to it gets no version, and keeps nothing."""
    host = FakeHost()

    def changes(pipeline: tuple[Cmdlet, ...]) -> CmdletAnswer | None:
        if pipeline[0].name == "Get-FileHash":
            for path in host.files:
                host.files[path] = "changed"
        return None

    host.answers = changes
    with pytest.raises(AethervError) as caught:
        await service(host).deploy("hv0")
    assert caught.value.id == "DEPLOYMENT_FAILED"
    assert FINAL not in host.folders
    assert host.files == {}


async def test_a_scanner_that_holds_the_folder_is_waited_for() -> None:
    """A rename that fails is tried again for a while."""
    refusals = 2

    def held(pipeline: tuple[Cmdlet, ...]) -> CmdletAnswer | None:
        nonlocal refusals
        if pipeline[0].name != "Rename-Item" or not refusals:
            return None
        refusals -= 1
        return failure("RenameItemIOError,X", 23, "IOException", "in use")

    assert (await service(FakeHost(answers=held)).deploy("hv0")).made


async def test_an_account_without_rights_is_told_to_use_an_administrator() -> None:
    """The refusal names host and account and says who may deploy; the half-made folder goes."""
    host = FakeHost(answers=lambda pipeline: DENIED if pipeline[0].name == "Set-Content" else None)
    with pytest.raises(AethervError, match=r"hv0.*account admin.*administrator") as caught:
        await service(host).deploy("hv0")
    assert caught.value.id == "DEPLOYMENT_DENIED"
    assert FINAL + ".partial" not in host.folders


async def test_a_host_without_commands_says_that_nothing_can_be_deployed() -> None:
    """A simulated host that answers its scripts by itself is named as what it is."""
    with pytest.raises(AethervError, match=r"hv0.*emulated") as caught:
        await service(FakeHost(answers=lambda _: NOT_OFFERED)).deploy("hv0")
    assert caught.value.id == "DEPLOYMENT_UNAVAILABLE"


async def test_calls_at_once_share_a_deployment_that_outlives_a_caller() -> None:
    """One caller's end leaves the others with their answer."""
    host = FakeHost()
    deployment = service(host)
    leaver = asyncio.create_task(deployment.deploy("hv0"))
    stayer = asyncio.create_task(deployment.deploy("hv0"))
    await asyncio.sleep(0)
    leaver.cancel()
    assert (await stayer).made
    assert [name for name, _ in host.commands].count("Rename-Item") == 1
    with pytest.raises(asyncio.CancelledError):
        await leaver


async def test_a_stop_ends_what_waits() -> None:
    """Who waits for a deployment when the agent stops is told so."""
    host = FakeHost()
    deployment = service(host)
    waiting = asyncio.create_task(deployment.deploy("hv0"))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    await deployment.aclose()
    with pytest.raises(AethervError, match="stops"):
        await waiting


async def test_transport_errors_and_unknown_hosts_come_as_they_are() -> None:
    """A host that can't be reached is no matter of its scripts."""
    away = AethervError("HOST_UNREACHABLE", "Host hv0 does not answer.")
    with pytest.raises(AethervError) as caught:
        await service(away).deploy("hv0")
    assert caught.value.id == "HOST_UNREACHABLE"
    with pytest.raises(AethervError) as caught:
        await service().deploy("nowhere")
    assert caught.value.id == "HOST_NOT_FOUND"


async def test_paths_of_a_mapped_drive_are_told_by_their_ends() -> None:
    """A hash counts for its file although the host says another drive's path."""
    host = with_scripts()
    answer = await host.run(Cmdlet("Get-FileHash", {"LiteralPath": tuple(FILES)}))
    mapped = CmdletAnswer(
        tuple(v | {"Path": v["Path"].replace("\\", "/").replace("C:", "/mnt/C")} for v in answer.values)
    )
    host.answers = lambda pipeline: mapped if pipeline[0].name == "Get-FileHash" else None
    assert (await service(host).compare("hv0")).equal


def _folder(tmp_path: Path, **changed: str) -> Path:
    files = {"Do.ps1": "'do'\n", "version": "1.2.3\n"}
    hashes = {name: hashlib.sha256(text.encode()).hexdigest() for name, text in files.items()}
    for name, text in (files | {k.replace("_", "."): v for k, v in changed.items()}).items():
        (tmp_path / name).write_text(text)
    (tmp_path / "manifest.json").write_text(json.dumps({"version": "1.2.3", "files": hashes}))
    return tmp_path


def test_the_bundle_is_what_its_manifest_lists(tmp_path: Path) -> None:
    """Other files of the folder are not brought; the manifest is."""
    (_folder(tmp_path) / "make_manifest.py").write_text("no script")
    bundle = read_bundle(tmp_path)
    assert sorted(bundle.files) == ["Do.ps1", "manifest.json", "version"]
    assert bundle.version == "1.2.3"


@pytest.mark.parametrize("text", ["'other'\n", "'\u00e4'\n"])
def test_a_bundle_that_differs_from_its_manifest_is_refused(tmp_path: Path, text: str) -> None:
    """What this agent would bring is checked first; a script is ASCII alone."""
    with pytest.raises(AethervError) as caught:
        read_bundle(_folder(tmp_path, Do_ps1=text))
    assert caught.value.id == "SCRIPTS_BROKEN"


def test_the_repositorys_own_scripts_can_be_deployed() -> None:
    """Manifest and scripts agree, and the version is the scripts' own."""
    bundle = read_bundle(contracts.host_scripts_folder())
    assert bundle.version == contracts.scripts_version()
    assert {"Get-HostInventory.ps1", "Invoke-ProvisioningJob.ps1", "manifest.json"} <= set(bundle.files)
