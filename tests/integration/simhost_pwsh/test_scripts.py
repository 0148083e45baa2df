"""The real host scripts on the model: one VM's whole life as the agent asks for it, in both editions."""

import json
import os
import signal
import time
import uuid
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from aetherv_agent.core.job_document import (
    create_document,
    delete_document,
    inventory_document,
    script_path,
)
from aetherv_agent.core.model import HostSettings, ShutdownMode, VmSpec
from aetherv_simhost.faults import Fault
from aetherv_simhost.windows.calls import Call
from pypsrp.complex_objects import ObjectMeta
from pypsrp.exceptions import WinRMError
from pypsrp.powershell import PowerShell, RunspacePool
from pypsrp.wsman import WSMan
from requests import RequestException
from support.pwsh_site import EDITIONS, PwshSite, pwsh_site

AGENT = HostSettings("hv1")
PASSWORD = "Sehr-geheim-4711"
SPEC = VmSpec(vm_name="web-01", image_name="Ubuntu 24.04", gb_ram=2, cpu_cores=2, guest_la_uid="ops")
TIMEOUTS = {"wait_ready": 60, "settle_seconds": 1, "wait_applied": 60, "verify_timeout": 30}
GUESTS = {"boot": 0.04, "poll": 0.01, "apply": 0.05, "retry": 0.02, "deliver": 0.0}


@pytest.fixture(params=EDITIONS)
def site(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[PwshSite]:
    """A host with the host scripts and quick guests."""
    with pwsh_site(tmp_path, pwsh={"edition": request.param}, guest_seconds=GUESTS) as started:
        yield started


def run(
    pool: RunspacePool, kind: str, document: str, secrets: Mapping[str, str] | None = None
) -> list[dict[str, Any]]:
    """Calls a script as the agent does and gives its records."""
    shell = PowerShell(pool)
    shell.add_cmdlet(script_path(kind, AGENT))
    if secrets is not None:
        pool.exchange_keys()
        shell.add_parameter("Secrets", {k: pool.serialize(v, ObjectMeta("SS")) for k, v in secrets.items()})
    output = shell.invoke([document])  # type: ignore[arg-type]  # pypsrp takes a list too
    assert [str(error) for error in shell.streams.error] == []
    shell.close()
    return [json.loads(str(line)) for line in output]


def reopened(connection: WSMan) -> RunspacePool:
    """A shell on a host that is down for a moment."""
    deadline = time.monotonic() + 60
    while True:
        try:
            pool = RunspacePool(connection)
            pool.open()
        except RequestException:
            assert time.monotonic() < deadline
            time.sleep(0.1)
        else:
            return pool


def create(job_id: str) -> str:
    """A create's document."""
    return create_document(job_id, SPEC, AGENT, on_failure="rollback", timeouts=TIMEOUTS)


def test_a_vms_whole_life(site: PwshSite) -> None:
    """A create makes a guest that has decrypted its password, the inventory sees it, and a delete leaves nothing."""
    host = site.backend.host
    with site.pool() as pool:
        made = run(pool, "create", create(str(uuid.uuid4())), {"guest_la_pw": PASSWORD})
        assert made[-1]["kind"] == "result", made[-1]
        vm = host.named("web-01")[0]
        account = host.guest(vm.id).identity.account("ops")
        assert account is not None
        assert account.password_is(PASSWORD)
        seen = run(pool, "inventory", inventory_document(AGENT))[-1]["result"]
        assert [found["id"] for found in seen["vms"]] == [vm.id]
        gone = run(
            pool,
            "delete",
            delete_document(
                str(uuid.uuid4()),
                vm.id,
                AGENT,
                shutdown_mode=ShutdownMode.GRACEFUL_THEN_OFF,
                keep_disks=False,
                allow_missing=False,
                stop_seconds=5,
            ),
        )
        assert gone[-1]["kind"] == "result", gone[-1]
    assert host.vms() == ()
    assert not host.files.exists(vm.path)


def test_an_inventory_has_a_constant_number_of_calls(site: PwshSite) -> None:
    """The inventory asks the model as often for ten VMs as for none."""
    host, model = site.backend.host, site.backend.model
    counts = []
    with site.pool() as pool:
        for _ in range(2):
            model.forget_calls()
            assert run(pool, "inventory", inventory_document(AGENT))[-1]["kind"] == "result"
            counts.append(sum(model.calls().values()))
            for number in range(10):
                host.new_vm(f"vm {number}", rf"C:\VMs\{number}", 1 << 30, "External")
    assert counts[0] == counts[1]


def test_a_process_killed_after_new_vm_leaves_one_vm(tmp_path: Path) -> None:
    """Killed between New-VM and its mark, a job that is started again takes the VM that it made."""
    job_id = str(uuid.uuid4())
    with pwsh_site(tmp_path, guest_seconds=GUESTS) as site:
        steps: list[str] = []

        def kill(call: Call) -> None:
            if call.command == "New-VM" and len(site.backend.host.vms()) == 1:
                site.backend.after_call = None
                os.kill(call.session.process, signal.SIGKILL)

        site.backend.step_begun = lambda step, vm_name: steps.append(f"{vm_name} {step}")
        site.backend.after_call = kill
        with pytest.raises((WinRMError, RequestException)), site.pool() as pool:
            run(pool, "create", create(job_id), {"guest_la_pw": PASSWORD})
        assert steps == ["web-01 copy_image", "web-01 copy_iso", "web-01 register_vm"]
        first = site.backend.host.vms()[0]
        with site.pool() as pool:
            again = run(pool, "create", create(job_id), {"guest_la_pw": PASSWORD})
        assert again[-1]["kind"] == "result", again[-1]
        assert [vm.id for vm in site.backend.host.vms()] == [first.id]


def test_a_reboot_in_a_step_is_survived(tmp_path: Path) -> None:
    """A host that goes down in a step kills the shell; the same job started again ends with one VM."""
    job_id = str(uuid.uuid4())
    with pwsh_site(tmp_path, guest_seconds=GUESTS) as site:
        site.server.faults("hv1").add(Fault("host_reboot", "register_vm", value=0.2))
        with pytest.raises((WinRMError, RequestException)), site.pool() as pool:
            run(pool, "create", create(job_id), {"guest_la_pw": PASSWORD})
        with site.wsman() as connection:
            pool = reopened(connection)
            again = run(pool, "create", create(job_id), {"guest_la_pw": PASSWORD})
            pool.close()
        assert again[-1]["kind"] == "result", again[-1]
        assert len(site.backend.host.named("web-01")) == 1
