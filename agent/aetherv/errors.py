"""What a call to the agent can end in: the client's only exceptions. Reads google.rpc details, does no I/O."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import grpc
from google.rpc import error_details_pb2, status_pb2

DOMAIN: Final = "aetherv"
VERSION_KEY: Final = "aetherv-version"
_DETAILS_KEY: Final = "grpc-status-details-bin"
_CODES: Final = {code.value[0]: code.name for code in grpc.StatusCode}


class SettingsError(Exception):
    """A setting of the connection is missing or can't be used.

    Attributes:
        setting: its name, such as ``token_file``.
        message: what is wrong and what to do. Never holds a secret.
    """

    def __init__(self, setting: str, message: str) -> None:
        super().__init__(f"{setting}: {message}")
        self.setting = setting
        self.message = message


@dataclass(frozen=True, slots=True)
class Violation:
    """One wrong field: its path in the request (``vm.guest_v4_dns2``) and what it must be."""

    field: str
    message: str


class AgentError(Exception):
    """The agent refused a call, an operation ended in an error, or the agent can't be reached.

    Attributes:
        code: the gRPC status code's name, such as ``NOT_FOUND``.
        reason: the stable id of the agent's error (``VM_NOT_FOUND``), or empty: the error comes from the transport.
        message: for people.
        violations: the wrong fields, for bad input.
        metadata: facts for machines (host, vm, operation).
        retry_delay: seconds after which the same call may succeed, where the agent says so.
    """

    def __init__(
        self,
        code: str,
        message: str,
        *,
        reason: str = "",
        violations: tuple[Violation, ...] = (),
        metadata: Mapping[str, str] | None = None,
        retry_delay: float | None = None,
    ) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.reason = reason
        self.message = message
        self.violations = violations
        self.metadata = dict(metadata or {})
        self.retry_delay = retry_delay

    @property
    def transient(self) -> bool:
        """Whether the connection failed and not the work: the same call may be made again."""
        if self.code == "UNAVAILABLE":
            return self.reason in {"", "AGENT_STOPPING", "STORE_UNAVAILABLE"}
        # A reset or a proxy's answer: the agent itself always says a reason.
        return not self.reason and self.code in {"INTERNAL", "UNKNOWN", "CANCELLED"}


def from_status(status: status_pb2.Status) -> AgentError:
    """Give the error that a ``google.rpc.Status`` holds, such as ``Operation.error``."""
    reason, retry_delay = "", None
    metadata: dict[str, str] = {}
    violations: list[Violation] = []
    for detail in status.details:
        info = error_details_pb2.ErrorInfo()
        bad_request = error_details_pb2.BadRequest()
        retry = error_details_pb2.RetryInfo()
        if detail.Unpack(info):
            reason, metadata = info.reason, dict(info.metadata)
        elif detail.Unpack(bad_request):
            violations += [Violation(v.field, v.description) for v in bad_request.field_violations]
        elif detail.Unpack(retry):
            retry_delay = retry.retry_delay.seconds + retry.retry_delay.nanos / 1e9
    return AgentError(
        _CODES.get(status.code, "UNKNOWN"),
        status.message,
        reason=reason,
        violations=tuple(violations),
        metadata=metadata,
        retry_delay=retry_delay,
    )


def from_rpc(error: Any, *, endpoint: str, method: str, client_version: str) -> AgentError:
    """Give the error of a failed call.

    Args:
        error: the ``grpc.RpcError``, which is the call too.
        endpoint: the agent's, for the text.
        method: the RPC's name, for the text.
        client_version: of this client, for the text of an agent that is too old.
    """
    code: grpc.StatusCode = error.code()
    for key, value in error.trailing_metadata() or ():
        if key == _DETAILS_KEY:
            found = from_status(status_pb2.Status.FromString(value))
            if found.code != "OK":
                return found
    text = error.details() or code.name
    if code is grpc.StatusCode.UNIMPLEMENTED:
        text = _too_old(error, endpoint, method, client_version)
    elif code is grpc.StatusCode.UNAVAILABLE:
        text = f"The agent at {endpoint} can't be reached: {text}"
        if "CERTIFICATE_VERIFY_FAILED" in text:
            text += (
                ". Its certificate is not signed by the authority in ca_cert, or is not for this name: ca_cert is the "
                "agent's <state_dir>/tls/ca.pem."
            )
    elif code is grpc.StatusCode.DEADLINE_EXCEEDED:
        text = f"The agent at {endpoint} did not answer {method} in time."
    elif code is grpc.StatusCode.UNAUTHENTICATED:
        text = f"The agent at {endpoint} refused the token: {text}"
    return AgentError(code.name, text)


def _too_old(error: Any, endpoint: str, method: str, client_version: str) -> str:
    agent = next((value for key, value in error.initial_metadata() or () if key == VERSION_KEY), "")
    version = f" (version {agent})" if agent else ""
    return (
        f"The agent at {endpoint}{version} is too old for {method}: this client is version {client_version}. "
        "Upgrade the agent first."
    )
