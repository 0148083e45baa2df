"""Hosts get their scripts looked at, or brought, before they are used."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from typing import Any

import pytest
from aetherv_agent.core.errors import AethervError
from aetherv_agent.core.model import HostSettings, Inventory
from aetherv_agent.core.ports import JobCall
from aetherv_agent.core.results import Record, ScriptResult
from aetherv_agent.deployment import Bundle, ReadyHosts, ScriptDeployment
from support.api_fakes import make_inventory
from support.deployment_fakes import DENIED, NOT_OFFERED, FakeCmdlets, FakeHost

FINAL = r"C:\Program Files\Aether-V\scripts\1"
BUNDLE = Bundle("1", {"Do.ps1": "do", "manifest.json": "{}"})
CALL = JobCall("j", "create", "{}", 10)
NOW = datetime(2026, 1, 2, tzinfo=UTC)


class Scripts:
    """Hosts whose scripts answer when they are there."""

    def __init__(self, host: FakeHost) -> None:
        self.host = host
        self.runs: list[str] = []

    def _answer(self, what: str) -> None:
        self.runs.append(what)
        if FINAL + r"\Do.ps1" not in self.host.files:
            raise AethervError("SCRIPTS_MISMATCH", "Host hv0 has no script.", host_answered=True)

    async def run_job(
        self,
        host: str,
        call: JobCall,
        *,
        on_record: Callable[[Record], Awaitable[None]],
        shell: Mapping[str, Any] | None,
        save_shell: Callable[[Mapping[str, Any] | None], Awaitable[None]],
    ) -> ScriptResult:
        """Run a job."""
        self._answer("job" if shell is None else "adopted")
        return ScriptResult(NOW, {})

    async def read_inventory(self, host: str) -> Inventory:
        """Read an inventory."""
        self._answer("inventory")
        return make_inventory(host)


async def nothing(_: object) -> None:
    """Take what comes."""


def ready(host: FakeHost, *, allowed: bool = True) -> tuple[ReadyHosts, Scripts, FakeCmdlets]:
    """Return hosts that are made ready, what stands behind them, and the port of commands."""
    scripts, port = Scripts(host), FakeCmdlets({"hv0": host})
    deployment = ScriptDeployment(port, {"hv0": HostSettings("hv0")}, BUNDLE)
    return ReadyHosts(scripts, scripts, deployment, {"hv0"} if allowed else set()), scripts, port


def filled(**changed: str) -> FakeHost:
    """A host that has the scripts."""
    return FakeHost(
        {FINAL + r"\Do.ps1": "do", FINAL + r"\manifest.json": "{}"} | {FINAL + r"\Do.ps1": changed.get("do", "do")},
        {FINAL},
    )  # fmt: skip


async def test_scripts_are_brought_to_a_host_that_is_first_read() -> None:
    """An inventory that finds no script is asked again after one deployment."""
    host = FakeHost()
    hosts, scripts, _ = ready(host)
    assert (await hosts.read_inventory("hv0")).host == "hv0"
    assert scripts.runs == ["inventory", "inventory"]
    assert FINAL in host.folders


async def test_scripts_are_brought_before_the_first_job() -> None:
    """A job on a host that nobody has read finds its script."""
    hosts, scripts, _ = ready(FakeHost())
    await hosts.run_job("hv0", CALL, on_record=nothing, shell=None, save_shell=nothing)
    assert scripts.runs == ["job"]


async def test_many_first_uses_are_one_deployment() -> None:
    """All that wait get their answer from the same one."""
    host = FakeHost()
    hosts, _, _ = ready(host)
    await asyncio.gather(*(hosts.read_inventory("hv0") for _ in range(5)))
    assert [name for name, _ in host.commands].count("Rename-Item") == 1


async def test_nothing_is_brought_where_it_is_not_allowed() -> None:
    """Without the setting the host is refused with what to do."""
    host = FakeHost()
    hosts, _, _ = ready(host, allowed=False)
    with pytest.raises(AethervError) as caught:
        await hosts.read_inventory("hv0")
    assert caught.value.id == "SCRIPTS_MISMATCH"
    assert host.folders == set()


async def test_a_refused_deployment_is_tried_once_and_told_each_time() -> None:
    """Why the scripts could not be brought stays readable; the account is not tried again."""
    host = FakeHost(answers=lambda pipeline: DENIED if pipeline[0].name == "New-Item" else None)
    hosts, _, _ = ready(host)
    for _ in range(3):
        with pytest.raises(AethervError, match=r"no script.*denied.*administrator") as caught:
            await hosts.read_inventory("hv0")
        assert caught.value.id == "SCRIPTS_MISMATCH"
    assert [name for name, _ in host.commands].count("New-Item") == 1


@pytest.mark.parametrize("allowed", [True, False])
async def test_scripts_that_differ_from_their_manifest_are_refused(allowed: bool) -> None:
    """Neither a read nor a new job goes on with them, and they are not overwritten; repaired ones work."""
    host = filled(do="tampered")
    hosts, scripts, _ = ready(host, allowed=allowed)
    with pytest.raises(AethervError, match=r"Do\.ps1") as caught:
        await hosts.read_inventory("hv0")
    assert caught.value.id == "SCRIPTS_MISMATCH"
    with pytest.raises(AethervError):
        await hosts.run_job("hv0", CALL, on_record=nothing, shell=None, save_shell=nothing)
    assert scripts.runs == ["inventory"]
    assert host.files[FINAL + r"\Do.ps1"] == "tampered"
    host.files[FINAL + r"\Do.ps1"] = "do"
    await hosts.read_inventory("hv0")


async def test_what_runs_already_and_what_is_taken_back_is_never_refused() -> None:
    """A job is adopted, and cancelled, whatever its scripts look like now."""
    hosts, scripts, port = ready(filled(do="tampered"))
    cancel = JobCall("j", "create", "{}", 10, cancel=True)
    await hosts.run_job("hv0", CALL, on_record=nothing, shell={"x": 1}, save_shell=nothing)
    await hosts.run_job("hv0", cancel, on_record=nothing, shell=None, save_shell=nothing)
    assert scripts.runs == ["adopted", "job"]
    assert port.sessions == 0


async def test_scripts_are_compared_once() -> None:
    """A host in use costs nothing more."""
    hosts, _, port = ready(filled())
    for _ in range(3):
        await hosts.read_inventory("hv0")
    assert port.sessions == 1


async def test_many_first_jobs_compare_once() -> None:
    """Who comes while the host is compared waits for that."""
    hosts, scripts, port = ready(filled())
    jobs = (hosts.run_job("hv0", CALL, on_record=nothing, shell=None, save_shell=nothing) for _ in range(5))
    await asyncio.gather(*jobs)
    assert (len(scripts.runs), port.sessions) == (5, 1)


async def test_a_host_that_can_t_be_compared_is_used() -> None:
    """A simulated or restricted host that offers no commands is asked once and trusted."""
    hosts, _, port = ready(FakeHost(filled().files, {FINAL}, answers=lambda _: NOT_OFFERED))
    for _ in range(2):
        await hosts.read_inventory("hv0")
    assert port.sessions == 1


async def test_a_host_that_refuses_the_login_is_not_asked_twice() -> None:
    """A job on a host that nobody has read ends with the first refusal; a read that worked is not spoiled by one."""
    refused = AethervError("HOST_AUTHENTICATION_FAILED", "Host hv0 refused the credentials.")
    hosts, scripts, port = ready(filled())
    port.hosts["hv0"] = refused
    with pytest.raises(AethervError) as caught:
        await hosts.run_job("hv0", CALL, on_record=nothing, shell=None, save_shell=nothing)
    assert (caught.value.id, scripts.runs) == ("HOST_AUTHENTICATION_FAILED", [])
    assert (await hosts.read_inventory("hv0")).host == "hv0"
