"""WQL: the forms that are answered, and those that are refused."""

import pytest
from aetherv_simhost.windows.wmi.wql import Row, WqlInvalid, WqlUnknown, parse, parse_filter

ROW: Row = {"name": r"C:\A'b", "size": 5, "on": True, "text": "Virtual Machine", "none": None, "list": ["x"]}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (r"Name = 'c:\\a\'B'", True),
        (r"Name = 'C:\\other'", False),
        ('text = "virtual machine"', True),
        ("text LIKE 'Virt%'", True),
        ("text LIKE 'V_rt'", False),
        ("text LIKE '[A-Z]irtual%'", True),
        ("size = 5 AND on = TRUE", True),
        ("size > 5 OR size < 5", False),
        ("size >= 5 AND size <= 5 AND size <> 6 AND size != 7", True),
        ("NOT size = 5", False),
        ("(size = 1 OR size = 5) AND NOT (on = FALSE)", True),
        ("none IS NULL AND text IS NOT NULL", True),
        ("none = NULL", True),
        ("none = 'x'", False),
        ("size = '5'", True),
        ("absent = 1", False),
    ],
)
def test_conditions(text: str, found: bool) -> None:  # a table of cases
    """A condition holds for a row as WQL has it: text without case, escapes by backslash."""
    assert parse_filter(text)(ROW) is found


def test_a_query_has_class_properties_and_condition() -> None:
    """SELECT gives the class, the properties (none for all) and what stands behind WHERE."""
    query = parse("select Name, Size from Win32_Volume where size = 5")
    assert (query.class_name, query.properties) == ("Win32_Volume", ("Name", "Size"))
    assert query.condition(ROW)
    everything = parse("SELECT * FROM Win32_Volume")
    assert everything.properties == ()
    assert everything.condition({})


@pytest.mark.parametrize(
    "text",
    ["", "SELECT", "SELECT * FROM", "DELETE FROM x", "SELECT * FROM x WHERE", "SELECT * FROM x WHERE a ~ 1"],
)
def test_what_is_no_query(text: str) -> None:
    """Text that is no query is invalid."""
    with pytest.raises(WqlInvalid):
        parse(text)


@pytest.mark.parametrize(
    "text", ["a", "a =", "a = b", "(a = 1", "a = 1 b = 2", "a LIKE 3", "a IS 3", "'a' = 1"]
)
def test_what_is_no_condition(text: str) -> None:
    """Text that is no condition is invalid."""
    with pytest.raises(WqlInvalid):
        parse_filter(text)


@pytest.mark.parametrize("text", ["ASSOCIATORS OF {x}", "references of {x}"])
def test_forms_that_are_not_answered(text: str) -> None:
    """Statements that Windows knows and the host does not answer are named."""
    with pytest.raises(WqlUnknown, match=r"ASSOCIATORS|REFERENCES"):
        parse(text)
