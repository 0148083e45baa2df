"""From the wire to Python, by type: msgpack (``DynamicValue.msgpack``) and JSON (a state file's values)."""

from __future__ import annotations

import json
from contextlib import nullcontext
from decimal import Decimal
from typing import Any

from terraform_provider_aetherv.cty import numbers
from terraform_provider_aetherv.cty.packing import unpack
from terraform_provider_aetherv.cty.path import CtyError, KeyStep, Path, within_set
from terraform_provider_aetherv.cty.types import (
    BOOL,
    DYNAMIC,
    MAX_DEPTH,
    NUMBER,
    STRING,
    CtyType,
    ListOf,
    MapOf,
    ObjectOf,
    Primitive,
    SetOf,
    TupleOf,
    from_json,
    type_from_bytes,
)
from terraform_provider_aetherv.cty.values import UNKNOWN, Typed, Value


def decode(data: bytes, cty_type: CtyType) -> Value:
    """Decode a msgpack value.

    Args:
        data: the bytes of ``DynamicValue.msgpack``.
        cty_type: the type that it must have.

    Returns:
        The value in the form that the package's docstring describes.

    Raises:
        CtyError: the bytes are malformed or of another type; nothing else is raised.
    """
    return _Msgpack().value(unpack(data), cty_type, ())


def decode_json(data: bytes, cty_type: CtyType, *, lenient: bool = False) -> Value:
    """Decode a JSON value, as in ``DynamicValue.json`` and a state file. It cannot hold unknown parts.

    Args:
        data: the JSON text in UTF-8.
        cty_type: the type that it must have. An absent attribute is null.
        lenient: ignore attributes that the type does not have (a state of another version).

    Raises:
        CtyError: the text is malformed or of another type; nothing else is raised.
    """
    return _Json(lenient=lenient).value(parse_json(data), cty_type, ())


def parse_json(data: bytes) -> Any:
    """Parse JSON with exact numbers (``int`` or ``Decimal``), without a type.

    Raises:
        CtyError: the text is malformed; nothing else is raised.
    """
    try:
        return json.loads(
            data, parse_float=_json_number, parse_int=_json_number, parse_constant=_json_constant
        )
    except CtyError:
        raise
    except (ValueError, RecursionError) as error:
        raise CtyError("malformed JSON") from error


def _json_number(text: str) -> int | Decimal:
    return numbers.from_text(text, ())


def _json_constant(text: str) -> Any:
    raise CtyError(f"{text} is not a number")


def _expected(what: str, raw: object, path: Path) -> CtyError:
    # The type's name only: the value itself may be a secret.
    return CtyError(f"expected {what}, got {type(raw).__name__}", path)


class _Msgpack:
    """Walks unpacked msgpack along a type."""

    def value(self, raw: Any, cty_type: CtyType, path: Path) -> Value:
        if len(path) > MAX_DEPTH:
            raise CtyError("value nests too deeply", path)
        if raw is None or raw is UNKNOWN:
            return raw
        match cty_type:
            case Primitive():
                return self._primitive(raw, cty_type, path)
            case ListOf() | SetOf():
                return self._elements(_list(raw, path), cty_type, path)
            case MapOf(element):
                return {
                    key: self.value(item, element, (*path, KeyStep(key))) for key, item in _map(raw, path)
                }
            case TupleOf(elements):
                items = _list(raw, path)
                if len(items) != len(elements):
                    raise CtyError(f"expected {len(elements)} elements, got {len(items)}", path)
                return [self.value(items[i], element, (*path, i)) for i, element in enumerate(elements)]
            case ObjectOf():
                return self.object(dict(_map(raw, path)), cty_type, path)

    def _elements(self, items: list[Any], cty_type: ListOf | SetOf, path: Path) -> list[Value]:
        with within_set(path) if isinstance(cty_type, SetOf) else nullcontext():
            return [self.value(item, cty_type.element, (*path, i)) for i, item in enumerate(items)]

    def _primitive(self, raw: Any, cty_type: Primitive, path: Path) -> Value:
        if cty_type == DYNAMIC:
            return self.dynamic(raw, path)
        if cty_type == STRING and isinstance(raw, str):
            return raw
        if cty_type == BOOL and isinstance(raw, bool):
            return raw
        if cty_type == NUMBER and not isinstance(raw, bool):
            return self.number(raw, path)
        raise _expected(f"a {cty_type.name}", raw, path)

    def number(self, raw: Any, path: Path) -> int | Decimal:
        if isinstance(raw, int):
            return raw
        if isinstance(raw, float):
            return numbers.simplest(raw, path)
        if isinstance(raw, str):
            return numbers.from_text(raw, path)
        raise _expected("a number", raw, path)

    def dynamic(self, raw: Any, path: Path) -> Typed:
        match raw:
            case [bytes() | str() as kind, inner]:
                cty_type = type_from_bytes(kind.encode() if isinstance(kind, str) else kind)
                # One step deeper although no attribute is: types within types must not recurse for ever.
                return Typed(cty_type, self.value(inner, cty_type, (*path, "value")))
            case _:
                raise CtyError("expected a type and a value", path)

    def object(self, raw: dict[str, Any], cty_type: ObjectOf, path: Path) -> dict[str, Value]:
        absent = cty_type.names() ^ raw.keys()
        if absent:
            name = min(absent)
            problem = "unknown attribute" if name in raw else "attribute is missing"
            raise CtyError(problem, (*path, name))
        return {name: self.value(raw[name], field, (*path, name)) for name, field in cty_type.fields}


class _Json(_Msgpack):
    """Walks parsed JSON along a type."""

    def __init__(self, *, lenient: bool) -> None:
        self._lenient = lenient

    def number(self, raw: Any, path: Path) -> int | Decimal:
        if isinstance(raw, (int, Decimal)):
            return raw
        return super().number(raw, path)

    def dynamic(self, raw: Any, path: Path) -> Typed:
        if not isinstance(raw, dict) or raw.keys() != {"type", "value"}:
            raise CtyError("expected a type and a value", path)
        cty_type = from_json(raw["type"])
        return Typed(cty_type, self.value(raw["value"], cty_type, (*path, "value")))

    def object(self, raw: dict[str, Any], cty_type: ObjectOf, path: Path) -> dict[str, Value]:
        extra = raw.keys() - cty_type.names()
        if extra and not self._lenient:
            raise CtyError("unknown attribute", (*path, min(extra)))
        return {name: self.value(raw.get(name), field, (*path, name)) for name, field in cty_type.fields}


def _list(raw: Any, path: Path) -> list[Any]:
    if isinstance(raw, list):
        return raw
    raise _expected("a list", raw, path)


def _map(raw: Any, path: Path) -> list[tuple[str, Any]]:
    if not isinstance(raw, dict):
        raise _expected("a map", raw, path)
    if not all(isinstance(key, str) for key in raw):
        raise CtyError("a key is not a string", path)
    return list(raw.items())
