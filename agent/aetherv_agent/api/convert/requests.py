"""Requests of VmService as provisioning takes them; every malformed field is told at once. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from aetherv.v1 import vm_service_pb2 as pb

from aetherv_agent.api.convert import basics
from aetherv_agent.api.convert.vm import secrets_of, spec_of
from aetherv_agent.api.permissions import Principal
from aetherv_agent.core.errors import AethervError, Violation
from aetherv_agent.core.model import FailurePolicy, GuestWait, IpWait, ShutdownMode, VmSecrets
from aetherv_agent.core.rules import check_create
from aetherv_agent.provisioning.requests import CreateRequest, DeleteRequest

_POLICIES: Mapping[int, FailurePolicy] = {
    pb.FAILURE_POLICY_ROLLBACK: FailurePolicy.ROLLBACK,
    pb.FAILURE_POLICY_KEEP: FailurePolicy.KEEP,
}
_GUEST_WAITS: Mapping[int, GuestWait] = {
    pb.GUEST_WAIT_APPLIED: GuestWait.APPLIED,
    pb.GUEST_WAIT_PUBLISHED: GuestWait.PUBLISHED,
}
_IP_WAITS: Mapping[int, IpWait] = {
    pb.IP_WAIT_NONE: IpWait.NONE,
    pb.IP_WAIT_IPV4: IpWait.IPV4,
    pb.IP_WAIT_IPV6: IpWait.IPV6,
    pb.IP_WAIT_ANY: IpWait.ANY,
}
_SHUTDOWNS: Mapping[int, ShutdownMode] = {
    pb.SHUTDOWN_MODE_GRACEFUL: ShutdownMode.GRACEFUL,
    pb.SHUTDOWN_MODE_GRACEFUL_THEN_OFF: ShutdownMode.GRACEFUL_THEN_OFF,
    pb.SHUTDOWN_MODE_OFF: ShutdownMode.OFF,
}
_MOST_IGNORED = 1000


@dataclass(frozen=True, slots=True)
class VmName:
    """Which VM a read asks for: a GUID, or a name on a host (empty: on any)."""

    guid: str = ""
    host: str = ""
    vm_name: str = ""


def create_request(request: pb.CreateVmRequest, principal: Principal) -> CreateRequest:
    """Return a create as provisioning takes it.

    Raises:
        AethervError: REQUEST_INVALID with every wrong field.
    """
    problems: list[Violation] = []
    if request.validate_only and (request.secrets.guest_la_pw or request.secrets.guest_domain_joinpw):
        problems.append(Violation("secrets", "must not be sent with validate_only"))
    if request.ignore_vms and not request.validate_only:
        problems.append(Violation("ignore_vms", "is for validate_only alone"))
    if len(request.ignore_vms) > _MOST_IGNORED:
        problems.append(Violation("ignore_vms", f"names more than {_MOST_IGNORED} VMs"))
    ignored = [
        basics.guid_of(name, f"ignore_vms[{index}]", problems)
        for index, name in enumerate(request.ignore_vms[:_MOST_IGNORED])
    ]
    if not request.HasField("vm"):
        problems.append(Violation("vm", "is needed"))
    found = CreateRequest(
        spec=spec_of(request.vm, problems),
        principal=principal.name,
        secrets=None if request.validate_only else secrets_of(request.secrets),
        target_host=basics.bare_host(request.target_host, "target_host", problems),
        request_id=basics.request_id_of(request.request_id, problems),
        on_failure=basics.enum_of(
            request.on_failure, _POLICIES, "on_failure", problems, FailurePolicy.ROLLBACK
        ),
        wait_for_guest=basics.enum_of(
            request.wait_for_guest, _GUEST_WAITS, "wait_for_guest", problems, GuestWait.APPLIED
        ),
        wait_for_ip=basics.enum_of(request.wait_for_ip, _IP_WAITS, "wait_for_ip", problems, IpWait.NONE),
        timeout=basics.seconds_of(request.timeout, "timeout", problems, zero=False)
        if request.HasField("timeout")
        else None,
        ignore_vms=frozenset(ignored),
        allowed_hosts=principal.hosts,
    )
    if problems:
        # One answer with all that is wrong, the VM's own fields too: nobody should send five requests to learn five.
        raise _refusal((*problems, *_field_violations(found)))
    return found


def delete_request(request: pb.DeleteVmRequest, principal: Principal) -> DeleteRequest:
    """Return a delete as provisioning takes it.

    Raises:
        AethervError: REQUEST_INVALID with every wrong field.
    """
    problems: list[Violation] = []
    found = DeleteRequest(
        vm_id=basics.guid_of(request.name, "name", problems),
        principal=principal.name,
        etag=request.etag,
        request_id=basics.request_id_of(request.request_id, problems),
        host_hint=basics.bare_host(request.host_hint, "host_hint", problems),
        allow_missing=request.allow_missing,
        shutdown_mode=basics.enum_of(
            request.shutdown_mode, _SHUTDOWNS, "shutdown_mode", problems, ShutdownMode.GRACEFUL_THEN_OFF
        ),
        keep_disks=request.keep_disks,
        timeout=basics.seconds_of(request.timeout, "timeout", problems, zero=False)
        if request.HasField("timeout")
        else None,
        allowed_hosts=principal.hosts,
    )
    if problems:
        raise _refusal(tuple(problems))
    return found


def read_request(request: pb.ReadVmRequest) -> tuple[VmName, str, float | None]:
    """Return which VM is read, the host to ask first (or empty) and how old the answer may be (or None).

    Raises:
        AethervError: REQUEST_INVALID with every wrong field.
    """
    problems: list[Violation] = []
    hint = basics.bare_host(request.host_hint, "host_hint", problems)
    age = (
        basics.seconds_of(request.max_age, "max_age", problems, zero=True)
        if request.HasField("max_age")
        else None
    )
    name = _vm_name(request.name, problems)
    if problems:
        raise _refusal(tuple(problems))
    return name, hint, age


def _vm_name(name: str, problems: list[Violation]) -> VmName:
    parts = name.split("/", 3)
    if len(parts) == 4 and parts[0] == "hosts" and parts[2] == "vms" and parts[3]:  # noqa: PLR2004  # hosts/H/vms/N
        host = "" if parts[1] == "-" else basics.bare_host(parts[1], "name", problems)
        if not parts[1]:
            problems.append(Violation("name", "names no host: hosts/{host}/vms/{vm_name}, or - for any"))
        return VmName(host=host, vm_name=parts[3])
    if parts[0] == "vms":
        return VmName(guid=basics.guid_of(name, "name", problems))
    problems.append(Violation("name", "must be vms/{guid} or hosts/{host}/vms/{vm_name}"))
    return VmName()


def _field_violations(request: CreateRequest) -> tuple[Violation, ...]:
    secrets: VmSecrets | None = request.secrets
    return check_create(request.spec, secrets).violations


def _refusal(violations: tuple[Violation, ...]) -> AethervError:
    text = "; ".join(f"{v.field} {v.message}" for v in violations[:20])
    return AethervError("REQUEST_INVALID", f"The request is wrong: {text}.", violations=violations)
