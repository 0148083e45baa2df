"""What agent, simulated host and host scripts have agreed on, read from ``host_scripts/contracts``.

The files are the one place of field rules, guest dialects, records and error ids. This module gives them as
frozen values and knows nothing of their meaning. No other I/O than reading these files once.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any, Literal


@dataclass(frozen=True, slots=True)
class FieldRule:
    """One input field's rule, as ``fields.json`` states it.

    Attributes:
        name: the job document's and Terraform's name.
        type: ``string``, ``integer``, ``number``, ``boolean`` or ``enum``.
        required: whether a create needs it.
        rule: the rule for people.
        kvp: the name under ``hlvmm.data.``, or None where the guest does not get it.
        elsewhere: what happens for a family outside ``families``: ``dropped`` with a warning, or ``refused``.
    """

    name: str
    type: Literal["string", "integer", "number", "boolean", "enum"]
    required: bool
    rule: str
    kvp: str | None = None
    secret: bool = False
    acts_once: bool = False
    families: tuple[str, ...] = ("linux", "windows")
    elsewhere: Literal["dropped", "refused"] = "refused"
    minimum: float | None = None
    maximum: float | None = None
    whole: bool = False
    min_length: int | None = None
    max_length: int | None = None
    pattern: str | None = None
    forbidden_pattern: str | None = None
    format: str | None = None
    values: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SetRule:
    """Fields that go together: either all of ``all_or_none``, or ``needs`` of ``field``."""

    id: str
    rule: str
    all_or_none: tuple[str, ...] = ()
    with_: tuple[str, ...] = ()
    field: str | None = None
    needs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ErrorRule:
    """One error id: its category, whether the same call may succeed later, and what the user can do."""

    id: str
    category: str
    by: tuple[str, ...]
    retryable: bool
    advice: str


@dataclass(frozen=True, slots=True)
class FieldRules:
    """All of ``fields.json``."""

    fields: tuple[FieldRule, ...]
    sets: tuple[SetRule, ...]
    os_families: tuple[tuple[str, tuple[str, ...]], ...]
    every_string_forbidden: str
    every_string_except: tuple[str, ...]
    every_string_rule: str

    def named(self, name: str) -> FieldRule:
        """Return the rule of a field; raise KeyError for an unknown name."""
        for field in self.fields:
            if field.name == name:
                return field
        raise KeyError(name)


@cache
def host_scripts_folder() -> Path:
    """Return the folder of the host scripts: package data of a wheel, else the checkout's.

    Raises:
        FileNotFoundError: neither is there.
    """
    packaged = Path(str(resources.files("aetherv_agent"))) / "_host_scripts"
    checkout = Path(__file__).resolve().parents[2] / "host_scripts"
    for folder in (packaged, checkout):
        if (folder / "contracts" / "fields.json").is_file():
            return folder
    raise FileNotFoundError("the host scripts are neither in the package nor in a checkout")


@cache
def scripts_version() -> str:
    """Return the version of the host scripts, one line such as ``0.1.0``. It is never published to a guest."""
    return (host_scripts_folder() / "version").read_text("ascii").strip()


@cache
def document(name: str) -> Any:
    """Return a contract file's JSON: ``fields``, ``dialects``, ``records`` or ``errors``. Treat it as frozen."""
    return json.loads((host_scripts_folder() / "contracts" / f"{name}.json").read_text("utf-8"))


@cache
def field_rules() -> FieldRules:
    """Return the rules of all input fields."""
    raw = document("fields")
    return FieldRules(
        fields=tuple(_field(entry) for entry in raw["fields"]),
        sets=tuple(_set(entry) for entry in raw["sets"]),
        os_families=tuple((family, tuple(begins)) for family, begins in raw["os_families"].items()),
        every_string_forbidden=raw["every_string"]["forbidden_pattern"],
        every_string_except=tuple(raw["every_string"]["except"]),
        every_string_rule=raw["every_string"]["rule"],
    )


@cache
def error_rules() -> dict[str, ErrorRule]:
    """Return every error id with its rule. Treat it as frozen."""
    return {
        entry["id"]: ErrorRule(
            entry["id"], entry["category"], tuple(entry["by"]), entry["retryable"], entry["advice"]
        )
        for entry in document("errors")["errors"]
    }


def _field(entry: dict[str, Any]) -> FieldRule:
    return FieldRule(
        name=entry["name"],
        type=entry["type"],
        required=entry["create"] == "required",
        rule=entry["rule"],
        kvp=entry.get("kvp"),
        secret=entry.get("secret", False),
        acts_once=entry.get("acts_once", False),
        families=tuple(entry.get("families", ("linux", "windows"))),
        elsewhere=entry.get("elsewhere", "refused"),
        minimum=entry.get("min"),
        maximum=entry.get("max"),
        whole=entry.get("whole", False),
        min_length=entry.get("min_length"),
        max_length=entry.get("max_length"),
        pattern=entry.get("pattern"),
        forbidden_pattern=entry.get("forbidden_pattern"),
        format=entry.get("format"),
        values=tuple(entry.get("values", ())),
    )


def _set(entry: dict[str, Any]) -> SetRule:
    return SetRule(
        id=entry["id"],
        rule=entry["rule"],
        all_or_none=tuple(entry.get("all_or_none", ())),
        with_=tuple(entry.get("with", ())),
        field=entry.get("field"),
        needs=tuple(entry.get("needs", ())),
    )
