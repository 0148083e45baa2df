"""A client that has no generated code: it learns the API from the agent and does the main job with it."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

import grpc
from google.protobuf import message_factory
from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.json_format import MessageToDict
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase
from support.agent_site import AgentProcess, MakeAgent


class Reflected:
    """Calls any method of any service by its name, with messages as dictionaries."""

    def __init__(self, agent: AgentProcess) -> None:
        environment = agent.environment
        ca = Path(environment["AETHERV_CA_CERT"]).read_bytes()
        token = Path(environment["AETHERV_TOKEN_FILE"]).read_text("utf-8").strip()
        credentials = grpc.composite_channel_credentials(
            grpc.ssl_channel_credentials(ca), grpc.access_token_call_credentials(token)
        )
        self._channel = grpc.secure_channel(agent.endpoint, credentials)
        self._database = ProtoReflectionDescriptorDatabase(self._channel)
        self._pool = DescriptorPool(self._database)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._channel.close()

    def services(self) -> list[str]:
        """Return what the agent offers."""
        return sorted(self._database.get_services())

    def call(self, service: str, method: str, **fields: Any) -> dict[str, Any]:
        """Call a method and return its answer."""
        found: MethodDescriptor = self._pool.FindServiceByName(service).FindMethodByName(method)
        request_type = message_factory.GetMessageClass(found.input_type)
        response_type = message_factory.GetMessageClass(found.output_type)
        function: Callable[..., Any] = self._channel.unary_unary(
            f"/{service}/{method}",
            request_serializer=request_type.SerializeToString,
            response_deserializer=response_type.FromString,
        )
        answer: dict[str, Any] = MessageToDict(
            function(request_type(**fields), timeout=30),
            preserving_proto_field_name=True,
            descriptor_pool=self._pool,
        )
        return answer


def test_a_client_made_by_reflection_makes_and_removes_a_vm(make_agent: MakeAgent) -> None:
    """All messages, those inside Any too, are known from reflection alone."""
    vm = {
        "vm_name": "web01",
        "image_name": "Ubuntu 24.04",
        "gb_ram": 1,
        "cpu_cores": 1,
        "guest_la_uid": "admin1",
    }
    operations = "google.longrunning.Operations"
    with Reflected(make_agent()) as client:
        assert "aetherv.v1.VmService" in client.services()
        # The types inside Any are found once their files are known.
        client.call("aetherv.v1.HostService", "ListHosts")

        def ended(operation: dict[str, Any]) -> dict[str, Any]:
            deadline = time.monotonic() + 60
            while not operation.get("done") and time.monotonic() < deadline:
                operation = client.call(operations, "WaitOperation", name=operation["name"])
            return operation

        checked = client.call("aetherv.v1.VmService", "CreateVm", vm=vm, validate_only=True)
        assert checked["done"] is True
        assert checked["response"]["power_state"] == "POWER_STATE_RUNNING"
        secrets = {"guest_la_pw": "guest-password-1"}
        made = ended(client.call("aetherv.v1.VmService", "CreateVm", vm=vm, secrets=secrets))
        assert made["metadata"]["state"] == "STATE_SUCCEEDED"
        name = made["response"]["name"]
        assert client.call("aetherv.v1.VmService", "ReadVm", name=name)["vm_name"] == "web01"
        removed = ended(client.call("aetherv.v1.VmService", "DeleteVm", name=name))
        assert removed["metadata"]["state"] == "STATE_SUCCEEDED"
        assert client.call("aetherv.v1.VmService", "ListVms") == {}
