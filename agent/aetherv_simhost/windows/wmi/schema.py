"""The documented classes: their properties with types, keys and methods; rows as CIM instances. Pure."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Final

from aetherv_simhost.windows.documented import table
from aetherv_simhost.windows.objects import SHAPES
from aetherv_simhost.windows.values import PsObject, Typed, i64, moment, u16, u32, u64

VIRTUALIZATION: Final = "root/virtualization/v2"
CIMV2: Final = "root/cimv2"
CLUSTER: Final = "root/mscluster"
INSTANCE: Final = "Microsoft.Management.Infrastructure.CimInstance"

_ARRAYS: Final = {"string[]": "strings", "uint16[]": "numbers16", "uint32[]": "numbers32", "uint8[]": "bytes"}
_MAKERS: Final[dict[str, Callable[[Any], object]]] = {
    "uint8": lambda v: Typed("By", str(v)),
    "uint16": u16,
    "uint32": u32,
    "uint64": u64,
    "sint8": lambda v: Typed("SB", str(v)),
    "sint16": lambda v: Typed("I16", str(v)),
    "sint32": int,
    "sint64": i64,
    "boolean": bool,
    "string": str,
}


@dataclass(frozen=True, slots=True)
class WmiClass:
    """A class of a namespace; property types as in the tables, ``[]`` for arrays, ``ref`` for references."""

    namespace: str
    name: str
    keys: tuple[str, ...]
    properties: Mapping[str, str]
    methods: Mapping[str, Mapping[str, Mapping[str, str]]]

    @property
    def types(self) -> tuple[str, ...]:
        """Type names of its instances."""
        return (
            f"{INSTANCE}#{self.namespace}/{self.name}",
            f"{INSTANCE}#{self.name}",
            INSTANCE,
            "System.Object",
        )


@dataclass(frozen=True, slots=True)
class Instance:
    """One row: values by property, as plain Python values; a reference is an `Instance` too."""

    of: WmiClass
    values: Mapping[str, object] = field(default_factory=dict)

    def folded(self) -> dict[str, object]:
        """Values by property names in lower case, every property of the class among them."""
        return {name.casefold(): self.values.get(name) for name in self.of.properties}


@cache
def classes() -> Mapping[tuple[str, str], WmiClass]:
    """Every known class by namespace and name in lower case."""
    namespaces = {VIRTUALIZATION: table("wmi-virtualization-v2"), **table("wmi-other")}
    found = {}
    for namespace, members in namespaces.items():
        for name, raw in members.items():
            made = WmiClass(namespace, name, tuple(raw["keys"]), raw["properties"], raw.get("methods", {}))
            found[namespace, name.casefold()] = made
            shape = {p: _ARRAYS[kind] for p, kind in made.properties.items() if kind in _ARRAYS}
            shape |= {p: "object" for p, kind in made.properties.items() if kind in {"ref", "object"}}
            SHAPES[made.types[0]] = shape
    return found


def known(name: str, namespace: str = VIRTUALIZATION) -> WmiClass:
    """A class that is in the tables."""
    return classes()[namespace, name.casefold()]


def encoded(instance: Instance, only: frozenset[str] | None = None) -> PsObject:
    """An instance as an object with every property of its class.

    Args:
        instance: The row.
        only: Properties (lower case) that were asked for; the others are null. None: all.
    """
    values = instance.values
    properties = {
        name: _value(kind, values[name])
        if name in values and (only is None or name.casefold() in only or name in instance.of.keys)
        else None
        for name, kind in instance.of.properties.items()
    }
    keys = ", ".join(
        f'{key} = "{values[key]}"' for key in instance.of.keys if isinstance(values.get(key), str)
    )
    return PsObject(
        instance.of.types, properties, f"{instance.of.name} ({keys})" if keys else instance.of.name
    )


def _value(kind: str, value: Any) -> object:
    if value is None or isinstance(value, Typed):
        return value
    if kind.endswith("[]"):
        # An empty array comes as null, as it does from Hyper-V.
        return [_value(kind[:-2], item) for item in value] or None
    if isinstance(value, Instance):
        return encoded(value)
    if kind == "datetime":
        return moment(value)
    maker = _MAKERS.get(kind)
    return value if maker is None else maker(value)
