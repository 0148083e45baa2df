"""Every error of pypsrp and of what it stands on, as one of ours. Decided by types, codes and ids, never by texts.

No error of a library leaves this room, not even as a cause: requests' errors carry the request, and with it the
account's credentials.
"""

from __future__ import annotations

import errno
import http.client
import ssl
from collections.abc import Callable, Iterator
from typing import Final, TypeVar

import requests
import urllib3
from pypsrp.exceptions import AuthenticationError, FragmentError, WinRMTransportError, WSManFaultError
from requests_credssp.exceptions import (  # type: ignore[import-untyped]  # the package has no types
    AuthenticationException,
    NTStatusException,
)
from spnego.exceptions import (
    BadMICError,
    ContextExpiredError,
    FeatureMissingError,
    SpnegoError,
    UnsupportedQop,
)

from aetherv_agent.core.errors import AethervError

from .credssp import CredSspNotOffered
from .settings import WinRmSettings

_T = TypeVar("_T")

# MS-WSMV and wsmerror.h; the decimals are what WSManFault's Code holds. Plain Win32 codes stand as small numbers.
OPERATION_TIMED_OUT: Final = 2150858793
NOT_FOUND: Final = 2150858843  # the shell, or the command in it, is not there (any more)

_FAULTS: Final[dict[int, str]] = {
    NOT_FOUND: "HOST_RESULT_LOST",
    OPERATION_TIMED_OUT: "HOST_TIMEOUT",
    2150859046: "HOST_UNREACHABLE",
    2150858770: "HOST_UNREACHABLE",
    995: "HOST_UNREACHABLE",  # the service stops under the request
    1115: "HOST_UNREACHABLE",  # shutdown in progress
    5: "HOST_PERMISSION_DENIED",
    2147942405: "HOST_PERMISSION_DENIED",
    2150859180: "HOST_PERMISSION_DENIED",  # remote shells are not allowed
    1311: "HOST_AUTHENTICATION_FAILED",
    1326: "HOST_AUTHENTICATION_FAILED",
    2: "HOST_QUOTA_EXCEEDED",  # the host process cannot start
    14: "HOST_QUOTA_EXCEEDED",  # out of memory
    **dict.fromkeys(
        (2150859173, 2150859174, 2150859175, 2150859176, 2150859179, *range(2150859236, 2150859242)),
        "HOST_QUOTA_EXCEEDED",
    ),
}
_STATUSES: Final[dict[int, str]] = {
    401: "HOST_AUTHENTICATION_FAILED",
    403: "HOST_PERMISSION_DENIED",
    407: "HOST_UNREACHABLE",
    425: "HOST_UNREACHABLE",
    429: "HOST_UNREACHABLE",
    502: "HOST_UNREACHABLE",
    503: "HOST_UNREACHABLE",
    504: "HOST_UNREACHABLE",
}
_TEXTS: Final[dict[str, str]] = {
    "HOST_UNREACHABLE": "does not answer",
    "HOST_TIMEOUT": "took too long to answer",
    "HOST_AUTHENTICATION_FAILED": "refused the credentials of account {account}",
    "HOST_PERMISSION_DENIED": "does not let account {account} use WinRM",
    "HOST_QUOTA_EXCEEDED": "has no room for another remote shell of account {account}",
    "HOST_CERTIFICATE_INVALID": "shows a certificate that can't be verified",
    "HOST_PROTOCOL_ERROR": "answered something that is no WS-Management",
    "HOST_RESULT_LOST": "no longer has the remote shell",
}


def host_error(
    error_id: str, settings: WinRmSettings, detail: str = "", fault: int | None = None
) -> AethervError:
    """Return a HOST_* error that names the host, where it was asked, and the account where that matters.

    Args:
        error_id: one of the HOST_* ids.
        settings: the host's.
        detail: what the machine said, for people; never from a text that a host chose.
        fault: WSManFault's code, for machines.
    """
    where = f"Host {settings.host} ({settings.address}, port {settings.effective_port})"
    text = _TEXTS[error_id].format(account=settings.username)
    metadata = {"host": settings.host} | ({"wsman_fault": str(fault)} if fault is not None else {})
    return AethervError(error_id, f"{where} {text}{f' ({detail})' if detail else ''}.", metadata=metadata)


