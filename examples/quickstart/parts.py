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

from interrupts import Interrupts

_START_SECONDS = 60.0
_STOP_SECONDS = 15.0
_COMMAND = [sys.executable, "-P", "-m", "aetherv_agent"]


class DemoError(Exception):
    """The demo can't go on; its text is for the user."""


def environment(more: Mapping[str, str]) -> dict[str, str]:
    """Return the variables of a process: those of the user's shell, but nothing that would change what is shown."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("AETHERV_", "TF_", "TERRAFORM_"))
    }
    return kept | dict(more)


class Part:
    """One ``aetherv`` process with its log; a context manager that stops it.

    Args:
        name: of its log and pid file in the folder.
        folder: the demo's.
        arguments: of the command ``aetherv``.
        interrupts: of the demo.
    """

    def __init__(self, name: str, folder: Path, arguments: list[str], interrupts: Interrupts) -> None:
        self.name = name
        self._log = folder / f"{name}.log"
        self._pid = folder / f"{name}.pid"
        self._arguments = arguments
        self._interrupts = interrupts
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        """Start it."""
        try:
            with self._log.open("ab") as log, self._interrupts.shielded():
                # A group of its own: Ctrl-C reaches the demo alone, which then stops its parts in order.
                self._process = subprocess.Popen(
                    [*_COMMAND, *self._arguments],
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    env=environment({}),
                    start_new_session=True,
                )
                self._pid.write_text(str(self._process.pid))
        except BaseException:
            # Ctrl-C while it was being started: there will be no exit.
            self._end()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop it."""
        self._end()

    def _end(self) -> None:
        with self._interrupts.shielded():
            if self._process is not None:
                _stop(self._process)
            self._pid.unlink(missing_ok=True)

    def check(self) -> None:
        """Raise DemoError with the end of its log if it has ended."""
        if self._process is not None and self._process.poll() is not None:
            tail = self._log.read_text(encoding="utf-8", errors="replace")[-2000:]
            raise DemoError(f"the {self.name} ended with status {self._process.returncode}:\n{tail}")

    def wait_for_port(self, port: int) -> None:
        """Wait until something listens on a port of this machine."""

        def listens() -> bool:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
                return True
            return False

        wait_for(listens, self)


def run_once(arguments: list[str], environ: Mapping[str, str]) -> None:
    """Run a command of ``aetherv`` to its end with its output passed through."""
    try:
        subprocess.run([*_COMMAND, *arguments], env=environment(environ), check=True, timeout=60)
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
        raise DemoError(f"aetherv {' '.join(arguments)} failed: {error}") from error


def wait_for(condition: Callable[[], bool], part: Part) -> None:
    """Wait until a part is so far; raise DemoError if it ends or takes too long."""
    deadline = time.monotonic() + _START_SECONDS
    while not condition():
        part.check()
        if time.monotonic() > deadline:
            raise DemoError(f"the {part.name} did not start within {_START_SECONDS:.0f} s")
        time.sleep(0.05)


def free_port() -> int:
    """Return a TCP port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def stop_leftovers(folder: Path) -> None:
    """Stop what a killed run of the demo in this folder left running, clients first."""
    for name in ("terraform", "agent", "simhost"):
        with contextlib.suppress(OSError, ValueError):
            pid = int((folder / f"{name}.pid").read_text())
            # A pid may be somebody else's by now: only a process that names this folder is ours.
            if _is_of(pid, folder):
                os.kill(pid, signal.SIGTERM)
                _wait_gone(pid)


def _is_of(pid: int, folder: Path) -> bool:
    process = Path(f"/proc/{pid}")
    if os.fsencode(folder) + b"/" in (process / "cmdline").read_bytes():
        return True
    return (process / "cwd").resolve().is_relative_to(folder)


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
