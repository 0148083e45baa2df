"""Types and their JSON form."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from terraform_provider_aetherv.cty import (
    BOOL,
    DYNAMIC,
    NUMBER,
    STRING,
    CtyError,
    CtyType,
    ListOf,
    MapOf,
    ObjectOf,
    SetOf,
    TupleOf,
    from_json,
    to_json,
    type_from_bytes,
    type_to_bytes,
)

TYPES: st.SearchStrategy[CtyType] = st.recursive(
    st.sampled_from([STRING, NUMBER, BOOL, DYNAMIC]),
    lambda inner: st.one_of(
        st.builds(ListOf, inner),
        st.builds(SetOf, inner),
        st.builds(MapOf, inner),
        st.builds(TupleOf, st.lists(inner, max_size=3).map(tuple)),
        st.builds(ObjectOf.of, st.dictionaries(st.text(max_size=5), inner, max_size=3)),
    ),
    max_leaves=8,
)
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.floats()
    | st.text()
    | st.sampled_from(["list", "object", "string", "tuple"]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=20,
)


@pytest.mark.parametrize(
    ("cty_type", "data"),
    [
        (STRING, "string"),
        (DYNAMIC, "dynamic"),
        (ListOf(STRING), ["list", "string"]),
        (SetOf(NUMBER), ["set", "number"]),
        (MapOf(BOOL), ["map", "bool"]),
        (TupleOf((STRING, BOOL)), ["tuple", ["string", "bool"]]),
        (ObjectOf.of({"b": STRING, "a": NUMBER}), ["object", {"a": "number", "b": "string"}]),
        (ObjectOf.of({"a": STRING}, frozenset({"a"})), ["object", {"a": "string"}, ["a"]]),
    ],
)
def test_json_form(cty_type: CtyType, data: object) -> None:
    """Each kind of type has the JSON form that Terraform writes."""
    assert to_json(cty_type) == data
    assert from_json(data) == cty_type


@given(TYPES)
def test_bytes_come_back(cty_type: CtyType) -> None:
    """Every type survives its JSON bytes, and is hashable."""
    assert type_from_bytes(type_to_bytes(cty_type)) == cty_type
    assert {cty_type: 1}[cty_type] == 1


@given(JSON)
def test_any_json_is_a_type_or_refused(data: object) -> None:
    """JSON that is not a type is refused with CtyError, nothing else."""
    try:
        parsed = from_json(data)
    except CtyError:
        return
    assert from_json(to_json(parsed)) == parsed


@given(st.binary())
def test_any_bytes_are_a_type_or_refused(data: bytes) -> None:
    """Bytes that are not a type are refused with CtyError, nothing else."""
    try:
        cty_type = type_from_bytes(data)
    except CtyError:
        return
    assert type_from_bytes(type_to_bytes(cty_type)) == cty_type


@pytest.mark.parametrize("depth", [100, 100_000])
def test_deep_types_are_refused(depth: int) -> None:
    """A type that nests without end is refused before the stack is."""
    with pytest.raises(CtyError):
        type_from_bytes(b'["list",' * depth + b'"string"' + b"]" * depth)


def test_deep_parsed_type_is_refused() -> None:
    """The limit is the type's own, not the JSON parser's."""
    data: object = "string"
    for _ in range(200):
        data = ["list", data]
    with pytest.raises(CtyError, match="deep"):
        from_json(json.loads(json.dumps(data)))
