"""Times, durations, enums and names that all conversions share. Pure."""

from __future__ import annotations

import math
import re
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from enum import StrEnum
from typing import TypeVar

from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp

from aetherv_agent.api.paging import request_invalid
from aetherv_agent.core.errors import Violation

E = TypeVar("E", bound=StrEnum)

_GUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_HOST = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,62})")
_UUID4 = 4
_LONGEST = 7 * 86400.0


def clean(text: str) -> str:
    """Return a text that protobuf can carry: halves of surrogate pairs, which a host's JSON may hold, are replaced."""
    return text.encode("utf-8", "replace").decode()


def timestamp(moment: datetime | None) -> Timestamp | None:
    """Return a time as protobuf has it."""
    if moment is None:
        return None
    stamp = Timestamp()
    stamp.FromDatetime(moment.astimezone(UTC))
    return stamp


def guid_of(name: str, field: str, problems: list[Violation]) -> str:
    """Return the GUID of ``vms/{guid}``; tell of another form."""
    prefix, _, guid = name.partition("/")
    if prefix != "vms" or not _GUID.fullmatch(guid):
        problems.append(Violation(field, "must be vms/{guid}, the GUID in lower case"))
        return ""
    return guid


def host_of(name: str, field: str) -> str:
    """Return the host of ``hosts/{host}``.

    Raises:
        AethervError: REQUEST_INVALID for another form.
    """
    prefix, _, host = name.partition("/")
    if prefix != "hosts" or not _HOST.fullmatch(host):
        raise request_invalid(field, "must be hosts/{host}, the host's name in the agent's configuration")
    return host


def operation_of(name: str, field: str = "name") -> str:
    """Return the id of ``operations/{id}``.

    Raises:
        AethervError: REQUEST_INVALID for another form.
    """
    prefix, _, found = name.partition("/")
    if prefix != "operations" or not _GUID.fullmatch(found):
        raise request_invalid(field, "must be operations/{id}")
    return found


def bare_host(host: str, field: str, problems: list[Violation]) -> str:
    """Return a bare host id, or empty; tell of a form that no host has."""
    if host and not _HOST.fullmatch(host):
        problems.append(Violation(field, "must be the bare name of a host in the agent's configuration"))
        return ""
    return host


def request_id_of(text: str, problems: list[Violation]) -> str:
    """Return a request id in lower case; tell of one that is no UUID4."""
    if not text:
        return ""
    try:
        value = uuid.UUID(text)
    except ValueError:
        value = None
    if value is None or value.version != _UUID4 or str(value) != text.lower():
        problems.append(
            Violation("request_id", "must be a UUID4 such as 3f1c8b52-9d0e-4c37-8a51-0f6f5c1f2a77")
        )
        return ""
    return str(value)


def seconds_of(duration: Duration, field: str, problems: list[Violation], *, zero: bool) -> float:
    """Return a duration in seconds; tell of one that is out of range.

    Args:
        duration: a Duration that is set.
        field: its path.
        problems: gets what is wrong.
        zero: whether 0 is allowed.
    """
    value = duration.seconds + duration.nanos / 1e9
    if not math.isfinite(value) or value > _LONGEST or value < 0 or (value == 0 and not zero):
        problems.append(Violation(field, f"must be {'0' if zero else 'more than 0'} to 7 days"))
        return 1.0
    return value


def enum_of(value: int, table: Mapping[int, E], field: str, problems: list[Violation], default: E) -> E:
    """Return an enum's core value, ``default`` for 0; tell of a number this version does not know."""
    if value == 0:
        return default
    if value not in table:
        problems.append(Violation(field, f"has the value {value}, which this agent does not know"))
        return default
    return table[value]
