"""Schemas as the protocol's messages."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from terraform_provider_aetherv.cty import type_to_bytes
from terraform_provider_aetherv.plugin.provider import Function
from terraform_provider_aetherv.plugin.wire import tfplugin6_pb2 as pb
from terraform_provider_aetherv.schema.model import Attribute, IdentitySchema, NestedObject, Nesting, Schema

_NESTING: Final = {
    Nesting.SINGLE: pb.Schema.Object.SINGLE,
    Nesting.LIST: pb.Schema.Object.LIST,
    Nesting.SET: pb.Schema.Object.SET,
    Nesting.MAP: pb.Schema.Object.MAP,
}


def schema_out(schema: Schema) -> pb.Schema:
    """Convert a schema."""
    return pb.Schema(
        version=schema.version,
        block=pb.Schema.Block(
            version=schema.version,
            attributes=_attributes(schema.attributes),
            description=schema.description,
            description_kind=pb.MARKDOWN,
            deprecated=bool(schema.deprecation),
            deprecation_message=schema.deprecation,
        ),
    )


def identity_schema_out(schema: IdentitySchema) -> pb.ResourceIdentitySchema:
    """Convert the schema of an identity."""
    return pb.ResourceIdentitySchema(
        version=schema.version,
        identity_attributes=[
            pb.ResourceIdentitySchema.IdentityAttribute(
                name=attribute.name,
                type=type_to_bytes(attribute.type),
                required_for_import=attribute.required_for_import,
                optional_for_import=attribute.optional_for_import,
                description=attribute.description,
            )
            for attribute in schema.attributes
        ],
    )


def function_out(function: Function) -> pb.Function:
    """Convert a function's signature."""
    message = pb.Function(
        parameters=[
            pb.Function.Parameter(
                name=parameter.name,
                type=type_to_bytes(parameter.type),
                allow_null_value=parameter.allow_null,
                allow_unknown_values=parameter.allow_unknown,
                description=parameter.description,
                description_kind=pb.MARKDOWN,
            )
            for parameter in function.parameters
        ],
        summary=function.summary,
        description=function.description,
        description_kind=pb.MARKDOWN,
    )
    getattr(message, "return").type = type_to_bytes(function.result)
    return message


def _attributes(attributes: Iterable[Attribute]) -> list[pb.Schema.Attribute]:
    return [
        pb.Schema.Attribute(
            name=attribute.name,
            type=b"" if attribute.type is None else type_to_bytes(attribute.type),
            nested_type=None if attribute.nested is None else _object(attribute.nested),
            description=attribute.description,
            description_kind=pb.MARKDOWN,
            required=attribute.required,
            optional=attribute.optional,
            computed=attribute.computed,
            sensitive=attribute.sensitive,
            deprecated=bool(attribute.deprecation),
            deprecation_message=attribute.deprecation,
            write_only=attribute.write_only,
        )
        for attribute in attributes
    ]


def _object(nested: NestedObject) -> pb.Schema.Object:
    return pb.Schema.Object(attributes=_attributes(nested.attributes), nesting=_NESTING[nested.nesting])
