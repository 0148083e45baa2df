"""Write-only values: the one place that keeps them out of what Terraform stores.

Terraform refuses a planned or new state that holds one, and does so after the object was made.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from terraform_provider_aetherv.cty import KeyStep, Path, Value
from terraform_provider_aetherv.schema.model import Attribute, NestedObject, Nesting

if TYPE_CHECKING:
    from collections.abc import Sequence


def has_write_only(attributes: Sequence[Attribute]) -> bool:
    """Tell whether an attribute, or one nested in it, is write-only."""
    return any(
        attribute.write_only or (attribute.nested is not None and has_write_only(attribute.nested.attributes))
        for attribute in attributes
    )


def null_write_only(value: Value, attributes: Sequence[Attribute]) -> Value:
    """Copy an object with each write-only attribute null, at every depth.

    Args:
        value: an object of these attributes; null, unknown and what is not an object pass as they are.
        attributes: its schema.
    """
    if not isinstance(value, Mapping):
        return value
    result = dict(value)
    for attribute in attributes:
        if attribute.name not in result:
            continue
        if attribute.write_only:
            result[attribute.name] = None
        elif attribute.nested is not None and has_write_only(attribute.nested.attributes):
            result[attribute.name] = _nested(result[attribute.name], attribute.nested)
    return result


def _nested(value: Value, nested: NestedObject) -> Value:
    if nested.nesting is Nesting.SINGLE:
        return null_write_only(value, nested.attributes)
    if nested.nesting is Nesting.MAP and isinstance(value, Mapping):
        return {key: null_write_only(item, nested.attributes) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [null_write_only(item, nested.attributes) for item in value]
    return value


def write_only_paths(value: Value, attributes: Sequence[Attribute], path: Path = ()) -> Iterator[Path]:
    """Find the write-only attributes that are not null in a configuration."""
    if not isinstance(value, Mapping):
        return
    for attribute in attributes:
        item = value.get(attribute.name)
        here = (*path, attribute.name)
        if item is None:
            continue
        if attribute.write_only:
            yield here
        elif attribute.nested is not None:
            for child, child_path in _children(item, attribute.nested, here):
                yield from write_only_paths(child, attribute.nested.attributes, child_path)


def _children(value: Value, nested: NestedObject, path: Path) -> Iterator[tuple[Value, Path]]:
    if nested.nesting is Nesting.SINGLE:
        yield value, path
    elif nested.nesting is Nesting.MAP and isinstance(value, Mapping):
        yield from ((item, (*path, KeyStep(key))) for key, item in value.items())
    elif isinstance(value, (list, tuple)):
        yield from ((item, (*path, index)) for index, item in enumerate(value))
