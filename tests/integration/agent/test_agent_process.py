"""The agent as its users run it: a process, clients over TLS, a simulated host over WinRM."""

from __future__ import annotations

import json
import os
import signal
import stat
import subprocess
import sys
import uuid
from pathlib import Path
from typing import Any

import grpc
import pytest
import yaml
from aetherv.client import AgentError
from aetherv.v1 import host_service_pb2, operation_pb2, operation_service_pb2, vm_pb2, vm_service_pb2
from aetherv_agent.cli.main import app
from aetherv_simhost.faults import Fault
from grpc_health.v1 import health_pb2, health_pb2_grpc
from support.agent_site import PASSWORD, AgentProcess, MakeAgent, Site
from typer.testing import CliRunner, Result

GUEST_PASSWORD = "guest-pa\u00dfword-1"


def create(**changes: Any) -> vm_service_pb2.CreateVmRequest:
    """Return a create of a Linux VM."""
    vm = vm_pb2.Vm(
        vm_name="web01",
        image_name="Debian 12",
        gb_ram=2,
        cpu_cores=2,
        guest_la_uid="admin1",
        guest_v4_ipaddr="192.0.2.10",
        guest_v4_cidrprefix=24,
        guest_v4_defaultgw="192.0.2.1",
        guest_v4_dns1="192.0.2.53",
        guest_v4_dns2="192.0.2.54",
    )
    secrets = vm_pb2.VmSecrets(guest_la_pw=GUEST_PASSWORD)
    said: dict[str, Any] = {"vm": vm, "secrets": secrets, "request_id": str(uuid.uuid4())}
    return vm_service_pb2.CreateVmRequest(**(said | changes))


def aetherv(agent: AgentProcess, *arguments: str) -> Result:
    """Run the command line against an agent."""
    return CliRunner().invoke(app, arguments, env=agent.environment)


def test_a_vm_is_made_read_listed_and_removed(make_agent: MakeAgent, site: Site) -> None:
    """The main job over the real wire: steps are told, the VM is what was asked, a delete leaves nothing."""
    agent = make_agent()
    with agent.client() as client:
        checked = client.vms.CreateVm(create(validate_only=True, secrets=None))
        assert (checked.done, checked.name) == (True, "")
        steps: list[str] = []

        def note(event: operation_service_pb2.OperationEvent) -> None:
            if event.HasField("step") and event.step.state == operation_pb2.Step.STATE_DONE:
                steps.append(event.step.step)

        done = client.wait(client.vms.CreateVm(create()), on_event=note, timeout=60)
        vm = vm_pb2.Vm()
        assert done.response.Unpack(vm), done.error
        assert steps == [
            "copy_image",
            "copy_iso",
            "register_vm",
            "wait_ready",
            "publish",
            "wait_applied",
            "verify",
            "cleanup_iso",
        ]
        read = client.vms.ReadVm(vm_service_pb2.ReadVmRequest(name=vm.name))
        assert (read.vm_name, read.etag, read.operation) == ("web01", vm.etag, done.name)
        assert read.guest_v4_dns2 == "192.0.2.54"
        assert list(read.ip_addresses) == ["192.0.2.10"]
        shown = json.loads(aetherv(agent, "vms", "list", "--json").stdout)
        assert [entry["name"] for entry in shown["vms"]] == [vm.name]
        with pytest.raises(AgentError) as taken:
            client.vms.CreateVm(create())
        assert (taken.value.code, taken.value.reason) == ("ALREADY_EXISTS", "VM_ALREADY_EXISTS")
        with pytest.raises(AgentError) as stale:
            client.vms.DeleteVm(vm_service_pb2.DeleteVmRequest(name=vm.name, etag="0" * 32))
        assert (stale.value.code, stale.value.reason) == ("ABORTED", "ETAG_MISMATCH")
        request = vm_service_pb2.DeleteVmRequest(name=vm.name, etag=read.etag)
        removed = client.wait(client.vms.DeleteVm(request), timeout=60)
        assert removed.HasField("response"), removed.error
        with pytest.raises(AgentError) as gone:
            client.vms.ReadVm(vm_service_pb2.ReadVmRequest(name=vm.name))
        assert (gone.value.code, gone.value.reason) == ("NOT_FOUND", "VM_NOT_FOUND")


