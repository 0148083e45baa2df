"""Inventories over the wire of a simulated host: warm shells, and every way in which a host can fail to answer."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import trustme
from aetherv_agent.core.errors import AethervError
from aetherv_agent.winrm import WinRmHost, WinRmHosts, WinRmSettings
from aetherv_simhost.backends.api import ScriptCall
from support.winrm_site import (
    HOST,
    PASSWORD,
    Listener,
    Site,
    Write,
    call,
    error,
    result,
    scripts_only,
    site,
    until,
)

FACTS = {
    "computer_name": "HV1",
    "os_version": "10.0.20348",
    "scripts_version": "0.1.0",
    "cpu_count": 8,
    "memory_bytes": 64,
    "memory_free_bytes": 32,
    "vm_path": "C:\\VMs",
}
EMPTY: dict[str, list[Any]] = {key: [] for key in ("vms", "images", "switches", "volumes", "isos", "jobs")}


def inventory(given: ScriptCall, write: Write, stopped: threading.Event) -> None:
    """A host without VMs."""
    write(result(host=FACTS, **EMPTY))


async def test_an_inventory_is_read_and_its_shell_used_again(tmp_path: Path) -> None:
    """Reads one after the other share one warm shell, which is closed at the end."""
    with site(tmp_path, scripts_only(inventory)) as host:
        agent = host.agent()
        for _ in range(3):
            answer = await agent.read_inventory("hv1")
        await agent.aclose()
    assert (answer.host, answer.facts.computer_name) == ("hv1", "HV1")
    assert len(host.backend.calls) == 3
    assert host.requests.counts["Create"] == host.requests.counts["Delete"] == 1


async def test_reads_at_once_use_few_shells(tmp_path: Path) -> None:
    """Twenty reads at once go through two shells."""
    with site(tmp_path, inventory) as host:
        agent = host.agent()
        await asyncio.gather(*(agent.read_inventory("hv1") for _ in range(20)))
        await agent.aclose()
    assert len(host.backend.calls) == 20
    assert host.requests.counts["Create"] == host.requests.counts["Delete"] == 2
    assert host.backend.most <= 2


async def test_a_read_goes_on_while_jobs_take_every_slot(tmp_path: Path) -> None:
    """Jobs and reads have threads of their own."""
    with site(tmp_path) as host:
        waiting = host.backend.waiting
        host.backend.script = lambda given, write, stopped: (
            inventory if given.path.endswith("Get-HostInventory.ps1") else waiting
        )(given, write, stopped)
        agent = host.agent(max_job_shells=1)
        job = asyncio.create_task(Listener().run(agent, call()))
        await until(lambda: host.backend.running == 1)
        await agent.read_inventory("hv1")
        assert host.backend.running == 1
        host.backend.release.set()
        await job
        await agent.aclose()


@pytest.mark.parametrize("kind", ["shells_killed", "reset", "http_503", "lost_answer"])
async def test_a_stale_warm_shell_is_replaced_once(tmp_path: Path, kind: str) -> None:
    """A warm shell that fails is no error of the host: a new one is asked."""
    with site(tmp_path, inventory) as host:
        agent = host.agent()
        await agent.read_inventory("hv1")
        host.fault(kind, "Command")
        await agent.read_inventory("hv1")
        await agent.aclose()
    assert host.requests.counts["Create"] == 2


async def test_a_typed_error_of_a_read_is_the_hosts_answer_and_keeps_the_shell(tmp_path: Path) -> None:
    """A script's typed error is raised, and its shell serves the next read."""
    with site(tmp_path, lambda _given, write, _stopped: write(error("HYPERV_NOT_VISIBLE"))) as host:
        agent = host.agent()
        with pytest.raises(AethervError) as caught:
            await agent.read_inventory("hv1")
        assert (caught.value.id, caught.value.host_answered) == ("HYPERV_NOT_VISIBLE", True)
        host.backend.script = inventory
        await agent.read_inventory("hv1")
        await agent.aclose()
    assert host.requests.counts["Create"] == 1


async def test_a_read_that_takes_too_long_ends(tmp_path: Path) -> None:
    """``read_deadline`` ends a read with HOST_TIMEOUT; its shell, and the script in it, are closed."""
    with site(tmp_path) as host:
        agent = host.agent(read_deadline=0.7, operation_timeout=1)
        with pytest.raises(AethervError) as caught:
            await agent.read_inventory("hv1")
        assert (caught.value.id, caught.value.transient) == ("HOST_TIMEOUT", True)
        await agent.aclose()
        await until(lambda: host.backend.running == 0)
    assert host.backend.stopped == 1


Prepare = Callable[[Site], dict[str, Any]]


