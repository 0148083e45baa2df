"""The place that keeps write-only values out of states."""

from __future__ import annotations

import pytest
from terraform_provider_aetherv.cty import STRING, UNKNOWN, KeyStep, Value
from terraform_provider_aetherv.plugin.write_only import has_write_only, null_write_only, write_only_paths
from terraform_provider_aetherv.schema.model import Attribute, NestedObject, Nesting

WORD = Attribute(name="word_wo", type=STRING, optional=True, write_only=True)
NAME = Attribute(name="name", type=STRING, optional=True)


def _nested(nesting: Nesting) -> tuple[Attribute, ...]:
    inner = Attribute(
        name="inner", optional=True, nested=NestedObject(attributes=(WORD, NAME), nesting=nesting)
    )
    return (NAME, inner)


ONE = {"word_wo": "hunter2", "name": "x"}
NULLED = {"word_wo": None, "name": "x"}


@pytest.mark.parametrize(
    ("nesting", "value", "expected", "paths"),
    [
        (Nesting.SINGLE, ONE, NULLED, [("inner", "word_wo")]),
        (Nesting.LIST, [NULLED, ONE], [NULLED, NULLED], [("inner", 1, "word_wo")]),
        (Nesting.MAP, {"a": ONE}, {"a": NULLED}, [("inner", KeyStep("a"), "word_wo")]),
        (Nesting.LIST, UNKNOWN, UNKNOWN, []),
        (Nesting.LIST, [None, UNKNOWN], [None, UNKNOWN], []),
        (Nesting.MAP, None, None, []),
        (Nesting.SINGLE, "malformed", "malformed", []),
    ],
)
def test_nested(nesting: Nesting, value: Value, expected: Value, paths: list[object]) -> None:
    """Write-only values are found and nulled in every nesting; null and unknown objects pass."""
    attributes = _nested(nesting)
    whole = {"name": "y", "inner": value}
    assert has_write_only(attributes)
    assert null_write_only(whole, attributes) == {"name": "y", "inner": expected}
    assert list(write_only_paths(whole, attributes)) == paths


def test_original_is_untouched() -> None:
    """The resource's own state is not changed."""
    value = {"word_wo": "hunter2"}
    assert null_write_only(value, (WORD, NAME)) == {"word_wo": None}
    assert value == {"word_wo": "hunter2"}
    assert null_write_only(None, (WORD,)) is None


def test_unknown_write_only_value_is_nulled() -> None:
    """An unknown write-only value is null in a plan too."""
    assert null_write_only({"word_wo": UNKNOWN}, (WORD,)) == {"word_wo": None}
    assert not has_write_only((NAME,))
