# ruff: noqa: D102  # the fakes do what the interfaces say
"""A real server in this process, over TLS, on rooms that are fakes."""

from __future__ import annotations

import asyncio
import dataclasses
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import grpc
import grpc.aio
import pytest
import pytest_asyncio
from aetherv.v1 import host_service_pb2_grpc, operation_service_pb2_grpc, vm_service_pb2_grpc
from aetherv_agent.api.permissions import Principal, Role
from aetherv_agent.api.server import Api, Listener, Rooms
from aetherv_agent.api.tls import OwnAuthority, ServerCertificate
from aetherv_agent.api.tokens import KnownToken, by_token, digest_of
from aetherv_agent.core.errors import AethervError
from aetherv_agent.core.model import (
    Adapter,
    Disk,
    HostFacts,
    HostSettings,
    Image,
    Inventory,
    Mark,
    VirtualSwitch,
    Vm,
    VmState,
    Volume,
)
from aetherv_agent.operations.model import (
    Event,
    Filter,
    HostLoad,
    Operation,
    Page,
    Request,
    State,
)
from aetherv_agent.provisioning.requests import CreateRequest, DeleteRequest, Plan
from google.longrunning import operations_pb2_grpc
from grpc_health.v1 import health_pb2_grpc
from support.deployment_fakes import FakeChecks, FakeDeployment

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
GUID = "0a1b2c3d-4e5f-4a6b-8c7d-9e0f1a2b3c4d"
HOSTS = {name: HostSettings(name, f"{name}.example.com") for name in ("hv01", "hv02")}


def make_vm(host: str = "hv01", name: str = "web01", guid: str = GUID, **changes: Any) -> Vm:
    """Return a VM as a host answers it."""
    vm = Vm(
        id=guid,
        name=name,
        host=host,
        state=VmState.RUNNING,
        memory_bytes=4 * 1024**3,
        dynamic_memory=False,
        cpu_count=2,
        vlan_id=10,
        switch="External",
        clustered=False,
        notes="mine",
        mark=Mark(
            "1" * 8 + "-1111-4111-8111-" + "1" * 12, {"image_name": "Ubuntu 24.04", "guest_la_uid": "admin"}
        ),
        adapters=(
            Adapter(
                "00:15:5D:00:00:01",
                "External",
                10,
                ("fe80::1", "127.0.0.1", "192.0.2.20", "192.0.2.3", "2001:db8::5"),
            ),
        ),
        disks=(Disk(r"C:\VMs\web01\web01.vhdx", 10, 5),),
        path=r"C:\VMs\web01",
        create_time=NOW,
        uptime_seconds=5,
        replica=False,
        observe_time=NOW,
    )
    return dataclasses.replace(vm, **changes)


def make_inventory(host: str = "hv01", vms: Sequence[Vm] = ()) -> Inventory:
    """Return a host's inventory."""
    return Inventory(
        host=host,
        facts=HostFacts(
            host.upper(), "10.0.20348", "0.1.0", "", "", 8, 64 * 1024**3, 32 * 1024**3, r"C:\VMs"
        ),
        vms=tuple(vms),
        images=(Image("Ubuntu 24.04", r"C:\Images\Ubuntu 24.04.vhdx", 100, NOW),),
        switches=(VirtualSwitch("External", "external"), VirtualSwitch("Lab", "private")),
        volumes=(Volume("C:\\", 100, 50),),
        isos=(),
        jobs=(),
        observe_time=NOW,
    )


def make_operation(**changes: Any) -> Operation:
    """Return an operation."""
    operation = Operation(
        id=str(uuid.uuid4()),
        kind="create",
        host="hv01",
        principal="ops",
        spec={},
        state=State.RUNNING,
        create_time=NOW,
        update_time=NOW,
        vm_name="web01",
    )
    return dataclasses.replace(operation, **changes)


class FakeReads:
    """Hosts' inventories by name; an error stands for a host that can't be asked."""

    def __init__(self) -> None:
        self.answers: dict[str, Inventory | AethervError] = {name: make_inventory(name) for name in HOSTS}
        self.ages: list[float] = []

    async def get(self, host: str, max_age: float) -> Inventory:
        self.ages.append(max_age)
        answer = self.answers[host]
        if isinstance(answer, AethervError):
            raise answer
        return answer

    async def find_vm(
        self, vm_id: str, *, host_hint: str = "", max_age: float = 0.0, hosts: Sequence[str] | None = None
    ) -> Vm:
        for host in hosts if hosts is not None else self.answers:
            for vm in (await self.get(host, max_age)).vms:
                if vm.id == vm_id:
                    return vm
        raise AethervError("VM_NOT_FOUND", f"No host has the VM {vm_id}.")


