"""Between bytes and loose Python data: the only importer of msgpack, whose errors end here."""

from __future__ import annotations

from typing import Any, Final

import msgpack  # type: ignore[import-untyped]  # it ships no types

from terraform_provider_aetherv.cty.path import CtyError
from terraform_provider_aetherv.cty.values import UNKNOWN, Value

# Ext type 0 is a plain unknown; 12 carries refinements (not null, a prefix, bounds), which may be dropped.
_UNKNOWN_EXTS: Final = frozenset({0, 12})

UNKNOWN_WIRE: Final[object] = msgpack.ExtType(0, b"\0")


def pack(data: Any) -> bytes:
    """Pack data that ``encode`` has checked."""
    return bytes(msgpack.packb(data))


def unpack(data: bytes) -> Any:
    """Unpack one msgpack value; an extension is ``UNKNOWN``.

    Raises:
        CtyError: the bytes are malformed; nothing else is raised.
    """
    try:
        return msgpack.unpackb(data, ext_hook=_ext, strict_map_key=True)
    except CtyError:
        raise
    except (ValueError, TypeError, OverflowError, RecursionError, msgpack.UnpackException) as error:
        raise CtyError("malformed msgpack") from error


def _ext(code: int, _data: bytes) -> Value:
    if code in _UNKNOWN_EXTS:
        return UNKNOWN
    raise CtyError(f"unknown extension type {code}")