def test_no_secret_leaves_the_process(make_agent: MakeAgent, site: Site) -> None:
    """Neither log, database nor any other file of the agent holds a password; a control value is found."""
    agent = make_agent(log={"level": "debug", "format": "json"})
    with agent.client() as client:
        client.wait(client.vms.CreateVm(create()), timeout=60)
    token = (agent.folder / "state" / "token").read_text().strip()
    assert agent.stop() == 0
    content = {path: path.read_bytes() for path in agent.folder.rglob("*") if path.is_file()}
    everything = b"".join(content.values()) + "\n".join(agent.lines).encode()
    for secret in (GUEST_PASSWORD, PASSWORD):
        for form in (secret.encode(), json.dumps(secret)[1:-1].encode(), secret.encode("utf-16-le")):
            assert form not in everything
    assert [path.name for path, raw in content.items() if token.encode() in raw] == ["token"]
    assert token not in "\n".join(agent.lines)
    assert b"admin1" in everything
    modes = {
        path.relative_to(agent.folder).as_posix(): stat.S_IMODE(path.stat().st_mode)
        for path in (agent.folder / "state").rglob("*")
        if path.is_file() and path.suffix != ".pem"
    }
    assert set(modes.values()) == {0o600}, modes


def test_a_stop_ends_watches_and_a_new_start_goes_on_with_the_work(make_agent: MakeAgent, site: Site) -> None:
    """SIGTERM in mid-job: watchers get UNAVAILABLE with RetryInfo, the exit code is 0, and the VM is made all the same."""
    site.server.faults("hv01").add(Fault("guest_ready_late", value=4.0))
    agent = make_agent()
    with agent.client() as client:
        operation = client.vms.CreateVm(create())
        stream = client.watcher.WatchOperation(
            operation_service_pb2.WatchOperationRequest(name=operation.name), timeout=60
        )
        while next(stream).step.step != "wait_ready":
            pass
        assert agent.process is not None
        agent.process.send_signal(signal.SIGTERM)
        with pytest.raises(grpc.RpcError) as ended:
            list(stream)
        error = client.error_of(ended.value, "WatchOperation")
        assert (error.code, error.reason) == ("UNAVAILABLE", "AGENT_STOPPING")
        assert error.retry_delay is not None
    assert agent.stop() == 0
    assert "Traceback" not in agent.log
    kept = ("token", "tls/ca.pem", "tls/server.pem")
    before = [(agent.folder / "state" / name).read_bytes() for name in kept]
    again = make_agent()
    # Authority, certificate and token are made once: clients of the first start reach the second one.
    assert [(again.folder / "state" / name).read_bytes() for name in kept] == before
    with again.client() as client:
        done = client.wait(operation.name, timeout=90)
        answer = client.hosts.ListHosts(host_service_pb2.ListHostsRequest())
    # The passwords were in the first process alone, and the guest had not got them: then nothing stands.
    assert done.done
    about = operation_pb2.VmOperationMetadata()
    assert done.metadata.Unpack(about)
    vms = answer.hosts[0].vm_count
    assert (about.state, vms) in {
        (operation_pb2.VmOperationMetadata.STATE_SUCCEEDED, 1),
        (operation_pb2.VmOperationMetadata.STATE_FAILED, 0),
    }


