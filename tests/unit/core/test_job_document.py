"""The documents that host scripts read."""

import json
import uuid

import pytest
import yaml
from aetherv_agent.core.errors import AethervError
from aetherv_agent.core.job_document import (
    create_document,
    delete_document,
    encode,
    inventory_document,
    script_path,
)
from aetherv_agent.core.model import HostSettings, OsFamily, ShutdownMode, VmSpec
from hypothesis import given
from hypothesis import strategies as st

TEXT = st.text(st.characters(exclude_categories=["Cs"]))
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63) | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=12,
)


@given(st.dictionaries(st.text(st.sampled_from("abcdefgh_"), min_size=1), VALUES))
def test_yaml_and_json_read_the_same(document: dict[str, object]) -> None:
    """A YAML reader and a JSON reader get the values that were written."""
    text = encode(document)
    assert json.loads(text) == document
    assert yaml.safe_load(text) == document


@pytest.mark.parametrize("value", ["\ud800", 1.5, float("nan"), {"x": ["\udfff"]}])
def test_what_no_reader_agrees_on_is_refused(value: object) -> None:
    """Half of a surrogate pair and floats are refused with the value's path."""
    with pytest.raises(AethervError) as caught:
        encode({"a": value})
    assert caught.value.id == "REQUEST_INVALID"
    assert "document.a" in caught.value.message


def test_a_create_says_only_what_was_said() -> None:
    """The fields hold what the user gave, memory as a whole number, and no secret's name."""
    spec = VmSpec("web-01", "Ubuntu 24.04", 4.0, 2, OsFamily.LINUX, "admin", vlan_id=0)
    job = str(uuid.uuid4())
    read = json.loads(
        create_document(job, spec, HostSettings("hv01"), on_failure="keep", timeouts={"wait_ready": 300})
    )
    assert read["fields"] == {
        "vm_name": "web-01",
        "image_name": "Ubuntu 24.04",
        "gb_ram": 4,
        "cpu_cores": 2,
        "os_family": "linux",
        "guest_la_uid": "admin",
        "vlan_id": 0,
    }
    assert (read["job_id"], read["schema"], read["cancel"]) == (
        job,
        {"id": "vm-provisioning", "version": 1},
        False,
    )


def test_every_document_names_its_schema_and_the_scripts_version() -> None:
    """A script can refuse a document that was not meant for it."""
    host = HostSettings("hv01")
    delete = delete_document(
        "j", "g", host, shutdown_mode=ShutdownMode.OFF, keep_disks=False, allow_missing=True, stop_seconds=60
    )
    schemas = {json.loads(text)["schema"]["id"] for text in (delete, inventory_document(host))}
    assert schemas == {"vm-delete", "host-inventory"}


def test_scripts_are_called_by_their_versioned_path() -> None:
    """The full path names the scripts' own version."""
    assert script_path("create", HostSettings("hv01")).startswith(r"C:\Program Files\Aether-V\scripts\0.")
