"""How errors are told to clients: the one table from category to gRPC code, with details and their size rule. Pure."""

from __future__ import annotations

import base64
import string
from collections.abc import Mapping
from types import MappingProxyType

import grpc
from google.protobuf import any_pb2
from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import Message
from google.rpc import error_details_pb2, status_pb2

from aetherv_agent.api.convert import basics
from aetherv_agent.core.errors import AethervError, Category

DOMAIN = "aetherv"
"""ErrorInfo's domain of every error."""

LIMIT = 4096
"""Bytes that message and details may take on the wire. Above 8 KB clients get RESOURCE_EXHAUSTED instead."""

MOST_VIOLATIONS = 20
_TEXT = 1024
_FIELD_TEXT = 512
_LEAST_TEXT = 128
_LEAST_FIELD_TEXT = 64
_METADATA_KEYS = 12
_METADATA_TEXT = 256
_RETRY_SECONDS = 5.0
_UNESCAPED = frozenset(string.printable[:95]) - {"%"}

CODES: Mapping[Category, grpc.StatusCode] = MappingProxyType(
    {
        Category.NOT_FOUND: grpc.StatusCode.NOT_FOUND,
        Category.ALREADY_EXISTS: grpc.StatusCode.ALREADY_EXISTS,
        Category.INVALID: grpc.StatusCode.INVALID_ARGUMENT,
        Category.PRECONDITION: grpc.StatusCode.FAILED_PRECONDITION,
        Category.RESOURCE_EXHAUSTED: grpc.StatusCode.RESOURCE_EXHAUSTED,
        Category.UNAVAILABLE: grpc.StatusCode.UNAVAILABLE,
        Category.TIMEOUT: grpc.StatusCode.DEADLINE_EXCEEDED,
        # A host that refuses the agent's rights: PERMISSION_DENIED speaks of the caller alone.
        Category.PERMISSION: grpc.StatusCode.FAILED_PRECONDITION,
        Category.INTERNAL: grpc.StatusCode.INTERNAL,
        Category.ABORTED: grpc.StatusCode.ABORTED,
        Category.CANCELLED: grpc.StatusCode.CANCELLED,
        Category.UNAUTHENTICATED: grpc.StatusCode.UNAUTHENTICATED,
        Category.PERMISSION_DENIED: grpc.StatusCode.PERMISSION_DENIED,
        Category.OUT_OF_RANGE: grpc.StatusCode.OUT_OF_RANGE,
        Category.UNIMPLEMENTED: grpc.StatusCode.UNIMPLEMENTED,
    }
)


def code_of(error: AethervError) -> grpc.StatusCode:
    """Return the gRPC code of an error."""
    return CODES[error.category]


def to_status(error: AethervError, operation: str = "") -> status_pb2.Status:
    """Return an error as google.rpc.Status with ErrorInfo, BadRequest and RetryInfo, below ``LIMIT`` on the wire.

    Args:
        error: the error.
        operation: ``operations/{id}`` whose log has the whole text, or empty.
    """
    operation = operation or error.metadata.get("operation", "")
    text, field_text, most = _TEXT, _FIELD_TEXT, min(len(error.violations), MOST_VIOLATIONS)
    while True:
        status = _build(error, operation, text, field_text, most)
        if wire_size(status) < LIMIT:
            return status
        if field_text > _LEAST_FIELD_TEXT:
            field_text //= 2
        elif text > _LEAST_TEXT:
            text //= 2
        elif most > 1:
            most -= 1
        else:
            # A path or metadata of absurd size: what is left must fit whatever it says.
            return _build(error, "", 128, 32, 0, metadata=False)


def wire_size(status: status_pb2.Status) -> int:
    """Return the bytes that a status takes in trailing metadata: message percent-encoded, details in base64."""
    escaped = sum(1 if chr(byte) in _UNESCAPED else 3 for byte in status.message.encode())
    return escaped + len(base64.b64encode(status.SerializeToString()))


def _build(
    error: AethervError, operation: str, text: int, field_text: int, most: int, *, metadata: bool = True
) -> status_pb2.Status:
    details: list[Message] = [
        error_details_pb2.ErrorInfo(
            reason=error.id,
            domain=DOMAIN,
            metadata={
                _cut(key, 64): _cut(value, _METADATA_TEXT)
                for key, value in list(error.metadata.items())[:_METADATA_KEYS]
            }
            if metadata
            else {},
        )
    ]
    if error.violations and most:
        shown = error.violations[:most]
        rest = len(error.violations) - len(shown)
        bad = error_details_pb2.BadRequest(
            field_violations=[
                error_details_pb2.BadRequest.FieldViolation(
                    field=_cut(v.field, 128), description=_cut(v.message, field_text)
                )
                for v in shown
            ]
        )
        if rest:
            bad.field_violations[-1].description += f" (and {rest} more wrong fields)"
        details.append(bad)
    if retry := _retry_seconds(error):
        wait = Duration()
        wait.FromMilliseconds(int(retry * 1000))
        details.append(error_details_pb2.RetryInfo(retry_delay=wait))
    status = status_pb2.Status(code=code_of(error).value[0], message=_message(error, operation, text))
    for detail in details:
        packed = any_pb2.Any()
        packed.Pack(detail)
        status.details.append(packed)
    return status


def _retry_seconds(error: AethervError) -> float:
    if error.retry_after is not None:
        return max(error.retry_after, 0.001)
    waits = {Category.UNAVAILABLE, Category.RESOURCE_EXHAUSTED}
    # What a host answered for good (a full disk) is retryable by people, not by a client's loop.
    return _RETRY_SECONDS if error.category in waits and error.retryable and not error.host_answered else 0.0


def _message(error: AethervError, operation: str, limit: int) -> str:
    message = basics.clean(error.message)
    if len(message.encode()) > limit:
        where = f"the log of {operation} has it whole" if operation else "shortened"
        message = f"{_cut(message, limit)} ({where})"
    return f"{message} {error.advice}" if error.advice else message


def _cut(text: str, limit: int) -> str:
    raw = basics.clean(text).encode()
    if len(raw) <= limit:
        return basics.clean(text)
    return raw[: limit - 3].decode(errors="ignore") + "..."
