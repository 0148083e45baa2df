"""Who is at the other end of a connection: Basic (over TLS alone), Negotiate (RFC 4559, by NTLM) and CredSSP.

The state belongs to one TCP connection, as with Windows: once a login is through, every request on the connection is
the account's, and over plain HTTP the same context seals the messages.
"""

import base64
import binascii
import hmac
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from spnego.exceptions import SpnegoError

from aetherv_simhost.wsman.credssp import CredSspAcceptor
from aetherv_simhost.wsman.encryption import CREDSSP, SPNEGO, Sealing
from aetherv_simhost.wsman.ntlm import Accounts, NtlmAcceptor

_Acceptor = NtlmAcceptor | CredSspAcceptor
_ACCEPTORS: Final[dict[str, tuple[str, Callable[[Accounts], _Acceptor], str]]] = {
    "negotiate": ("Negotiate", NtlmAcceptor, SPNEGO),
    "credssp": ("CredSSP", CredSspAcceptor, CREDSSP),
}


@dataclass(frozen=True, slots=True)
class Challenge:
    """The answer is 401 with these WWW-Authenticate values."""

    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Admitted:
    """The request is ``account``'s.

    Attributes:
        account: The account.
        token: Ends the handshake in the answer's WWW-Authenticate, if any.
        delegated: Whether the host has the account's credentials for a second hop.
    """

    account: str
    token: str | None = None
    delegated: bool = False


class Authenticator:
    """The authentication state of one connection.

    Args:
        accounts: Who may come in.
        tls: Whether the connection is encrypted by TLS: without it no password is taken in clear.
    """

    def __init__(self, accounts: Accounts, *, tls: bool) -> None:
        self._accounts = accounts
        self._tls = tls
        self._scheme = ""
        self._acceptor: _Acceptor | None = None

    @property
    def sealing(self) -> Sealing | None:
        """What seals messages once the login is through."""
        if self._acceptor is None or self._acceptor.account is None:
            return None
        return Sealing(self._acceptor, _ACCEPTORS[self._scheme][2])

    def refuse(self) -> Challenge:
        """Forgets everything about the peer and asks for its credentials."""
        self._scheme, self._acceptor = "", None
        return Challenge(("Negotiate", *(('Basic realm="WSMAN"',) if self._tls else ()), "CredSSP"))

    def check(self, authorization: str | None) -> Challenge | Admitted:
        """Looks at one request's Authorization header (None: there is none)."""
        if authorization is None:
            return self._admitted() or self.refuse()
        scheme, _, text = authorization.partition(" ")
        try:
            blob = base64.b64decode(text.strip(), validate=True)
        except binascii.Error:
            return self.refuse()
        if scheme.lower() == "basic" and self._tls:
            return self._basic(blob)
        if scheme.lower() in _ACCEPTORS:
            return self._step(scheme.lower(), blob)
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

    def _step(self, scheme: str, token: bytes) -> Challenge | Admitted:
        name, make, _ = _ACCEPTORS[scheme]
        # A client may authenticate anew on a connection it has used before.
        if self._acceptor is None or self._acceptor.account is not None or self._scheme != scheme:
            self._scheme, self._acceptor = scheme, make(self._accounts)
        try:
            answer = self._acceptor.step(token)
        except SpnegoError:
            return self.refuse()
        text = f"{name} {base64.b64encode(answer).decode()}" if answer else None
        admitted = self._admitted(text)
        if admitted is None:
            return Challenge((text,)) if text else self.refuse()
        return admitted

    def _admitted(self, token: str | None = None) -> Admitted | None:
        if self._acceptor is None or self._acceptor.account is None:
            return None
        return Admitted(self._acceptor.account, token, delegated=isinstance(self._acceptor, CredSspAcceptor))
