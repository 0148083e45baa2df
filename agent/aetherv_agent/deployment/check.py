r"""Looking at a host from the login to the space for VMs. Changes nothing on it.

What can be asked by plain commands is asked so, for a host may have no scripts yet; the rest is its inventory.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from aetherv_agent import contracts
from aetherv_agent.core.errors import AethervError
from aetherv_agent.core.model import HostSettings
from aetherv_agent.core.ports import Cmdlet, CmdletAnswer, CmdletPort, CmdletSession, InventoryPort

from . import findings
from .findings import Finding
from .service import ScriptDeployment

_DEADLINE_SECONDS: Final = 150.0
_SHELL_QUOTAS: Final = r"WSMan:\localhost\Shell"
_PLUGIN_QUOTAS: Final = r"WSMan:\localhost\Plugin\microsoft.powershell\Quotas"
_OF_INVENTORY: Final = (
    "hyper_v",
    "switch",
    "images",
    "iso_linux",
    "iso_windows",
    "space",
    "memory",
    "cluster",
    "delegation",
)
_ASKED: Final = (
    "powershell",
    "execution_policy",
    "language_mode",
    "administrator",
    "quotas",
    "jobs_directory",
    "scripts",
)


@dataclass(frozen=True, slots=True)
class Needs:
    """What the agent needs of a host: the account it logs in with, and the most remote shells at once."""

    account: str
    shells: int


class HostChecks:
    """Checks hosts. Used in one event loop.

    Args:
        port: runs commands on hosts.
        inventories: reads inventories, without bringing scripts to a host on the way.
        deployment: compares the scripts.
        hosts: the configuration's hosts.
        needs: by host.
    """

    def __init__(
        self,
        port: CmdletPort,
        inventories: InventoryPort,
        deployment: ScriptDeployment,
        hosts: Mapping[str, HostSettings],
        needs: Mapping[str, Needs],
    ) -> None:
        self._port = port
        self._inventories = inventories
        self._deployment = deployment
        self._hosts = hosts
        self._needs = needs

    async def check(self, host: str) -> tuple[Finding, ...]:
        """Return all findings of a host; one that can't be reached is a finding too.

        Raises:
            AethervError: HOST_NOT_FOUND.
        """
        if host not in self._hosts:
            raise AethervError("HOST_NOT_FOUND", f"There is no host {host!r}.", metadata={"host": host})
        found: list[Finding] = []
        try:
            async with asyncio.timeout(_DEADLINE_SECONDS) as limit:
                await self._check(host, found)
        except AethervError as error:
            known = {finding.id for finding in found}
            name = "winrm" if "winrm" not in known else "connection"
            found.append(findings.bad(name, error.message, error.advice))
        except TimeoutError:
            if not limit.expired():
                raise
            found.append(
                findings.bad(
                    "connection", f"the check did not end within {_DEADLINE_SECONDS:g} s", "Try again."
                )
            )
        known = {finding.id for finding in found}
        later = [
            findings.unknown(name, "not looked at: see what failed above")
            for name in (*_ASKED, *_OF_INVENTORY)
            if name not in known
        ]
        return (*found, *later)

    async def _check(self, host: str, found: list[Finding]) -> None:
        async with self._port.cmdlets(host) as session:
            # The first one changes nothing and tells whether the login works.
            table = await session.run(Cmdlet("Get-Variable", {"Name": "PSVersionTable", "ValueOnly": True}))
            found.append(findings.ok("winrm", f"logged in as {self._needs[host].account}"))
            if any(failure.not_offered for failure in table.failures):
                text = "the host answers its scripts alone, no plain commands"
                found += [findings.unknown(name, text, _advice("DEPLOYMENT_UNAVAILABLE")) for name in _ASKED]
            else:
                found += await self._plain(host, session, table)
        if any(finding.id == "scripts" and finding.state == "failed" for finding in found):
            return
        await self._inventory(host, found)

    async def _plain(self, host: str, session: CmdletSession, table: CmdletAnswer) -> list[Finding]:
        settings = self._hosts[host]
        policy = await session.run(Cmdlet("Get-ExecutionPolicy"))
        mode = await session.run(
            Cmdlet("Get-Variable", {"Name": "ExecutionContext", "ValueOnly": True}),
            Cmdlet("Select-Object", {"ExpandProperty": "SessionState"}),
            Cmdlet("Select-Object", {"ExpandProperty": "LanguageMode"}),
        )
        # PowerShell 7 mounts the drive when its module is loaded; a host without it says so at the next command.
        await session.run(Cmdlet("Import-Module", {"Name": "Microsoft.WSMan.Management"}))
        shell = await session.run(Cmdlet("Get-ChildItem", {"LiteralPath": _SHELL_QUOTAS}))
        plugin = await session.run(Cmdlet("Get-ChildItem", {"LiteralPath": _PLUGIN_QUOTAS}))
        jobs = await session.run(Cmdlet("Test-Path", {"LiteralPath": settings.jobs_directory}))
        versions = _first(table)
        return [
            findings.of_powershell(versions)
            if isinstance(versions, Mapping)
            else _untold("powershell", table),
            findings.of_execution_policy(str(_first(policy)))
            if policy.values
            else _untold("execution_policy", policy),
            findings.of_language_mode(str(_first(mode))) if mode.values else _untold("language_mode", mode),
            self._administrator(host, shell),
            self._quotas(host, shell, plugin),
            _jobs_directory(settings, jobs),
            await self._scripts(host, session),
        ]

    def _administrator(self, host: str, shell: CmdletAnswer) -> Finding:
        # Windows lets administrators alone read the WSMan drive, and no plain command reads a token's groups.
        account = self._needs[host].account
        if shell.values:
            return findings.ok(
                "administrator", f"{account} is an administrator of the host, so it may deploy"
            )
        if any(failure.denied for failure in shell.failures):
            return findings.warned(
                "administrator",
                f"{account} is no administrator of the host: it can run the scripts, not deploy them",
                _advice("DEPLOYMENT_DENIED"),
            )
        return _untold("administrator", shell)

    def _quotas(self, host: str, shell: CmdletAnswer, plugin: CmdletAnswer) -> Finding:
        quotas: dict[str, str] = {}
        for answer in (shell, plugin):
            for value in answer.values:
                if isinstance(value, Mapping) and "Name" in value:
                    name, text = str(value["Name"]), str(value.get("Value", ""))
                    known = quotas.get(name, "")
                    # Both hold for a shell: the smaller one counts.
                    quotas[name] = (
                        min(known, text, key=int) if known.isdigit() and text.isdigit() else text or known
                    )
        if not quotas:
            return _untold("quotas", shell, "Administrators alone can read them.")
        return findings.of_quotas(quotas, self._needs[host].shells)

    async def _scripts(self, host: str, session: CmdletSession) -> Finding:
        try:
            comparison = await self._deployment.compare(host, session)
        except AethervError as error:
            if error.transient:
                raise
            return findings.unknown("scripts", error.message, error.advice)
        folder = self._deployment.folder(host)
        if comparison.equal:
            return findings.ok("scripts", f"{folder}, equal to the manifest")
        if comparison.absent:
            return findings.bad("scripts", f"there are none in {folder}", f"aetherv hosts deploy {host}")
        return findings.bad(
            "scripts",
            f"{folder} differs from the manifest ({comparison})",
            f"Move that folder away (nothing is overwritten), then aetherv hosts deploy {host}.",
        )

    async def _inventory(self, host: str, found: list[Finding]) -> None:
        try:
            inventory = await self._inventories.read_inventory(host)
        except AethervError as error:
            if error.transient:
                raise
            name = "scripts" if error.id == "SCRIPTS_MISMATCH" else "hyper_v"
            found[:] = [finding for finding in found if finding.id != name]
            found.append(findings.bad(name, error.message, error.advice))
            return
        for finding in found:
            if finding.id == "scripts" and finding.state == "unknown":
                found[found.index(finding)] = findings.Finding(
                    "scripts",
                    finding.state,
                    f"version {inventory.facts.scripts_version} answers",
                    finding.advice,
                )
                break
        found += findings.of_inventory(inventory, self._hosts[host])


def _jobs_directory(settings: HostSettings, answer: CmdletAnswer) -> Finding:
    if _first(answer) is True:
        return findings.ok("jobs_directory", settings.jobs_directory)
    if _first(answer) is False:
        return findings.warned(
            "jobs_directory",
            f"{settings.jobs_directory} is not there yet",
            "The first job makes it. An account without that right needs it made, with the right to change what is in it.",
        )
    return _untold("jobs_directory", answer)


def _untold(finding: str, answer: CmdletAnswer, advice: str = "") -> Finding:
    text = answer.failures[0].text if answer.failures else "the host said nothing"
    return findings.unknown(finding, text[:300], advice)


def _advice(error_id: str) -> str:
    return contracts.error_rules()[error_id].advice


def _first(answer: CmdletAnswer) -> Any:
    return answer.values[0] if answer.values else None
