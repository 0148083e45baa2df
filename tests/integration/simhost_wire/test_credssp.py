"""Unmodified pypsrp logs on by CredSSP: the host then holds the account's credentials for a second hop."""

import base64
import json
import ssl
from pathlib import Path

import pytest
import requests
from pypsrp.exceptions import AuthenticationError, WinRMTransportError
from pypsrp.powershell import RunspacePool
from requests_credssp.exceptions import (  # type: ignore[import-untyped]  # the package has no types
    AuthenticationException,
    NTStatusException,
)
from support.pwsh_site import Console, needs_pwsh, pwsh_site
from support.simhost_site import PASSWORD, Site, run, site

REFUSALS = (AuthenticationError, AuthenticationException, NTStatusException)


@pytest.mark.parametrize(
    ("tls", "auth", "encryption", "delegated"),
    [
        (True, "credssp", "auto", True),
        (True, "credssp", "always", True),
        (False, "credssp", "auto", True),
        (True, "ntlm", "auto", False),
        (True, "basic", "auto", False),
        (False, "ntlm", "auto", False),
    ],
)
def test_a_script_knows_whether_it_can_make_a_second_hop(
    tmp_path: Path, *, tls: bool, auth: str, encryption: str, delegated: bool
) -> None:
    """CredSSP hands the credentials over and no other login does, with and without TLS and message encryption."""
    with site(tmp_path, tls=tls) as host, host.pool(auth=auth, encryption=encryption) as pool:
        shell = run(pool, "Echo", "l\u00ednea 1\nline 2", Name="web-1")
        run(pool, "Echo")
    assert json.loads(shell.output[0]) == {"parameters": {"Name": "web-1"}, "input": ["l\u00ednea 1\nline 2"]}
    assert [(call.account, call.delegated) for call in host.backend.calls] == [("admin", delegated)] * 2


@pytest.mark.parametrize("user", ["ADMIN", r"HV1\admin", "admin@example.test"])
def test_an_account_is_known_by_all_its_spellings(https: Site, user: str) -> None:
    """Case, domain and UPN suffix make no difference to the credentials either."""
    with https.pool(auth="credssp", user=user) as pool:
        run(pool, "Echo")
    assert (https.backend.calls[0].account, https.backend.calls[0].delegated) == ("admin", True)


@pytest.mark.parametrize(("user", "password"), [("admin", "wrong"), ("admin", ""), ("nobody", PASSWORD)])
@pytest.mark.parametrize("tls", [True, False])
def test_wrong_credentials_are_refused(tmp_path: Path, user: str, password: str, *, tls: bool) -> None:
    """A wrong password or account is an authentication error that does not show the password, and nothing runs."""
    with site(tmp_path, tls=tls) as host:
        with (
            host.wsman(auth="credssp", user=user, password=password) as connection,
            pytest.raises(REFUSALS) as refused,
        ):
            RunspacePool(connection).open()
        assert host.backend.calls == []
        assert PASSWORD not in str(refused.value)


@pytest.mark.parametrize("tls", [True, False])
def test_a_megabyte_comes_whole_each_way(tmp_path: Path, *, tls: bool) -> None:
    """Messages longer than a TLS record are sealed in parts and put together again."""
    text = "0123456789abcde\n" * 65536
    with site(tmp_path, tls=tls) as host, host.pool(auth="credssp", encryption="always") as pool:
        run(pool, "Echo", text)
        shell = run(pool, "Emit", Lines=1, Size=1_000_000)
    assert host.backend.calls[0].pipeline_input == (text,)
    assert shell.output == ["x" * 1_000_000]


