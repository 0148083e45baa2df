"""The scripts that this agent brings, as their manifest lists them. Reads files once, when the agent is built."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from aetherv_agent.core.errors import AethervError

MANIFEST: Final = "manifest.json"


@dataclass(frozen=True, slots=True)
class Bundle:
    """Scripts of one version.

    Attributes:
        version: the scripts' own.
        files: text (ASCII) by relative path with ``/``; the manifest is one of them.
    """

    version: str
    files: Mapping[str, str]

    def hashes(self) -> dict[str, str]:
        """Return each file's SHA-256, 64 hexadecimal digits in lower case."""
        return {path: hashlib.sha256(text.encode("ascii")).hexdigest() for path, text in self.files.items()}

    def folders(self) -> tuple[str, ...]:
        """Return the relative folders that the files need, outer ones first."""
        found = {
            "/".join(parts[:count])
            for parts in (path.split("/") for path in self.files)
            for count in range(1, len(parts))
        }
        return tuple(sorted(found))


def read_bundle(folder: Path) -> Bundle:
    """Return the scripts of a folder.

    Raises:
        AethervError: SCRIPTS_BROKEN when they are not what their manifest says, or no plain ASCII.
    """
    try:
        text = (folder / MANIFEST).read_bytes().decode("ascii")
        manifest = json.loads(text)
        version, wanted = str(manifest["version"]), dict(manifest["files"])
        files = {path: (folder / path).read_bytes().decode("ascii") for path in sorted(wanted)}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise AethervError(
            "SCRIPTS_BROKEN", f"The agent's own host scripts can't be read ({type(error).__name__})."
        ) from None
    bundle = Bundle(version, files)
    found = bundle.hashes()
    if wrong := sorted(path for path in wanted if found[path] != str(wanted[path]).lower()):
        raise AethervError(
            "SCRIPTS_BROKEN", f"The agent's own host scripts differ from their manifest: {', '.join(wrong)}."
        )
    return Bundle(version, {**files, MANIFEST: text})
