"""Every error of a library as one of ours, by type and code; and none of theirs behind it."""

from __future__ import annotations

import http.client
import itertools
import ssl
from typing import Any

import pytest
import requests
import spnego.exceptions
import urllib3
from aetherv_agent import contracts
from aetherv_agent.core.errors import AethervError
from aetherv_agent.winrm import WinRmSettings
from aetherv_agent.winrm.errors import guarded, translate
from pypsrp.exceptions import (
    AuthenticationError,
    FragmentError,
    InvalidPSRPOperation,
    SerializationError,
    WinRMError,
    WinRMTransportError,
    WSManFaultError,
)

SECRET = "pässword-77123"
SETTINGS = WinRmSettings(host="hv1", address="hv1.test", username="LAB\\svc", password=lambda: SECRET)


def fault(code: Any) -> WSManFaultError:
    """A WSMan fault with texts in a language that nobody parses."""
    return WSManFaultError(code, "hv1", "Zugriff verweigert.", None, None, None)


def wrapped(*errors: BaseException) -> BaseException:
    """Errors as requests hands them out: each the argument or cause of the one before."""
    for outer, inner in itertools.pairwise(errors):
        outer.__cause__ = inner
    return errors[0]


CERTIFICATE = ssl.SSLCertVerificationError(1, "certificate verify failed")
CERTIFICATE.verify_code = 20


@pytest.mark.parametrize(
    ("error", "error_id"),
    [
        (fault(2150858843), "HOST_RESULT_LOST"),
        (fault(2150858793), "HOST_TIMEOUT"),
        (fault(995), "HOST_UNREACHABLE"),
        (fault(1115), "HOST_UNREACHABLE"),
        (fault(5), "HOST_PERMISSION_DENIED"),
        (fault(2147942405), "HOST_PERMISSION_DENIED"),
        (fault(2150859180), "HOST_PERMISSION_DENIED"),
        (fault(1326), "HOST_AUTHENTICATION_FAILED"),
        (fault(2150859173), "HOST_QUOTA_EXCEEDED"),
        (fault(2150859174), "HOST_QUOTA_EXCEEDED"),
        (fault(2150859241), "HOST_QUOTA_EXCEEDED"),
        (fault(2150858817), "HOST_PROTOCOL_ERROR"),
        (fault("w:SchemaValidationError"), "HOST_PROTOCOL_ERROR"),
        (WinRMTransportError("http", 401, ""), "HOST_AUTHENTICATION_FAILED"),
        (WinRMTransportError("http", 403, ""), "HOST_PERMISSION_DENIED"),
        (WinRMTransportError("http", 503, "<html>"), "HOST_UNREACHABLE"),
        (WinRMTransportError("http", 400, ""), "HOST_PROTOCOL_ERROR"),
        (WinRMTransportError("http", 404, ""), "HOST_PROTOCOL_ERROR"),
        (AuthenticationError("no"), "HOST_AUTHENTICATION_FAILED"),
        (spnego.exceptions.InvalidCredentialError(), "HOST_AUTHENTICATION_FAILED"),
        (spnego.exceptions.NoCredentialError(), "HOST_AUTHENTICATION_FAILED"),
        (spnego.exceptions.BadMICError(), "HOST_PROTOCOL_ERROR"),
        (spnego.exceptions.FeatureMissingError(spnego.NegotiateOptions.use_gssapi), "CONFIG_INVALID"),
        (ImportError("gssapi"), "CONFIG_INVALID"),
        (FragmentError("3 != 4"), "HOST_RESULT_LOST"),
        (SerializationError("bad"), "HOST_PROTOCOL_ERROR"),
        (InvalidPSRPOperation("timeout"), "HOST_PROTOCOL_ERROR"),
        (WinRMError("related id"), "HOST_PROTOCOL_ERROR"),
        (KeyError("rsp"), "HOST_PROTOCOL_ERROR"),
        (requests.ConnectTimeout(), "HOST_UNREACHABLE"),
        (requests.ReadTimeout(), "HOST_TIMEOUT"),
        (TimeoutError(), "HOST_TIMEOUT"),
        (ConnectionRefusedError(111, "refused"), "HOST_UNREACHABLE"),
        (requests.exceptions.ProxyError(), "HOST_UNREACHABLE"),
        (requests.exceptions.ChunkedEncodingError(), "HOST_UNREACHABLE"),
        (wrapped(requests.ConnectionError(), ConnectionResetError(104, "reset")), "HOST_UNREACHABLE"),
        (wrapped(requests.ConnectionError(), http.client.RemoteDisconnected("")), "HOST_UNREACHABLE"),
        (wrapped(requests.ConnectionError(), http.client.BadStatusLine("SSH-2.0")), "HOST_PROTOCOL_ERROR"),
        (wrapped(requests.exceptions.SSLError(), urllib3.exceptions.SSLError(), CERTIFICATE), "HOST_CERTIFICATE_INVALID"),
        (wrapped(requests.exceptions.SSLError(), ssl.SSLEOFError(8, "eof")), "HOST_UNREACHABLE"),
        (wrapped(requests.exceptions.SSLError(), ssl.SSLError(1, "wrong version")), "HOST_PROTOCOL_ERROR"),
        (requests.exceptions.InvalidURL(), "HOST_PROTOCOL_ERROR"),
    ],
)  # fmt: skip
def test_each_error_has_its_id(error: Exception, error_id: str) -> None:
    """The id follows from type and code; the message names the host and never quotes a host's text."""
    ours = translate(error, SETTINGS)
    assert ours.id == error_id
    assert ours.metadata["host"] == "hv1"
    assert not ours.host_answered
    assert "hv1" in ours.message
    assert "Zugriff" not in ours.message
    assert SECRET not in repr(ours) + str(ours) + repr(SETTINGS)
    if error_id in {"HOST_AUTHENTICATION_FAILED", "HOST_PERMISSION_DENIED", "HOST_QUOTA_EXCEEDED"}:
        assert "account LAB\\svc" in ours.message


