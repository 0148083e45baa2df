"""How the agent is reached: settings from arguments and ``AETHERV_*`` variables, judged before anything is opened.

Reads the files that settings name; opens no connection.
"""

from __future__ import annotations

import ipaddress
import os
import re
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from aetherv.errors import SettingsError

DEFAULT_TIMEOUT: Final = 60.0
_PREFIX: Final = "AETHERV_"
_DURATION: Final = re.compile(r"([0-9]{1,6})([smh])?")
_UNITS: Final = {"s": 1, "m": 60, "h": 3600}
_TRUE: Final = frozenset({"1", "true", "yes", "on"})
_FALSE: Final = frozenset({"0", "false", "no", "off", ""})


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """A connection's settings, complete and readable.

    Attributes:
        endpoint: ``host:port`` or ``unix:/path``.
        token: sent with each call; empty for an agent that takes client certificates.
        ca_cert: PEM of the authority that signed the agent's certificate; None: the system's.
        client_cert: PEM of the client's certificate; None: none.
        client_key: PEM of its key.
        plaintext: no TLS; loopback and unix sockets only.
        request_timeout: seconds that one call may take.
    """

    endpoint: str
    token: str = field(default="", repr=False)
    ca_cert: bytes | None = None
    client_cert: bytes | None = None
    client_key: bytes | None = field(default=None, repr=False)
    plaintext: bool = False
    request_timeout: float = DEFAULT_TIMEOUT


def resolve(
    *,
    endpoint: str | None = None,
    token: str | None = None,
    token_file: str | None = None,
    ca_cert: str | None = None,
    client_cert: str | None = None,
    client_key: str | None = None,
    plaintext: bool | None = None,
    request_timeout: float | None = None,
    environ: Mapping[str, str] | None = None,
) -> Settings:
    """Complete settings from the environment and read the files that they name.

    Args:
        endpoint: ``host:port`` or ``unix:/path``; else ``AETHERV_ENDPOINT``.
        token: the token itself; else ``AETHERV_TOKEN``.
        token_file: a file that only its owner may read; else ``AETHERV_TOKEN_FILE``. A ``token`` given beside it wins
            if both come from the same place; what is given here wins over the environment.
        ca_cert: PEM, or the path of a PEM file; else ``AETHERV_CA_CERT``.
        client_cert: PEM or path; else ``AETHERV_CLIENT_CERT``.
        client_key: PEM or path of a file that only its owner may read; else ``AETHERV_CLIENT_KEY``.
        plaintext: no TLS; else ``AETHERV_PLAINTEXT``.
        request_timeout: seconds; else ``AETHERV_REQUEST_TIMEOUT``.
        environ: the environment; None: the process's.

    Raises:
        SettingsError: one is missing or can't be used.
    """
    env = os.environ if environ is None else environ

    def pick(name: str, given: str | None) -> str | None:
        return given if given is not None else (env.get(_PREFIX + name.upper()) or None)

    where = pick("endpoint", endpoint)
    if not where:
        raise SettingsError("endpoint", "is missing: set it, or AETHERV_ENDPOINT, to the agent's host:port.")
    check_endpoint(where)
    plain = plaintext if plaintext is not None else _flag(env.get(f"{_PREFIX}PLAINTEXT", ""))
    if plain and not is_local(where):
        raise SettingsError(
            "plaintext", f"is only for loopback addresses and unix sockets, and {where} is neither."
        )
    secret = token
    if secret is None and token_file is not None:
        secret = read_secret_file(token_file, "token_file")
    if secret is None:
        secret = env.get(f"{_PREFIX}TOKEN") or None
    if secret is None and (path := env.get(f"{_PREFIX}TOKEN_FILE")):
        secret = read_secret_file(path, "token_file")
    cert, key = pick("client_cert", client_cert), pick("client_key", client_key)
    if (cert is None) != (key is None):
        raise SettingsError("client_key", "and client_cert go together: one of them is missing.")
    return Settings(
        endpoint=where,
        token=_checked_token(secret or ""),
        ca_cert=_pem(pick("ca_cert", ca_cert), "ca_cert"),
        client_cert=_pem(cert, "client_cert"),
        client_key=_pem(key, "client_key", secret=True),
        plaintext=plain,
        request_timeout=_timeout(request_timeout, env.get(f"{_PREFIX}REQUEST_TIMEOUT")),
    )


def check_endpoint(endpoint: str) -> None:
    """Refuse an endpoint that has no known form.

    Raises:
        SettingsError: it has none.
    """
    if endpoint.startswith("unix:") and len(endpoint) > len("unix:"):
        return
    host, separator, port = endpoint.rpartition(":")
    bare = "://" not in endpoint and host and (":" not in host or host.startswith("["))
    if not (separator and bare and port.isascii() and port.isdigit() and 0 < int(port) < 65536):  # noqa: PLR2004  # TCP's ports
        raise SettingsError("endpoint", f"must be host:port or unix:/path, and {endpoint!r} is neither.")


def is_local(endpoint: str) -> bool:
    """Tell whether an endpoint can only be this machine: a unix socket or a loopback address."""
    if endpoint.startswith("unix:"):
        return True
    host = endpoint.rpartition(":")[0].strip("[]")
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def read_secret_file(path: str, setting: str) -> str:
    """Read a secret from a file that nobody but its owner may read; white space at the ends is not part of it.

    Raises:
        SettingsError: it can't be read, is empty, or others may read it.
    """
    file = Path(path).expanduser()
    try:
        with file.open("rb") as stream:
            mode = os.fstat(stream.fileno()).st_mode
            # Windows has no such bits: access there is the folder's.
            if os.name == "posix" and stat.S_ISREG(mode) and mode & (stat.S_IRWXG | stat.S_IRWXO):
                raise SettingsError(setting, f"{file} can be read by others: chmod 600 it.")
            text = stream.read(65536).decode()
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) and error.strerror else "it holds no text"
        raise SettingsError(setting, f"{file} can't be read: {why}.") from None
    if not text.strip():
        raise SettingsError(setting, f"{file} is empty.")
    return text.strip()


def _checked_token(token: str) -> str:
    if not token.isascii() or not token.isprintable():
        raise SettingsError("token", "holds characters that no token has.")
    return token.strip()


def _pem(value: str | None, setting: str, *, secret: bool = False) -> bytes | None:
    if value is None:
        return None
    if value.lstrip().startswith("-----BEGIN"):
        return value.encode()
    if secret:
        return read_secret_file(value, setting).encode()
    try:
        return Path(value).expanduser().read_bytes()
    except OSError as error:
        raise SettingsError(setting, f"{value} can't be read: {error.strerror}.") from None


def _flag(text: str) -> bool:
    if text.lower() in _TRUE:
        return True
    if text.lower() in _FALSE:
        return False
    raise SettingsError("plaintext", f"AETHERV_PLAINTEXT must be true or false, not {text!r}.")


def _timeout(given: float | None, text: str | None) -> float:
    if given is None and text:
        match = _DURATION.fullmatch(text)
        if match is None:
            raise SettingsError("request_timeout", f"must be a time such as 60s or 2m, not {text!r}.")
        given = float(match[1]) * _UNITS[match[2] or "s"]
    if given is None:
        return DEFAULT_TIMEOUT
    if not 0 < given <= 3600:  # noqa: PLR2004  # an hour: longer work is an operation
        raise SettingsError("request_timeout", "must be more than 0 seconds and at most an hour.")
    return given
