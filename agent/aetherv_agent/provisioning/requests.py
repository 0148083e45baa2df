"""What is asked of ``service.VmProvisioning``. Frozen values; ``api.convert`` makes them."""

from __future__ import annotations

from dataclasses import dataclass, field

from aetherv_agent.core.model import FailurePolicy, GuestWait, IpWait, ShutdownMode, VmSecrets, VmSpec
from aetherv_agent.core.rules import Warning as FieldWarning


@dataclass(frozen=True, slots=True)
class CreateRequest:
    """A create as a client asks it.

    Attributes:
        principal: who asks.
        allowed_hosts: the hosts that the caller may use; None: all.
        target_host: the bare id of a host, or empty.
        timeout: seconds of work, or None for the agent's setting.
        ignore_vms: GUIDs (lower case) that are checked as if they were gone; for a check only.
        secrets: None for a check, which knows none.
    """

    spec: VmSpec
    principal: str
    secrets: VmSecrets | None = field(default=None, repr=False)
    target_host: str = ""
    request_id: str = ""
    on_failure: FailurePolicy = FailurePolicy.ROLLBACK
    wait_for_guest: GuestWait = GuestWait.APPLIED
    wait_for_ip: IpWait = IpWait.NONE
    timeout: float | None = None
    ignore_vms: frozenset[str] = frozenset()
    allowed_hosts: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class DeleteRequest:
    """A delete as a client asks it. ``vm_id`` is a GUID in lower case; the rest as in ``CreateRequest``."""

    vm_id: str
    principal: str
    etag: str = ""
    request_id: str = ""
    host_hint: str = ""
    allow_missing: bool = False
    shutdown_mode: ShutdownMode = ShutdownMode.GRACEFUL_THEN_OFF
    keep_disks: bool = False
    timeout: float | None = None
    allowed_hosts: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """What a create would make: the effective spec (family, switch, VLAN, power known), its host, and warnings."""

    spec: VmSpec
    host: str
    cluster: str
    memory_bytes: int
    warnings: tuple[FieldWarning, ...] = ()


@dataclass(frozen=True, slots=True)
class ProvisioningSettings:
    """Times in seconds.

    Attributes:
        wait_ready: how long a guest may take until it asks for its data.
        wait_applied: how long it may take to apply them.
        settle_seconds: the pause before the last state; None: the guest's dialect says.
        verify_timeout: how long is looked for what the guest became.
        stop_timeout: how long a graceful shutdown may take.
        default_timeout: an operation's time where the client says none.
        inventory_max_age: how old an inventory a check may use.
    """

    wait_ready: int = 300
    wait_applied: int = 1800
    settle_seconds: int | None = None
    verify_timeout: int = 120
    stop_timeout: int = 120
    default_timeout: float = 3600.0
    inventory_max_age: float = 5.0
