"""What the engine asks of a handler, and what it gives to it. Interfaces alone; no I/O is done here.

A handler does one kind of operation (``create``) by one *idempotent* host job whose id is the operation's id. The
host's journal is the truth: after a restart the handler is simply called again with the same operation, and finds
out from the host how far it is.

How ``do`` ends, and what the engine makes of it (design: operations, 5):

=====================================  =============================================================================
``do``                                 the engine
=====================================  =============================================================================
returns a mapping                      SUCCEEDED with it
raises AethervError, host_answered     the host's typed answer: undo if ``undoes`` says so and the error is not
                                       ``undone`` already; then FAILED with it (CANCELLED if its category is that)
raises SecretLost                      undo, then FAILED with SECRET_UNAVAILABLE
raises any other AethervError          given back, tried again later until the deadline; ``waiting_for`` says why
raises anything else (a bug)           the same; logged; never an undo
raises LeaseLost                       nothing: another worker has the operation
=====================================  =============================================================================

A cancel and the deadline lead to ``undo`` whatever ``do`` does; ``do`` is then cancelled like any task of asyncio
(``Work.cancelled`` is set a moment before). At a stop of the agent ``do`` and ``undo`` are cancelled too, and no undo
follows: let the wait for the host go and touch nothing. So **a cancelled task must leave the host as it is**.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Protocol

from aetherv_agent.core.errors import AethervError, Leftover

from .model import JsonMapping, Level, Operation, Step


class LeaseLost(Exception):  # noqa: N818  # no error: somebody else works on the operation now
    """This worker has the operation no more. The handler must stop and touch nothing more, the host least of all."""


class SecretLost(Exception):  # noqa: N818  # one of the four causes of an undo, not an error of the handler
    """The host still needs the operation's secrets, and they are lost for good."""


class Work(Protocol):
    """What a handler gets: the operation, and how to tell of it. Every method raises ``LeaseLost`` when it is lost."""

    @property
    def operation(self) -> Operation:
        """The newest snapshot."""
        ...

    @property
    def cancelled(self) -> asyncio.Event:
        """Set when a cancel was asked, ``Limits.cancel_grace`` before the handler's task is cancelled."""
        ...

    @property
    def has_secrets(self) -> bool:
        """Whether ``secrets`` would return. False after a restart of the agent: try to adopt the running job first."""
        ...

    def secrets(self) -> Mapping[str, str]:
        """Return the operation's secrets by field; empty if it never had any or they are published.

        Raises:
            SecretLost: the operation had secrets, they are not published, and this process does not have them.
        """
        ...

    async def secrets_published(self) -> None:
        """Say that the host needs the secrets no more: they are dropped, here and wherever they are kept."""
        ...

    @property
    def shell(self) -> JsonMapping | None:
        """What the last ``save_shell`` saved, by this worker or by one before it."""
        ...

    async def save_shell(self, shell: JsonMapping | None) -> None:
        """Store how a running pipeline is found again; returns when it is durable. Call it *before* Command is sent.

        A store that is away is waited for.
        """
        ...

    async def progress(self, step: Step) -> None:
        """Tell of a step. Cheap: fast progress of one running step is coalesced; never waits for the store."""
        ...

    async def log(self, level: Level, message: str) -> None:
        """Tell a line for people, never with a secret. Never waits for the store."""
        ...

    async def warn(self, reason: str, message: str, field: str = "") -> None:
        """Tell a warning; the same one twice is told once."""
        ...

    async def set_target(self, target: str) -> None:
        """Say which VM it is, ``vms/{guid}``, once it is known."""
        ...

    async def waiting_for(self, text: str) -> None:
        """Say what is waited for, for people; empty: it works again."""
        ...

    async def check_lease(self) -> None:
        """Ask the store whether this worker still has the operation. Call it before what must not be done twice."""
        ...


class Handler(Protocol):
    """Does operations of one kind. It keeps no state of an operation of its own."""

    @property
    def slots(self) -> str:
        """Which limit per host it counts against: ``jobs`` (creates) or ``changes`` (updates, deletes)."""
        ...

    def undoes(self, operation: Operation, error: AethervError) -> bool:
        """Whether a typed failure of the host is followed by ``undo`` (a create with rollback). Pure."""
        ...

    async def do(self, work: Work) -> JsonMapping:
        """Do it, or go on with it, and return the result as JSON values."""
        ...

    async def undo(self, work: Work, cause: AethervError) -> tuple[Leftover, ...]:
        """Bring the host to rest: no job of the operation runs after it, and what can be taken back is.

        Called for a typed failure only if ``undoes`` said so; for a cancel, the deadline and a lost secret always (a
        kind that cannot be taken back stops its job and says what stands). Repeatable. It may raise what ``do`` may:
        it is then called again later, until ``Limits.undo_timeout`` is over; a typed answer that is not ``retryable``
        ends it with that answer's leftovers.

        Returns:
            What still stands on the host.
        """
        ...

    def abandoned(self, operation: Operation, cause: AethervError) -> tuple[Leftover, ...]:
        """Return what may stand on the host if no undo ever came through. Pure."""
        ...
