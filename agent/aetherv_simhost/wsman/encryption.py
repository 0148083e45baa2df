"""WinRM message encryption over plain HTTP: the MIME form of MS-WSMV 2.2.9.1, around a security context's sealing."""

import re
import struct
from typing import Final, Protocol

_BOUNDARY: Final = b"--Encrypted Boundary"
_SPNEGO: Final = "application/HTTP-SPNEGO-session-encrypted"
CONTENT_TYPE: Final = f'multipart/encrypted;protocol="{_SPNEGO}";boundary="Encrypted Boundary"'
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


def is_encrypted(content_type: str) -> bool:
    """Whether a Content-Type says that the body is an encrypted message."""
    return content_type.lower().startswith("multipart/encrypted")


def unwrap(context: SecurityContext, body: bytes) -> bytes:
    """Opens an encrypted body.

    Raises:
        EncryptionError: It is not in the form of MS-WSMV 2.2.9.1, or the context does not open it.
    """
    try:
        length = _LENGTH.search(body, 0, 1024)
        start = body.index(_OCTETS) + len(_OCTETS)
        end = body.rindex(_BOUNDARY + b"--")
        sealed = body[start:end]
        (header_length,) = struct.unpack("<i", sealed[:4])
        message = context.unwrap_winrm(sealed[4 : 4 + header_length], sealed[4 + header_length :])
        expected = -1 if length is None else int(length[1])
    except Exception as error:  # whatever the context says of hostile bytes, they are refused
        raise EncryptionError("the message cannot be decrypted") from error
    if len(message) != expected:
        raise EncryptionError("the message has another length than it says")
    return message


def wrap(context: SecurityContext, message: bytes) -> bytes:
    """Seals a message into an encrypted body, whose type is `CONTENT_TYPE`."""
    sealed = context.wrap_winrm(message)
    head = (
        f"\r\n\tContent-Type: {_SPNEGO}\r\n"
        f"\tOriginalContent: type=application/soap+xml;charset=UTF-8;Length={len(message)}\r\n"
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
            _BOUNDARY,
            b"--\r\n",
        )
    )