def test_a_page_that_is_xml_but_no_fault_is_told_by_its_status() -> None:
    """Pypsrp makes an empty fault of such a page; the HTTP status before it says what it was."""
    empty = fault(None)
    empty.__context__ = WinRMTransportError("http", 503, "<html/>")
    assert translate(empty, SETTINGS).id == "HOST_UNREACHABLE"


def test_what_only_the_transport_says_is_transient_and_a_refusal_is_not() -> None:
    """Nobody may undo for the first kind; the second is for a person to mend."""
    assert translate(fault(2150858843), SETTINGS).transient
    assert translate(requests.ReadTimeout(), SETTINGS).transient
    assert not translate(AuthenticationError(""), SETTINGS).transient


def test_no_error_of_a_library_hangs_on_ours() -> None:
    """Requests' errors carry the request and its credentials: they are neither cause nor context."""

    def fail() -> None:
        raise requests.ConnectionError(request=requests.Request("POST", headers={"Authorization": SECRET}))

    with pytest.raises(AethervError) as caught:
        guarded(SETTINGS, fail)
    assert caught.value.__context__ is None
    assert caught.value.__cause__ is None


def test_our_own_error_passes_as_it_is() -> None:
    """What is translated already is not translated again."""
    ours = AethervError("CONFIG_INVALID", "no password file")

    def fail() -> None:
        raise ours

    with pytest.raises(AethervError) as caught:
        guarded(SETTINGS, fail)
    assert caught.value is ours


def test_every_host_error_of_the_contract_that_is_ours_can_be_made() -> None:
    """The contract's HOST_* ids of the transport all have a text here."""
    ids = {rule for rule in contracts.error_rules() if rule.startswith("HOST_")}
    from aetherv_agent.winrm.errors import _TEXTS

    assert ids - set(_TEXTS) == {"HOST_PAUSED", "HOST_NOT_FOUND", "HOST_CORDONED"}