def guarded(settings: WinRmSettings, action: Callable[[], _T]) -> _T:
    """Return what ``action`` returns; its errors become ours. ``action`` holds calls of the library and no logic.

    Raises:
        AethervError: HOST_*, or CONFIG_INVALID for what cannot be used on this machine.
    """
    try:
        return action()
    except Exception as error:  # noqa: BLE001  # no error of a library crosses this wall
        failure = translate(error, settings)
    # Outside of the handler: inside, the library's error would hang on ours as its context.
    raise failure


def translate(error: Exception, settings: WinRmSettings) -> AethervError:
    """Return our error for one of a library."""
    if isinstance(error, AethervError):
        return error
    error_id, detail, fault = _classify(error, settings)
    if error_id == "CONFIG_INVALID":
        return AethervError(error_id, f"Host {settings.host}: {detail}.", metadata={"host": settings.host})
    return host_error(error_id, settings, detail, fault)


def _classify(error: Exception, settings: WinRmSettings) -> tuple[str, str, int | None]:
    """Return id, detail and WSMan fault code."""
    chain = tuple(_chain(error))
    if isinstance(error, WSManFaultError):
        return _fault(error, chain)
    if isinstance(error, WinRMTransportError):
        return _status(error.code)
    if isinstance(error, FragmentError):
        return "HOST_RESULT_LOST", "a part of its output is missing", None
    for link in chain:
        found = _credentials(link, settings) or _tls(link) or _network(link)
        if found is not None:
            return *found, None
    return "HOST_PROTOCOL_ERROR", type(error).__name__, None


def _fault(error: WSManFaultError, chain: tuple[BaseException, ...]) -> tuple[str, str, int | None]:
    if isinstance(error.code, int):
        return _FAULTS.get(error.code, "HOST_PROTOCOL_ERROR"), f"WSMan fault {error.code}", error.code
    # An answer that is XML but no fault: pypsrp made an empty fault of it, the status stands in what went before.
    for link in chain:
        if isinstance(link, WinRMTransportError):
            return _status(link.code)
    return "HOST_PROTOCOL_ERROR", "a fault without a code", None


def _status(status: int) -> tuple[str, str, None]:
    return _STATUSES.get(status, "HOST_PROTOCOL_ERROR"), f"HTTP {status}", None


def _credentials(error: BaseException, settings: WinRmSettings) -> tuple[str, str] | None:
    match error:
        case CredSspNotOffered():
            how = "auth credssp: the host does not take it before Enable-WSManCredSSP -Role Server"
            return "HOST_AUTHENTICATION_FAILED", how
        case AuthenticationError() | AuthenticationException() | NTStatusException():
            return "HOST_AUTHENTICATION_FAILED", f"auth {settings.auth}"
        case BadMICError() | ContextExpiredError() | UnsupportedQop():
            return "HOST_PROTOCOL_ERROR", type(error).__name__
        case FeatureMissingError() | ImportError():
            return "CONFIG_INVALID", f"auth {settings.auth} needs a library that this machine does not have"
        case SpnegoError():
            return "HOST_AUTHENTICATION_FAILED", f"auth {settings.auth}: {type(error).__name__}"
    return None


def _tls(error: BaseException) -> tuple[str, str] | None:
    match error:
        case ssl.SSLCertVerificationError():
            return "HOST_CERTIFICATE_INVALID", f"OpenSSL verify code {error.verify_code}"
        case urllib3.exceptions.SSLError() | requests.exceptions.SSLError() if _has(error, ssl.SSLError):
            return None  # what it wraps says more
        case ssl.SSLEOFError() | ssl.SSLZeroReturnError():
            return "HOST_UNREACHABLE", "the connection ended in the TLS handshake"
        case ssl.SSLError() | urllib3.exceptions.SSLError() | requests.exceptions.SSLError():
            return "HOST_PROTOCOL_ERROR", "no TLS"
    return None


