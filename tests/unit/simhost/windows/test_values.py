"""CLIXML as PowerShell reads it."""

import xml.etree.ElementTree as ET

import pytest
from aetherv_simhost.windows.values import PsObject, clixml, guid, moment, span, u16, u64

NAMESPACE = "{http://schemas.microsoft.com/powershell/2004/04}"


def test_values_have_their_types() -> None:
    """Each value becomes the element of its type."""
    given = ["x", 5, 2**40, True, None, 1.5, u16(7), u64(2**63), guid("a"), span(1.5), moment(0)]
    root = ET.fromstring(clixml(given))  # our own text
    assert [(child.tag.removeprefix(NAMESPACE), child.text) for child in root] == [
        ("S", "x"),
        ("I32", "5"),
        ("I64", str(2**40)),
        ("B", "true"),
        ("Nil", None),
        ("Db", "1.5"),
        ("U16", "7"),
        ("U64", str(2**63)),
        ("G", "a"),
        ("TS", "PT1.500S"),
        ("DT", "1970-01-01T00:00:00.000000Z"),
    ]


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("a\r\nb", "a_x000D__x000A_b"),
        ("_x000A_", "_x005F_x000A_"),
        ("\ud800", "_xD800_"),
        ("\uffff", "_xFFFF_"),
        ('<&">', '<&">'),
        ("\U0001f600", "\U0001f600"),
    ],
)
def test_text_that_xml_cannot_hold(text: str, written: str) -> None:
    """Control characters, lone surrogates and text that looks like an escape are escaped as MS-PSRP says."""
    root = ET.fromstring(clixml([text]))  # our own text
    assert root[0].text == written


def test_objects_share_their_type_names() -> None:
    """Type names are written once and referred to then; properties and lists nest."""
    inner = PsObject(("A", "System.Object"), {"n": 1}, "shown")
    root = ET.fromstring(clixml([inner, PsObject(inner.types, {"list": ["x", inner]})]))  # our own text
    names = [element.tag.removeprefix(NAMESPACE) for element in root.iter()]
    assert names.count("TN") == 2
    assert names.count("TNRef") == 2
    assert root[0].findtext(f"{NAMESPACE}ToString") == "shown"


def test_what_has_no_type_is_an_error() -> None:
    """A value of another type never becomes something else in silence."""
    with pytest.raises(TypeError):
        clixml([object()])
