"""A real SIGKILL at every boundary: the operation ends once, with its truth kept by the host's journal."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

PROGRAM = Path(__file__).with_name("program.py")
STEPS = ["copy_image", "register_vm", "publish", "wait_applied"]
BOUNDARIES = ["submitted", *(f"{when} {step}" for step in STEPS for when in ("begin", "done"))]


def run(folder: Path, secrets: str, kill_at: str | None) -> dict[str, Any] | None:
    """Run the program until it ends, or kill it when it says a line; return what it told at its end.

    It may end before it says the line: what it had to say there was said before an earlier kill.
    """
    command = [sys.executable, str(PROGRAM), str(folder), secrets]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if line.strip() == kill_at:
                process.kill()
                return None
            if line.startswith("ended "):
                told: dict[str, Any] = json.loads(line.removeprefix("ended "))
                process.wait(30)
                return told
    pytest.fail("The program neither ended nor said the line.")


@pytest.mark.parametrize("at", BOUNDARIES)
def test_a_killed_agent_ends_its_operation_once(tmp_path: Path, at: str) -> None:
    """Without secrets every kill is survived: one journal, each step once, no undo."""
    assert run(tmp_path, "none", at) is None
    told = run(tmp_path, "none", None)
    assert told is not None
    assert (told["state"], told["error"]) == ("succeeded", None)
    assert (tmp_path / f"{told['id']}.journal").read_text().splitlines() == STEPS
    assert list(tmp_path.glob("*.undone")) == []
    assert told["sequences"] == [*range(1, len(told["sequences"])), len(told["sequences"]) - 1]


def test_killed_at_every_step_of_one_operation_it_still_ends_once(tmp_path: Path) -> None:
    """Nine kills in a row change nothing in what comes out."""
    kills = 0
    told = None
    for at in BOUNDARIES:
        told = run(tmp_path, "none", at)
        if told is not None:
            break
        kills += 1
    told = told or run(tmp_path, "none", None)
    assert kills >= len(STEPS)
    assert told is not None
    assert told["state"] == "succeeded"
    assert (tmp_path / f"{told['id']}.journal").read_text().splitlines() == STEPS


@pytest.mark.parametrize(
    ("at", "state", "error"),
    [
        ("begin register_vm", "failed", "SECRET_UNAVAILABLE"),
        ("done publish", "succeeded", None),
        ("published", "succeeded", None),
    ],
)
def test_a_lost_secret_matters_until_the_host_has_it(
    tmp_path: Path, at: str, state: str, error: str | None
) -> None:
    """Killed before the guest had its secrets: undone, SECRET_UNAVAILABLE. After it: goes on to the end."""
    assert run(tmp_path, "secrets", at) is None
    told = run(tmp_path, "secrets", None)
    assert told is not None
    assert (told["state"], told["error"]) == (state, error)
    assert len(list(tmp_path.glob("*.journal"))) == (1 if error is None else 0)
    assert len(list(tmp_path.glob("*.undone"))) == (0 if error is None else 1)
    assert not any(b"hunter2" in path.read_bytes() for path in tmp_path.iterdir())


def test_an_undo_that_is_killed_is_finished(tmp_path: Path) -> None:
    """The phase stands in the row: after the kill the undo is called again, and nothing else."""
    assert run(tmp_path, "secrets", "begin register_vm") is None
    assert run(tmp_path, "secrets", "begin undo") is None
    told = run(tmp_path, "secrets", None)
    assert told is not None
    assert (told["state"], told["error"]) == ("failed", "SECRET_UNAVAILABLE")
    assert list(tmp_path.glob("*.journal")) == []
