"""The client against an agent in memory: token, TLS, errors, and waiting that survives what networks do."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent import futures
from importlib import metadata
from typing import Any

import grpc
import pytest
import trustme
from aetherv.client import VERSION, AgentError, Client, connect
from aetherv.errors import from_status
from aetherv.v1 import operation_pb2, vm_pb2, vm_service_pb2, vm_service_pb2_grpc
from google.longrunning import operations_pb2
from google.rpc import code_pb2, status_pb2
from support.fake_agent import STEPS, TOKEN, FakeAgent, status


@pytest.fixture
def agent() -> Iterator[FakeAgent]:
    """An agent in memory."""
    with FakeAgent() as fake:
        yield fake
        for event in fake.faults.hold_at.values():
            event.set()
        fake.settle()


@pytest.fixture
def client(agent: FakeAgent) -> Iterator[Client]:
    """A client of it."""
    with connect(environ=agent.env) as made:
        yield made


def create(client: Client, name: str = "web-01") -> str:
    """Begin a create; give the operation's name."""
    vm = vm_pb2.Vm(vm_name=name, gb_ram=1, cpu_cores=1)
    operation = client.vms.CreateVm(vm_service_pb2.CreateVmRequest(vm=vm, request_id=name))
    return str(operation.name)


def test_wait_gives_every_event_once_and_the_end(agent: FakeAgent, client: Client) -> None:
    """All steps come in order, each state once, and the answer is the finished operation."""
    events: list[Any] = []
    done = client.wait(create(client), on_event=events.append)
    assert done.done
    steps = [(e.step.step, e.step.state) for e in events if e.HasField("step")]
    states = (operation_pb2.Step.STATE_RUNNING, operation_pb2.Step.STATE_DONE)
    assert steps == [(step, state) for step in STEPS for state in states]
    vm = vm_pb2.Vm()
    assert done.response.Unpack(vm)
    assert vm.vm_name == "web-01"


def test_lost_streams_lose_and_repeat_nothing(agent: FakeAgent, client: Client) -> None:
    """A watch that is cut off after each of its events goes on behind the last one seen."""
    agent.faults.drop_watch = 8
    events: list[Any] = []
    client.wait(create(client), on_event=events.append)
    numbers = [e.sequence for e in events if e.HasField("step")]
    assert numbers == list(range(1, 2 * len(STEPS) + 1))


def test_restarted_agent(agent: FakeAgent, client: Client) -> None:
    """A wait lasts over an agent that goes away and comes back."""
    release = agent.faults.hold_at["wait_ready"] = threading.Event()
    seen = threading.Event()
    operation = create(client)
    results: list[operations_pb2.Operation] = []

    def look(event: Any) -> None:
        if event.step.step == "wait_ready":
            seen.set()

    waiter = threading.Thread(target=lambda: results.append(client.wait(operation, on_event=look)))
    waiter.start()
    assert seen.wait(30)
    agent.stop()
    release.set()
    agent.start()
    waiter.join(60)
    assert results[0].done


def test_until_ends_the_wait_early(agent: FakeAgent, client: Client) -> None:
    """A wait can end with a step; the operation is not done then."""
    agent.faults.hold_at["wait_applied"] = threading.Event()
    done = operation_pb2.Step.STATE_DONE
    answer = client.wait(create(client), until=lambda e: e.step.step == "publish" and e.step.state == done)
    assert not answer.done


def test_cancel_is_sent_once_and_its_end_waited_for(agent: FakeAgent, client: Client) -> None:
    """A set event cancels the operation, and the answer is how it ended."""
    agent.faults.hold_at["wait_ready"] = threading.Event()
    cancel = threading.Event()
    operation = create(client)

    def look(event: Any) -> None:
        if event.step.step == "wait_ready":
            cancel.set()

    done = client.wait(operation, on_event=look, cancel_event=cancel)
    assert from_status(done.error).code == "CANCELLED"
    assert agent.cancels == [operation]


def test_deadline_of_the_wait(agent: FakeAgent, client: Client) -> None:
    """A wait whose time is up says that the operation goes on."""
    agent.faults.hold_at["wait_ready"] = threading.Event()
    operation = create(client)
    with pytest.raises(AgentError) as caught:
        client.wait(operation, timeout=0.5)
    assert (caught.value.code, caught.value.reason) == ("DEADLINE_EXCEEDED", "CLIENT_DEADLINE")
    assert operation in caught.value.message


def test_grace_of_a_cancel(agent: FakeAgent, client: Client) -> None:
    """An agent that is away while a cancel is wanted does not hold the wait longer than its grace."""
    agent.faults.hold_at["wait_ready"] = threading.Event()
    operation = create(client)
    agent.stop()
    cancel = threading.Event()
    cancel.set()
    with pytest.raises(AgentError) as caught:
        client.wait(operation, cancel_event=cancel, cancel_grace=0.5)
    assert caught.value.reason == "CLIENT_DEADLINE"


def test_patience(agent: FakeAgent, client: Client) -> None:
    """An agent that stays away ends the wait with the connection's error."""
    agent.faults.hold_at["wait_ready"] = threading.Event()
    operation = create(client)
    agent.stop()
    with pytest.raises(AgentError) as caught:
        client.wait(operation, patience=0.3)
    assert caught.value.code == "UNAVAILABLE"
    assert agent.endpoint in caught.value.message


