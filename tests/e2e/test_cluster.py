"""Clustered VMs: the login must reach the cluster's other nodes, and one that does not is refused before any change."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from aetherv.client import AgentError
from aetherv.v1 import vm_pb2, vm_service_pb2
from aetherv_agent.core.errors import AethervError
from aetherv_agent.core.job_document import create_document
from aetherv_agent.core.model import HostSettings, OsFamily, VmSpec
from aetherv_agent.core.ports import JobCall
from aetherv_agent.winrm import WinRmHost, WinRmHosts, WinRmSettings
from aetherv_agent.winrm.settings import Auth
from support.site import ACCOUNT, GUEST_PASSWORD, HOST_PASSWORD, Site
from support.terraform import Terraform
from support.vm_blocks import vm
from support.winrm_site import Listener

MakeSite = Callable[..., Site]
TerraformFor = Callable[..., Terraform]
CLUSTER_PATH = r"C:\ClusterStorage\Volume1\Hyper-V"
NODE = {"cluster": "c1"}


SPEC: dict[str, Any] = {
    "vm_name": "role-01",
    "image_name": "Ubuntu 24.04",
    "gb_ram": 1,
    "cpu_cores": 1,
    "guest_la_uid": "admin",
    "vm_clustered": True,
}
TIMEOUTS = {"wait_ready": 60, "settle_seconds": 1, "wait_applied": 60, "verify_timeout": 10}


def request() -> vm_service_pb2.CreateVmRequest:
    """Return a create of a clustered VM."""
    return vm_service_pb2.CreateVmRequest(
        vm=vm_pb2.Vm(**SPEC),
        secrets=vm_pb2.VmSecrets(guest_la_pw=GUEST_PASSWORD),
        request_id=str(uuid.uuid4()),
    )


def standing(site: Site) -> tuple[list[str], list[str], list[str]]:
    """Return the names of the VMs in the host's model, their folders, and the ids of the cluster's roles."""
    host = json.loads((site.host_folder() / "host.json").read_text())
    return sorted(site.vms()), site.vm_folders(), sorted(host["roles"])


def test_a_login_that_delegates_makes_a_role(make_site: MakeSite) -> None:
    """The role is the cluster's and the VM says so; a delete by a login without a second hop removes both."""
    site = make_site(model=NODE, host_settings={"auth": "credssp", "vm_path": CLUSTER_PATH})
    with site.client() as client:
        operation = client.wait(client.vms.CreateVm(request()))
        assert not operation.HasField("error"), operation.error
        made = vm_pb2.Vm()
        assert operation.response.Unpack(made)
        read = client.vms.ReadVm(vm_service_pb2.ReadVmRequest(name=made.name))
    for found in (made, read):
        assert (found.vm_clustered, found.cluster, found.vm_name) == (True, "c1", "role-01")
    assert standing(site) == (["role-01"], ["role-01"], [made.name.removeprefix("vms/")])
    assert site.terminate("agent") == 0
    site.host_settings["auth"] = "ntlm"
    site.start_agent()
    with site.client() as client:
        client.wait(client.vms.DeleteVm(vm_service_pb2.DeleteVmRequest(name=made.name, etag=read.etag)))
    assert standing(site) == ([], [], [])
    assert HOST_PASSWORD not in site.log("agent") + site.log("simhost")


def test_a_login_that_does_not_delegate_is_refused_at_once(make_site: MakeSite) -> None:
    """By NTLM a check already says what is missing, a create says the same, and nothing has changed."""
    site = make_site(model=NODE, host_settings={"auth": "ntlm", "vm_path": CLUSTER_PATH})
    with site.client() as client:
        check = vm_service_pb2.CreateVmRequest(vm=vm_pb2.Vm(**SPEC), validate_only=True)
        for asked in (check, request()):
            with pytest.raises(AgentError) as caught:
                client.vms.CreateVm(asked)
            assert caught.value.reason == "CLUSTER_DELEGATION_MISSING"
            assert caught.value.metadata["host"] == "hv01"
    assert standing(site) == ([], [], [])


@pytest.mark.parametrize("auth", ["ntlm", "basic", "negotiate"])
async def test_the_script_refuses_a_login_that_does_not_delegate(make_site: MakeSite, auth: Auth) -> None:
    """The host itself says so before any change, whatever the agent believed of its login."""
    site = make_site(model=NODE)
    host = HostSettings(id="hv01", vm_path=CLUSTER_PATH)
    hosts = WinRmHosts(
        {
            "hv01": WinRmHost(
                WinRmSettings(
                    host="hv01",
                    address="127.0.0.1",
                    port=site.host_port("hv01"),
                    username=ACCOUNT,
                    password=lambda: HOST_PASSWORD,
                    auth=auth,
                    ca_cert=site.sim / "ca.pem",
                ),
                host,
            )
        }
    )
    spec = VmSpec(**SPEC, os_family=OsFamily.LINUX)
    job_id = str(uuid.uuid4())
    document = create_document(job_id, spec, host, on_failure="rollback", timeouts=TIMEOUTS)
    job = JobCall(job_id, "create", document, 120, {"guest_la_pw": GUEST_PASSWORD})
    listener = Listener()
    with pytest.raises(AethervError) as caught:
        await hosts.run_job(
            "hv01", job, on_record=listener.on_record, shell=None, save_shell=listener.save_shell
        )
    await hosts.aclose()
    assert (caught.value.id, caught.value.host_answered) == ("CLUSTER_DELEGATION_MISSING", True)
    assert standing(site) == ([], [], [])


@pytest.mark.terraform
def test_terraform_makes_and_removes_a_role(make_site: MakeSite, terraform_for: TerraformFor) -> None:
    """Apply makes the role, a second plan is empty, destroy removes role and VM."""
    site = make_site(model=NODE, host_settings={"auth": "credssp", "vm_path": CLUSTER_PATH})
    terraform = terraform_for(site, vm(extra="vm_clustered = true"))
    terraform.apply().ok()
    state = terraform.resources()["aetherv_vm.web"]["values"]
    assert state["vm_clustered"] is True
    assert standing(site) == (["web-01"], ["web-01"], [state["id"]])
    assert terraform.plan().ok().returncode == 0
    terraform.destroy().ok()
    assert standing(site) == ([], [], [])


@pytest.mark.terraform
def test_a_plan_says_that_the_login_does_not_delegate(
    make_site: MakeSite, terraform_for: TerraformFor
) -> None:
    """By NTLM the plan of a role fails with the way to mend it; a VM that is no role can be planned."""
    site = make_site(model=NODE, host_settings={"auth": "ntlm", "vm_path": CLUSTER_PATH})
    terraform = terraform_for(site, vm(extra="vm_clustered = true"))
    planned = terraform.plan()
    assert planned.returncode == 1
    assert "CLUSTER_DELEGATION_MISSING" in planned.words
    assert "credssp" in planned.words
    assert terraform_for(site, vm()).plan().returncode == 2
    assert standing(site) == ([], [], [])
