"""Encoding and decoding of values."""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal
from functools import partial

import msgpack  # type: ignore[import-untyped]  # it ships no types
import pytest
from hypothesis import given
from hypothesis import strategies as st
from terraform_provider_aetherv.cty import (
    BOOL,
    DYNAMIC,
    NUMBER,
    STRING,
    UNKNOWN,
    CtyError,
    CtyType,
    KeyStep,
    ListOf,
    MapOf,
    ObjectOf,
    Path,
    SetOf,
    TupleOf,
    Typed,
    Value,
    decode,
    decode_json,
    encode,
    parse_json,
    type_to_bytes,
)

NUMBERS = st.integers() | st.decimals(allow_nan=False, allow_infinity=False, places=12)
VM = ObjectOf.of(
    {
        "name": STRING,
        "size": NUMBER,
        "on": BOOL,
        "ports": ListOf(NUMBER),
        "tags": MapOf(STRING),
        "zones": SetOf(STRING),
        "pair": TupleOf((STRING, BOOL)),
        "any": DYNAMIC,
        "disks": ListOf(ObjectOf.of({"gb": NUMBER})),
    }
)


def _typed_values(depth: int = 3) -> st.SearchStrategy[tuple[CtyType, Value]]:
    leaves: st.SearchStrategy[tuple[CtyType, Value]] = st.one_of(
        st.tuples(st.just(STRING), st.text()),
        st.tuples(st.just(NUMBER), NUMBERS.map(_simplest)),
        st.tuples(st.just(BOOL), st.booleans()),
        st.tuples(st.sampled_from([STRING, NUMBER, BOOL, DYNAMIC]), st.sampled_from([None, UNKNOWN])),
    )
    if depth == 0:
        return leaves
    inner = _typed_values(depth - 1)
    return st.one_of(
        leaves,
        inner.map(lambda pair: (ListOf(pair[0]), [pair[1], None, pair[1]])),
        inner.map(lambda pair: (SetOf(pair[0]), [pair[1]])),
        st.tuples(st.text(), inner).map(lambda item: (MapOf(item[1][0]), {item[0]: item[1][1]})),
        st.lists(inner, max_size=3).map(
            lambda pairs: (TupleOf(tuple(p[0] for p in pairs)), [p[1] for p in pairs])
        ),
        st.dictionaries(st.text(max_size=4), inner, max_size=3).map(
            lambda items: (
                ObjectOf.of({name: pair[0] for name, pair in items.items()}),
                {name: pair[1] for name, pair in items.items()},
            )
        ),
        inner.map(lambda pair: (DYNAMIC, pair[1] if pair[0] == DYNAMIC else Typed(pair[0], pair[1]))),
    )


def _attempt(work: Callable[[], Value]) -> Value:
    """Give the result or the CtyError; any other exception fails the test."""
    try:
        return work()
    except CtyError as error:
        return error


def _simplest(number: int | Decimal) -> int | Decimal:
    return int(number) if number == int(number) else number


@given(_typed_values())
def test_values_come_back(pair: tuple[CtyType, Value]) -> None:
    """Every value of every type survives msgpack unchanged."""
    cty_type, value = pair
    assert decode(encode(value, cty_type), cty_type) == value


@given(st.binary())
def test_any_bytes_decode_or_are_refused(data: bytes) -> None:
    """Arbitrary bytes give a value or CtyError, nothing else."""
    for cty_type in (STRING, NUMBER, DYNAMIC, VM, ListOf(DYNAMIC)):
        for reader in (decode, decode_json):
            result = _attempt(partial(reader, data, cty_type))
            assert not isinstance(result, CtyError) or result.message


LOOSE = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-(2**63), 2**64 - 1),
        st.floats(),
        st.text(max_size=8),
        st.binary(max_size=8),
        st.sampled_from(
            [msgpack.ExtType(0, b"\0"), msgpack.ExtType(12, b"\x81\x01\xc2"), msgpack.ExtType(5, b"x")]
        ),
        st.sampled_from(["1e999999999", "NaN", "Infinity", "1_0", "0x10", "9" * 9000, " 1"]),
    ),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4),
    max_leaves=20,
)


