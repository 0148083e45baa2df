"""What pypsrp is handed for each way of authentication."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import pytest
import requests
import spnego
import spnego.exceptions
from aetherv_agent.winrm import WinRmSettings
from aetherv_agent.winrm.credssp import CredSspAuth, CredSspNotOffered
from aetherv_agent.winrm.errors import translate
from aetherv_agent.winrm.wire import Wsman
from pypsrp.negotiate import HTTPNegotiateAuth
from requests.auth import HTTPBasicAuth
from urllib3 import HTTPResponse

SECRET = "p\u00e4ssword-77123"


def settings(**changes: Any) -> WinRmSettings:
    """Settings with changes."""
    values: dict[str, Any] = {
        "host": "hv1",
        "address": "hv1.test",
        "username": "svc@LAB.TEST",
        "password": lambda: SECRET,
    }
    return WinRmSettings(**(values | changes))


def renewed(**changes: Any) -> Wsman:
    """A connection that is ready for its first request."""
    wsman = Wsman(settings(**changes))
    wsman.renew()
    return wsman


def auth_of(wsman: Wsman) -> Any:
    """What the next request is authenticated by."""
    assert wsman.transport.session is not None
    return wsman.transport.session.auth


@pytest.mark.parametrize("delegate", [True, False])
@pytest.mark.parametrize("https", [True, False])
@pytest.mark.parametrize("auth", ["kerberos", "negotiate"])
def test_kerberos_hands_the_ticket_on_when_it_is_told_to(auth: str, https: bool, delegate: bool) -> None:
    """Protocol, delegation, channel binding and the need to seal messages reach pypsrp's authentication."""
    wsman = renewed(auth=auth, https=https, delegate=delegate)
    handed = auth_of(wsman)
    assert isinstance(handed, HTTPNegotiateAuth)
    assert (handed.auth_provider, handed.delegate) == (auth, delegate)
    assert (handed.username, handed.password) == ("svc@LAB.TEST", SECRET)
    assert handed.send_cbt
    assert handed.wrap_required is not https
    assert wsman.transport.wrap_required is not https


def test_kerberos_without_a_password_takes_the_ticket_that_is_there() -> None:
    """An empty password is none: the credentials' cache is asked."""
    assert auth_of(renewed(auth="kerberos", password=lambda: "")).password is None


@pytest.mark.parametrize("delegate", [True, False])
@pytest.mark.parametrize("https", [True, False])
def test_the_kerberos_context_is_asked_for_what_the_settings_say(
    monkeypatch: pytest.MonkeyPatch, https: bool, delegate: bool
) -> None:
    """GSSAPI is asked for Kerberos alone, the host's service, delegation, and sealing where HTTP needs it."""
    asked: dict[str, Any] = {}

    def client(username: str, password: str, **options: Any) -> None:
        asked.update(options, username=username, password=password)
        raise spnego.exceptions.NoCredentialError(context_msg="no domain here")

    monkeypatch.setattr(spnego, "client", client)
    monkeypatch.setattr(HTTPNegotiateAuth, "_get_cbt_data", staticmethod(lambda _: b"tls-server-end-point:x"))
    handed = auth_of(renewed(auth="kerberos", https=https, delegate=delegate))
    with pytest.raises(spnego.exceptions.NoCredentialError):
        handed.response_hook(_refusal("Negotiate, Kerberos"))
    assert (asked["protocol"], asked["hostname"], asked["service"]) == ("kerberos", "hv1.test", "host")
    assert (asked["username"], asked["password"]) == ("svc@LAB.TEST", SECRET)
    assert asked["channel_bindings"].application_data == b"tls-server-end-point:x"
    assert bool(asked["context_req"] & spnego.ContextReq.delegate) is delegate
    assert bool(asked["options"] & spnego.NegotiateOptions.wrapping_winrm) is not https


def test_ntlm_never_delegates_and_basic_is_basic() -> None:
    """NTLM is asked for by name, so that no ticket is used by chance."""
    ntlm = auth_of(renewed(auth="ntlm"))
    assert (ntlm.auth_provider, ntlm.delegate) == ("ntlm", False)
    basic = auth_of(renewed(auth="basic"))
    assert isinstance(basic, HTTPBasicAuth)
    assert (basic.username, basic.password) == ("svc@LAB.TEST", SECRET)


def test_credssp_refuses_hosts_that_a_man_in_the_middle_can_use() -> None:
    """Credentials are handed over by versions of CredSSP alone that bind them to the host's key (CVE-2018-0886)."""
    handed = auth_of(renewed(auth="credssp"))
    assert isinstance(handed, CredSspAuth)
    assert (handed.username, handed.password, handed.minimum_version) == ("svc@LAB.TEST", SECRET, 5)


def test_a_host_that_does_not_take_credssp_is_told_from_a_wrong_password() -> None:
    """The error says how a host is made to take it."""
    handed = auth_of(renewed(auth="credssp"))
    with pytest.raises(CredSspNotOffered) as caught:
        handed.response_hook(_refusal("Negotiate, Kerberos"))
    ours = translate(caught.value, settings(auth="credssp"))
    assert ours.id == "HOST_AUTHENTICATION_FAILED"
    assert "Enable-WSManCredSSP -Role Server" in ours.message


def test_a_dropped_connection_keeps_no_password() -> None:
    """Neither the transport nor its session has it then."""
    wsman = renewed(auth="credssp")
    wsman.drop()
    assert wsman.transport.session is None
    assert wsman.transport.password is None


def _refusal(offered: str) -> requests.Response:
    response = requests.Response()
    response.status_code = 401
    response.url = "https://hv1.test:5986/wsman"
    response.headers["WWW-Authenticate"] = offered
    response.raw = HTTPResponse(BytesIO(b""), preload_content=False)
    response.request = requests.Request("POST", response.url).prepare()
    return response
