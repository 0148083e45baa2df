"""Judging a create against a host's inventory."""

from dataclasses import replace
from typing import Any

import pytest
from aetherv_agent.core.model import HostSettings, Image, Inventory, OsFamily, VirtualSwitch, VmSpec, Volume
from aetherv_agent.provisioning.checks import completed, host_refusals
from support.provisioning_fakes import GIB, NOW, inventory, vm

SPEC = VmSpec("web-01", "Ubuntu 24.04", 4, 2, OsFamily.LINUX, "admin")
HOST = HostSettings("hv01")
HELD = "0b5d7f1e-0000-4000-8000-000000000001"


def refused(
    spec: VmSpec = SPEC,
    found: Inventory | None = None,
    host: HostSettings = HOST,
    ignored: frozenset[str] = frozenset(),
) -> list[str]:
    """Return the ids of a host's refusals."""
    return [error.id for error in host_refusals(spec, found or inventory(), host, (), ignored)]


def test_a_healthy_host_takes_the_vm() -> None:
    """Nothing is refused where image, switch, ISO, memory and space are there."""
    assert refused() == []


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"vms": (vm("WEB-01"),)}, "VM_ALREADY_EXISTS"),
        ({"images": ()}, "IMAGE_NOT_FOUND"),
        (
            {"images": (Image("Ubuntu 24.04", "C:\\A", 1, NOW), Image("ubuntu 24.04", "C:\\B", 1, NOW))},
            "IMAGE_AMBIGUOUS",
        ),
        ({"switches": ()}, "SWITCH_AMBIGUOUS"),
        ({"switches": (VirtualSwitch("A", "external"), VirtualSwitch("B", "external"))}, "SWITCH_AMBIGUOUS"),
        ({"isos": ()}, "ISO_NOT_FOUND"),
        ({"facts": {"memory_free_bytes": 2 * GIB}}, "MEMORY_INSUFFICIENT"),
        ({"facts": {"node_state": "paused"}}, "HOST_PAUSED"),
        ({"volumes": (Volume("C:\\", 10 * GIB, GIB),)}, "DISK_FULL"),
    ],
)
def test_what_a_host_lacks_is_named(changes: dict[str, Any], error: str) -> None:
    """Each thing that a host lacks has the scripts' own id."""
    assert refused(found=inventory(**changes)) == [error]


def test_the_taken_name_comes_with_the_import_command() -> None:
    """The user can import what has the name."""
    error = next(host_refusals(SPEC, inventory(vms=(vm("web-01"),)), HOST, (), frozenset()))
    assert f"terraform import aetherv_vm.NAME {HELD}" in str(error)
    assert str(error).count("import") == 2  # the word and the command, once each


def test_an_ignored_vm_holds_neither_name_nor_memory_nor_space() -> None:
    """A VM that the same plan removes is judged as if it were gone."""
    found = inventory(vms=(vm("web-01", memory_gib=4),), facts={"memory_free_bytes": GIB})
    assert refused(found=found) == ["VM_ALREADY_EXISTS", "MEMORY_INSUFFICIENT"]
    assert refused(found=found, ignored=frozenset({HELD})) == []


def test_a_name_on_another_node_of_the_cluster_is_taken() -> None:
    """Names are looked up on the cluster's other nodes too."""
    peer = inventory(host="hv02", vms=(replace(vm("web-01"), host="hv02"),), facts={"cluster": "c1"})
    errors = list(host_refusals(SPEC, inventory(facts={"cluster": "c1"}), HOST, (peer,), frozenset()))
    assert [(e.id, e.metadata["host"]) for e in errors] == [("VM_ALREADY_EXISTS", "hv02")]


def test_an_unknown_switch_lists_what_there_is() -> None:
    """A wrong switch is refused with the names of the right ones."""
    error = next(host_refusals(replace(SPEC, virtual_switch="Lan"), inventory(), HOST, (), frozenset()))
    assert (error.id, "'External'" in error.message) == ("SWITCH_NOT_FOUND", True)


def test_a_cluster_role_needs_cluster_storage_and_delegation() -> None:
    """Each missing piece of a clustered VM is named before anything is made."""
    spec = replace(SPEC, vm_clustered=True)
    assert refused(spec) == ["CLUSTER_NOT_AVAILABLE"]
    assert refused(spec, inventory(facts={"cluster": "c1"})) == [
        "CLUSTER_STORAGE_REQUIRED",
        "CLUSTER_DELEGATION_MISSING",
    ]


def test_a_version_file_is_looked_at() -> None:
    """An ISO of a version that no dialect knows, and one without a version, are refused."""
    host = replace(HOST, guest_version={"linux": "2.1.000"})
    assert refused(host=host) == ["GUEST_VERSION_UNSUPPORTED"]
    assert refused(found=inventory(isos=tuple(replace(i, version="") for i in inventory().isos))) == [
        "GUEST_VERSION_UNKNOWN"
    ]


def test_what_was_not_said_is_completed() -> None:
    """The plan knows switch, VLAN, cluster role and power of the VM to come."""
    spec = completed(SPEC, inventory(), HOST)
    assert (spec.virtual_switch, spec.vlan_id, spec.vm_clustered, spec.power_state) == (
        "External",
        0,
        False,
        "running",
    )
