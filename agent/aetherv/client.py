"""The one hand-written client of the agent: channel, TLS, token, errors and waiting. Synchronous.

    with connect("agent.example.com:8443", token_file="~/.config/aetherv/token", ca_cert="ca.pem") as client:
        operation = client.vms.CreateVm(request)
        done = client.wait(operation, on_event=print)

Every call raises ``AgentError``, never ``grpc.RpcError``; a stream (``client.watcher``) does so only through ``wait``.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple, Self

import grpc
from google.longrunning import operations_pb2, operations_pb2_grpc

from aetherv.errors import AgentError, SettingsError, Violation, from_rpc, from_status
from aetherv.settings import Settings, is_local, resolve
from aetherv.v1 import (
    host_service_pb2_grpc,
    operation_service_pb2,
    operation_service_pb2_grpc,
    vm_service_pb2_grpc,
)
from aetherv.waiting import Waiter

__all__ = [
    "VERSION",
    "AgentError",
    "Client",
    "Settings",
    "SettingsError",
    "Violation",
    "connect",
    "from_status",
    "open_client",
]

# The distribution's; a test holds them equal. Asking the installed metadata would cost each start 30 ms.
VERSION: Final = "0.1.0"
_MAX_MESSAGE: Final = 64 * 1024 * 1024
# The agent allows a ping every 20 s; the rest is room for a clock and a network that differ.
_KEEPALIVE: Final = (
    ("grpc.keepalive_time_ms", 30_000),
    ("grpc.keepalive_timeout_ms", 10_000),
    ("grpc.keepalive_permit_without_calls", 0),
    ("grpc.http2.max_pings_without_data", 0),
)


def connect(
    endpoint: str | None = None,
    *,
    token: str | None = None,
    token_file: str | None = None,
    ca_cert: str | None = None,
    client_cert: str | None = None,
    client_key: str | None = None,
    plaintext: bool | None = None,
    request_timeout: float | None = None,
    environ: Mapping[str, str] | None = None,
) -> Client:
    """Make a client; what is not given comes from ``AETHERV_*`` variables. Nothing is sent before the first call.

    Args:
        endpoint: ``host:port`` or ``unix:/path``.
        token: the token itself.
        token_file: a file with it that only its owner may read.
        ca_cert: PEM or path: the authority that signed the agent's certificate.
        client_cert: PEM or path, for an agent that takes client certificates.
        client_key: PEM or path.
        plaintext: no TLS; loopback and unix sockets only.
        request_timeout: seconds that one call may take; 60 if not said.
        environ: the environment; None: the process's.

    Raises:
        SettingsError: a setting is missing or can't be used.
    """
    return open_client(
        resolve(
            endpoint=endpoint,
            token=token,
            token_file=token_file,
            ca_cert=ca_cert,
            client_cert=client_cert,
            client_key=client_key,
            plaintext=plaintext,
            request_timeout=request_timeout,
            environ=environ,
        )
    )


def open_client(settings: Settings) -> Client:
    """Make a client from complete settings."""
    options: list[tuple[str, Any]] = [
        ("grpc.max_receive_message_length", _MAX_MESSAGE),
        ("grpc.max_send_message_length", _MAX_MESSAGE),
        ("grpc.use_local_subchannel_pool", 1),
        # An agent that is back is found within a second; gRPC's own limit is two minutes.
        ("grpc.initial_reconnect_backoff_ms", 200),
        ("grpc.max_reconnect_backoff_ms", 1_000),
        ("grpc.primary_user_agent", f"aetherv-python/{VERSION}"),
        *_KEEPALIVE,
    ]
    if is_local(settings.endpoint):
        # A proxy of the environment can't reach this machine's loopback.
        options.append(("grpc.enable_http_proxy", 0))
    if settings.plaintext:
        channel = grpc.insecure_channel(settings.endpoint, options)
    else:
        credentials = grpc.ssl_channel_credentials(
            root_certificates=settings.ca_cert,
            private_key=settings.client_key,
            certificate_chain=settings.client_cert,
        )
        channel = grpc.secure_channel(settings.endpoint, credentials, options)
    return Client(channel, settings)


class Client:
    """A connection to one agent; safe to use from several threads.

    Attributes:
        endpoint: the agent's.
        vms: ``VmService``.
        hosts: ``HostService``.
        operations: ``google.longrunning.Operations``.
        watcher: ``OperationService``.
    """

    def __init__(self, channel: grpc.Channel, settings: Settings) -> None:
        self.endpoint = settings.endpoint
        self._channel = channel
        calls = _Calls(settings)
        intercepted = grpc.intercept_channel(channel, calls)
        self.vms = vm_service_pb2_grpc.VmServiceStub(intercepted)
        self.hosts = host_service_pb2_grpc.HostServiceStub(intercepted)
        self.operations = operations_pb2_grpc.OperationsStub(intercepted)
        self.watcher = operation_service_pb2_grpc.OperationServiceStub(intercepted)
        self._calls = calls

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection; calls that run end with an error."""
        self._channel.close()

    def get_operation(self, name: str, *, timeout: float | None = None) -> operations_pb2.Operation:
        """Read an operation.

        Raises:
            AgentError: it is not known, or the agent can't be reached.
        """
        request = operations_pb2.GetOperationRequest(name=name)
        answer: operations_pb2.Operation = self.operations.GetOperation(request, timeout=timeout)
        return answer

    def cancel_operation(self, name: str, *, timeout: float | None = None) -> None:
        """Ask for an operation's cancel; it ends later.

        Raises:
            AgentError: it is not known, or the agent can't be reached.
        """
        self.operations.CancelOperation(operations_pb2.CancelOperationRequest(name=name), timeout=timeout)

    def wait(
        self,
        operation: operations_pb2.Operation | str,
        *,
        on_event: Callable[[operation_service_pb2.OperationEvent], None] | None = None,
        until: Callable[[operation_service_pb2.OperationEvent], bool] | None = None,
        cancel_event: threading.Event | None = None,
        timeout: float | None = None,
        cancel_grace: float = 300.0,
        patience: float = 600.0,
    ) -> operations_pb2.Operation:
        """Follow an operation to its end, across lost connections and restarts of the agent.

        Args:
            operation: the operation or its name.
            on_event: called with each event once, in order.
            until: called with each event; true ends the wait early, and the answer is not done.
            cancel_event: once set, the operation is asked to cancel, and its end is waited for.
            timeout: seconds of waiting; None: as long as it takes.
            cancel_grace: seconds that a cancelled operation may take to end.
            patience: seconds without any sign of the agent after which the wait ends.

        Returns:
            The operation: done with a response or an error, unless ``until`` ended the wait.

        Raises:
            AgentError: ``DEADLINE_EXCEEDED`` if the wait's time is up, or the operation can't be followed. The operation
                itself goes on.
        """
        waiter = Waiter(
            self, cancel_event=cancel_event, timeout=timeout, cancel_grace=cancel_grace, patience=patience
        )
        return waiter.run(operation, on_event=on_event, until=until)

    def error_of(self, error: grpc.RpcError, method: str) -> AgentError:
        """Turn an error of gRPC into the client's own."""
        return self._calls.error(error, method)