def start_that_fails(folder: Path, config: object, **environ: str) -> subprocess.CompletedProcess[str]:
    """Start an agent that can't start."""
    path = folder / "bad.yaml"
    path.write_text(yaml.safe_dump(config), "utf-8")
    return subprocess.run(
        [sys.executable, "-m", "aetherv_agent", "agent", "serve", "--config", str(path)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={**os.environ, **environ},
    )


def test_a_start_that_fails_says_why_in_words(make_agent: MakeAgent, site: Site, tmp_path: Path) -> None:
    """A bad configuration, a database in use and an address in use: a message and an exit code, no traceback."""
    agent = make_agent()
    wrong = start_that_fails(
        tmp_path, {"version": 1, "state_dir": "s", "colour": 1, "hosts": [{"name": "x"}]}
    )
    locked = start_that_fails(tmp_path, site.config(state_dir=str(agent.folder / "state")))
    taken = start_that_fails(
        tmp_path, site.config(state_dir="other", listeners=[{"address": agent.endpoint}])
    )
    plain = start_that_fails(
        tmp_path, site.config(state_dir="other", listeners=[{"address": "0.0.0.0:0", "tls": False}])
    )
    for done, code, text in (
        (wrong, 2, "colour: is no setting of this agent"),
        (locked, 1, "Another process uses this database file"),
        (taken, 2, "can't be listened on"),
        (plain, 2, "plaintext is allowed on a loopback address"),
    ):
        assert done.returncode == code, done.stderr
        assert text in done.stderr
        assert "Traceback" not in done.stderr
        assert done.stderr.startswith("error: ")
    assert "hosts[0].address: is needed" in wrong.stderr


def test_a_wrong_password_of_a_host_speaks_of_the_host(make_agent: MakeAgent, site: Site) -> None:
    """The host refuses the agent: FAILED_PRECONDITION with host and account; the caller's token is good."""
    (site.folder / "hv01.password").write_text("wrong-password\n", "utf-8")
    agent = make_agent()
    with agent.client() as client:
        with pytest.raises(AgentError) as refused:
            client.vms.CreateVm(create())
        hosts = client.hosts.ListHosts(host_service_pb2.ListHostsRequest())
    assert (refused.value.code, refused.value.reason) == ("FAILED_PRECONDITION", "HOST_AUTHENTICATION_FAILED")
    assert "hv01" in refused.value.message
    assert "svc" in refused.value.message
    assert hosts.hosts[0].state == hosts.hosts[0].STATE_REFUSED
    agent.stop()
    assert "wrong-password" not in agent.log


def test_the_command_line_shows_watches_and_cancels(make_agent: MakeAgent, site: Site) -> None:
    """People and machines see the same through ``aetherv``; errors have an exit code and a reason."""
    site.server.faults("hv01").add(Fault("guest_ready_late", value=60.0))
    agent = make_agent()
    with agent.client() as client:
        operation = client.vms.CreateVm(create())
    name = operation.name.removeprefix("operations/")
    listed = aetherv(agent, "operations", "list", "--filter", "done = false")
    assert name in listed.stdout
    assert "web01" in listed.stdout
    hosts = aetherv(agent, "hosts", "list")
    assert "ready" in hosts.stdout
    cancelled = aetherv(agent, "operations", "cancel", name)
    assert cancelled.exit_code == 0, cancelled.stderr
    watched = aetherv(agent, "operations", "watch", name)
    assert watched.exit_code == 1
    assert "cancelled" in watched.stderr
    shown = aetherv(agent, "operations", "show", operation.name)
    assert "cancelled" in shown.stdout
    assert json.loads(aetherv(agent, "operations", "show", "--json", name).stdout)["done"] is True
    missing = aetherv(agent, "vms", "show", "nothing")
    assert missing.exit_code == 1
    assert "[VM_NOT_FOUND]" in missing.stderr
    assert json.loads(aetherv(agent, "vms", "list", "--json").stdout) == {"vms": [], "unreachable": []}


def test_the_notice_before_a_stop_still_answers_and_a_second_signal_ends_it(make_agent: MakeAgent) -> None:
    """Health says NOT_SERVING at once, calls are answered during the notice, and a second signal asks for haste."""
    agent = make_agent(operations={"shutdown_notice": 300, "shutdown_grace": 300})
    environment = agent.environment
    credentials = grpc.ssl_channel_credentials(Path(environment["AETHERV_CA_CERT"]).read_bytes())
    assert agent.process is not None
    with grpc.secure_channel(agent.endpoint, credentials) as channel, agent.client() as client:
        health: Any = health_pb2_grpc.HealthStub(channel)
        watch = health.Watch(health_pb2.HealthCheckRequest(), timeout=60)
        assert next(watch).status == health_pb2.HealthCheckResponse.SERVING
        agent.process.send_signal(signal.SIGTERM)
        assert next(watch).status == health_pb2.HealthCheckResponse.NOT_SERVING
        assert len(client.hosts.ListHosts(host_service_pb2.ListHostsRequest()).hosts) == 1
        agent.process.send_signal(signal.SIGTERM)
        assert agent.process.wait(60) == 0
