"""What the end of a handler's function means for its operation. Pure: design/operations.md, 5 and 6, in code.

An undo has four causes and no other: a typed answer of the host, a cancel, the deadline, a secret lost for good.
Whatever else happens (a store error, a crash, a bug, a stop) leads to another try.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from aetherv_agent.core.errors import AethervError, Category, Leftover

from .handlers import SecretLost
from .model import Operation, State, StepState


@dataclass(frozen=True, slots=True)
class Succeed:
    """It is done."""

    result: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class End:
    """It failed, or was cancelled, and nothing is left to do."""

    error: AethervError
    leftovers: tuple[Leftover, ...] = ()


@dataclass(frozen=True, slots=True)
class Undo:
    """What it made is taken back."""

    cause: AethervError


@dataclass(frozen=True, slots=True)
class Again:
    """It is tried again later. ``bug`` says that the log should have it as a fault of the agent."""

    why: AethervError
    bug: bool = False


def after_do(
    raised: BaseException, undoes: Callable[[AethervError], bool], operation: Operation
) -> End | Undo | Again:
    """Decide after ``do`` raised something other than ``LeaseLost`` or a cancellation."""
    if isinstance(raised, SecretLost):
        return Undo(secret_unavailable(operation))
    if isinstance(raised, AethervError):
        if not raised.host_answered:
            return Again(raised)
        # A cancel is followed by an undo whatever the policy for failures is.
        if not raised.undone and (raised.category is Category.CANCELLED or undoes(raised)):
            return Undo(raised)
        return End(raised, raised.leftovers)
    return Again(fault(raised), bug=True)


def after_undo(raised: BaseException, cause: AethervError) -> End | Again:
    """Decide after ``undo`` raised something other than ``LeaseLost`` or a cancellation."""
    if isinstance(raised, AethervError):
        # A host that says for good that something stays: trying again would only hold the report back.
        if raised.host_answered and (raised.undone or not raised.retryable):
            return End(cause, raised.leftovers)
        return Again(raised)
    return Again(fault(raised), bug=True)


def end_state(error: AethervError) -> State:
    """Return the state in which an operation ends with an error."""
    return State.CANCELLED if error.category is Category.CANCELLED else State.FAILED


def cancelled(operation: Operation) -> AethervError:
    """Return the error of a cancelled operation."""
    return AethervError("OPERATION_CANCELLED", f"{_what(operation)} was stopped on request{_at(operation)}.")


def deadline(operation: Operation, trouble: str) -> AethervError:
    """Return the error of an operation whose time is over; ``trouble`` is what it last waited for, or empty."""
    last = f" It last waited for this: {trouble}" if trouble else ""
    return AethervError(
        "OPERATION_DEADLINE",
        f"{_what(operation)} did not end in its time{_at(operation)}.{last}",
        step=_step(operation),
    )


def queue_timeout(operation: Operation) -> AethervError:
    """Return the error of an operation that was never started."""
    return AethervError(
        "QUEUE_TIMEOUT", f"{_what(operation)} waited too long for its start; nothing was done."
    )


def secret_unavailable(operation: Operation) -> AethervError:
    """Return the error of an operation whose secrets are lost while they are still needed."""
    return AethervError(
        "SECRET_UNAVAILABLE",
        f"{_what(operation)} lost its passwords before its guest had them{_at(operation)}.",
        step=_step(operation),
    )


def fault(raised: BaseException) -> AethervError:
    """Return INTERNAL_ERROR for a bug: its type alone, for a text could hold anything."""
    return AethervError("INTERNAL_ERROR", f"A fault of the agent ({type(raised).__name__}).")


def _what(operation: Operation) -> str:
    of = f" of {operation.vm_name or operation.target}" if operation.vm_name or operation.target else ""
    return f"The {operation.kind}{of} on host {operation.host}"


def _step(operation: Operation) -> str:
    return next((s.step for s in reversed(operation.steps) if s.state is StepState.RUNNING), "")


def _at(operation: Operation) -> str:
    step = _step(operation)
    return f" (at step {step})" if step else ""
