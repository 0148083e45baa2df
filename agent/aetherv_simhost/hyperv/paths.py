r"""Windows paths of a simulated host, kept as files below one folder: ``C:\A\b`` is ``<root>/C/A/b``.

Names are found without regard to case and keep the case they were made with. Only this module knows real paths.
"""

import fnmatch
import os
import re
from pathlib import Path
from typing import Final

from aetherv_simhost.hyperv.errors import PathInvalid

_DRIVE: Final = re.compile(r"^([A-Za-z]):\\")
_FORBIDDEN: Final = re.compile(r'[\x00-\x1f/:*?"<>|]')


def join(folder: str, *names: str) -> str:
    """Joins names to a Windows folder."""
    return "\\".join([folder.rstrip("\\"), *names])


def parent(path: str) -> str:
    r"""The folder that holds a path; a drive's root is its own (``C:\``)."""
    bare = path.rstrip("\\")
    head = bare.rpartition("\\")[0] or bare
    return head + "\\" if head.endswith(":") else head


def name_of(path: str) -> str:
    """The last part of a path."""
    return path.rstrip("\\").rpartition("\\")[2]


def same(one: str, other: str) -> bool:
    """Whether two spellings mean one path."""
    return one.rstrip("\\").casefold() == other.rstrip("\\").casefold()


def within(path: str, folder: str) -> bool:
    """Whether a path is a folder or lies in it."""
    head = folder.rstrip("\\").casefold()
    whole = path.rstrip("\\").casefold()
    return whole == head or whole.startswith(head + "\\")


class WindowsTree:
    """Translates Windows paths to real ones.

    Args:
        root: Folder that holds one folder per drive.
        drives: The letters of the drives that exist.
    """

    def __init__(self, root: Path, drives: frozenset[str]) -> None:
        self._root = root
        self._drives = drives

    def parts(self, path: str) -> list[str]:
        """Drive letter and names of a path.

        Raises:
            PathInvalid: Not absolute, an unknown drive, or a name that Windows does not allow.
        """
        match = _DRIVE.match(path + ("\\" if re.fullmatch(r"[A-Za-z]:", path) else ""))
        if match is None:
            raise PathInvalid(path, "is not a full path on a drive of this host")
        letter = match[1].upper()
        if letter not in self._drives:
            raise PathInvalid(path, f"there is no drive {letter}:")
        names = [name for name in path[3:].split("\\") if name]
        if any(_FORBIDDEN.search(name) or name in {".", ".."} or name != name.rstrip(" .") for name in names):
            raise PathInvalid(path, "holds a name that Windows does not allow")
        return [letter, *names]

    def real(self, path: str) -> Path:
        """The real path; of names that are there in other letter case, those that are there."""
        found = str(self._root)
        for name in self.parts(path):
            exact = f"{found}/{name}"
            found = exact if os.path.lexists(exact) else f"{found}/{_spelled(found, name)}"
        return Path(found)

    def spoken(self, path: str) -> str:
        """A path as Windows writes it: a real one below the root is translated, any other one stays."""
        root = f"{self._root}/"
        if not path.startswith(root):
            return path.replace("/", "\\")
        drive, _, rest = path[len(root) :].partition("/")
        return f"{drive}:\\" + rest.rstrip("/").replace("/", "\\")

    def find(self, pattern: str) -> list[str]:
        """The Windows paths that match a path with ``*`` and ``?`` in its names, in order of their names."""
        clean = re.sub(r"[*?]", "x", pattern)
        self.parts(clean)
        drive, *names = [pattern[0].upper() + ":", *(name for name in pattern[3:].split("\\") if name)]
        found = [drive]
        for name in names:
            found = [
                f"{folder}\\{entry}"
                for folder in found
                for entry in self._entries(folder + "\\")
                if fnmatch.fnmatchcase(entry.casefold(), name.casefold().replace("[", "[[]"))
            ]
        return found

    def _entries(self, folder: str) -> list[str]:
        real = self.real(folder)
        return sorted(entry.name for entry in real.iterdir()) if real.is_dir() else []


def _spelled(folder: str, name: str) -> str:
    """A name as it stands in a folder, whatever its letter case; as given where it is not there."""
    wanted = name.casefold()
    try:
        names = os.listdir(folder)  # noqa: PTH208  # names are all that is wanted here, and this is the hot path
        return next((entry for entry in names if entry.casefold() == wanted), name)
    except OSError:
        return name
