"""Whether the agent takes new work, and how those who wait learn that it stops."""

from __future__ import annotations

import asyncio

from aetherv_agent.core.errors import AethervError

_BACK_IN = 5.0


class Lifecycle:
    """Shared by interceptors and servicers; ``app`` turns it."""

    def __init__(self) -> None:
        self.stopping = asyncio.Event()

    def stop(self) -> None:
        """Refuse new work and end what waits, from now on."""
        self.stopping.set()

    def check(self) -> None:
        """Refuse new work once the agent stops.

        Raises:
            AethervError: AGENT_STOPPING.
        """
        if self.stopping.is_set():
            raise stopping()


def stopping() -> AethervError:
    """Return AGENT_STOPPING with the time after which a client may try again."""
    return AethervError("AGENT_STOPPING", "The agent is being stopped.", retry_after=_BACK_IN)
