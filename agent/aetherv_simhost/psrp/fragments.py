"""PSRP's fragments (MS-PSRP 2.2.4) and messages (2.2.1), as far as a relay has to read and write them. Pure."""

import re
import struct
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

_HEADER: Final = struct.Struct(">QQBI")
_KIND: Final = struct.Struct("<II")
_MESSAGE: Final = struct.Struct("<II16s16s")
_FIRST: Final = 1
_LAST: Final = 2
_TO_CLIENT: Final = 1
_BOM: Final = b"\xef\xbb\xbf"
_STATE: Final = re.compile(rb'<I32 N="PipelineState">(\d+)</I32>')
# Stopped, Completed, Failed (2.2.3.5): nothing comes after it.
_ENDS: Final = frozenset({3, 4, 5})
# A state with its error record; one that is larger is told by its end alone.
_MAX_STATE_BYTES: Final = 16 * 1024 * 1024

PIPELINE_STATE: Final = 0x00041006
_CAPABILITY: Final = 0x00010002
_INIT_DATA: Final = 0x0002100B
_PRIVATE_DATA: Final = 0x00021009
_POOL_STATE: Final = 0x00021005
_VERSIONS: Final = (
    '<Obj RefId="0"><MS><Version N="protocolversion">2.3</Version><Version N="PSVersion">2.0</Version>'
    '<Version N="SerializationVersion">1.1.0.1</Version></MS></Obj>'
)
_OPENED: Final = '<Obj RefId="0"><MS><I32 N="RunspaceState">2</I32></MS></Obj>'
_NO_DATA: Final = (
    '<Obj RefId="0"><MS><Obj N="ApplicationPrivateData" RefId="1"><TN RefId="0">'
    "<T>System.Management.Automation.PSPrimitiveDictionary</T><T>System.Collections.Hashtable</T>"
    "<T>System.Object</T></TN><DCT/></Obj></MS></Obj>"
)


@dataclass(slots=True)
class PipelineEnd:
    """Sees in a command's outgoing bytes that its pipeline has ended.

    Attributes:
        last_object: Id of the last object that came.
    """

    last_object: int = 0
    _rest: bytes = b""
    _message: bytearray | None = None

    def ended(self, data: bytes) -> bool:
        """Takes the next bytes; whether a last message about the pipeline's state was complete in them."""
        self._rest += data
        found = False
        for object_id, flags, blob in self._fragments():
            self.last_object = object_id
            if flags & _FIRST:
                self._message = bytearray()
            if self._message is not None and len(self._message) < _MAX_STATE_BYTES:
                self._message += blob
                if len(self._message) >= _KIND.size and _KIND.unpack_from(self._message)[1] != PIPELINE_STATE:
                    self._message = None
            if flags & _LAST and self._message is not None:
                state = _STATE.search(self._message)
                found = found or (state is not None and int(state[1]) in _ENDS)
                self._message = None
        return found

    def _fragments(self) -> Iterator[tuple[int, int, bytes]]:
        while len(self._rest) >= _HEADER.size:
            object_id, _, flags, length = _HEADER.unpack_from(self._rest)
            end = _HEADER.size + length
            if len(self._rest) < end:
                return
            blob, self._rest = self._rest[_HEADER.size : end], self._rest[end:]
            yield object_id, flags, blob


def takeover(pool_id: str, after: int) -> tuple[bytes, bytes]:
    """What a client that takes a pool over is answered with (MS-PSRP 3.1.4.10), where the server process knows no take-over.

    Args:
        pool_id: The pool's id.
        after: The last object id that went out: ids go on rising.

    Returns:
        For the Connect's answer: capability and the pool's size. For the pool's stream: private data and state.
    """
    size = '<Obj RefId="0"><MS><I32 N="MinRunspaces">1</I32><I32 N="MaxRunspaces">1</I32></MS></Obj>'
    messages = (
        (_CAPABILITY, _VERSIONS),
        (_INIT_DATA, size),
        (_PRIVATE_DATA, _NO_DATA),
        (_POOL_STATE, _OPENED),
    )
    made = [_message(after + 1 + at, pool_id, kind, text) for at, (kind, text) in enumerate(messages)]
    return made[0] + made[1], made[2] + made[3]


def _message(object_id: int, pool_id: str, kind: int, text: str) -> bytes:
    head = _MESSAGE.pack(_TO_CLIENT, kind, uuid.UUID(pool_id).bytes_le, bytes(16))
    blob = head + _BOM + text.encode()
    return _HEADER.pack(object_id, 0, _FIRST | _LAST, len(blob)) + blob
