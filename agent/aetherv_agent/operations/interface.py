"""What ``api`` and ``provisioning`` may ask of the engine. ``engine.Engine`` is the one that does it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import Protocol

from .model import Event, Filter, HostLoad, Operation, Page, Request


class Operations(Protocol):
    """The operations of this agent.

    Every method raises ``AethervError``: STORE_UNAVAILABLE when the database can't be used, AGENT_STOPPING once the
    engine stops, OPERATION_NOT_FOUND for an unknown or pruned id, and what is said below.
    """

    async def submit(self, request: Request, secrets: Mapping[str, str] | None = None) -> Operation:
        """Take a new operation; it is durable when this returns.

        Args:
            request: what is to be done.
            secrets: by field; kept in this process alone, until the host needs them no more or the operation ends.

        Returns:
            The operation; an earlier one where ``request_id`` was seen before with the same fingerprint.

        Raises:
            AethervError: REQUEST_ID_REUSED with another fingerprint; OPERATION_IN_PROGRESS
                where another operation on the same host and VM name, or the same target, has not ended
                (``metadata["operation"]`` is its name, ``metadata["kind"]`` its kind); QUEUE_FULL with ``retry_after``;
                REQUEST_INVALID for an unknown kind.
        """
        ...

    async def get(self, operation_id: str) -> Operation:
        """Return an operation as it stands."""
        ...

    async def list(self, where: Filter, page_size: int = 100, page_token: str = "") -> Page:
        """Return operations, newest first. REQUEST_INVALID for a token that is none."""
        ...

    async def by_request(self, request_id: str) -> Operation | None:
        """Return the operation that a request of this id made, or None."""
        ...

    async def find_open(self, *, host: str = "", vm_name: str = "", target: str = "") -> Operation | None:
        """Return an operation that has not ended on that VM name of that host, or on that target, or None."""
        ...

    async def wait(self, operation_id: str, within: float) -> Operation:
        """Return the operation once it has ended, or as it stands after ``within`` seconds."""
        ...

    async def cancel(self, operation_id: str) -> Operation:
        """Ask for its end; nothing happens to an ended one. A queued one ends at once, another one through undo."""
        ...

    def watch(self, operation_id: str, after: int = 0) -> AsyncIterator[Event]:
        """Yield the events after a sequence number as they happen; the last is the ended operation.

        Raises:
            AethervError: EVENTS_PRUNED where the events asked for are not kept, or lie in the future.
        """
        ...

    async def loads(self) -> dict[str, HostLoad]:
        """Return how much each host has to do; a host without operations is missing."""
        ...
