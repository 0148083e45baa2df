"""The host's side of CredSSP (MS-CSSP): NTLM in a TLS channel of its own, and the client's credentials for a second hop.

Nothing here knows HTTP. pyspnego's acceptor does the protocol.
"""

import hmac
import os
import ssl
from functools import cache
from typing import Any, Final

import spnego
from spnego.exceptions import InvalidCredentialError, SpnegoError
from spnego.tls import CredSSPTLSContext, default_tls_context, generate_tls_certificate

from aetherv_simhost.wsman.ntlm import Accounts, NtlmAcceptor

# TLS takes 2 messages of the client, NTLM 2, the credentials 1; a peer that goes on is up to nothing good.
_MAX_STEPS: Final = 12


class _SslObject(ssl.SSLObject):
    """Ends by an error when the peer ends the channel: pyspnego reads until there is no more, and that never ends."""

    def read(self, len: int = 1024, buffer: Any = None) -> Any:  # noqa: A002  # the base's own name
        got = super().read(len, buffer)
        if not got:
            raise ssl.SSLZeroReturnError(ssl.SSL_ERROR_ZERO_RETURN, "the peer has ended the channel")
        return got


class CredSspAcceptor:
    """One authentication by CredSSP, step by step; then the context that seals messages."""

    def __init__(self, accounts: Accounts) -> None:
        self._accounts = accounts
        self._ntlm = NtlmAcceptor(accounts)
        self._context: Any = spnego.server(
            protocol="credssp", credssp_tls_context=_tls(), credssp_negotiate_context=self._ntlm
        )
        self._steps = 0
        self._account: str | None = None

    @property
    def account(self) -> str | None:
        """Whose credentials the peer has handed over; None before."""
        return self._account

    def step(self, token: bytes) -> bytes | None:
        """Takes the peer's message and gives the answer, if any.

        Raises:
            SpnegoError: The peer is refused, whatever the reason.
        """
        self._steps += 1
        if self._steps > _MAX_STEPS:
            raise InvalidCredentialError(context_msg="too many messages")
        try:
            answer: bytes | None = self._context.step(token)
        except SpnegoError:
            raise
        except Exception as error:  # whatever the library says of hostile bytes, they are refused
            raise InvalidCredentialError(context_msg="no message of CredSSP") from error
        if self._context.complete:
            self._account = self._logged_on()
        return answer

    def wrap_winrm(self, data: bytes) -> Any:
        """Seals a message of WinRM."""
        return self._context.wrap_winrm(data)

    def unwrap_winrm(self, header: bytes, data: bytes) -> bytes:
        """Opens a sealed message of WinRM."""
        opened: bytes = self._context.unwrap_winrm(header, data)
        return opened

    def _logged_on(self) -> str:
        """The account of the credentials, with which the host logs on as it would on another one."""
        given = self._context.get_extra_info("client_credential")
        found = self._accounts.find(getattr(given, "username", ""))
        password = getattr(given, "password", "").encode("utf-8", "surrogatepass")
        if found is None or found[0] != self._ntlm.account:
            raise InvalidCredentialError(context_msg="other credentials than those of the login")
        if not hmac.compare_digest(found[1].encode("utf-8", "surrogatepass"), password):
            raise InvalidCredentialError(context_msg="wrong credentials")
        return found[0]


@cache
def _tls() -> CredSSPTLSContext:
    """The channel's certificate and key, made once in a process: self-signed, as the WinRM service makes its own.

    The host's certificate for HTTPS can't serve: CredSSP binds the login to an RSA key, and there is none over HTTP.
    """
    certificate, key, public_key = generate_tls_certificate()
    made = default_tls_context(usage="accept")
    made.context.sslobject_class = _SslObject
    with os.fdopen(os.memfd_create("simhost-credssp"), "wb") as file:
        file.write(certificate + key)
        file.flush()
        made.context.load_cert_chain(f"/proc/self/fd/{file.fileno()}")
    made.public_key = public_key
    return made
