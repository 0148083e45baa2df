"""The guests alone: what they read, what their scripts make of it, and what they become."""

from __future__ import annotations

import base64
import hashlib
import os
import shutil
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from aetherv_simhost.faults import Fault
from aetherv_simhost.hyperv.guests import crypto
from aetherv_simhost.hyperv.guests.exchange import (
    AES_KEY,
    CHECKSUM,
    GUEST_ERROR,
    GUEST_STATE,
    HOST_STATE,
    PUBLIC_KEY,
    VERSION,
    provision,
)
from aetherv_simhost.hyperv.guests.linux import LinuxGuest, echo_builtin, xargs
from aetherv_simhost.hyperv.guests.port import GuestGone
from aetherv_simhost.hyperv.guests.windows import WindowsGuest, ansi
from aetherv_simhost.hyperv.settings import GuestSeconds, ImageSettings
from aetherv_simhost.hyperv.vm import Guest, GuestIdentity, GuestPhase
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

OPENSSL = shutil.which("openssl")


@dataclass
class FakePort:
    """A machine whose pool a test fills by hand."""

    image: ImageSettings = field(
        default_factory=lambda: ImageSettings("Ubuntu", "linux", accounts=("root", "ubuntu"))
    )
    seconds: GuestSeconds = field(default_factory=lambda: GuestSeconds(wait=1.0, poll=0.5))
    drive: tuple[str, str] | None = ("linux", "2.4.000\r\n")
    pool: dict[str, str] = field(default_factory=dict)
    said: list[tuple[str, str]] = field(default_factory=list)
    disk: Guest = field(default_factory=lambda: Guest("Ubuntu", "linux", identity=GuestIdentity("ubuntu")))
    pem: bytes = b""
    restarts: int = 0
    domains: bool = True

    def iso(self) -> tuple[str, str] | None:
        """The ISO."""
        return self.drive

    def received(self) -> Mapping[str, str]:
        """The pool."""
        return self.pool

    def report(self, name: str, value: str) -> None:
        """Remembers what the guest wrote."""
        self.said.append((name, value))

    def fault(self, kind: str, where: str) -> Fault | None:
        """No fault."""
        return None

    def keep_key(self, pem: bytes) -> None:
        """Keeps the key."""
        self.pem = pem

    def guest(self) -> Guest:
        """The disk."""
        return self.disk

    def set_phase(self, phase: GuestPhase, becoming: GuestIdentity | None = None) -> None:
        """Writes the disk."""
        self.disk = replace(self.disk, phase=phase, becoming=becoming)

    def domain_answers(self, domain: str) -> bool:
        """Whether domains answer."""
        return self.domains

    def restart(self) -> None:
        """Ends the life."""
        self.restarts += 1
        raise GuestGone

    @property
    def state(self) -> tuple[str, str]:
        """State and error that the guest wrote last."""
        said = dict(self.said)
        return said.get(GUEST_STATE, ""), said.get(GUEST_ERROR, "")


def openssl(*arguments: str, stdin: bytes = b"") -> bytes:
    """Runs the openssl command."""
    assert OPENSSL is not None, "this test needs the openssl command"
    return subprocess.run([OPENSSL, *arguments], input=stdin, capture_output=True, check=True).stdout


def public_key(raw: bytes) -> rsa.RSAPublicNumbers:
    """Either form of a public key, read by hand, apart from the code under test."""
    if raw[:2] == b"\x06\x02":
        assert raw[:12] == bytes.fromhex("0602000000a40000") + b"RSA1"
        assert len(raw) == 276
        size = int.from_bytes(raw[12:16], "little") // 8
        return rsa.RSAPublicNumbers(
            int.from_bytes(raw[16:20], "little"), int.from_bytes(raw[20 : 20 + size], "little")
        )
    assert raw[:9] == bytes.fromhex("3082010a0282010100")
    assert len(raw) == 270
    assert raw[265:267] == b"\x02\x03"
    return rsa.RSAPublicNumbers(int.from_bytes(raw[267:270], "big"), int.from_bytes(raw[9:265], "big"))


