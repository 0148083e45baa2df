"""A VM between protobuf and core. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from aetherv.v1 import vm_pb2

from aetherv_agent.api.convert.basics import clean, timestamp
from aetherv_agent.core.errors import Violation
from aetherv_agent.core.etag import etag_of
from aetherv_agent.core.guest_addresses import own_addresses
from aetherv_agent.core.model import GuestState, OsFamily, PowerState, Vm, VmSecrets, VmSpec, VmState
from aetherv_agent.core.os_family import os_family_of
from aetherv_agent.provisioning.requests import Plan

_GIB = 1024**3

FAMILIES = {vm_pb2.OS_FAMILY_LINUX: OsFamily.LINUX, vm_pb2.OS_FAMILY_WINDOWS: OsFamily.WINDOWS}
POWERS = {vm_pb2.POWER_STATE_RUNNING: PowerState.RUNNING, vm_pb2.POWER_STATE_OFF: PowerState.OFF}
STATES = {
    VmState.RUNNING: vm_pb2.Vm.STATE_RUNNING,
    VmState.OFF: vm_pb2.Vm.STATE_OFF,
    VmState.PAUSED: vm_pb2.Vm.STATE_PAUSED,
    VmState.SAVED: vm_pb2.Vm.STATE_SAVED,
    VmState.CHANGING: vm_pb2.Vm.STATE_CHANGING,
    VmState.CRITICAL: vm_pb2.Vm.STATE_CRITICAL,
}
GUEST_STATES = {
    GuestState.NONE: vm_pb2.GUEST_STATE_NONE,
    GuestState.STARTING: vm_pb2.GUEST_STATE_STARTING,
    GuestState.READY: vm_pb2.GUEST_STATE_READY,
    GuestState.APPLYING: vm_pb2.GUEST_STATE_APPLYING,
    GuestState.APPLIED: vm_pb2.GUEST_STATE_APPLIED,
    GuestState.FAILED: vm_pb2.GUEST_STATE_FAILED,
}
_PB_FAMILIES = {core: number for number, core in FAMILIES.items()}
_PB_POWERS = {core: number for number, core in POWERS.items()}
_ENUMS = {"os_family", "power_state"}
_PLAIN = tuple(field.name for field in fields(VmSpec) if field.name not in _ENUMS)
_ONCE_TEXT = (
    "image_name",
    "guest_la_uid",
    "guest_v4_ipaddr",
    "guest_v4_defaultgw",
    "guest_v4_dns1",
    "guest_v4_dns2",
    "guest_net_dnssuffix",
    "guest_domain_jointarget",
    "guest_domain_joinuid",
    "guest_domain_joinou",
    "cnf_ansible_ssh_user",
    "cnf_ansible_ssh_key",
)


def spec_of(vm: vm_pb2.Vm, problems: list[Violation]) -> VmSpec:
    """Return what a client asks of a new VM; name and output fields are ignored.

    Args:
        vm: as the client sent it.
        problems: gets enum numbers that this version does not know.
    """
    said: dict[str, Any] = {}
    for name in _PLAIN:
        if not vm.DESCRIPTOR.fields_by_name[name].has_presence or vm.HasField(name):  # type: ignore[arg-type]  # the names are VmSpec's own
            said[name] = getattr(vm, name)
    for name, table in (("os_family", FAMILIES), ("power_state", POWERS)):
        number = getattr(vm, name)
        if number and number not in table:
            problems.append(
                Violation(f"vm.{name}", f"has the value {number}, which this agent does not know")
            )
        said[name] = table.get(number)
    return VmSpec(**said)


def secrets_of(secrets: vm_pb2.VmSecrets) -> VmSecrets:
    """Return a create's secrets."""
    return VmSecrets(guest_la_pw=secrets.guest_la_pw, guest_domain_joinpw=secrets.guest_domain_joinpw)


def vm_message(vm: Vm) -> vm_pb2.Vm:
    """Return a VM as clients read it: what the host says now, and what its record says of its making."""
    mark = vm.mark
    facts: Mapping[str, Any] = mark.fields if mark else {}
    message = vm_pb2.Vm(
        name=f"vms/{vm.id}",
        vm_name=clean(vm.name),
        gb_ram=vm.memory_bytes / _GIB,
        cpu_cores=vm.cpu_count,
        os_family=_family(facts),
        vlan_id=vm.vlan_id,
        virtual_switch=clean(vm.switch),
        vm_clustered=vm.clustered,
        power_state=_power(vm.state),
        notes=clean(vm.notes),
        host=vm.host,
        state=STATES[vm.state],
        memory_bytes=vm.memory_bytes,
        dynamic_memory=vm.dynamic_memory,
        ip_addresses=own_addresses(vm),
        mac_addresses=[adapter.mac.lower() for adapter in vm.adapters if adapter.mac],
        disks=[
            vm_pb2.Disk(path=clean(disk.path), size_bytes=disk.size_bytes, file_bytes=disk.file_bytes)
            for disk in vm.disks
        ],
        cluster=clean(vm.cluster),
        create_time=timestamp(vm.create_time),
        observe_time=timestamp(vm.observe_time),
        etag=etag_of(vm),
    )
    for name in _ONCE_TEXT:
        if isinstance(value := facts.get(name), str):
            setattr(message, name, clean(value))
    prefix = facts.get("guest_v4_cidrprefix")
    if isinstance(prefix, int) and not isinstance(prefix, bool):
        message.guest_v4_cidrprefix = prefix
    if mark is not None:
        message.operation = f"operations/{mark.job}" if mark.job else ""
        message.guest_message = clean(mark.guest_message)
        if mark.guest_state is not None:
            message.guest_state = GUEST_STATES[mark.guest_state]
        if mark.verified is not None:
            message.verified = mark.verified
    return message


def planned_message(plan: Plan) -> vm_pb2.Vm:
    """Return the VM as a create would make it: what is known before, and nothing else."""
    spec = plan.spec
    said = {name: value for name in _PLAIN if (value := getattr(spec, name)) is not None}
    return vm_pb2.Vm(
        **said,
        os_family=_PB_FAMILIES[spec.os_family] if spec.os_family else vm_pb2.OS_FAMILY_UNSPECIFIED,
        power_state=_PB_POWERS[spec.power_state] if spec.power_state else vm_pb2.POWER_STATE_UNSPECIFIED,
        host=plan.host,
        cluster=plan.cluster,
        memory_bytes=plan.memory_bytes,
    )


def family_name(vm: Vm) -> str:
    """Return a VM's family as filters compare it: ``LINUX``, ``WINDOWS`` or empty."""
    number = _family(vm.mark.fields if vm.mark else {})
    return FAMILIES[number].value.upper() if number in FAMILIES else ""


def _family(facts: Mapping[str, Any]) -> vm_pb2.OsFamily.ValueType:
    said = facts.get("os_family")
    if isinstance(said, str) and said in set(OsFamily):
        return _PB_FAMILIES[OsFamily(said)]
    image = facts.get("image_name")
    found = os_family_of(image) if isinstance(image, str) else None
    return _PB_FAMILIES[found] if found else vm_pb2.OS_FAMILY_UNSPECIFIED


def _power(state: VmState) -> vm_pb2.PowerState.ValueType:
    if state is VmState.RUNNING:
        return vm_pb2.POWER_STATE_RUNNING
    # Saved and paused VMs are neither what a user can want: nothing is said, so nothing seems to have changed.
    return vm_pb2.POWER_STATE_OFF if state is VmState.OFF else vm_pb2.POWER_STATE_UNSPECIFIED
