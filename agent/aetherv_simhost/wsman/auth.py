"""Who is at the other end of a connection: Basic (over TLS alone) and Negotiate/NTLM (MS-NLMP, RFC 4559).

The state belongs to one TCP connection, as with Windows: once NTLM is through, every request on the connection is the
account's, and over plain HTTP the same context seals the messages.
"""

import base64
import binascii
import hmac
import os
import re
import struct
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

import spnego
from spnego._ntlm_raw.crypto import ntowfv1  # the acceptor wants hashes, and only it has MD4
from spnego.exceptions import SpnegoError

_NTLM_AUTHENTICATE: Final = b"NTLMSSP\x00\x03\x00\x00\x00"
_NTLM_UNICODE: Final = 0x00000001
_USER_FILE: Final = "NTLM_USER_FILE"
# What an account file's line can carry (and a Windows account can be called).
_SAFE_NAME: Final = re.compile(r'[^:"/\\\[\];|=,+*?<>\x00-\x1f]{0,256}')
# The acceptor takes its accounts from a file that an environment variable of the whole process names.
_ACCOUNT_FILE_LOCK: Final = threading.Lock()


@dataclass(frozen=True, slots=True)
class Accounts:
    """The accounts of one simulated host, by name without regard to case."""

    passwords: Mapping[str, str] = field(repr=False)

    def find(self, user: str) -> tuple[str, str] | None:
        r"""The account's own name and password for ``name``, ``DOMAIN\name`` or ``name@domain``."""
        name = user.rsplit("\\", 1)[-1]
        for candidate in (name, name.split("@", 1)[0]):
            for account, password in self.passwords.items():
                if account.lower() == candidate.lower():
                    return account, password
        return None


@dataclass(frozen=True, slots=True)
class Challenge:
    """The answer is 401 with these WWW-Authenticate values."""

    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Admitted:
    """The request is ``account``'s; ``token`` (if any) ends the handshake in the answer's WWW-Authenticate."""

    account: str
    token: str | None = None


class Authenticator:
    """The authentication state of one connection.

    Args:
        accounts: Who may come in.
        tls: Whether the connection is encrypted by TLS: without it no password is taken in clear.
    """

    def __init__(self, accounts: Accounts, *, tls: bool) -> None:
        self._accounts = accounts
        self._tls = tls
        self._context: Any = None
        self._account: str | None = None

    @property
    def sealing(self) -> Any:
        """The complete NTLM context that seals messages, or None."""
        return self._context if self._account is not None else None

    def refuse(self) -> Challenge:
        """Forgets everything about the peer and asks for its credentials."""
        self._context = None
        self._account = None
        return Challenge(("Negotiate", 'Basic realm="WSMAN"') if self._tls else ("Negotiate",))

    def check(self, authorization: str | None) -> Challenge | Admitted:
        """Looks at one request's Authorization header (None: there is none)."""
        if authorization is None:
            return self.refuse() if self._account is None else Admitted(self._account)
        scheme, _, text = authorization.partition(" ")
        try:
            blob = base64.b64decode(text.strip(), validate=True)
        except binascii.Error:
            return self.refuse()
        if scheme.lower() == "basic" and self._tls:
            return self._basic(blob)
        if scheme.lower() == "negotiate":
            return self._negotiate(blob)
        return self.refuse()

    def _basic(self, blob: bytes) -> Challenge | Admitted:
        # RFC 7617; requests sends latin-1 where it can, .NET UTF-8.
        user, _, password = blob.partition(b":")
        for encoding in ("utf-8", "latin-1"):
            try:
                found = self._accounts.find(user.decode(encoding))
            except UnicodeDecodeError:
                continue
            if found and hmac.compare_digest(found[1].encode(encoding, "replace"), password):
                return Admitted(found[0])
        return self.refuse()

    def _negotiate(self, token: bytes) -> Challenge | Admitted:
        if self._account is not None:
            # A client may authenticate anew on a connection it has used before.
            self.refuse()
        try:
            claimed = _claimed_user(token)
            found = self._accounts.find(claimed[1]) if claimed else None
            if claimed is not None and found is None:
                return self.refuse()
            with _account_file(_account_line(claimed, found[1]) if claimed and found else b""):
                if self._context is None:
                    self._context = spnego.server(protocol="negotiate")
                answer = self._context.step(token)
        except (SpnegoError, ValueError, struct.error):
            return self.refuse()
        text = base64.b64encode(answer).decode() if answer else None
        if not self._context.complete:
            return Challenge((f"Negotiate {text}",)) if text else self.refuse()
        if found is None:
            return self.refuse()
        self._account = found[0]
        return Admitted(self._account, f"Negotiate {text}" if text else None)


def _claimed_user(token: bytes) -> tuple[str, str] | None:
    """Domain and user of an NTLM AUTHENTICATE message (MS-NLMP 2.2.1.3), also one inside SPNEGO.

    Raises:
        ValueError: The message is broken, or a name holds what no account's name can.
    """
    start = token.find(_NTLM_AUTHENTICATE)
    if start < 0:
        return None
    message = token[start:]
    encoding = "utf-16-le" if struct.unpack_from("<I", message, 60)[0] & _NTLM_UNICODE else "cp437"
    names: list[str] = []
    for position in (28, 36):
        length, _, offset = struct.unpack_from("<HHI", message, position)
        names.append(message[offset : offset + length].decode(encoding))
    if not all(_SAFE_NAME.fullmatch(name) for name in names):
        raise ValueError("not the name of an account")
    return names[0], names[1]


def _account_line(claimed: tuple[str, str], password: str) -> bytes:
    domain, user = claimed
    name = f"{domain}\\{user}" if domain else user
    return f"{name}:0:{'0' * 32}:{ntowfv1(password).hex().upper()}:[U]:LCT-0\n".encode()


@contextmanager
def _account_file(line: bytes) -> Iterator[None]:
    """Shows the acceptor one account, for as long as its step takes, in a file that lives in memory alone."""
    with _ACCOUNT_FILE_LOCK, os.fdopen(os.memfd_create("simhost-account"), "wb") as file:
        file.write(line)
        file.flush()
        before = os.environ.get(_USER_FILE)
        os.environ[_USER_FILE] = f"/proc/self/fd/{file.fileno()}"
        try:
            yield
        finally:
            if before is None:
                del os.environ[_USER_FILE]
            else:
                os.environ[_USER_FILE] = before
