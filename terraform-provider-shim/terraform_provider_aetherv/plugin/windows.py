"""What differs on Windows: TCP instead of a unix socket, so that the peer has to be checked; a parent's handle.

Written after Microsoft's documentation of the functions named below; imported on Windows alone.
"""

from __future__ import annotations

import ctypes
import socket
import struct
from collections.abc import Callable, Iterator
from typing import Any, Final

_SYNCHRONIZE: Final = 0x00100000
_WAIT_TIMEOUT: Final = 0x102
_NO_ERROR: Final = 0
_ERROR_INSUFFICIENT_BUFFER: Final = 122
_AF_INET: Final = 2
_TCP_TABLE_OWNER_PID_CONNECTIONS: Final = 4
_ROW: Final = struct.Struct("<6I")  # MIB_TCPROW_OWNER_PID
_ATTEMPTS: Final = 5


def process_is_gone(process_id: int) -> Callable[[], bool]:
    """Give a function that tells whether a process has ended (OpenProcess, WaitForSingleObject)."""
    kernel: Any = ctypes.WinDLL("kernel32", use_last_error=True)  # type: ignore[attr-defined]  # Windows alone
    kernel.OpenProcess.restype = ctypes.c_void_p
    kernel.WaitForSingleObject.argtypes = [ctypes.c_void_p, ctypes.c_uint32]
    handle = kernel.OpenProcess(_SYNCHRONIZE, 0, process_id)
    return lambda: not handle or kernel.WaitForSingleObject(handle, 0) != _WAIT_TIMEOUT


def connection_owner(local_port: int, remote_port: int) -> int | None:
    """Find the process that holds the other end of a loopback connection (GetExtendedTcpTable).

    Args:
        local_port: where this process listens.
        remote_port: the client's port.

    Returns:
        The process id; None if the connection is not in the table.
    """
    for client_port, server_port, process_id in _rows(_tcp_table()):
        if (client_port, server_port) == (remote_port, local_port):
            return process_id
    return None


def _tcp_table() -> bytes:
    helper: Any = ctypes.WinDLL("iphlpapi")  # type: ignore[attr-defined]  # Windows alone
    size = ctypes.c_uint32(0)
    buffer = ctypes.create_string_buffer(1)
    # The table may grow between asking for its size and reading it.
    for _ in range(_ATTEMPTS):
        status = helper.GetExtendedTcpTable(
            buffer,
            ctypes.byref(size),
            0,
            _AF_INET,
            _TCP_TABLE_OWNER_PID_CONNECTIONS,
            0,
        )
        if status == _NO_ERROR:
            return buffer.raw
        if status != _ERROR_INSUFFICIENT_BUFFER:
            break
        buffer = ctypes.create_string_buffer(size.value)
    return bytes(4)


def _rows(table: bytes) -> Iterator[tuple[int, int, int]]:
    """Read local port, remote port and process id of each row; ports stand in network order."""
    (count,) = struct.unpack_from("<I", table)
    for index in range(min(count, (len(table) - 4) // _ROW.size)):
        _state, _local, local_port, _remote, remote_port, process_id = _ROW.unpack_from(
            table, 4 + index * _ROW.size
        )
        yield socket.ntohs(local_port & 0xFFFF), socket.ntohs(remote_port & 0xFFFF), process_id
