"""Terraform's type system and its wire encodings: pure, and the only importer of msgpack.

In Python a value is: ``None`` (null), ``UNKNOWN``, ``bool``, ``str``, ``int`` or ``Decimal`` (numbers are
exact, whole ones are ``int``), ``list`` (lists, sets and tuples), ``dict`` (maps and objects), and
``Typed`` where the schema says ``dynamic``.
"""

from terraform_provider_aetherv.cty.decode import decode, decode_json, parse_json
from terraform_provider_aetherv.cty.encode import encode
from terraform_provider_aetherv.cty.path import CtyError, KeyStep, Path, format_path
from terraform_provider_aetherv.cty.types import (
    BOOL,
    DYNAMIC,
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
    to_json,
    type_from_bytes,
    type_to_bytes,
)
from terraform_provider_aetherv.cty.values import (
    UNKNOWN,
    Typed,
    Unknown,
    Value,
    is_wholly_known,
    unknown_to_null,
)

__all__ = [
    "BOOL",
    "DYNAMIC",
    "NUMBER",
    "STRING",
    "UNKNOWN",
    "CtyError",
    "CtyType",
    "KeyStep",
    "ListOf",
    "MapOf",
    "ObjectOf",
    "Path",
    "Primitive",
    "SetOf",
    "TupleOf",
    "Typed",
    "Unknown",
    "Value",
    "decode",
    "decode_json",
    "encode",
    "format_path",
    "from_json",
    "is_wholly_known",
    "parse_json",
    "to_json",
    "type_from_bytes",
    "type_to_bytes",
    "unknown_to_null",
]
