"""Virtual machines as the model keeps them: frozen values, so that who holds one holds a snapshot. Pure."""

import hashlib
import hmac
from dataclasses import dataclass, field
from enum import StrEnum


class State(StrEnum):
    """Hyper-V's VMState, as far as the model has it."""

    OFF = "off"
    RUNNING = "running"
    PAUSED = "paused"
    SAVED = "saved"
    STOPPING = "stopping"


@dataclass(frozen=True, slots=True)
class NetworkAdapter:
    """One adapter. ``mac`` is twelve hexadecimal digits, empty until the VM's first start; VLAN 0 is untagged."""

    name: str
    switch: str
    vlan_id: int = 0
    mac: str = ""
    ip_addresses: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """One checkpoint: while it stands the VM writes into a differencing disk beside the first one."""

    name: str
    disks: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class VirtualMachine:
    """One VM.

    Attributes:
        id: Hyper-V's GUID in lower case.
        number: Counts up; gives the order and the addresses.
        path: The folder of its configuration (Windows path).
        disks: Paths of the disks that it writes into.
        drives: DVD drives by what is in them; an empty text is an empty drive.
        lives: How often the guest was started.
        started: When it was started last, in seconds since the epoch; 0 when it is off.
        checkpoint_type: Hyper-V's name of it, as are ``start_action`` and ``stop_action``.
        start_delay: Seconds before an automatic start.
    """

    id: str
    number: int
    name: str
    path: str
    memory_bytes: int
    create_time: float
    cpu_count: int = 1
    generation: int = 2
    notes: str = ""
    state: State = State.OFF
    secure_boot_template: str = "MicrosoftWindows"
    secure_boot: bool = True
    automatic_checkpoints: bool = True
    checkpoint_type: str = "Production"
    start_action: str = "StartIfRunning"
    start_delay: int = 0
    stop_action: str = "Save"
    dynamic_memory: bool = False
    replica: bool = False
    adapters: tuple[NetworkAdapter, ...] = ()
    disks: tuple[str, ...] = ()
    drives: tuple[str, ...] = ()
    checkpoints: tuple[Checkpoint, ...] = ()
    lives: int = 0
    started: float = 0.0

    def uptime(self, now: float) -> float:
        """Seconds since the guest started; 0 when it is off."""
        return max(0.0, now - self.started) if self.started else 0.0

    @property
    def is_on(self) -> bool:
        """Whether its files are in use."""
        return self.state is not State.OFF

    def all_disks(self) -> tuple[str, ...]:
        """Disks of the VM and of its checkpoints, each once."""
        found = [*self.disks, *(disk for checkpoint in self.checkpoints for disk in checkpoint.disks)]
        return tuple(dict.fromkeys(found))


class GuestPhase(StrEnum):
    """How far the provisioning service in a guest is, kept in a file on the guest's disk."""

    FRESH = "fresh"
    EXCHANGING = "exchanging"
    APPLYING = "applying"
    APPLIED = "applied"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Account:
    """A local account of a guest. The password is kept as a salted hash, as a guest keeps it."""

    name: str
    administrator: bool
    password_hash: str
    ssh_keys: tuple[str, ...] = ()

    def password_is(self, text: str) -> bool:
        """Whether the account has this password."""
        return matches(self.password_hash, text)


@dataclass(frozen=True, slots=True)
class GuestIdentity:
    """What a guest has become by what it decrypted.

    Attributes:
        dns_suffix: The search domain.
        domain_account: Who joined the domain; the password as a salted hash.
    """

    host_name: str
    accounts: tuple[Account, ...] = ()
    ipv4: str = ""
    prefix: int = 0
    gateway: str = ""
    dns: tuple[str, ...] = ()
    dns_suffix: str = ""
    domain: str = ""
    domain_ou: str = ""
    domain_account: str = ""
    domain_password_hash: str = ""

    def account(self, name: str) -> Account | None:
        """The account of that name."""
        return next((account for account in self.accounts if account.name == name), None)

    @property
    def fqdn(self) -> str:
        """What the guest reports as its FullyQualifiedDomainName."""
        suffix = self.domain or self.dns_suffix
        return f"{self.host_name}.{suffix}" if suffix else self.host_name


@dataclass(frozen=True, slots=True)
class Guest:
    """The guest of one VM, as far as it outlives a power cycle.

    Attributes:
        image: The image's name; empty: no system on the disk.
        family: ``linux``, ``windows`` or empty.
        becoming: What it will be after the reboot that follows applying.
    """

    image: str = ""
    family: str = ""
    phase: GuestPhase = GuestPhase.FRESH
    identity: GuestIdentity = field(default_factory=lambda: GuestIdentity(""))
    becoming: GuestIdentity | None = None
    provisioned_life: int = 0


def salted(text: str, salt: bytes) -> str:
    """A password's salted hash (scrypt), as hexadecimal text with its salt."""
    return f"{salt.hex()}:{hashlib.scrypt(text.encode(), salt=salt, n=1024, r=8, p=1).hex()}"


def matches(kept: str, text: str) -> bool:
    """Whether a kept hash is this text's."""
    salt, _, digest = kept.partition(":")
    return bool(digest) and hmac.compare_digest(kept, salted(text, bytes.fromhex(salt)))