# In this order, most telling first. An error that only wraps one of the machine is passed over before these.
_CONNECTION: Final[tuple[tuple[tuple[type[BaseException], ...], str, str], ...]] = (
    ((http.client.RemoteDisconnected,), "HOST_UNREACHABLE", "the connection was closed"),
    ((http.client.IncompleteRead,), "HOST_UNREACHABLE", "the answer was cut off"),
    ((http.client.HTTPException,), "HOST_PROTOCOL_ERROR", "no HTTP"),
    (
        (requests.ConnectionError, requests.exceptions.ChunkedEncodingError),
        "HOST_UNREACHABLE",
        "no connection",
    ),
    (
        (urllib3.exceptions.ProtocolError, urllib3.exceptions.NewConnectionError),
        "HOST_UNREACHABLE",
        "no connection",
    ),
    (
        (requests.RequestException, urllib3.exceptions.HTTPError),
        "HOST_PROTOCOL_ERROR",
        "no answer of a web service",
    ),
)
_TELLING: Final[tuple[tuple[tuple[type[BaseException], ...], str, str], ...]] = (
    ((urllib3.exceptions.NameResolutionError,), "HOST_UNREACHABLE", "the name is not known"),
    (
        (requests.ConnectTimeout, urllib3.exceptions.ConnectTimeoutError),
        "HOST_UNREACHABLE",
        "no connection in time",
    ),
    (
        (requests.ReadTimeout, urllib3.exceptions.ReadTimeoutError, TimeoutError),
        "HOST_TIMEOUT",
        "no answer in time",
    ),
    (
        (urllib3.exceptions.ProxyError, requests.exceptions.ProxyError),
        "HOST_UNREACHABLE",
        "the proxy does not answer",
    ),
)


def _network(error: BaseException) -> tuple[str, str] | None:
    for kinds, error_id, detail in _TELLING:
        if isinstance(error, kinds) and not _is_refusal(error):
            return error_id, detail
    if _is_wrapper(error) and _wraps(error):
        return None  # what it wraps says more
    for kinds, error_id, detail in _CONNECTION:
        if isinstance(error, kinds):
            return error_id, detail
    if isinstance(error, OSError):
        return "HOST_UNREACHABLE", errno.errorcode.get(error.errno or 0, type(error).__name__)
    return None


def _is_refusal(error: BaseException) -> bool:
    """Whether it only says that there is no connection: urllib3 derives that from its time-out."""
    new = urllib3.exceptions.NewConnectionError
    return isinstance(error, new) and not isinstance(error, urllib3.exceptions.NameResolutionError)


def _wraps(error: BaseException) -> bool:
    return any(
        isinstance(link, OSError | http.client.HTTPException) and not _is_wrapper(link)
        for link in _chain(error)
    )


def _is_wrapper(error: BaseException) -> bool:
    # requests derives its errors from IOError.
    return isinstance(error, requests.RequestException | urllib3.exceptions.HTTPError)


def _has(error: BaseException, kind: type[BaseException]) -> bool:
    return any(isinstance(link, kind) for link in _chain(error))


def _chain(error: BaseException) -> Iterator[BaseException]:
    """Yield an error, then what it wraps: arguments, urllib3's ``reason``, cause and context, each once."""
    seen: set[int] = set()
    waiting = [error]
    while waiting:
        link = waiting.pop(0)
        if id(link) in seen:
            continue
        seen.add(id(link))
        yield link
        inner = (*link.args, getattr(link, "reason", None), link.__cause__, link.__context__)
        waiting.extend(item for item in inner if isinstance(item, BaseException))
