"""Installing the launcher, and what it does when Terraform starts it."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import tomllib
from collections.abc import Mapping
from pathlib import Path

import pytest
from terraform_provider_aetherv.address import ADDRESS, VERSION
from terraform_provider_aetherv.install import InstallError, install, platform_name

ROOT = Path(__file__).parents[4]
LAUNCHER = f"{ADDRESS}/{VERSION}/{platform_name()}/terraform-provider-aetherv_v{VERSION}"
# A change here breaks the lock file of every user: it needs a new version.
LAUNCHER_HASH = "1e2f34ec5ab819eed68e7bd10f6a7fda69e14de71518c0d8ebdebd80ace34960"


def _python(folder: Path, name: str = "python") -> Path:
    """Make a Python that prints its arguments and its parent, then ends."""
    folder.mkdir(parents=True, exist_ok=True)
    python = folder / name
    python.write_text('#!/bin/sh\necho "$0 $* $PPID"\n', encoding="utf-8")
    python.chmod(0o755)
    return python


def _start(launcher: Path, environ: Mapping[str, str], cwd: Path | None = None) -> tuple[int, str, int]:
    """Start a launcher; give its status, its first line, and the process id that it must keep by exec."""
    with subprocess.Popen(
        [str(launcher), "--debug"],
        env={"PATH": os.environ["PATH"], **environ},
        cwd=cwd,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        stdout, _ = process.communicate(timeout=60)
        return process.returncode, stdout.rstrip("\n"), os.getpid()


def test_version_is_the_distributions() -> None:
    """The version in the launcher's path is that of the distribution."""
    with (ROOT / "pyproject.toml").open("rb") as file:
        assert tomllib.load(file)["project"]["version"] == VERSION


def test_launcher_is_constant(tmp_path: Path) -> None:
    """The launcher's bytes never change within a version: Terraform's lock files hold their hash."""
    result = install(tmp_path / "plugins", python=_python(tmp_path))
    assert hashlib.sha256(result.launchers[0].read_bytes()).hexdigest() == LAUNCHER_HASH
    assert [item.name for item in result.launchers[0].parent.iterdir()] == [
        f"terraform-provider-aetherv_v{VERSION}"
    ]


def test_install_into_a_folder_of_ones_own(tmp_path: Path) -> None:
    """The launcher lies where Terraform looks, the pointer beside the mirror; nothing of the user's is touched."""
    python = _python(tmp_path)
    result = install(tmp_path / "plugins", python=python, home=tmp_path / "home", environ={})
    assert result.launchers == (tmp_path / "plugins" / LAUNCHER,)
    assert result.launchers[0].stat().st_mode & 0o777 == 0o755
    assert result.pointer.read_text(encoding="utf-8") == f"{python}\n"
    assert result.changed
    assert not (tmp_path / "home").exists()
    status, line, parent = _start(result.launchers[0], {})
    assert status == 0
    assert line == f"{python} -P -m terraform_provider_aetherv --debug {parent}"


def test_install_for_the_user(tmp_path: Path) -> None:
    """By default the launcher lies in the user's plugin folder, and its Python in the user's configuration."""
    python = _python(tmp_path / "a b")
    result = install(python=python, home=tmp_path, environ={})
    assert result.plugin_dir == tmp_path / ".terraform.d/plugins"
    assert result.pointer == tmp_path / ".config/aetherv/provider-python"
    assert result.stanza is None
    status, line, _ = _start(result.launchers[0], {"HOME": str(tmp_path)})
    assert (status, line.startswith(f"{python} -P -m")) == (0, True)


def test_configuration_folder_of_the_user(tmp_path: Path) -> None:
    """XDG_CONFIG_HOME is where both the installation and the launcher look."""
    environ = {"XDG_CONFIG_HOME": str(tmp_path / "xdg")}
    result = install(python=_python(tmp_path), home=tmp_path, environ=environ)
    assert result.pointer == tmp_path / "xdg/aetherv/provider-python"
    status, line, _ = _start(result.launchers[0], {"HOME": "/nowhere", **environ})
    assert (status, line.split()[0]) == (0, str(tmp_path / "python"))


