"""WinRM message encryption over plain HTTP: the MIME forms of MS-WSMV 2.2.9.1, around a security context's sealing."""

import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Protocol

SPNEGO: Final = "application/HTTP-SPNEGO-session-encrypted"
CREDSSP: Final = "application/HTTP-CredSSP-session-encrypted"
_BOUNDARY: Final = b"--Encrypted Boundary"
# A TLS record holds no more, so a longer message of CredSSP is several parts (MS-WSMV 2.2.9.1.3).
_RECORD_BYTES: Final = 16384
_LENGTH: Final = re.compile(rb"OriginalContent:[^\r\n]*;Length=(\d+)")
_OCTETS: Final = b"Content-Type: application/octet-stream\r\n"


class EncryptionError(Exception):
    """The body is not an encrypted message of this connection's security context."""


class SealedMessage(Protocol):
    """What a context's wrap_winrm returns."""

    @property
    def header(self) -> bytes:
        """The signature."""

    @property
    def data(self) -> bytes:
        """The sealed bytes."""


class SecurityContext(Protocol):
    """The part of spnego's context that seals messages."""

    def wrap_winrm(self, data: bytes) -> SealedMessage:
        """Seals a message."""

    def unwrap_winrm(self, header: bytes, data: bytes) -> bytes:
        """Opens a sealed message."""


@dataclass(frozen=True, slots=True)
class Sealing:
    """What seals a connection's messages.

    Attributes:
        context: The login's security context.
        protocol: What it is called in MIME: `SPNEGO` or `CREDSSP`.
    """

    context: SecurityContext
    protocol: str = SPNEGO

    def unwrap(self, body: bytes) -> bytes:
        """Opens an encrypted body.

        Raises:
            EncryptionError: It is not in the form of MS-WSMV 2.2.9.1, or the context does not open it.
        """
        try:
            return b"".join(self._opened(body))
        except EncryptionError:
            raise
        except Exception as error:  # whatever the context says of hostile bytes, they are refused
            raise EncryptionError("the message cannot be decrypted") from error

    def wrap(self, message: bytes) -> tuple[str, bytes]:
        """Seals a message.

        Returns:
            Content-Type and body.
        """
        step = _RECORD_BYTES if self.protocol == CREDSSP else max(len(message), 1)
        parts = [message[start : start + step] for start in range(0, max(len(message), 1), step)]
        kind = "multipart/encrypted" if len(parts) == 1 else "multipart/x-multi-encrypted"
        body = b"".join((*map(self._sealed, parts), _BOUNDARY, b"--\r\n"))
        return f'{kind};protocol="{self.protocol}";boundary="Encrypted Boundary"', body

    def _opened(self, body: bytes) -> Iterator[bytes]:
        first, *pieces = body[: body.rindex(_BOUNDARY + b"--")].split(_BOUNDARY + b"\r\n")
        if first or not pieces:
            raise EncryptionError("the message has no parts")
        for head, part in zip(pieces[::2], pieces[1::2], strict=True):
            length = _LENGTH.search(head, 0, 1024)
            sealed = part[part.index(_OCTETS) + len(_OCTETS) :]
            (header_length,) = struct.unpack("<i", sealed[:4])
            opened = self.context.unwrap_winrm(sealed[4 : 4 + header_length], sealed[4 + header_length :])
            if length is None or len(opened) != int(length[1]):
                raise EncryptionError("the message has another length than it says")
            yield opened

    def _sealed(self, part: bytes) -> bytes:
        sealed = self.context.wrap_winrm(part)
        head = (
            f"\r\n\tContent-Type: {self.protocol}\r\n"
            f"\tOriginalContent: type=application/soap+xml;charset=UTF-8;Length={len(part)}\r\n"
        )
        return b"".join(
            (
                _BOUNDARY,
                head.encode(),
                _BOUNDARY,
                b"\r\n\t",
                _OCTETS,
                struct.pack("<i", len(sealed.header)),
                sealed.header,
                sealed.data,
            )
        )


def is_encrypted(content_type: str) -> bool:
    """Whether a Content-Type says that the body is an encrypted message."""
    return content_type.lower().startswith(("multipart/encrypted", "multipart/x-multi-encrypted"))
