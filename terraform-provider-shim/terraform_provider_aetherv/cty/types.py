"""The types of values, as frozen data, and their JSON form (as in ``Schema.Attribute.type``)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from terraform_provider_aetherv.cty.path import CtyError

# Deeper types are refused: nothing real nests so far, and recursion stays bounded.
MAX_DEPTH: Final = 64


@dataclass(frozen=True, slots=True)
class Primitive:
    """``string``, ``number``, ``bool`` or ``dynamic``; use the constants of this module."""

    name: str


STRING: Final = Primitive("string")
NUMBER: Final = Primitive("number")
BOOL: Final = Primitive("bool")
DYNAMIC: Final = Primitive("dynamic")
_PRIMITIVES: Final = {primitive.name: primitive for primitive in (STRING, NUMBER, BOOL, DYNAMIC)}


@dataclass(frozen=True, slots=True)
class ListOf:
    """An ordered collection of one element type."""

    element: CtyType


@dataclass(frozen=True, slots=True)
class SetOf:
    """An unordered collection of one element type; a ``list`` in Python, in Terraform's order."""

    element: CtyType


@dataclass(frozen=True, slots=True)
class MapOf:
    """A collection by string keys of one element type."""

    element: CtyType


@dataclass(frozen=True, slots=True)
class TupleOf:
    """A fixed sequence of types."""

    elements: tuple[CtyType, ...]


@dataclass(frozen=True, slots=True)
class ObjectOf:
    """Named attributes, each of its own type.

    Attributes:
        fields: name and type, sorted by name; ``ObjectOf.of`` sorts.
        optional: names that a type constraint allows to be absent.
    """

    fields: tuple[tuple[str, CtyType], ...]
    optional: frozenset[str] = frozenset()

    @classmethod
    def of(cls, fields: Mapping[str, CtyType], optional: frozenset[str] = frozenset()) -> ObjectOf:
        """Make an object type of a mapping."""
        return cls(tuple(sorted(fields.items())), optional)

    def names(self) -> frozenset[str]:
        """Give the names of all attributes."""
        return frozenset(name for name, _ in self.fields)


CtyType = Primitive | ListOf | SetOf | MapOf | TupleOf | ObjectOf
_COLLECTIONS: Final[Mapping[str, type[ListOf | SetOf | MapOf]]] = {"list": ListOf, "set": SetOf, "map": MapOf}


def to_json(cty_type: CtyType) -> Any:
    """Give a type's JSON form as Python data: ``"string"``, ``["list", "string"]`` and so on."""
    match cty_type:
        case Primitive(name):
            return name
        case ListOf(element):
            return ["list", to_json(element)]
        case SetOf(element):
            return ["set", to_json(element)]
        case MapOf(element):
            return ["map", to_json(element)]
        case TupleOf(elements):
            return ["tuple", [to_json(element) for element in elements]]
        case ObjectOf(fields, optional):
            parts = ["object", {name: to_json(field) for name, field in fields}]
            return [*parts, sorted(optional)] if optional else parts


def from_json(data: Any) -> CtyType:
    """Read a type's JSON form.

    Args:
        data: Python data as ``json.loads`` gives it.

    Raises:
        CtyError: it is not the form of a type.
    """
    return _from_json(data, 0)


def _from_json(data: Any, depth: int) -> CtyType:
    if depth > MAX_DEPTH:
        raise CtyError("type nests too deeply")
    match data:
        case str() if data in _PRIMITIVES:
            return _PRIMITIVES[data]
        case [str() as kind, element] if kind in _COLLECTIONS:
            return _COLLECTIONS[kind](_from_json(element, depth + 1))
        case ["tuple", list() as elements]:
            return TupleOf(tuple(_from_json(element, depth + 1) for element in elements))
        case ["object", dict() as fields]:
            return _object(fields, [], depth)
        case ["object", dict() as fields, list() as optional]:
            return _object(fields, optional, depth)
        case _:
            raise CtyError("not a type")


def _object(fields: dict[str, Any], optional: list[Any], depth: int) -> ObjectOf:
    if not all(isinstance(name, str) and name in fields for name in optional):
        raise CtyError("an object type's list of optional attributes names what is not there")
    return ObjectOf.of(
        {name: _from_json(field, depth + 1) for name, field in fields.items()},
        frozenset(optional),
    )


def type_to_bytes(cty_type: CtyType) -> bytes:
    """Give a type's JSON form as the bytes that the protocol carries."""
    return json.dumps(to_json(cty_type), separators=(",", ":")).encode()


def type_from_bytes(data: bytes) -> CtyType:
    """Read a type from the bytes that the protocol carries.

    Raises:
        CtyError: they are not the JSON form of a type.
    """
    try:
        parsed = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise CtyError("a type is not valid JSON") from error
    return from_json(parsed)
