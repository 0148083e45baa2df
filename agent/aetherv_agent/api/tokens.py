"""Knowing callers: bearer tokens by their SHA-256, client certificates by their names."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from aetherv_agent import secret_files
from aetherv_agent.api.interceptors import Authenticator, Context
from aetherv_agent.api.permissions import Principal, Role
from aetherv_agent.core.errors import AethervError
from aetherv_agent.logs import SECRETS

FILE_PRINCIPAL = "token-file"
"""Who presents the token of the agent's own token file."""

_TOKEN_BYTES = 32
_MOST = 4096


@dataclass(frozen=True, slots=True)
class KnownToken:
    """A token by its digest (SHA-256, raw bytes); ``expires`` in UTC, or None."""

    digest: bytes
    principal: Principal
    expires: datetime | None = None


def ensure_token(path: Path) -> str:
    """Return the agent's own token; a first start makes one of 32 random bytes.

    Args:
        path: ``<state_dir>/token``, mode 0600.

    Raises:
        AethervError: CONFIG_INVALID for a file that others can read or that holds no token.
    """
    if not path.exists():
        secret_files.write_new(path, secrets.token_urlsafe(_TOKEN_BYTES) + "\n")
    return secret_files.read(path)


def digest_of(token: str) -> bytes:
    """Return the SHA-256 under which a token is known."""
    return hashlib.sha256(token.encode()).digest()


def by_token(
    known: Iterable[KnownToken], now: Callable[[], datetime] = lambda: datetime.now(UTC)
) -> Authenticator:
    """Return how callers are known by ``authorization: Bearer ...``.

    Every known token is compared, each in constant time, so that the time tells nothing. Missing, unknown and
    expired tokens get the same answer.
    """
    tokens = tuple(known)

    def authenticate(context: Context) -> Principal:
        presented = _bearer(context)
        digest = digest_of(presented)
        found: KnownToken | None = None
        for token in tokens:
            if hmac.compare_digest(token.digest, digest):
                found = token
        if not presented or found is None or (found.expires is not None and found.expires <= now()):
            raise refused()
        SECRETS.add(presented)
        return found.principal

    return authenticate


def by_certificate(roles: Mapping[str, tuple[Role, frozenset[str] | None]]) -> Authenticator:
    """Return how callers are known by the client certificate that the listener has verified.

    Args:
        roles: role and hosts by a certificate's common name or subject alternative name. A certificate without a
            name in it is a principal without a role: it may call what is open and nothing else.
    """

    def authenticate(context: Context) -> Principal:
        about = context.auth_context()
        names = [
            name.decode(errors="replace")
            for key in ("x509_common_name", "x509_subject_alternative_name")
            for name in about.get(key, ())
        ]
        if not names:
            raise refused()
        for name in names:
            if name in roles:
                role, hosts = roles[name]
                return Principal(name, role, hosts)
        return Principal(names[0], None, frozenset())

    return authenticate


def refused() -> AethervError:
    """Return TOKEN_INVALID: one text for every reason."""
    return AethervError("TOKEN_INVALID", "The call carries no token or certificate that this agent knows.")


def _bearer(context: Context) -> str:
    for key, value in context.invocation_metadata() or ():
        if key == "authorization" and isinstance(value, str) and len(value) <= _MOST:
            scheme, _, token = value.partition(" ")
            if scheme.lower() == "bearer":
                return token.strip()
    return ""