class _Details(NamedTuple):
    method: str
    timeout: float | None
    metadata: list[tuple[str, str]] | None
    credentials: grpc.CallCredentials | None
    wait_for_ready: bool | None
    compression: Any


class _Calls(grpc.UnaryUnaryClientInterceptor, grpc.UnaryStreamClientInterceptor):
    """Adds the token and a deadline to each call, and turns gRPC's errors into ours."""

    def __init__(self, settings: Settings) -> None:
        self._endpoint = settings.endpoint
        self._timeout = settings.request_timeout
        # Metadata, not call credentials: grpcio takes those over TLS only, and tokens are needed on a unix socket too.
        self._metadata = [("authorization", f"Bearer {settings.token}")] if settings.token else []

    def error(self, error: grpc.RpcError, method: str) -> AgentError:
        return from_rpc(
            error,
            endpoint=self._endpoint,
            method=method.rpartition("/")[2],
            client_version=VERSION,
        )

    def intercept_unary_unary(
        self, continuation: Callable[[Any, Any], Any], client_call_details: Any, request: Any
    ) -> Any:
        details = self._details(client_call_details, self._timeout)
        call = continuation(details, request)
        try:
            call.result()
        except grpc.RpcError as error:
            raise self.error(error, details.method) from None
        return call

    def intercept_unary_stream(
        self, continuation: Callable[[Any, Any], Any], client_call_details: Any, request: Any
    ) -> Any:
        return continuation(self._details(client_call_details, None), request)

    def _details(self, given: Any, timeout: float | None) -> _Details:
        return _Details(
            given.method,
            given.timeout if given.timeout is not None else timeout,
            [*(given.metadata or ()), *self._metadata],
            given.credentials,
            given.wait_for_ready,
            given.compression,
        )
