"""Field rules and guest dialects."""

import pytest
from aetherv_agent.core.dialects import default_dialect, dialect_for
from aetherv_agent.core.model import OsFamily, VmSecrets, VmSpec
from aetherv_agent.core.rules import check_create

LINUX = {
    "vm_name": "web-01",
    "image_name": "Ubuntu 24.04",
    "gb_ram": 2,
    "cpu_cores": 2,
    "guest_la_uid": "admin",
}
WINDOWS = LINUX | {"image_name": "Windows Server 2022", "guest_la_uid": "Administrator"}
STATIC = {"guest_v4_ipaddr": "192.0.2.10", "guest_v4_cidrprefix": 24, "guest_v4_defaultgw": "192.0.2.1"}
DOMAIN = {
    "guest_domain_jointarget": "example.com",
    "guest_domain_joinuid": "joiner",
    "guest_domain_joinou": "OU=Servers,DC=example,DC=com",
}
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHzv"


def violated(fields: dict[str, object], password: str = "Passw0rd!", domain_pw: str = "") -> set[str]:
    """Return the paths that a create with these fields violates."""
    checked = check_create(VmSpec(**fields), VmSecrets(password, domain_pw))  # type: ignore[arg-type]
    return {violation.field for violation in checked.violations}


@pytest.mark.parametrize("fields", [LINUX, WINDOWS, LINUX | STATIC, LINUX | {"vlan_id": 4094, "gb_ram": 512}])
def test_a_good_create_is_taken(fields: dict[str, object]) -> None:
    """A create by the rules has no violation."""
    assert violated(fields) == set()


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"gb_ram": 0}, "vm.gb_ram"),
        ({"gb_ram": 513}, "vm.gb_ram"),
        ({"gb_ram": 1.5}, "vm.gb_ram"),
        ({"gb_ram": float("nan")}, "vm.gb_ram"),
        ({"gb_ram": float("inf")}, "vm.gb_ram"),
        ({"cpu_cores": 0}, "vm.cpu_cores"),
        ({"cpu_cores": 65}, "vm.cpu_cores"),
        ({"vlan_id": -1}, "vm.vlan_id"),
        ({"vlan_id": 4095}, "vm.vlan_id"),
        (STATIC | {"guest_v4_cidrprefix": 0}, "vm.guest_v4_cidrprefix"),
        (STATIC | {"guest_v4_cidrprefix": 33}, "vm.guest_v4_cidrprefix"),
        (STATIC | {"guest_v4_ipaddr": "192.0.2.256"}, "vm.guest_v4_ipaddr"),
        (STATIC | {"guest_v4_ipaddr": "fe80::1"}, "vm.guest_v4_ipaddr"),
        ({"guest_v4_ipaddr": "192.0.2.10"}, "vm.guest_v4_cidrprefix"),
        ({"guest_v4_dns2": "192.0.2.54"}, "vm.guest_v4_dns2"),
        ({"vm_name": ""}, "vm.vm_name"),
        ({"vm_name": "a/b"}, "vm.vm_name"),
        ({"vm_name": "con"}, "vm.vm_name"),
        ({"vm_name": "web 01"}, "vm.vm_name"),
        ({"vm_name": "x" * 65}, "vm.vm_name"),
        ({"image_name": "..\\Ubuntu"}, "vm.image_name"),
        ({"image_name": "My image"}, "vm.os_family"),
        ({"notes": "x\naetherv: {"}, "vm.notes"),
        ({"notes": "x" * 4001}, "vm.notes"),
        ({"cnf_ansible_ssh_user": "ansible"}, "vm.cnf_ansible_ssh_key"),
        (
            {"cnf_ansible_ssh_user": "ansible", "cnf_ansible_ssh_key": f"{KEY}\n{KEY}"},
            "vm.cnf_ansible_ssh_key",
        ),
        ({"guest_net_dnssuffix": "-bad-.example"}, "vm.guest_net_dnssuffix"),
        ({"guest_la_uid": "\ud800"}, "vm.guest_la_uid"),
    ],
)
def test_a_wrong_field_is_named(change: dict[str, object], path: str) -> None:
    """Each wrong value, and each half of a set, is reported with the field's path."""
    assert path in violated(LINUX | change)


def test_all_violations_come_at_once() -> None:
    """A request with several faults is answered with all of them."""
    fields = LINUX | {"gb_ram": 0, "cpu_cores": 99, "vlan_id": 9999}
    assert {"vm.gb_ram", "vm.cpu_cores", "vm.vlan_id", "secrets.guest_la_pw"} <= violated(fields, password="")


def test_a_check_without_secrets_judges_none() -> None:
    """validate_only carries no secrets: neither their absence nor half of a domain join's set is a violation."""
    checked = check_create(VmSpec(**WINDOWS, **DOMAIN), None)  # type: ignore[arg-type]
    assert checked.violations == ()


def test_domain_fields_of_a_linux_guest_are_refused() -> None:
    """A Linux guest never uses domain fields, so they are refused."""
    assert {"vm.guest_domain_jointarget", "vm.guest_domain_joinuid"} <= violated(
        LINUX | DOMAIN, domain_pw="x"
    )


