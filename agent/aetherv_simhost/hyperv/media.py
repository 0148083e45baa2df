"""Golden images and provisioning ISOs of the simulation: small real files that say of themselves what boots from them.

A disk begins like a VHDX (MS-VHDX 2.2.1: signature, creator), an ISO has an ISO 9660 volume descriptor; behind it
stands what a guest needs to know, as JSON. A clone is a copy of the bytes, so it keeps that.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import Any, Final

from aetherv_simhost.hyperv.errors import FileError
from aetherv_simhost.hyperv.files import HostFiles
from aetherv_simhost.hyperv.settings import ImageSettings, SettingsError, image_header

_VHDX: Final = b"vhdxfile"
_CREATOR: Final = "Aether-V simulated host"
_DISK_HEADER: Final = 4096
_SECTOR: Final = 2048
_ISO_HEADER: Final = 17 * _SECTOR
_HEADER_BYTES: Final = 8192
ISO_BYTES: Final = 128 * 1024
_LABELS: Final = {"linux": "CIDATA", "windows": "WINPROVISIONING"}


def disk_bytes(image: ImageSettings, size: int) -> bytes:
    """A golden image's file, ``size`` bytes long (at least 16 KiB)."""
    head = _VHDX + _CREATOR.encode("utf-16-le").ljust(512, b"\0")
    head = head.ljust(_DISK_HEADER, b"\0") + _header(image_header(image))
    return head + _filler(image.name, max(size, 2 * _HEADER_BYTES) - len(head))


def iso_bytes(family: str, version: str) -> bytes:
    """A provisioning ISO of a family and version."""
    descriptor = b"\x01CD001\x01\0" + b" " * 32 + _LABELS[family].encode().ljust(32)
    head = b"\0" * (16 * _SECTOR) + descriptor.ljust(_SECTOR, b"\0")
    return (head + _header({"family": family, "version": version})).ljust(ISO_BYTES, b"\0")


def read_disk(files: HostFiles, path: str) -> ImageSettings | None:
    """What boots from a disk; None for a file that is not there or that the simulation did not make."""
    try:
        head = files.read_head(path, _DISK_HEADER + _HEADER_BYTES)
    except FileError:
        return None
    raw = _read(head[_DISK_HEADER:]) if head.startswith(_VHDX) else None
    if raw is None:
        return None
    try:
        values: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in raw.items()}
        return ImageSettings(**values)
    except (TypeError, SettingsError):
        return None


def read_iso(files: HostFiles, path: str) -> tuple[str, str] | None:
    """Family and version of an ISO; None for one that is not there or not ours."""
    try:
        head = files.read_head(path, _ISO_HEADER + _HEADER_BYTES)
    except FileError:
        return None
    raw = _read(head[_ISO_HEADER:]) if head[16 * _SECTOR + 1 :][:5] == b"CD001" else None
    return None if raw is None else (str(raw.get("family")), str(raw.get("version")))


class DiskSizes:
    """Disks' sizes for their guests, each read once: a size never changes while a VM has the disk."""

    def __init__(self, files: HostFiles) -> None:
        self._files = files
        self._known: dict[str, int] = {}

    def of(self, path: str) -> int:
        """A disk's size in bytes; its file's where nothing says it, 0 where there is no file."""
        key = path.casefold()
        size = self._known.get(key)
        if size is None:
            size = self._known[key] = self._read(path)
        return size

    def forget(self, paths: Iterable[str]) -> None:
        """Forgets disks whose VM is gone."""
        for path in paths:
            self._known.pop(path.casefold(), None)

    def _read(self, path: str) -> int:
        image = read_disk(self._files, path)
        if image is not None:
            return image.size_bytes
        try:
            return self._files.size(path)
        except FileError:
            return 0


def _header(values: Mapping[str, object]) -> bytes:
    text = json.dumps(values).encode()
    return (len(text).to_bytes(4, "big") + text).ljust(_HEADER_BYTES, b"\0")


def _read(header: bytes) -> dict[str, Any] | None:
    length = int.from_bytes(header[:4], "big")
    if not 0 < length <= _HEADER_BYTES:
        return None
    try:
        raw = json.loads(header[4 : 4 + length])
    except ValueError:
        return None
    return raw if isinstance(raw, dict) else None


def _filler(seed: str, count: int) -> bytes:
    """Bytes that are not all alike, the same for the same seed."""
    return hashlib.shake_128(seed.encode()).digest(64 * 1024) * (count // (64 * 1024)) + bytes(
        count % (64 * 1024)
    )
