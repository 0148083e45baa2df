"""CheckHost and DeployHostScripts: who may, what they answer, what they refuse."""

from __future__ import annotations

import grpc
import pytest
from aetherv.v1 import host_pb2, host_service_pb2
from aetherv_agent.api.permissions import Role
from aetherv_agent.core.errors import AethervError
from support.api_fakes import ADMIN, LIMITED, TOKENS, Served, Stubs, bearer, refusal

CHECK = host_service_pb2.CheckHostRequest(name="hosts/hv01")
DEPLOY = host_service_pb2.DeployHostScriptsRequest(name="hosts/hv01")


async def test_check_gives_the_findings_in_order(served: Served) -> None:
    """States, texts and advice arrive; a viewer may ask, for nothing is changed."""
    async with served.channel() as channel:
        answer = await Stubs(channel).hosts.CheckHost(CHECK, metadata=bearer(TOKENS[Role.VIEWER]))
    assert [finding.id for finding in answer.findings] == ["winrm", "scripts"]
    assert answer.findings[1].state == host_pb2.HostFinding.STATE_FAILED
    assert answer.findings[1].advice == "aetherv hosts deploy hv01"
    assert answer.check_time.seconds


async def test_deploy_answers_with_the_host_read_anew(served: Served) -> None:
    """After it nothing that was known of the host counts."""
    async with served.channel() as channel:
        answer = await Stubs(channel).hosts.DeployHostScripts(DEPLOY, metadata=ADMIN)
    assert served.deployment.deployed == ["hv01"]
    assert (answer.made, answer.version) == (True, "0.1.0")
    assert answer.host.state == host_pb2.Host.STATE_READY
    assert served.reads.ages == [0.0]


@pytest.mark.parametrize("role", [Role.VIEWER, Role.PLANNER, Role.OPERATOR])
async def test_only_an_admin_deploys(served: Served, role: Role) -> None:
    """Bringing code to a host is more than using it."""
    async with served.channel() as channel:
        error = await refusal(Stubs(channel).hosts.DeployHostScripts(DEPLOY, metadata=bearer(TOKENS[role])))
    assert error.code() is grpc.StatusCode.PERMISSION_DENIED
    assert served.deployment.deployed == []


async def test_hosts_that_a_caller_may_not_use_or_nobody_has_are_refused(served: Served) -> None:
    """The limit to some hosts, unknown names and other forms are told before anything is asked."""
    async with served.channel() as channel:
        hosts = Stubs(channel).hosts
        for call, request in ((hosts.CheckHost, CHECK), (hosts.DeployHostScripts, DEPLOY)):
            foreign = await refusal(call(request, metadata=bearer(LIMITED)))
            assert foreign.code() is grpc.StatusCode.PERMISSION_DENIED
            unknown = await refusal(call(type(request)(name="hosts/hv99"), metadata=ADMIN))
            assert unknown.code() is grpc.StatusCode.NOT_FOUND
            other = await refusal(call(type(request)(name="hv01"), metadata=ADMIN))
            assert other.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert served.deployment.deployed == served.checks.checked == []


@pytest.mark.parametrize(
    ("error_id", "code"),
    [
        ("DEPLOYMENT_DENIED", grpc.StatusCode.FAILED_PRECONDITION),
        ("DEPLOYMENT_UNAVAILABLE", grpc.StatusCode.FAILED_PRECONDITION),
        ("SCRIPTS_MISMATCH", grpc.StatusCode.FAILED_PRECONDITION),
        ("DEPLOYMENT_FAILED", grpc.StatusCode.INTERNAL),
        ("SCRIPTS_BROKEN", grpc.StatusCode.INTERNAL),
        ("HOST_UNREACHABLE", grpc.StatusCode.UNAVAILABLE),
    ],
)
async def test_a_refused_deployment_has_its_code(
    served: Served, error_id: str, code: grpc.StatusCode
) -> None:
    """The codes are those that the RPC's comment lists."""
    served.deployment.error = AethervError(error_id, "Host hv01 refused.")
    async with served.channel() as channel:
        error = await refusal(Stubs(channel).hosts.DeployHostScripts(DEPLOY, metadata=ADMIN))
    assert error.code() is code