@pytest.mark.parametrize("newest", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_both_versions_of_tls_carry_it(
    http: Site, newest: ssl.TLSVersion, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The channel inside works as older and as newer Windows speak it."""
    make = ssl.SSLContext.wrap_bio

    def limited(context: ssl.SSLContext, *args: object, **options: object) -> ssl.SSLObject:
        if not options.get("server_side"):
            context.maximum_version = newest
        return make(context, *args, **options)  # type: ignore[arg-type]  # handed on as they came

    monkeypatch.setattr(ssl.SSLContext, "wrap_bio", limited)
    with http.wsman(auth="credssp") as connection, RunspacePool(connection) as pool:
        assert not run(pool, "Echo").had_errors
        context = connection.transport.encryption.context  # type: ignore[union-attr]  # there after a request
        assert context.tls_connection.version() == {771: "TLSv1.2", 772: "TLSv1.3"}[int(newest)]


def test_a_shell_stays_delegated_on_a_later_connection_without(https: Site) -> None:
    """A shell lives in the login that made it, as its process does on Windows."""
    with https.pool(auth="credssp") as pool:
        pool.connection.transport.close()
        pool.connection.transport.auth = "ntlm"
        pool.connection.transport.session = None
        run(pool, "Echo")
    assert https.backend.calls[0].delegated


def test_a_new_connection_authenticates_anew(https: Site) -> None:
    """The login belongs to one connection; on the next one the client hands its credentials over again."""
    with https.pool(auth="credssp") as pool:
        run(pool, "Echo")
        pool.connection.transport.close()
        assert not run(pool, "Echo").had_errors
    assert [call.delegated for call in https.backend.calls] == [True, True]


@pytest.mark.parametrize("tls", [True, False])
def test_every_method_is_offered(tmp_path: Path, *, tls: bool) -> None:
    """A request without credentials is told each method that the host takes: no password in clear without TLS."""
    with site(tmp_path, tls=tls) as host:
        answer = _post(host)
    offered = answer.headers["WWW-Authenticate"]
    assert answer.status_code == 401
    assert offered == ('Negotiate, Basic realm="WSMAN", CredSSP' if tls else "Negotiate, CredSSP")


@pytest.mark.parametrize(
    "token", [b"", b"x", b"\x16\x03\x01\x00\x05hello", b"\x15\x03\x03\x00\x02\x01\x00", b"NTLMSSP\x00" * 9]
)
def test_what_is_no_credssp_is_refused(https: Site, token: bytes) -> None:
    """Whatever stands in a token, the answer is 401 and the host lives on."""
    for _ in range(3):
        answer = _post(https, f"CredSSP {base64.b64encode(token).decode()}")
        assert answer.status_code == 401
    with https.pool(auth="credssp") as pool:
        assert not run(pool, "Echo").had_errors


def test_an_ended_channel_does_not_hang_the_host(http: Site) -> None:
    """A message after the client ended the channel inside is refused, and others are served."""
    with http.wsman(auth="credssp") as connection:
        pool = RunspacePool(connection)
        pool.open()
        sealing = connection.transport.encryption
        assert sealing is not None
        inner = sealing.context.tls_connection
        with pytest.raises(ssl.SSLWantReadError):
            inner.unwrap()
        goodbye = sealing.context._context._out_buff.read()
        sealing.wrap_message = lambda message: ("multipart/encrypted", _envelope(goodbye))  # type: ignore[method-assign]  # what the library never sends
        with pytest.raises(WinRMTransportError) as refused:
            connection.transport.send(b"<x/>")
        assert refused.value.code == 400
    with http.pool(auth="credssp") as other:
        assert not run(other, "Echo").had_errors


@needs_pwsh
@pytest.mark.parametrize(
    ("auth", "login", "roles"), [("credssp", "CredSSP", "role-1"), ("ntlm", "Negotiate", "")]
)
def test_a_real_powershell_has_the_login_that_made_its_shell(
    tmp_path: Path, auth: str, login: str, roles: str
) -> None:
    """The session names the login, and only credentials that were handed over add a role to the cluster."""
    with (
        pwsh_site(tmp_path, cluster="c1") as host,
        host.wsman(auth=auth) as connection,
        RunspacePool(connection) as pool,
    ):
        shell = Console(host, pool)
        assert shell.value("$PSSenderInfo.UserInfo.Identity.AuthenticationType") == login
        shell.run("$vm = New-VM -Name role-1 -Generation 2 -NoVHD -Path C:\\ClusterStorage\\Volume1\\Hyper-V")
        shell.run("$null = Add-ClusterVirtualMachineRole -VMId $vm.Id -ErrorAction Ignore")
        found = "(Get-ClusterGroup | Where-Object { $_.GroupType -eq 'VirtualMachine' }).Name"
        assert shell.value(f"[string]{found}") == roles


def _envelope(sealed: bytes) -> bytes:
    return (
        b"--Encrypted Boundary\r\n\tContent-Type: application/HTTP-CredSSP-session-encrypted\r\n"
        b"\tOriginalContent: type=application/soap+xml;charset=UTF-8;Length=5\r\n--Encrypted Boundary\r\n"
        b"\tContent-Type: application/octet-stream\r\n\x00\x00\x00\x00"
        + sealed
        + b"--Encrypted Boundary--\r\n"
    )


def _post(host: Site, authorization: str = "") -> requests.Response:
    address, port = host.server.endpoint("hv1")
    with requests.Session() as session:
        session.trust_env = False
        return session.post(
            f"{'https' if host.tls else 'http'}://{address}:{port}/wsman",
            headers={"Authorization": authorization} if authorization else {},
            verify=str(host.server.ca_cert) if host.tls else True,
            timeout=30,
        )
