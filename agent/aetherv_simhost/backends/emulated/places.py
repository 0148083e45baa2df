"""Finding things on the host by a document's settings: images, ISOs and their version, switches, the VM's folder."""

from collections.abc import Iterator

from aetherv_agent.core.model import HostSettings

from aetherv_simhost.backends.emulated.failures import JobFailed
from aetherv_simhost.hyperv import paths
from aetherv_simhost.hyperv.content import (
    CLUSTER_STORAGE,
    DEFAULT_DISK_PATH,
    DEFAULT_VM_PATH,
    DISK_IMAGES,
    ISO_NAMES,
)
from aetherv_simhost.hyperv.errors import FileError, PathInvalid
from aetherv_simhost.hyperv.files import HostFiles
from aetherv_simhost.hyperv.host import HyperVHost

_LISTED = 20


def image_files(files: HostFiles, host: HostSettings) -> Iterator[str]:
    """Paths of all files in the image folders that are disks (.vhdx and .vhd)."""
    seen = set()
    for pattern in (*host.image_paths, paths.join(paths.parent(DEFAULT_DISK_PATH), DISK_IMAGES)):
        for folder in files.find(pattern):
            for path in files.entries(folder):
                if path.casefold().endswith((".vhdx", ".vhd")) and path.casefold() not in seen:
                    seen.add(path.casefold())
                    yield path


def image_name(path: str) -> str:
    """An image's name by its file."""
    return paths.name_of(path).rpartition(".")[0]


def find_image(host: HyperVHost, settings: HostSettings, wanted: str) -> str:
    """The golden image of a name.

    Raises:
        JobFailed: IMAGE_NOT_FOUND with those there are, IMAGE_AMBIGUOUS, IMAGE_UNSUPPORTED.
    """
    try:
        found = list(image_files(host.files, settings))
    except PathInvalid as error:
        raise JobFailed("PATH_INVALID", f"image_paths: {error}") from error
    named = [path for path in found if image_name(path).casefold() == wanted.casefold()]
    good = [path for path in named if path.casefold().endswith(".vhdx")]
    if len(good) > 1:
        raise JobFailed(
            "IMAGE_AMBIGUOUS", f"The image {wanted!r} is there twice: {', '.join(good)}.", field="image_name"
        )
    if good:
        return good[0]
    if named:
        raise JobFailed("IMAGE_UNSUPPORTED", f"The image {named[0]} is no .vhdx.", field="image_name")
    raise image_missing(host, settings, wanted)


def image_missing(host: HyperVHost, settings: HostSettings, wanted: str) -> JobFailed:
    """IMAGE_NOT_FOUND that lists what there is."""
    names = sorted(
        {image_name(p) for p in image_files(host.files, settings) if p.casefold().endswith(".vhdx")}
    )
    names = [name for name in names if name.casefold() != wanted.casefold()]
    there = f"there are {', '.join(map(repr, names[:_LISTED]))}" if names else "the image folders hold none"
    folders = ", ".join(settings.image_paths)
    return JobFailed(
        "IMAGE_NOT_FOUND", f"The host has no image {wanted!r} in {folders}; {there}.", field="image_name"
    )


def find_switch(host: HyperVHost, settings: HostSettings, wanted: str) -> str:
    """The switch that is wanted, else the host's default, else its only external one.

    Raises:
        JobFailed: SWITCH_NOT_FOUND or SWITCH_AMBIGUOUS with those there are.
    """
    switches = host.settings.switches
    there = ", ".join(f"{name!r} ({kind})" for name, kind in switches.items()) or "none"
    name = wanted or settings.default_switch
    if name:
        found = next((s for s in switches if s.casefold() == name.casefold()), None)
        if found is None:
            raise JobFailed(
                "SWITCH_NOT_FOUND",
                f"The host has no switch {name!r}; it has {there}.",
                field="virtual_switch",
            )
        return found
    external = [name for name, kind in switches.items() if kind == "external"]
    if len(external) != 1:
        raise JobFailed(
            "SWITCH_AMBIGUOUS",
            f"The host has {len(external)} external switches and none was named; it has {there}.",
            field="virtual_switch",
        )
    return external[0]


def iso_path(settings: HostSettings, family: str) -> str:
    """Where a family's provisioning ISO should be."""
    return settings.iso_paths.get(family) or paths.join(settings.install_directory, ISO_NAMES[family])


def iso_version(files: HostFiles, settings: HostSettings, family: str) -> str:
    """The version of a family's ISO: the setting, else the file beside it; empty where neither says it."""
    given = settings.guest_version.get(family, "").strip()
    if given:
        return given
    try:
        return files.read_text(paths.join(paths.parent(iso_path(settings, family)), "version")).strip()
    except FileError:
        return ""


def vm_root(host: HyperVHost, settings: HostSettings) -> str:
    """The folder that VMs' folders are made in."""
    if settings.vm_path:
        return settings.vm_path
    shared = [
        (free, mount)
        for mount, (_, free) in host.files.volumes().items()
        if paths.within(mount, CLUSTER_STORAGE)
    ]
    return paths.join(max(shared)[1], "Hyper-V") if shared else DEFAULT_VM_PATH
