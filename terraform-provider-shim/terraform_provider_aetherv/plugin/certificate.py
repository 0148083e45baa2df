"""An ephemeral TLS certificate for ``localhost``: P-256, self-signed, made of the EC part of cryptography alone.

Its X.509 part and its serialisation would double the cost of importing it, at each of the provider's dozen
starts a run; the few fields that are needed (RFC 5280, RFC 5480, RFC 5915) are written here instead.
"""

from __future__ import annotations

import base64
import datetime as dt
import secrets
from dataclasses import dataclass, field
from typing import Final

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

_SEQUENCE: Final = 0x30
_SET: Final = 0x31
_INTEGER: Final = 0x02
_BIT_STRING: Final = 0x03
_OCTET_STRING: Final = 0x04
_UTF8_STRING: Final = 0x0C
_UTC_TIME: Final = 0x17
_GENERALIZED_TIME: Final = 0x18
_CONTEXT_0: Final = 0xA0
_CONTEXT_1: Final = 0xA1
_CONTEXT_3: Final = 0xA3
_DNS_NAME: Final = 0x82
_LAST_UTC_YEAR: Final = 2049  # RFC 5280, 4.1.2.5

# Object identifiers, encoded.
_ECDSA_WITH_SHA256: Final = bytes.fromhex("06082a8648ce3d040302")
_EC_PUBLIC_KEY: Final = bytes.fromhex("06072a8648ce3d0201")
_PRIME256V1: Final = bytes.fromhex("06082a8648ce3d030107")
_COMMON_NAME: Final = bytes.fromhex("0603550403")
_KEY_USAGE: Final = bytes.fromhex("0603551d0f")
_SUBJECT_ALT_NAME: Final = bytes.fromhex("0603551d11")
_BASIC_CONSTRAINTS: Final = bytes.fromhex("0603551d13")
_EXT_KEY_USAGE: Final = bytes.fromhex("0603551d25")
_SERVER_AUTH: Final = bytes.fromhex("06082b06010505070301")
_TRUE: Final = bytes.fromhex("0101ff")
_SIGN_AND_CERT_SIGN: Final = bytes.fromhex("03020284")  # digitalSignature, keyCertSign

VALID_FOR: Final = dt.timedelta(days=365)
_LONG_FORM: Final = 0x80
_CLOCK_SKEW: Final = dt.timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Certificate:
    """A certificate with its key.

    Attributes:
        der: the certificate in DER, as the handshake carries it.
        certificate_pem: the same in PEM.
        key_pem: the private key in PEM (RFC 5915).
    """

    der: bytes
    certificate_pem: bytes
    key_pem: bytes = field(repr=False)


def make_certificate(now: dt.datetime | None = None) -> Certificate:
    """Make a key and its certificate.

    Args:
        now: when it begins to be valid, in UTC; the present time by default.
    """
    key = ec.generate_private_key(ec.SECP256R1())
    numbers = key.private_numbers()
    point = b"\x04" + _coordinate(numbers.public_numbers.x) + _coordinate(numbers.public_numbers.y)
    public = _tlv(_SEQUENCE, _tlv(_SEQUENCE, _EC_PUBLIC_KEY, _PRIME256V1), _tlv(_BIT_STRING, b"\0", point))
    start = dt.datetime.now(dt.UTC) if now is None else now
    body = _to_be_signed(public, start)
    signature = key.sign(body, ec.ECDSA(hashes.SHA256()))
    algorithm = _tlv(_SEQUENCE, _ECDSA_WITH_SHA256)
    der = _tlv(_SEQUENCE, body, algorithm, _tlv(_BIT_STRING, b"\0", signature))
    return Certificate(
        der=der,
        certificate_pem=_pem("CERTIFICATE", der),
        key_pem=_pem("EC PRIVATE KEY", _private_key(numbers.private_value, point)),
    )


def _private_key(value: int, point: bytes) -> bytes:
    """Write a key as RFC 5915 says."""
    return _tlv(
        _SEQUENCE,
        _tlv(_INTEGER, b"\x01"),
        _tlv(_OCTET_STRING, _coordinate(value)),
        _tlv(_CONTEXT_0, _PRIME256V1),
        _tlv(_CONTEXT_1, _tlv(_BIT_STRING, b"\0", point)),
    )


def _coordinate(number: int) -> bytes:
    return number.to_bytes(32, "big")


def _to_be_signed(public: bytes, start: dt.datetime) -> bytes:
    name = _tlv(_SEQUENCE, _tlv(_SET, _tlv(_SEQUENCE, _COMMON_NAME, _tlv(_UTF8_STRING, b"localhost"))))
    # Positive, never zero, and at most 20 bytes (RFC 5280, 4.1.2.2).
    serial = bytes([0x40 | secrets.randbits(6)]) + secrets.token_bytes(15)
    extensions = _tlv(
        _SEQUENCE,
        _extension(_BASIC_CONSTRAINTS, _tlv(_SEQUENCE, _TRUE), critical=True),
        _extension(_KEY_USAGE, _SIGN_AND_CERT_SIGN, critical=True),
        _extension(_EXT_KEY_USAGE, _tlv(_SEQUENCE, _SERVER_AUTH), critical=False),
        _extension(_SUBJECT_ALT_NAME, _tlv(_SEQUENCE, _tlv(_DNS_NAME, b"localhost")), critical=False),
    )
    return _tlv(
        _SEQUENCE,
        _tlv(_CONTEXT_0, _tlv(_INTEGER, b"\x02")),  # version 3
        _tlv(_INTEGER, serial),
        _tlv(_SEQUENCE, _ECDSA_WITH_SHA256),
        name,
        _tlv(_SEQUENCE, _time(start - _CLOCK_SKEW), _time(start + VALID_FOR)),
        name,
        public,
        _tlv(_CONTEXT_3, extensions),
    )


def _extension(identifier: bytes, value: bytes, *, critical: bool) -> bytes:
    return _tlv(_SEQUENCE, identifier, _TRUE if critical else b"", _tlv(_OCTET_STRING, value))


def _time(moment: dt.datetime) -> bytes:
    if moment.year > _LAST_UTC_YEAR:
        return _tlv(_GENERALIZED_TIME, moment.strftime("%Y%m%d%H%M%SZ").encode())
    return _tlv(_UTC_TIME, moment.strftime("%y%m%d%H%M%SZ").encode())


def _tlv(tag: int, *parts: bytes) -> bytes:
    body = b"".join(parts)
    length = len(body)
    if length < _LONG_FORM:
        return bytes([tag, length]) + body
    size = (length.bit_length() + 7) // 8
    return bytes([tag, _LONG_FORM | size]) + length.to_bytes(size, "big") + body


def _pem(label: str, der: bytes) -> bytes:
    text = base64.b64encode(der).decode()
    lines = [text[at : at + 64] for at in range(0, len(text), 64)]
    return "\n".join([f"-----BEGIN {label}-----", *lines, f"-----END {label}-----", ""]).encode()
