"""Looking after the server's certificate while the agent runs: a leaf near its end, or files that were changed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import structlog
from cryptography import x509
from cryptography.hazmat.primitives import serialization

from aetherv_agent import secret_files
from aetherv_agent.api.tls import KeyPair, ServerCertificate
from aetherv_agent.core.errors import AethervError

EVERY = 3600.0
"""Seconds between two looks."""

_LOG = structlog.stdlib.get_logger("aetherv.tls")


class Renewal:
    """Gives new connections the newest key pair.

    Args:
        certificate: what the listeners serve.
        load: returns the key pair that holds now; blocking, run in a thread of its own.
        every: seconds between two looks.
    """

    def __init__(
        self, certificate: ServerCertificate, load: Callable[[], KeyPair], every: float = EVERY
    ) -> None:
        self._certificate = certificate
        self._load = load
        self._every = every
        self._executor = ThreadPoolExecutor(1, thread_name_prefix="aetherv-tls")

    async def run(self) -> None:
        """Look until it is cancelled. What can't be read leaves the certificate that is served."""
        try:
            while True:
                await asyncio.sleep(self._every)
                await self.look()
        finally:
            self._executor.shutdown(wait=False, cancel_futures=True)

    async def look(self) -> bool:
        """Look once; return whether new connections get another certificate now."""
        loop = asyncio.get_running_loop()
        try:
            pair = await loop.run_in_executor(self._executor, self._load)
        except AethervError as error:
            _LOG.warning("certificate_not_renewed", reason=error.message)
            return False
        except Exception:  # noqa: BLE001  # the next look must come, whatever this one met
            _LOG.exception("certificate_not_renewed")
            return False
        if not self._certificate.change(pair):
            return False
        _LOG.info("certificate_changed")
        return True


def from_files(cert: Path, key: Path) -> KeyPair:
    """Return the key pair of one's own files.

    Raises:
        AethervError: CONFIG_INVALID for files that can't be read or do not belong together.
    """
    secret = secret_files.read(key).encode() + b"\n"
    try:
        chain = cert.read_bytes()
        leaf = x509.load_pem_x509_certificates(chain)[0]
        private = serialization.load_pem_private_key(secret, None)
        fits = private.public_key() == leaf.public_key()
    except OSError as error:
        raise AethervError("CONFIG_INVALID", f"{cert} can't be read: {error.strerror}.") from None
    except (ValueError, TypeError):
        raise AethervError("CONFIG_INVALID", f"{cert} or {key} is no PEM that can be used.") from None
    if not fits:
        raise AethervError("CONFIG_INVALID", f"{key} is not the key of {cert}.")
    return KeyPair(secret, chain)
