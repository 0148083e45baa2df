"""Over TCP every process of the machine can connect: only Terraform, the parent, is served.

gRPC cannot check the certificate that Terraform offers (P-521 is unknown to BoringSSL), so the owner of the
connection is looked up instead.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import grpc

Owner = Callable[[int, int], int | None]


class ParentOnly(grpc.ServerInterceptor):
    """Refuses calls of other processes.

    Args:
        parent: the process that may call.
        owner: finds the process of a connection by the local and the remote port.
        local_port: gives the port on which this process listens.
    """

    def __init__(self, parent: int, owner: Owner, local_port: Callable[[], int]) -> None:
        self._parent = parent
        self._owner = owner
        self._local_port = local_port

    def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], grpc.RpcMethodHandler[Any, Any] | None],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> grpc.RpcMethodHandler[Any, Any] | None:
        """Wrap the call's behaviour: only there is the peer known."""
        handler = continuation(handler_call_details)
        if handler is None:
            return None
        kinds = ("unary_unary", "unary_stream", "stream_unary", "stream_stream")
        changes = {
            kind: self._guard(getattr(handler, kind)) for kind in kinds if getattr(handler, kind) is not None
        }
        guarded: grpc.RpcMethodHandler[Any, Any] = handler._replace(**changes)  # type: ignore[attr-defined]  # a named tuple, which the stubs do not say
        return guarded

    def _guard(self, behaviour: Callable[[Any, grpc.ServicerContext], Any]) -> Callable[..., Any]:
        def checked(request: Any, context: grpc.ServicerContext) -> Any:
            if not self._is_parent(context.peer()):
                context.abort(
                    grpc.StatusCode.PERMISSION_DENIED, "only the Terraform that started it is served"
                )
            return behaviour(request, context)

        return checked

    def _is_parent(self, peer: str) -> bool:
        # "ipv4:127.0.0.1:50000", maybe percent-encoded.
        kind, _, rest = peer.replace("%3A", ":").partition(":")
        port = rest.rpartition(":")[2]
        if kind != "ipv4" or not port.isdecimal():
            return False
        return self._owner(self._local_port(), int(port)) == self._parent