@given(LOOSE)
def test_any_msgpack_decodes_or_is_refused(data: object) -> None:
    """Well-formed msgpack of a wrong shape gives a value or CtyError, nothing else."""
    for cty_type in (
        STRING,
        NUMBER,
        BOOL,
        DYNAMIC,
        VM,
        ListOf(VM),
        MapOf(NUMBER),
        SetOf(BOOL),
        TupleOf((STRING,)),
    ):
        value = _attempt(partial(decode, msgpack.packb(data), cty_type))
        if not isinstance(value, CtyError):
            assert decode(encode(value, cty_type), cty_type) == value


@given(st.one_of(LOOSE, st.integers(), st.decimals(), st.text(alphabet="a\ud800")))
def test_any_python_value_encodes_or_is_refused(value: object) -> None:
    """A Python value of a wrong type, a lone surrogate, a NaN give CtyError, nothing else."""
    for cty_type in (STRING, NUMBER, BOOL, DYNAMIC, VM, ListOf(STRING), MapOf(STRING)):
        encoded = _attempt(partial(encode, value, cty_type))
        assert isinstance(encoded, (bytes, CtyError))


@pytest.mark.parametrize(
    ("wire", "value"),
    [
        (b"\xd4\x00\x00", UNKNOWN),
        (msgpack.packb(msgpack.ExtType(12, b"\x81\x01\xc2")), UNKNOWN),
        (b"\xc0", None),
        (msgpack.packb("12"), 12),
        (msgpack.packb("0.1"), Decimal("0.1")),
        (msgpack.packb(2.0), 2),
        (msgpack.packb(2.5), Decimal("2.5")),
        (msgpack.packb(-7), -7),
        (msgpack.packb(2**64 - 1), 2**64 - 1),
        (msgpack.packb("1e3"), 1000),
        (msgpack.packb("123456789012345678901234567890"), 123456789012345678901234567890),
    ],
)
def test_numbers_arrive_in_every_form(wire: bytes, value: object) -> None:
    """A number may arrive as integer, float or text, or be unknown or null; whole ones become ``int``."""
    decoded = decode(wire, NUMBER)
    assert decoded == value or decoded is value
    assert type(decoded) is type(value)


@pytest.mark.parametrize(
    ("value", "wire"),
    [
        (UNKNOWN, b"\xd4\x00\x00"),
        (None, b"\xc0"),
        (5, b"\x05"),
        (Decimal(5), b"\x05"),
        (0.5, msgpack.packb(0.5)),
        (0.1, msgpack.packb("0.1")),
        (Decimal("0.1"), msgpack.packb("0.1")),
        (2**64, msgpack.packb(str(2**64))),
    ],
)
def test_numbers_are_sent_exactly(value: object, wire: bytes) -> None:
    """A number is sent in the shortest form that keeps it exact; Python's 0.1 is one tenth."""
    assert encode(value, NUMBER) == wire


@pytest.mark.parametrize(
    "text", ["", "x", "NaN", "Infinity", "-Infinity", "1_0", "\u0661", " 1", "1e99999", "9" * 9000]
)
def test_text_that_is_no_number(text: str) -> None:
    """Text that is not a finite number of a sane size is refused."""
    with pytest.raises(CtyError):
        decode(msgpack.packb(text), NUMBER)


@pytest.mark.parametrize(
    "value",
    [float("nan"), float("inf"), Decimal("NaN"), pytest.param(10**5000, id="long"), Decimal("1e5000"), True],
)
def test_numbers_that_cannot_be_sent(value: object) -> None:
    """A number that is none, infinite or absurd is refused; a bool is no number."""
    with pytest.raises(CtyError):
        encode(value, NUMBER)


