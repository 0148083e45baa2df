"""What a guest's provisioning ISO can take: the one table of guests' quirks (reference: guest-protocol).

A dialect is named by the version of the ISO. Only this module and the guests themselves know a quirk. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from aetherv_agent import contracts
from aetherv_agent.core.model import OsFamily


@dataclass(frozen=True, slots=True)
class ValueRule:
    """What a text of some fields must or must not be; ``fields`` may hold ``*``."""

    fields: tuple[str, ...]
    rule: str
    pattern: str | None = None
    forbidden_pattern: str | None = None

    def refuses(self, field: str, value: str) -> bool:
        """Return whether this rule applies to the field and the text breaks it."""
        if "*" not in self.fields and field not in self.fields:
            return False
        if self.pattern is not None and re.search(self.pattern, value) is None:
            return True
        return self.forbidden_pattern is not None and re.search(self.forbidden_pattern, value) is not None


@dataclass(frozen=True, slots=True)
class Dialect:
    """One family's side of an ISO's dialect.

    Attributes:
        piece_units: length of a piece in UTF-16 units, or None: a value is never cut.
        pieces: how many pieces a value may have.
        value_bytes: how many bytes of UTF-8 an uncut value may have.
        settle_seconds: how long delivery of the items is given before the last state is written.
    """

    id: str
    family: OsFamily
    host_name: ValueRule
    rules: tuple[ValueRule, ...]
    required_with_domain: tuple[str, ...]
    settle_seconds: int
    piece_units: int | None = None
    pieces: int | None = None
    value_bytes: int | None = None
    warn_static_without_dns: str = ""

    def refusals(self, field: str, value: str) -> Iterator[str]:
        """Yield what this guest can't take of a text, for people. ``field`` is the contract's name."""
        if field == "vm_name" and self.host_name.refuses("vm_name", value):
            yield f"becomes the guest's host name and must be {self.host_name.rule}"
        for rule in self.rules:
            if rule.refuses(field, value):
                yield f"can't be used: {rule.rule}" if rule.pattern is None else f"must be {rule.rule}"
        if self.value_bytes is not None and len(value.encode("utf-8", "surrogatepass")) > self.value_bytes:
            yield f"is too long: at most {self.value_bytes} bytes of UTF-8 reach this guest"
        if self.pieces is not None and len(self.cut(value)) > self.pieces:
            yield f"is too long: at most {self.pieces} pieces of {self.piece_units} UTF-16 units reach this guest"

    def cut(self, value: str) -> tuple[str, ...]:
        """Return the pieces under which a value is published; one piece: it is published whole."""
        if self.piece_units is None or _units(value) <= self.piece_units:
            return (value,)
        pieces: list[str] = []
        piece, units = "", 0
        for character in value:
            size = _units(character)
            if units + size > self.piece_units:
                pieces.append(piece)
                piece, units = "", 0
            piece += character
            units += size
        return (*pieces, piece)


def dialect_for(version: str, family: OsFamily) -> Dialect | None:
    """Return the dialect of an ISO's version such as ``2.4.000``, or None for a version no dialect knows."""
    for raw in contracts.document("dialects")["dialects"]:
        if re.search(raw["versions"], version.strip()):
            return _dialect(raw["id"], family)
    return None


def default_dialect(family: OsFamily) -> Dialect:
    """Return the present field's dialect: what is checked while a host's ISO version is not known."""
    return _dialect(contracts.document("dialects")["dialects"][-1]["id"], family)


@cache
def _dialect(dialect_id: str, family: OsFamily) -> Dialect:
    raw = next(d for d in contracts.document("dialects")["dialects"] if d["id"] == dialect_id)
    side: Mapping[str, Any] = raw[family.value]
    return Dialect(
        id=dialect_id,
        family=family,
        host_name=ValueRule(("vm_name",), side["host_name"]["rule"], side["host_name"]["pattern"]),
        rules=tuple(
            ValueRule(tuple(rule["fields"]), rule["rule"], rule.get("pattern"), rule.get("forbidden_pattern"))
            for rule in side["rules"]
        ),
        required_with_domain=tuple(side["required_with_domain"]),
        settle_seconds=side["settle_seconds"],
        piece_units=side.get("piece_units"),
        pieces=side.get("pieces"),
        value_bytes=side.get("value_bytes"),
        warn_static_without_dns=side.get("warn_static_without_dns", ""),
    )


def _units(text: str) -> int:
    return len(text.encode("utf-16-le", "surrogatepass")) // 2
