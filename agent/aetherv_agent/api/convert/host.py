"""A host as clients read it: what its inventory says, or why it has none. Pure."""

from __future__ import annotations

from aetherv.v1 import host_pb2, vm_pb2

from aetherv_agent.api import status
from aetherv_agent.api.convert.basics import clean, timestamp
from aetherv_agent.api.convert.vm import FAMILIES
from aetherv_agent.core.errors import AethervError
from aetherv_agent.core.model import HostSettings, Inventory, VirtualSwitch
from aetherv_agent.core.os_family import os_family_of
from aetherv_agent.deployment import Finding, FindingState
from aetherv_agent.operations.model import HostLoad

_NUMBERS = {core: number for number, core in FAMILIES.items()}
_REFUSED = {
    "HOST_AUTHENTICATION_FAILED",
    "HOST_PERMISSION_DENIED",
    "HYPERV_NOT_VISIBLE",
    "NOT_ELEVATED",
    "CONSTRAINED_LANGUAGE",
}
_MISMATCH = {"SCRIPTS_MISMATCH"}
_STATES = {
    FindingState.OK: host_pb2.HostFinding.STATE_OK,
    FindingState.WARNING: host_pb2.HostFinding.STATE_WARNING,
    FindingState.FAILED: host_pb2.HostFinding.STATE_FAILED,
    FindingState.UNKNOWN: host_pb2.HostFinding.STATE_UNKNOWN,
}


def host_message(settings: HostSettings, found: Inventory | AethervError, load: HostLoad) -> host_pb2.Host:
    """Return a host.

    Args:
        settings: its part of the configuration.
        found: its inventory, or why it can't be read.
        load: the operations on it.
    """
    message = host_pb2.Host(
        name=f"hosts/{settings.id}",
        address=settings.address,
        state=host_state(settings, found),
        running_operation_count=load.running,
        queued_operation_count=load.queued,
    )
    if isinstance(found, AethervError):
        message.error.CopyFrom(status.to_status(found))
        return message
    facts = found.facts
    message.MergeFrom(
        host_pb2.Host(
            cluster=facts.cluster,
            os_version=facts.os_version,
            scripts_version=facts.scripts_version,
            cpu_count=facts.cpu_count,
            memory_bytes=facts.memory_bytes,
            memory_free_bytes=facts.memory_free_bytes,
            volumes=[
                host_pb2.Volume(path=clean(v.path), size_bytes=v.size_bytes, free_bytes=v.free_bytes)
                for v in found.volumes
            ],
            switches=[
                host_pb2.VirtualSwitch(
                    name=clean(s.name), type=s.type, default=_is_default(s, settings, found)
                )
                for s in found.switches
            ],
            images=[
                host_pb2.Image(
                    image_name=clean(i.image_name),
                    path=clean(i.path),
                    size_bytes=i.size_bytes,
                    os_family=_family(i.image_name),
                    update_time=timestamp(i.update_time),
                )
                for i in found.images
            ],
            vm_count=sum(not vm.replica for vm in found.vms),
            observe_time=timestamp(found.observe_time),
        )
    )
    return message


def host_state(settings: HostSettings, found: Inventory | AethervError) -> host_pb2.Host.State.ValueType:
    """Return whether a host can be used."""
    if isinstance(found, AethervError):
        if found.id in _REFUSED:
            return host_pb2.Host.STATE_REFUSED
        return (
            host_pb2.Host.STATE_SCRIPTS_MISMATCH if found.id in _MISMATCH else host_pb2.Host.STATE_UNREACHABLE
        )
    return host_pb2.Host.STATE_CORDONED if settings.cordoned else host_pb2.Host.STATE_READY


def finding_message(finding: Finding) -> host_pb2.HostFinding:
    """Return a finding."""
    return host_pb2.HostFinding(
        id=finding.id,
        state=_STATES[finding.state],
        message=clean(finding.message),
        advice=clean(finding.advice),
    )


def _is_default(switch: VirtualSwitch, settings: HostSettings, inventory: Inventory) -> bool:
    if settings.default_switch:
        return switch.name.casefold() == settings.default_switch.casefold()
    external = [s for s in inventory.switches if s.type == "external"]
    return len(external) == 1 and switch is external[0]


def _family(image_name: str) -> vm_pb2.OsFamily.ValueType:
    family = os_family_of(image_name)
    return _NUMBERS[family] if family else vm_pb2.OS_FAMILY_UNSPECIFIED
