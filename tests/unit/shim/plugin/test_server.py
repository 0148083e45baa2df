"""The gRPC server, go-plugin's services, the parent, and what is different over TCP."""

from __future__ import annotations

import os
import stat
import struct
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import TypeAlias

import grpc
import pytest
from google.protobuf import empty_pb2
from grpc_health.v1 import health_pb2
from terraform_provider_aetherv.plugin import parent, windows
from terraform_provider_aetherv.plugin.certificate import make_certificate
from terraform_provider_aetherv.plugin.peer_check import ParentOnly
from terraform_provider_aetherv.plugin.server import PluginServer, ServerError
from terraform_provider_aetherv.plugin.services import add_services
from terraform_provider_aetherv.plugin.wire import goplugin_pb2 as pb
from terraform_provider_aetherv.plugin.wire import goplugin_pb2_grpc

DEADLINE = 30.0
Check: TypeAlias = (
    "grpc.UnaryUnaryMultiCallable[health_pb2.HealthCheckRequest, health_pb2.HealthCheckResponse]"
)


def _check(channel: grpc.Channel) -> Check:
    """Give the health check; the generated stub of the library has no types."""
    return channel.unary_unary(
        "/grpc.health.v1.Health/Check",
        request_serializer=health_pb2.HealthCheckRequest.SerializeToString,
        response_deserializer=health_pb2.HealthCheckResponse.FromString,
    )


@pytest.fixture
def ended() -> threading.Event:
    """Set when Terraform asks for the end."""
    return threading.Event()


@pytest.fixture
def server(ended: threading.Event) -> Iterator[PluginServer]:
    """A server with go-plugin's services and TLS."""
    made = PluginServer(make_certificate())
    made.start()
    made.load(lambda target: add_services(target, ended))
    yield made
    made.stop(0)
    made.remove_files()


@pytest.fixture
def plain(ended: threading.Event) -> Iterator[tuple[PluginServer, grpc.Channel]]:
    """A server without TLS, and a channel to it."""
    made = PluginServer(None)
    made.start()
    with grpc.insecure_channel(f"unix:{made.address.address}") as channel:
        yield made, channel
    made.stop(0)
    made.remove_files()


def test_call_waits_for_the_services(
    plain: tuple[PluginServer, grpc.Channel], ended: threading.Event
) -> None:
    """A call that comes before the services are loaded is answered afterwards."""
    server, channel = plain
    call = _check(channel).future(health_pb2.HealthCheckRequest(service="plugin"), timeout=DEADLINE)
    server.load(lambda target: add_services(target, ended))
    assert call.result().status == health_pb2.HealthCheckResponse.SERVING


def test_unknown_service_and_method(plain: tuple[PluginServer, grpc.Channel], ended: threading.Event) -> None:
    """What is not there is UNIMPLEMENTED or NOT_FOUND."""
    server, channel = plain
    server.load(lambda target: add_services(target, ended))
    unknown: grpc.UnaryUnaryMultiCallable[bytes, bytes] = channel.unary_unary(
        "/tfplugin6.Provider/OpenEphemeralResource"
    )
    with pytest.raises(grpc.RpcError) as caught:
        unknown(b"", timeout=DEADLINE)
    assert caught.value.code() == grpc.StatusCode.UNIMPLEMENTED
    with pytest.raises(grpc.RpcError) as caught:
        _check(channel)(health_pb2.HealthCheckRequest(service="x"), timeout=DEADLINE)
    assert caught.value.code() == grpc.StatusCode.NOT_FOUND


def test_failed_loading_does_not_hold_calls(plain: tuple[PluginServer, grpc.Channel]) -> None:
    """When the services cannot be registered, calls are refused instead of held."""
    server, channel = plain

    def fail(_: grpc.Server) -> None:
        raise RuntimeError("no")

    with pytest.raises(RuntimeError):
        server.load(fail)
    with pytest.raises(grpc.RpcError):
        _check(channel)(health_pb2.HealthCheckRequest(), timeout=DEADLINE)


def test_streams_end_with_the_plugin(
    plain: tuple[PluginServer, grpc.Channel], ended: threading.Event
) -> None:
    """Stdio stays open and silent, the broker reads, until Shutdown; many streams leave workers for calls."""
    server, channel = plain
    server.load(lambda target: add_services(target, ended))
    never = threading.Event()

    def requests() -> Iterator[pb.ConnInfo]:
        yield pb.ConnInfo(service_id=1)
        never.wait(DEADLINE)

    broker = goplugin_pb2_grpc.GRPCBrokerStub(channel).StartStream(requests(), timeout=DEADLINE)
    streams = [
        goplugin_pb2_grpc.GRPCStdioStub(channel).StreamStdio(empty_pb2.Empty(), timeout=DEADLINE)
        for _ in range(40)
    ]
    assert not ended.is_set()
    goplugin_pb2_grpc.GRPCControllerStub(channel).Shutdown(pb.Empty(), timeout=DEADLINE)
    assert ended.is_set()
    assert [list(stream) for stream in streams] == [[]] * 40
    never.set()
    assert list(broker) == []


def test_socket_is_private_and_removed(server: PluginServer) -> None:
    """The socket lies in a folder of the user alone, under a path that every system takes, and is removed."""
    socket = Path(server.address.address)
    assert stat.S_IMODE(socket.parent.stat().st_mode) == 0o700
    assert len(str(socket)) <= 103
    server.stop(0)
    server.remove_files()
    assert not socket.parent.exists()


