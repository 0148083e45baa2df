"""The server as clients meet it: TLS, token, health, reflection, hosts."""

from __future__ import annotations

import asyncio
import ssl
from typing import Any, cast

import grpc
import grpc.aio
from aetherv.v1 import host_pb2, host_service_pb2
from aetherv_agent.api.server import SERVICES
from aetherv_agent.core.errors import AethervError
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from grpc_health.v1 import health_pb2
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc
from support.api_fakes import ADMIN, Served, Stubs, make_inventory, make_vm, refusal


async def test_hosts_are_listed_with_state_error_and_load(served: Served, stubs: Stubs) -> None:
    """A host that can't be reached is listed too, with why."""
    served.reads.answers["hv01"] = make_inventory("hv01", [make_vm()])
    served.reads.answers["hv02"] = AethervError("HOST_UNREACHABLE", "hv02 does not answer.")
    answer = await stubs.hosts.ListHosts(host_service_pb2.ListHostsRequest(), metadata=ADMIN)
    first, second = answer.hosts
    assert (first.name, first.state, first.vm_count) == ("hosts/hv01", host_pb2.Host.STATE_READY, 1)
    assert (first.running_operation_count, first.queued_operation_count) == (2, 1)
    assert [(s.name, s.default) for s in first.switches] == [("External", True), ("Lab", False)]
    assert (second.name, second.state) == ("hosts/hv02", host_pb2.Host.STATE_UNREACHABLE)
    assert second.error.code == grpc.StatusCode.UNAVAILABLE.value[0]
    assert "hv02 does not answer" in second.error.message


async def test_a_client_that_does_not_trust_the_authority_gets_nothing(served: Served) -> None:
    """The certificate is the agent's own: without its authority there is no connection."""
    async with grpc.aio.secure_channel(served.address, grpc.ssl_channel_credentials()) as channel:
        error = await refusal(Stubs(channel).health.Check(health_pb2.HealthCheckRequest(), timeout=5))
    assert error.code() is grpc.StatusCode.UNAVAILABLE


async def test_plaintext_gets_nothing_from_a_tls_listener(served: Served) -> None:
    """A client without TLS is not answered."""
    async with grpc.aio.insecure_channel(served.address) as channel:
        error = await refusal(Stubs(channel).health.Check(health_pb2.HealthCheckRequest(), timeout=5))
    assert error.code() is grpc.StatusCode.UNAVAILABLE


async def test_health_is_open_and_follows_the_stop(served: Served, stubs: Stubs) -> None:
    """Health needs no token, lists every service, and says NOT_SERVING once the agent is to stop."""
    listed = await stubs.health.List(getattr(health_pb2, "HealthListRequest")())  # noqa: B009  # newer than the stubs
    assert set(listed.statuses) == {"", *SERVICES}
    watch = stubs.health.Watch(health_pb2.HealthCheckRequest(service=SERVICES[0]))
    assert (await watch.read()).status == health_pb2.HealthCheckResponse.SERVING
    await served.api.not_serving()
    assert (await watch.read()).status == health_pb2.HealthCheckResponse.NOT_SERVING
    watch.cancel()
    checked = await stubs.health.Check(health_pb2.HealthCheckRequest())
    assert checked.status == health_pb2.HealthCheckResponse.NOT_SERVING
    error = await refusal(stubs.health.Check(health_pb2.HealthCheckRequest(service="nothing")))
    assert error.code() is grpc.StatusCode.NOT_FOUND


async def test_the_version_and_a_request_id_stand_in_initial_metadata(stubs: Stubs) -> None:
    """A client can tell an agent that is too old, and find its call in the log."""
    call = stubs.hosts.ListHosts(
        host_service_pb2.ListHostsRequest(), metadata=(*ADMIN, ("x-request-id", "abc-1"))
    )
    await call
    seen = dict(await call.initial_metadata())
    assert seen["aetherv-version"] == "9.9.9"
    assert seen["x-request-id"] == "abc-1"


