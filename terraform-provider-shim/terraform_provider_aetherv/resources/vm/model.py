"""Between a state of ``aetherv_vm`` and the API's ``Vm``. Pure; imported once the agent is needed."""

from __future__ import annotations

import ipaddress
from collections.abc import Collection
from datetime import timedelta
from decimal import Decimal
from typing import Final

from aetherv.v1 import vm_pb2, vm_service_pb2

from terraform_provider_aetherv.cty.values import UNKNOWN, Value, unknown_to_null
from terraform_provider_aetherv.plugin.messages import State
from terraform_provider_aetherv.resources.vm import contract
from terraform_provider_aetherv.resources.vm.checks import dropped_fields, secret_value
from terraform_provider_aetherv.resources.vm.schema import ATTRIBUTES, SECRETS
from terraform_provider_aetherv.schema.validators import seconds

_TEXT_FACTS: Final = tuple(
    f.name for f in contract.FIELDS if f.acts_once and f.type == "string" and not f.secret
)
_FAMILIES: Final = {"linux": vm_pb2.OS_FAMILY_LINUX, "windows": vm_pb2.OS_FAMILY_WINDOWS}
_POWER: Final = {"running": vm_pb2.POWER_STATE_RUNNING, "off": vm_pb2.POWER_STATE_OFF}
_IP_WAITS: Final = {
    "none": vm_service_pb2.IP_WAIT_NONE,
    "ipv4": vm_service_pb2.IP_WAIT_IPV4,
    "ipv6": vm_service_pb2.IP_WAIT_IPV6,
    "any": vm_service_pb2.IP_WAIT_ANY,
}
_FAILURE: Final = {
    "rollback": vm_service_pb2.FAILURE_POLICY_ROLLBACK,
    "keep": vm_service_pb2.FAILURE_POLICY_KEEP,
}
_SHUTDOWN: Final = {
    "graceful": vm_service_pb2.SHUTDOWN_MODE_GRACEFUL,
    "graceful_then_off": vm_service_pb2.SHUTDOWN_MODE_GRACEFUL_THEN_OFF,
    "off": vm_service_pb2.SHUTDOWN_MODE_OFF,
}
_STATES: Final = {
    vm_pb2.Vm.STATE_RUNNING: "running",
    vm_pb2.Vm.STATE_OFF: "off",
    vm_pb2.Vm.STATE_PAUSED: "paused",
    vm_pb2.Vm.STATE_SAVED: "saved",
    vm_pb2.Vm.STATE_CHANGING: "changing",
    vm_pb2.Vm.STATE_CRITICAL: "critical",
}
_GUEST_STATES: Final = {
    vm_pb2.GUEST_STATE_NONE: "none",
    vm_pb2.GUEST_STATE_STARTING: "starting",
    vm_pb2.GUEST_STATE_READY: "ready",
    vm_pb2.GUEST_STATE_APPLYING: "applying",
    vm_pb2.GUEST_STATE_APPLIED: "applied",
    vm_pb2.GUEST_STATE_FAILED: "failed",
}
_DEFAULT_TIMEOUTS: Final = {"create": "60m", "read": "5m", "update": "60m", "delete": "30m"}
_GIB: Final = 1024**3


def timeout_of(state: State, kind: str) -> float:
    """Give the seconds that a kind of change may take: as configured, or its default."""
    timeouts = state["timeouts"]
    text = timeouts[kind] if isinstance(timeouts, dict) else None
    return seconds(text if isinstance(text, str) else _DEFAULT_TIMEOUTS[kind])


def vm_name_of(vm_id: str) -> str:
    """Give the API's name of a VM id."""
    return f"vms/{vm_id}"


def id_of(name: str) -> str:
    """Give the VM id of the API's name, or an empty text."""
    return name.removeprefix("vms/") if name.startswith("vms/") else ""


def to_vm(planned: State) -> vm_pb2.Vm:
    """Give the VM that a create asks for; what is null, unknown or without use for the guest stays unset."""
    dropped = dropped_fields(planned)

    def known(name: str) -> Value:
        value = planned[name]
        return None if value is UNKNOWN or name in dropped else value

    vm = vm_pb2.Vm(
        vm_name=known("vm_name") or "",
        image_name=known("image_name") or "",
        gb_ram=float(known("gb_ram") or 0),
        cpu_cores=int(known("cpu_cores") or 0),
        os_family=_FAMILIES.get(known("os_family"), vm_pb2.OS_FAMILY_UNSPECIFIED),
        power_state=_POWER.get(known("power_state"), vm_pb2.POWER_STATE_UNSPECIFIED),
        virtual_switch=known("virtual_switch") or "",
    )
    for name in _TEXT_FACTS:
        setattr(vm, name, known(name) or "")
    for name in ("guest_v4_cidrprefix", "vlan_id"):
        if known(name) is not None:
            setattr(vm, name, int(known(name)))
    for name in ("vm_clustered", "notes"):
        if known(name) is not None:
            setattr(vm, name, known(name))
    return vm