def test_tls_by_the_handshakes_certificate() -> None:
    """Only a client that trusts the certificate of the handshake gets in."""
    certificate, other = make_certificate(), make_certificate()
    server = PluginServer(certificate)
    server.start()
    server.load(lambda target: add_services(target, threading.Event()))
    options = (("grpc.ssl_target_name_override", "localhost"),)
    try:
        for trusted, fine in ((certificate, True), (other, False)):
            credentials = grpc.ssl_channel_credentials(trusted.certificate_pem)
            with grpc.secure_channel(f"unix:{server.address.address}", credentials, options) as channel:
                ready = grpc.channel_ready_future(channel)
                if fine:
                    ready.result(DEADLINE)
                else:
                    with pytest.raises(grpc.RpcError) as caught:
                        _check(channel)(health_pb2.HealthCheckRequest(), timeout=DEADLINE)
                    # gRPC tries again until the call's time is up where the machine is slow.
                    refused = {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED}
                    assert caught.value.code() in refused
    finally:
        server.stop(0)
        server.remove_files()


def test_server_that_cannot_listen(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A socket that cannot be made is one error of this package, and leaves no folder."""
    folder = tmp_path / ("x" * 120)
    folder.mkdir()
    monkeypatch.setattr("terraform_provider_aetherv.plugin.server._make_folder", lambda: str(folder))
    with pytest.raises(ServerError):
        PluginServer(None)
    assert not folder.exists()


@pytest.mark.parametrize(
    ("owner", "allowed"), [(os.getpid(), True), (1, False), (None, False)], ids=["self", "other", "none"]
)
def test_only_the_parent_is_served_over_tcp(owner: int | None, allowed: bool) -> None:
    """Over TCP the owner of the connection is looked up by its ports, for single calls and streams alike."""
    asked: list[tuple[int, int]] = []

    def find(local: int, remote: int) -> int | None:
        asked.append((local, remote))
        return owner

    ports: list[int] = []
    server = PluginServer(None, network="tcp", interceptors=[ParentOnly(os.getpid(), find, lambda: ports[0])])
    ports.append(int(server.address.address.rpartition(":")[2]))
    ended = threading.Event()
    server.start()
    server.load(lambda target: add_services(target, ended))
    try:
        assert server.address.network == "tcp"
        with grpc.insecure_channel(server.address.address) as channel:
            stub = goplugin_pb2_grpc.GRPCControllerStub(channel)
            if allowed:
                stub.Shutdown(pb.Empty(), timeout=DEADLINE)
            else:
                with pytest.raises(grpc.RpcError) as caught:
                    stub.Shutdown(pb.Empty(), timeout=DEADLINE)
                assert caught.value.code() == grpc.StatusCode.PERMISSION_DENIED
                with pytest.raises(grpc.RpcError):
                    list(
                        goplugin_pb2_grpc.GRPCStdioStub(channel).StreamStdio(
                            empty_pb2.Empty(), timeout=DEADLINE
                        )
                    )
        assert ended.is_set() is allowed
        assert {local for local, _ in asked} == {ports[0]}
        assert all(remote not in {0, ports[0]} for _, remote in asked)
    finally:
        server.stop(0)


def test_peers_that_have_no_owner() -> None:
    """A peer that is no IPv4 connection is not the parent."""
    check = ParentOnly(1, lambda _local, _remote: 1, lambda: 5)
    assert check._is_parent("ipv4:127.0.0.1:50000")
    assert check._is_parent("ipv4:127.0.0.1%3A50000")
    assert not check._is_parent("unix:")
    assert not check._is_parent("ipv6:[::1]:50000")
    assert not check._is_parent("ipv4:127.0.0.1:x")


def test_windows_table_of_connections(monkeypatch: pytest.MonkeyPatch) -> None:
    """The rows of GetExtendedTcpTable are read with ports in network order."""

    def port(number: int) -> int:
        return int.from_bytes(struct.pack(">H", number), "little")

    rows = struct.pack("<6I", 5, 0, port(50000), 0, port(1234), 77) + struct.pack(
        "<6I", 5, 0, port(1234), 0, port(50000), 88
    )
    table = struct.pack("<I", 2) + rows
    monkeypatch.setattr(windows, "_tcp_table", lambda: table)
    assert windows.connection_owner(1234, 50000) == 77
    assert windows.connection_owner(1234, 50001) is None
    assert list(windows._rows(struct.pack("<I", 9) + rows[:30])) == [(50000, 1234, 77)]


def test_wait_ends_by_request_or_with_the_parent() -> None:
    """The wait tells whether the end was asked for or the parent went away."""
    asked = threading.Event()
    asked.set()
    assert parent.wait_for_end(asked, lambda: True, 0.01) is True
    answers = iter([False, False, True])
    assert parent.wait_for_end(threading.Event(), lambda: next(answers), 0.01) is False


def test_orphan_notices(tmp_path: Path) -> None:
    """A process whose parent is gone sees it."""
    program = (
        "import os, sys, time\n"
        "from terraform_provider_aetherv.plugin.parent import parent_is_gone\n"
        "gone = parent_is_gone()\n"
        "print(gone(), flush=True)\n"
        "open(sys.argv[1], 'w').write('x\\n')\n"
        "end = time.monotonic() + 30\n"
        "while not gone() and time.monotonic() < end: time.sleep(0.02)\n"
        "print(gone(), flush=True)\n"
    )
    fifo = tmp_path / "looked"
    os.mkfifo(fifo)
    # The shell in between is the parent; it ends as soon as its child has looked at it.
    shell = f'{sys.executable} -c "$0" "{fifo}" & read _ <"{fifo}"'
    result = subprocess.run(
        ["/bin/sh", "-c", shell, program], capture_output=True, text=True, timeout=60, check=True
    )
    assert result.stdout.split() == ["False", "True"]
