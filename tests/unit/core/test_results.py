"""Reading what host scripts write."""

import json
from typing import Any

import pytest
from aetherv_agent.core.errors import AethervError, Category
from aetherv_agent.core.results import Log, Progress, ScriptError, ScriptResult, parse_inventory, parse_record
from hypothesis import given
from hypothesis import strategies as st

TIME = "2026-01-02T03:04:05.678Z"
ERROR = {
    "kind": "error",
    "time": TIME,
    "id": "GUEST_FAILED",
    "category": "precondition",
    "message": "x",
    "retryable": False,
}


def read(**record: Any) -> Any:
    """Return what a record's line gives."""
    return parse_record(json.dumps({"time": TIME, "job_id": "j", **record}))


def test_each_kind_is_read() -> None:
    """Progress, log, result and error come back with their facts; what is optional may be missing."""
    progress = read(
        kind="progress", step="copy_image", state="running", attempt=1, done_bytes=5, total_bytes=9
    )
    assert progress == Progress(progress.time, "copy_image", "running", 1, 5, 9)
    assert read(kind="log", level="info", message="hi") == Log(progress.time, "info", "hi")
    assert read(kind="result", result={"a": 1}) == ScriptResult(progress.time, {"a": 1})
    error = read(**ERROR, undone=True, leftovers=[{"kind": "vm", "path": "p", "message": "m"}])
    assert isinstance(error, ScriptError)
    assert error.leftovers == (("vm", "p", "m"),)


def test_an_error_of_the_host_is_its_typed_answer() -> None:
    """The id, the VM that stands and what was undone reach the agent's error."""
    error = read(**ERROR, step="wait_applied", vm={"id": "ABC"}).to_error("hv01")
    assert (error.id, error.host_answered, error.metadata["vm"], error.step) == (
        "GUEST_FAILED",
        True,
        "vms/abc",
        "wait_applied",
    )


def test_a_busy_job_is_no_answer_about_the_job() -> None:
    """Another run that holds the job's lock is waited for; nothing is undone for it."""
    error = read(**ERROR | {"id": "JOB_BUSY", "category": "unavailable"}).to_error("hv01")
    assert (error.host_answered, error.transient) == (False, True)


def test_an_id_of_newer_scripts_is_kept_in_the_text() -> None:
    """An id that this version does not know is a fault of the script that quotes it."""
    error = read(**ERROR | {"id": "FROM_THE_FUTURE"}).to_error("hv01")
    assert (error.id, "FROM_THE_FUTURE" in error.message) == ("SCRIPT_ERROR", True)
    assert error.category is Category.INTERNAL


@pytest.mark.parametrize(
    "line", ["", "x", "[]", "{}", '{"kind": "new", "time": "2026-01-02T03:04:05Z"}', "1" * 9, "null"]
)
def test_a_line_that_is_no_record_is_a_protocol_error(line: str) -> None:
    """Whatever stands in a line, the error is the agent's own."""
    with pytest.raises(AethervError) as caught:
        parse_record(line)
    assert caught.value.id == "HOST_PROTOCOL_ERROR"


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
        lambda inner: (
            st.lists(inner) | st.dictionaries(st.sampled_from(["host", "vms", "images", "x"]), inner)
        ),
        max_leaves=8,
    )
)
def test_no_inventory_crashes_the_reader(value: Any) -> None:
    """Any JSON in the place of an inventory is a protocol error, never another exception."""
    result = read(kind="result", result={"host": value, "vms": value})
    with pytest.raises(AethervError) as caught:
        parse_inventory(result, "hv01")
    assert caught.value.id == "HOST_PROTOCOL_ERROR"
