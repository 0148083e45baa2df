"""A check looks at everything that can be looked at, and never fails for what it finds."""

from typing import Any

import pytest
from aetherv_agent.core.errors import AethervError
from aetherv_agent.core.model import HostSettings, Inventory
from aetherv_agent.core.ports import Cmdlet, CmdletAnswer
from aetherv_agent.deployment import Bundle, Finding, HostChecks, Needs, ScriptDeployment
from support.api_fakes import make_inventory
from support.deployment_fakes import DENIED, MISSING, NOT_OFFERED, FakeCmdlets, FakeHost, failure

FINAL = r"C:\Program Files\Aether-V\scripts\1"
BUNDLE = Bundle("1", {"Do.ps1": "do"})
JOBS = r"C:\ProgramData\Aether-V\jobs"
QUOTAS = {"MaxShellsPerUser": "30", "MaxMemoryPerShellMB": "1024"}


class Inventories:
    """Gives one answer."""

    def __init__(self, answer: Inventory | AethervError) -> None:
        self.answer = answer
        self.asked = 0

    async def read_inventory(self, host: str) -> Inventory:
        """Read."""
        self.asked += 1
        if isinstance(self.answer, AethervError):
            raise self.answer
        return self.answer


def answers(**changed: CmdletAnswer) -> Any:
    """Answers of a host on which all is well; ``Get_ExecutionPolicy=...`` changes one."""

    def answer(pipeline: tuple[Cmdlet, ...]) -> CmdletAnswer | None:
        command = pipeline[0]
        if (own := changed.get(command.name.replace("-", "_"))) is not None:
            return own
        if command.name == "Get-ExecutionPolicy":
            return CmdletAnswer(("RemoteSigned",))
        if command.name == "Get-Variable":
            table = {"PSVersion": "5.1.20348.1", "PSEdition": "Desktop"}
            return CmdletAnswer(("FullLanguage",) if len(pipeline) > 1 else (table,))
        if command.name == "Get-ChildItem":
            small = {"MaxShellsPerUser": "25"} if "Plugin" in str(command.parameters) else {}
            return CmdletAnswer(
                tuple({"Name": name, "Value": value} for name, value in (QUOTAS | small).items())
            )
        return None

    return answer


def good_host(**changed: CmdletAnswer) -> FakeHost:
    """A host with scripts."""
    return FakeHost({FINAL + r"\Do.ps1": "do"}, {FINAL, JOBS}, answers(**changed))


async def check(
    host: FakeHost | AethervError, found: Inventory | AethervError | None = None
) -> dict[str, Finding]:
    """Check it and return the findings by id."""
    port = FakeCmdlets({"hv01": host})
    settings = {"hv01": HostSettings("hv01")}
    deployment = ScriptDeployment(port, settings, BUNDLE)
    inventories = Inventories(found or make_inventory())
    checks = HostChecks(port, inventories, deployment, settings, {"hv01": Needs("DOM\\svc", 25)})
    findings = await checks.check("hv01")
    assert len({finding.id for finding in findings}) == len(findings)
    assert all(finding.advice for finding in findings if finding.state in {"failed", "warning"})
    return {finding.id: finding for finding in findings}


async def test_a_good_host_is_looked_at_from_login_to_space() -> None:
    """Everything a user may have to do is there, and nothing on the host was changed."""
    host = good_host()
    found = await check(host)
    assert list(found)[:8] == [
        "winrm", "powershell", "execution_policy", "language_mode", "administrator", "quotas", "jobs_directory", "scripts"
    ]  # fmt: skip
    assert {found[name].state for name in list(found)[:9]} == {"ok"}
    assert {"hyper_v", "switch", "images", "iso_linux", "space", "memory", "cluster", "delegation"} <= set(
        found
    )
    assert "MaxShellsPerUser 25" in found["quotas"].message
    assert {name for name, _ in host.commands} <= {
        "Get-Variable", "Get-ExecutionPolicy", "Get-ChildItem", "Test-Path", "Get-FileHash", "Import-Module"
    }  # fmt: skip


