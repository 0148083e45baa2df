"""The host scripts as texts: the static checks, the manifest, help, and what Windows PowerShell 5.1 needs of a file."""

from __future__ import annotations

import importlib.util
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

SCRIPTS = Path(__file__).resolve().parents[2] / "host_scripts"
FILES = sorted([*SCRIPTS.glob("*.ps1"), *SCRIPTS.glob("*.psm1")])


def _manifest_maker() -> Any:
    spec = importlib.util.spec_from_file_location("make_manifest", SCRIPTS / "make_manifest.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_static_checks_find_nothing(program: str) -> None:
    """Commands, parameters and .NET members are those of Windows PowerShell 5.1 and .NET Framework 4.7.2."""
    found = subprocess.run(
        [program, "-Lint", str(SCRIPTS)], capture_output=True, text=True, timeout=300, check=False
    )
    if "findings" not in found.stdout:
        pytest.skip("this PowerShell has no -Lint")
    assert found.stdout.strip() == f"{len(FILES)} files checked, 0 findings"


def test_the_manifest_names_the_files_as_they_are() -> None:
    """manifest.json is what make_manifest.py writes now: run it after a change of a script."""
    assert (SCRIPTS / "manifest.json").read_text("ascii") == _manifest_maker().text(SCRIPTS)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_every_file_is_ascii_strict_and_stops_at_errors(file: Path) -> None:
    """5.1 reads a file without a byte order mark in the ANSI code page, and each file is strict on its own."""
    text = file.read_text("ascii")
    assert "Set-StrictMode -Version 3.0" in text
    assert "$ErrorActionPreference = 'Stop'" in text
    assert ".SYNOPSIS" in text
    assert len(text.splitlines()) <= 500


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_paths_are_taken_as_they_stand(file: Path) -> None:
    """No item command takes a path that may hold a wildcard, and no .NET call deletes or moves a VM's file."""
    text = file.read_text("ascii")
    for line in text.splitlines():
        if re.search(
            r"\b(Get-Item|Get-ChildItem|Test-Path|Remove-Item|Rename-Item|Move-Item|Copy-Item|Get-Content)\b",
            line,
        ):
            assert "-LiteralPath" in line or line.lstrip().startswith(("#", "Get-Content")), line
    if file.name != "AetherV.Journal.psm1":
        assert not re.search(r"\[System\.IO\.(File|Directory)\]::(Delete|Move|Replace)", text)


def test_the_scripts_of_the_contract_are_there() -> None:
    """Every script that the contract names is a file."""
    from aetherv_agent import contracts

    for script in contracts.document("records")["scripts"].values():
        assert (SCRIPTS / script["file"]).is_file()
