"""The demo's processes: started in groups of their own, stopped at the end, also what a killed run left."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

_START_SECONDS = 30.0
_STOP_SECONDS = 15.0
_COMMAND = [sys.executable, "-m", "aetherv_agent"]


class Part:
    """One ``aetherv`` process with its log; a context manager that stops it.

    Args:
        name: of its log and pid file in the folder.
        folder: the demo's.
        arguments: of the command ``aetherv``.
    """

    def __init__(self, name: str, folder: Path, arguments: list[str]) -> None:
        self.name = name
        self._log = folder / f"{name}.log"
        self._pid = folder / f"{name}.pid"
        self._arguments = arguments
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        """Start it."""
        with self._log.open("ab") as log:
            # A group of its own: Ctrl-C reaches the demo alone, which then stops its parts in order.
            self._process = subprocess.Popen(
                [*_COMMAND, *self._arguments],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self._pid.write_text(str(self._process.pid))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop it."""
        if self._process is not None:
            _stop(self._process)
        self._pid.unlink(missing_ok=True)

    def check(self) -> None:
        """Raise RuntimeError with the end of its log if it has ended."""
        if self._process is not None and self._process.poll() is not None:
            tail = self._log.read_text(encoding="utf-8", errors="replace")[-2000:]
            raise RuntimeError(f"the {self.name} ended with status {self._process.returncode}:\n{tail}")

    def wait_for_port(self, port: int) -> None:
        """Wait until something listens on a port of this machine."""

        def listens() -> bool:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
                return True
            return False

        wait_for(listens, self)

    @staticmethod
    def run_once(arguments: list[str], environ: Mapping[str, str]) -> None:
        """Run a command of ``aetherv`` to its end with its output passed through."""
        subprocess.run([*_COMMAND, *arguments], env={**os.environ, **environ}, check=True, timeout=60)


def wait_for(condition: Callable[[], bool], part: Part) -> None:
    """Wait until a part is so far; raise RuntimeError if it ends or takes too long."""
    deadline = time.monotonic() + _START_SECONDS
    while not condition():
        part.check()
        if time.monotonic() > deadline:
            raise RuntimeError(f"the {part.name} did not start within {_START_SECONDS:.0f} s")
        time.sleep(0.05)


def free_port() -> int:
    """Return a TCP port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def stop_leftovers(folder: Path) -> None:
    """Stop what a killed run of the demo in this folder left running."""
    for path in folder.glob("*.pid"):
        with contextlib.suppress(OSError, ValueError):
            pid = int(path.read_text())
            # A pid may be somebody else's by now: only a process that names this folder is ours.
            if str(folder).encode() in Path(f"/proc/{pid}/cmdline").read_bytes():
                os.kill(pid, signal.SIGTERM)
                _wait_gone(pid)


def _wait_gone(pid: int) -> None:
    deadline = time.monotonic() + _STOP_SECONDS
    while time.monotonic() < deadline:
        os.kill(pid, 0)
        time.sleep(0.05)
    os.kill(pid, signal.SIGKILL)


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
