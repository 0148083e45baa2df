"""What a host's objects are once pypsrp has read them, as plain values. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from pypsrp.complex_objects import GenericComplexObject

_MOST_DEPTH: Final = 4


def plain(value: Any, depth: int = 0) -> Any:
    """Return None, text, numbers, bools, lists and mappings for what MS-PSRP 2.2.5 has; all else is its text.

    An object becomes a mapping of its properties, or its text where it has none (an enum's value, for one).

    Args:
        value: what pypsrp deserialised.
        depth: how deep in an object it stands; below four levels there are texts alone.
    """
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if depth >= _MOST_DEPTH:
        return str(value)
    if isinstance(value, Mapping):
        return {str(key): plain(item, depth + 1) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item, depth + 1) for item in value]
    if isinstance(value, GenericComplexObject):
        properties = {**value.adapted_properties, **value.extended_properties}
        return {str(key): plain(item, depth + 1) for key, item in properties.items()} or str(value)
    return str(value)
