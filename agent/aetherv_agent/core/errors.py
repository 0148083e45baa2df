"""The agent's own errors. Every error that crosses a room's wall is one of these.

The ids, their categories and advice stand in ``host_scripts/contracts/errors.json``. No I/O is done here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Self

from aetherv_agent import contracts


class Category(StrEnum):
    """What kind of trouble an error is; ``api.status`` maps each to one gRPC code."""

    NOT_FOUND = "not_found"
    ALREADY_EXISTS = "already_exists"
    INVALID = "invalid"
    PRECONDITION = "precondition"
    RESOURCE_EXHAUSTED = "resource_exhausted"
    UNAVAILABLE = "unavailable"
    TIMEOUT = "timeout"
    PERMISSION = "permission"
    INTERNAL = "internal"
    ABORTED = "aborted"
    CANCELLED = "cancelled"
    UNAUTHENTICATED = "unauthenticated"
    PERMISSION_DENIED = "permission_denied"
    OUT_OF_RANGE = "out_of_range"
    UNIMPLEMENTED = "unimplemented"


@dataclass(frozen=True, slots=True)
class Violation:
    """One wrong field: its path in the request (``vm.guest_v4_dns2``) and what it must be."""

    field: str
    message: str


@dataclass(frozen=True, slots=True)
class Leftover:
    """Something that stands on a host although its operation failed. ``kind`` as in ``records.json``."""

    kind: str
    host: str
    path: str
    message: str


class AethervError(Exception):
    """An error with a stable id, made for its user.

    Args:
        id: an id of ``errors.json``.
        message: what was being done to what, and what stands now. No secret, no stack trace.
        violations: the wrong fields, for bad input.
        metadata: facts for machines (host, vm, operation); goes into ErrorInfo.
        step: the host job's step.
        leftovers: what stands on a host.
        retry_after: seconds after which the same call may succeed, where known.
        host_answered: whether this is a typed answer of the host (one of the four causes of an undo).
        undone: whether the host's job has taken back all it made before it answered.
    """

    def __init__(
        self,
        id: str,  # noqa: A002  # the contract's own word
        message: str,
        *,
        violations: tuple[Violation, ...] = (),
        metadata: Mapping[str, str] | None = None,
        step: str = "",
        leftovers: tuple[Leftover, ...] = (),
        retry_after: float | None = None,
        host_answered: bool = False,
        undone: bool = False,
    ) -> None:
        super().__init__(id, message)
        rule = contracts.error_rules()[id]
        self.id = id
        self.message = message
        self.category = Category(rule.category)
        held = (metadata or {}).get("vm", "").removeprefix("vms/")
        # The advice to import says of which id, where the error knows it.
        self.advice = rule.advice.replace("NAME ID", f"NAME {held}") if held else rule.advice
        self.retryable = rule.retryable
        self.violations = violations
        self.metadata = dict(metadata or {})
        self.step = step
        self.leftovers = leftovers
        self.retry_after = retry_after
        self.host_answered = host_answered
        self.undone = undone

    def __str__(self) -> str:
        """Return the text for people: message, then what to do."""
        return f"{self.message} {self.advice}" if self.advice else self.message

    @property
    def transient(self) -> bool:
        """Whether the transport failed, not the host's work: nobody knows, so nothing may be undone for it."""
        return not self.host_answered and self.category is Category.UNAVAILABLE

    def to_json(self) -> dict[str, Any]:
        """Return the error as JSON values, for a row of the store."""
        return {
            "id": self.id,
            "message": self.message,
            "violations": [[v.field, v.message] for v in self.violations],
            "metadata": self.metadata,
            "step": self.step,
            "leftovers": [[x.kind, x.host, x.path, x.message] for x in self.leftovers],
            "host_answered": self.host_answered,
            "undone": self.undone,
        }

    @classmethod
    def from_json(cls, raw: Mapping[str, Any]) -> Self:
        """Return the error that ``to_json`` gave. An id this version does not know becomes INTERNAL_ERROR."""
        known = raw["id"] in contracts.error_rules()
        return cls(
            raw["id"] if known else "INTERNAL_ERROR",
            raw["message"],
            violations=tuple(Violation(*v) for v in raw.get("violations", ())),
            metadata=raw.get("metadata"),
            step=raw.get("step", ""),
            leftovers=tuple(Leftover(*x) for x in raw.get("leftovers", ())),
            host_answered=raw.get("host_answered", False),
            undone=raw.get("undone", False),
        )


def invalid(*violations: Violation) -> AethervError:
    """Return FIELD_INVALID for some wrong fields, all in one error."""
    text = "; ".join(f"{v.field}: {v.message}" for v in violations[:20])
    return AethervError("FIELD_INVALID", f"The request has wrong fields: {text}.", violations=violations)