@pytest.mark.parametrize(
    ("changed", "finding", "state"),
    [
        ({"Get_ExecutionPolicy": CmdletAnswer(("Restricted",))}, "execution_policy", "failed"),
        ({"Get_ExecutionPolicy": failure()}, "execution_policy", "unknown"),
        ({"Get_ChildItem": DENIED}, "administrator", "warning"),
        ({"Get_ChildItem": DENIED}, "quotas", "unknown"),
        ({"Get_ChildItem": failure("DriveNotFound,X", MISSING)}, "administrator", "unknown"),
        ({"Get_FileHash": NOT_OFFERED}, "scripts", "unknown"),
        ({"Test_Path": CmdletAnswer((False,))}, "jobs_directory", "warning"),
        ({"Test_Path": failure()}, "jobs_directory", "unknown"),
    ],
)
async def test_what_a_host_says_is_a_finding(
    changed: dict[str, CmdletAnswer], finding: str, state: str
) -> None:
    """Each answer, and each refusal to answer, becomes that one finding's state."""
    assert (await check(good_host(**changed)))[finding].state == state


@pytest.mark.parametrize(("text", "said"), [("", "none"), ("other", "Do.ps1")])
async def test_without_its_scripts_a_host_is_asked_no_inventory(text: str, said: str) -> None:
    """Scripts that are missing or differ say how to deploy; what needs them is unknown."""
    host = FakeHost({FINAL + r"\Do.ps1": text} if text else {}, {FINAL}, answers())
    found = await check(host)
    assert (found["scripts"].state, found["hyper_v"].state) == ("failed", "unknown")
    assert said in found["scripts"].message
    assert "aetherv hosts deploy hv01" in found["scripts"].advice


async def test_a_host_that_can_t_be_reached_is_a_finding() -> None:
    """The first finding says why; all others are unknown."""
    found = await check(AethervError("HOST_AUTHENTICATION_FAILED", "Host hv01 refused the credentials."))
    assert found["winrm"].state == "failed"
    assert {finding.state for name, finding in found.items() if name != "winrm"} == {"unknown"}


async def test_a_connection_that_breaks_on_the_way_keeps_what_was_found() -> None:
    """What was seen before stays; the break is a finding of its own."""
    found = await check(good_host(), AethervError("HOST_UNREACHABLE", "Host hv01 does not answer."))
    assert (found["winrm"].state, found["scripts"].state) == ("ok", "ok")
    assert found["connection"].state == "failed"
    assert found["memory"].state == "unknown"


async def test_a_script_s_own_refusal_is_told_with_its_advice() -> None:
    """An account that sees nothing of Hyper-V is told which group it needs."""
    hidden = AethervError("HYPERV_NOT_VISIBLE", "Nothing of Hyper-V is visible.", host_answered=True)
    found = await check(good_host(), hidden)
    assert found["hyper_v"].state == "failed"
    assert "Hyper-V Administrators" in found["hyper_v"].advice
    newer = AethervError("SCRIPTS_MISMATCH", "These are 2.", host_answered=True)
    assert (await check(good_host(), newer))["scripts"].state == "failed"


async def test_a_host_that_offers_no_commands_is_checked_by_its_inventory() -> None:
    """What plain commands would tell is unknown; the rest is judged all the same."""
    found = await check(FakeHost(answers=lambda _: NOT_OFFERED))
    assert found["winrm"].state == "ok"
    assert (found["execution_policy"].state, found["scripts"].state) == ("unknown", "unknown")
    assert "0.1.0 answers" in found["scripts"].message
    assert found["memory"].state == "ok"


async def test_a_host_that_is_not_configured_is_an_error() -> None:
    """There is nothing to look at."""
    checks = HostChecks(
        FakeCmdlets({}), Inventories(make_inventory()), ScriptDeployment(FakeCmdlets({}), {}, BUNDLE), {}, {}
    )
    with pytest.raises(AethervError) as caught:
        await checks.check("hv99")
    assert caught.value.id == "HOST_NOT_FOUND"
