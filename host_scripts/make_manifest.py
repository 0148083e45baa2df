# ruff: noqa: INP001  # a program of its own, no package
"""Writes ``manifest.json`` beside the host scripts: each file that is deployed, with its SHA-256.

Run it after a change of a script: ``python host_scripts/make_manifest.py``. The agent checks a host's files against it.
No dependency, no other I/O.
"""

import hashlib
import json
from pathlib import Path

PATTERNS = ("*.ps1", "*.psm1", "contracts/*.json", "version")


def manifest(folder: Path) -> dict[str, object]:
    """Returns the manifest of the scripts in a folder.

    Args:
        folder: The folder with the scripts and ``version``.

    Returns:
        ``version`` (the scripts' own) and ``files``: SHA-256 in hex by path, with ``/`` between its parts.
    """
    files = sorted(path for pattern in PATTERNS for path in folder.glob(pattern) if path.is_file())
    return {
        "version": (folder / "version").read_text("ascii").strip(),
        "files": {
            path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in files
        },
    }


def text(folder: Path) -> str:
    """Returns the manifest as it stands in its file."""
    return json.dumps(manifest(folder), indent=1, sort_keys=True) + "\n"


if __name__ == "__main__":
    own = Path(__file__).resolve().parent
    (own / "manifest.json").write_text(text(own), "ascii")
