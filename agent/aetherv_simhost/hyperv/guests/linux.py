"""A Linux guest of the field's ISO (dialect aetherv-2), with what its shell scripts get wrong."""

import ipaddress
import re
import secrets
from collections.abc import Mapping
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric import rsa

from aetherv_simhost.hyperv.guests import crypto
from aetherv_simhost.hyperv.guests.exchange import DATA, is_piece
from aetherv_simhost.hyperv.guests.port import GuestPort
from aetherv_simhost.hyperv.vm import Account, GuestIdentity, salted

_MAX_PIECES: Final = 30
_OPTION: Final = re.compile(r"^-[neE]+$")
_ACCOUNT: Final = re.compile(r"^[a-z_][a-z0-9_-]{0,31}$")
_LABEL: Final = re.compile(r"^[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?$")
_ECHO_HELP: Final = {
    "--help": "Usage: /usr/bin/echo [SHORT-OPTION]... [STRING]...",
    "--version": "echo (GNU coreutils) 9.4",
}


def echo_builtin(text: str) -> str:
    """What ``$(echo "$text")`` gives in bash: a lone option is taken as one, newlines at the end are lost."""
    return "" if _OPTION.fullmatch(text) else text.rstrip("\n")


def xargs(text: str) -> str:
    """What ``$(echo "$text" | xargs)`` gives: quotes and backslashes are read, blanks collapse, echo reads options."""
    words = _words(echo_builtin(text))
    if words is None:
        return ""
    if len(words) == 1 and words[0] in _ECHO_HELP:
        return _ECHO_HELP[words[0]]
    while words and _OPTION.fullmatch(words[0]):
        words = words[1:]
    return " ".join(words)


def _words(text: str) -> list[str] | None:
    """The words as ``xargs`` cuts them; None for a quote without its end."""
    words: list[str] = []
    word: str | None = None
    quote = ""
    characters = iter(text)
    for character in characters:
        if quote:
            if character == quote:
                quote = ""
            elif character == "\n":
                return None
            else:
                word = (word or "") + character
        elif character in "'\"":
            quote, word = character, word or ""
        elif character == "\\":
            word = (word or "") + next(characters, "")
        elif character in " \t\n":
            words += [] if word is None else [word]
            word = None
        else:
            word = (word or "") + character
    return None if quote else words + ([] if word is None else [word])


class LinuxGuest:
    """The shell service: values in pieces, an ``xargs`` before every use, netplan for ``eth0``."""

    name = "linux"
    waits_for_ever = False
    retries_checksum = True

    @staticmethod
    def public_key(port: GuestPort, key: rsa.RSAPrivateKey) -> bytes:
        """PKCS#1 DER; nothing where the image has no openssl."""
        return crypto.pkcs1_der(key) if port.image.openssl else b""

    @staticmethod
    def read(items: Mapping[str, str], aes_key: bytes) -> dict[str, str]:
        """Whole values, else pieces up to the first index that is missing."""
        values: dict[str, str] = {}
        for name in sorted(items):
            if name.startswith(DATA) and not is_piece(name):
                values[name] = crypto.decrypt(aes_key, items[name]).rstrip("\n")
        for name in sorted(items):
            if not name.startswith(DATA) or not name.endswith("._0"):
                continue
            base = name.removesuffix("._0")
            if base in values:
                continue
            pieces = []
            for index in range(_MAX_PIECES):
                if (piece := items.get(f"{base}._{index}")) is None:
                    break
                pieces.append(crypto.decrypt(aes_key, piece).rstrip("\n"))
            values[base] = "".join(pieces)
        return values

    @staticmethod
    def checksum_text(value: str) -> str:
        """The value as ``echo`` gives it."""
        return echo_builtin(value)

    @staticmethod
    def apply(port: GuestPort, values: Mapping[str, str]) -> GuestIdentity:
        """Host name, account, address and SSH key; each may fail without a word."""
        used = {name: xargs(value) for name, value in values.items()}
        host_name = used.get("guest_host_name", "")
        accounts = {name: Account(name, name == "root", "") for name in port.image.accounts}
        _account(accounts, used.get("guest_la_uid", ""), used.get("guest_la_pw", ""))
        user, key = used.get("ansible_ssh_user", ""), used.get("ansible_ssh_key", "")
        if key and _ACCOUNT.fullmatch(user):
            before = accounts.get(user) or Account(user, administrator=True, password_hash="")
            accounts[user] = Account(user, before.administrator, before.password_hash, (key,))
        return GuestIdentity(
            host_name=host_name if _LABEL.fullmatch(host_name) else port.guest().identity.host_name,
            accounts=tuple(accounts.values()),
            **(_network(used) if port.image.netplan else {}),
        )


def _account(accounts: dict[str, Account], name: str, password: str) -> None:
    if not password or not _ACCOUNT.fullmatch(name):
        return
    known = accounts.get(name)
    hashed = salted(password, secrets.token_bytes(8))
    accounts[name] = Account(name, known.administrator if known else True, hashed)


def _network(used: Mapping[str, str]) -> dict[str, Any]:
    address, prefix, gateway = (
        used.get(name, "") for name in ("guest_v4_ip_addr", "guest_v4_cidr_prefix", "guest_v4_default_gw")
    )
    try:
        ipaddress.IPv4Interface(f"{address}/{prefix}")
        ipaddress.IPv4Address(gateway)
    except ValueError:
        return {}
    dns = tuple(used[name] for name in ("guest_v4_dns1", "guest_v4_dns2") if used.get(name))
    return {
        "ipv4": address,
        "prefix": int(prefix),
        "gateway": gateway,
        "dns": dns,
        "dns_suffix": used.get("guest_net_dns_suffix", "") if dns else "",
    }
