"""Rules for one value: each gives what is wrong with it, for people, or None. Null and unknown never fail. Pure."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Iterable
from decimal import Decimal
from functools import cache
from typing import Final

from terraform_provider_aetherv.cty.values import UNKNOWN, Value

Validator = Callable[[Value], str | None]

# Decimal can't divide numbers whose quotient has more digits than its precision.
_TOO_MUCH: Final = 10**12
_DURATION: Final = re.compile(r"(?:(?P<h>[0-9]{1,6})h)?(?:(?P<m>[0-9]{1,6})m)?(?:(?P<s>[0-9]{1,6})s)?")


def problem(value: Value, validators: Iterable[Validator]) -> str | None:
    """Give the first thing that is wrong with a value; None for a good, null or unknown one."""
    if value is None or value is UNKNOWN:
        return None
    return next((text for validator in validators if (text := validator(value)) is not None), None)


def between(low: int, high: int, rule: str) -> Validator:
    """Refuse numbers out of a range, and parts of whole numbers."""

    def check(value: Value) -> str | None:
        # The range first: a whole number of a million digits is slow to make.
        good = isinstance(value, (int, Decimal)) and low <= value <= high and value == int(value)
        return None if good else f"must be {rule}"

    return check


def multiple_of(unit: Decimal, rule: str) -> Validator:
    """Refuse numbers that are not a positive multiple of a unit."""

    def check(value: Value) -> str | None:
        good = isinstance(value, (int, Decimal)) and 0 < value < _TOO_MUCH and value % unit == 0
        return None if good else f"must be {rule}"

    return check


def one_of(values: Iterable[str]) -> Validator:
    """Refuse what is not among these texts."""
    allowed = tuple(values)

    def check(value: Value) -> str | None:
        return None if value in allowed else f"must be one of: {', '.join(allowed)}"

    return check


def length(low: int, high: int) -> Validator:
    """Refuse texts that are too short or too long, in characters."""

    def check(value: Value) -> str | None:
        if len(value) < low:
            return "must not be empty" if low == 1 else f"is too short: at least {low} characters"
        return f"is too long: at most {high} characters" if len(value) > high else None

    return check


def matches(pattern: str, rule: str) -> Validator:
    """Refuse texts in which a pattern is not found."""
    return lambda value: None if compiled(pattern).search(value) else f"must be {rule}"


def lacks(pattern: str, rule: str) -> Validator:
    """Refuse texts in which a pattern is found."""
    return lambda value: f"must be {rule}" if compiled(pattern).search(value) else None


def ipv4(rule: str) -> Validator:
    """Refuse what is no dotted IPv4 address."""

    def check(value: Value) -> str | None:
        try:
            ipaddress.IPv4Address(value)
        except ValueError:
            return f"must be {rule}"
        return None

    return check


def duration(value: Value) -> str | None:
    """Refuse what is no duration such as ``60m`` or ``1h30m``."""
    try:
        seconds(value)
    except ValueError as error:
        return str(error)
    return None


def seconds(text: str) -> float:
    """Read a duration such as ``90s``, ``60m`` or ``1h30m``.

    Raises:
        ValueError: it is none, or is zero; the text says what it must be.
    """
    match = _DURATION.fullmatch(text)
    parts = match.groupdict(default="0") if match and text else None
    total = 0 if parts is None else int(parts["h"]) * 3600 + int(parts["m"]) * 60 + int(parts["s"])
    if total <= 0:
        raise ValueError("must be a duration such as 60m, 1h30m or 90s")
    return float(total)


@cache
def compiled(pattern: str) -> re.Pattern[str]:
    """Give a pattern that is compiled when it is first needed: most plans need few of them."""
    return re.compile(pattern)
