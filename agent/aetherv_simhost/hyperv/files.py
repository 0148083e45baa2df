"""Files of a simulated host by their Windows paths, with what Windows does and Linux does not: files in use, full volumes.

Every error is one of ``errors.FileError``; an OSError never leaves this module.
"""

import errno
import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, Final

from aetherv_simhost.hyperv import paths
from aetherv_simhost.hyperv.errors import (
    DiskFull,
    FileError,
    FileInUse,
    FileMissing,
    FileThere,
    PathInvalid,
)

_NO_SPACE: Final = "There is not enough space on the disk."
_IN_USE: Final = "The process cannot access the file because it is being used by another process."


class HostFiles:
    """A host's files.

    Args:
        root: Real folder for the drives.
        volumes: Size in bytes by mount path.
        in_use: Says which files (Windows paths) are open, such as those of running VMs.
    """

    def __init__(self, root: Path, volumes: Mapping[str, int], in_use: Callable[[], frozenset[str]]) -> None:
        self._tree = paths.WindowsTree(root, frozenset(mount[0].upper() for mount in volumes))
        self._volumes = {_mount(path): size for path, size in volumes.items()}
        self._in_use = in_use
        self._lock = threading.Lock()
        self._released: dict[str, float] = {}
        self._broken: dict[str, str] = {}
        for mount in self._volumes:
            self._tree.real(mount).mkdir(parents=True, exist_ok=True)

    def real(self, path: str) -> Path:
        """The real file behind a Windows path: for locks and for tests; nothing guards it."""
        return self._tree.real(path)

    def spoken(self, path: str) -> str:
        """The Windows path of a path that a program on the host uses, which may be the real one."""
        return self._tree.spoken(path)

    def held(self) -> frozenset[str]:
        """The files that are open now, in lower case."""
        with self._lock:
            now = time.monotonic()
            held = {file for file, until in self._released.items() if until > now} | set(self._broken)
        return self._in_use() | held

    def exists(self, path: str) -> bool:
        """Whether a file or folder is there."""
        with _os_errors(path):
            return self._tree.real(path).exists()

    def is_dir(self, path: str) -> bool:
        """Whether a folder is there."""
        with _os_errors(path):
            return self._tree.real(path).is_dir()

    def find(self, pattern: str) -> list[str]:
        """Paths that match a pattern with wildcards in its names."""
        with _os_errors(pattern):
            return self._tree.find(pattern)

    def entries(self, folder: str) -> list[str]:
        """The Windows paths in a folder, by name; none where there is no folder."""
        with _os_errors(folder):
            real = self._tree.real(folder)
            return (
                [paths.join(folder, name) for name in sorted(e.name for e in real.iterdir())]
                if real.is_dir()
                else []
            )

    def size(self, path: str) -> int:
        """A file's size in bytes."""
        with _os_errors(path):
            return self._tree.real(path).stat().st_size

    def changed(self, path: str) -> float:
        """When a file was last written, in seconds since the epoch."""
        with _os_errors(path):
            return self._tree.real(path).stat().st_mtime

    def read_text(self, path: str) -> str:
        """A small text file's content (UTF-8)."""
        with _os_errors(path):
            return self._tree.real(path).read_text(encoding="utf-8-sig")

    def read_head(self, path: str, count: int) -> bytes:
        """The first bytes of a file."""
        with _os_errors(path), self._tree.real(path).open("rb") as stream:
            return stream.read(count)

    def write_text(self, path: str, text: str) -> None:
        """Writes a small text file in one step."""
        with _os_errors(path):
            real = self._tree.real(path)
            partial = real.with_name(f"{real.name}.{threading.get_ident()}.partial")
            partial.write_text(text, encoding="utf-8")
            partial.replace(real)

    def make_dir(self, path: str, *, new: bool = False) -> None:
        """Makes a folder and those above it; with ``new`` it must not be there yet."""
        with _os_errors(path):
            real = self._tree.real(path)
            real.parent.mkdir(parents=True, exist_ok=True)
            real.mkdir(exist_ok=not new)

    def create(self, path: str, size: int) -> BinaryIO:
        """Creates a new file of a length and opens it for writing.

        Raises:
            FileThere: It is there already.
            DiskFull: The volume has not so much room.
        """
        with _os_errors(path):
            real = self._tree.real(path)
            if size > self.free(path):
                raise DiskFull(path, _NO_SPACE)
            stream = real.open("xb", buffering=0)
            try:
                stream.truncate(size)
            except OSError:
                stream.close()
                real.unlink(missing_ok=True)
                raise
            return stream

    def open(self, path: str) -> BinaryIO:
        """Opens a file for reading."""
        with _os_errors(path):
            return self._tree.real(path).open("rb")

    def rename(self, path: str, new_path: str) -> None:
        """Renames a file; the new name must be free."""
        with _os_errors(path):
            self._guard(path)
            real, new = self._tree.real(path), self._tree.real(new_path)
            if new.exists() and new != real:
                raise FileThere(new_path, "Cannot create a file when that file already exists.")
            real.rename(new)

    def delete(self, path: str) -> None:
        """Deletes a file; one that is not there is an error."""
        with _os_errors(path):
            self._guard(path)
            self._tree.real(path).unlink()

    def delete_dir(self, path: str) -> None:
        """Deletes an empty folder."""
        with _os_errors(path):
            self._tree.real(path).rmdir()

    def can_open_alone(self, path: str) -> bool:
        """Whether a file could be opened with no share at all."""
        try:
            self._guard(path)
        except FileInUse:
            return False
        return True

    def lock_for(self, files: list[str], seconds: float) -> None:
        """Keeps files in use for a while, as after a VM's removal."""
        with self._lock:
            until = time.monotonic() + seconds
            self._released.update({path.casefold(): until for path in files})

    def hold(self, path: str, why: str | None) -> None:
        """Keeps a file in use until it is let go of with None: a backup, an antivirus."""
        with self._lock:
            if why is None:
                self._broken.pop(path.casefold(), None)
            else:
                self._broken[path.casefold()] = why

    def mount_of(self, path: str) -> str:
        """The volume that holds a path: the longest mount path."""
        self._tree.parts(path)
        return max((mount for mount in self._volumes if paths.within(path, mount)), key=len)

    def volumes(self) -> dict[str, tuple[int, int]]:
        """Size and free space in bytes by mount path."""
        return {mount: (size, self.free(mount)) for mount, size in self._volumes.items()}

    def free(self, path: str) -> int:
        """Free space on the volume that holds a path, in bytes."""
        mount = self.mount_of(path)
        others = frozenset(
            str(self._tree.real(m)) for m in self._volumes if m != mount and paths.within(m, mount)
        )
        return max(0, self._volumes[mount] - _used(str(self._tree.real(mount)), others))

    def _guard(self, path: str) -> None:
        name = path.casefold()
        with self._lock:
            now = time.monotonic()
            self._released = {file: until for file, until in self._released.items() if until > now}
            held = name in self._released or name in self._broken
        if held or name in self._in_use():
            raise FileInUse(path, _IN_USE)


def _mount(path: str) -> str:
    """A mount path without its last backslash, which a drive's root alone keeps."""
    bare = path.rstrip("\\")
    return bare + "\\" if bare.endswith(":") else bare


def _used(folder: str, others: frozenset[str]) -> int:
    """Bytes of the files below a folder, other volumes' mount folders left out."""
    total = 0
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                with suppress(OSError):  # went away meanwhile
                    if not entry.is_dir():
                        total += entry.stat().st_size
                    elif entry.path not in others:
                        total += _used(entry.path, others)
    except OSError:
        return total
    return total


@contextmanager
def _os_errors(path: str) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError as error:
        raise FileMissing(path, "Could not find a part of the path.") from error
    except FileExistsError as error:
        raise FileThere(path, "Cannot create a file when that file already exists.") from error
    except OSError as error:
        if error.errno == errno.ENAMETOOLONG:
            raise PathInvalid(path, "The specified path, file name, or both are too long.") from error
        if error.errno == errno.ENOSPC:
            raise DiskFull(path, _NO_SPACE) from error
        if error.errno == errno.ENOTEMPTY:
            raise FileError(path, "The directory is not empty.") from error
        raise FileError(path, error.strerror or "The file cannot be used.") from error
