"""The agent's own certificate authority and server certificate, and how a running server changes certificates.

A first start makes an authority (10 years) and a leaf for this machine's names (90 days). The leaf is made anew
before it ends and whenever the names change; new connections get the new one without a restart.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import grpc
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from aetherv_agent import secret_files
from aetherv_agent.core.errors import AethervError

CA_DAYS = 3650
LEAF_DAYS = 90
RENEW_DAYS = 30
"""A leaf with fewer days left is made anew."""

_SKEW = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class KeyPair:
    """A private key and its certificate chain, both PEM."""

    key: bytes = field(repr=False)
    chain: bytes


class OwnAuthority:
    """The authority and leaf in ``<state_dir>/tls``.

    Args:
        folder: ``<state_dir>/tls``; made with mode 0700 if it is not there.
        names: DNS names and addresses that the leaf is good for.
    """

    def __init__(self, folder: Path, names: Iterable[str]) -> None:
        self._folder = folder
        self._names = tuple(dict.fromkeys(names))
        self.ca_file = folder / "ca.pem"
        self.server_file = folder / "server.pem"
        self._ca_key = folder / "ca.key"
        self._server_key = folder / "server.key"

    def ensure(self, now: datetime | None = None) -> KeyPair:
        """Return the leaf with its chain; make what is missing, does not fit or soon ends.

        Blocking: a few files and two signatures.

        Raises:
            AethervError: CONFIG_INVALID for files that can't be used.
        """
        moment = now or datetime.now(UTC)
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            if not self.ca_file.exists():
                self._make_ca(moment)
            ca, key = self._read_ca(moment)
            if not self._leaf_is_good(ca, moment):
                self._make_leaf(ca, key, moment)
            return KeyPair(self._server_key.read_bytes(), self.server_file.read_bytes())
        except OSError as error:
            raise AethervError(
                "CONFIG_INVALID", f"The certificates in {self._folder} can't be used: {error.strerror}."
            ) from None

    def _make_ca(self, now: datetime) -> None:
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name(
            [x509.NameAttribute(NameOID.COMMON_NAME, f"aetherv agent CA {socket.gethostname()}"[:64])]
        )
        certificate = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - _SKEW)
            .not_valid_after(now + timedelta(days=CA_DAYS))
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(_usage(signs=True), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .sign(key, hashes.SHA256())
        )
        secret_files.replace(self._ca_key, _pem(key))
        secret_files.replace(self.ca_file, certificate.public_bytes(serialization.Encoding.PEM), mode=0o644)

    def _read_ca(self, now: datetime) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
        try:
            ca = x509.load_pem_x509_certificate(self.ca_file.read_bytes())
            key = serialization.load_pem_private_key(secret_files.read(self._ca_key).encode(), None)
        except ValueError:
            raise AethervError(
                "CONFIG_INVALID",
                f"{self.ca_file} or its key is damaged. Restore them, or remove {self._folder} for new ones (clients "
                "then need the new ca.pem).",
            ) from None
        if not isinstance(key, ec.EllipticCurvePrivateKey) or ca.not_valid_after_utc <= now:
            raise AethervError(
                "CONFIG_INVALID",
                f"The authority {self.ca_file} has ended or was not made by an agent. Remove {self._folder} for a new "
                "one (clients then need the new ca.pem).",
            )
        return ca, key

    def _leaf_is_good(self, ca: x509.Certificate, now: datetime) -> bool:
        try:
            key = serialization.load_pem_private_key(secret_files.read(self._server_key).encode(), None)
            leaf = x509.load_pem_x509_certificates(self.server_file.read_bytes())[0]
            leaf.verify_directly_issued_by(ca)
            names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        except (AethervError, OSError, ValueError, TypeError, InvalidSignature, x509.ExtensionNotFound):
            return False
        return (
            key.public_key() == leaf.public_key()
            and leaf.not_valid_before_utc <= now
            and leaf.not_valid_after_utc - now > timedelta(days=RENEW_DAYS)
            and set(names) == set(_general_names(self._names))
        )

    def _make_leaf(self, ca: x509.Certificate, ca_key: ec.EllipticCurvePrivateKey, now: datetime) -> None:
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = (
            x509.CertificateBuilder()
            .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "aetherv agent")]))
            .issuer_name(ca.subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - _SKEW)
            .not_valid_after(min(now + timedelta(days=LEAF_DAYS), ca.not_valid_after_utc))
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_usage(signs=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
            .add_extension(x509.SubjectAlternativeName(_general_names(self._names)), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(ca_key.public_key()), critical=False
            )
            .sign(ca_key, hashes.SHA256())
        )
        encoding = serialization.Encoding.PEM
        secret_files.replace(self._server_key, _pem(key))
        secret_files.replace(
            self.server_file, certificate.public_bytes(encoding) + ca.public_bytes(encoding), mode=0o644
        )


class ServerCertificate:
    """The key pair that new connections get; shared by all TLS listeners.

    Args:
        pair: what the first connections get.
    """

    def __init__(self, pair: KeyPair) -> None:
        self._pair = pair

    def change(self, pair: KeyPair) -> bool:
        """Give new connections another key pair, open ones keep theirs; return whether it is another."""
        if pair == self._pair:
            return False
        self._pair = pair
        return True

    def credentials(self, client_ca: bytes | None = None) -> grpc.ServerCredentials:
        """Return a listener's credentials; with ``client_ca`` (PEM) every client must show a certificate of it."""
        seen: list[KeyPair] = [self._pair]

        def configuration() -> grpc.ServerCertificateConfiguration:
            pair = seen[0]
            return grpc.ssl_server_certificate_configuration([(pair.key, pair.chain)], client_ca)

        def fetch() -> grpc.ServerCertificateConfiguration | None:
            # gRPC asks before every handshake, from a thread of its own.
            pair = self._pair
            if pair is seen[0]:
                return None
            seen[0] = pair
            return configuration()

        return grpc.dynamic_ssl_server_credentials(
            configuration(),
            fetch,  # type: ignore[arg-type]  # grpc's own text: None is no change
            client_ca is not None,
        )


def machine_names(extra: Iterable[str] = ()) -> tuple[str, ...]:
    """Return the names a server certificate is good for: this machine's, localhost, loopback, and some more."""
    host = socket.gethostname()
    found = [host, socket.getfqdn(), "localhost", "127.0.0.1", "::1", *extra]
    return tuple(dict.fromkeys(name for name in found if _is_name(name)))


def _is_name(name: str) -> bool:
    if not name or not name.isascii():
        return False
    try:
        return not ipaddress.ip_address(name).is_unspecified
    except ValueError:
        return " " not in name


def _general_names(names: Iterable[str]) -> list[x509.GeneralName]:
    found: list[x509.GeneralName] = []
    for name in names:
        try:
            found.append(x509.IPAddress(ipaddress.ip_address(name)))
        except ValueError:
            found.append(x509.DNSName(name))
    return found


def _usage(*, signs: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs,
        crl_sign=signs,
        encipher_only=False,
        decipher_only=False,
    )


def _pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
