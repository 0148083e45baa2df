"""The two stores of one VM's data exchange."""

from __future__ import annotations

import pytest
from aetherv_simhost.hyperv.errors import KvpRefused
from aetherv_simhost.hyperv.kvp import KvpExchange, units


def never(_name: str) -> bool:
    """No delivery is lost."""
    return False


def running(deliver: float = 0.0) -> KvpExchange:
    """An exchange whose guest listens."""
    exchange = KvpExchange(deliver)
    exchange.connect(0.0)
    return exchange


def test_items_arrive_one_by_one() -> None:
    """The configuration has all at once, the guest one after the other."""
    exchange = running(1.0)
    exchange.change("add", [("a", "1"), ("b", "2")], 10.0, never)
    assert exchange.host == {"a": "1", "b": "2"}
    assert exchange.received(10.5) == {}
    assert exchange.received(11.0) == {"a": "1"}
    assert exchange.received(12.0) == {"a": "1", "b": "2"}


@pytest.mark.parametrize(
    ("kind", "items"),
    [
        ("add", [("new", "1"), ("there", "2")]),
        ("modify", [("there", "2"), ("absent", "1")]),
        ("remove", [("there", ""), ("absent", "")]),
        ("add", [("twice", "1"), ("twice", "2")]),
        ("add", []),
        ("add", [(f"n{n}", "") for n in range(129)]),
        ("add", [("k" * 255, "")]),
        ("add", [("k", "v" * 1023)]),
        ("add", [("k", "\U0001f600" * 512)]),
        ("add", [("", "v")]),
    ],
)
def test_one_bad_item_fails_the_whole_call(kind: str, items: list[tuple[str, str]]) -> None:
    """The call is refused with 32773 and nothing of it is done."""
    exchange = running()
    exchange.change("add", [("there", "1")], 0.0, never)
    with pytest.raises(KvpRefused) as refused:
        exchange.change(kind, items, 0.0, never)  # type: ignore[arg-type]  # parametrized
    assert refused.value.code == 32773
    assert exchange.host == {"there": "1"}
    assert exchange.received(9.0) == {"there": "1"}


def test_the_limits_are_utf16_units() -> None:
    """254 units of key and 1,022 of value pass; a character outside the BMP counts twice."""
    exchange = running()
    exchange.change("add", [("k" * 254, "\U0001f600" * 511)], 0.0, never)
    exchange.change("add", [(f"n{n}", "") for n in range(128)], 0.0, never)
    assert len(exchange.host) == 129
    assert units("a\U0001f600") == 3


def test_what_is_written_before_the_guest_listens_is_pushed_at_its_start() -> None:
    """And what the guest deleted comes back at its next start, unless the host removed it."""
    exchange = KvpExchange()
    exchange.change("add", [("a", "1"), ("b", "2")], 0.0, never)
    assert exchange.received(9.0) == {}
    exchange.connect(10.0)
    assert exchange.received(10.0) == {"a": "1", "b": "2"}
    exchange.change("remove", [("a", "")], 11.0, never)
    exchange.disconnect()
    exchange.pool.clear()
    exchange.connect(12.0)
    assert exchange.received(12.0) == {"b": "2"}


def test_what_is_under_way_is_lost_when_the_guest_stops() -> None:
    """A removal that the guest missed leaves the item in its pool."""
    exchange = running(1.0)
    exchange.change("add", [("a", "1")], 0.0, never)
    exchange.received(5.0)
    exchange.change("remove", [("a", "")], 5.0, never)
    exchange.disconnect()
    assert exchange.received(9.0) == {"a": "1"}


def test_a_lost_delivery_leaves_the_configuration() -> None:
    """What the host wrote proves nothing about delivery; writing it again delivers it."""
    exchange = running()
    exchange.change("add", [("a", "1"), ("b", "2")], 0.0, lambda name: name == "a")
    assert exchange.host == {"a": "1", "b": "2"}
    assert exchange.received(1.0) == {"b": "2"}
    exchange.change("modify", [("a", "1")], 1.0, never)
    assert exchange.received(2.0) == {"a": "1", "b": "2"}


def test_of_two_guest_items_of_one_name_the_last_counts() -> None:
    """An image's earlier life may have left one."""
    exchange = running()
    exchange.guest = [("state", "old"), ("state", "new")]
    assert exchange.reported() == {"state": "new"}
    exchange.report("state", "newer")
    assert exchange.guest == [("state", "newer")]
