"""The agent as resources use it: retries, absence, following, log lines."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator

import pytest
from aetherv.client import open_client
from aetherv.settings import resolve
from aetherv.v1 import vm_pb2, vm_service_pb2
from support.fake_agent import STEPS, FakeAgent, status
from terraform_provider_aetherv.agent import Agent, AgentError

PASSWORD = "Secret-Value-77"


@pytest.fixture
def fake() -> Iterator[FakeAgent]:
    """An agent in memory."""
    with FakeAgent() as made:
        yield made
        for event in made.faults.hold_at.values():
            event.set()
        made.settle()


@pytest.fixture
def agent(fake: FakeAgent) -> Iterator[Agent]:
    """The agent as resources use it."""
    made = Agent(open_client(resolve(environ=fake.env)), threading.Event())
    yield made
    made.close()


def request(name: str = "web-01") -> vm_service_pb2.CreateVmRequest:
    """Give a create."""
    return vm_service_pb2.CreateVmRequest(
        vm=vm_pb2.Vm(vm_name=name, gb_ram=1, cpu_cores=1),
        secrets=vm_pb2.VmSecrets(guest_la_pw=PASSWORD),
        request_id=name,
    )


def test_create_and_follow_logs_each_step_once(
    fake: FakeAgent, agent: Agent, caplog: pytest.LogCaptureFixture
) -> None:
    """Each step is one line when it begins and one when it ends, with the operation and without a secret."""
    caplog.set_level(logging.INFO)
    operation = agent.create(request())
    outcome = agent.follow(operation.name, label="create of web-01", timeout=30)
    assert outcome.vm is not None
    lines = [record.getMessage() for record in caplog.records if record.name.endswith("aetherv.agent")]
    assert lines == [f"create of web-01: {step} {state}" for step in STEPS for state in ("running", "done")]
    assert all(record.fields == {"operation": operation.name} for record in caplog.records)  # type: ignore[attr-defined]  # set by extra
    assert PASSWORD not in caplog.text


def test_follow_to_a_step(fake: FakeAgent, agent: Agent) -> None:
    """Following can end with a step."""
    fake.faults.hold_at["wait_applied"] = threading.Event()
    outcome = agent.follow(agent.create(request()), label="x", timeout=30, until_step="publish")
    assert not outcome.done
    assert outcome.facts.target
    assert outcome.lost is None


def test_failed_operation(fake: FakeAgent, agent: Agent) -> None:
    """How an operation failed is the outcome's error."""
    fake.faults.fail_at["verify"] = status("INTERNAL", "GUEST_FAILED", "no")
    outcome = agent.follow(agent.create(request()).name, label="x", timeout=30)
    assert outcome.done
    assert outcome.error is not None
    assert outcome.error.reason == "GUEST_FAILED"


def test_follow_that_is_lost_tells_what_is_known(fake: FakeAgent, agent: Agent) -> None:
    """An operation that can't be followed is an outcome too, with what it says of itself."""
    fake.faults.hold_at["wait_ready"] = threading.Event()
    operation = agent.create(request())
    fake.faults.refuse["WatchOperation"] = status("PERMISSION_DENIED", "PERMISSION_DENIED", "no")
    outcome = agent.follow(operation.name, label="x", timeout=30)
    assert outcome.lost is not None
    assert outcome.facts.vm_name == "web-01"


def test_check_sends_no_work(fake: FakeAgent, agent: Agent) -> None:
    """A check makes nothing and gives the warnings."""
    checked = vm_service_pb2.CreateVmRequest(vm=vm_pb2.Vm(vm_name="web-01"))
    assert agent.check_create(checked) == []
    assert fake.checks[0].validate_only
    assert fake.operations == {}


def test_absence_needs_the_agents_word(fake: FakeAgent, agent: Agent) -> None:
    """NOT_FOUND with the agent's reason is absence; without it, it is an error."""
    assert agent.read("5f1c", host_hint="", timeout=5) is None
    fake.faults.refuse["ReadVm"] = status("NOT_FOUND", "HOST_NOT_FOUND", "no")
    with pytest.raises(AgentError):
        agent.read("5f1c", host_hint="", timeout=5)
    fake.faults.refuse["DeleteVm"] = status("NOT_FOUND", "VM_NOT_FOUND", "no")
    assert agent.delete(vm_service_pb2.DeleteVmRequest(name="vms/x")) is None


def test_fresh_read_asks_the_host(fake: FakeAgent, agent: Agent) -> None:
    """A fresh read says that no age is allowed, another leaves it to the agent."""
    vm = fake.add_vm()
    vm_id = vm.name.removeprefix("vms/")
    agent.read(vm_id, host_hint="hv01", timeout=5, fresh=True)
    agent.read(vm_id, host_hint="hv01", timeout=5)
    assert [read.HasField("max_age") for read in fake.reads] == [True, False]
    assert fake.reads[0].host_hint == "hv01"


def test_agent_that_comes_back_in_time(fake: FakeAgent, agent: Agent) -> None:
    """A change is submitted again while only the connection fails, with the same request id."""
    agent.create(request())
    fake.settle()
    fake.stop()
    back = threading.Timer(1.0, fake.start)
    back.start()
    try:
        assert agent.create(request()).name in fake.operations
    finally:
        back.join()
    assert len(fake.operations) == 1


def test_stop_ends_the_retries(fake: FakeAgent) -> None:
    """After Ctrl-C a lost connection is not tried again."""
    stop = threading.Event()
    stop.set()
    agent = Agent(open_client(resolve(environ=fake.env)), stop)
    fake.stop()
    with pytest.raises(AgentError) as caught:
        agent.create(request())
    assert caught.value.code == "UNAVAILABLE"
    agent.close()
