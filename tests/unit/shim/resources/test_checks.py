"""What a configuration alone is judged by: each rule with the path of its attribute, and unknown never fails."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from terraform_provider_aetherv.cty.values import UNKNOWN
from terraform_provider_aetherv.plugin.messages import Severity
from terraform_provider_aetherv.resources.vm.checks import check_create, given_fields, validate
from terraform_provider_aetherv.resources.vm.schema import ATTRIBUTES
from terraform_provider_aetherv.schema.planning import create_value

GOOD: dict[str, Any] = {
    "vm_name": "web-01",
    "image_name": "Ubuntu 24.04",
    "gb_ram": 2,
    "cpu_cores": 2,
    "guest_la_uid": "admin1",
    "guest_la_pw_wo": "Secret-Value-1",
    "guest_la_pw_wo_version": 1,
}
WINDOWS = {"image_name": "Windows Server 2022"}
DOMAIN = {
    "guest_domain_jointarget": "example.com",
    "guest_domain_joinuid": "joiner",
    "guest_domain_joinpw_wo": "Join-1",
    "guest_domain_joinpw_wo_version": 1,
    "guest_domain_joinou": "OU=Servers,DC=example,DC=com",
}
STATIC = {"guest_v4_ipaddr": "192.0.2.10", "guest_v4_cidrprefix": 24, "guest_v4_defaultgw": "192.0.2.1"}


def config_of(**changed: Any) -> dict[str, Any]:
    """Give a whole configuration."""
    return {attribute.name: None for attribute in ATTRIBUTES} | GOOD | changed


def judged(config: dict[str, Any]) -> set[tuple[str, str]]:
    """Judge as validate and as the plan of a create; give severities and paths."""
    planned = {a.name: create_value(a, config[a.name]) for a in ATTRIBUTES}
    if config["os_family"] is None:
        image = config["image_name"]
        planned["os_family"] = UNKNOWN if image is UNKNOWN else _family(image)
    found = [*validate(config), *check_create(planned, config)]
    assert not any("Secret-Value" in item.detail + item.summary for item in found)
    return {(item.severity.value, ".".join(str(step) for step in item.path)) for item in found}


def _family(image: str | None) -> str | None:
    from terraform_provider_aetherv.resources.vm.contract import os_family_of

    return None if image is None else os_family_of(image)


@pytest.mark.parametrize(
    "changed",
    [
        {},
        STATIC,
        STATIC | {"guest_v4_dns1": "192.0.2.53", "guest_v4_dns2": "192.0.2.54"},
        {"cnf_ansible_ssh_user": "ansible", "cnf_ansible_ssh_key": "ssh-ed25519 AAAAC3Nz me@here"},
        WINDOWS | DOMAIN,
        {"os_family": "linux", "image_name": "golden"},
        {"timeouts": {"create": "1h30m", "read": None, "update": "90s", "delete": "5m"}},
        {"guest_la_pw_wo": "pässwörd-with-ü"},
    ],
)
def test_good_configurations(changed: dict[str, Any]) -> None:
    """What can be made has no error and no warning."""
    assert judged(config_of(**changed)) == set()


@pytest.mark.parametrize(
    ("changed", "path"),
    [
        ({"vm_name": None}, "vm_name"),
        ({"vm_name": "a/b"}, "vm_name"),
        ({"vm_name": "x" * 65}, "vm_name"),
        ({"vm_name": "con"}, "vm_name"),
        ({"vm_name": ""}, "vm_name"),
        ({"gb_ram": None}, "gb_ram"),
        ({"gb_ram": 0}, "gb_ram"),
        ({"gb_ram": 513}, "gb_ram"),
        ({"gb_ram": Decimal("1.5")}, "gb_ram"),
        ({"gb_ram": Decimal("0.001")}, "gb_ram"),
        ({"gb_ram": Decimal("1e300")}, "gb_ram"),
        ({"cpu_cores": Decimal("1e300")}, "cpu_cores"),
        ({"cpu_cores": None}, "cpu_cores"),
        ({"cpu_cores": 0}, "cpu_cores"),
        ({"cpu_cores": 65}, "cpu_cores"),
        ({"cpu_cores": Decimal("1.5")}, "cpu_cores"),
        ({"image_name": None}, "image_name"),
        ({"image_name": r"Ubuntu\image"}, "image_name"),
        ({"image_name": "Plan 9"}, "os_family"),
        ({"os_family": "bsd"}, "os_family"),
        ({"guest_la_uid": None}, "guest_la_uid"),
        ({"guest_la_uid": "two\nlines"}, "guest_la_uid"),
        ({"guest_la_pw_wo": None}, "guest_la_pw_wo"),
        ({"guest_la_pw_wo": ""}, "guest_la_pw_wo"),
        ({"guest_la_pw_wo": "   "}, "guest_la_pw_wo"),
        ({"guest_la_pw_wo": "Secret-Value" * 100}, "guest_la_pw_wo"),
        ({"guest_la_pw_wo": "it's"}, "guest_la_pw_wo"),
        ({"guest_la_pw_wo": "-n Secret-Value"}, "guest_la_pw_wo"),
        ({"guest_la_pw_wo": "--help"}, "guest_la_pw_wo"),
        ({"guest_la_pw_wo": "two  blanks"}, "guest_la_pw_wo"),
        ({"guest_la_pw_wo_version": None}, "guest_la_pw_wo_version"),
        (
            {"guest_v4_ipaddr": "192.0.2.256"} | {k: v for k, v in STATIC.items() if k != "guest_v4_ipaddr"},
            "guest_v4_ipaddr",
        ),
        (STATIC | {"guest_v4_cidrprefix": 33}, "guest_v4_cidrprefix"),
        (STATIC | {"guest_v4_defaultgw": None}, "guest_v4_defaultgw"),
        (STATIC | {"guest_v4_dns2": "192.0.2.54"}, "guest_v4_dns2"),
        ({"guest_net_dnssuffix": "-bad"}, "guest_net_dnssuffix"),
        ({"cnf_ansible_ssh_user": "ansible"}, "cnf_ansible_ssh_key"),
        ({"cnf_ansible_ssh_user": "a", "cnf_ansible_ssh_key": "nokey"}, "cnf_ansible_ssh_key"),
        ({"guest_domain_joinou": "OU=a,DC=b"}, "guest_domain_joinou"),
        (WINDOWS | DOMAIN | {"guest_domain_joinou": None}, "guest_domain_joinou"),
        (WINDOWS | DOMAIN | {"guest_domain_joinou": "Servers"}, "guest_domain_joinou"),
        (WINDOWS | DOMAIN | {"guest_domain_joinuid": None}, "guest_domain_joinuid"),
        (WINDOWS | DOMAIN | {"guest_domain_joinpw_wo": None}, "guest_domain_joinpw_wo"),
        (WINDOWS | DOMAIN | {"guest_domain_joinpw_wo": "ends "}, "guest_domain_joinpw_wo"),
        (WINDOWS | {"guest_la_pw_wo": "Secret-Value-ü"}, "guest_la_pw_wo"),
        (WINDOWS | {"guest_la_pw_wo": "x" * 736}, "guest_la_pw_wo"),
        ({"vlan_id": -1}, "vlan_id"),
        ({"vlan_id": 4095}, "vlan_id"),
        ({"virtual_switch": ""}, "virtual_switch"),
        ({"power_state": "paused"}, "power_state"),
        ({"power_state": "off", "wait_for_guest": False}, "power_state"),
        ({"notes": 'a\naetherv: {"job": 1}'}, "notes"),
        ({"shutdown_mode": "kill"}, "shutdown_mode"),
        ({"wait_for_ip": "v4"}, "wait_for_ip"),
        ({"on_failure": "retry"}, "on_failure"),
        ({"timeouts": {"create": "soon", "read": None, "update": None, "delete": None}}, "timeouts.create"),
        ({"timeouts": {"create": "0m", "read": None, "update": None, "delete": None}}, "timeouts.create"),
    ],
)
def test_bad_configurations(changed: dict[str, Any], path: str) -> None:
    """Each rule is an error at its attribute and at no other."""
    errors = {where for severity, where in judged(config_of(**changed)) if severity == "error"}
    assert errors == {path}


def test_two_ways_at_once() -> None:
    """A secret that is given in both ways is refused, and its plain form is warned of."""
    assert judged(config_of(guest_la_pw="Secret-Value-2")) == {
        ("error", "guest_la_pw_wo"),
        ("warning", "guest_la_pw"),
    }


def test_domain_password_of_a_linux_guest_is_refused_where_it_was_set() -> None:
    """A write-only password is refused at its own attribute, not at the plain one that nobody set."""
    errors = {where for severity, where in judged(config_of(**DOMAIN)) if severity == "error"}
    assert "guest_domain_joinpw_wo" in errors
    assert "guest_domain_joinpw" not in errors


def test_dropped_for_windows() -> None:
    """SSH fields and the DNS suffix of a Windows VM are warned of, and half a set of them is no error."""
    config = config_of(**WINDOWS, cnf_ansible_ssh_user="a", guest_net_dnssuffix="example.com")
    assert judged(config) == {("warning", "cnf_ansible_ssh_user"), ("warning", "guest_net_dnssuffix")}


def test_unknown_never_fails() -> None:
    """A configuration whose every attribute is unknown has no error."""
    config: dict[str, Any] = {attribute.name: UNKNOWN for attribute in ATTRIBUTES}
    assert {item for item in judged(config) if item[0] == Severity.ERROR.value} == set()


def test_unknown_counts_as_given() -> None:
    """A set with an unknown member is whole."""
    config = config_of(**STATIC | {"guest_v4_defaultgw": UNKNOWN})
    assert judged(config) == set()
    certain, possible = given_fields(config, config)
    assert "guest_v4_defaultgw" in set(possible) - set(certain)


@pytest.mark.parametrize("gb_ram", [Decimal("0.5"), Decimal("1.501953125"), 600])
def test_existing_memory_is_not_judged_as_a_new_vms(gb_ram: Any) -> None:
    """Validate takes what a VM that exists may have: every multiple of 2 MB."""
    assert list(validate(config_of(gb_ram=gb_ram))) == []