@pytest.mark.parametrize(
    "refusal",
    [
        status("OUT_OF_RANGE", "EVENTS_PRUNED", "pruned"),
        status("UNIMPLEMENTED", "NOT_SUPPORTED", "no watch here"),
    ],
)
def test_without_events_the_operation_itself_is_asked(
    agent: FakeAgent, client: Client, refusal: status_pb2.Status
) -> None:
    """Where no events are kept or none are offered, the operation's end is found by reading it."""
    agent.faults.refuse["WatchOperation"] = refusal
    assert client.wait(create(client)).done


def test_unknown_operation(client: Client) -> None:
    """An operation that the agent does not know is an error at once."""
    with pytest.raises(AgentError) as caught:
        client.wait("operations/none")
    assert caught.value.reason == "OPERATION_NOT_FOUND"


def test_done_operation_is_not_asked_for(agent: FakeAgent, client: Client) -> None:
    """An operation that is done is its own answer."""
    agent.stop()
    operation = operations_pb2.Operation(name="operations/x", done=True)
    assert client.wait(operation) is operation


def test_errors_carry_the_details(agent: FakeAgent, client: Client) -> None:
    """Reason, facts and violations of a status arrive as the client's own error."""
    agent.faults.refuse["ReadVm"] = status(
        "INVALID_ARGUMENT",
        "FIELD_INVALID",
        "wrong",
        metadata={"host": "hv01"},
        violations={"name": "is none"},
    )
    with pytest.raises(AgentError) as caught:
        client.vms.ReadVm(vm_service_pb2.ReadVmRequest(name="x"))
    error = caught.value
    assert (error.code, error.reason, error.message) == ("INVALID_ARGUMENT", "FIELD_INVALID", "wrong")
    assert error.metadata == {"host": "hv01"}
    assert [(v.field, v.message) for v in error.violations] == [("name", "is none")]
    assert not error.transient


def test_wrong_token(agent: FakeAgent) -> None:
    """A wrong token is UNAUTHENTICATED and is in no text."""
    with (
        connect(environ=agent.env | {"AETHERV_TOKEN": "wrong-77"}) as client,
        pytest.raises(AgentError) as caught,
    ):
        client.vms.ListVms(vm_service_pb2.ListVmsRequest())
    assert caught.value.code == "UNAUTHENTICATED"
    assert "wrong-77" not in str(caught.value)


def test_version_is_the_distributions() -> None:
    """The version that the client says is the installed one."""
    assert metadata.version("aetherv") == VERSION


def test_too_old_agent(agent: FakeAgent, client: Client) -> None:
    """An RPC that the agent does not have is told as an agent that is too old."""
    with pytest.raises(AgentError) as caught:
        client.hosts.ReadHost(vm_service_pb2.ReadVmRequest(name="x"))  # type: ignore[arg-type]  # never looked at
    assert caught.value.code == "UNIMPLEMENTED"
    assert "is too old for ReadHost" in caught.value.message


def test_away(agent: FakeAgent, client: Client) -> None:
    """An agent that is away is named, and the same call may be made again."""
    agent.stop()
    with pytest.raises(AgentError) as caught:
        client.get_operation("operations/x")
    assert caught.value.transient
    assert agent.endpoint in caught.value.message


def test_retry_delay() -> None:
    """The agent's advice when to try again is read."""
    from google.rpc import error_details_pb2

    raw = status_pb2.Status(code=code_pb2.RESOURCE_EXHAUSTED, message="full")
    info = error_details_pb2.RetryInfo()
    info.retry_delay.FromMilliseconds(1500)
    raw.details.add().Pack(info)
    assert from_status(raw).retry_delay == 1.5


class _Tls(vm_service_pb2_grpc.VmServiceServicer):
    def ListVms(self, request: Any, context: Any) -> vm_service_pb2.ListVmsResponse:  # noqa: N802  # generated name
        token = dict(context.invocation_metadata()).get("authorization")
        return vm_service_pb2.ListVmsResponse(next_page_token=str(token))


def test_tls_checks_the_agents_certificate(monkeypatch: pytest.MonkeyPatch) -> None:
    """Over TLS, past any proxy, the token reaches the agent whose certificate the CA signed, and no other."""
    for name in ("http_proxy", "https_proxy", "grpc_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    authority, stranger = trustme.CA(), trustme.CA()
    leaf = authority.issue_cert("localhost")
    chain = b"".join(blob.bytes() for blob in leaf.cert_chain_pems)
    server = grpc.server(futures.ThreadPoolExecutor(2))
    vm_service_pb2_grpc.add_VmServiceServicer_to_server(_Tls(), server)  # type: ignore[abstract]  # one is asked for
    credentials = grpc.ssl_server_credentials([(leaf.private_key_pem.bytes(), chain)])
    port = server.add_secure_port("localhost:0", credentials)
    server.start()
    try:
        pem = authority.cert_pem.bytes().decode()
        with connect(f"localhost:{port}", token=TOKEN, ca_cert=pem, environ={}) as client:
            answer = client.vms.ListVms(vm_service_pb2.ListVmsRequest())
        assert answer.next_page_token == f"Bearer {TOKEN}"
        other = stranger.cert_pem.bytes().decode()
        stranded = connect(f"localhost:{port}", token=TOKEN, ca_cert=other, environ={})
        with stranded, pytest.raises(AgentError) as caught:
            stranded.vms.ListVms(vm_service_pb2.ListVmsRequest())
        assert caught.value.code == "UNAVAILABLE"
        assert "ca_cert" in caught.value.message
    finally:
        server.stop(0).wait(5)
