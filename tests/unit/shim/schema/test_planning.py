"""How one attribute is planned, and rules for one value."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from terraform_provider_aetherv.cty.types import BOOL, STRING
from terraform_provider_aetherv.cty.values import UNKNOWN
from terraform_provider_aetherv.schema import validators
from terraform_provider_aetherv.schema.equality import same_text
from terraform_provider_aetherv.schema.model import Attribute
from terraform_provider_aetherv.schema.planning import any_unknown, changed, create_value, update_value

PLAIN = Attribute(name="a", type=STRING, optional=True)
OPEN = Attribute(name="b", type=STRING, optional=True, computed=True)
DEFAULT = Attribute(name="c", type=BOOL, optional=True, computed=True, default=False)
SECRET = Attribute(name="d", type=STRING, optional=True, write_only=True)
RESULT = Attribute(name="e", type=STRING, computed=True)


@pytest.mark.parametrize(
    ("attribute", "config", "expected"),
    [
        (PLAIN, "x", "x"),
        (PLAIN, None, None),
        (PLAIN, UNKNOWN, UNKNOWN),
        (OPEN, None, UNKNOWN),
        (OPEN, "x", "x"),
        (DEFAULT, None, False),
        (DEFAULT, True, True),
        (DEFAULT, UNKNOWN, UNKNOWN),
        (SECRET, "x", None),
        (RESULT, None, UNKNOWN),
    ],
)
def test_create(attribute: Attribute, config: Any, expected: Any) -> None:
    """Configuration first, then the default, then unknown where the provider decides."""
    assert create_value(attribute, config) is expected


@pytest.mark.parametrize(
    ("attribute", "prior", "config", "expected"),
    [
        (PLAIN, "x", "y", "y"),
        (PLAIN, "x", None, None),
        (PLAIN, "X", "x", "X"),
        (PLAIN, None, "x", "x"),
        (PLAIN, "x", UNKNOWN, UNKNOWN),
        (OPEN, "x", None, "x"),
        (OPEN, None, None, None),
        (DEFAULT, True, None, False),
        (SECRET, None, "x", None),
        (RESULT, "x", None, "x"),
    ],
)
def test_update(attribute: Attribute, prior: Any, config: Any, expected: Any) -> None:
    """The prior value stays where it means the same or nothing is configured; never from null to a value."""
    assert update_value(attribute, prior, config, same_text) is expected


def test_changed() -> None:
    """Unknown may differ; a bool is no number; numbers are equal by value."""
    assert changed("a", UNKNOWN)
    assert changed(None, "a")
    assert changed(1, True)
    assert not changed(2, Decimal("2.0"))
    assert not changed(None, None)
    assert any_unknown({"a": UNKNOWN, "b": 1}, ["a"])
    assert not any_unknown({"a": UNKNOWN, "b": 1}, ["b"])


@pytest.mark.parametrize(
    ("text", "expected"), [("60m", 3600), ("1h30m", 5400), ("90s", 90), ("1h0m5s", 3605)]
)
def test_durations(text: str, expected: float) -> None:
    """Hours, minutes and seconds, as Go writes them."""
    assert validators.seconds(text) == expected


@pytest.mark.parametrize("text", ["", "0s", "5", "m", "1d", "-5m", "1m1h", "60 m", "1.5h"])
def test_no_durations(text: str) -> None:
    """Anything else, and no time at all, is refused."""
    with pytest.raises(ValueError, match="duration"):
        validators.seconds(text)
    assert validators.problem(text, [validators.duration])


def test_first_problem_of_a_value() -> None:
    """The first rule that is broken speaks; null and unknown break none."""
    rules = [validators.length(1, 3), validators.matches("^a", "an a"), validators.lacks("b", "without b")]
    assert validators.problem("xxxx", rules) == "is too long: at most 3 characters"
    assert validators.problem("", rules) == "must not be empty"
    assert validators.problem("x", rules) == "must be an a"
    assert validators.problem("ab", rules) == "must be without b"
    assert validators.problem("a", rules) is None
    assert validators.problem(None, rules) is None
    assert validators.problem(UNKNOWN, rules) is None


def test_numbers_and_addresses() -> None:
    """Ranges take whole numbers alone, multiples are exact, addresses are dotted."""
    whole = validators.between(1, 3, "1 to 3")
    assert [whole(value) is None for value in (0, 1, Decimal(2), Decimal("2.5"), 4)] == [
        False,
        True,
        True,
        False,
        False,
    ]
    step = validators.multiple_of(Decimal("0.5"), "halves")
    assert [step(value) is None for value in (0, Decimal("0.5"), 3, Decimal("0.7"))] == [
        False,
        True,
        True,
        False,
    ]
    assert validators.one_of(["a", "b"])("c") == "must be one of: a, b"
    address = validators.ipv4("an address")
    assert [address(text) is None for text in ("192.0.2.1", "192.0.2", "::1", "192.0.2.01")] == [
        True,
        False,
        False,
        False,
    ]
