"""States, requests and an agent that answers as a test says."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from aetherv.v1 import operation_pb2, vm_pb2
from terraform_provider_aetherv.agent import AgentError, Outcome
from terraform_provider_aetherv.resources.session import Session
from terraform_provider_aetherv.resources.vm.schema import ATTRIBUTES

VM_ID = "5f1c2ab4-7d0e-4a55-9a57-0c1a4d6f2b11"
CONFIG: dict[str, Any] = {
    "vm_name": "web-01",
    "image_name": "Ubuntu 24.04",
    "gb_ram": 2,
    "cpu_cores": 2,
    "guest_la_uid": "admin1",
    "guest_la_pw_wo": "Secret-Value-1",
    "guest_la_pw_wo_version": 1,
}


class StubAgent:
    """Answers what it is told; notes what it is asked."""

    endpoint = "agent.test:1"

    def __init__(self) -> None:
        self.vm: vm_pb2.Vm | None = None
        self.errors: list[AgentError] = []
        self.outcomes: list[Outcome] = []
        self.looked_up: Outcome | AgentError | None = None
        self.warnings: list[operation_pb2.Warning] = []
        self.checks: list[Any] = []
        self.created: list[Any] = []
        self.deleted: list[Any] = []
        self.cancelled: list[str] = []
        self.on_check: Callable[[], None] = lambda: None

    def _raise(self) -> None:
        if self.errors:
            raise self.errors.pop(0)

    def check_create(self, request: Any) -> list[operation_pb2.Warning]:
        """Have a create checked."""
        self.checks.append(request)
        self.on_check()
        self._raise()
        return self.warnings

    def create(self, request: Any) -> str:
        """Take a create."""
        self.created.append(request)
        self._raise()
        return "operations/1"

    def delete(self, request: Any) -> str | None:
        """Take a delete."""
        self.deleted.append(request)
        self._raise()
        return "operations/2"

    def read(self, vm_id: str, **_: Any) -> vm_pb2.Vm | None:
        """Read the VM."""
        self._raise()
        return self.vm

    def operation(self, name: str) -> Outcome:
        """Look up an operation."""
        assert self.looked_up is not None
        if isinstance(self.looked_up, AgentError):
            raise self.looked_up
        return self.looked_up

    def cancel(self, name: str) -> None:
        """Note a cancel."""
        self.cancelled.append(name)

    def follow(self, operation: Any, **_: Any) -> Outcome:
        """Give the next outcome."""
        return self.outcomes.pop(0)


def vm_of(**fields: Any) -> vm_pb2.Vm:
    """Give a VM as the agent answers one."""
    values: dict[str, Any] = {
        "name": f"vms/{VM_ID}",
        "vm_name": "web-01",
        "image_name": "Ubuntu 24.04",
        "gb_ram": 2.0,
        "cpu_cores": 2,
        "os_family": vm_pb2.OS_FAMILY_LINUX,
        "vlan_id": 0,
        "virtual_switch": "External",
        "vm_clustered": False,
        "power_state": vm_pb2.POWER_STATE_RUNNING,
        "host": "hv01",
        "state": vm_pb2.Vm.STATE_RUNNING,
        "guest_state": vm_pb2.GUEST_STATE_APPLIED,
        "memory_bytes": 2 * 1024**3,
        "ip_addresses": ["192.0.2.10"],
    }
    return vm_pb2.Vm(**{**values, **fields})


def config_of(**changed: Any) -> dict[str, Any]:
    """Give a whole configuration."""
    return {attribute.name: None for attribute in ATTRIBUTES} | CONFIG | changed


def state_of(**changed: Any) -> dict[str, Any]:
    """Give the state of a VM that was made by ``config_of``."""
    state = {a.name: a.default if a.has_default else None for a in ATTRIBUTES} | CONFIG
    state |= {
        "guest_la_pw_wo": None,
        "os_family": "linux",
        "vlan_id": 0,
        "virtual_switch": "External",
        "vm_clustered": False,
        "power_state": "running",
        "target_host": "hv01",
        "id": VM_ID,
        "host": "hv01",
        "state": "running",
        "guest_state": "applied",
        "ip_addresses": ["192.0.2.10"],
        "ipv4_address": "192.0.2.10",
    }
    return state | changed


def outcome_of(**changed: Any) -> Outcome:
    """Give how an operation ended: well, unless changed."""
    values: dict[str, Any] = {
        "name": "operations/1",
        "done": True,
        "error": None,
        "vm": None,
        "facts": operation_pb2.VmOperationMetadata(target=f"vms/{VM_ID}", host="hv01"),
    }
    return Outcome(**{**values, **changed})


@pytest.fixture
def agent() -> StubAgent:
    """An agent that answers as the test says."""
    return StubAgent()


@pytest.fixture
def session(agent: StubAgent) -> Session:
    """A session with that agent."""
    return Session(threading.Event(), agent)  # type: ignore[arg-type]  # it has what is used of an agent
