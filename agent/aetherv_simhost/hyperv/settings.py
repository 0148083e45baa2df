"""Settings of the model, read from the plain values that a host's configuration carries. No I/O."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Final, Self, TypeVar, cast

_T = TypeVar("_T")

MIB: Final = 1 << 20
GIB: Final = 1 << 30


class SettingsError(ValueError):
    """A setting of the model is unknown or has another type than it needs."""


@dataclass(frozen=True, slots=True)
class GuestSeconds:
    """How long guests take, in seconds.

    Attributes:
        boot: From power on to the first line of the provisioning service.
        poll: Between two looks at the pool.
        apply: Between ``applying`` and the end state.
        wait: How long a Linux guest waits for the host's state (300 in the field); a Windows guest waits for ever.
        retry: Before Linux reads once more after a wrong checksum (30 in the field).
        deliver: Between two host items that arrive in the guest's pool.
    """

    boot: float = 0.1
    poll: float = 0.05
    apply: float = 0.2
    wait: float = 300.0
    retry: float = 0.3
    deliver: float = 0.002


@dataclass(frozen=True, slots=True)
class HostSeconds:
    """How long the host's side takes, in seconds.

    Attributes:
        poll: Between two looks of a script at what it waits for.
        repeat: Between two repetitions of version and state until the guest answers (30 in the field).
        settle_scale: What a document's ``settle_seconds`` are multiplied with.
        release: How long a VM's files stay locked after it was turned off or removed.
        progress: The shortest time between two progress records of a copy (1 in the field).
    """

    poll: float = 0.03
    repeat: float = 0.5
    settle_scale: float = 0.02
    release: float = 0.05
    progress: float = 0.1


@dataclass(frozen=True, slots=True)
class ImageSettings:
    """A golden image that is made at the first start.

    Attributes:
        name: The file's name without ``.vhdx``.
        family: ``linux`` or ``windows``: what boots from it, whatever its name says.
        size_bytes: The disk's size for the guest.
        accounts: Accounts that are in the image.
        netplan: Whether a Linux image configures its network by netplan.
        adapters_up: Network adapters that are up in the guest.
        phase_left: An image captured from a provisioned VM: its service never answers.
        domain_reachable: Whether a domain controller answers the guest's ping.
        stale: Guest items of an earlier life.
        openssl: Whether the image has openssl; without it the public key is empty.
        bootstrapper: Whether the image looks for the ISO at all.
        shutdown_works: Whether the guest follows when it is asked to shut down.
    """

    name: str
    family: str
    size_bytes: int = 40 * GIB
    accounts: tuple[str, ...] = ()
    netplan: bool = True
    adapters_up: int = 1
    phase_left: bool = False
    domain_reachable: bool = True
    openssl: bool = True
    bootstrapper: bool = True
    shutdown_works: bool = True
    stale: Mapping[str, str] = field(default_factory=dict)


def _images() -> tuple[ImageSettings, ...]:
    return (
        ImageSettings("Ubuntu 24.04", "linux", accounts=("root", "ubuntu")),
        ImageSettings("Debian 12", "linux", accounts=("root", "debian")),
        ImageSettings("Windows Server 2022", "windows", 127 * GIB, accounts=("Administrator",)),
    )


@dataclass(frozen=True, slots=True)
class ModelSettings:
    r"""All settings of one simulated host.

    Attributes:
        computer_name: The host's name; empty: made from its id.
        volumes: Size in bytes by mount path.
        image_bytes: Real bytes of each golden image's file, and so of each clone.
        copy_bytes_per_second: How fast a file is copied; 0: as fast as it goes.
        images: Golden images made at the first start, in ``C:\ClusterStorage\Volume1\DiskImages``.
        switches: Type (external, internal, private) by name.
        guest_version: Content of the version file beside the ISOs; empty: no file.
        cluster: The failover cluster's name; empty: none.
        install_directory: Where the host's scripts and ISOs are.
        compressed_folders: Folders that NTFS compresses or encrypts.
        domains: Domains whose controllers answer; None: every one.
        language_mode: PowerShell's language mode for scripts.
        hyperv_visible: False: the account sees nothing of Hyper-V.
        record_exchange: Keep each guest's private key and each host item ever written in a debug folder.
    """

    computer_name: str = ""
    os_version: str = "10.0.20348"
    cpu_count: int = 32
    memory_bytes: int = 256 * GIB
    volumes: Mapping[str, int] = field(
        default_factory=lambda: {"C:\\": 256 * GIB, r"C:\ClusterStorage\Volume1": 4096 * GIB}
    )
    space_reserve_bytes: int = GIB
    image_bytes: int = 8 * MIB
    copy_bytes_per_second: int = 24 * MIB
    images: tuple[ImageSettings, ...] = field(default_factory=_images)
    switches: Mapping[str, str] = field(default_factory=lambda: {"External": "external"})
    guest_version: str = "2.4.000"
    cluster: str = ""
    install_directory: str = r"C:\Program Files\Aether-V"
    compressed_folders: tuple[str, ...] = ()
    domains: tuple[str, ...] | None = None
    language_mode: str = "FullLanguage"
    hyperv_visible: bool = True
    record_exchange: bool = False
    guest_seconds: GuestSeconds = field(default_factory=GuestSeconds)
    host_seconds: HostSeconds = field(default_factory=HostSeconds)
    guest_workers: int = 2

    @classmethod
    def read(cls, raw: Mapping[str, object]) -> Self:
        """Reads settings from plain values.

        Args:
            raw: Values by name. ``images`` (objects with `ImageSettings`' fields) are added to the default ones,
                ``guest_seconds`` and ``host_seconds`` are objects with their own fields.

        Raises:
            SettingsError: A name is unknown, or a value has a wrong type.
        """
        values = dict(raw)
        try:
            if "images" in values:
                added = tuple(
                    image
                    if isinstance(image, ImageSettings)
                    else _made(ImageSettings, cast("Mapping[str, Any]", image))
                    for image in cast("list[object]", values["images"])
                )
                names = {image.name.casefold() for image in added}
                values["images"] = (*(i for i in _images() if i.name.casefold() not in names), *added)
            if isinstance(values.get("guest_seconds"), Mapping):
                values["guest_seconds"] = _made(
                    GuestSeconds, cast("Mapping[str, Any]", values["guest_seconds"])
                )
            if isinstance(values.get("host_seconds"), Mapping):
                values["host_seconds"] = _made(HostSeconds, cast("Mapping[str, Any]", values["host_seconds"]))
            if isinstance(values.get("domains"), list):
                values["domains"] = tuple(cast("list[str]", values["domains"]))
            return _made(cls, values)
        except (TypeError, AttributeError) as error:
            raise SettingsError(f"the model's settings: {error}") from error


def _made(kind: type[_T], values: Mapping[str, Any]) -> _T:
    known = {f.name for f in fields(cast("Any", kind))}
    if unknown := set(values) - known:
        raise SettingsError(
            f"unknown setting {', '.join(sorted(unknown))}; known are {', '.join(sorted(known))}"
        )
    for entry in fields(cast("Any", kind)):
        if entry.name in values and not _fits(values[entry.name], entry.default):
            raise SettingsError(f"setting {entry.name} can't be {values[entry.name]!r}")
    made = {name: tuple(value) if isinstance(value, list) else value for name, value in values.items()}
    return kind(**made)


def _fits(value: object, usual: object) -> bool:
    """Whether a value has the type of a plain default; other fields are not judged here."""
    if isinstance(usual, bool | str):
        return isinstance(value, type(usual))
    if isinstance(usual, int | float):
        return isinstance(value, int | float) and not isinstance(value, bool)
    return True


def image_header(image: ImageSettings) -> dict[str, object]:
    """What an image's file says of itself, as JSON values."""
    return dataclasses.asdict(image)
