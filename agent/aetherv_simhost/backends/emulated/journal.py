r"""Journals of jobs: ``jobs\<job_id>.json`` on the host's disk, without secrets. The truth of a job."""

import json
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from aetherv_agent import contracts

from aetherv_simhost.backends.emulated.failures import JobFailed
from aetherv_simhost.backends.emulated.locks import FileLock, is_locked, try_lock
from aetherv_simhost.hyperv.files import HostFiles

FORMAT: Final = 1


class Jobs:
    """The jobs folder of a host.

    Args:
        files: The host's files.
        folder: The folder's Windows path; made if it is not there.
        ended: Names of journals that are known to have ended, with the time of their last write; shared by all who
            list jobs, so that a journal that ended is read once.
    """

    def __init__(self, files: HostFiles, folder: str, ended: dict[str, int]) -> None:
        files.make_dir(folder)
        self._folder = files.real(folder)
        self._ended = ended

    def lock(self, job_id: str) -> FileLock | None:
        """The lock of a job; None while another run holds it."""
        return try_lock(self._real(f"{job_id}.lock"))

    def running(self, job_id: str) -> bool:
        """Whether a run holds the job's lock."""
        return is_locked(self._real(f"{job_id}.lock"))

    def slots(self, copies: int) -> list[Path]:
        """The files of the copy slots."""
        return [self._real(f"copy-{number}.lock") for number in range(1, max(1, copies) + 1)]

    def ask_cancel(self, job_id: str, on_failure: str) -> None:
        """Asks the job's run, now or later, to cancel; the file says what is to stand then."""
        real = self._real(f"{job_id}.cancel")
        partial = real.with_suffix(".asking")
        partial.write_text(on_failure, encoding="utf-8")
        partial.replace(real)

    def cancel_asked(self, job_id: str) -> str:
        """What is to stand of a job that is to be cancelled: a policy; empty where nobody asked."""
        try:
            return self._real(f"{job_id}.cancel").read_text(encoding="utf-8").strip() or "rollback"
        except FileNotFoundError:
            return ""

    def read(self, job_id: str) -> dict[str, Any] | None:
        """A job's journal as it is now; None where there is none."""
        try:
            raw = json.loads(self._real(f"{job_id}.json").read_text(encoding="utf-8"))
        except (FileNotFoundError, ValueError):
            return None
        return raw if isinstance(raw, dict) else None

    def write(self, job_id: str, values: Mapping[str, Any]) -> None:
        """Replaces a job's journal in one step."""
        real = self._real(f"{job_id}.json")
        partial = real.with_suffix(".partial")
        partial.write_text(json.dumps(values), encoding="utf-8")
        partial.replace(real)

    def open(self) -> Iterator[dict[str, Any]]:
        """Every journal in the folder that has not ended."""
        for path in sorted(self._folder.glob("*.json")):
            try:
                written = path.stat().st_mtime_ns
            except FileNotFoundError:
                continue
            if self._ended.get(str(path)) == written or (journal := self.read(path.stem)) is None:
                continue
            if journal["state"] == "ended":
                self._ended[str(path)] = written
            else:
                yield journal

    def _real(self, name: str) -> Path:
        return self._folder / name


class Journal:
    """One job's journal, written at every change. Only the run that holds the job's lock has one.

    Args:
        jobs: The jobs folder.
        values: What stands in it.
    """

    def __init__(self, jobs: Jobs, values: dict[str, Any]) -> None:
        self._jobs = jobs
        self.values = values

    @classmethod
    def open(cls, jobs: Jobs, job_id: str) -> "Journal | None":
        """The journal of a known job.

        Raises:
            JobFailed: JOURNAL_NEWER.
        """
        values = jobs.read(job_id)
        if values is None:
            return None
        if values.get("format", 0) > FORMAT:
            raise JobFailed(
                "JOURNAL_NEWER",
                f"The journal of job {job_id} has format {values['format']}; these scripts know {FORMAT}.",
            )
        return cls(jobs, values)

    @classmethod
    def begin(cls, jobs: Jobs, job_id: str, script: str, vm_name: str, **facts: Any) -> "Journal":
        """Begins a journal and writes it."""
        journal = cls(
            jobs,
            {
                "format": FORMAT,
                "job_id": job_id,
                "script": script,
                "scripts_version": contracts.scripts_version(),
                "state": "running",
                "vm_name": vm_name,
                "vm_id": "",
                "step": "",
                "steps": {},
                "made": [],
                "reserved_bytes": 0,
                "outcome": None,
                "error": None,
                "undone": False,
                **facts,
            },
        )
        journal.save()
        return journal

    @property
    def job_id(self) -> str:
        """The job's id."""
        return str(self.values["job_id"])

    @property
    def vm_id(self) -> str:
        """The VM's id; empty before it is made."""
        return str(self.values["vm_id"])

    @property
    def ended(self) -> bool:
        """Whether the job has its outcome."""
        return bool(self.values["state"] == "ended")

    def save(self, **values: Any) -> None:
        """Writes the journal, with changed values."""
        self.values.update(values)
        self._jobs.write(self.job_id, self.values)

    def done(self, step: str) -> bool:
        """Whether a step is done."""
        entry: Mapping[str, str] = self.values["steps"].get(step, {})
        return entry.get("state", "") == "done"

    def begin_step(self, step: str) -> int:
        """Notes that a step starts, and returns its attempt, from 1."""
        before = self.values["steps"].get(step, {})
        attempt = int(before.get("attempt", 0)) + 1
        self.values["steps"][step] = {"state": "started", "attempt": attempt, "began": time.time()}
        self.save(step=step)
        return attempt

    def end_step(self, step: str, state: str = "done", message: str = "") -> None:
        """Notes how a step ended."""
        entry = self.values["steps"].setdefault(step, {"attempt": 1, "began": time.time()})
        entry |= {"state": state, "seconds": round(time.time() - entry["began"], 3), "message": message}
        self.save()

    def note(self, step: str, **values: Any) -> None:
        """Adds to a step's entry, such as the bytes that are copied."""
        self.values["steps"][step].update(values)
        self.save()

    def make(self, kind: str, path: str) -> None:
        """Notes what is about to be made, so that a kill in between leaves nothing that nobody knows of."""
        if {"kind": kind, "path": path} not in self.values["made"]:
            self.values["made"].append({"kind": kind, "path": path})
            self.save()

    def unmake(self, kind: str, path: str) -> None:
        """Notes that something is gone again."""
        self.values["made"] = [m for m in self.values["made"] if m != {"kind": kind, "path": path}]
        self.save()

    def durations(self) -> dict[str, float]:
        """Seconds by step."""
        return {name: entry["seconds"] for name, entry in self.values["steps"].items() if "seconds" in entry}
