"""The call that runs now: who calls, and what the audit line will say of it."""

from __future__ import annotations

from contextvars import ContextVar
from dataclasses import dataclass

from aetherv_agent.api.permissions import NOBODY, Principal
from aetherv_agent.core.errors import AethervError


@dataclass(slots=True)
class Call:
    """One call. The interceptor makes it; servicers add the operation.

    Attributes:
        id: for logs; the client's ``x-request-id`` if it gave a plain one.
        method: ``/package.Service/Method``.
        peer: the client's address, as gRPC says it.
        principal: who calls.
        target: what is acted on (``vms/...``, ``hosts/x/vms/name``, ``operations/...``).
        request_id: the request's own id.
        operation: the operation that came of it.
    """

    id: str
    method: str
    peer: str
    principal: Principal = NOBODY
    target: str = ""
    request_id: str = ""
    operation: str = ""

    def need_host(self, host: str) -> None:
        """Refuse a host that the caller may not use.

        Raises:
            AethervError: PERMISSION_DENIED.
        """
        if not self.principal.may_use(host):
            raise AethervError(
                "PERMISSION_DENIED",
                f"{self.principal.name} may not use host {host!r}.",
                metadata={"host": host},
            )


_CALL: ContextVar[Call] = ContextVar("aetherv_call")


def current() -> Call:
    """Return the call that runs in this task; raise LookupError outside of one."""
    return _CALL.get()


def enter(call: Call) -> None:
    """Make it the call of this task."""
    _CALL.set(call)
