"""What a host's objects are to the agent: plain values, whatever the host sends."""

from __future__ import annotations

from typing import Any

from aetherv_agent.winrm.values import plain
from pypsrp.complex_objects import GenericComplexObject


def thing(text: str | None = None, **properties: Any) -> GenericComplexObject:
    """An object as pypsrp reads it."""
    made = GenericComplexObject()
    made.to_string = text
    made.adapted_properties = properties
    return made


def test_objects_become_their_properties_and_enums_their_text() -> None:
    """A file's properties are read by name; an enum has none and is its word."""
    found = plain(thing("x", Name="a", Length=3, Parent=thing("RemoteSigned")))
    assert found == {"Name": "a", "Length": 3, "Parent": "RemoteSigned"}


def test_plain_values_stay_and_collections_are_followed() -> None:
    """Texts, numbers, bools, nothing, lists and hashtables."""
    assert plain([None, True, 1, "x", {"k": (1, 2)}]) == [None, True, 1, "x", {"k": [1, 2]}]
    assert plain(b"\x01") == "b'\\x01'"


def test_depth_is_bounded() -> None:
    """An object that holds itself ends."""
    loop = thing("loop")
    loop.adapted_properties["self"] = loop
    text = str(plain(loop))
    assert text.count("self") == 4