def published(
    port: FakePort, tmp_path: Path, items: Mapping[str, str], checksum_of: Mapping[str, str]
) -> None:
    """Publishes with the openssl command alone what a host would, for the key that the guest wrote."""
    numbers = public_key(base64.b64decode(dict(port.said)[PUBLIC_KEY]))
    aes = os.urandom(32)
    pem = numbers.public_key().public_bytes(*_PEM)
    (tmp_path / "public.pem").write_bytes(pem)
    wrapped = openssl(
        "pkeyutl",
        "-encrypt",
        "-pubin",
        "-inkey",
        str(tmp_path / "public.pem"),
        "-pkeyopt",
        "rsa_padding_mode:pkcs1",
        stdin=aes,
    )
    port.pool[AES_KEY] = base64.b64encode(wrapped).decode()
    for name, text in items.items():
        vector = os.urandom(16)
        sealed = openssl("enc", "-aes-256-cbc", "-K", aes.hex(), "-iv", vector.hex(), stdin=text.encode())
        port.pool["hlvmm.data." + name] = base64.b64encode(vector + sealed).decode()
    joined = "|".join(checksum_of[name] for name in sorted(checksum_of))
    port.pool[CHECKSUM] = base64.b64encode(hashlib.sha256(joined.encode()).digest()).decode()
    port.pool[HOST_STATE] = "provisioningdatapublished"


