"""Files that hold a secret: written 0600 from the first byte, read only where nobody else can read them."""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from pathlib import Path

from aetherv_agent.core.errors import AethervError

_MOST = 64 * 1024
_OTHERS = stat.S_IRGRP | stat.S_IWGRP | stat.S_IROTH | stat.S_IWOTH


def write_new(path: Path, text: str) -> None:
    """Write a file that is not there yet; only its owner can read it.

    Raises:
        AethervError: CONFIG_INVALID where it can't be written.
    """
    replace(path, text.encode(), mode=0o600, exclusive=True)


def replace(path: Path, content: bytes, *, mode: int = 0o600, exclusive: bool = False) -> None:
    """Write a file whole or not at all.

    Args:
        path: where; its folder is there.
        content: what.
        mode: its rights.
        exclusive: a file that is there already is left as it is.

    Raises:
        AethervError: CONFIG_INVALID where it can't be written.
    """
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, mode)
        try:
            os.fchmod(descriptor, mode)
            with os.fdopen(descriptor, "wb", closefd=False) as file:
                file.write(content)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        if exclusive:
            # A link fails where the name is taken: of two starts at once one file wins, whole.
            with suppress(FileExistsError):
                os.link(partial, path)
            partial.unlink()
        else:
            partial.replace(path)
    except OSError as error:
        with suppress(OSError):
            partial.unlink()
        raise AethervError("CONFIG_INVALID", f"{path} can't be written: {error.strerror}.") from None


def read(path: Path) -> str:
    """Return a secret file's text without the line's end.

    A file in systemd's credentials directory is taken with the rights that systemd gave it.

    Raises:
        AethervError: CONFIG_INVALID for a file that is not there, is empty, or that group or world may read.
    """
    problem = problem_with(path)
    if problem:
        raise AethervError("CONFIG_INVALID", f"{problem}.")
    try:
        return path.read_text("utf-8").rstrip("\r\n")
    except (OSError, UnicodeDecodeError):
        raise AethervError("CONFIG_INVALID", f"{path} can't be read as text.") from None


def problem_with(path: Path) -> str:
    """Return what is wrong with a secret file, or an empty text."""
    try:
        about = path.stat()
    except OSError as error:
        return f"{path} can't be read: {error.strerror}"
    if about.st_mode & _OTHERS and not _by_systemd(path):
        return f"{path} holds a secret and its group or others may read or write it: chmod 600 {path}"
    if not stat.S_ISREG(about.st_mode) or not 0 < about.st_size <= _MOST:
        return f"{path} is no file, empty, or too large for a secret"
    if not os.access(path, os.R_OK):
        return f"{path} can't be read: Permission denied"
    return ""


def credential(name: str) -> Path:
    """Return where systemd put a credential (``LoadCredential=name:...``).

    Raises:
        AethervError: CONFIG_INVALID where the agent was started without a credentials directory.
    """
    folder = os.environ.get("CREDENTIALS_DIRECTORY")
    if not folder:
        raise AethervError(
            "CONFIG_INVALID",
            f"The credential {name!r} is asked for and CREDENTIALS_DIRECTORY is not set: start by systemd with "
            f"LoadCredential={name}:FILE.",
        )
    return Path(folder) / name


def _by_systemd(path: Path) -> bool:
    folder = os.environ.get("CREDENTIALS_DIRECTORY")
    return bool(folder) and path.resolve().is_relative_to(Path(folder or "/nowhere").resolve())
