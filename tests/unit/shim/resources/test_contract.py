"""The rules that the provider states by itself are the contract's."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from terraform_provider_aetherv.resources.vm import contract
from terraform_provider_aetherv.resources.vm.schema import ATTRIBUTES, SECRETS

CONTRACTS = Path(__file__).parents[4] / "host_scripts" / "contracts"
# Words of the contract that other readers need and a plan does not.
_OTHERS = {"kvp", "create", "whole"}


def read(name: str) -> Any:
    """Read one of the contract's files."""
    return json.loads((CONTRACTS / f"{name}.json").read_text(encoding="utf-8"))


def test_fields_are_the_contracts() -> None:
    """Every field has the contract's type, range, length, pattern, families and text, in its order."""
    fields = read("fields")["fields"]
    assert [field["name"] for field in fields] == [field.name for field in contract.FIELDS]
    for raw, field in zip(fields, contract.FIELDS, strict=True):
        stated = {
            name: list(value) if isinstance(value, tuple) else value
            for name in contract.Field.__slots__
            if (value := getattr(field, name)) not in ("", None, False, (), 0) or name in raw
        }
        stated.pop("required", None)
        assert stated == {name: value for name, value in raw.items() if name not in _OTHERS}, field.name
        assert field.required == (raw["create"] == "required"), field.name


def test_sets_and_every_string_are_the_contracts() -> None:
    """What goes together, and what holds for every text, is the contract's."""
    raw = read("fields")
    sets = {item["id"]: item for item in raw["sets"]}
    named = {
        "static_ipv4": contract.STATIC_IPV4,
        "domain_join": contract.DOMAIN_JOIN,
        "ansible": contract.ANSIBLE,
    }
    assert sets.keys() == named.keys() | {"dns2"}
    for name, stated in named.items():
        assert list(stated.members) == sets[name]["all_or_none"]
        assert list(stated.extra) == sets[name].get("with", [])
        assert stated.rule == sets[name]["rule"]
    assert (sets["dns2"]["field"], sets["dns2"]["needs"]) == ("guest_v4_dns2", ["guest_v4_dns1"])
    assert sets["dns2"]["rule"] == contract.DNS2_RULE
    assert raw["every_string"] == {
        "forbidden_pattern": contract.EVERY_STRING_FORBIDDEN,
        "except": list(contract.EVERY_STRING_EXCEPT),
        "rule": contract.EVERY_STRING_RULE,
    }
    assert {name: list(values) for name, values in contract.OS_FAMILIES.items()} == raw["os_families"]


@pytest.mark.parametrize("family", ["linux", "windows"])
def test_secret_rules_are_the_dialects(family: str) -> None:
    """Of the present dialect every rule that touches a secret is stated, and no other."""
    side = read("dialects")["dialects"][-1][family]
    expected = []
    for rule in side["rules"]:
        touched = [name for name in rule["fields"] if name in {*SECRETS, "*"}]
        of_family = [
            name
            for name in touched
            if name == "*" or family in (contract.BY_NAME[name].families or (family,))
        ]
        if of_family:
            assert "pattern" not in rule, "a required pattern for a secret has no place here yet"
            expected.append((of_family, rule["forbidden_pattern"], rule["rule"]))
    stated = [
        (list(rule.fields), rule.forbidden_pattern, rule.rule) for rule in contract.SECRET_RULES[family]
    ]
    assert stated == expected
    assert contract.SECRET_BYTES[family] == side.get("value_bytes")
    assert list(contract.REQUIRED_WITH_DOMAIN[family]) == side["required_with_domain"]


def test_secrets_fit_the_pieces_of_linux() -> None:
    """A secret of the greatest length fits a Linux guest's pieces, so that no rule about them is needed."""
    side = read("dialects")["dialects"][-1]["linux"]
    longest = max(contract.BY_NAME[name].max_length or 0 for name in SECRETS)
    assert longest * 2 <= side["pieces"] * (side["piece_units"] - 1)


def test_every_field_is_an_attribute() -> None:
    """Each of the contract's fields can be written in a configuration."""
    names = {attribute.name for attribute in ATTRIBUTES}
    assert {field.name for field in contract.FIELDS} <= names


@pytest.mark.parametrize(
    ("image", "family"),
    [("Ubuntu 24.04", "linux"), ("ubuntu", "linux"), ("Windows Server 2022", "windows"), ("Plan 9", None)],
)
def test_family_of_an_image(image: str, family: str | None) -> None:
    """The beginning of an image's name tells the family, upper and lower case alike."""
    assert contract.os_family_of(image) == family
