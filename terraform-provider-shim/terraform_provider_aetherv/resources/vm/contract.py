"""What a plan can judge alone of the contract's rules (``host_scripts/contracts``); a test holds the two equal. Pure.

The agent judges everything again, with what the host says; what is here is told earlier, and secrets are judged
here alone before an apply (a check never carries them).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

_DOMAIN_NAME: Final = r"^(?!-)[A-Za-z0-9-]{1,63}(?<!-)(\.(?!-)[A-Za-z0-9-]{1,63}(?<!-))*$"  # RFC 1123, as the contract writes it
_FILE_NAME: Final = r'^[^\x00-\x1f\x7f\\/:*?"<>|]+$'
_ADDRESS_RULE: Final = "an IPv4 address such as 192.0.2."


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One field's rule; the names are the contract's.

    Attributes:
        rule: what it must be, for people.
        families: the guests it can reach; empty: all.
        elsewhere: what becomes of it for another guest: ``refused`` or ``dropped``.
    """

    name: str
    type: str
    rule: str
    required: bool = False
    min: int | None = None
    max: int | None = None
    min_length: int = 0
    max_length: int | None = None
    pattern: str = ""
    forbidden_pattern: str = ""
    format: str = ""
    values: tuple[str, ...] = ()
    families: tuple[str, ...] = ()
    elsewhere: str = ""
    secret: bool = False
    acts_once: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldSet:
    """Fields that go together: all of ``members`` or none; ``extra`` only with them."""

    members: tuple[str, ...]
    rule: str
    extra: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SecretRule:
    """What a guest's dialect forbids in some secrets."""

    fields: tuple[str, ...]
    forbidden_pattern: str
    rule: str


OS_FAMILIES: Final[dict[str, tuple[str, ...]]] = {
    "windows": ("Windows", "Microsoft Windows"),
    "linux": (
        "Ubuntu",
        "RHEL",
        "Red Hat Enterprise Linux",
        "CentOS",
        "Rocky Linux",
        "AlmaLinux",
        "Oracle Linux",
        "Debian",
        "SUSE",
        "openSUSE",
        "Fedora",
    ),
}
EVERY_STRING_FORBIDDEN: Final = r"[\r\n\x00]|^\s+$"
EVERY_STRING_RULE: Final = "one line, not blank"
EVERY_STRING_EXCEPT: Final = ("notes",)

FIELDS: Final[tuple[Field, ...]] = (
    Field(
        name="vm_name",
        type="string",
        required=True,
        min_length=1,
        max_length=64,
        pattern=_FILE_NAME,
        forbidden_pattern=r"(^[ ])|([ .]$)|(^(?i:con|prn|aux|nul|com[0-9]|lpt[0-9])(\..*)?$)",
        rule="1 to 64 characters that a folder's name can hold: none of \\ / : * ? \" < > |, no blank at the ends, "
        "no dot at the end, no device name such as CON",
    ),
    Field(
        name="image_name",
        type="string",
        required=True,
        min_length=1,
        max_length=200,
        pattern=_FILE_NAME,
        forbidden_pattern=r"(^[ ])|([ .]$)|(^\.)",
        rule="the name of a golden image's file without .vhdx, 1 to 200 characters, without a folder",
    ),
    Field(
        name="gb_ram", type="number", required=True, min=1, max=512, rule="a whole number from 1 to 512 (GiB)"
    ),
    Field(name="cpu_cores", type="integer", required=True, min=1, max=64, rule="1 to 64"),
    Field(name="os_family", type="enum", values=("linux", "windows"), rule="linux or windows"),
    Field(
        name="guest_la_uid",
        type="string",
        required=True,
        min_length=1,
        max_length=104,
        acts_once=True,
        rule="the guest's local administrator",
    ),
    Field(
        name="guest_la_pw",
        type="string",
        required=True,
        min_length=1,
        max_length=1000,
        secret=True,
        acts_once=True,
        rule="the password of guest_la_uid",
    ),
    Field(name="guest_v4_ipaddr", type="string", format="ipv4", acts_once=True, rule=_ADDRESS_RULE + "10"),
    Field(name="guest_v4_cidrprefix", type="integer", min=1, max=32, acts_once=True, rule="1 to 32"),
    Field(name="guest_v4_defaultgw", type="string", format="ipv4", acts_once=True, rule=_ADDRESS_RULE + "1"),
    Field(name="guest_v4_dns1", type="string", format="ipv4", acts_once=True, rule=_ADDRESS_RULE + "53"),
    Field(name="guest_v4_dns2", type="string", format="ipv4", acts_once=True, rule=_ADDRESS_RULE + "54"),
    Field(
        name="guest_net_dnssuffix",
        type="string",
        min_length=1,
        max_length=253,
        acts_once=True,
        pattern=_DOMAIN_NAME,
        families=("linux",),
        elsewhere="dropped",
        rule="a domain name such as example.com",
    ),
    Field(
        name="guest_domain_jointarget",
        type="string",
        min_length=1,
        max_length=253,
        acts_once=True,
        pattern=_DOMAIN_NAME,
        families=("windows",),
        elsewhere="refused",
        rule="a domain name such as example.com",
    ),
    Field(
        name="guest_domain_joinuid",
        type="string",
        min_length=1,
        max_length=256,
        acts_once=True,
        families=("windows",),
        elsewhere="refused",
        rule="the account that joins the domain",
    ),
    Field(
        name="guest_domain_joinpw",
        type="string",
        min_length=1,
        max_length=1000,
        secret=True,
        acts_once=True,
        families=("windows",),
        elsewhere="refused",
        rule="the password of guest_domain_joinuid",
    ),
    Field(
        name="guest_domain_joinou",
        type="string",
        min_length=1,
        max_length=700,
        acts_once=True,
        pattern=r"^(?i:(OU|CN)=[^,]+,)+(?i:DC=[^,]+)(?i:,DC=[^,]+)*$",
        families=("windows",),
        elsewhere="refused",
        rule="a distinguished name such as OU=Servers,DC=example,DC=com",
    ),
    Field(
        name="cnf_ansible_ssh_user",
        type="string",
        min_length=1,
        max_length=32,
        acts_once=True,
        families=("linux",),
        elsewhere="dropped",
        rule="an account such as ansible",
    ),
    Field(
        name="cnf_ansible_ssh_key",
        type="string",
        min_length=1,
        max_length=3000,
        acts_once=True,
        pattern=r"^[a-z0-9@.-]+ [A-Za-z0-9+/]+={0,2}( [^\x00-\x1f\x7f]*)?$",
        families=("linux",),
        elsewhere="dropped",
        rule="a public key in one line such as ssh-ed25519 AAAA... comment",
    ),
    Field(name="vlan_id", type="integer", min=0, max=4094, rule="0 (untagged) to 4094"),
    Field(
        name="virtual_switch",
        type="string",
        min_length=1,
        max_length=256,
        pattern=r"^[^\x00-\x1f\x7f]+$",
        rule="the exact name of a virtual switch",
    ),
    Field(name="vm_clustered", type="boolean", rule="true or false (a document may say Yes or No)"),
    Field(name="power_state", type="enum", values=("running", "off"), rule="running or off"),
    Field(
        name="notes",
        type="string",
        max_length=4000,
        forbidden_pattern=r"(?m)^aetherv: \{",
        rule="at most 4000 characters, no line that begins with aetherv: {",
    ),
)

