"""Python's side of values that have no counterpart in Python: unknown and dynamically typed ones."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NoReturn, final

if TYPE_CHECKING:
    from terraform_provider_aetherv.cty.types import CtyType

# What ``decode`` gives and ``encode`` takes; the package's docstring lists the forms.
Value = Any


@final
class Unknown:
    """The type of ``UNKNOWN``, its only instance: a value that is decided during apply.

    It equals nothing but itself, so that two unknown values look alike (Terraform cannot tell them apart
    either). It has no truth value: ``if value:`` on an unknown raises instead of acting as false.
    """

    __slots__ = ()
    _instance: Unknown | None = None

    def __new__(cls) -> Unknown:
        """Give the one instance, also to copy and pickle."""
        if cls._instance is None:
            cls._instance = super().__new__(cls)
        return cls._instance

    def __bool__(self) -> NoReturn:
        raise TypeError("an unknown value is neither true nor false: compare with `is UNKNOWN` first")

    def __repr__(self) -> str:
        return "UNKNOWN"

    def __copy__(self) -> Unknown:
        return self

    def __deepcopy__(self, memo: object) -> Unknown:
        return self

    def __reduce__(self) -> tuple[type[Unknown], tuple[()]]:
        return Unknown, ()


UNKNOWN: Final = Unknown()


@dataclass(frozen=True, slots=True)
class Typed:
    """A value where the schema says ``dynamic``, with the type that it turned out to have.

    Attributes:
        type: its type.
        value: the value in Python's form, maybe ``None`` or ``UNKNOWN``.
    """

    type: CtyType
    value: Value


def is_wholly_known(value: Value) -> bool:
    """Tell whether no part of a value is unknown."""
    if value is UNKNOWN:
        return False
    if isinstance(value, Typed):
        return is_wholly_known(value.value)
    if isinstance(value, Mapping):
        return all(is_wholly_known(item) for item in value.values())
    if isinstance(value, (list, tuple)):
        return all(is_wholly_known(item) for item in value)
    return True


def unknown_to_null(value: Value) -> Value:
    """Copy a value with each unknown part replaced by null, as a state needs it."""
    if value is UNKNOWN:
        return None
    if isinstance(value, Typed):
        return Typed(value.type, unknown_to_null(value.value))
    if isinstance(value, Mapping):
        return {key: unknown_to_null(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [unknown_to_null(item) for item in value]
    return value
