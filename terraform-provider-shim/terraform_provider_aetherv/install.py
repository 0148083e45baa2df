"""Puts the launcher where ``terraform init`` finds it, and notes which Python it starts. No download, no registry.

Terraform's lock file holds a hash of everything in the launcher's folder, so the launcher is constant and
alone there; the Python that it starts is named in a pointer file outside.
"""

from __future__ import annotations

import os
import platform
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Final

from terraform_provider_aetherv import cli_config
from terraform_provider_aetherv.address import HOST, NAMESPACE, TYPE, VERSION
from terraform_provider_aetherv.cli_config import Stanza, stanza_needed

__all__ = ["InstallError", "InstallResult", "Stanza", "install", "platform_name", "stanza_needed"]

POINTER_NAME: Final = "aetherv-provider-python"
_SYSTEMS: Final = frozenset({"linux", "darwin", "freebsd", "openbsd", "netbsd"})
_MACHINES: Final[Mapping[str, str]] = {
    "x86_64": "amd64",
    "amd64": "amd64",
    "aarch64": "arm64",
    "arm64": "arm64",
    "i386": "386",
    "i686": "386",
    "armv6l": "arm",
    "armv7l": "arm",
}


class InstallError(Exception):
    """The provider cannot be installed; the text says why and what to do."""


@dataclass(frozen=True, slots=True)
class InstallResult:
    """What was installed.

    Attributes:
        plugin_dir: the directory for Terraform's ``-plugin-dir`` or a ``filesystem_mirror``.
        launchers: the files that Terraform starts, one for each platform.
        pointer: the file that names the Python.
        python: that Python.
        changed: whether anything on disk is different from before.
        stanza: what to add to the CLI configuration; None if Terraform finds the provider as it is.
    """

    plugin_dir: Path
    launchers: tuple[Path, ...]
    pointer: Path
    python: Path
    changed: bool
    stanza: Stanza | None


def platform_name(system: str | None = None, machine: str | None = None) -> str:
    """Give Terraform's name of a platform, such as ``linux_amd64``.

    Args:
        system: as ``platform.system()`` says; this machine's by default.
        machine: as ``platform.machine()`` says; this machine's by default.

    Raises:
        InstallError: the launcher, a shell script, does not run there.
    """
    name = (system or platform.system()).lower()
    architecture = _MACHINES.get((machine or platform.machine()).lower())
    if name not in _SYSTEMS or architecture is None:
        raise InstallError(f"The provider cannot be installed on {name} {machine or platform.machine()}.")
    return f"{name}_{architecture}"


def install(
    plugin_dir: Path | None = None,
    *,
    python: Path | None = None,
    platforms: Sequence[str] | None = None,
    environ: Mapping[str, str] | None = None,
    home: Path | None = None,
) -> InstallResult:
    """Install the provider for Terraform; a second time changes nothing.

    Args:
        plugin_dir: where to; by default the folder of the user in which Terraform looks by itself. A folder of
            one's own carries its pointer file and so can be moved and removed as a whole.
        python: the Python that runs the provider, by default this one. It is not resolved: a virtual
            environment's is a link, and only the link knows the environment.
        platforms: Terraform's names; this machine's by default. More serve ``terraform providers lock``.
        environ: the environment, for the configuration folders.
        home: the user's home directory.

    Raises:
        InstallError: there is no such Python, the platform is not supported, or a file cannot be written.
    """
    values = os.environ if environ is None else environ
    user = Path.home() if home is None else home
    interpreter = _checked(Path(sys.executable) if python is None else python)
    target = cli_config.default_plugin_dir(user) if plugin_dir is None else plugin_dir.absolute()
    pointer = _user_pointer(values, user) if plugin_dir is None else target / POINTER_NAME
    launchers = tuple(_launcher(target, name) for name in platforms or (platform_name(),))
    script = resources.files(__package__).joinpath("launcher.sh").read_bytes()
    try:
        changed = [_write(launcher, script, 0o755, launcher.parent.parent) for launcher in launchers]
        changed.append(_write(pointer, f"{interpreter}\n".encode(), 0o644, pointer.parent))
    except OSError as error:
        raise InstallError(f"Cannot write {error.filename}: {error.strerror}.") from error
    return InstallResult(
        plugin_dir=target,
        launchers=launchers,
        pointer=pointer,
        python=interpreter,
        changed=any(changed),
        stanza=stanza_needed(target, values, user),
    )


def _checked(python: Path) -> Path:
    path = python.absolute()
    if not os.access(path, os.X_OK) or path.is_dir():
        raise InstallError(f"There is no Python at {path}.")
    if "\n" in str(path):
        raise InstallError("The path of Python holds a line break.")
    return path


def _user_pointer(environ: Mapping[str, str], home: Path) -> Path:
    # As the launcher looks it up.
    return Path(environ.get("XDG_CONFIG_HOME") or home / ".config") / "aetherv" / "provider-python"


def _launcher(plugin_dir: Path, platform_: str) -> Path:
    return (
        plugin_dir / HOST / NAMESPACE / TYPE / VERSION / platform_ / f"terraform-provider-{TYPE}_v{VERSION}"
    )


def _write(path: Path, content: bytes, mode: int, scratch: Path) -> bool:
    """Write a file whole or not at all; leave one alone that is the same.

    Args:
        path: the file.
        content: what is to stand in it.
        mode: its permissions.
        scratch: a folder on the same file system for the unfinished file. For a launcher it is not its own
            folder: whatever stands there, also for a moment, counts for the lock file's hash.
    """
    if path.is_file() and path.read_bytes() == content and path.stat().st_mode & 0o777 == mode:
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(dir=scratch, prefix=".aetherv-")
    temporary = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
        temporary.chmod(mode)
        temporary.replace(path)
    except OSError:
        temporary.unlink(missing_ok=True)
        raise
    return True