def test_ssh_fields_and_suffix_of_a_windows_guest_are_dropped_with_a_warning() -> None:
    """A Windows guest gets no SSH fields and no DNS suffix; the user is told."""
    extra = {
        "cnf_ansible_ssh_user": "ansible",
        "cnf_ansible_ssh_key": KEY,
        "guest_net_dnssuffix": "example.com",
    }
    checked = check_create(VmSpec(**WINDOWS, **extra), VmSecrets("Passw0rd!"))  # type: ignore[arg-type]
    assert checked.violations == ()
    assert {w.field for w in checked.warnings} == {f"vm.{name}" for name in extra}
    assert checked.spec.cnf_ansible_ssh_key == checked.spec.guest_net_dnssuffix == ""


@pytest.mark.parametrize(
    ("fields", "warned"),
    [
        ({}, set()),
        ({"guest_v4_dns1": "192.0.2.53"}, {"vm.guest_v4_dns1"}),
        ({"guest_net_dnssuffix": "example.com"}, {"vm.guest_net_dnssuffix"}),
        (STATIC | {"guest_net_dnssuffix": "example.com"}, {"vm.guest_net_dnssuffix"}),
        (STATIC | {"guest_net_dnssuffix": "example.com", "guest_v4_dns1": "192.0.2.53"}, set()),
    ],
)
def test_dns_that_a_linux_guest_will_not_apply_is_warned_of(
    fields: dict[str, object], warned: set[str]
) -> None:
    """Servers need a static address, and a suffix needs both: the guest drops them in silence."""
    checked = check_create(VmSpec(**LINUX | fields), VmSecrets("Passw0rd!"))  # type: ignore[arg-type]
    assert checked.violations == ()
    assert {w.field for w in checked.warnings} == warned


@pytest.mark.parametrize(
    "password",
    [
        "a'b",
        'a"b',
        "a\\b",
        "a\tb",
        " ab",
        "ab ",
        "a  b",
        "-n x",
        "-e",
        "-nE",
        "--help",
        "--version",
        "a\nb",
        "   ",
        "x" * 1001,
    ],
)
def test_what_the_linux_guest_mangles_is_refused(password: str) -> None:
    """A password that the guest's xargs and echo would change is refused, not set wrongly."""
    assert violated(LINUX, password=password) == {"secrets.guest_la_pw"}


@pytest.mark.parametrize("password", ["päß", "x" * 736, "a\r"])
def test_what_the_windows_guest_mangles_is_refused(password: str) -> None:
    """A password outside ASCII or too long for one item is refused for a Windows guest."""
    assert violated(WINDOWS, password=password) == {"secrets.guest_la_pw"}


@pytest.mark.parametrize("value", [" joiner", "joiner ", "jöiner"])
def test_the_windows_guest_trims_domain_fields(value: str) -> None:
    """Blanks at the ends of the joining account, and non-ASCII, are refused."""
    fields = WINDOWS | DOMAIN | {"guest_domain_joinuid": value}
    assert violated(fields, domain_pw="x") == {"vm.guest_domain_joinuid"}


def test_a_windows_domain_join_needs_its_ou() -> None:
    """This guest skips a join without an OU in silence, so it is refused."""
    fields = {k: v for k, v in (WINDOWS | DOMAIN).items() if k != "guest_domain_joinou"}
    assert violated(fields, domain_pw="x") == {"vm.guest_domain_joinou"}


@pytest.mark.parametrize("name", ["web-server-0123456", "12345", "web_01"])
def test_a_windows_computer_name_is_narrow(name: str) -> None:
    """More than 15 characters, digits alone, or an underscore make no Windows computer name."""
    assert violated(WINDOWS | {"vm_name": name}) == {"vm.vm_name"}


def test_a_value_of_more_than_thirty_pieces_is_refused() -> None:
    """A Linux guest reads 30 pieces of 100 UTF-16 units."""
    fields = LINUX | {"cnf_ansible_ssh_user": "ansible"}
    assert violated(fields | {"cnf_ansible_ssh_key": "ssh-rsa " + "A" * 2950}) == set()
    assert "vm.cnf_ansible_ssh_key" in violated(fields | {"cnf_ansible_ssh_key": "ssh-rsa " + "A" * 2993})


def test_pieces_never_part_a_surrogate_pair() -> None:
    """A cut that would part a pair comes one unit earlier, and the pieces give the value back."""
    value = "x" * 99 + "\U0001f600" + "y" * 150
    pieces = default_dialect(OsFamily.LINUX).cut(value)
    assert "".join(pieces) == value
    assert [len(piece.encode("utf-16-le")) // 2 for piece in pieces] == [99, 100, 52]


def test_old_isos_have_no_dialect() -> None:
    """Only 2.4 and later speak a dialect that works."""
    assert dialect_for(" 2.4.000\n", OsFamily.LINUX) is not None
    assert [dialect_for(v, OsFamily.WINDOWS) for v in ("2.1.000", "1.5", "", "3.0")] == [None] * 4


def test_no_secret_is_in_a_violation() -> None:
    """A refused password is not part of what is said of it; the field's name is."""
    checked = check_create(VmSpec(**LINUX), VmSecrets("hunter2'"))  # type: ignore[arg-type]
    text = repr(checked)
    assert "hunter2" not in text
    assert "guest_la_pw" in text
