"""What the handlers of creates and deletes have in common when they call a host."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from aetherv_agent.core.errors import AethervError
from aetherv_agent.core.model import HostSettings
from aetherv_agent.operations.model import Operation

# What a script's own clean-up may take after the deadline of its work, before the call is given up.
_CALL_MARGIN = 60.0


def host_of(operation: Operation, hosts: Mapping[str, HostSettings]) -> HostSettings:
    """Return the settings of an operation's host.

    Raises:
        AethervError: HOST_NOT_FOUND where a restart came with a configuration without it; the operation waits then.
    """
    try:
        return hosts[operation.host]
    except KeyError:
        raise AethervError(
            "HOST_NOT_FOUND", f"The host {operation.host} is not in the agent's configuration any more."
        ) from None


def call_seconds(operation: Operation) -> float:
    """Return how long a call for an operation may take at the most, in seconds."""
    return left_seconds(operation) + _CALL_MARGIN


def left_seconds(operation: Operation) -> float:
    """Return how long it is until an operation's deadline; 0 where it has none or it is over."""
    if operation.deadline is None:
        return 0.0
    return max(0.0, (operation.deadline - datetime.now(UTC)).total_seconds())


async def forget_shell(shell: Mapping[str, Any] | None) -> None:
    """Keep nothing: an undo that is cut off is started again, never adopted."""
