"""What is stored beside an object, in Terraform's private data: where it came from, and what stands open. Pure."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass

CREATED = "created"
IMPORTED = "imported"


@dataclass(frozen=True, slots=True)
class Private:
    """An object's private data.

    Attributes:
        origin: ``created``: a null in the state means "none"; ``imported``: it means "unknown".
        operation: the create whose end nobody saw, ``operations/...``; empty: none stands open.
        replaces: in a plan alone: the id of the VM whose place the planned one takes.
        warned: in a plan alone: what the agent warned of then, by reason, with commas between.
    """

    origin: str = CREATED
    operation: str = ""
    replaces: str = ""
    warned: str = ""

    def encode(self) -> bytes:
        """Give the bytes that Terraform stores."""
        return json.dumps({name: value for name, value in asdict(self).items() if value}).encode()


def decode(data: bytes) -> Private:
    """Read private data; what another version wrote and this one does not know is ignored."""
    if not data:
        return Private()
    try:
        raw = json.loads(data)
    except ValueError:
        return Private()
    if not isinstance(raw, dict):
        return Private()
    return Private(**{name: raw[name] for name in Private.__slots__ if isinstance(raw.get(name), str)})
