"""What goes over the data exchange, as it is on the wire: encrypted for the guest's key, in the protocol's order."""

from __future__ import annotations

import base64
import hashlib
import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from aetherv_agent.core.dialects import default_dialect
from aetherv_agent.core.model import OsFamily
from aetherv_simhost.backends.emulated.failures import JobFailed
from aetherv_simhost.backends.emulated.sealing import read_public_key, seal
from aetherv_simhost.hyperv.guests import crypto
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

OPENSSL = shutil.which("openssl")
META = "hlvmm.meta."
DATA = "hlvmm.data."


def openssl(*arguments: str, stdin: bytes = b"") -> bytes:
    """Runs the openssl command."""
    assert OPENSSL is not None, "this test needs the openssl command"
    return subprocess.run([OPENSSL, *arguments], input=stdin, capture_output=True, check=True).stdout


def opened(pem: Path, wrapped: str, items: Mapping[str, str]) -> dict[str, str]:
    """Plaintext by item name, by the openssl command alone."""
    key = openssl(
        "pkeyutl",
        "-decrypt",
        "-inkey",
        str(pem),
        "-pkeyopt",
        "rsa_padding_mode:pkcs1",
        stdin=base64.b64decode(wrapped),
    )
    assert len(key) == 32
    plain = {}
    for name, value in items.items():
        raw = base64.b64decode(value)
        text = openssl("enc", "-d", "-aes-256-cbc", "-K", key.hex(), "-iv", raw[:16].hex(), stdin=raw[16:])
        plain[name] = text.decode()
    return plain


@pytest.mark.parametrize("image", ["Ubuntu 24.04", "Windows Server 2022"])
def test_openssl_alone_reads_what_was_published(make_site: Any, image: str) -> None:
    """Names, plaintext, pieces and checksum are those of the protocol, and the order of the writes too."""
    site = make_site(record_exchange=True)
    linux = image.startswith("Ubuntu")
    password = "\u00fc" * 60 + "x" * 150 if linux else "x" * 600
    site.create(
        spec=site.spec(image_name=image, guest_v4_dns1="192.0.2.53"), secrets={"guest_la_pw": password}
    )
    (vm,) = site.backend.host.vms()
    record = site.backend.host.record_of(vm.id)
    assert record is not None
    written = record.items()
    names = [(item["change"], item["name"]) for item in written]
    assert names[:2] == [("add", META + "version"), ("add", META + "host_provisioning_system_state")]
    values = {item["name"]: item["value"] for item in written if item["change"] != "remove"}
    items = {name: value for name, value in values.items() if name.startswith(DATA)}
    plain = opened(record.folder / "private_key.pem", values[META + "shared_aes_key"], items)
    whole = {
        DATA + "guest_host_name": "web-01",
        DATA + "guest_la_uid": "ops",
        DATA + "guest_v4_dns1": "192.0.2.53",
    }
    key = DATA + "guest_la_pw"
    if linux:
        pieces = {f"{key}._{n}": password[n * 100 : n * 100 + 100] for n in range(3)}
        assert plain == whole | pieces
    else:
        assert plain == whole | {key: password}
    expected = whole | {key: password}
    joined = "|".join(expected[name] for name in sorted(expected)).encode()
    assert (
        values[META + "provisioning_system_checksum"]
        == base64.b64encode(hashlib.sha256(joined).digest()).decode()
    )
    last = [item for item in written if item["change"] != "remove"][-1]
    assert (last["name"], last["value"]) == (
        META + "host_provisioning_system_state",
        "provisioningdatapublished",
    )
    removed = {item["name"] for item in written if item["change"] == "remove"}
    assert removed == set(items) | {META + "shared_aes_key"}


def test_nothing_is_recorded_unless_asked(site: Any) -> None:
    """Without the setting no key and no item is kept anywhere."""
    vm = site.create().vm
    assert site.backend.host.record_of(vm.id) is None
    assert not (site.folder / "debug").exists()


def test_each_publishing_has_its_own_keys(make_site: Any) -> None:
    """Two VMs of one spec share neither key nor vector."""
    site = make_site(record_exchange=True)
    values = []
    for name in ("one", "two"):
        vm = site.create(name, site.spec(vm_name=name)).vm
        record = site.backend.host.record_of(vm.id)
        assert record is not None
        values += [
            item["value"]
            for item in record.items()
            if item["name"] == DATA + "guest_la_uid" and item["value"]
        ]
    assert len(set(values)) == 2


@pytest.fixture(scope="module")
def key() -> rsa.RSAPrivateKey:
    """A guest's pair."""
    return crypto.new_key()


def cng_blob(key: rsa.RSAPrivateKey) -> bytes:
    """BCRYPT_RSAPUBLIC_BLOB."""
    numbers = key.public_key().public_numbers()
    sizes = b"".join(n.to_bytes(4, "little") for n in (2048, 3, 256, 0, 0))
    return b"RSA1" + sizes + numbers.e.to_bytes(3, "big") + numbers.n.to_bytes(256, "big")


def test_every_form_of_a_public_key_is_read(key: rsa.RSAPrivateKey) -> None:
    """CAPI, CNG, PKCS#1 and SubjectPublicKeyInfo are told apart by their first bytes."""
    forms = [
        crypto.capi_blob(key),
        cng_blob(key),
        crypto.pkcs1_der(key),
        key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
    ]
    wanted = key.public_key().public_numbers()
    for form in forms:
        assert read_public_key(base64.b64encode(form).decode()).public_numbers() == wanted


@pytest.mark.parametrize(
    "raw", [b"", b"\x30\x03\x02\x01\x01", b"\x06\x02short", b"RSA1", b"else", os.urandom(276)]
)
def test_what_is_no_key_is_told(raw: bytes) -> None:
    """Anything else is GUEST_KEY_INVALID."""
    with pytest.raises(JobFailed) as failed:
        read_public_key(base64.b64encode(raw).decode())
    assert failed.value.id == "GUEST_KEY_INVALID"


def test_a_short_key_is_refused() -> None:
    """A key of 1,024 bits protects nothing."""
    short = rsa.generate_private_key(65537, 1024)
    with pytest.raises(JobFailed, match="1024 bits"):
        read_public_key(base64.b64encode(crypto.pkcs1_der(short)).decode())


def test_no_piece_parts_a_surrogate_pair(key: rsa.RSAPrivateKey) -> None:
    """Where the cut would fall into a pair the piece has 99 units, and the pieces join to the text."""
    text = "a" * 99 + "\U0001f600" * 60
    sealed = seal({"guest_la_pw": text}, key.public_key(), default_dialect(OsFamily.LINUX))
    aes = crypto.unwrap(key, sealed.wrapped_key)
    pieces = [crypto.decrypt(aes, sealed.items[f"{DATA}guest_la_pw._{n}"]) for n in range(len(sealed.items))]
    assert pieces[0] == "a" * 99
    assert "".join(pieces) == text
    assert all(len(piece.encode("utf-16-le")) // 2 <= 100 for piece in pieces)


def test_a_windows_item_fits_the_wire(key: rsa.RSAPrivateKey) -> None:
    """735 bytes of plaintext are 1,004 units on the wire, under the limit of 1,022."""
    sealed = seal({"guest_la_pw": "x" * 735}, key.public_key(), default_dialect(OsFamily.WINDOWS))
    assert [len(value) for value in sealed.items.values()] == [1004]
