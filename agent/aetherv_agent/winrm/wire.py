"""The connection under a remote shell: pypsrp's WSMan made ready for one host, and what pypsrp has no option for. Blocking."""

from __future__ import annotations

import logging
import socket
import ssl
import xml.etree.ElementTree as ET
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any

from pypsrp.exceptions import WSManFaultError
from pypsrp.wsman import NAMESPACES, OptionSet, SelectorSet, WSMan, WSManAction
from requests.adapters import HTTPAdapter
from requests_credssp import HttpCredSSPAuth  # type: ignore[import-untyped]  # the package has no types
from urllib3.connection import HTTPConnection

from .credssp import MINIMUM_VERSION, CredSspAuth
from .errors import host_error
from .settings import WinRmSettings

# pypsrp's and pyspnego's debug lines hold whole messages, requests' and urllib3's the requests. What pypsrp reports
# above that it raises too.
for _name, _level in (
    ("pypsrp", logging.CRITICAL),
    ("spnego", logging.WARNING),
    ("requests_credssp", logging.WARNING),
    ("requests", logging.WARNING),
    ("urllib3", logging.ERROR),
):
    logging.getLogger(_name).setLevel(_level)


class Wsman(WSMan):
    """pypsrp's WSMan with a Receive that can be asked again.

    A Receive whose answer was lost is sent once more as the very same message: the host then gives the very same
    answer, while another message would get what comes after it. When that happens is the caller's decision:
    pypsrp's own repetitions take minutes and happen after time-outs alone.
    """

    def __init__(self, settings: WinRmSettings) -> None:
        super().__init__(
            settings.address,
            port=settings.effective_port,
            username=settings.username,
            ssl=settings.https,
            auth=settings.auth,
            cert_validation=_authority(settings),  # type: ignore[arg-type]  # requests takes a path too, and pypsrp hands it on
            connection_timeout=settings.connection_timeout,
            operation_timeout=settings.operation_timeout,
            read_timeout=settings.read_timeout,
            encryption=settings.encryption,
            proxy=settings.proxy,
            no_proxy=settings.proxy is None,
            negotiate_delegate=settings.delegate,
            credssp_minimum_version=MINIMUM_VERSION,
        )
        self._settings = settings
        self._unanswered: tuple[str, ET.Element] | None = None
        self._open: list[HTTPConnection] = []
        self.connected = False
        """Whether any connection ever came about."""

    def renew(self) -> None:
        """Forget the connection; the next request makes one, with the password as it is then.

        Message encryption belongs to one connection, so going on with its keys on another would only be refused.
        """
        self.drop()
        # Without a password Kerberos takes the ticket that is there.
        self.transport.password = self._settings.password() or None
        session = self.transport._build_session()  # noqa: SLF001  # pypsrp has no options for what follows
        if isinstance(session.auth, HttpCredSSPAuth):
            auth = session.auth
            session.auth = CredSspAuth(auth.username, auth.password, minimum_version=auth.minimum_version)
        for adapter in session.adapters.values():
            if isinstance(adapter, HTTPAdapter):
                if not self._settings.verify_hostname:
                    adapter.poolmanager.connection_pool_kw["assert_hostname"] = False
                _watch_connections(adapter, self._note)
        self.transport.session = session

    def interrupt(self) -> None:
        """Cut the connection under the request that another thread waits in. The only method for a second thread."""
        for connection in list(self._open):
            if connection.sock is not None:
                with suppress(OSError):
                    # Not ssl's own shutdown: that one takes the other thread's TLS state away.
                    socket.socket.shutdown(connection.sock, socket.SHUT_RDWR)

    def drop(self) -> None:
        """Close the connection and tell the host nothing."""
        self.transport.close()
        self.transport.session = None
        self.transport.encryption = None
        self.transport.password = None
        self._open.clear()

    def _note(self, connection: HTTPConnection) -> None:
        self.connected = True
        if connection not in self._open:
            self._open.append(connection)

    def receive(
        self,
        resource_uri: str,
        resource: ET.Element,
        option_set: OptionSet | None = None,
        selector_set: SelectorSet | None = None,
        timeout: int | None = None,
    ) -> ET.Element:
        """Ask for output, or for what the last unanswered Receive would have got."""
        try:
            answer = self.invoke(
                WSManAction.RECEIVE, resource_uri, resource, option_set, selector_set, timeout
            )
        except WSManFaultError:
            self._unanswered = None
            raise
        self._unanswered = None
        body = answer.find("s:Body", namespaces=NAMESPACES)
        if body is None:
            raise WSManFaultError(None, None, None, None, None, None)
        return body

    def _create_header(
        self,
        action: str,
        resource_uri: str,
        option_set: OptionSet | None = None,
        selector_set: SelectorSet | None = None,
        timeout: int | None = None,
    ) -> tuple[str, ET.Element]:
        if action != WSManAction.RECEIVE:
            return super()._create_header(action, resource_uri, option_set, selector_set, timeout)
        if self._unanswered is None:
            self._unanswered = super()._create_header(action, resource_uri, option_set, selector_set, timeout)
        return self._unanswered


def selectors(shell_id: str) -> SelectorSet:
    """Return what names a shell in a request."""
    chosen = SelectorSet()
    chosen.add_option("ShellId", shell_id)
    return chosen


def _authority(settings: WinRmSettings) -> str | bool:
    """Return what requests' ``verify`` takes; a file that is no certificate is refused here, by its own name."""
    if settings.ca_cert is None:
        return True
    try:
        ssl.create_default_context(cafile=str(settings.ca_cert))
    except (OSError, ValueError):  # ssl.SSLError is an OSError
        failure = host_error("HOST_CERTIFICATE_INVALID", settings, f"{settings.ca_cert} holds no certificate")
    else:
        return str(settings.ca_cert)
    raise failure


def _watch_connections(adapter: HTTPAdapter, note: Callable[[Any], None]) -> None:
    """Tell ``note`` of every connection that comes about from now on: urllib3 has no other hook for it."""

    def watched(make_pool: Callable[..., Any], *args: Any, **options: Any) -> Any:
        pool = make_pool(*args, **options)
        make_connection = pool.ConnectionCls

        def connection(*inner: Any, **inner_options: Any) -> Any:
            made = make_connection(*inner, **inner_options)
            connect = made.connect

            def connected() -> None:
                connect()
                note(made)

            made.connect = connected
            return made

        pool.ConnectionCls = connection
        return pool

    manager: Any = adapter.poolmanager
    makers = manager.pool_classes_by_scheme.items()
    manager.pool_classes_by_scheme = {scheme: partial(watched, make_pool) for scheme, make_pool in makers}
