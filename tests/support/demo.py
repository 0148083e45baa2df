"""Runs the demo as a user at a terminal does: in a copy with blanks in its path, from another folder, and interrupts it."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import threading
from dataclasses import dataclass, field
from pathlib import Path

EXAMPLE = Path(__file__).resolve().parents[2] / "examples/quickstart"
SECONDS = 180.0


@dataclass
class DemoRun:
    """One run of the demo.

    Attributes:
        process: the demo, in a session of its own as behind a terminal.
        lines: what it printed so far.
    """

    process: subprocess.Popen[str]
    lines: list[str] = field(default_factory=list)

    @property
    def output(self) -> str:
        """What it printed so far, as one text."""
        return "".join(self.lines)

    def read_until(self, text: str) -> None:
        """Read its lines up to one that holds a text."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.append(line)
            if text in line:
                return
        raise AssertionError(f"the demo ended before it printed {text!r}:\n{self.output}")

    def signal(self, number: int) -> None:
        """Send a signal to the demo's group: what a terminal does at Ctrl-C."""
        os.killpg(self.process.pid, number)

    def end(self) -> int:
        """Read the rest and return the status."""
        killer = threading.Timer(SECONDS, self.signal, (signal.SIGKILL,))
        killer.start()
        try:
            assert self.process.stdout is not None
            with self.process.stdout:
                self.lines.extend(self.process.stdout)
            return self.process.wait()
        finally:
            killer.cancel()


@dataclass
class DemoPlace:
    """A folder in which the demo runs, with home, temporary and working folders that must stay empty.

    Attributes:
        base: holds all of it.
        python: runs the demo.
        path: the variable PATH.
    """

    base: Path
    python: str = sys.executable
    path: str = os.environ.get("PATH", os.defpath)

    def __post_init__(self) -> None:
        """Make the folders."""
        for folder in self.untouched:
            folder.mkdir(parents=True)
        shutil.copytree(EXAMPLE, self.example, ignore=shutil.ignore_patterns("__pycache__"))

    @property
    def example(self) -> Path:
        """The copy of the example."""
        return self.base / "a copy" / "quickstart"

    @property
    def folder(self) -> Path:
        """What the demo may write to."""
        return self.base / "all of it"

    @property
    def untouched(self) -> tuple[Path, ...]:
        """Home, temporary and working folder."""
        return tuple(self.base / name for name in ("home", "tmp", "elsewhere"))

    def start(self) -> DemoRun:
        """Start the demo."""
        home, tmp, elsewhere = self.untouched
        kept = {name: os.environ[name] for name in ("LANG", "SSL_CERT_FILE") if name in os.environ}
        return DemoRun(
            subprocess.Popen(
                [self.python, str(self.example / "demo.py"), str(self.folder)],
                cwd=elsewhere,
                env={
                    **kept,
                    "PATH": self.path,
                    "HOME": str(home),
                    "TMPDIR": str(tmp),
                    "PYTHONDONTWRITEBYTECODE": "1",
                    # A shell may hold settings of another agent, and a proxy.
                    "AETHERV_ENDPOINT": "192.0.2.1:1",
                    "AETHERV_TOKEN": "another-agents-token",
                    "TF_DATA_DIR": str(home / "data"),
                    "http_proxy": "http://127.0.0.1:9",
                    "https_proxy": "http://127.0.0.1:9",
                },
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                encoding="utf-8",
                start_new_session=True,
                # Where the tests run in the background of a shell they ignore Ctrl-C; the demo must not inherit that.
                preexec_fn=_heed_interrupts,  # noqa: PLW1509  # it takes no lock
            )
        )

    def written_elsewhere(self) -> list[Path]:
        """Return what was written outside the demo's folder."""
        known = {path.name for path in EXAMPLE.iterdir()}
        made = [path for path in self.example.rglob("*") if path.name not in known]
        return made + [path for folder in self.untouched for path in folder.rglob("*")]

    def still_running(self) -> list[str]:
        """Return number and command line of each process that has to do with this folder."""
        return [f"{number} {command}" for number, command in processes_of(self.base).items()]


def processes_of(folder: Path) -> dict[int, str]:
    """Return the command line, by process number, of each process whose arguments or variables name a folder."""
    needle = os.fsencode(folder)
    found = {}
    for process in Path("/proc").iterdir():
        if not process.name.isdecimal():
            continue
        try:
            command = (process / "cmdline").read_bytes()
            if needle in command or needle in (process / "environ").read_bytes():
                found[int(process.name)] = command.replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
    return found


def kill_processes_of(folder: Path) -> None:
    """Kill what a failed test of the demo left."""
    for number in processes_of(folder):
        with contextlib.suppress(ProcessLookupError):
            os.kill(number, signal.SIGKILL)


def _heed_interrupts() -> None:
    signal.signal(signal.SIGINT, signal.SIG_DFL)
