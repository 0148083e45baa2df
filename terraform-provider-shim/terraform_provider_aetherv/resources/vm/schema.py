"""The attributes of ``aetherv_vm``, as users write and read them. Data alone."""

from __future__ import annotations

from typing import Final

from terraform_provider_aetherv.cty.types import BOOL, NUMBER, STRING, CtyType, ListOf
from terraform_provider_aetherv.cty.values import Value
from terraform_provider_aetherv.schema.model import (
    NO_DEFAULT,
    Attribute,
    IdentityAttribute,
    IdentitySchema,
    NestedObject,
    Schema,
)

SHUTDOWN_MODES: Final = ("graceful_then_off", "graceful", "off")
IP_WAITS: Final = ("none", "ipv4", "ipv6", "any")
FAILURE_POLICIES: Final = ("rollback", "keep")
TIMEOUTS: Final = ("create", "read", "update", "delete")

_ONCE = (
    " Used once, when the VM is made: a later change is recorded with a warning and does not reach the guest."
)
_UNSET = " Not set on a VM that exists: left as it is found."


def _optional(name: str, kind: CtyType, description: str, *, sensitive: bool = False) -> Attribute:
    return Attribute(name=name, type=kind, optional=True, sensitive=sensitive, description=description)


def _once(name: str, kind: CtyType, description: str, *, sensitive: bool = False) -> Attribute:
    return _optional(name, kind, description + _ONCE, sensitive=sensitive)


def _write_only(name: str, description: str) -> Attribute:
    return Attribute(
        name=name, type=STRING, optional=True, sensitive=True, write_only=True, description=description
    )


def _setting(name: str, kind: CtyType, description: str, default: Value = NO_DEFAULT) -> Attribute:
    return Attribute(
        name=name, type=kind, optional=True, computed=True, default=default, description=description
    )


def _computed(name: str, kind: CtyType, description: str) -> Attribute:
    return Attribute(name=name, type=kind, computed=True, description=description)


