"""A PowerShell for the tests of single host scripts' functions: ``AETHERV_PWSH``, else ``pwsh`` on the path, else a skip."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

SCRIPTS = Path(__file__).resolve().parents[2] / "host_scripts"
_PREFIX = """
$ErrorActionPreference = 'Stop'
Set-StrictMode -Version 3.0
Import-Module -Name (Join-Path -Path $env:HOST_SCRIPTS -ChildPath 'AetherV.Host.psm1')
$data = if ($env:DATA_FILE) { ConvertFrom-JsonText -Text ([IO.File]::ReadAllText($env:DATA_FILE)) } else { $null }
function Write-Answer { param($Value) 'ANSWER ' + (ConvertTo-JsonText -Value $Value) }
function ConvertTo-Secret { param([string] $Text) $s = New-Object -TypeName Security.SecureString
    foreach ($c in $Text.ToCharArray()) { $s.AppendChar($c) }
    return $s }
function Get-Failure { param([scriptblock] $Code)
    try { [void] (& $Code); return $null } catch { return ConvertTo-ErrorOutcome -ErrorRecord $_ } }
"""


def _program() -> str | None:
    return os.environ.get("AETHERV_PWSH") or shutil.which("pwsh")


@dataclass(frozen=True)
class PowerShell:
    """One edition's PowerShell.

    Attributes:
        program: The executable.
        edition: ``Desktop`` (Windows PowerShell 5.1's behaviour) or ``Core``.
        folder: Where its scripts and data are put.
    """

    program: str
    edition: str
    folder: Path

    def start(self, script: str, data: Any = None, **environment: str) -> subprocess.Popen[str]:
        """Starts a script; ``$data`` is the data, as the scripts' own JSON reader gives them."""
        number = len(list(self.folder.glob("*.ps1")))
        file = self.folder / f"{number}.ps1"
        file.write_text(_PREFIX + script, "ascii")
        given = {"HOST_SCRIPTS": str(SCRIPTS), "PWSH_EDITION": self.edition, **environment}
        if data is not None:
            content = self.folder / f"{number}.json"
            content.write_text(json.dumps(data), "ascii")
            given["DATA_FILE"] = str(content)
        return subprocess.Popen(
            [self.program, "-NoProfile", "-File", str(file)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={**os.environ, **given},
        )

    def run(self, script: str, data: Any = None, stdin: str = "", **environment: str) -> list[str]:
        """Runs a script to its end and returns its lines."""
        process = self.start(script, data, **environment)
        output, _ = process.communicate(stdin, timeout=120)
        return output.splitlines()

    def answers(self, script: str, data: Any = None, stdin: str = "", **environment: str) -> list[Any]:
        """Runs a script and returns what its ``Write-Answer`` wrote."""
        lines = self.run(script, data, stdin, **environment)
        found = [json.loads(line.removeprefix("ANSWER ")) for line in lines if line.startswith("ANSWER ")]
        assert len(found) == len(lines), "\n".join(lines)
        return found


@pytest.fixture(scope="session")
def program() -> str:
    """The PowerShell executable."""
    found = _program()
    if found is None:
        pytest.skip("no PowerShell: set AETHERV_PWSH or have pwsh on the path")
    return found


@pytest.fixture(params=["Desktop", "Core"])
def pwsh(program: str, request: pytest.FixtureRequest, tmp_path: Path) -> PowerShell:
    """A PowerShell of each edition."""
    return PowerShell(program, request.param, tmp_path)
