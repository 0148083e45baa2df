"""What every call passes: request id, who calls, what it may, the audit line, and errors told as statuses.

One interceptor for a listener, because a listener has one way to know its callers.
"""

from __future__ import annotations

import inspect
import re
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

import grpc
import grpc.aio
import structlog
from grpc_status import rpc_status

from aetherv_agent.api import callers, status
from aetherv_agent.api.callers import Call
from aetherv_agent.api.lifecycle import Lifecycle
from aetherv_agent.api.permissions import METHODS, NOBODY, Permission, Principal, Role, Rule
from aetherv_agent.core.errors import AethervError

Context = grpc.aio.ServicerContext[Any, Any]
Authenticator = Callable[[Context], Principal]
"""Tells who calls from a call's metadata or certificate; raises AethervError (TOKEN_INVALID)."""

_LOG = structlog.stdlib.get_logger("aetherv.api")
_AUDIT = structlog.stdlib.get_logger("aetherv.audit")
_MOST_TARGET = 200
_MOST_REQUEST_ID = 64
_PLAIN_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_DENIED = Rule(Permission.ADMIN)
_VIEW = Rule(Permission.VIEW)
_CHANGES = {Permission.CHANGE, Permission.ADMIN}
_REFUSED = {grpc.StatusCode.UNAUTHENTICATED, grpc.StatusCode.PERMISSION_DENIED}


class Gate(grpc.aio.ServerInterceptor):
    """Stands before every method of one listener.

    Args:
        authenticate: how this listener knows its callers.
        lifecycle: whether new work is taken.
        version: the agent's version, sent as ``aetherv-version`` in initial metadata.
    """

    def __init__(self, authenticate: Authenticator, lifecycle: Lifecycle, version: str) -> None:
        self._authenticate = authenticate
        self._lifecycle = lifecycle
        self._version = version

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[grpc.RpcMethodHandler[Any, Any] | None]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> grpc.RpcMethodHandler[Any, Any]:
        """Return the method's handler with the gate before it. A method that is not there answers UNIMPLEMENTED."""
        handler: Any = await continuation(handler_call_details)
        method = str(handler_call_details.method)
        if handler is None:
            return grpc.unary_unary_rpc_method_handler(self._unary(None, method, rule=_VIEW))
        serializers = {
            "request_deserializer": handler.request_deserializer,
            "response_serializer": handler.response_serializer,
        }
        if handler.unary_unary:
            return grpc.unary_unary_rpc_method_handler(
                self._unary(handler.unary_unary, method), **serializers
            )
        if handler.unary_stream:
            return grpc.unary_stream_rpc_method_handler(
                self._stream(handler.unary_stream, method), **serializers
            )
        if handler.stream_stream:
            return grpc.stream_stream_rpc_method_handler(
                self._stream(handler.stream_stream, method), **serializers
            )
        raise TypeError(f"{method} takes a stream and answers once: no such method is served")

    def _unary(
        self, inner: Callable[..., Any] | None, method: str, rule: Rule | None = None
    ) -> Callable[[Any, Context], Awaitable[Any]]:
        rule = rule or METHODS.get(method, _DENIED)

        async def handle(request: Any, context: Context) -> Any:
            call = _new_call(method, context)
            try:
                await self._enter(call, rule, request, context)
                answer = await _served(inner, method)(request, context)
            except BaseException as error:
                await self._fail(call, rule, request, context, error)
                raise
            _audit(call, rule, request, grpc.StatusCode.OK, "")
            return answer

        return handle

    def _stream(self, inner: Callable[..., Any], method: str) -> Callable[[Any, Context], AsyncIterator[Any]]:
        rule = METHODS.get(method, _DENIED)

        async def handle(request: Any, context: Context) -> AsyncIterator[Any]:
            call = _new_call(method, context)
            try:
                await self._enter(call, rule, request, context)
                if inspect.isasyncgenfunction(inner):
                    async for answer in inner(request, context):
                        yield answer
                else:
                    await inner(request, context)
            except BaseException as error:
                await self._fail(call, rule, request, context, error)
                raise
            _audit(call, rule, request, grpc.StatusCode.OK, "")

        return handle

    async def _enter(self, call: Call, rule: Rule, request: Any, context: Context) -> None:
        callers.enter(call)
        # Before anything can be refused: the audit line of a refused call says what it was about, too.
        call.target, call.request_id = _subject(request)
        structlog.contextvars.bind_contextvars(call=call.id, method=call.method)
        await context.send_initial_metadata((("aetherv-version", self._version), ("x-request-id", call.id)))
        needed = rule.needed(validate_only=_validate_only(request))
        if needed is Permission.OPEN:
            call.principal = NOBODY
            return
        call.principal = self._authenticate(context)
        if not call.principal.may(needed):
            role = _role(call.principal.role)
            raise AethervError(
                "PERMISSION_DENIED",
                f"{call.principal.name} has {role}, which may not {needed.value}.",
                metadata={"permission": needed.value},
            )
        if needed in _CHANGES:
            self._lifecycle.check()

    async def _fail(
        self, call: Call, rule: Rule, request: Any, context: Context, error: BaseException
    ) -> None:
        """End the call with the error's status; return where gRPC or asyncio has ended it already."""
        if isinstance(error, AethervError):
            _audit(call, rule, request, status.code_of(error), error.id)
            await _abort(context, error)
        if not isinstance(error, Exception) or isinstance(error, grpc.aio.AbortError):
            # A call that is cancelled may have changed something all the same.
            _audit(call, rule, request, grpc.StatusCode.CANCELLED, "")
            return
        hidden = AethervError(
            "INTERNAL_ERROR",
            f"The agent failed at {call.method.rpartition('/')[2]} (id {call.id}).",
            metadata={"id": call.id},
        )
        _LOG.error("internal_error", id=call.id, exc_info=error)
        _audit(call, rule, request, grpc.StatusCode.INTERNAL, hidden.id)
        await _abort(context, hidden)


