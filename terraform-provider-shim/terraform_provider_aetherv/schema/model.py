"""Schemas as frozen data: what ``plugin/schema_wire.py`` sends to Terraform and what planning reads. No behaviour."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Final, final

from terraform_provider_aetherv.cty.types import CtyType, ListOf, MapOf, ObjectOf, SetOf
from terraform_provider_aetherv.cty.values import Value

_NAME: Final = re.compile(r"[a-z][a-z0-9_]*")


class Nesting(Enum):
    """How many objects a nested attribute holds."""

    SINGLE = "single"
    LIST = "list"
    SET = "set"
    MAP = "map"


@final
class NoDefault:
    """The type of ``NO_DEFAULT``."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "NO_DEFAULT"


NO_DEFAULT: Final = NoDefault()


@dataclass(frozen=True, slots=True, kw_only=True)
class Attribute:
    """One attribute of a resource, data source, provider or nested object.

    Exactly one of ``type`` and ``nested`` is given, and at least one of ``required``, ``optional`` and ``computed``.

    Attributes:
        name: in lower snake case.
        type: its type, for a plain attribute.
        nested: its attributes, for a nested one.
        required: the configuration must have it.
        optional: the configuration may have it.
        computed: the provider may decide it.
        sensitive: Terraform hides the value (it still stands in the state).
        write_only: Terraform passes the value and never stores it (1.11 and later).
        deprecation: what to use instead; empty for one that is not deprecated.
        description: in Markdown.
        default: what planning puts where the configuration says null. Terraform itself is not told; it
            accepts this of attributes that are optional and computed alone. ``NO_DEFAULT`` for none.
    """

    name: str
    type: CtyType | None = None
    nested: NestedObject | None = None
    required: bool = False
    optional: bool = False
    computed: bool = False
    sensitive: bool = False
    write_only: bool = False
    deprecation: str = ""
    description: str = ""
    default: Value = NO_DEFAULT

    def __post_init__(self) -> None:
        problems = {
            "a name is lower snake case": not _NAME.fullmatch(self.name),
            "either a type or nested attributes": (self.type is None) == (self.nested is None),
            "one of required, optional, computed": not (self.required or self.optional or self.computed),
            "required is neither optional nor computed": self.required and (self.optional or self.computed),
            "write-only is not computed": self.write_only and self.computed,
            "a default needs optional and computed": self.has_default
            and not (self.optional and self.computed),
        }
        for problem, applies in problems.items():
            if applies:
                raise ValueError(f"attribute {self.name!r}: {problem}")

    @property
    def has_default(self) -> bool:
        """Tell whether planning fills the attribute in."""
        return self.default is not NO_DEFAULT

    def cty_type(self) -> CtyType:
        """Give the type of the attribute's value, also of a nested one."""
        if self.nested is not None:
            return self.nested.cty_type()
        assert self.type is not None  # noqa: S101  # __post_init__ holds it
        return self.type


@dataclass(frozen=True, slots=True, kw_only=True)
class NestedObject:
    """The object or objects that a nested attribute holds.

    Attributes:
        attributes: of each object.
        nesting: how many there are, and how they are kept.
    """

    attributes: tuple[Attribute, ...]
    nesting: Nesting = Nesting.SINGLE

    def __post_init__(self) -> None:
        _check_unique(self.attributes)
        if self.nesting is Nesting.SET and any(_write_only(self.attributes)):
            raise ValueError("a write-only attribute within a set: Terraform refuses it")

    def cty_type(self) -> CtyType:
        """Give the type of the attribute that holds the objects."""
        element = object_type(self.attributes)
        match self.nesting:
            case Nesting.SINGLE:
                return element
            case Nesting.LIST:
                return ListOf(element)
            case Nesting.SET:
                return SetOf(element)
            case Nesting.MAP:
                return MapOf(element)


@dataclass(frozen=True, slots=True, kw_only=True)
class Schema:
    """What a resource, data source or the provider's configuration consists of.

    Attributes:
        attributes: in the order in which documentation shows them.
        version: raised when states of the version before need an upgrade.
        description: in Markdown.
        deprecation: what to use instead; empty for one that is not deprecated.
    """

    attributes: tuple[Attribute, ...]
    version: int = 0
    description: str = ""
    deprecation: str = ""

    def __post_init__(self) -> None:
        _check_unique(self.attributes)

    def cty_type(self) -> ObjectOf:
        """Give the type of the whole object."""
        return object_type(self.attributes)

    def attribute(self, name: str) -> Attribute:
        """Give the attribute of a name.

        Raises:
            KeyError: there is none.
        """
        for attribute in self.attributes:
            if attribute.name == name:
                return attribute
        raise KeyError(name)


@dataclass(frozen=True, slots=True, kw_only=True)
class IdentityAttribute:
    """One attribute of a resource's identity (Terraform 1.12 and later).

    Attributes:
        name: in lower snake case.
        type: a primitive type, or a list of one.
        required_for_import: an import by identity must give it.
        optional_for_import: an import by identity may give it.
        description: plain text.
    """

    name: str
    type: CtyType
    required_for_import: bool = False
    optional_for_import: bool = False
    description: str = ""

    def __post_init__(self) -> None:
        if self.required_for_import == self.optional_for_import:
            raise ValueError(f"identity attribute {self.name!r}: either required or optional for import")


@dataclass(frozen=True, slots=True, kw_only=True)
class IdentitySchema:
    """What identifies one object of a resource for as long as it exists.

    Attributes:
        attributes: of the identity.
        version: raised when identities of the version before need an upgrade.
    """

    attributes: tuple[IdentityAttribute, ...]
    version: int = 0

    def cty_type(self) -> ObjectOf:
        """Give the type of the identity."""
        return ObjectOf.of({attribute.name: attribute.type for attribute in self.attributes})


def object_type(attributes: tuple[Attribute, ...]) -> ObjectOf:
    """Give the type of an object that has these attributes."""
    return ObjectOf.of({attribute.name: attribute.cty_type() for attribute in attributes})


def _check_unique(attributes: tuple[Attribute, ...]) -> None:
    names = [attribute.name for attribute in attributes]
    if len(set(names)) != len(names):
        raise ValueError(f"attributes of the same name among {names}")


def _write_only(attributes: tuple[Attribute, ...]) -> Iterator[bool]:
    for attribute in attributes:
        yield attribute.write_only
        if attribute.nested is not None:
            yield from _write_only(attribute.nested.attributes)
