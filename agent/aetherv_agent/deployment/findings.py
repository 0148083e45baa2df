"""What is found of a host, judged: each with its state and what to do. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from aetherv_agent import contracts
from aetherv_agent.core.dialects import dialect_for
from aetherv_agent.core.model import HostSettings, Inventory, Iso, OsFamily, Volume
from aetherv_agent.core.os_family import os_family_of

_GIB: Final = 1024**3
_LITTLE: Final = 0.1
_MOST_NAMES: Final = 10
_OLDEST: Final = (5, 1)
_ISO_NAMES: Final = {OsFamily.LINUX: "LinuxProvisioning.iso", OsFamily.WINDOWS: "WindowsProvisioning.iso"}


class FindingState(StrEnum):
    """How it stands with one thing."""

    OK = "ok"
    WARNING = "warning"
    """Works, but not for everything."""
    FAILED = "failed"
    UNKNOWN = "unknown"
    """Could not be looked at."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at.

    Attributes:
        id: stable, lower_snake.
        state: how it stands.
        message: what was found.
        advice: what to do; empty when it is well.
    """

    id: str
    state: FindingState
    message: str
    advice: str = ""


def ok(finding: str, message: str) -> Finding:
    """Return a finding that is well."""
    return Finding(finding, FindingState.OK, message)


def bad(finding: str, message: str, advice: str, state: FindingState = FindingState.FAILED) -> Finding:
    """Return a finding that needs something done."""
    return Finding(finding, state, message, advice)


def warned(finding: str, message: str, advice: str) -> Finding:
    """Return a finding that is well for some uses."""
    return bad(finding, message, advice, FindingState.WARNING)


def unknown(finding: str, message: str, advice: str = "") -> Finding:
    """Return a finding of what could not be looked at."""
    return bad(finding, message, advice, FindingState.UNKNOWN)


def of_powershell(table: Mapping[str, Any]) -> Finding:
    """Judge ``$PSVersionTable``."""
    version, edition = str(table.get("PSVersion", "")), str(table.get("PSEdition", "Desktop"))
    numbers = tuple(int(part) if part.isdigit() else 0 for part in version.split(".")[:2])
    if numbers < _OLDEST:
        return bad(
            "powershell", f"PowerShell {version or '?'}", "Install Windows Management Framework 5.1 or later."
        )
    return ok("powershell", f"PowerShell {version} ({edition})")


def of_execution_policy(policy: str) -> Finding:
    """Judge what Get-ExecutionPolicy says."""
    if policy in {"RemoteSigned", "Unrestricted", "Bypass"}:
        return ok("execution_policy", policy)
    return bad(
        "execution_policy",
        f"{policy or 'nothing'}: the host's scripts are not allowed to run",
        "Set-ExecutionPolicy -Scope LocalMachine RemoteSigned (a group policy stands above it).",
    )


def of_language_mode(mode: str) -> Finding:
    """Judge the session's language mode."""
    if mode == "FullLanguage":
        return ok("language_mode", mode)
    return warned(
        "language_mode",
        f"{mode}: application control restricts this session",
        "Scripts run only where the policy trusts their folder: allow the install directory by policy.",
    )


def of_quotas(quotas: Mapping[str, str], shells: int) -> Finding:
    """Judge the endpoint's quotas.

    Args:
        quotas: names and values as the WSMan drive has them.
        shells: how many remote shells the agent may hold on this host at once.
    """
    numbers = {name: int(value) for name, value in quotas.items() if str(value).isdigit()}
    limits = [numbers[name] for name in ("MaxShellsPerUser", "MaxShells") if numbers.get(name)]
    shown = ", ".join(f"{name} {value}" for name, value in sorted(numbers.items()))
    if limits and min(limits) < shells:
        return warned(
            "quotas",
            f"{min(limits)} remote shells an account, and the agent may want {shells} ({shown})",
            "Lower this host's limits in the agent's configuration, or raise MaxShellsPerUser of the endpoint.",
        )
    return ok("quotas", shown or "no limits")


def of_inventory(inventory: Inventory, settings: HostSettings) -> Iterator[Finding]:
    """Judge what a host's inventory says."""
    yield _hyper_v(inventory)
    yield _switch(inventory, settings)
    yield _images(inventory, settings)
    for family in OsFamily:
        yield _iso(inventory, settings, family)
    yield _space(inventory)
    yield _memory(inventory)
    yield _cluster(inventory)
    yield _delegation(inventory, settings)


def _hyper_v(inventory: Inventory) -> Finding:
    facts = inventory.facts
    running = f", {len(inventory.jobs)} open jobs" if inventory.jobs else ""
    return ok(
        "hyper_v", f"{facts.computer_name}, Windows {facts.os_version}, {len(inventory.vms)} VMs{running}"
    )


