"""The mark: the one line of a VM's notes that says which job made it from what (host-contract, Whose VM). Pure."""

import json
from collections.abc import Mapping
from typing import Any

from aetherv_agent import contracts
from aetherv_agent.core.model import VmSpec

_PREFIX: str = contracts.document("records")["mark"]["prefix"]


def split(notes: str) -> tuple[str, dict[str, Any] | None]:
    """A VM's notes without the mark, and the mark; None where there is none that can be read."""
    mark: dict[str, Any] | None = None
    others: list[str] = []
    for line in notes.split("\n"):
        read = _read(line.removesuffix("\r"))
        if read is None or mark is not None:
            others.append(line)
        else:
            mark = read
    return "\n".join(others), mark


def merge(notes: str, **changes: Any) -> str:
    """Notes with a changed mark; lines that are no mark stay."""
    text, mark = split(notes)
    line = _PREFIX + json.dumps({**(mark or {}), **changes}, ensure_ascii=False)
    return f"{text}\n{line}" if text else line


def creation_facts(spec: VmSpec) -> Mapping[str, Any]:
    """What a mark keeps of a create: every field that was said and is no secret; the notes stand for themselves."""
    return {name: value for name, value in spec.fields().items() if name != "notes"}


def _read(line: str) -> dict[str, Any] | None:
    if not line.startswith(_PREFIX):
        return None
    try:
        raw = json.loads(line[len(_PREFIX) :])
    except ValueError:
        return None
    return raw if isinstance(raw, dict) else None
