"""The gRPC servers: one for each listener, all with the same servicers.

A listener has one way to know its callers and gRPC does not say on which port a call came: hence a server each.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

import grpc
import grpc.aio
from aetherv.v1 import (
    host_service_pb2,
    host_service_pb2_grpc,
    operation_service_pb2,
    operation_service_pb2_grpc,
    vm_service_pb2,
    vm_service_pb2_grpc,
)
from google.longrunning import operations_pb2, operations_pb2_grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection, reflection_pb2, reflection_pb2_grpc

from aetherv_agent.api.health import Health
from aetherv_agent.api.hosts import HostServicer
from aetherv_agent.api.interceptors import Authenticator, Gate
from aetherv_agent.api.lifecycle import Lifecycle
from aetherv_agent.api.operations import HEARTBEAT, OperationServicer, OperationsServicer
from aetherv_agent.api.ports import Checks, Deployment, Hosts, Provisioning, Reads
from aetherv_agent.api.vms import VmServicer
from aetherv_agent.core.errors import AethervError
from aetherv_agent.operations.interface import Operations

SERVICES: tuple[str, ...] = (
    vm_service_pb2.DESCRIPTOR.services_by_name["VmService"].full_name,
    host_service_pb2.DESCRIPTOR.services_by_name["HostService"].full_name,
    operation_service_pb2.DESCRIPTOR.services_by_name["OperationService"].full_name,
    operations_pb2.DESCRIPTOR.services_by_name["Operations"].full_name,
    health_pb2.DESCRIPTOR.services_by_name["Health"].full_name,
    reflection_pb2.DESCRIPTOR.services_by_name["ServerReflection"].full_name,
)
"""Every service of a listener."""

_MEGABYTE = 1024 * 1024
_OPTIONS: tuple[tuple[str, int], ...] = (
    # Clients may ping every 20 s, also while nothing runs; grpc's default closes the connection for it. Pings that a
    # network has pushed together must not count as too many.
    ("grpc.http2.min_recv_ping_interval_without_data_ms", 10_000),
    ("grpc.keepalive_permit_without_calls", 1),
    ("grpc.keepalive_time_ms", 60_000),
    ("grpc.keepalive_timeout_ms", 20_000),
    ("grpc.max_connection_age_ms", 3_600_000),
    ("grpc.max_connection_age_grace_ms", 600_000),
    ("grpc.max_receive_message_length", _MEGABYTE),
    ("grpc.max_send_message_length", 64 * _MEGABYTE),
    # Two processes on one port would answer in turns.
    ("grpc.so_reuseport", 0),
)
_MOST_CALLS = 4096


@dataclass(frozen=True, slots=True)
class Rooms:
    """What the servicers need of the rest of the agent.

    Attributes:
        provisioning: takes creates and deletes.
        reads: what stands on the hosts.
        operations: the engine.
        hosts: the configuration's hosts.
        max_age: how old a read may be where nothing is said, in seconds.
        deployment: brings scripts to hosts.
        checks: looks at hosts.
        heartbeat: seconds after which a silent watch gets a heartbeat.
    """

    provisioning: Provisioning
    reads: Reads
    operations: Operations
    hosts: Hosts
    max_age: float
    deployment: Deployment
    checks: Checks
    heartbeat: float = HEARTBEAT


@dataclass(frozen=True, slots=True)
class Listener:
    """Where and how one server listens.

    Attributes:
        address: ``host:port`` or ``unix:/path``; port 0 lets the system choose.
        authenticate: how callers are known.
        credentials: None: plaintext.
    """

    address: str
    authenticate: Authenticator
    credentials: grpc.ServerCredentials | None


class Api:
    """All listeners of an agent.

    Args:
        rooms: what the servicers need.
        listeners: where is listened.
        version: the agent's version, told to clients.
    """

    def __init__(self, rooms: Rooms, listeners: Sequence[Listener], version: str) -> None:
        self._rooms = rooms
        self._listeners = tuple(listeners)
        self._version = version
        self._servers: list[grpc.aio.Server] = []
        self.lifecycle = Lifecycle()
        self.health = Health(SERVICES)

    async def start(self) -> tuple[str, ...]:
        """Listen; return the addresses, with the ports that the system chose.

        Raises:
            AethervError: CONFIG_INVALID where an address can't be listened on.
        """
        bound: list[str] = []
        for listener in self._listeners:
            server = self._server(listener)
            try:
                if listener.credentials is None:
                    port = server.add_insecure_port(listener.address)
                else:
                    port = server.add_secure_port(listener.address, listener.credentials)
            except RuntimeError:
                await self.stop(0.0)
                raise AethervError(
                    "CONFIG_INVALID",
                    f"The address {listener.address} can't be listened on: it is in use, or is none of this machine.",
                ) from None
            self._servers.append(server)
            host = listener.address.rpartition(":")[0]
            bound.append(listener.address if listener.address.startswith("unix:") else f"{host}:{port}")
        await self.health.serve()
        for server in self._servers:
            await server.start()
        return tuple(bound)

    async def not_serving(self) -> None:
        """Say NOT_SERVING in health; calls are still answered."""
        await self.health.enter_graceful_shutdown()

    async def stop(self, grace: float) -> None:
        """Refuse new work, end watches with UNAVAILABLE, and close after ``grace`` seconds at the most."""
        self.lifecycle.stop()
        await asyncio.gather(*(server.stop(grace) for server in self._servers))
        self._servers.clear()

    def _server(self, listener: Listener) -> grpc.aio.Server:
        rooms = self._rooms
        server = grpc.aio.server(
            interceptors=[Gate(listener.authenticate, self.lifecycle, self._version)],
            options=_OPTIONS,
            maximum_concurrent_rpcs=_MOST_CALLS,
        )
        vms = VmServicer(rooms.provisioning, rooms.reads, rooms.hosts, rooms.max_age)
        hosts = HostServicer(
            rooms.reads, rooms.operations, rooms.hosts, rooms.max_age, rooms.deployment, rooms.checks
        )
        operations = OperationsServicer(rooms.operations, self.lifecycle)
        watcher = OperationServicer(rooms.operations, self.lifecycle, rooms.heartbeat)
        vm_service_pb2_grpc.add_VmServiceServicer_to_server(vms, server)
        host_service_pb2_grpc.add_HostServiceServicer_to_server(hosts, server)
        operations_pb2_grpc.add_OperationsServicer_to_server(operations, server)
        operation_service_pb2_grpc.add_OperationServiceServicer_to_server(watcher, server)
        health_pb2_grpc.add_HealthServicer_to_server(self.health, server)
        reflection_pb2_grpc.add_ServerReflectionServicer_to_server(  # type: ignore[no-untyped-call]  # generated
            reflection.aio.ReflectionServicer(service_names=SERVICES), server
        )
        return server
