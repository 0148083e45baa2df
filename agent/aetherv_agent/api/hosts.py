# ruff: noqa: N802  # methods are called as gRPC calls them
"""HostService: the configuration's hosts, what their inventories say, their scripts."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from aetherv.v1 import host_pb2, host_service_pb2, host_service_pb2_grpc

from aetherv_agent.api import callers, filters, paging
from aetherv_agent.api.convert.basics import host_of, timestamp
from aetherv_agent.api.convert.host import finding_message, host_message
from aetherv_agent.api.inventories import read_all
from aetherv_agent.api.ports import Checks, Deployment, Hosts, Reads
from aetherv_agent.core.errors import AethervError
from aetherv_agent.operations.interface import Operations
from aetherv_agent.operations.model import HostLoad

_FIELDS = ("name", "cluster", "state")


class HostServicer(host_service_pb2_grpc.HostServiceServicer):
    """Hosts.

    Args:
        reads: what stands on the hosts.
        operations: says how much each host has to do.
        hosts: the configuration's hosts.
        max_age: how old a read may be, in seconds.
        deployment: brings scripts to hosts.
        checks: looks at hosts.
    """

    def __init__(
        self,
        reads: Reads,
        operations: Operations,
        hosts: Hosts,
        max_age: float,
        deployment: Deployment,
        checks: Checks,
    ) -> None:
        self._deployment = deployment
        self._checks = checks
        self._reads = reads
        self._operations = operations
        self._hosts = hosts
        self._max_age = max_age

    async def ReadHost(self, request: host_service_pb2.ReadHostRequest, _context: Any) -> host_pb2.Host:
        """Read a host; one that can't be reached is an answer too."""
        return (await self._messages([self._host_of(request.name)], self._max_age))[0]

    async def ListHosts(
        self, request: host_service_pb2.ListHostsRequest, _context: Any
    ) -> host_service_pb2.ListHostsResponse:
        """List the hosts that the caller may see."""
        call = callers.current()
        size = paging.page_size(request.page_size)
        terms = filters.parse(request.filter, _FIELDS)
        names = sorted(host for host in self._hosts if call.principal.may_use(host))
        found = await self._messages(names, self._max_age)
        hosts = [host for host in found if filters.fits(terms, _filterable(host))]
        shown, token = paging.page(hosts, _key, size, request.page_token, request.filter, of="hosts")
        return host_service_pb2.ListHostsResponse(hosts=shown, next_page_token=token)

    async def CheckHost(
        self, request: host_service_pb2.CheckHostRequest, _context: Any
    ) -> host_service_pb2.CheckHostResponse:
        """Look at a host."""
        found = await self._checks.check(self._host_of(request.name))
        return host_service_pb2.CheckHostResponse(
            findings=[finding_message(finding) for finding in found],
            check_time=timestamp(datetime.now(UTC)),
        )

    async def DeployHostScripts(
        self, request: host_service_pb2.DeployHostScriptsRequest, _context: Any
    ) -> host_service_pb2.DeployHostScriptsResponse:
        """Bring the scripts to a host, and read its state anew."""
        host = self._host_of(request.name)
        deployed = await self._deployment.deploy(host)
        return host_service_pb2.DeployHostScriptsResponse(
            version=deployed.version,
            path=deployed.path,
            made=deployed.made,
            host=(await self._messages([host], 0.0))[0],
        )

    def _host_of(self, name: str) -> str:
        """Return the host of a request.

        Raises:
            AethervError: REQUEST_INVALID, PERMISSION_DENIED, HOST_NOT_FOUND.
        """
        host = host_of(name, "name")
        callers.current().need_host(host)
        if host not in self._hosts:
            raise AethervError("HOST_NOT_FOUND", f"This agent has no host {host!r}.", metadata={"host": host})
        return host

    async def _messages(self, names: list[str], max_age: float) -> list[host_pb2.Host]:
        found = await read_all(self._reads, names, max_age)
        loads = await self._operations.loads()
        return [host_message(self._hosts[n], found[n], loads.get(n, HostLoad())) for n in names]


def _key(host: host_pb2.Host) -> paging.Key:
    return (host.name,)


def _filterable(host: host_pb2.Host) -> dict[str, str]:
    return {
        "name": host.name.removeprefix("hosts/"),
        "cluster": host.cluster,
        "state": host_pb2.Host.State.Name(host.state).removeprefix("STATE_"),
    }
