"""The host's side of NTLM (MS-NLMP), as it is or inside SPNEGO, for the accounts of one simulated host.

Nothing here knows HTTP. pyspnego's acceptor does the protocol; here is which account a message speaks of, and how the
acceptor gets to know that account alone.
"""

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
from spnego.exceptions import InvalidCredentialError, InvalidTokenError

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


class NtlmAcceptor:
    """One authentication by NTLM, step by step; then the context that signs and seals. Also the inner one of CredSSP."""

    def __init__(self, accounts: Accounts) -> None:
        self._accounts = accounts
        self._context: Any = None
        self._claimed: str | None = None

    @property
    def account(self) -> str | None:
        """Who the peer has proved to be; None before."""
        return self._claimed if self._context is not None and self._context.complete else None

    @property
    def complete(self) -> bool:
        """Whether the peer has proved who it is."""
        return self.account is not None

    def step(self, token: bytes) -> bytes | None:
        """Takes the peer's message and gives the answer, if any.

        Raises:
            SpnegoError: The peer is refused, whatever the reason.
        """
        try:
            claimed = _claimed_user(token)
            found = self._accounts.find(claimed[1]) if claimed else None
            if claimed is not None and (found is None or self._claimed is not None):
                raise InvalidCredentialError(context_msg="no such account")
            with _account_file(_account_line(claimed, found[1]) if claimed and found else b""):
                if self._context is None:
                    self._context = spnego.server(protocol="negotiate")
                answer: bytes | None = self._context.step(token)
        except (ValueError, struct.error) as error:
            raise InvalidTokenError(context_msg="no message of NTLM") from error
        if found is not None:
            self._claimed = found[0]
        return answer

    def wrap(self, data: bytes) -> Any:
        """Seals bytes; they stand in the answer's ``data``."""
        return self._context.wrap(data)

    def unwrap(self, data: bytes) -> Any:
        """Opens sealed bytes; they stand in the answer's ``data``."""
        return self._context.unwrap(data)

    def wrap_winrm(self, data: bytes) -> Any:
        """Seals a message of WinRM."""
        return self._context.wrap_winrm(data)

    def unwrap_winrm(self, header: bytes, data: bytes) -> bytes:
        """Opens a sealed message of WinRM."""
        opened: bytes = self._context.unwrap_winrm(header, data)
        return opened


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