def to_create(planned: State, *, request_id: str = "") -> vm_service_pb2.CreateVmRequest:
    """Give the request that makes a VM, without secrets."""
    target = planned["target_host"]
    request = vm_service_pb2.CreateVmRequest(
        vm=to_vm(planned),
        target_host=target if isinstance(target, str) else "",
        request_id=request_id,
        on_failure=_FAILURE.get(planned["on_failure"], vm_service_pb2.FAILURE_POLICY_UNSPECIFIED),
        wait_for_guest=vm_service_pb2.GUEST_WAIT_PUBLISHED
        if planned["wait_for_guest"] is False
        else vm_service_pb2.GUEST_WAIT_APPLIED,
        wait_for_ip=_IP_WAITS.get(planned["wait_for_ip"], vm_service_pb2.IP_WAIT_UNSPECIFIED),
    )
    request.timeout.FromTimedelta(timedelta(seconds=timeout_of(planned, "create")))
    return request


def to_secrets(planned: State, config: State) -> vm_pb2.VmSecrets:
    """Give a create's secrets, however they were set."""
    dropped = dropped_fields(planned)
    secrets = vm_pb2.VmSecrets()
    for name in SECRETS:
        value = secret_value(config, name)
        if isinstance(value, str) and name not in dropped:
            setattr(secrets, name, value)
    return secrets


def shutdown_mode(state: State) -> vm_service_pb2.ShutdownMode.ValueType:
    """Give how a VM is stopped, as last applied."""
    return _SHUTDOWN.get(state["shutdown_mode"], vm_service_pb2.SHUTDOWN_MODE_UNSPECIFIED)


def observed(vm: vm_pb2.Vm) -> State:
    """Give all that a host says of a VM, by attribute; None where it says nothing."""
    addresses = list(vm.ip_addresses)
    return {
        "id": id_of(vm.name) or None,
        "vm_name": vm.vm_name,
        "gb_ram": _gb_ram(vm),
        "cpu_cores": vm.cpu_cores,
        "vlan_id": vm.vlan_id if vm.HasField("vlan_id") else None,
        "virtual_switch": vm.virtual_switch or None,
        "vm_clustered": vm.vm_clustered if vm.HasField("vm_clustered") else None,
        "power_state": _power(vm),
        "notes": vm.notes if vm.HasField("notes") else None,
        "host": vm.host or None,
        "state": _STATES.get(vm.state, "unknown"),
        "guest_state": _GUEST_STATES.get(vm.guest_state),
        "verified": vm.verified if vm.HasField("verified") else None,
        "ip_addresses": addresses,
        "ipv4_address": _first(addresses, 4),
        "ipv6_address": _first(addresses, 6),
        "mac_address": vm.mac_addresses[0] if vm.mac_addresses else None,
        "vhd_path": vm.disks[0].path if vm.disks else None,
        "creation_time": _time(vm),
    }


def facts(vm: vm_pb2.Vm) -> State:
    """Give what the VM's record says of how it was made, by attribute; None where there is no record."""
    families = {number: name for name, number in _FAMILIES.items()}
    return {
        "image_name": vm.image_name or None,
        "os_family": families.get(vm.os_family),
        "guest_v4_cidrprefix": vm.guest_v4_cidrprefix if vm.HasField("guest_v4_cidrprefix") else None,
        **{name: getattr(vm, name) or None for name in _TEXT_FACTS},
    }


def completed(planned: State, vm: vm_pb2.Vm) -> State:
    """Give the state after a create: as planned, and as the host says where the plan left it open."""
    seen = observed(vm) | {k: v for k, v in facts(vm).items() if v is not None}
    seen["target_host"] = vm.host or None
    return {
        name: seen.get(name) if value is UNKNOWN else unknown_to_null(value)
        for name, value in planned.items()
    }


def empty_state(names: Collection[str] = ()) -> State:
    """Give an object of the schema with every attribute null."""
    return {attribute.name: None for attribute in ATTRIBUTES if not names or attribute.name in names}


def _gb_ram(vm: vm_pb2.Vm) -> Value:
    # Exact: a multiple of 2 MB is a dyadic fraction of a GiB.
    exact = Decimal(vm.gb_ram) if vm.gb_ram else Decimal(vm.memory_bytes) / _GIB
    return int(exact) if exact == int(exact) else exact.normalize()


def _power(vm: vm_pb2.Vm) -> str | None:
    if vm.power_state:
        return {number: name for name, number in _POWER.items()}.get(vm.power_state)
    # Paused, saved and in between are neither: the wanted state stands.
    state = _STATES.get(vm.state)
    return state if state in _POWER else None


def _first(addresses: list[str], version: int) -> str | None:
    for text in addresses:
        try:
            if ipaddress.ip_address(text).version == version:
                return text
        except ValueError:
            continue
    return None


def _time(vm: vm_pb2.Vm) -> str | None:
    return vm.create_time.ToJsonString() if vm.HasField("create_time") else None
