"""The agent's own authority, its leaf, the token file, and listeners that take certificates."""

from __future__ import annotations

import datetime as dt
import hashlib
import stat
from pathlib import Path
from typing import Any

import grpc
import grpc.aio
import pytest
import trustme
from aetherv.v1 import host_service_pb2
from aetherv_agent.api.permissions import Principal, Role
from aetherv_agent.api.renewal import Renewal, from_files
from aetherv_agent.api.server import Api, Listener, Rooms
from aetherv_agent.api.tls import OwnAuthority, ServerCertificate
from aetherv_agent.api.tokens import KnownToken, by_certificate, by_token, digest_of, ensure_token, refused
from aetherv_agent.core.errors import AethervError
from cryptography import x509
from support.api_fakes import HOSTS, NOW, FakeOperations, FakeProvisioning, FakeReads, Stubs, refusal
from support.deployment_fakes import FakeChecks, FakeDeployment

DAY = dt.timedelta(days=1)
START = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
NAMES = ["localhost", "127.0.0.1", "agent.example.com"]


def leaf_of(authority: OwnAuthority) -> x509.Certificate:
    """Return the leaf that is served."""
    return x509.load_pem_x509_certificates(authority.server_file.read_bytes())[0]


def test_a_first_start_makes_an_authority_of_10_years_and_a_leaf_of_90_days(tmp_path: Path) -> None:
    """Files, their rights, the certificates' times, names and uses are as promised."""
    authority = OwnAuthority(tmp_path / "tls", NAMES)
    authority.ensure(START)
    ca = x509.load_pem_x509_certificate(authority.ca_file.read_bytes())
    leaf = leaf_of(authority)
    assert ca.not_valid_after_utc - START == 3650 * DAY
    assert leaf.not_valid_after_utc - START == 90 * DAY
    leaf.verify_directly_issued_by(ca)
    names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["localhost", "agent.example.com"]
    assert [str(a) for a in names.get_values_for_type(x509.IPAddress)] == ["127.0.0.1"]
    assert ca.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    assert not leaf.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    modes = {p.name: stat.S_IMODE(p.stat().st_mode) for p in (tmp_path / "tls").iterdir()}
    assert modes == {"ca.pem": 0o644, "ca.key": 0o600, "server.pem": 0o644, "server.key": 0o600}
    assert stat.S_IMODE((tmp_path / "tls").stat().st_mode) == 0o700


@pytest.mark.parametrize(("days", "renewed"), [(0, False), (59, False), (61, True), (89, True), (200, True)])
def test_a_leaf_is_made_anew_before_it_ends(
    tmp_path: Path, days: int, renewed: bool
) -> None:  # a parameter of the test
    """The authority stays, so clients notice nothing."""
    authority = OwnAuthority(tmp_path / "tls", NAMES)
    before = authority.ensure(START)
    ca = authority.ca_file.read_bytes()
    after = authority.ensure(START + days * DAY)
    assert (before != after) is renewed
    assert authority.ca_file.read_bytes() == ca


def test_a_leaf_is_made_anew_for_other_names_or_a_key_that_does_not_fit(tmp_path: Path) -> None:
    """A machine that is called otherwise, or a start that was cut off between two files, is mended."""
    folder = tmp_path / "tls"
    before = OwnAuthority(folder, NAMES).ensure(START)
    renamed = OwnAuthority(folder, [*NAMES, "new.example.com"])
    after = renamed.ensure(START)
    assert after != before
    (folder / "server.key").write_bytes(before.key)
    mended = renamed.ensure(START)
    assert mended not in {before, after}
    (folder / "server.key").chmod(0o644)
    assert renamed.ensure(START) != mended


def test_a_damaged_or_ended_authority_is_told_and_never_replaced_in_silence(tmp_path: Path) -> None:
    """A new authority would cut off every client: the user decides."""
    folder = tmp_path / "tls"
    authority = OwnAuthority(folder, NAMES)
    authority.ensure(START)
    with pytest.raises(AethervError, match=r"has ended"):
        authority.ensure(START + 3651 * DAY)
    (folder / "ca.key").chmod(0o640)
    with pytest.raises(AethervError, match=r"chmod 600"):
        authority.ensure(START)
    (folder / "ca.key").chmod(0o600)
    authority.ca_file.write_text("damaged")
    with pytest.raises(AethervError, match=r"damaged"):
        authority.ensure(START)


async def test_renewal_changes_what_is_served_and_survives_bad_files(tmp_path: Path) -> None:
    """A changed pair is served; files that do not fit leave the old one."""
    ca = trustme.CA()
    cert, key = tmp_path / "c.pem", tmp_path / "k.pem"

    def write(issued: trustme.LeafCert) -> None:
        cert.write_bytes(b"".join(blob.bytes() for blob in issued.cert_chain_pems))
        key.write_bytes(issued.private_key_pem.bytes())
        key.chmod(0o600)

    write(ca.issue_cert("localhost"))
    certificate = ServerCertificate(from_files(cert, key))
    renewal = Renewal(certificate, lambda: from_files(cert, key))
    assert not await renewal.look()
    write(ca.issue_cert("localhost"))
    assert await renewal.look()
    key.write_bytes(ca.issue_cert("localhost").private_key_pem.bytes())
    assert not await renewal.look()
    with pytest.raises(AethervError, match=r"is not the key of"):
        from_files(cert, key)


