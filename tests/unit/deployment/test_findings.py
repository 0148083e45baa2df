"""What is found of a host is judged as a user needs it: what stands in the way, and what to do."""

import dataclasses
from typing import Any

import pytest
from aetherv_agent.core.model import HostSettings, Image, Inventory, Iso, OsFamily, VirtualSwitch, Volume
from aetherv_agent.deployment import findings
from aetherv_agent.deployment.findings import Finding, FindingState
from support.api_fakes import NOW, make_inventory

GIB = 1024**3
ISOS = (
    Iso(OsFamily.LINUX, r"C:\A\LinuxProvisioning.iso", "2.4.000"),
    Iso(OsFamily.WINDOWS, r"C:\A\WindowsProvisioning.iso", "2.4.000"),
)


def inventory(**changes: Any) -> Inventory:
    """A host on which all is well."""
    base = dataclasses.replace(make_inventory(), isos=ISOS, volumes=(Volume("C:\\", 100 * GIB, 50 * GIB),))
    of_facts = {k: v for k, v in changes.items() if k not in Inventory.__slots__}
    rest = {k: v for k, v in changes.items() if k in Inventory.__slots__}
    return dataclasses.replace(base, facts=dataclasses.replace(base.facts, **of_facts), **rest)


def judged(found: Inventory, **settings: Any) -> dict[str, Finding]:
    """All findings by id."""
    return {f.id: f for f in findings.of_inventory(found, HostSettings("hv01", **settings))}


def test_a_host_on_which_all_is_well_has_no_advice() -> None:
    """Every finding is ok and asks for nothing."""
    found = judged(inventory())
    assert {finding.state for finding in found.values()} == {FindingState.OK}
    assert {finding.advice for finding in found.values()} == {""}


@pytest.mark.parametrize(
    ("changes", "settings", "finding", "state", "said"),
    [
        ({"images": ()}, {}, "images", "failed", "DiskImages"),
        (
            {"images": tuple(Image("Debian 12", path, 1, NOW) for path in ("a", "b"))},
            {},
            "images",
            "warning",
            "Debian 12",
        ),
        ({"switches": ()}, {}, "switch", "failed", "no virtual switch"),
        ({"switches": (VirtualSwitch("Lab", "private"),)}, {}, "switch", "warning", "Lab"),
        ({}, {"default_switch": "Gone"}, "switch", "failed", "External, Lab"),
        ({}, {"default_switch": "lab"}, "switch", "ok", "lab"),
        ({"isos": ISOS[1:]}, {}, "iso_linux", "failed", "LinuxProvisioning.iso"),
        ({"isos": ISOS[:1]}, {}, "iso_windows", "warning", "WindowsProvisioning.iso"),
        ({"isos": (Iso(OsFamily.LINUX, "x.iso"),)}, {}, "iso_linux", "failed", "not known"),
        ({"isos": (Iso(OsFamily.LINUX, "x.iso", "1.0"),)}, {}, "iso_linux", "failed", "1.0"),
        (
            {"isos": (Iso(OsFamily.LINUX, "x.iso", "1.0"),)},
            {"guest_version": {"linux": "2.4.000"}},
            "iso_linux",
            "ok",
            "above the file's 1.0",
        ),
        ({"volumes": (Volume("C:\\", 100 * GIB, 50),)}, {}, "space", "failed", "largest image"),
        ({"volumes": (Volume("C:\\", 100 * GIB, 5 * GIB),)}, {}, "space", "warning", "5.0 GiB"),
        ({"volumes": (Volume("D:\\", 100 * GIB, 50 * GIB),)}, {}, "space", "unknown", r"C:\VMs"),
        ({"memory_free_bytes": GIB // 2}, {}, "memory", "failed", "0.5 GiB"),
        ({"memory_free_bytes": 3 * GIB}, {}, "memory", "warning", "3.0 GiB"),
        ({"cluster": "c1", "node_state": "up"}, {}, "cluster", "ok", "c1"),
        ({"cluster": "c1", "node_state": "draining"}, {}, "cluster", "failed", "draining"),
        ({"cluster": "c1", "node_state": "up"}, {}, "delegation", "warning", "second hop"),
        ({"cluster": "c1", "node_state": "up"}, {"delegation": True}, "delegation", "ok", "second hop"),
    ],
)
def test_what_is_wrong_is_said_with_what_to_do(
    changes: dict[str, Any], settings: dict[str, Any], finding: str, state: str, said: str
) -> None:
    """The finding names what was found; all that is not ok has advice."""
    found = judged(inventory(**changes), **settings)[finding]
    assert found.state == state, found
    assert said in found.message
    assert bool(found.advice) is (state != "ok")


def test_the_longest_volume_that_holds_the_folder_counts() -> None:
    """A cluster volume is not the drive that it is mounted in."""
    volumes = (
        Volume("C:\\", 100 * GIB, 1),
        Volume(r"C:\ClusterStorage\V1", 100 * GIB, 50 * GIB),
        Volume(r"C:\ClusterStorage\V10", 100 * GIB, 1),
    )
    found = judged(inventory(volumes=volumes, vm_path=r"c:\clusterstorage\v1\Hyper-V"))["space"]
    assert found.state is FindingState.OK
    assert r"C:\ClusterStorage\V1 " in found.message


@pytest.mark.parametrize(
    ("policy", "state"),
    [
        ("RemoteSigned", "ok"),
        ("Bypass", "ok"),
        ("Restricted", "failed"),
        ("AllSigned", "failed"),
        ("", "failed"),
    ],
)
def test_the_execution_policy_must_let_scripts_run(policy: str, state: str) -> None:
    """Restricted and AllSigned stop the host scripts."""
    assert findings.of_execution_policy(policy).state == state


@pytest.mark.parametrize(
    ("version", "state"),
    [("5.1.20348.1", "ok"), ("7.6.0", "ok"), ("10.0", "ok"), ("5.0.1", "failed"), ("", "failed")],
)
def test_powershell_must_be_5_1_or_later(version: str, state: str) -> None:
    """Older ones lack what the scripts use."""
    assert findings.of_powershell({"PSVersion": version}).state == state


def test_a_constrained_session_is_a_warning() -> None:
    """The scripts' own folder may be allowed although the session is not."""
    assert findings.of_language_mode("ConstrainedLanguage").state is FindingState.WARNING
    assert findings.of_language_mode("FullLanguage").state is FindingState.OK


def test_quotas_below_what_the_agent_may_want_are_a_warning() -> None:
    """An endpoint's smallest limit counts; one that is 0 or no number does not."""
    few = {"MaxShellsPerUser": "5", "MaxShells": "25", "IdleTimeout": "7200000", "x": "y"}
    found = findings.of_quotas(few, 25)
    assert found.state is FindingState.WARNING
    assert "5 remote shells" in found.message
    assert findings.of_quotas({"MaxShellsPerUser": "2147483647"}, 25).state is FindingState.OK