def _served(inner: Callable[..., Any] | None, method: str) -> Callable[..., Awaitable[Any]]:
    if inner is None or not inspect.iscoroutinefunction(inner):
        # gRPC would run a plain function in the default executor, which is not ours to fill.
        raise AethervError("NOT_SUPPORTED", f"This agent does not answer {method}.")
    return inner


async def _abort(context: Context, error: AethervError) -> None:
    await context.abort_with_status(rpc_status.to_status(status.to_status(error)))


def _new_call(method: str, context: Context) -> Call:
    given = next(
        (str(value) for key, value in context.invocation_metadata() or () if key == "x-request-id"), ""
    )
    return Call(
        id=given if _PLAIN_ID.fullmatch(given) else uuid.uuid4().hex, method=method, peer=context.peer()
    )


def _one_line(text: str) -> str:
    # What a client sent must not begin a line of its own in a log for people.
    return "".join(character if character.isprintable() else "?" for character in text)


def _role(role: Role | None) -> str:
    return f"the role {role.value}" if role else "no role"


def _subject(request: Any) -> tuple[str, str]:
    """Return what a request is about and its request id, each short; a stream of requests is about nothing."""
    if hasattr(request, "vm"):
        target = f"hosts/{request.target_host or '-'}/vms/{request.vm.vm_name}"
    else:
        target = getattr(request, "name", "")
    return target[:_MOST_TARGET], getattr(request, "request_id", "")[:_MOST_REQUEST_ID]


def _validate_only(request: Any) -> bool:
    return bool(getattr(request, "validate_only", False))


def _audit(call: Call, rule: Rule, request: Any, code: grpc.StatusCode, reason: str) -> None:
    changing = rule.needed(validate_only=_validate_only(request)) in _CHANGES
    if not changing and code not in _REFUSED:
        return
    _AUDIT.info(
        "audit",
        time=datetime.now(UTC).isoformat(timespec="milliseconds"),
        principal=call.principal.name,
        peer=call.peer,
        method=call.method,
        target=_one_line(call.target),
        request_id=_one_line(call.request_id),
        operation=call.operation,
        outcome=code.name,
        reason=reason,
    )
