"""The gRPC server of the plugin: threads, transport, and services that are loaded when first asked for."""

from __future__ import annotations

import shutil
import sys
import tempfile
import threading
from collections.abc import Callable, Iterable, Sequence
from concurrent import futures
from pathlib import Path
from typing import Any, Final, cast

import grpc

from terraform_provider_aetherv.plugin.certificate import Certificate
from terraform_provider_aetherv.plugin.handshake import Address

# Terraform sends as many calls at a time as its -parallelism says (ten, if nothing), its streams for stdio and broker
# hold one thread each, and StopProvider must get through all the same. A thread is made when it is first needed.
WORKERS: Final = 256
# macOS has the shortest limit of a socket's path: 104 bytes with the final zero.
MAX_SOCKET_PATH: Final = 103
# The services are loaded by the main thread while Terraform connects; a call that comes first waits this long.
LOADING_TIMEOUT: Final = 60.0
# A state may be large; gRPC's own limit of 4 MB is not Terraform's.
_OPTIONS: Final = (
    ("grpc.max_receive_message_length", -1),
    ("grpc.max_send_message_length", -1),
    ("grpc.so_reuseport", 0),
)

Register = Callable[[grpc.Server], None]


class ServerError(Exception):
    """The server cannot listen."""


class PluginServer:
    """Listens at once, serves what ``load`` registers.

    gRPC's server takes handlers only before it starts, so one handler stands for all and asks a
    collection that is filled later.

    Args:
        certificate: None for a server without TLS.
        network: ``unix`` or ``tcp``.
        interceptors: around each call.
    """

    def __init__(
        self,
        certificate: Certificate | None,
        *,
        network: str = "tcp" if sys.platform == "win32" else "unix",
        interceptors: Sequence[grpc.ServerInterceptor] = (),
    ) -> None:
        self._loaded = threading.Event()
        self._handlers = _Handlers(self._loaded)
        self._folder = Path(_make_folder()) if network == "unix" else None
        self._server = grpc.server(
            futures.ThreadPoolExecutor(WORKERS, thread_name_prefix="plugin"),
            handlers=[self._handlers],
            interceptors=list(interceptors),
            options=_OPTIONS,
        )
        try:
            self.address = self._listen(certificate)
        except (RuntimeError, ServerError) as error:
            self.remove_files()
            raise ServerError("the provider cannot listen for Terraform") from error

    def _listen(self, certificate: Certificate | None) -> Address:
        target = "127.0.0.1:0" if self._folder is None else f"unix:{self._folder / 's'}"
        if certificate is None:
            port = self._server.add_insecure_port(target)
        else:
            pair = (certificate.key_pem, certificate.certificate_pem)
            port = self._server.add_secure_port(target, grpc.ssl_server_credentials([pair]))
        if not port:
            raise ServerError("no port")
        if self._folder is None:
            return Address("tcp", f"127.0.0.1:{port}")
        return Address("unix", str(self._folder / "s"))

    def start(self) -> None:
        """Accept connections; calls wait until ``load`` is done."""
        self._server.start()

    def load(self, *registers: Register) -> None:
        """Fill in the services, once.

        Args:
            registers: each is given something that the generated ``add_..._to_server`` functions accept.
        """
        try:
            for register in registers:
                register(cast("grpc.Server", self._handlers))
        finally:
            self._loaded.set()

    def stop(self, grace: float) -> None:
        """Take no more calls, and end those that run after so many seconds."""
        self._server.stop(grace).wait(grace + 0.5)

    def remove_files(self) -> None:
        """Remove the socket's folder."""
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)


class _Handlers(grpc.GenericRpcHandler):
    """One handler for all services. The generated code registers them with it as if it were the server."""

    def __init__(self, loaded: threading.Event) -> None:
        self._loaded = loaded
        self._generic: list[grpc.GenericRpcHandler] = []

    def add_generic_rpc_handlers(self, handlers: Iterable[grpc.GenericRpcHandler]) -> None:
        self._generic.extend(handlers)

    def add_registered_method_handlers(self, service_name: str, method_handlers: object) -> None:
        """Ignore the second, faster way in: the first knows the same methods."""

    def service(
        self, handler_call_details: grpc.HandlerCallDetails
    ) -> grpc.RpcMethodHandler[Any, Any] | None:
        self._loaded.wait(LOADING_TIMEOUT)
        found = (handler.service(handler_call_details) for handler in self._generic)
        return next((handler for handler in found if handler is not None), None)


def _make_folder() -> str:
    folder = tempfile.mkdtemp(prefix="aetherv-")
    if len(folder) + 2 > MAX_SOCKET_PATH:
        shutil.rmtree(folder)
        folder = tempfile.mkdtemp(prefix="aetherv-", dir="/tmp")  # fresh and 0700 all the same
    return folder
