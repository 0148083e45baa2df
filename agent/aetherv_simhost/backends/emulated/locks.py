"""Locks that a kill frees: files of the jobs folder, held with no share at all (on Windows FileShare.None)."""

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Self


class FileLock:
    """A file lock that is held until it is closed, or its process ends."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def close(self) -> None:
        """Lets go of it; twice is no error."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def try_lock(path: Path) -> FileLock | None:
    """Takes the lock of a file, which is made if it is not there; None while another holds it."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    except BaseException:
        os.close(descriptor)
        raise
    return FileLock(descriptor)


def is_locked(path: Path) -> bool:
    """Whether another holds the lock of a file."""
    if not path.exists():
        return False
    lock = try_lock(path)
    if lock is None:
        return True
    lock.close()
    return False


@contextlib.contextmanager
def one_of(paths: list[Path]) -> Iterator[bool]:
    """Takes the first free lock of several; gives whether one was free."""
    for path in paths:
        lock = try_lock(path)
        if lock is not None:
            with lock:
                yield True
            return
    yield False