def _fault(kind: str, where: str = "", **values: Any) -> Prepare:
    def prepare(host: Site) -> dict[str, Any]:
        host.fault(kind, where, count=-1, **values)
        return {}

    return prepare


@pytest.mark.parametrize(
    ("prepare", "error_id", "said"),
    [
        (_fault("http_503"), "HOST_UNREACHABLE", "HTTP 503"),
        (_fault("reset"), "HOST_UNREACHABLE", "connection"),
        (_fault("unreachable"), "HOST_UNREACHABLE", "127.0.0.1"),
        (_fault("lost_answer"), "HOST_UNREACHABLE", "127.0.0.1"),
        (_fault("auth_refused"), "HOST_AUTHENTICATION_FAILED", "account admin"),
        (_fault("shell_quota", value=0), "HOST_QUOTA_EXCEEDED", "account admin"),
        (_fault("latency", value=5), "HOST_TIMEOUT", "in time"),
        (lambda _: {"username": "nobody"}, "HOST_AUTHENTICATION_FAILED", "account nobody"),
        (lambda _: {"password": lambda: "wrong"}, "HOST_AUTHENTICATION_FAILED", "account admin"),
        (lambda _: {"ca_cert": None}, "HOST_CERTIFICATE_INVALID", "certificate"),
        (lambda _: {"address": "127.0.0.2"}, "HOST_UNREACHABLE", "ECONNREFUSED"),
        (lambda _: {"address": "no-such-host.invalid"}, "HOST_UNREACHABLE", "name is not known"),
        (lambda _: {"https": False, "ca_cert": None, "auth": "ntlm"}, "HOST_UNREACHABLE", "127.0.0.1"),
    ],
)
@pytest.mark.parametrize("auth", ["ntlm", "basic"])
async def test_each_way_in_which_a_host_fails_has_its_id(
    tmp_path: Path, prepare: Prepare, error_id: str, said: str, auth: str
) -> None:
    """The error says which host, where it was asked and what the matter is, and changes nothing."""
    with site(tmp_path, inventory) as host:
        changes = prepare(host)
        agent = host.agent(**({"auth": auth, "operation_timeout": 1, "read_timeout": 2} | changes))
        with pytest.raises(AethervError) as caught:
            await agent.read_inventory("hv1")
        host.server.faults("hv1").clear()
        await agent.aclose()
    failure = caught.value
    assert failure.id == error_id
    assert said in failure.message
    assert failure.message.startswith("Host hv1 (")
    assert failure.metadata["host"] == "hv1"
    assert not failure.host_answered
    assert PASSWORD not in str(failure)
    assert host.backend.calls == []


async def test_a_certificate_of_another_name_is_refused_unless_told_otherwise(tmp_path: Path) -> None:
    """The certificate must name the address; ``verify_hostname: false`` still checks who signed it."""
    authority = trustme.CA()
    pem = tmp_path / "other.pem"
    authority.cert_pem.write_to_path(str(pem))
    with site(tmp_path / "host", inventory) as host:
        for changes, error_id in (
            ({"address": "127.0.0.1"}, ""),
            ({"ca_cert": pem}, "HOST_CERTIFICATE_INVALID"),
            ({"ca_cert": pem, "verify_hostname": False}, "HOST_CERTIFICATE_INVALID"),
            ({"ca_cert": tmp_path / "none.pem"}, "HOST_CERTIFICATE_INVALID"),
            ({"address": "ip6-localhost.test"}, "HOST_UNREACHABLE"),
        ):
            agent = host.agent(**changes)
            if error_id:
                with pytest.raises(AethervError) as caught:
                    await agent.read_inventory("hv1")
                assert caught.value.id == error_id
            else:
                await agent.read_inventory("hv1")
            await agent.aclose()


async def test_a_service_that_speaks_no_tls_is_named(tmp_path: Path) -> None:
    """A port on which something else listens is HOST_PROTOCOL_ERROR, not a certificate's fault."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=_greet, args=(server,), daemon=True)
        thread.start()
        settings = WinRmSettings(
            host="hv1",
            address="127.0.0.1",
            port=server.getsockname()[1],
            username="admin",
            password=lambda: PASSWORD,
        )
        agent = WinRmHosts({"hv1": WinRmHost(settings, HOST)})
        with pytest.raises(AethervError) as caught:
            await agent.read_inventory("hv1")
        await agent.aclose()
        thread.join(10)
    assert caught.value.id == "HOST_PROTOCOL_ERROR"


def _greet(server: socket.socket) -> None:
    connection, _ = server.accept()
    with connection:
        connection.sendall(b"220 mail.example ESMTP\r\n")
        connection.recv(65536)
