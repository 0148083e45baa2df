"""Handshake, certificate and log lines."""

from __future__ import annotations

import base64
import datetime as dt
import io
import json
import logging
import os
import signal
import subprocess
import sys
from pathlib import Path

import grpc
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key
from cryptography.x509.oid import ExtendedKeyUsageOID
from terraform_provider_aetherv.plugin import handshake, hclog
from terraform_provider_aetherv.plugin.certificate import make_certificate
from terraform_provider_aetherv.plugin.handshake import Address
from terraform_provider_aetherv.plugin.wire import (
    goplugin_pb2,
    goplugin_pb2_grpc,
    tfplugin6_pb2,
    tfplugin6_pb2_grpc,
)

UNIX = Address("unix", "/run/s")


def test_handshake_line() -> None:
    """The line has six fields, the last one base64 without padding; without TLS five."""
    assert handshake.handshake_line(UNIX, b"\xff\xfe\xfd\xfc") == "1|6|unix|/run/s|grpc|//79/A"
    assert handshake.handshake_line(Address("tcp", "127.0.0.1:5"), None) == "1|6|tcp|127.0.0.1:5|grpc"


def test_environment_decides() -> None:
    """The cookie, the protocol's version and the wish for TLS stand in the environment."""
    assert handshake.started_by_terraform({handshake.COOKIE_NAME: handshake.COOKIE})
    assert not handshake.started_by_terraform({handshake.COOKIE_NAME: "other"})
    assert handshake.speaks_our_protocol({})
    assert handshake.speaks_our_protocol({"PLUGIN_PROTOCOL_VERSIONS": "5,6"})
    assert not handshake.speaks_our_protocol({"PLUGIN_PROTOCOL_VERSIONS": "5"})
    assert handshake.wants_tls({"PLUGIN_CLIENT_CERT": "pem"})
    assert not handshake.wants_tls({})


def test_reattach_json() -> None:
    """The debug mode's JSON names this process and its socket, and asks not to end it."""
    data = json.loads(handshake.reattach_json("a/b/c", UNIX))
    assert data["a/b/c"]["Pid"] == os.getpid()
    assert data["a/b/c"]["Test"] is True
    assert data["a/b/c"]["ProtocolVersion"] == 6
    assert data["a/b/c"]["Addr"] == {"Network": "unix", "String": "/run/s"}