def test_the_token_file_is_made_once_for_its_owner_alone(tmp_path: Path) -> None:
    """32 random bytes, mode 0600, the same at every start; one that others can read is refused."""
    path = tmp_path / "token"
    token = ensure_token(path)
    assert len(token) >= 43
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert ensure_token(path) == token
    assert ensure_token(tmp_path / "other") != token
    assert [p.name for p in tmp_path.iterdir() if "partial" in p.name] == []
    path.chmod(0o604)
    with pytest.raises(AethervError, match=r"chmod 600"):
        ensure_token(path)


class Metadata:
    """A call's context with metadata alone."""

    def __init__(self, token: str) -> None:
        self._token = token

    def invocation_metadata(self) -> list[tuple[str, str]]:
        """Return the metadata."""
        return [("authorization", f"bearer {self._token}")]


def test_an_expired_token_gets_the_text_of_an_unknown_one() -> None:
    """Nobody learns from the answer that a token was good once."""
    clock = [NOW]
    known = KnownToken(digest_of("t"), Principal("ci", Role.VIEWER), NOW + DAY)
    authenticate = by_token([known], lambda: clock[0])
    context: Any = Metadata("t")
    assert authenticate(context).name == "ci"
    clock[0] += 2 * DAY
    with pytest.raises(AethervError) as expired:
        authenticate(context)
    unknown: Any = Metadata("u")
    with pytest.raises(AethervError) as other:
        authenticate(unknown)
    assert str(expired.value) == str(other.value) == str(refused())
    assert known.digest == hashlib.sha256(b"t").digest()


async def test_an_mtls_listener_knows_its_callers_by_their_certificate(tmp_path: Path) -> None:
    """The certificate's name decides; one without a role may nothing; without one there is no connection."""
    authority = OwnAuthority(tmp_path / "tls", NAMES)
    certificate = ServerCertificate(authority.ensure())
    clients = trustme.CA()
    operations = FakeOperations()
    roles = {
        "ci.example.com": (Role.VIEWER, None),
        "named in the subject": (Role.VIEWER, frozenset({"hv02"})),
    }
    api = Api(
        Rooms(
            FakeProvisioning(operations), FakeReads(), operations, HOSTS, 5.0, FakeDeployment(), FakeChecks()
        ),
        [Listener("localhost:0", by_certificate(roles), certificate.credentials(clients.cert_pem.bytes()))],
        "1",
    )
    (address,) = await api.start()
    server_ca = authority.ca_file.read_bytes()

    async def hosts(issued: trustme.LeafCert | None) -> list[str]:
        credentials = grpc.ssl_channel_credentials(
            server_ca,
            issued.private_key_pem.bytes() if issued else None,
            issued.cert_chain_pems[0].bytes() if issued else None,
        )
        async with grpc.aio.secure_channel(address, credentials) as channel:
            answer = await Stubs(channel).hosts.ListHosts(host_service_pb2.ListHostsRequest(), timeout=10)
        return [host.name for host in answer.hosts]

    try:
        assert await hosts(clients.issue_cert("ci.example.com")) == ["hosts/hv01", "hosts/hv02"]
        named = clients.issue_cert("x.example.com", common_name="named in the subject")
        assert await hosts(named) == ["hosts/hv02"]
        stranger = await refusal(hosts(clients.issue_cert("other.example.com")))
        assert stranger.code() is grpc.StatusCode.PERMISSION_DENIED
        assert (await refusal(hosts(None))).code() is grpc.StatusCode.UNAVAILABLE
        foreign = trustme.CA().issue_cert("ci.example.com")
        assert (await refusal(hosts(foreign))).code() is grpc.StatusCode.UNAVAILABLE
    finally:
        await api.stop(0.0)


async def test_an_address_in_use_is_a_clear_error(tmp_path: Path) -> None:
    """A second agent on one port is told so, and nothing is left open."""
    operations = FakeOperations()
    rooms = Rooms(
        FakeProvisioning(operations), FakeReads(), operations, HOSTS, 5.0, FakeDeployment(), FakeChecks()
    )
    first = Api(rooms, [Listener("127.0.0.1:0", by_token([]), None)], "1")
    (address,) = await first.start()
    second = Api(rooms, [Listener(address, by_token([]), None)], "1")
    with pytest.raises(AethervError, match=r"in use"):
        await second.start()
    await first.stop(0.0)


async def test_a_unix_socket_serves_without_tls_and_still_asks_for_a_token(tmp_path: Path) -> None:
    """A local socket needs no certificate, and a token all the same."""
    operations = FakeOperations()
    rooms = Rooms(
        FakeProvisioning(operations), FakeReads(), operations, HOSTS, 5.0, FakeDeployment(), FakeChecks()
    )
    path = Path("/tmp") / f"aetherv-{tmp_path.name[-20:]}.sock"
    api = Api(
        rooms,
        [Listener(f"unix:{path}", by_token([KnownToken(digest_of("t"), Principal("a", Role.VIEWER))]), None)],
        "1",
    )
    (address,) = await api.start()
    assert address == f"unix:{path}"
    async with grpc.aio.insecure_channel(address) as channel:
        request = host_service_pb2.ListHostsRequest()
        stubs = Stubs(channel)
        error = await refusal(stubs.hosts.ListHosts(request))
        assert error.code() is grpc.StatusCode.UNAUTHENTICATED
        answer = await stubs.hosts.ListHosts(request, metadata=(("authorization", "Bearer t"),))
        assert len(answer.hosts) == 2
    await api.stop(0.0)