async def test_a_method_that_is_not_there_is_unimplemented_with_the_version(served: Served) -> None:
    """A newer client learns which agent it speaks to; a stranger learns nothing."""
    async with served.channel() as channel:
        method: Any = channel.unary_unary("/aetherv.v1.VmService/UpdateVm")
        call = method(b"", metadata=ADMIN)
        error = await refusal(call)
        assert error.code() is grpc.StatusCode.UNIMPLEMENTED
        assert dict(error.initial_metadata())["aetherv-version"] == "9.9.9"
        assert (await refusal(method(b""))).code() is grpc.StatusCode.UNAUTHENTICATED


async def test_a_client_made_by_reflection_reads_a_host(served: Served) -> None:
    """A client that has no generated code learns the API from the server and calls it."""
    async with served.channel() as channel:
        stub: Any = reflection_pb2_grpc.ServerReflectionStub(cast("grpc.Channel", channel))

        async def ask(**question: Any) -> reflection_pb2.ServerReflectionResponse:
            call = stub.ServerReflectionInfo(
                iter([reflection_pb2.ServerReflectionRequest(**question)]), metadata=ADMIN
            )
            answer: reflection_pb2.ServerReflectionResponse = await call.read()
            call.cancel()
            return answer

        services = await ask(list_services="")
        assert {s.name for s in services.list_services_response.service} == set(SERVICES)
        found = await ask(file_containing_symbol="aetherv.v1.HostService")
        pool = descriptor_pool.DescriptorPool()
        files = [
            descriptor_pb2.FileDescriptorProto.FromString(raw)
            for raw in found.file_descriptor_response.file_descriptor_proto
        ]
        known = {file.name: file for file in files}

        def add(name: str) -> None:
            file = known.pop(name, None)
            if file is not None:
                for dependency in file.dependency:
                    add(dependency)
                pool.Add(file)

        for name in list(known):
            add(name)
        request_type = message_factory.GetMessageClass(
            pool.FindMessageTypeByName("aetherv.v1.ReadHostRequest")
        )
        response_type = message_factory.GetMessageClass(pool.FindMessageTypeByName("aetherv.v1.Host"))
        method: Any = channel.unary_unary(
            "/aetherv.v1.HostService/ReadHost",
            request_serializer=request_type.SerializeToString,
            response_deserializer=response_type.FromString,
        )
        host = await method(request_type(name="hosts/hv01"), metadata=ADMIN)
    assert host.os_version == "10.0.20348"


async def test_reflection_needs_a_token(served: Served) -> None:
    """What the API is like is not told to strangers."""
    async with served.channel() as channel:
        stub: Any = reflection_pb2_grpc.ServerReflectionStub(cast("grpc.Channel", channel))
        call = stub.ServerReflectionInfo(iter([reflection_pb2.ServerReflectionRequest(list_services="")]))
        # The stream's own code: a read may also see that the server has closed while the question was sent.
        assert await call.code() is grpc.StatusCode.UNAUTHENTICATED


async def test_a_renewed_certificate_is_given_to_new_connections(served: Served) -> None:
    """A certificate is changed without a restart: open connections go on, new ones see the new one."""

    async def serial() -> bytes:

        context = ssl.create_default_context(cadata=served.ca.decode())
        context.set_alpn_protocols(["h2"])
        host, port = served.address.split(":")
        _, writer = await asyncio.open_connection(host, int(port), ssl=context, server_hostname="localhost")
        certificate: bytes = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
        writer.transport.abort()
        return certificate

    async with served.channel() as channel:
        before = await serial()
        assert await serial() == before
        served.authority.server_file.unlink()
        served.certificate.change(served.authority.ensure())
        after = await serial()
        assert after != before
        assert await serial() == after
        await Stubs(channel).hosts.ListHosts(host_service_pb2.ListHostsRequest(), metadata=ADMIN)