@pytest.mark.parametrize("year", [2026, 2049, 2060])
def test_certificate_is_well_formed(year: int) -> None:
    """A strict X.509 parser reads the certificate; key, names, uses and times are right."""
    now = dt.datetime(year, 6, 1, tzinfo=dt.UTC)
    made = make_certificate(now)
    certificate = x509.load_der_x509_certificate(made.der)
    assert x509.load_pem_x509_certificate(made.certificate_pem) == certificate
    certificate.verify_directly_issued_by(certificate)
    key = load_pem_private_key(made.key_pem, None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    assert key.public_key() == certificate.public_key()
    assert isinstance(key.curve, ec.SECP256R1)
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["localhost"]
    usage = certificate.extensions.get_extension_for_class(x509.KeyUsage).value
    assert usage.digital_signature
    assert usage.key_cert_sign
    uses = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(uses) == [ExtendedKeyUsageOID.SERVER_AUTH]
    assert certificate.not_valid_before_utc < now < certificate.not_valid_after_utc
    assert certificate.not_valid_after_utc.year == year + 1


def test_certificates_differ_and_hide_their_key() -> None:
    """Each process has its own key and serial number, and no key in a repr."""
    one, two = make_certificate(), make_certificate()
    assert one.key_pem != two.key_pem
    serials = {x509.load_der_x509_certificate(item.der).serial_number for item in (one, two)}
    assert len(serials) == 2
    assert "PRIVATE" not in repr(one)


def _record(level: int = logging.INFO, **changes: object) -> logging.LogRecord:
    record = logging.LogRecord(
        "terraform_provider_aetherv.agent", level, __file__, 1, "made %s", ("it",), None
    )
    record.__dict__.update(changes)
    return record


def test_log_line_is_hclog() -> None:
    """A record becomes one JSON object with hclog's keys and the caller's fields."""
    stream = io.StringIO()
    hclog.HclogHandler(stream).emit(_record(fields={"vm": "web-01", "@level": "forged"}))
    line = json.loads(stream.getvalue())
    assert stream.getvalue().count("\n") == 1
    assert (line["@level"], line["@message"], line["@module"]) == ("info", "made it", "aetherv.agent")
    assert line["vm"] == "web-01"
    assert dt.datetime.fromisoformat(line["@timestamp"]).tzinfo is not None


@pytest.mark.parametrize(
    ("level", "name"),
    [(5, "trace"), (10, "debug"), (20, "info"), (30, "warn"), (40, "error"), (50, "error")],
)
def test_log_levels(level: int, name: str) -> None:
    """Python's levels become hclog's."""
    assert json.loads(hclog.HclogHandler().format(_record(level)))["@level"] == name


def test_exception_is_logged_without_its_text() -> None:
    """An exception's text may quote a secret: only its type and place are written."""
    try:
        int("hunter2")
    except ValueError:
        record = _record(exc_info=sys.exc_info())
    line = hclog.HclogHandler().format(record)
    assert json.loads(line)["error_type"] == "ValueError"
    assert Path(__file__).name in json.loads(line)["error_trace"][0]
    assert "hunter2" not in line


def test_broken_stream_ends_nothing() -> None:
    """A log line that cannot be written is dropped."""
    stream = io.StringIO()
    stream.close()
    handler = hclog.HclogHandler(stream)
    handler.emit(_record())
    assert stream.closed


@pytest.mark.parametrize(
    ("environ", "level"),
    [
        ({}, logging.WARNING),
        ({"TF_LOG": "debug"}, logging.DEBUG),
        ({"TF_LOG": "TRACE", "TF_LOG_PROVIDER": "ERROR"}, logging.ERROR),
        ({"TF_LOG_PROVIDER_AETHERV": "JSON"}, hclog.TRACE),
        ({"TF_LOG": "nonsense"}, logging.WARNING),
    ],
)
def test_level_by_environment(environ: dict[str, str], level: int) -> None:
    """The most specific of Terraform's variables decides what is written."""
    root = logging.getLogger()
    before = root.handlers[:], root.level, logging.raiseExceptions
    try:
        hclog.configure(environ)
        assert root.level == level
        assert [type(item) for item in root.handlers] == [hclog.HclogHandler]
    finally:
        root.handlers[:], root.level, logging.raiseExceptions = before


def _run(environ: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-P", "-m", "terraform_provider_aetherv", *arguments],
        env={"PATH": os.environ["PATH"], **environ},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_start_by_hand_explains_itself() -> None:
    """Without Terraform's cookie the program says what it is and how to install it, and fails."""
    result = _run({})
    assert result.returncode == 1
    assert "aetherv provider install" in result.stdout
    assert result.stderr == ""


def test_error_before_the_handshake_is_one_line_on_stdout(tmp_path: Path) -> None:
    """Terraform shows standard output's first line alone: the reason stands there, without a trace."""
    cookie = {handshake.COOKIE_NAME: handshake.COOKIE}
    old = _run({**cookie, "PLUGIN_PROTOCOL_VERSIONS": "4,5"})
    assert old.returncode == 1
    assert "protocol 6" in old.stdout.splitlines()[0]
    broken = tmp_path / "grpc.py"
    broken.write_text("raise ImportError('no grpc for this machine')", encoding="utf-8")
    no_grpc = _run({**cookie, "PYTHONPATH": str(tmp_path)})
    assert no_grpc.returncode == 1
    assert no_grpc.stdout == "The aetherv provider cannot start: ImportError: no grpc for this machine\n"


def test_nothing_but_the_handshake_on_stdout() -> None:
    """After the handshake standard output ends, signals do not end the process, and Shutdown does."""
    with subprocess.Popen(
        [sys.executable, "-P", "-m", "terraform_provider_aetherv"],
        env={
            "PATH": os.environ["PATH"],
            handshake.COOKIE_NAME: handshake.COOKIE,
            "PLUGIN_CLIENT_CERT": "a certificate",
        },
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        fields = process.stdout.readline().rstrip("\n").split("|")
        assert fields[:3] == ["1", "6", "unix"]
        assert fields[4] == "grpc"
        folder = Path(fields[3]).parent
        assert folder.stat().st_mode & 0o777 == 0o700
        assert process.stdout.read() == ""
        certificate = x509.load_der_x509_certificate(
            base64.b64decode(fields[5] + "=" * (-len(fields[5]) % 4))
        )
        credentials = grpc.ssl_channel_credentials(certificate.public_bytes(Encoding.PEM))
        options = (("grpc.ssl_target_name_override", "localhost"),)
        with grpc.secure_channel(f"unix:{fields[3]}", credentials, options) as channel:
            provider = tfplugin6_pb2_grpc.ProviderStub(channel)
            schema = provider.GetProviderSchema(tfplugin6_pb2.GetProviderSchema.Request(), timeout=60)
            assert schema.server_capabilities.plan_destroy
            process.send_signal(signal.SIGINT)
            process.send_signal(signal.SIGTERM)
            assert provider.StopProvider(tfplugin6_pb2.StopProvider.Request(), timeout=60).Error == ""
            goplugin_pb2_grpc.GRPCControllerStub(channel).Shutdown(goplugin_pb2.Empty(), timeout=60)
        assert process.wait(60) == 0
        assert not folder.exists()
