"""One TCP connection: requests in, who sends them, their messages opened, faults played, answers out."""

import asyncio
import socket
import struct
from collections.abc import Callable
from http import HTTPStatus
from typing import Final

from aetherv_simhost.faults import Fault, Faults
from aetherv_simhost.wsman import encryption, markup, soap
from aetherv_simhost.wsman.auth import Admitted, Authenticator, Challenge
from aetherv_simhost.wsman.errors import WsmanFault
from aetherv_simhost.wsman.http import MAX_HEAD_BYTES, HttpError, Request, Response, read_request
from aetherv_simhost.wsman.ntlm import Accounts
from aetherv_simhost.wsman.service import Service
from aetherv_simhost.wsman.shell import Peer

# http.sys closes a connection that says nothing for so long.
_IDLE_SECONDS: Final = 120.0
_SOAP_TYPE: Final = "application/soap+xml;charset=UTF-8"
_MAX_LATENCY: Final = 600.0
# http.sys' own page, which is no well-formed XML: a client must not mistake it for an envelope.
_UNAVAILABLE: Final = (
    b'<!DOCTYPE HTML PUBLIC "-//W3C//DTD HTML 4.01//EN""http://www.w3.org/TR/html4/strict.dtd">\r\n'
    b"<HTML><HEAD><TITLE>Service Unavailable</TITLE>\r\n"
    b'<META HTTP-EQUIV="Content-Type" Content="text/html; charset=us-ascii"></HEAD>\r\n'
    b"<BODY><h2>Service Unavailable</h2>\r\n<hr><p>HTTP Error 503. The service is unavailable.</p>\r\n"
    b"</BODY></HTML>\r\n"
)
# A client gets so long for reading an answer.
_WRITE_SECONDS: Final = 120.0


class Protocol(asyncio.StreamReaderProtocol):
    """Streams, and a word when the peer is gone although nobody reads just then."""

    def __init__(
        self,
        accept: Callable[[asyncio.StreamReader, asyncio.StreamWriter, "Protocol"], None],
        loop: asyncio.AbstractEventLoop,
    ) -> None:
        self.lost: Callable[[], object] | None = None
        super().__init__(
            asyncio.StreamReader(limit=MAX_HEAD_BYTES, loop=loop),
            lambda reader, writer: accept(reader, writer, self),
            loop=loop,
        )

    def eof_received(self) -> bool:
        """A WinRM client never half-closes: the end of its stream is the end of the connection."""
        super().eof_received()
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        """Ends whatever waits for this peer's sake."""
        super().connection_lost(exc)
        if self.lost is not None:
            self.lost()


class _Reset(Exception):  # noqa: N818  # not an error: a fault that was asked for
    """The connection ends here with a TCP RST."""


class _Closed(Exception):  # noqa: N818  # as above
    """The connection ends here without an answer."""


