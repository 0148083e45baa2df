"""Holds open, against other processes, the files that the model has open.

.NET keeps ``FileShare`` among processes on Linux by flock: a file that is locked here can't be opened with no share or
for reading alone, as a running VM's disk can't on Windows. What does not ask for a lock (unlink, rename) is the stubs' matter.
"""

import contextlib
import fcntl
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Final

_LOOK_SECONDS: Final = 0.05


class FileHolder:
    """Follows a set of files.

    Args:
        wanted: The files to hold now, as Windows paths.
        real: The real path of one.
    """

    def __init__(self, wanted: Callable[[], frozenset[str]], real: Callable[[str], Path]) -> None:
        self._wanted = wanted
        self._real = real
        self._held: dict[str, int] = {}
        self._lock = threading.Lock()
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._follow, name="simhost-files", daemon=True)
        self._thread.start()

    def refresh(self) -> None:
        """Takes and frees files by what is wanted now."""
        with self._lock:
            if self._closed.is_set():
                return
            wanted = self._wanted()
            for path in set(self._held) - wanted:
                os.close(self._held.pop(path))
            for path in wanted - set(self._held):
                self._take(path)

    def close(self) -> None:
        """Frees everything."""
        self._closed.set()
        with self._lock:
            for descriptor in self._held.values():
                os.close(descriptor)
            self._held.clear()

    def _take(self, path: str) -> None:
        with contextlib.suppress(OSError):  # not there, or a script has it: tried again at the next look
            descriptor = os.open(self._real(path), os.O_RDONLY | os.O_CLOEXEC)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                os.close(descriptor)
                raise
            self._held[path] = descriptor

    def _follow(self) -> None:
        while not self._closed.wait(_LOOK_SECONDS):
            self.refresh()
