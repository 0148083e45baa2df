"""HTTP/1.1 as WinRM clients use it: one POST with a Content-Length at a time on a kept-alive connection (RFC 9112).

Only bytes and headers; nothing here knows WSMan or authentication.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Final

MAX_HEAD_BYTES: Final = 65536
# WinRM's MaxEnvelopeSizekb is 500 on current servers; message encryption adds MIME heads and signatures, CredSSP's for
# every 16 KB.
MAX_BODY_BYTES: Final = 512_000 + 16384


class HttpError(Exception):
    """A request that is answered with a bare status and ends the connection."""

    def __init__(self, status: int) -> None:
        super().__init__(f"HTTP {status}")
        self.status = status


@dataclass(frozen=True, slots=True)
class Request:
    """One request.

    Attributes:
        method: Such as ``POST``.
        target: The request target, such as ``/wsman``.
        headers: Values by lower-case name.
        body: The whole body.
    """

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Response:
    """One response; ``close`` ends the connection after it."""

    status: int
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = field(default=())
    close: bool = False

    def render(self) -> bytes:
        """The bytes on the wire."""
        lines = [
            f"HTTP/1.1 {self.status} {HTTPStatus(self.status).phrase}",
            *(f"{name}: {value}" for name, value in self.headers),
            "Server: Microsoft-HTTPAPI/2.0",
            f"Content-Length: {len(self.body)}",
        ]
        if self.close:
            lines.append("Connection: close")
        return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1") + self.body


async def read_request(reader: asyncio.StreamReader) -> Request | None:
    """Reads the next request.

    Returns:
        The request, or None when the peer closed the connection between two requests.

    Raises:
        HttpError: What came cannot be served: 400, 411 (no length), 413 (too long), 431, 501.
        asyncio.IncompleteReadError: The peer closed the connection in the middle of a request.
    """
    first = await reader.read(1)
    if not first:
        return None
    if not first.isalpha():
        # A TLS handshake, as a rule: it must not wait for a line that never ends.
        raise HttpError(HTTPStatus.BAD_REQUEST)
    try:
        head = first + await reader.readuntil(b"\r\n\r\n")
    except asyncio.LimitOverrunError as error:
        raise HttpError(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE) from error
    request_line, *lines = head.decode("latin-1").split("\r\n")[:-2]
    words = request_line.split(" ")
    if len(words) != 3 or not words[2].startswith("HTTP/1."):  # noqa: PLR2004  # method, target, version
        raise HttpError(HTTPStatus.BAD_REQUEST)
    headers: dict[str, str] = {}
    for line in lines:
        name, colon, value = line.partition(":")
        if not colon:
            raise HttpError(HTTPStatus.BAD_REQUEST)
        headers[name.strip().lower()] = value.strip()
    if "transfer-encoding" in headers:
        raise HttpError(HTTPStatus.NOT_IMPLEMENTED)
    length = headers.get("content-length", "0" if words[0] != "POST" else "")
    if not (length.isascii() and length.isdigit()):
        raise HttpError(HTTPStatus.LENGTH_REQUIRED)
    if int(length) > MAX_BODY_BYTES:
        raise HttpError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
    return Request(words[0], words[1], headers, await reader.readexactly(int(length)))
