"""From Python to msgpack, by type."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from decimal import Decimal
from typing import Any

from terraform_provider_aetherv.cty import numbers
from terraform_provider_aetherv.cty.packing import UNKNOWN_WIRE, pack
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
    type_to_bytes,
)
from terraform_provider_aetherv.cty.values import UNKNOWN, Typed, Value


def encode(value: Value, cty_type: CtyType) -> bytes:
    """Encode a value as ``DynamicValue.msgpack``.

    Args:
        value: in the form that the package's docstring describes; an object must have every attribute.
        cty_type: the type that it must have.

    Raises:
        CtyError: the value is not of that type; nothing else is raised.
    """
    return pack(_value(value, cty_type, ()))


def _value(value: Value, cty_type: CtyType, path: Path) -> Any:
    if len(path) > MAX_DEPTH:
        raise CtyError("value nests too deeply", path)
    if value is None or value is UNKNOWN:
        return UNKNOWN_WIRE if value is UNKNOWN else None
    match cty_type:
        case Primitive():
            return _primitive(value, cty_type, path)
        case ListOf() | SetOf():
            return _elements(_items(value, path), cty_type, path)
        case MapOf(element):
            items = _mapping(value, path).items()
            return {_text(key, path): _value(item, element, (*path, KeyStep(key))) for key, item in items}
        case TupleOf(elements):
            items_ = _items(value, path)
            if len(items_) != len(elements):
                raise CtyError(f"expected {len(elements)} elements, got {len(items_)}", path)
            return [_value(items_[i], element, (*path, i)) for i, element in enumerate(elements)]
        case ObjectOf():
            return _object(_mapping(value, path), cty_type, path)


def _elements(items: Sequence[Value], cty_type: ListOf | SetOf, path: Path) -> list[Any]:
    with within_set(path) if isinstance(cty_type, SetOf) else nullcontext():
        return [_value(item, cty_type.element, (*path, i)) for i, item in enumerate(items)]


def _object(value: Mapping[Any, Value], cty_type: ObjectOf, path: Path) -> dict[str, Any]:
    wrong = cty_type.names() ^ value.keys()
    if wrong:
        name = min(wrong, key=str)
        problem = "unknown attribute" if name in value else "attribute is missing"
        raise CtyError(problem, (*path, str(name)))
    return {name: _value(value[name], field, (*path, name)) for name, field in cty_type.fields}


def _primitive(value: Value, cty_type: Primitive, path: Path) -> Any:
    if cty_type == DYNAMIC:
        if not isinstance(value, Typed):
            raise _expected("a Typed value", value, path)
        return [type_to_bytes(value.type), _value(value.value, value.type, (*path, "value"))]
    if cty_type == STRING:
        return _text(value, path)
    if cty_type == BOOL and isinstance(value, bool):
        return value
    if cty_type == NUMBER and isinstance(value, (int, float, Decimal)) and not isinstance(value, bool):
        return numbers.to_wire(value, path)
    raise _expected(f"a {cty_type.name}", value, path)


def _text(value: Value, path: Path) -> str:
    if not isinstance(value, str):
        raise _expected("a string", value, path)
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise CtyError("a string with a lone surrogate", path) from error
    return value


def _items(value: Value, path: Path) -> Sequence[Value]:
    if isinstance(value, (list, tuple)):
        return value
    raise _expected("a list", value, path)


def _mapping(value: Value, path: Path) -> Mapping[Any, Value]:
    if isinstance(value, Mapping):
        return value
    raise _expected("a mapping", value, path)


def _expected(what: str, value: object, path: Path) -> CtyError:
    # The type's name only: the value itself may be a secret.
    return CtyError(f"expected {what}, got {type(value).__name__}", path)
