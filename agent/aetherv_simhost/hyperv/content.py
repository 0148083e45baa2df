r"""What a simulated host has when it is new: golden images, provisioning ISOs with their version, and its folders."""

from typing import Final

from aetherv_simhost.hyperv import media, paths
from aetherv_simhost.hyperv.files import HostFiles
from aetherv_simhost.hyperv.settings import ModelSettings

CLUSTER_STORAGE: Final = r"C:\ClusterStorage"
DISK_IMAGES: Final = "DiskImages"
DEFAULT_VM_PATH: Final = r"C:\ProgramData\Microsoft\Windows\Hyper-V"
DEFAULT_DISK_PATH: Final = r"C:\ProgramData\Microsoft\Windows\Virtual Hard Disks"
ISO_NAMES: Final = {"linux": "LinuxProvisioning.iso", "windows": "WindowsProvisioning.iso"}


def make_content(files: HostFiles, settings: ModelSettings) -> None:
    """Fills a new host. What is there already, left by a start that was cut off, is written again."""
    folder = paths.join(image_volume(settings), DISK_IMAGES)
    files.make_dir(folder)
    for image in settings.images:
        target = paths.join(folder, f"{image.name}.vhdx")
        files.real(target).write_bytes(media.disk_bytes(image, settings.image_bytes))
    files.make_dir(settings.install_directory)
    for family, name in ISO_NAMES.items():
        iso = media.iso_bytes(family, settings.guest_version or "2.4.000")
        files.real(paths.join(settings.install_directory, name)).write_bytes(iso)
    if settings.guest_version:
        files.write_text(paths.join(settings.install_directory, "version"), f"{settings.guest_version}\n")
    for default in (DEFAULT_VM_PATH, DEFAULT_DISK_PATH):
        files.make_dir(default)


def image_volume(settings: ModelSettings) -> str:
    """The volume that gets the golden images: the first cluster volume, else the folder of virtual disks."""
    return next((m for m in settings.volumes if paths.within(m, CLUSTER_STORAGE)), DEFAULT_DISK_PATH)
