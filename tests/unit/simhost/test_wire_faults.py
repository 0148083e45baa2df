"""The registry of faults."""

import json
from pathlib import Path

import pytest
from aetherv_simhost.faults import FAULTS_FILE, Fault, Faults, FaultsFileError, read_faults, write_faults


def test_count_and_after() -> None:
    """A fault lets ``after`` matches pass, then happens ``count`` times."""
    faults = Faults()
    faults.add(Fault("reset", count=2, after=1))
    assert [faults.take("reset") is not None for _ in range(5)] == [False, True, True, False, False]


def test_for_ever() -> None:
    """A count of -1 never ends, and peek counts nothing."""
    faults = Faults()
    faults.add(Fault("reset", count=-1))
    assert faults.peek("reset") is not None
    assert all(faults.take("reset") for _ in range(10))


def test_where_and_vm() -> None:
    """A place and a VM restrict a fault; both are compared without case."""
    faults = Faults()
    faults.add(Fault("guest_fails", "wait_ready", "Web-1", count=-1))
    assert faults.take("guest_fails", "wait_ready", "other") is None
    assert faults.take("guest_fails", "publish", "web-1") is None
    assert faults.take("guest_never_ready", "wait_ready", "web-1") is None
    assert faults.take("guest_fails", "Wait_Ready", "WEB-1") is not None


def test_only_one_fault_happens_at_a_time() -> None:
    """Two equal faults happen one after the other."""
    faults = Faults()
    faults.add(Fault("reset", value=1))
    faults.add(Fault("reset", value=2))
    taken = [faults.take("reset") for _ in range(3)]
    assert [fault.value if fault else None for fault in taken] == [1, 2, None]


@pytest.mark.parametrize(
    "wrong", [{"kind": "nonsense"}, {"kind": "reset", "count": -2}, {"kind": "reset", "after": -1}]
)
def test_refuses_what_it_does_not_know(wrong: dict[str, object]) -> None:
    """An unknown kind or a senseless number is refused with a text."""
    with pytest.raises(ValueError, match=r"fault"):
        Fault(**wrong)  # type: ignore[arg-type]  # wrong on purpose


def test_file_is_read_when_it_changes(tmp_path: Path) -> None:
    """Faults come and go with the file of a running host."""
    faults = Faults(tmp_path)
    assert faults.take("reset") is None
    write_faults(tmp_path, Fault("reset"), Fault("disk_full"))
    assert faults.take("reset") is not None
    assert faults.take("reset") is None
    write_faults(tmp_path)
    assert faults.take("disk_full") is None


def test_spent_faults_of_a_file_stay_spent(tmp_path: Path) -> None:
    """A fault that happened does not happen again after a restart or a rewrite, until it left the file."""
    write_faults(tmp_path, Fault("reset"))
    assert Faults(tmp_path).take("reset") is not None
    again = Faults(tmp_path)
    assert again.take("reset") is None
    write_faults(tmp_path, Fault("reset"), Fault("latency"))
    assert again.take("reset") is None
    write_faults(tmp_path)
    assert again.take("reset") is None
    write_faults(tmp_path, Fault("reset"))
    assert again.take("reset") is not None


def test_equal_entries_and_ids(tmp_path: Path) -> None:
    """Two equal entries are two faults; an id makes an entry a new one."""
    path = tmp_path / FAULTS_FILE
    path.write_text(json.dumps([{"kind": "reset"}, {"kind": "reset"}, {"id": "a", "kind": "reset"}]))
    assert len(read_faults(path)) == 3


@pytest.mark.parametrize(
    "text", ["{", "{}", "[1]", '[{"kind": "nonsense"}]', '[{"kind": "reset", "more": 1}]', "[{}]"]
)
def test_a_broken_file_changes_nothing(tmp_path: Path, text: str) -> None:
    """A file that cannot be read is reported, and the faults before it stay."""
    reports: list[str] = []
    write_faults(tmp_path, Fault("reset", count=-1))
    faults = Faults(tmp_path, reports.append)
    assert faults.take("reset") is not None
    (tmp_path / FAULTS_FILE).write_text(text)
    assert faults.take("reset") is not None
    assert len(reports) == 1
    with pytest.raises(FaultsFileError):
        read_faults(tmp_path / FAULTS_FILE)


def test_clear(tmp_path: Path) -> None:
    """Clear forgets the faults of the process and those of the file."""
    write_faults(tmp_path, Fault("reset"))
    faults = Faults(tmp_path)
    faults.add(Fault("latency"))
    faults.clear()
    assert faults.take("reset") is None
    assert faults.take("latency") is None