@pytest.mark.parametrize(
    ("value", "path", "message"),
    [
        ({"name": 5}, ("name",), "expected a string, got int"),
        ({"disks": [{"gb": 1}, {"gb": "x"}]}, ("disks", 1, "gb"), "not a number"),
        ({"tags": {"a": True}}, ("tags", KeyStep("a")), "expected a string, got bool"),
        ({"pair": ["x"]}, ("pair",), "expected 2 elements, got 1"),
        ({"zones": ["a", 5]}, ("zones",), "expected a string, got int"),
        ({"ports": {}}, ("ports",), "expected a list, got dict"),
        ({"tags": []}, ("tags",), "expected a map, got list"),
        ({"more": 1}, ("more",), "unknown attribute"),
        ({"disks": [{}]}, ("disks", 0, "gb"), "attribute is missing"),
    ],
)
def test_error_says_where(value: dict[str, object], path: Path, message: str) -> None:
    """An error names the place by path and the types, never the value."""
    whole = dict.fromkeys(VM.names()) | value
    with pytest.raises(CtyError) as caught:
        decode(msgpack.packb(whole), VM)
    assert caught.value.path == path
    assert caught.value.message == message


def test_error_within_a_set_names_the_set() -> None:
    """An element of a set has no path, also when encoding."""
    with pytest.raises(CtyError) as caught:
        encode([{"gb": 1}, {"gb": "x"}], SetOf(ObjectOf.of({"gb": NUMBER})))
    assert caught.value.path == ()


def test_error_holds_no_value() -> None:
    """A value may be secret, so no error quotes it."""
    for attempt in (
        lambda: decode(msgpack.packb("hunter2"), NUMBER),
        lambda: decode(msgpack.packb("hunter2"), ListOf(STRING)),
        lambda: encode("hunter2", NUMBER),
        lambda: decode_json(b'"hunter2"', BOOL),
        lambda: parse_json(b'{"hunter2'),
    ):
        with pytest.raises(CtyError) as caught:
            attempt()
        assert "hunter2" not in str(caught.value)


def test_object_is_encoded_with_every_attribute() -> None:
    """An object must name each attribute; a forgotten or an invented one is refused with its path."""
    whole = dict.fromkeys(VM.names())
    assert decode(encode(whole, VM), VM) == whole
    short = {name: None for name in VM.names() if name != "size"}
    with pytest.raises(CtyError, match="size: attribute is missing"):
        encode(short, VM)
    with pytest.raises(CtyError, match="colour: unknown attribute"):
        encode({**whole, "colour": None}, VM)
    with pytest.raises(CtyError, match="5: unknown attribute"):
        encode({**whole, 5: None}, VM)


@pytest.mark.parametrize("depth", [200, 5000])
def test_deep_values_are_refused(depth: int) -> None:
    """Values that nest without end, by dynamic types, are refused before the stack is."""
    data = b"\xc0"
    for _ in range(depth):
        data = b"\x92" + msgpack.packb(type_to_bytes(DYNAMIC)) + data
    with pytest.raises(CtyError):
        decode(data, DYNAMIC)
    with pytest.raises(CtyError):
        decode_json(b'{"type":"dynamic","value":' * depth + b"null" + b"}" * depth, DYNAMIC)
    value: Value = Typed(STRING, "x")
    for _ in range(depth):
        value = Typed(DYNAMIC, value)
    with pytest.raises(CtyError):
        encode(value, DYNAMIC)


def test_json_of_a_state_file() -> None:
    """JSON keeps numbers exact, fills in what is absent, and refuses what the schema has not, unless lenient."""
    text = json.dumps(
        {"name": "x", "size": 1, "pair": ["a", True], "any": {"type": "number", "value": 2}}
    ).encode()
    value = decode_json(text, VM)
    assert value == {
        **dict.fromkeys(VM.names()),
        "name": "x",
        "size": 1,
        "pair": ["a", True],
        "any": Typed(NUMBER, 2),
    }
    assert decode_json(b"0.10", NUMBER) == Decimal("0.1")
    assert decode_json(b"123456789012345678901234567890", NUMBER) == 123456789012345678901234567890
    assert decode_json(b'"17"', NUMBER) == 17
    with pytest.raises(CtyError, match="old: unknown attribute"):
        decode_json(b'{"old":1}', VM)
    assert decode_json(b'{"old":1}', VM, lenient=True) == dict.fromkeys(VM.names())


@pytest.mark.parametrize(
    "text", [b"NaN", b"-Infinity", b"1e99999", b"9" * 9000, b"{", b"\xff", b"[" * 100_000]
)
def test_json_that_is_refused(text: bytes) -> None:
    """Malformed JSON and absurd numbers are refused with CtyError."""
    with pytest.raises(CtyError):
        parse_json(text)
