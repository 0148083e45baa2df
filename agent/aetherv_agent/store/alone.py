"""Makes this process the only one on a database file. Boundary: the file system; no database is opened here."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

from aetherv_agent.core.errors import AethervError

# SQLite's locks and its shared memory hold within one machine alone (sqlite.org/wal.html: "all processes using a
# database must be on the same host computer; WAL does not work over a network filesystem").
NETWORK_FILESYSTEMS = frozenset(
    {
        "afs", "beegfs", "ceph", "cifs", "fuse.ceph-fuse", "fuse.glusterfs", "fuse.s3fs", "fuse.sshfs", "gfs2", "glusterfs",
        "gpfs", "lustre", "ncpfs", "nfs", "nfs4", "ocfs2", "smb2", "smb3", "smbfs",
    }
)  # fmt: skip


class Lock:
    """An ``flock`` on ``<database>.lock``, held until ``release`` or the end of the process, however it ends.

    The lock has a file of its own: closing any descriptor of the database file would drop SQLite's own locks on it.
    """

    def __init__(self, database: Path) -> None:
        """Take the lock.

        Raises:
            AethervError: STORE_LOCKED if another process has it, STORE_UNAVAILABLE if the file can't be made.
        """
        self.path = database.with_name(database.name + ".lock")
        try:
            self._fd = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise AethervError(
                "STORE_UNAVAILABLE", f"The lock file {self.path} can't be opened: {error.strerror}."
            ) from error
        try:
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            owner = os.pread(self._fd, 32, 0).decode("ascii", "replace").strip()
            os.close(self._fd)
            if not isinstance(error, BlockingIOError):
                raise AethervError(
                    "STORE_UNAVAILABLE", f"The lock file {self.path} can't be locked: {error.strerror}."
                ) from error
            by = f" (process {owner})" if owner.isdigit() else ""
            raise AethervError(
                "STORE_LOCKED", f"The database {database} is in use by another process{by}."
            ) from error
        os.ftruncate(self._fd, 0)
        os.pwrite(self._fd, f"{os.getpid()}\n".encode(), 0)

    def release(self) -> None:
        """Give the lock back; the file stays, so that no two processes can ever lock two files of one name."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1


def refuse_network_filesystem(database: Path, mounts: str | None = None) -> None:
    """Raise STORE_UNSUPPORTED if a database would lie on a network filesystem.

    Args:
        database: the file, which need not exist.
        mounts: the text of ``/proc/self/mountinfo`` (proc(5)); None: read it. Where there is none, nothing is known
            and nothing refused.
    """
    if mounts is None:
        try:
            mounts = Path("/proc/self/mountinfo").read_text("utf-8", "surrogateescape")
        except OSError:
            return
    where = database.resolve()
    # A later mount on the same point hides the earlier one, so the last of the longest wins.
    kind = ""
    longest = -1
    for point, filesystem in _mounts(mounts):
        if where.is_relative_to(point) and len(point.parts) >= longest:
            longest, kind = len(point.parts), filesystem
    if kind in NETWORK_FILESYSTEMS:
        raise AethervError(
            "STORE_UNSUPPORTED", f"The database {database} would lie on a network filesystem ({kind})."
        )


def _mounts(text: str) -> Iterator[tuple[Path, str]]:
    for line in text.splitlines():
        left, separator, right = line.partition(" - ")
        fields = left.split(" ")
        if not separator or len(fields) < 5:  # noqa: PLR2004  # proc(5): the mount point is the fifth field
            continue
        yield Path(_unescape(fields[4])), right.split(" ", 1)[0]


def _unescape(text: str) -> str:
    for code, char in (("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")):
        text = text.replace(code, char)
    return text