STATIC_IPV4: Final = FieldSet(
    members=("guest_v4_ipaddr", "guest_v4_cidrprefix", "guest_v4_defaultgw"),
    rule="guest_v4_ipaddr, guest_v4_cidrprefix and guest_v4_defaultgw go together",
)
DOMAIN_JOIN: Final = FieldSet(
    members=("guest_domain_jointarget", "guest_domain_joinuid", "guest_domain_joinpw"),
    extra=("guest_domain_joinou",),
    rule="guest_domain_jointarget, guest_domain_joinuid and guest_domain_joinpw go together",
)
ANSIBLE: Final = FieldSet(
    members=("cnf_ansible_ssh_user", "cnf_ansible_ssh_key"),
    rule="cnf_ansible_ssh_user and cnf_ansible_ssh_key go together",
)
SETS: Final = (STATIC_IPV4, DOMAIN_JOIN, ANSIBLE)
DNS2_RULE: Final = "guest_v4_dns2 needs guest_v4_dns1"

# Of the dialects: what their rules say of secrets. All other fields are judged by the agent, by the host's own ISO.
SECRET_RULES: Final[dict[str, tuple[SecretRule, ...]]] = {
    "linux": (
        SecretRule(
            fields=("guest_la_pw",),
            forbidden_pattern=r"""['"\\\t]|^ | $|  |^-[neE]+( |$)|^--help$|^--version$""",
            rule="this guest's scripts can't carry ' \" \\ or a tab, a blank at the ends, two blanks in a row, a first "
            "word of -n, -e or -E, nor the texts --help and --version",
        ),
        SecretRule(
            fields=("*",),
            forbidden_pattern=r"^-[neE]+$",
            rule="this guest's scripts can't carry the text -n, -e or -E alone",
        ),
    ),
    "windows": (
        SecretRule(
            fields=("guest_la_pw", "guest_domain_joinpw"),
            forbidden_pattern=r"[^\x00-\x7f]",
            rule="this guest reads account, password and domain fields in its own code page: ASCII only",
        ),
        SecretRule(
            fields=("guest_domain_joinpw",),
            forbidden_pattern=r"^\s|\s$",
            rule="this guest cuts blanks at the ends off",
        ),
    ),
}
SECRET_BYTES: Final[dict[str, int | None]] = {"linux": None, "windows": 735}
REQUIRED_WITH_DOMAIN: Final[dict[str, tuple[str, ...]]] = {"linux": (), "windows": ("guest_domain_joinou",)}

BY_NAME: Final = {field.name: field for field in FIELDS}
ACTS_ONCE: Final = tuple(field.name for field in FIELDS if field.acts_once)


def os_family_of(image_name: str) -> str | None:
    """Give the family that the beginning of an image's name tells, upper and lower case alike, or None."""
    name = image_name.casefold()
    for family, beginnings in OS_FAMILIES.items():
        if any(name.startswith(beginning.casefold()) for beginning in beginnings):
            return family
    return None
