# ruff: noqa: N802  # methods are called as gRPC calls them
"""google.longrunning.Operations and OperationService: reading, waiting, watching and cancelling operations."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any, cast

from aetherv.v1 import operation_service_pb2, operation_service_pb2_grpc
from google.longrunning import operations_pb2, operations_pb2_grpc
from google.protobuf.empty_pb2 import Empty

from aetherv_agent.api import callers, filters, paging
from aetherv_agent.api.convert import basics
from aetherv_agent.api.convert.operation import event_message, heartbeat_message, operation_message
from aetherv_agent.api.lifecycle import Lifecycle, stopping
from aetherv_agent.core.errors import AethervError, Violation
from aetherv_agent.operations.interface import Operations
from aetherv_agent.operations.model import Event, Filter, Operation

HEARTBEAT = 15.0
"""Seconds after which a silent watch gets a heartbeat."""

_LONGEST_WAIT = 3600.0
_DEADLINE_MARGIN = 0.5
_FIELDS = ("done", "kind", "host", "vm_name", "target", "principal")
_LIST = "operations"


class _Reader:
    """Reads operations on behalf of the caller."""

    def __init__(self, operations: Operations) -> None:
        self.operations = operations

    async def get(self, name: str) -> Operation:
        call = callers.current()
        operation = await self.operations.get(basics.operation_of(name))
        call.need_host(operation.host)
        return operation


class OperationsServicer(operations_pb2_grpc.OperationsServicer):
    """google.longrunning.Operations.

    Args:
        operations: the engine.
        lifecycle: whether the agent stops.
    """

    def __init__(self, operations: Operations, lifecycle: Lifecycle) -> None:
        self._reader = _Reader(operations)
        self._operations = operations
        self._lifecycle = lifecycle

    async def GetOperation(
        self, request: operations_pb2.GetOperationRequest, _context: Any
    ) -> operations_pb2.Operation:
        """Return an operation as it stands."""
        return operation_message(await self._reader.get(request.name))

    async def ListOperations(
        self, request: operations_pb2.ListOperationsRequest, _context: Any
    ) -> operations_pb2.ListOperationsResponse:
        """List operations, newest first."""
        if request.name not in {"", "operations"}:
            raise paging.request_invalid("name", "must be operations")
        size = paging.page_size(request.page_size)
        where = _filter(request.filter, callers.current().principal.hosts)
        found = await self._operations.list(
            where, page_size=size, page_token=_place(request.page_token, request.filter)
        )
        more = found.next_token
        return operations_pb2.ListOperationsResponse(
            operations=[operation_message(operation) for operation in found.operations],
            next_page_token=paging.write_token((more,), request.filter, of=_LIST) if more else "",
        )

    async def WaitOperation(
        self, request: operations_pb2.WaitOperationRequest, context: Any
    ) -> operations_pb2.Operation:
        """Return an operation once it has ended, or as it stands when the time is up."""
        problems: list[Violation] = []
        within = _LONGEST_WAIT
        if request.HasField("timeout"):
            within = basics.seconds_of(request.timeout, "timeout", problems, zero=True)
        if problems:
            raise paging.request_invalid(problems[0].field, problems[0].message)
        left = context.time_remaining()
        if left is not None:
            # The answer must come before the client's own deadline, or it is lost.
            within = min(within, max(left - _DEADLINE_MARGIN, 0.0))
        operation = await self._reader.get(request.name)
        return operation_message(await self._wait(operation.id, min(within, _LONGEST_WAIT)))

    async def CancelOperation(self, request: operations_pb2.CancelOperationRequest, _context: Any) -> Empty:
        """Ask for an operation's end."""
        operation = await self._reader.get(request.name)
        callers.current().operation = operation.name
        await self._operations.cancel(operation.id)
        return Empty()

    async def DeleteOperation(self, _request: operations_pb2.DeleteOperationRequest, _context: Any) -> Empty:
        """Refuse: operations are pruned by age."""
        raise AethervError(
            "NOT_SUPPORTED", "Operations can't be deleted; the agent prunes ended ones by age."
        )

    async def _wait(self, operation_id: str, within: float) -> Operation:
        waiting: asyncio.Future[Operation] = asyncio.ensure_future(
            self._operations.wait(operation_id, within)
        )
        stop: asyncio.Future[Any] = asyncio.ensure_future(self._lifecycle.stopping.wait())
        try:
            await asyncio.wait(
                cast("list[asyncio.Future[Any]]", [waiting, stop]), return_when=asyncio.FIRST_COMPLETED
            )
            if not waiting.done():
                raise stopping()
            return waiting.result()
        finally:
            await _end(waiting, stop)


