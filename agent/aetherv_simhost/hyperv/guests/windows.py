"""A Windows guest of the field's ISO (dialect aetherv-2), with what its PowerShell service gets wrong."""

import ipaddress
import re
import secrets
from collections.abc import Mapping
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric import rsa

from aetherv_simhost.hyperv.guests import crypto
from aetherv_simhost.hyperv.guests.exchange import DATA, GuestFailedError, is_piece
from aetherv_simhost.hyperv.guests.port import GuestPort
from aetherv_simhost.hyperv.vm import Account, GuestIdentity, salted

_ACCOUNT: Final = re.compile(r'^[^\x00-\x1f\\/\[\]:;|=,+*?<>@"]{1,20}$')
_COMPUTER: Final = re.compile(r"^(?![0-9]+$)[A-Za-z0-9]([A-Za-z0-9-]{0,13}[A-Za-z0-9])?$")


def ansi(text: str) -> str:
    """A text written as UTF-8 without a byte order mark and read in the code page 1252, as Windows PowerShell does."""
    raw = text.encode("utf-8", "surrogatepass")
    return "".join(_ansi_character(byte) for byte in raw)


def _ansi_character(byte: int) -> str:
    try:
        return bytes([byte]).decode("cp1252")
    except UnicodeDecodeError:  # Windows maps the five bytes that the page leaves out to control characters
        return chr(byte)


class WindowsGuest:
    """The scheduled task: whole values alone, no second look at a checksum, address before domain."""

    name = "windows"
    waits_for_ever = True
    retries_checksum = False

    @staticmethod
    def public_key(port: GuestPort, key: rsa.RSAPrivateKey) -> bytes:
        """A PUBLICKEYBLOB."""
        return crypto.capi_blob(key) if port.image.openssl else b""

    @staticmethod
    def read(items: Mapping[str, str], aes_key: bytes) -> dict[str, str]:
        """Whole values; pieces are passed over."""
        return {
            name: crypto.decrypt(aes_key, value)
            for name, value in items.items()
            if name.startswith(DATA) and not is_piece(name)
        }

    @staticmethod
    def checksum_text(value: str) -> str:
        """The value as it is."""
        return value

    @staticmethod
    def apply(port: GuestPort, values: Mapping[str, str]) -> GuestIdentity:
        """Host name, account, address, then the domain.

        Raises:
            GuestFailedError: A static address fails, or two adapters are up.
        """
        used = {name: ansi(value) for name, value in values.items()}
        host_name = used.get("guest_host_name", "")
        accounts = {name: Account(name, administrator=True, password_hash="") for name in port.image.accounts}
        name, password = used.get("guest_la_uid", ""), used.get("guest_la_pw", "")
        if password and _ACCOUNT.fullmatch(name) and name.strip(" ."):
            accounts[name] = Account(name, True, salted(password, secrets.token_bytes(8)))  # noqa: FBT003  # the field's order says it
        return GuestIdentity(
            host_name=host_name if _COMPUTER.fullmatch(host_name) else port.guest().identity.host_name,
            accounts=tuple(accounts.values()),
            **_network(port, used),
            **_domain(port, used),
        )


def _network(port: GuestPort, used: Mapping[str, str]) -> dict[str, Any]:
    address = used.get("guest_v4_ip_addr", "")
    if not address:
        return {}
    prefix, gateway = used.get("guest_v4_cidr_prefix", ""), used.get("guest_v4_default_gw", "")
    try:
        ipaddress.IPv4Interface(f"{address}/{prefix}")
        ipaddress.IPv4Address(gateway)
    except ValueError:
        raise GuestFailedError("error applying:modules") from None
    if port.image.adapters_up != 1:
        raise GuestFailedError("error applying:modules")
    dns = tuple(used.get(name, "") for name in ("guest_v4_dns1", "guest_v4_dns2"))
    return {"ipv4": address, "prefix": int(prefix), "gateway": gateway, "dns": tuple(filter(None, dns))}


def _domain(port: GuestPort, used: Mapping[str, str]) -> dict[str, Any]:
    target = used.get("guest_domain_join_target", "").strip()
    account, password, unit = (
        used.get(f"guest_domain_join_{name}", "").strip() for name in ("uid", "pw", "ou")
    )
    if not (target and account and password and unit) or not port.domain_answers(target):
        return {}
    return {
        "domain": target,
        "domain_ou": unit,
        "domain_account": account,
        "domain_password_hash": salted(password, secrets.token_bytes(8)),
    }
