"""What go-plugin asks of every plugin, beside the provider: shutdown, standard streams, broker, health."""

# ruff: noqa: N802, ARG002  # the generated base classes set names and parameters

from __future__ import annotations

import threading
from collections.abc import Iterator

import grpc
from google.protobuf import empty_pb2
from grpc_health.v1 import health_pb2, health_pb2_grpc

from terraform_provider_aetherv.plugin.wire import goplugin_pb2 as pb
from terraform_provider_aetherv.plugin.wire import goplugin_pb2_grpc

Context = grpc.ServicerContext


class Controller(goplugin_pb2_grpc.GRPCControllerServicer):
    """Ends the process when Terraform asks for it."""

    def __init__(self, ended: threading.Event) -> None:
        self._ended = ended

    def Shutdown(self, request: pb.Empty, context: Context) -> pb.Empty:
        """Let the main thread end the process; it has two seconds."""
        self._ended.set()
        return pb.Empty()


class Stdio(goplugin_pb2_grpc.GRPCStdioServicer):
    """Keeps the stream open and empty: everything worth reading is logged to the standard error."""

    def __init__(self, ended: threading.Event) -> None:
        self._ended = ended

    def StreamStdio(self, request: empty_pb2.Empty, context: Context) -> Iterator[pb.StdioData]:
        """Hold the stream until either side ends."""
        done = threading.Event()
        if not context.add_callback(done.set):
            return
        while not (done.wait(0.2) or self._ended.is_set()):
            pass
        yield from ()


class Broker(goplugin_pb2_grpc.GRPCBrokerServicer):
    """Takes the stream that Terraform opens; no provider needs further connections."""

    def StartStream(self, request_iterator: Iterator[pb.ConnInfo], context: Context) -> Iterator[pb.ConnInfo]:
        """Read until Terraform closes the stream."""
        for _ in request_iterator:
            pass
        yield from ()


class Health(health_pb2_grpc.HealthServicer):
    """Says that the plugin serves, for as long as it answers at all."""

    def Check(
        self, request: health_pb2.HealthCheckRequest, context: Context
    ) -> health_pb2.HealthCheckResponse:
        """Know the plugin and the server as a whole."""
        if request.service not in {"", "plugin"}:
            context.abort(grpc.StatusCode.NOT_FOUND, "unknown service")
        return health_pb2.HealthCheckResponse(status=health_pb2.HealthCheckResponse.SERVING)


def add_services(server: grpc.Server, ended: threading.Event) -> None:
    """Register all four.

    Args:
        server: not yet started.
        ended: set by Shutdown; open streams end with it.
    """
    goplugin_pb2_grpc.add_GRPCControllerServicer_to_server(Controller(ended), server)
    goplugin_pb2_grpc.add_GRPCStdioServicer_to_server(Stdio(ended), server)
    goplugin_pb2_grpc.add_GRPCBrokerServicer_to_server(Broker(), server)
    health_pb2_grpc.add_HealthServicer_to_server(Health(), server)