class OperationServicer(operation_service_pb2_grpc.OperationServiceServicer):
    """OperationService.

    Args:
        operations: the engine.
        lifecycle: whether the agent stops.
        heartbeat: seconds after which a silent watch gets a heartbeat.
    """

    def __init__(self, operations: Operations, lifecycle: Lifecycle, heartbeat: float = HEARTBEAT) -> None:
        self._reader = _Reader(operations)
        self._operations = operations
        self._lifecycle = lifecycle
        self._heartbeat = heartbeat

    async def WatchOperation(
        self, request: operation_service_pb2.WatchOperationRequest, _context: Any
    ) -> AsyncIterator[operation_service_pb2.OperationEvent]:
        """Yield an operation's events; the last is the ended operation."""
        if request.after_sequence < 0:
            raise paging.request_invalid("after_sequence", "must not be below 0")
        operation = await self._reader.get(request.name)
        sequence = request.after_sequence
        events = self._operations.watch(operation.id, request.after_sequence)
        stop: asyncio.Future[Any] = asyncio.ensure_future(self._lifecycle.stopping.wait())
        upcoming: asyncio.Future[Any] = asyncio.ensure_future(_next(events))
        try:
            while True:
                done, _ = await asyncio.wait(
                    {upcoming, stop}, timeout=self._heartbeat, return_when=asyncio.FIRST_COMPLETED
                )
                if upcoming in done:
                    event = upcoming.result()
                    sequence = event.sequence
                    yield event_message(event)
                    if isinstance(event.body, Operation):
                        return
                    upcoming = asyncio.ensure_future(_next(events))
                elif stop in done:
                    raise stopping()
                else:
                    yield heartbeat_message(await self._operations.get(operation.id), sequence)
        finally:
            await _end(upcoming, stop)
            close = getattr(events, "aclose", None)
            if close is not None:
                await close()


async def _next(events: AsyncIterator[Event]) -> Event:
    # A StopAsyncIteration can't be the result of a future.
    async for event in events:
        return event
    raise stopping()


async def _end(*futures: asyncio.Future[Any]) -> None:
    for future in futures:
        future.cancel()
    for future in futures:
        with suppress(asyncio.CancelledError, AethervError):
            await future


def _place(token: str, filter_text: str) -> str:
    return "".join(paging.read_token(token, filter_text, of=_LIST)) if token else ""


def _filter(text: str, hosts: frozenset[str] | None) -> Filter:
    said: dict[str, str] = {}
    for term in filters.parse(text, _FIELDS):
        if term.prefix or term.field in said:
            raise paging.request_invalid("filter", f"may compare {term.field} once, with a whole value")
        said[term.field] = term.value
    done = said.get("done")
    if done not in {None, "true", "false"}:
        raise paging.request_invalid("filter", "compares done with something that is not true or false")
    if "host" in said:
        hosts = frozenset({said["host"]}) & hosts if hosts is not None else frozenset({said["host"]})
    return Filter(
        done=None if done is None else done == "true",
        hosts=hosts,
        kind=said.get("kind"),
        vm_name=said.get("vm_name"),
        target=said.get("target"),
        principal=said.get("principal"),
    )