ATTRIBUTES: Final = (
    Attribute(
        name="vm_name",
        type=STRING,
        required=True,
        description="Name of the VM in Hyper-V, and host name of its guest: 1 to 64 characters; a Windows guest takes 15, "
        "a Linux guest an RFC 1123 label.",
    ),
    _optional(
        "image_name",
        STRING,
        "Golden image, by its file's name without `.vhdx`. Needed to create; another image replaces the VM.",
    ),
    _setting(
        "os_family",
        STRING,
        "`linux` or `windows`. Not set: told by the beginning of `image_name`. Another family replaces the VM.",
    ),
    Attribute(
        name="gb_ram",
        type=NUMBER,
        required=True,
        description="Memory in GiB. A new VM takes a whole number from 1 to 512, one that exists any multiple of 2 MB.",
    ),
    Attribute(name="cpu_cores", type=NUMBER, required=True, description="Virtual processors, 1 to 64."),
    _once("guest_la_uid", STRING, "The guest's local administrator. Needed to create."),
    _once(
        "guest_la_pw",
        STRING,
        "Password of `guest_la_uid`. **Terraform stores it in its state**: prefer `guest_la_pw_wo`.",
        sensitive=True,
    ),
    _write_only(
        "guest_la_pw_wo",
        "Password of `guest_la_uid`, never stored (Terraform 1.11 and later). One of `guest_la_pw` and `guest_la_pw_wo` "
        "is needed to create.",
    ),
    _once(
        "guest_la_pw_wo_version",
        NUMBER,
        "Version of `guest_la_pw_wo`: raise it to say that the password changed.",
    ),
    _once("guest_v4_ipaddr", STRING, "Static IPv4 address; goes with prefix and gateway. Not set: DHCP."),
    _once("guest_v4_cidrprefix", NUMBER, "Prefix length of the static address, 1 to 32."),
    _once("guest_v4_defaultgw", STRING, "Default gateway of the static address."),
    _once("guest_v4_dns1", STRING, "First DNS server."),
    _once("guest_v4_dns2", STRING, "Second DNS server; needs `guest_v4_dns1`."),
    _once("guest_net_dnssuffix", STRING, "DNS suffix, Linux only; dropped with a warning for Windows."),
    _once(
        "guest_domain_jointarget", STRING, "Domain to join, Windows only; goes with account, password and OU."
    ),
    _once("guest_domain_joinuid", STRING, "Account that joins the domain, Windows only."),
    _once(
        "guest_domain_joinpw",
        STRING,
        "Password of `guest_domain_joinuid`. **Terraform stores it in its state**: prefer `guest_domain_joinpw_wo`.",
        sensitive=True,
    ),
    _write_only(
        "guest_domain_joinpw_wo",
        "Password of `guest_domain_joinuid`, never stored (Terraform 1.11 and later).",
    ),
    _once(
        "guest_domain_joinpw_wo_version",
        NUMBER,
        "Version of `guest_domain_joinpw_wo`: raise it to say that the password changed.",
    ),
    _once(
        "guest_domain_joinou", STRING, "OU of the computer's object, such as `OU=Servers,DC=example,DC=com`."
    ),
    _once("cnf_ansible_ssh_user", STRING, "Account for management by SSH, Linux only; goes with its key."),
    _once("cnf_ansible_ssh_key", STRING, "Public key of that account in one line, Linux only."),
    _setting(
        "guest_replace_on_change",
        BOOL,
        "Replace the VM when an attribute that is used once (`guest_*`, `cnf_*`) changes. Default `false`.",
        default=False,
    ),
    _setting(
        "target_host",
        STRING,
        "Host to make the VM on. Not set: the agent places it. `host` tells where the VM is.",
    ),
    _setting("vlan_id", NUMBER, "VLAN of the VM's adapter, 0 (untagged, the default) to 4094." + _UNSET),
    _setting(
        "virtual_switch",
        STRING,
        "Virtual switch by its exact name. Not set: the host's default switch." + _UNSET,
    ),
    _setting(
        "vm_clustered",
        BOOL,
        "Whether the VM is a role of the host's failover cluster. Default `false`." + _UNSET,
    ),
    _setting(
        "power_state", STRING, "`running` (default) or `off`: customised first, then shut down." + _UNSET
    ),
    _optional(
        "notes", STRING, "Notes of the VM in Hyper-V, without the line that the agent keeps there." + _UNSET
    ),
    _setting(
        "shutdown_mode",
        STRING,
        "How a running VM is stopped: `graceful_then_off` (default), `graceful` or `off`.",
        default="graceful_then_off",
    ),
    _setting(
        "allow_stop",
        BOOL,
        "Whether a change that needs the VM off may stop it. Default `false`.",
        default=False,
    ),
    _setting(
        "deletion_protection",
        BOOL,
        "Refuse to destroy or replace the VM. Default `false`.",
        default=False,
    ),
    _setting(
        "wait_for_guest",
        BOOL,
        "Whether create waits until the guest is customised. `false`: it returns once the guest's data is published; "
        "the rest goes on behind it and no later failure removes the VM. Default `true`.",
        default=True,
    ),
    _setting(
        "wait_for_ip",
        STRING,
        "Address that create waits for: `none` (default), `ipv4`, `ipv6` or `any`.",
        default="none",
    ),
    _setting(
        "on_failure",
        STRING,
        "What stands after a create that failed: `rollback` (default, nothing) or `keep` (the VM, tainted).",
        default="rollback",
    ),
    Attribute(
        name="timeouts",
        nested=NestedObject(
            attributes=tuple(
                _optional(name, STRING, f"Time for {name}, such as `60m` or `1h30m`.") for name in TIMEOUTS
            )
        ),
        optional=True,
        description="How long each kind of change may take. Defaults: create 60m, read 5m, update 60m, delete 30m.",
    ),
    _computed("id", STRING, "Hyper-V's id of the VM, a GUID in lower case."),
    _computed("host", STRING, "Host that has the VM."),
    _computed("state", STRING, "`running`, `off`, `paused`, `saved`, `changing` or `critical`."),
    _computed(
        "guest_state",
        STRING,
        "What the guest's provisioning said last: `none`, `starting`, `ready`, `applying`, `applied` or `failed`. "
        "Null: the VM was not made here.",
    ),
    _computed(
        "verified", BOOL, "Whether the guest was seen to have become what was asked. Null: not checked."
    ),
    _computed(
        "ip_addresses", ListOf(STRING), "Addresses of the VM's own adapter, without loopback and link-local."
    ),
    _computed("ipv4_address", STRING, "The first IPv4 address of `ip_addresses`, or null."),
    _computed("ipv6_address", STRING, "The first IPv6 address of `ip_addresses`, or null."),
    _computed("mac_address", STRING, "MAC address of the VM's first adapter."),
    _computed("vhd_path", STRING, "File of the VM's first disk on its host."),
    _computed("creation_time", STRING, "When Hyper-V made the VM (RFC 3339, UTC)."),
)

SCHEMA: Final = Schema(
    attributes=ATTRIBUTES,
    description="A virtual machine on Hyper-V, made from a golden image and customised: name, address, domain or SSH "
    "account. A drift of its place never replaces it.",
)

IDENTITY: Final = IdentitySchema(
    attributes=(
        IdentityAttribute(
            name="id",
            type=STRING,
            required_for_import=True,
            description="Hyper-V's id of the VM, a GUID in lower case",
        ),
    )
)

# The ones that Hyper-V can change on a VM that exists: they need UpdateVm, which the agent does not have yet.
CHANGED_IN_PLACE: Final = (
    "vm_name",
    "gb_ram",
    "cpu_cores",
    "vlan_id",
    "virtual_switch",
    "power_state",
    "vm_clustered",
    "notes",
)
COMPUTED_ONLY: Final = tuple(a.name for a in ATTRIBUTES if a.computed and not a.optional)
SECRETS: Final = ("guest_la_pw", "guest_domain_joinpw")
# Each secret's two ways to be given.
WRITE_ONLY_OF: Final = {name: f"{name}_wo" for name in SECRETS}
VERSION_OF: Final = {name: f"{name}_wo_version" for name in SECRETS}