class FakeOperations:
    """Operations in memory; events are given by the test."""

    def __init__(self) -> None:
        self.known: dict[str, Operation] = {}
        self.events: dict[str, asyncio.Queue[Event | Exception]] = {}
        self.cancelled: list[str] = []
        self.filters: list[Filter] = []
        self.tokens: list[str] = []
        self.error: Exception | None = None
        self.watching = 0
        self.unwatched = asyncio.Event()
        self.waited = asyncio.Event()

    def add(self, operation: Operation) -> Operation:
        self.known[operation.id] = operation
        self.events[operation.id] = asyncio.Queue()
        return operation

    async def submit(self, request: Request, secrets: Mapping[str, str] | None = None) -> Operation:
        raise AssertionError("provisioning submits, not the api")

    async def get(self, operation_id: str) -> Operation:
        if self.error is not None:
            raise self.error
        if operation_id not in self.known:
            raise AethervError("OPERATION_NOT_FOUND", f"operations/{operation_id} is not known.")
        return self.known[operation_id]

    async def list(self, where: Filter, page_size: int = 100, page_token: str = "") -> Page:
        self.filters.append(where)
        self.tokens.append(page_token)
        found = [o for o in self.known.values() if where.hosts is None or o.host in where.hosts]
        return Page(tuple(found[:page_size]), "more" if len(found) > page_size else "")

    async def by_request(self, request_id: str) -> Operation | None:
        return None

    async def find_open(self, *, host: str = "", vm_name: str = "", target: str = "") -> Operation | None:
        return None

    async def wait(self, operation_id: str, within: float) -> Operation:
        self.waited.set()
        await asyncio.sleep(min(within, 30))
        return await self.get(operation_id)

    async def cancel(self, operation_id: str) -> Operation:
        self.cancelled.append(operation_id)
        return await self.get(operation_id)

    async def watch(self, operation_id: str, after: int = 0) -> AsyncIterator[Event]:
        self.watching += 1
        try:
            while True:
                event = await self.events[operation_id].get()
                if isinstance(event, Exception):
                    raise event
                yield event
        finally:
            self.watching -= 1
            self.unwatched.set()

    async def loads(self) -> dict[str, HostLoad]:
        return {"hv01": HostLoad(2, 1)}


class FakeProvisioning:
    """Keeps what it was asked, and answers what the test says."""

    def __init__(self, operations: FakeOperations) -> None:
        self.operations = operations
        self.creates: list[CreateRequest] = []
        self.deletes: list[DeleteRequest] = []
        self.error: Exception | None = None

    async def submit_create(self, request: CreateRequest) -> Operation:
        self.creates.append(request)
        if self.error is not None:
            raise self.error
        return self.operations.add(make_operation(vm_name=request.spec.vm_name, principal=request.principal))

    async def validate_create(self, request: CreateRequest) -> Plan:
        self.creates.append(request)
        if self.error is not None:
            raise self.error
        return Plan(request.spec, "hv01", "", int(request.spec.gb_ram * 1024**3))

    async def submit_delete(self, request: DeleteRequest) -> Operation:
        self.deletes.append(request)
        if self.error is not None:
            raise self.error
        return self.operations.add(make_operation(kind="delete", target=f"vms/{request.vm_id}"))

    async def validate_delete(self, request: DeleteRequest) -> Vm | None:
        self.deletes.append(request)
        if self.error is not None:
            raise self.error
        return make_vm()


TOKENS = {role: f"token-of-{role.value}-000000000000" for role in Role}
LIMITED = "token-of-limited-0000000000000"


@dataclasses.dataclass
class Served:
    """A running server and everything around it."""

    api: Api
    address: str
    ca: bytes
    reads: FakeReads
    operations: FakeOperations
    provisioning: FakeProvisioning
    certificate: ServerCertificate
    authority: OwnAuthority
    deployment: FakeDeployment
    checks: FakeChecks

    def channel(self) -> grpc.aio.Channel:
        return grpc.aio.secure_channel(self.address, grpc.ssl_channel_credentials(self.ca))


@dataclasses.dataclass
class Stubs:
    """Plain generated stubs of one channel."""

    channel: grpc.aio.Channel

    def __post_init__(self) -> None:
        self.vms: Any = vm_service_pb2_grpc.VmServiceStub(self.channel)
        self.hosts: Any = host_service_pb2_grpc.HostServiceStub(self.channel)
        self.watcher: Any = operation_service_pb2_grpc.OperationServiceStub(self.channel)
        self.operations: Any = operations_pb2_grpc.OperationsStub(self.channel)
        self.health: Any = health_pb2_grpc.HealthStub(self.channel)


def bearer(token: str) -> tuple[tuple[str, str], ...]:
    """Return a call's metadata with a token."""
    return (("authorization", f"Bearer {token}"),)


ADMIN = bearer(TOKENS[Role.ADMIN])


async def refusal(call: Awaitable[Any]) -> grpc.aio.AioRpcError:
    """Return the error that a call ends with."""
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call
    return caught.value


Serve = Callable[..., Awaitable[Served]]


@pytest_asyncio.fixture
async def serve(tmp_path: Path) -> AsyncIterator[Serve]:
    """Return how a server is started."""
    running: list[Api] = []

    async def start(heartbeat: float = 15.0) -> Served:
        authority = OwnAuthority(tmp_path / "tls", ["localhost", "127.0.0.1"])
        certificate = ServerCertificate(authority.ensure())
        known = [KnownToken(digest_of(token), Principal(role.value, role)) for role, token in TOKENS.items()]
        known.append(KnownToken(digest_of(LIMITED), Principal("limited", Role.ADMIN, frozenset({"hv02"}))))
        reads, operations = FakeReads(), FakeOperations()
        provisioning = FakeProvisioning(operations)
        deployment, checks = FakeDeployment(), FakeChecks()
        api = Api(
            Rooms(provisioning, reads, operations, HOSTS, 5.0, deployment, checks, heartbeat),
            [Listener("127.0.0.1:0", by_token(known), certificate.credentials())],
            "9.9.9",
        )
        running.append(api)
        (address,) = await api.start()
        return Served(
            api,
            address,
            authority.ca_file.read_bytes(),
            reads,
            operations,
            provisioning,
            certificate,
            authority,
            deployment,
            checks,
        )

    yield start
    for api in running:
        await api.stop(0.0)


@pytest_asyncio.fixture
async def served(serve: Serve) -> Served:
    """Return a running server."""
    return await serve()


@pytest_asyncio.fixture
async def stubs(served: Served) -> AsyncIterator[Stubs]:
    """Return stubs of a channel to it."""
    async with served.channel() as channel:
        yield Stubs(channel)
