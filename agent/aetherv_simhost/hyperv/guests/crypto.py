"""The guest's side of the exchange's cryptography (reference guest-protocol, Keys and Encryption). Pure.

RSA-2048 with PKCS#1 v1.5 padding (RFC 8017) and AES-256-CBC with PKCS#7 are what guests in the field use.
"""

import base64
import binascii
import hashlib
from collections.abc import Mapping

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import padding as block_padding
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

_AES_KEY_BYTES = 32
_IV_BYTES = 16


class DecryptError(ValueError):
    """What was published can't be decrypted with this key."""


def new_key() -> rsa.RSAPrivateKey:
    """A fresh RSA-2048 pair."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def private_pem(key: rsa.RSAPrivateKey) -> bytes:
    """The private key as PKCS#8 PEM without a passphrase."""
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def pkcs1_der(key: rsa.RSAPrivateKey) -> bytes:
    """The public key as a Linux guest publishes it: RSAPublicKey of RFC 8017."""
    return key.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.PKCS1)


def capi_blob(key: rsa.RSAPrivateKey) -> bytes:
    """The public key as a Windows guest publishes it: PUBLICKEYBLOB of the CryptoAPI, everything little-endian."""
    numbers = key.public_key().public_numbers()
    bits = key.key_size
    header = bytes.fromhex("0602000000a40000") + b"RSA1"
    return (
        header
        + bits.to_bytes(4, "little")
        + numbers.e.to_bytes(4, "little")
        + numbers.n.to_bytes(bits // 8, "little")
    )


def unwrap(key: rsa.RSAPrivateKey, wrapped: str) -> bytes:
    """The AES key out of ``hlvmm.meta.shared_aes_key``.

    Raises:
        DecryptError: Another key wrapped it, or it is no AES-256 key.
    """
    try:
        plain = key.decrypt(base64.b64decode(wrapped, validate=True), padding.PKCS1v15())
    except (ValueError, binascii.Error, UnsupportedAlgorithm) as error:
        raise DecryptError("the AES key can't be unwrapped") from error
    if len(plain) != _AES_KEY_BYTES:
        # OpenSSL answers random bytes, not an error, where the padding is wrong (implicit rejection).
        raise DecryptError("what was unwrapped is no AES-256 key")
    return plain


def decrypt(aes_key: bytes, value: str) -> str:
    """The text of one item.

    Raises:
        DecryptError: Not base64, not whole blocks, a wrong padding, or no UTF-8.
    """
    try:
        raw = base64.b64decode(value, validate=True)
        decryptor = Cipher(algorithms.AES(aes_key), modes.CBC(raw[:_IV_BYTES])).decryptor()
        padded = decryptor.update(raw[_IV_BYTES:]) + decryptor.finalize()
        unpadder = block_padding.PKCS7(algorithms.AES.block_size).unpadder()
        return (unpadder.update(padded) + unpadder.finalize()).decode("utf-8")
    except ValueError as error:
        raise DecryptError("an item can't be decrypted") from error


def checksum(values: Mapping[str, str]) -> str:
    """Base64 of the SHA-256 over the values by ascending key, joined with ``|``."""
    text = "|".join(values[key] for key in sorted(values))
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode("ascii")
