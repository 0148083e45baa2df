"""Whatever a client or a host sends: an answer of the API, never another exception."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from aetherv_agent import yaml_file
from aetherv_agent.api import filters, paging
from aetherv_agent.api.convert import basics
from aetherv_agent.api.status import LIMIT, to_status, wire_size
from aetherv_agent.core.errors import AethervError, Violation
from hypothesis import given
from hypothesis import strategies as st

TEXT = st.text(st.characters(exclude_categories=()), max_size=3000)


@given(TEXT, st.lists(st.tuples(TEXT, TEXT), max_size=30), st.dictionaries(TEXT, TEXT, max_size=20), TEXT)
def test_every_error_fits_on_the_wire(
    message: str, wrong: list[tuple[str, str]], metadata: dict[str, str], operation: str
) -> None:
    """No text makes a status that clients would not get."""
    violations = tuple(Violation(field, text) for field, text in wrong)
    error = AethervError("FIELD_INVALID", message, violations=violations, metadata=metadata)
    assert wire_size(to_status(error, operation)) < LIMIT


@given(TEXT)
def test_a_filter_is_read_or_refused(text: str) -> None:
    """A text is a filter, or REQUEST_INVALID."""
    try:
        assert isinstance(filters.parse(text, ("host", "state")), tuple)
    except AethervError as error:
        assert error.id == "REQUEST_INVALID"  # noqa: PT017  # other texts raise nothing


@given(
    st.from_regex(r'(host|state) = "[a-z*]{0,9}"( AND (host|state) = "[^"\\\\]{0,9}"){0,3}', fullmatch=True)
)
def test_filters_of_the_subset_are_read(text: str) -> None:
    """What the subset says is read, with as many terms as there are."""
    assert len(filters.parse(text, ("host", "state"))) == text.count(" = ")


@given(st.lists(st.text(min_size=1, max_size=5), unique=True, max_size=20), st.integers(1, 7))
def test_pages_hold_every_element_once(names: list[str], size: int) -> None:
    """Following the tokens gives all elements, in order."""
    items = sorted(names)
    seen: list[str] = []
    token = ""
    while True:
        shown, token = paging.page(items, lambda item: (item,), size, token, "f", of="names")
        seen += shown
        if not token:
            break
    assert seen == items


@given(TEXT.filter(bool))
def test_a_page_token_that_is_none_is_refused(token: str) -> None:
    """A made-up token is REQUEST_INVALID; that one is made up by chance for this filter is out of question."""
    with pytest.raises(AethervError):
        paging.page(["a"], lambda item: (item,), 1, token, "a filter of this test", of="names")


@given(st.one_of(TEXT, st.from_regex(r"(vms|hosts|operations)/[^/]*", fullmatch=True)))
def test_a_name_is_read_or_refused(name: str) -> None:
    """A name has a known form, or is refused."""
    problems: list[Violation] = []
    assert bool(basics.guid_of(name, "name", problems)) is not bool(problems)
    for read in (basics.operation_of, lambda text: basics.host_of(text, "name")):
        try:
            assert name.endswith(f"/{read(name)}")
        except AethervError as error:
            assert error.id == "REQUEST_INVALID"  # noqa: PT017  # other names raise nothing


@given(st.text(max_size=200))
def test_a_configuration_file_is_read_or_refused(text: str) -> None:
    """Any text is a mapping or an error in words."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "c.yaml"
        path.write_bytes(text.encode(errors="replace"))
        raw, problems = yaml_file.read(path)
    assert (raw is None) is bool(problems)
