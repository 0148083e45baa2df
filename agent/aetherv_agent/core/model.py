"""VMs and hosts as the agent knows them. Frozen values; no I/O is done here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any


class OsFamily(StrEnum):
    """The family of a guest's operating system."""

    LINUX = "linux"
    WINDOWS = "windows"


class PowerState(StrEnum):
    """The power state that a user wants."""

    RUNNING = "running"
    OFF = "off"


class VmState(StrEnum):
    """What a VM does now (Hyper-V's VMState, folded)."""

    RUNNING = "running"
    OFF = "off"
    PAUSED = "paused"
    SAVED = "saved"
    CHANGING = "changing"
    CRITICAL = "critical"


class GuestState(StrEnum):
    """What a guest's provisioning said last, as its create recorded it."""

    NONE = "none"
    STARTING = "starting"
    READY = "ready"
    APPLYING = "applying"
    APPLIED = "applied"
    FAILED = "failed"


class FailurePolicy(StrEnum):
    """What stands after a create that failed."""

    ROLLBACK = "rollback"
    KEEP = "keep"


class GuestWait(StrEnum):
    """How far a create follows its guest."""

    APPLIED = "applied"
    PUBLISHED = "published"


class IpWait(StrEnum):
    """Which address a create waits for."""

    NONE = "none"
    IPV4 = "ipv4"
    IPV6 = "ipv6"
    ANY = "any"


class ShutdownMode(StrEnum):
    """How a running VM is stopped."""

    GRACEFUL = "graceful"
    GRACEFUL_THEN_OFF = "graceful_then_off"
    OFF = "off"


@dataclass(frozen=True, slots=True)
class VmSpec:
    """What a user asks of a new VM; empty or None where nothing was said. Field names are the contract's."""

    vm_name: str
    image_name: str = ""
    gb_ram: float = 0
    cpu_cores: int = 0
    os_family: OsFamily | None = None
    guest_la_uid: str = ""
    guest_v4_ipaddr: str = ""
    guest_v4_cidrprefix: int | None = None
    guest_v4_defaultgw: str = ""
    guest_v4_dns1: str = ""
    guest_v4_dns2: str = ""
    guest_net_dnssuffix: str = ""
    guest_domain_jointarget: str = ""
    guest_domain_joinuid: str = ""
    guest_domain_joinou: str = ""
    cnf_ansible_ssh_user: str = ""
    cnf_ansible_ssh_key: str = ""
    vlan_id: int | None = None
    virtual_switch: str = ""
    vm_clustered: bool | None = None
    power_state: PowerState | None = None
    notes: str | None = None

    def fields(self) -> dict[str, Any]:
        """Return the fields that were said, by their contract names, as JSON values."""
        return {
            name: value.value if isinstance(value, StrEnum) else value
            for name in self.__slots__
            if (value := getattr(self, name)) is not None and value != ""
        }


@dataclass(frozen=True, slots=True)
class VmSecrets:
    """A create's secrets; never shown. Empty where none was given."""

    guest_la_pw: str = field(default="", repr=False)
    guest_domain_joinpw: str = field(default="", repr=False)

    def given(self) -> dict[str, str]:
        """Return the secrets that were given, by their contract names."""
        return {name: value for name in self.__slots__ if (value := getattr(self, name))}


@dataclass(frozen=True, slots=True)
class Disk:
    """A virtual disk: its file on the host, its size for the guest and its file's size, in bytes."""

    path: str
    size_bytes: int
    file_bytes: int


@dataclass(frozen=True, slots=True)
class Adapter:
    """A network adapter: MAC as ``00:15:5d:..`` (empty before the first start), switch, VLAN, addresses seen."""

    mac: str
    switch: str
    vlan_id: int
    ip_addresses: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Mark:
    """What the agent's line in a VM's notes says: who made it, from what, and how its guest ended."""

    job: str
    fields: Mapping[str, Any]
    guest_state: GuestState | None = None
    guest_message: str = ""
    verified: bool | None = None


@dataclass(frozen=True, slots=True)
class Vm:
    """A VM as a host answered it."""

    id: str
    """Hyper-V's GUID in lower case."""
    name: str
    host: str
    state: VmState
    memory_bytes: int
    dynamic_memory: bool
    cpu_count: int
    vlan_id: int
    switch: str
    clustered: bool
    notes: str
    """The user's notes, without the mark."""
    mark: Mark | None
    adapters: tuple[Adapter, ...]
    disks: tuple[Disk, ...]
    path: str
    create_time: datetime | None
    uptime_seconds: int
    replica: bool
    observe_time: datetime
    cluster: str = ""


@dataclass(frozen=True, slots=True)
class Image:
    """A golden image on a host."""

    image_name: str
    path: str
    size_bytes: int
    update_time: datetime | None


@dataclass(frozen=True, slots=True)
class VirtualSwitch:
    """A virtual switch; ``type`` is external, internal or private."""

    name: str
    type: str


@dataclass(frozen=True, slots=True)
class Volume:
    """A volume that can hold VMs."""

    path: str
    size_bytes: int
    free_bytes: int


@dataclass(frozen=True, slots=True)
class Iso:
    """A provisioning ISO on a host: its family and the version in the file beside it, if any."""

    family: OsFamily
    path: str
    version: str = ""


@dataclass(frozen=True, slots=True)
class OpenJob:
    """A job whose journal on the host has not ended."""

    job_id: str
    script: str
    vm_name: str
    vm_id: str
    step: str
    state: str
    reserved_bytes: int


@dataclass(frozen=True, slots=True)
class HostFacts:
    """What a host says of itself. ``node_state`` is empty outside a cluster."""

    computer_name: str
    os_version: str
    scripts_version: str
    cluster: str
    node_state: str
    cpu_count: int
    memory_bytes: int
    memory_free_bytes: int
    vm_path: str


@dataclass(frozen=True, slots=True)
class Inventory:
    """One host's answer to one inventory call."""

    host: str
    facts: HostFacts
    vms: tuple[Vm, ...]
    images: tuple[Image, ...]
    switches: tuple[VirtualSwitch, ...]
    volumes: tuple[Volume, ...]
    isos: tuple[Iso, ...]
    jobs: tuple[OpenJob, ...]
    observe_time: datetime


@dataclass(frozen=True, slots=True)
class HostSettings:
    """A host's settings that its scripts need, with the field's defaults (reference: host-layout).

    ``id`` is its name in the agent's configuration. Empty ``vm_path``, ``default_switch``: the host decides.
    """

    id: str
    address: str = ""
    install_directory: str = r"C:\Program Files\Aether-V"
    jobs_directory: str = r"C:\ProgramData\Aether-V\jobs"
    image_paths: tuple[str, ...] = (r"C:\ClusterStorage\*\DiskImages",)
    vm_path: str = ""
    default_switch: str = ""
    secure_boot_template: Mapping[str, str] = field(
        default_factory=lambda: {"linux": "MicrosoftUEFICertificateAuthority", "windows": "MicrosoftWindows"}
    )
    iso_paths: Mapping[str, str] = field(default_factory=dict)
    """Per family; empty: ``LinuxProvisioning.iso`` and ``WindowsProvisioning.iso`` in the install directory."""
    guest_version: Mapping[str, str] = field(default_factory=dict)
    """Per family; empty: the ``version`` file beside the ISO."""
    copies: int = 2
    cordoned: bool = False
    delegation: bool = False
    """Whether the agent's login can be used for a second hop (CredSSP, or Kerberos with delegation)."""
