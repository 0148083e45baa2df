"""UNKNOWN, and what looks into values."""

from __future__ import annotations

import copy
import pickle

import pytest
from terraform_provider_aetherv.cty import (
    STRING,
    UNKNOWN,
    KeyStep,
    Typed,
    Unknown,
    format_path,
    is_wholly_known,
    unknown_to_null,
)


def test_unknown_has_no_truth_value() -> None:
    """An unknown value must never act as false."""
    with pytest.raises(TypeError, match="neither true nor false"):
        bool(UNKNOWN)
    with pytest.raises(TypeError):
        _ = "default" if not UNKNOWN else "value"


def test_unknown_is_one() -> None:
    """Copies and pickles are the same object, so that `is UNKNOWN` is always right."""
    assert copy.deepcopy({"a": [UNKNOWN]})["a"][0] is UNKNOWN
    assert copy.copy(UNKNOWN) is UNKNOWN
    assert pickle.loads(pickle.dumps(UNKNOWN)) is UNKNOWN
    assert Unknown() is UNKNOWN
    assert repr(UNKNOWN) == "UNKNOWN"


@pytest.mark.parametrize("other", [None, False, 0, "", "UNKNOWN", [], {}])
def test_unknown_equals_itself_alone(other: object) -> None:
    """No known value equals an unknown one."""
    assert other != UNKNOWN
    assert UNKNOWN not in [other, other]
    assert UNKNOWN in [other, UNKNOWN]


def test_parts_are_looked_at() -> None:
    """Unknown parts are found, and become null, at every depth, without a change of the original."""
    value = {"a": [1, {"b": UNKNOWN}], "c": Typed(STRING, UNKNOWN), "d": (UNKNOWN,)}
    assert not is_wholly_known(value)
    cleaned = unknown_to_null(value)
    assert cleaned == {"a": [1, {"b": None}], "c": Typed(STRING, None), "d": [None]}
    assert is_wholly_known(cleaned)
    assert value["d"] == (UNKNOWN,)


def test_path_reads_like_terraform() -> None:
    """A path is written as a user writes it."""
    assert format_path(("disks", 0, "tags", KeyStep("a"))) == 'disks[0].tags["a"]'
    assert format_path(()) == ""