def _switch(inventory: Inventory, settings: HostSettings) -> Finding:
    names = [switch.name for switch in inventory.switches]
    external = [switch.name for switch in inventory.switches if switch.type == "external"]
    if settings.default_switch:
        if settings.default_switch.casefold() in {name.casefold() for name in names}:
            return ok("switch", f"default_switch {settings.default_switch!r}")
        return bad(
            "switch",
            f"default_switch {settings.default_switch!r} is not there; there are: {_listed(names)}",
            _advice("SWITCH_NOT_FOUND"),
        )
    if not names:
        return bad("switch", "there is no virtual switch", "Make one: New-VMSwitch.")
    if len(external) == 1:
        return ok("switch", f"{external[0]!r}, the only external one")
    return warned(
        "switch",
        f"{len(external)} external switches and no default_switch; there are: {_listed(names)}",
        _advice("SWITCH_AMBIGUOUS"),
    )


def _images(inventory: Inventory, settings: HostSettings) -> Finding:
    names = [image.image_name for image in inventory.images]
    if not names:
        return bad("images", f"no image in {_listed(list(settings.image_paths))}", _advice("IMAGE_NOT_FOUND"))
    twice = sorted(
        {name for name in names if sum(other.casefold() == name.casefold() for other in names) > 1}
    )
    if twice:
        return warned("images", f"more than one of: {_listed(twice)}", _advice("IMAGE_AMBIGUOUS"))
    return ok("images", _listed(names))


def _iso(inventory: Inventory, settings: HostSettings, family: OsFamily) -> Finding:
    finding = f"iso_{family.value}"
    iso = next((iso for iso in inventory.isos if iso.family is family), None)
    wanted = any(os_family_of(image.image_name) in {family, None} for image in inventory.images)
    # Without an image of its family nothing misses the ISO.
    state = FindingState.FAILED if wanted else FindingState.WARNING
    if iso is None:
        name = settings.iso_paths.get(family.value) or f"{settings.install_directory}\\{_ISO_NAMES[family]}"
        return bad(finding, f"{name} is not there", _advice("ISO_NOT_FOUND"), state)
    version = settings.guest_version.get(family.value) or iso.version
    if not version:
        return bad(finding, f"{iso.path}: its version is not known", _advice("GUEST_VERSION_UNKNOWN"), state)
    dialect = dialect_for(version, family)
    if dialect is None:
        return bad(finding, f"{iso.path}: version {version}", _advice("GUEST_VERSION_UNSUPPORTED"), state)
    return ok(finding, f"{iso.path}: version {version}, {dialect.id}{_differing(iso, version)}")


def _differing(iso: Iso, version: str) -> str:
    return (
        f" (guest_version stands above the file's {iso.version})" if iso.version not in {"", version} else ""
    )


def _space(inventory: Inventory) -> Finding:
    volume = _volume_of(inventory)
    if volume is None:
        return unknown("space", f"no volume holds {inventory.facts.vm_path}", _advice("PATH_INVALID"))
    largest = max((image.size_bytes for image in inventory.images), default=0)
    text = f"{_gib(volume.free_bytes)} of {_gib(volume.size_bytes)} free on {volume.path} for {inventory.facts.vm_path}"
    if volume.free_bytes <= largest:
        return bad("space", f"{text}; the largest image has {_gib(largest)}", _advice("DISK_FULL"))
    if volume.free_bytes < volume.size_bytes * _LITTLE:
        return warned("space", text, _advice("DISK_FULL"))
    return ok("space", text)


def _memory(inventory: Inventory) -> Finding:
    facts = inventory.facts
    text = f"{_gib(facts.memory_free_bytes)} of {_gib(facts.memory_bytes)} free"
    if facts.memory_free_bytes < _GIB:
        return bad("memory", text, _advice("MEMORY_INSUFFICIENT"))
    if facts.memory_free_bytes < facts.memory_bytes * _LITTLE:
        return warned("memory", text, _advice("MEMORY_INSUFFICIENT"))
    return ok("memory", text)


def _cluster(inventory: Inventory) -> Finding:
    facts = inventory.facts
    if not facts.cluster:
        return ok("cluster", "in no cluster")
    if facts.node_state == "up":
        return ok("cluster", f"{facts.cluster}, node is up")
    state = facts.node_state or "unknown"
    return bad("cluster", f"{facts.cluster}, node is {state}", _advice("HOST_PAUSED"))


def _delegation(inventory: Inventory, settings: HostSettings) -> Finding:
    if not inventory.facts.cluster:
        return ok("delegation", "not needed: no cluster")
    if settings.delegation:
        return ok("delegation", "the login can be used for a second hop")
    return warned(
        "delegation", "VMs can't become cluster roles: no second hop", _advice("CLUSTER_DELEGATION_MISSING")
    )


def _volume_of(inventory: Inventory) -> Volume | None:
    path = inventory.facts.vm_path.casefold().rstrip("\\") + "\\"
    holding = [
        volume for volume in inventory.volumes if path.startswith(volume.path.casefold().rstrip("\\") + "\\")
    ]
    return max(holding, key=lambda volume: len(volume.path), default=None)


def _advice(error_id: str) -> str:
    return contracts.error_rules()[error_id].advice


def _listed(names: list[str]) -> str:
    shown = ", ".join(sorted(names)[:_MOST_NAMES])
    return shown if len(names) <= _MOST_NAMES else f"{shown} and {len(names) - _MOST_NAMES} more"


def _gib(size: int) -> str:
    return f"{size / _GIB:.1f} GiB"