def test_second_install_changes_nothing_and_repairs(tmp_path: Path) -> None:
    """The same again writes nothing; another Python is written; a damaged launcher is repaired."""
    python = _python(tmp_path)
    first = install(tmp_path / "plugins", python=python)
    assert first.changed
    assert not install(tmp_path / "plugins", python=python).changed
    assert install(tmp_path / "plugins", python=_python(tmp_path, "other")).changed
    first.launchers[0].write_bytes(b"damaged")
    first.launchers[0].chmod(0o644)
    assert install(tmp_path / "plugins", python=python).changed
    assert hashlib.sha256(first.launchers[0].read_bytes()).hexdigest() == LAUNCHER_HASH
    assert os.access(first.launchers[0], os.X_OK)


def test_several_platforms(tmp_path: Path) -> None:
    """A mirror for `terraform providers lock` holds the same launcher for every Unix."""
    result = install(tmp_path, python=_python(tmp_path), platforms=("linux_arm64", "darwin_arm64"))
    assert [item.parent.name for item in result.launchers] == ["linux_arm64", "darwin_arm64"]
    assert len({item.read_bytes() for item in result.launchers}) == 1


def test_launcher_through_the_link_of_terraform_init(tmp_path: Path) -> None:
    """`terraform init` links the launcher's folder into the working directory: the pointer is found all the same."""
    result = install(tmp_path / "plugins", python=_python(tmp_path))
    linked = tmp_path / "work/.terraform/providers" / Path(LAUNCHER).parent
    linked.parent.mkdir(parents=True)
    linked.symlink_to(result.launchers[0].parent)
    relative = Path(os.path.relpath(linked / result.launchers[0].name, tmp_path / "work"))
    status, line, _ = _start(Path("./") / relative, {}, cwd=tmp_path / "work")
    assert (status, line.split()[0]) == (0, str(tmp_path / "python"))


def test_environment_wins(tmp_path: Path) -> None:
    """AETHERV_PROVIDER_PYTHON is taken before any pointer."""
    other = _python(tmp_path, "other")
    result = install(tmp_path / "plugins", python=_python(tmp_path))
    _, line, _ = _start(result.launchers[0], {"AETHERV_PROVIDER_PYTHON": str(other)})
    assert line.split()[0] == str(other)


def test_launcher_without_python_says_so(tmp_path: Path) -> None:
    """Without a pointer, or with a Python that is gone, the first line says what to do and the status is 1."""
    python = _python(tmp_path)
    result = install(tmp_path / "plugins", python=python)
    python.unlink()
    status, line, _ = _start(result.launchers[0], {})
    assert status == 1
    assert line == f"The aetherv provider's Python is gone: {python}. Run again: aetherv provider install"
    result.pointer.unlink()
    status, line, _ = _start(result.launchers[0], {"HOME": str(tmp_path)})
    assert status == 1
    assert line == "The aetherv provider does not know its Python. Run: aetherv provider install"


def test_virtual_environments_link_is_kept(tmp_path: Path) -> None:
    """A virtual environment's Python is a link that must not be resolved: only the link knows the environment."""
    link = tmp_path / "venv-python"
    link.symlink_to(sys.executable)
    assert install(tmp_path / "plugins", python=link).python == link


@pytest.mark.parametrize(
    ("system", "machine", "expected"),
    [
        ("Linux", "x86_64", "linux_amd64"),
        ("Darwin", "arm64", "darwin_arm64"),
        ("Linux", "aarch64", "linux_arm64"),
        ("FreeBSD", "amd64", "freebsd_amd64"),
        ("Linux", "armv7l", "linux_arm"),
    ],
)
def test_platform_names(system: str, machine: str, expected: str) -> None:
    """Platforms are called as Terraform calls them."""
    assert platform_name(system, machine) == expected


def test_what_cannot_be_installed(tmp_path: Path) -> None:
    """A platform without a shell, a Python that is none, and a folder that cannot be written are said plainly."""
    with pytest.raises(InstallError, match="cannot be installed on windows"):
        platform_name("Windows", "AMD64")
    with pytest.raises(InstallError, match="no Python at"):
        install(tmp_path, python=tmp_path / "nothing")
    with pytest.raises(InstallError, match="no Python at"):
        install(tmp_path, python=tmp_path)
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(InstallError, match="Cannot write"):
        install(tmp_path / "file", python=_python(tmp_path))
    with pytest.raises(InstallError, match="line break"):
        install(tmp_path, python=_python(tmp_path / "a\nb"))