_PEM = (Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def exchange(
    port: FakePort,
    family: Any,
    tmp_path: Path,
    items: Mapping[str, str],
    checksum_of: Mapping[str, str] | None = None,
    change: Callable[[FakePort], None] | None = None,
) -> FakePort:
    """Runs one whole exchange."""
    port.pool |= {VERSION: " 2.4.000\n", HOST_STATE: "waitingforpublickey"}
    told = False
    for steps, _ in enumerate(provision(port, family)):
        assert steps < 100
        if not told and port.state[0] == "waitingforaeskey":
            told = True
            published(port, tmp_path, items, items if checksum_of is None else checksum_of)
            if change is not None:
                change(port)
    return port


def windows(**values: Any) -> FakePort:
    """A Windows machine."""
    image = ImageSettings("Windows", "windows", accounts=("Administrator",), **values)
    return FakePort(
        image, drive=("windows", "2.4.000"), disk=Guest("Windows", "windows", identity=GuestIdentity("WIN-X"))
    )


def test_linux_applies_what_openssl_encrypted(tmp_path: Path) -> None:
    """Whole values and pieces, decrypted and put together, and a restart at the end."""
    key = "ssh-ed25519 " + "A" * 180 + " x"
    pieces = {f"ansible_ssh_key._{n}": key[n * 100 : n * 100 + 100] for n in range(2)}
    whole = {
        "guest_host_name": "web",
        "guest_la_uid": "ops",
        "guest_la_pw": "p\u00e4ss",
        "ansible_ssh_user": "ansible",
    }
    port = exchange(FakePort(), LinuxGuest(), tmp_path, whole | pieces, whole | {"ansible_ssh_key": key})
    assert port.state == ("provisioningapplied", "")
    assert port.restarts == 1
    become = port.disk.becoming
    assert become is not None
    assert become.host_name == "web"
    account, ansible = become.account("ops"), become.account("ansible")
    assert account is not None
    assert account.password_is("p\u00e4ss")
    assert ansible is not None
    assert ansible.ssh_keys == (key,)


def test_windows_applies_what_openssl_encrypted(tmp_path: Path) -> None:
    """A CAPI key is published, and whole values are applied."""
    port = exchange(
        windows(),
        WindowsGuest(),
        tmp_path,
        {"guest_host_name": "WEB", "guest_la_uid": "ops", "guest_la_pw": "x" * 700},
    )
    assert port.state == ("provisioningapplied", "")
    assert port.disk.becoming is not None
    account = port.disk.becoming.account("ops")
    assert account is not None
    assert account.password_is("x" * 700)


def test_windows_takes_no_pieces(tmp_path: Path) -> None:
    """A value in pieces is neither applied nor in the checksum."""
    items = {"guest_host_name": "WEB", "guest_la_uid._0": "o", "guest_la_uid._1": "ps"}
    port = exchange(windows(), WindowsGuest(), tmp_path, items, {"guest_host_name": "WEB"})
    assert port.state[0] == "provisioningapplied"
    assert port.disk.becoming is not None
    assert port.disk.becoming.account("ops") is None


@pytest.mark.parametrize(
    ("family", "extra"),
    [
        (LinuxGuest(), {"guest_v4_dns1": "left over"}),
        (LinuxGuest(), {"guest_host_name._0": "old pieces of a whole value"}),
        (WindowsGuest(), {"guest_v4_dns1": "left over"}),
    ],
)
def test_a_left_over_item_is_read_as_data(tmp_path: Path, family: Any, extra: dict[str, str]) -> None:
    """What the host did not count fails the checksum, except pieces beside a whole value."""
    port = FakePort() if family.name == "linux" else windows()
    exchange(port, family, tmp_path, {"guest_host_name": "web", **extra}, {"guest_host_name": "web"})
    fine = "guest_host_name._0" in extra
    assert port.state == (
        ("provisioningapplied", "") if fine else ("provisioningfailed", "error validating:checksum")
    )


def test_linux_stops_at_the_first_missing_piece(tmp_path: Path) -> None:
    """A gap ends the value; an old piece right behind the last one is read."""
    items = {"guest_host_name._0": "we", "guest_host_name._1": "b", "guest_host_name._3": "never read"}
    assert exchange(FakePort(), LinuxGuest(), tmp_path, items, {"guest_host_name": "web"}).restarts == 1
    behind = {**items, "guest_host_name._2": "old"}
    assert (
        exchange(FakePort(), LinuxGuest(), tmp_path, behind, {"guest_host_name": "web"}).state[1]
        == "error validating:checksum"
    )


def test_linux_looks_twice_at_a_wrong_checksum(tmp_path: Path) -> None:
    """What arrives before its second look is good; Windows does not look again."""

    def late(port: FakePort) -> None:
        right = port.pool[CHECKSUM]
        port.pool[CHECKSUM] = "wrong"
        looks = 0

        class Pool(dict[str, str]):
            def get(self, name: str, default: Any = None) -> Any:
                nonlocal looks
                if name == CHECKSUM:
                    looks += 1
                    return right if looks > 1 else "wrong"
                return super().get(name, default)

        port.pool = Pool(port.pool)

    assert exchange(FakePort(), LinuxGuest(), tmp_path, {"guest_host_name": "a"}, change=late).restarts == 1
    failed = exchange(windows(), WindowsGuest(), tmp_path, {"guest_host_name": "a"}, change=late)
    assert failed.state == ("provisioningfailed", "error validating:checksum")


@pytest.mark.parametrize(
    ("change", "error"),
    [
        (lambda pool: pool.update({AES_KEY: ""}), "error decrypting:shared_aes_key"),
        (
            lambda pool: pool.update({AES_KEY: base64.b64encode(b"x" * 256).decode()}),
            "error decrypting:shared_aes_key",
        ),
        (
            lambda pool: pool.update({"hlvmm.data.guest_host_name": "AAAA"}),
            "error decrypting:provisioning_data",
        ),
    ],
)
def test_what_cannot_be_decrypted_is_told(tmp_path: Path, change: Any, error: str) -> None:
    """Each failure has its fixed text, and there is no restart."""
    port = exchange(
        FakePort(), LinuxGuest(), tmp_path, {"guest_host_name": "a"}, change=lambda p: change(p.pool)
    )
    assert port.state == ("provisioningfailed", error)
    assert (port.restarts, port.disk.phase) == (0, GuestPhase.FAILED)


@pytest.mark.parametrize(
    ("pool", "error"),
    [
        ({}, "error waiting:host_signal"),
        ({HOST_STATE: "waitingforpublickey"}, "error validating:manifest"),
        ({HOST_STATE: "waitingforpublickey", VERSION: "2.4.001"}, "error validating:manifest"),
        ({HOST_STATE: "waitingforpublickey", VERSION: "2.4.000"}, "error waiting:provisioning_data"),
    ],
)
def test_linux_waits_for_a_time_alone(pool: dict[str, str], error: str) -> None:
    """It gives up with its text: no state, no or another version, no data."""
    port = FakePort(pool=pool)
    list(provision(port, LinuxGuest()))
    assert port.state == ("provisioningfailed", error)


def test_windows_waits_for_ever() -> None:
    """The Windows guest is still waiting long after Linux gave up."""
    port = windows()
    waiting = provision(port, WindowsGuest())
    for _ in range(50):
        next(waiting)
    assert port.said == []


@pytest.mark.parametrize(
    "port",
    [
        FakePort(drive=None),
        FakePort(drive=("windows", "2.4.000")),
        FakePort(image=ImageSettings("x", "linux", bootstrapper=False)),
        FakePort(disk=Guest("x", "linux", GuestPhase.EXCHANGING)),
        FakePort(disk=Guest("x", "linux", GuestPhase.FAILED)),
    ],
)
def test_guests_that_never_answer(port: FakePort) -> None:
    """No ISO, another family's, no bootstrapper, or a phase file left over: not a word."""
    port.pool = {HOST_STATE: "waitingforpublickey", VERSION: "2.4.000"}
    list(provision(port, LinuxGuest()))
    assert port.said == []


def test_an_image_without_openssl_publishes_an_empty_key() -> None:
    """Empty is an error of the image, not 'not yet'."""
    port = FakePort(image=ImageSettings("x", "linux", openssl=False))
    port.pool = {HOST_STATE: "waitingforpublickey", VERSION: "2.4.000"}
    list(provision(port, LinuxGuest()))
    assert dict(port.said)[PUBLIC_KEY] == ""


@pytest.mark.parametrize(
    ("text", "used"),
    [
        ("plain", "plain"),
        ("two  blanks ", "two blanks"),
        ("it's", ""),
        ("a'b c'd", "ab cd"),
        ('say "x"', "say x"),
        ("back\\slash", "backslash"),
        ("-n word", "word"),
        ("-e -E word", "word"),
        ("-n", ""),
        ("--help", "Usage: /usr/bin/echo [SHORT-OPTION]... [STRING]..."),
        ("tab\there", "tab here"),
    ],
)
def test_what_linux_shell_scripts_make_of_a_text(text: str, used: str) -> None:
    """The same as a real shell's echo and xargs, where they are there to be asked."""
    assert xargs(text) == used
    bash, tool = shutil.which("bash"), shutil.which("xargs")
    if bash and tool and text != "--help":
        real = subprocess.run(
            [bash, "-c", 'echo "$1" | xargs 2>/dev/null', "-", text], capture_output=True, check=False
        )
        assert real.stdout.decode().rstrip("\n") == used


def test_a_lone_option_breaks_linux_checksum(tmp_path: Path) -> None:
    """Bash's echo takes -n as an option, so the guest's checksum has nothing in its place."""
    assert [echo_builtin(t) for t in ("-n", "-nE", "-x", "a\n\n")] == ["", "", "-x", "a"]
    port = exchange(FakePort(), LinuxGuest(), tmp_path, {"guest_la_pw": "-n"})
    assert port.state[1] == "error validating:checksum"


def test_linux_accounts_of_the_image_get_no_rights(tmp_path: Path) -> None:
    """An account that is in the image gets the password alone; a wrong name makes none, and nobody hears of it."""
    port = exchange(FakePort(), LinuxGuest(), tmp_path, {"guest_la_uid": "ubuntu", "guest_la_pw": "pw"})
    assert port.disk.becoming is not None
    account = port.disk.becoming.account("ubuntu")
    assert account is not None
    assert account.password_is("pw")
    assert not account.administrator
    wrong = exchange(FakePort(), LinuxGuest(), tmp_path, {"guest_la_uid": "Not Good", "guest_la_pw": "pw"})
    assert wrong.state[0] == "provisioningapplied"
    assert wrong.disk.becoming is not None
    assert [a.name for a in wrong.disk.becoming.accounts] == ["root", "ubuntu"]


NETWORK = {"guest_v4_ip_addr": "192.0.2.9", "guest_v4_cidr_prefix": "24", "guest_v4_default_gw": "192.0.2.1"}


@pytest.mark.parametrize(
    ("items", "netplan", "address", "dns", "suffix"),
    [
        (
            NETWORK | {"guest_v4_dns1": "192.0.2.53", "guest_net_dns_suffix": "example.com"},
            True,
            "192.0.2.9",
            ("192.0.2.53",),
            "example.com",
        ),
        (NETWORK | {"guest_net_dns_suffix": "example.com"}, True, "192.0.2.9", (), ""),
        ({"guest_v4_dns1": "192.0.2.53"}, True, "", (), ""),
        (NETWORK, False, "", (), ""),
        (NETWORK | {"guest_v4_cidr_prefix": "99"}, True, "", (), ""),
    ],
)
def test_linux_network_fails_in_silence(
    tmp_path: Path, items: dict[str, str], netplan: bool, address: str, dns: tuple[str, ...], suffix: str
) -> None:
    """Address by netplan alone, DNS with an address alone, the suffix with a server alone; always 'applied'."""
    port = FakePort(image=ImageSettings("x", "linux", netplan=netplan))
    become = exchange(port, LinuxGuest(), tmp_path, items).disk.becoming
    assert become is not None
    assert (become.ipv4, become.dns, become.dns_suffix) == (address, dns, suffix)


def test_windows_reads_in_its_code_page(tmp_path: Path) -> None:
    """UTF-8 without a byte order mark is read as code page 1252."""
    assert ansi("p\u00e4\u00df") == "p\u00c3\u00a4\u00c3\u0178"
    assert ansi("\u00c1") == "\u00c3\u0081"
    port = exchange(
        windows(), WindowsGuest(), tmp_path, {"guest_la_uid": "ops", "guest_la_pw": "p\u00e4\u00df"}
    )
    assert port.disk.becoming is not None
    account = port.disk.becoming.account("ops")
    assert account is not None
    assert account.password_is("p\u00c3\u00a4\u00c3\u0178")


JOIN = {
    "guest_domain_join_target": "example.com",
    "guest_domain_join_uid": " join ",
    "guest_domain_join_pw": " pw ",
    "guest_domain_join_ou": " OU=A,DC=example,DC=com ",
}


def test_windows_trims_the_domains_fields(tmp_path: Path) -> None:
    """Account, password and OU of the join lose the blanks at their ends; the local password does not."""
    port = exchange(
        windows(), WindowsGuest(), tmp_path, JOIN | {"guest_la_uid": "ops", "guest_la_pw": " pw "}
    )
    become = port.disk.becoming
    assert become is not None
    assert (become.domain, become.domain_account, become.domain_ou) == (
        "example.com",
        "join",
        "OU=A,DC=example,DC=com",
    )
    account = become.account("ops")
    assert account is not None
    assert account.password_is(" pw ")


def test_windows_skips_a_join_in_silence(tmp_path: Path) -> None:
    """Without an OU, or when no controller answers, it reports success and is in no domain."""
    without = {name: value for name, value in JOIN.items() if not name.endswith("_ou")}
    silent = windows()
    silent.domains = False
    for port, items in ((windows(), without), (silent, JOIN)):
        exchange(port, WindowsGuest(), tmp_path, items)
        assert port.state[0] == "provisioningapplied"
        assert port.disk.becoming is not None
        assert port.disk.becoming.domain == ""


@pytest.mark.parametrize(
    ("values", "items"), [({"adapters_up": 2}, NETWORK), ({}, NETWORK | {"guest_v4_default_gw": "nonsense"})]
)
def test_windows_fails_on_an_address(tmp_path: Path, values: dict[str, Any], items: dict[str, str]) -> None:
    """Two adapters that are up, or a wrong address: failed after applying, no join and no restart."""
    port = exchange(windows(**values), WindowsGuest(), tmp_path, items | JOIN)
    assert port.state == ("provisioningfailed", "error applying:modules")
    assert (GUEST_STATE, "applying") in port.said
    assert (port.restarts, port.disk.becoming) == (0, None)


def test_a_newline_in_a_windows_account_makes_none(tmp_path: Path) -> None:
    """It passes the exchange and makes no account."""
    port = exchange(windows(), WindowsGuest(), tmp_path, {"guest_la_uid": "a\nb", "guest_la_pw": "pw"})
    assert port.state[0] == "provisioningapplied"
    assert port.disk.becoming is not None
    assert [a.name for a in port.disk.becoming.accounts] == ["Administrator"]


def test_the_key_that_is_kept_is_the_key_that_was_published() -> None:
    """The private key's public half is what the guest wrote."""
    port = FakePort(pool={HOST_STATE: "waitingforpublickey", VERSION: "2.4.000"})
    list(provision(port, LinuxGuest()))
    text = openssl("rsa", "-modulus", "-noout", stdin=port.pem).decode()
    numbers = public_key(base64.b64decode(dict(port.said)[PUBLIC_KEY]))
    assert int(text.strip().removeprefix("Modulus="), 16) == numbers.n
    assert numbers.e == 65537


def test_a_wrong_utf8_is_a_decrypt_error() -> None:
    """Bytes that are no text are told like any other wrong data."""
    with pytest.raises(crypto.DecryptError):
        crypto.decrypt(b"k" * 32, "not base64!")
