"""Schemas: what cannot be declared, and how they are sent."""

from __future__ import annotations

import json
from typing import Any

import pytest
from terraform_provider_aetherv.cty import BOOL, NUMBER, STRING, ListOf, MapOf, ObjectOf, SetOf
from terraform_provider_aetherv.plugin.schema_wire import identity_schema_out, schema_out
from terraform_provider_aetherv.plugin.wire import tfplugin6_pb2 as pb
from terraform_provider_aetherv.schema.model import (
    NO_DEFAULT,
    Attribute,
    IdentityAttribute,
    IdentitySchema,
    NestedObject,
    Nesting,
    Schema,
)


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"name": "Bad", "type": STRING, "optional": True}, "snake case"),
        ({"name": "a", "optional": True}, "type or nested"),
        ({"name": "a", "type": STRING}, "one of required, optional, computed"),
        ({"name": "a", "type": STRING, "required": True, "computed": True}, "neither optional nor computed"),
        ({"name": "a", "type": STRING, "optional": True, "computed": True, "write_only": True}, "write-only"),
        ({"name": "a", "type": STRING, "optional": True, "default": "x"}, "default needs"),
    ],
)
def test_attributes_that_terraform_would_refuse(fields: dict[str, Any], problem: str) -> None:
    """A schema that Terraform refuses cannot be declared."""
    with pytest.raises(ValueError, match=problem):
        Attribute(**fields)


def test_other_declarations_that_are_refused() -> None:
    """Two attributes of a name, write-only in a set, and identity attributes without a role are refused."""
    one = Attribute(name="a", type=STRING, optional=True)
    secret = Attribute(name="s", type=STRING, optional=True, write_only=True)
    with pytest.raises(ValueError, match="same name"):
        Schema(attributes=(one, one))
    inner = Attribute(name="i", optional=True, nested=NestedObject(attributes=(secret,)))
    with pytest.raises(ValueError, match="within a set"):
        NestedObject(attributes=(inner,), nesting=Nesting.SET)
    with pytest.raises(ValueError, match="required or optional"):
        IdentityAttribute(name="id", type=STRING)


@pytest.mark.parametrize(
    ("nesting", "wrap"),
    [(Nesting.SINGLE, None), (Nesting.LIST, ListOf), (Nesting.SET, SetOf), (Nesting.MAP, MapOf)],
)
def test_nested_types(nesting: Nesting, wrap: Any) -> None:
    """A nested attribute's value has the type that its nesting says."""
    inner = Attribute(name="gb", type=NUMBER, required=True)
    outer = Attribute(name="disks", optional=True, nested=NestedObject(attributes=(inner,), nesting=nesting))
    element = ObjectOf.of({"gb": NUMBER})
    assert outer.cty_type() == (wrap(element) if wrap else element)
    assert Schema(attributes=(outer,)).attribute("disks") is outer
    with pytest.raises(KeyError):
        Schema(attributes=(outer,)).attribute("other")


def test_wire_form() -> None:
    """Every property of an attribute reaches its field."""
    nested = NestedObject(attributes=(Attribute(name="gb", type=NUMBER, required=True),), nesting=Nesting.SET)
    schema = Schema(
        version=3,
        description="A *thing*.",
        deprecation="Use another.",
        attributes=(
            Attribute(name="a", type=ListOf(STRING), required=True, description="An *a*."),
            Attribute(name="b", type=BOOL, optional=True, computed=True, default=False),
            Attribute(
                name="c", type=STRING, optional=True, sensitive=True, write_only=True, deprecation="Use a."
            ),
            Attribute(name="d", nested=nested, optional=True),
        ),
    )
    wire = schema_out(schema)
    assert (wire.version, wire.block.description, wire.block.deprecated) == (3, "A *thing*.", True)
    a, b, c, d = wire.block.attributes
    assert json.loads(a.type) == ["list", "string"]
    assert (a.required, a.optional, a.description, a.description_kind) == (
        True,
        False,
        "An *a*.",
        pb.MARKDOWN,
    )
    assert (b.optional, b.computed, b.write_only) == (True, True, False)
    assert (c.sensitive, c.write_only, c.deprecated, c.deprecation_message) == (True, True, True, "Use a.")
    assert d.type == b""
    assert d.nested_type.nesting == pb.Schema.Object.SET
    assert [item.name for item in d.nested_type.attributes] == ["gb"]
    assert schema.attribute("b").has_default
    assert schema.attribute("a").default is NO_DEFAULT
    assert repr(NO_DEFAULT) == "NO_DEFAULT"


def test_identity_wire_form() -> None:
    """An identity schema says what an import needs."""
    schema = IdentitySchema(
        version=1, attributes=(IdentityAttribute(name="id", type=STRING, required_for_import=True),)
    )
    wire = identity_schema_out(schema)
    assert wire.version == 1
    assert (wire.identity_attributes[0].name, wire.identity_attributes[0].required_for_import) == ("id", True)
    assert schema.cty_type() == ObjectOf.of({"id": STRING})
