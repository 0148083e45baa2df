"""The host's side of the exchange's cryptography (reference guest-protocol, Keys and Encryption). Pure.

Written apart from the guests' side on purpose: what one gets wrong the other must notice.
"""

import base64
import binascii
import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from aetherv_agent.core.dialects import Dialect
from cryptography.hazmat.primitives import padding as block_padding
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.serialization import load_der_public_key

from aetherv_simhost.backends.emulated.failures import JobFailed

DATA: Final = "hlvmm.data."
_CAPI: Final = bytes.fromhex("0602000000a40000") + b"RSA1"
_CNG: Final = b"RSA1"
_DER: Final = b"\x30"
_MIN_BITS: Final = 2048


@dataclass(frozen=True, slots=True)
class Sealed:
    """What is published for one guest, encrypted: items by name, the wrapped key and the checksum."""

    items: Mapping[str, str]
    wrapped_key: str
    checksum: str


def read_public_key(text: str) -> rsa.RSAPublicKey:
    """A guest's public key, told apart by its first bytes.

    Raises:
        JobFailed: GUEST_KEY_INVALID.
    """
    try:
        raw = base64.b64decode(text, validate=True)
        if not raw:
            raise JobFailed(
                "GUEST_KEY_INVALID", "The guest published an empty key: its image lacks openssl or xxd."
            )
        key = _key(raw)
    except (ValueError, binascii.Error, IndexError):
        raise JobFailed("GUEST_KEY_INVALID", "What the guest published as its key can't be read.") from None
    if key.key_size < _MIN_BITS:
        raise JobFailed(
            "GUEST_KEY_INVALID", f"The guest's key has {key.key_size} bits, {_MIN_BITS} are needed."
        )
    return key


def seal(values: Mapping[str, str], key: rsa.RSAPublicKey, dialect: Dialect) -> Sealed:
    """Encrypts values for a guest with a fresh AES-256 key.

    Args:
        values: Plaintext by KVP name without ``hlvmm.data.``.
        key: The guest's public key.
        dialect: Says how the guest takes long values.
    """
    aes_key = os.urandom(32)
    items: dict[str, str] = {}
    for name, value in values.items():
        pieces = dialect.cut(value)
        if len(pieces) == 1:
            items[DATA + name] = _encrypt(aes_key, value)
        else:
            items |= {
                f"{DATA}{name}._{index}": _encrypt(aes_key, piece) for index, piece in enumerate(pieces)
            }
    text = "|".join(values[name] for name in sorted(values, key=lambda name: DATA + name))
    return Sealed(
        items=items,
        wrapped_key=_text(key.encrypt(aes_key, padding.PKCS1v15())),
        checksum=_text(hashlib.sha256(text.encode("utf-8")).digest()),
    )


def _key(raw: bytes) -> rsa.RSAPublicKey:
    if raw.startswith(_CAPI):
        bits = int.from_bytes(raw[12:16], "little")
        exponent = int.from_bytes(raw[16:20], "little")
        modulus = int.from_bytes(raw[20 : 20 + bits // 8], "little")
        return rsa.RSAPublicNumbers(exponent, modulus).public_key()
    if raw.startswith(_CNG):
        exponent_size, modulus_size = (
            int.from_bytes(raw[8:12], "little"),
            int.from_bytes(raw[12:16], "little"),
        )
        exponent = int.from_bytes(raw[24 : 24 + exponent_size], "big")
        start = 24 + exponent_size
        return rsa.RSAPublicNumbers(
            exponent, int.from_bytes(raw[start : start + modulus_size], "big")
        ).public_key()
    if raw.startswith(_DER):
        key = load_der_public_key(raw)
        if isinstance(key, rsa.RSAPublicKey):
            return key
    raise ValueError("no key form that is known")


def _encrypt(aes_key: bytes, text: str) -> str:
    vector = os.urandom(16)
    padder = block_padding.PKCS7(128).padder()
    padded = padder.update(text.encode("utf-8")) + padder.finalize()
    encryptor = Cipher(algorithms.AES(aes_key), modes.CBC(vector)).encryptor()
    return _text(vector + encryptor.update(padded) + encryptor.finalize())


def _text(raw: bytes) -> str:
    return base64.b64encode(raw).decode("ascii")
