# ruff: noqa: N802  # methods are called as gRPC calls them
"""Health with every method a coroutine, so that gRPC runs none of it in the default executor."""

from __future__ import annotations

from typing import Any

from grpc_health.v1 import health_pb2
from grpc_health.v1._async import HealthServicer


class Health(HealthServicer):
    """grpc.health.v1.Health for a set of services, all of which serve or none."""

    def __init__(self, services: tuple[str, ...]) -> None:
        super().__init__()
        self._services = services

    async def serve(self) -> None:
        """Say SERVING for the server and each of its services."""
        for service in ("", *self._services):
            await self.set(service, health_pb2.HealthCheckResponse.SERVING)

    async def List(self, _request: Any, _context: Any) -> Any:
        """Return what every service says."""
        return health_pb2.HealthListResponse(  # type: ignore[attr-defined]  # newer than the stubs
            statuses={
                service: await self.Check(health_pb2.HealthCheckRequest(service=service), _context)
                for service in ("", *self._services)
            }
        )
