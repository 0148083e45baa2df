"""Keys and encrypted values against an independent implementation (cryptography) and the openssl command, both ways."""

from __future__ import annotations

import base64
import hashlib
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import padding as block_padding
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

SEAL = """
foreach ($case in $data) {
    $values = [ordered]@{}
    foreach ($name in @($case['values'].Keys)) {
        $values[$name] = if ($case['secret'] -contains $name) { ConvertTo-Secret $case['values'][$name] } else { [string] $case['values'][$name] }
    }
    $sealed = Protect-GuestData -Values $values -Key (ConvertFrom-GuestKey -Text $case['key']) -PieceUnits $case['units']
    Write-Answer ([ordered]@{ items = $sealed.Items; key = $sealed.WrappedKey; checksum = $sealed.Checksum })
}
"""
VALUES = {
    "guest_host_name": "web-01",
    "guest_la_uid": "admin",
    "guest_la_pw": "p\u00e4\u00df' \"$(x)`|%",
    "ansible_ssh_key": "ssh-ed25519 " + "A" * 250,
    "guest_v4_dns1": "",
}


@pytest.fixture(scope="module")
def key() -> rsa.RSAPrivateKey:
    """A guest's key pair."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def _capi(public: rsa.RSAPublicKey) -> bytes:
    numbers, size = public.public_numbers(), public.key_size
    return (
        bytes.fromhex("0602000000a40000")
        + b"RSA1"
        + size.to_bytes(4, "little")
        + numbers.e.to_bytes(4, "little")
        + numbers.n.to_bytes(size // 8, "little")
    )


def _cng(public: rsa.RSAPublicKey) -> bytes:
    numbers, size = public.public_numbers(), public.key_size
    head = b"RSA1" + b"".join(n.to_bytes(4, "little") for n in (size, 3, size // 8, 0, 0))
    return head + numbers.e.to_bytes(3, "big") + numbers.n.to_bytes(size // 8, "big")


def _forms(public: rsa.RSAPublicKey) -> dict[str, bytes]:
    return {
        "pkcs1": public.public_bytes(Encoding.DER, PublicFormat.PKCS1),
        "spki": public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
        "capi": _capi(public),
        "cng": _cng(public),
    }


def _open(private: rsa.RSAPrivateKey, sealed: Mapping[str, Any]) -> dict[str, str]:
    aes = private.decrypt(base64.b64decode(sealed["key"]), padding.PKCS1v15())
    assert len(aes) == 32
    plain = {}
    for name, text in sealed["items"].items():
        raw = base64.b64decode(text, validate=True)
        decryptor = Cipher(algorithms.AES(aes), modes.CBC(raw[:16])).decryptor()
        unpadder = block_padding.PKCS7(128).unpadder()
        padded = decryptor.update(raw[16:]) + decryptor.finalize()
        plain[name] = (unpadder.update(padded) + unpadder.finalize()).decode("utf-8")
    return plain


def _checksum(values: Mapping[str, str]) -> str:
    joined = "|".join(values[name] for name in sorted(values, key=lambda n: f"hlvmm.data.{n}"))
    return base64.b64encode(hashlib.sha256(joined.encode()).digest()).decode()


def test_every_key_form_and_the_values_come_back(pwsh: Any, key: rsa.RSAPrivateKey) -> None:
    """What is encrypted for a key in any of its four forms is read by an independent implementation."""
    cases = [
        {"key": base64.b64encode(raw).decode(), "values": VALUES, "secret": ["guest_la_pw"], "units": 0}
        for raw in _forms(key.public_key()).values()
    ]
    for sealed in pwsh.answers(SEAL, cases):
        assert _open(key, sealed) == {f"hlvmm.data.{n}": v for n, v in VALUES.items()}
        assert sealed["checksum"] == _checksum(VALUES)
        vectors = {base64.b64decode(text)[:16] for text in sealed["items"].values()}
        assert len(vectors) == len(VALUES)


def test_long_values_are_cut_for_linux_without_parting_a_pair(pwsh: Any, key: rsa.RSAPrivateKey) -> None:
    """Pieces have at most 100 UTF-16 units, 99 where the cut would part a surrogate pair, and join to the value."""
    values = {
        "a": "x" * 100,
        "b": "x" * 101,
        "c": "x" * 99 + "\U0001f600" * 60,
        "d": "\U0001f600" * 51,
        "e": "y" * 3000,
    }
    raw = _forms(key.public_key())["pkcs1"]
    cases = [{"key": base64.b64encode(raw).decode(), "values": values, "secret": ["c"], "units": 100}]
    [sealed] = pwsh.answers(SEAL, cases)
    plain = _open(key, sealed)
    assert plain["hlvmm.data.a"] == values["a"]
    for name in "bcde":
        pieces = [
            plain[f"hlvmm.data.{name}._{i}"] for i in range(len(plain)) if f"hlvmm.data.{name}._{i}" in plain
        ]
        assert "".join(pieces) == values[name]
        assert all(len(piece.encode("utf-16-le")) // 2 <= 100 for piece in pieces)
    assert len(plain["hlvmm.data.c._0"]) == 99
    assert len([n for n in plain if n.startswith("hlvmm.data.e.")]) == 30
    assert sealed["checksum"] == _checksum(values)


def test_the_openssl_command_reads_what_is_published(
    pwsh: Any, key: rsa.RSAPrivateKey, tmp_path: Path
) -> None:
    """openssl, which Linux guests use, unwraps the key, decrypts each value and finds the same checksum."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("no openssl command")
    file = tmp_path / "key.pem"
    file.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()))
    der = subprocess.run(
        [openssl, "rsa", "-in", str(file), "-RSAPublicKey_out", "-outform", "DER"],
        capture_output=True,
        check=True,
    ).stdout
    assert der[:9] == bytes.fromhex("3082010a0282010100")
    values = {"guest_host_name": "web-01", "guest_la_pw": "p\u00e4\u00df"}
    cases = [
        {"key": base64.b64encode(der).decode(), "values": values, "secret": ["guest_la_pw"], "units": 100}
    ]
    [sealed] = pwsh.answers(SEAL, cases)
    aes = subprocess.run(
        [openssl, "pkeyutl", "-decrypt", "-inkey", str(file), "-pkeyopt", "rsa_padding_mode:pkcs1"],
        input=base64.b64decode(sealed["key"]),
        capture_output=True,
        check=True,
    ).stdout
    for name, value in values.items():
        raw = base64.b64decode(sealed["items"][f"hlvmm.data.{name}"])
        plain = subprocess.run(
            [openssl, "enc", "-d", "-aes-256-cbc", "-K", aes.hex(), "-iv", raw[:16].hex()],
            input=raw[16:],
            capture_output=True,
            check=True,
        ).stdout
        assert plain.decode() == value
    digest = subprocess.run(
        [openssl, "dgst", "-sha256", "-binary"],
        input="web-01|p\u00e4\u00df".encode(),
        capture_output=True,
        check=True,
    ).stdout
    assert sealed["checksum"] == base64.b64encode(digest).decode()


def test_keys_that_are_none_are_refused(pwsh: Any, key: rsa.RSAPrivateKey) -> None:
    """An empty, cut off, foreign or weak key is GUEST_KEY_INVALID, never another error."""
    good = _forms(key.public_key())
    weak = rsa.generate_private_key(public_exponent=65537, key_size=1024).public_key()  # is to be refused
    curve = ec.generate_private_key(ec.SECP256R1()).public_key()
    bad = [b"", b"\x30", b"hello", bytes(300), b"\x06\x02" + bytes(274), b"RSA1" + b"\xff" * 280]
    bad += [raw[:-9] for raw in good.values()] + list(_forms(weak).values())
    bad.append(curve.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))
    texts = [*(base64.b64encode(raw).decode() for raw in bad), "no base64!", "  "]
    script = "foreach ($text in $data) { Write-Answer (Get-Failure { ConvertFrom-GuestKey -Text $text }) }"
    answers = pwsh.answers(script, texts)
    assert [answer and answer["id"] for answer in answers] == ["GUEST_KEY_INVALID"] * len(texts)