class Connection:
    """Serves one connection to its end.

    Args:
        reader: From the peer.
        writer: To the peer.
        accounts: Who may come in.
        service: Answers requests.
        faults: The host's faults.
        tls: Whether the connection is under TLS.
    """

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        accounts: Accounts,
        service: Service,
        faults: Faults,
        *,
        tls: bool,
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._service = service
        self._faults = faults
        self._tls = tls
        self._auth = Authenticator(accounts, tls=tls)
        self._serving = ""
        peer = writer.get_extra_info("peername")
        self._address = str(peer[0]) if peer else ""

    @property
    def abandonable(self) -> bool:
        """Whether nothing is left to do when the peer is gone: a request that came in is executed all the same."""
        return self._serving in {"", "Receive"}

    async def run(self) -> None:
        """Serves requests until either side ends the connection."""
        try:
            while True:
                self._serving = ""
                async with asyncio.timeout(_IDLE_SECONDS):
                    request = await read_request(self._reader)
                if request is None:
                    return
                response = await self._respond(request)
                await self._write(response.render())
                if response.close:
                    return
        except HttpError as error:
            await self._write(Response(error.status, close=True).render())
        except _Reset:
            self.reset()
        except (_Closed, ConnectionError, asyncio.IncompleteReadError, TimeoutError):
            return
        finally:
            self._writer.close()

    def reset(self) -> None:
        """Ends the connection with a TCP RST."""
        reset(self._writer)

    async def _write(self, data: bytes) -> None:
        self._writer.write(data)
        async with asyncio.timeout(_WRITE_SECONDS):
            await self._writer.drain()

    async def _respond(self, request: Request) -> Response:
        if request.headers.get("wsmanidentify", "").lower() == "unauthenticated":
            return Response(HTTPStatus.OK, markup.identity(), (("Content-Type", _SOAP_TYPE),))
        authorization = request.headers.get("authorization")
        if authorization is not None and self._faults.take("auth_refused", "Authenticate"):
            return _challenge(self._auth.refuse())
        verdict = self._auth.check(authorization)
        if isinstance(verdict, Challenge):
            return _challenge(verdict)
        headers = (("WWW-Authenticate", verdict.token),) if verdict.token else ()
        if not request.body:
            return Response(HTTPStatus.OK, headers=headers)
        sealed = encryption.is_encrypted(request.headers.get("content-type", ""))
        if not sealed and not self._tls:
            text = b"Unencrypted traffic is refused: use message encryption, or HTTPS."
            return Response(
                HTTPStatus.INTERNAL_SERVER_ERROR, text, (*headers, ("Content-Type", "text/plain"))
            )
        sealing = self._auth.sealing if sealed else None
        if sealed and sealing is None:
            raise HttpError(HTTPStatus.BAD_REQUEST)
        try:
            parsed = soap.parse(sealing.unwrap(request.body) if sealing else request.body)
        except (encryption.EncryptionError, soap.EnvelopeError) as error:
            raise HttpError(HTTPStatus.BAD_REQUEST) from error
        return await self._answer(parsed, verdict, request, headers, sealing)

    async def _answer(
        self,
        parsed: soap.WsmanRequest,
        verdict: Admitted,
        request: Request,
        headers: tuple[tuple[str, str], ...],
        sealing: encryption.Sealing | None,
    ) -> Response:
        self._serving = parsed.name
        if await self._play_before(parsed.name):
            return Response(
                HTTPStatus.SERVICE_UNAVAILABLE, _UNAVAILABLE, (*headers, ("Content-Type", "text/html"))
            )
        status = HTTPStatus.OK
        try:
            peer = Peer(verdict.account, self._address, verdict.delegated)
            body = await self._service.answer(parsed, peer)
        except WsmanFault as error:
            status = HTTPStatus.INTERNAL_SERVER_ERROR
            body = error.render(parsed.message_id, request.headers.get("host", "").rpartition(":")[0])
        if fault := self._faults.take("lost_answer", parsed.name):
            self._lose(parsed, fault)
            raise _Closed
        content_type, body = sealing.wrap(body) if sealing else (_SOAP_TYPE, body)
        response = Response(status, body, (*headers, ("Content-Type", content_type)))
        await self._play_after(parsed, response)
        return response

    async def _play_before(self, where: str) -> bool:
        """Plays the faults that come before the request is executed; True for an answer 503."""
        if fault := self._faults.take("latency", where):
            await asyncio.sleep(min(fault.number(1.0), _MAX_LATENCY))
        if self._faults.take("shells_killed", where):
            self._service.kill_shells()
        # A host that can't be reached does not answer on connections that are still open either.
        if self._faults.take("reset", where) or self._faults.take("unreachable", where):
            raise _Reset
        return self._faults.take("http_503", where) is not None

    async def _play_after(self, parsed: soap.WsmanRequest, response: Response) -> None:
        """Plays the faults that spoil an answer."""
        if fault := self._faults.take("reset_mid", parsed.name):
            rendered = response.render()
            await self._write(rendered[: len(rendered) // 2])
            self._lose(parsed, fault)
            raise _Reset
        if self._faults.take("idle_close", parsed.name):
            # Not announced: the client learns it with its next request.
            await self._write(response.render())
            raise _Closed

    def _lose(self, parsed: soap.WsmanRequest, fault: Fault) -> None:
        """An answer is not delivered. Its output is gone, except for the same request or if the fault says ``keep``."""
        if fault.value == "keep":
            self._service.undo_receive(parsed)


def reset(writer: asyncio.StreamWriter) -> None:
    """Ends a connection with a TCP RST (SO_LINGER with no time makes the kernel send one)."""
    connection: socket.socket | None = writer.get_extra_info("socket")
    if connection is not None and connection.fileno() >= 0:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


def _challenge(challenge: Challenge) -> Response:
    return Response(
        HTTPStatus.UNAUTHORIZED, headers=tuple(("WWW-Authenticate", value) for value in challenge.values)
    )
