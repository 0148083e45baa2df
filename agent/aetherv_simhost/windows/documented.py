"""Reads the tables of documented commands and classes. Pure but for the files beside it."""

import json
from pathlib import Path
from typing import Any, Final

TABLES: Final = Path(__file__).with_name("tables")


def table(name: str) -> dict[str, Any]:
    """A table's content by its file's name without the ending."""
    found: dict[str, Any] = json.loads((TABLES / f"{name}.json").read_text(encoding="utf-8"))
    return found
