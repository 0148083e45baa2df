"""What every job script does around its steps: one run per id, followers, the outcome that is kept and relayed."""

from collections.abc import Callable, Mapping
from typing import Any

from aetherv_simhost.backends.emulated.context import Ends
from aetherv_simhost.backends.emulated.document import Document
from aetherv_simhost.backends.emulated.failures import JobFailed
from aetherv_simhost.backends.emulated.journal import Jobs
from aetherv_simhost.backends.emulated.records import Records
from aetherv_simhost.hyperv.host import HyperVHost


def error_outcome(failure: JobFailed, step: str = "", **more: Any) -> dict[str, Any]:
    """The ``error`` record of a failure, without time and job id."""
    given = {
        "step": step,
        "field": failure.field,
        "guest_state": failure.guest_state,
        "guest_message": failure.guest_message,
        **more,
    }
    return {
        "kind": "error",
        "id": failure.id,
        "category": failure.category,
        "message": failure.message,
        "retryable": failure.retryable,
        **{name: value for name, value in given.items() if value not in ("", None)},
    }


def run_once(
    host: HyperVHost,
    jobs: Jobs,
    document: Document,
    records: Records,
    ends: Ends,
    run: Callable[[], Mapping[str, Any]],
) -> None:
    """Runs a job under its lock, or follows the run that holds it, and writes the outcome.

    Args:
        host: The model.
        jobs: The jobs folder.
        document: The job's document; with ``cancel`` the run that goes on is asked to cancel.
        records: The output.
        ends: What ends this call.
        run: The job's run; gives its outcome. Called with the lock held.

    Raises:
        PipelineStopped: The call was stopped.
    """
    if document.cancel:
        jobs.ask_cancel(document.job_id, document.on_failure)
    records.log("debug", "The simulated host's emulated back-end answers: no PowerShell runs.")
    seen: dict[str, tuple[str, int]] = {}
    while True:
        lock = jobs.lock(document.job_id)
        if lock is not None:
            with lock:
                if seen:  # the run that was followed may have gone on since the last look
                    _relay(jobs, document.job_id, records, seen)
                records.outcome(run())
            return
        outcome = _relay(jobs, document.job_id, records, seen)
        if outcome is not None and not document.cancel:  # a cancel goes on until it can take the lock
            records.outcome(outcome)
            return
        ends.check()
        ends.stopped.wait(host.settings.host_seconds.poll)


def _relay(
    jobs: Jobs, job_id: str, records: Records, seen: dict[str, tuple[str, int]]
) -> Mapping[str, Any] | None:
    """Writes what changed in another run's journal; gives its outcome once it has one."""
    journal = jobs.read(job_id)
    if journal is None:
        return None
    records.vm_id = str(journal.get("vm_id") or "")
    for step, entry in journal["steps"].items():
        now = (str(entry["state"]), int(entry.get("done_bytes", 0)))
        if seen.get(step) == now:
            continue
        fresh = step not in seen
        seen[step] = now
        if fresh and entry["state"] != "started":
            records.progress(step, "started", entry["attempt"])
        running = entry["state"] == "started" and now[1] > 0
        records.progress(
            step,
            "running" if running else entry["state"],
            entry["attempt"],
            done_bytes=now[1] or None,
            total_bytes=entry.get("total_bytes"),
        )
    return journal["outcome"] if journal["state"] == "ended" else None


def unexpected(error: Exception) -> JobFailed:
    """The failure for an exception that no step expected; its text may hold anything, so only its kind is told."""
    return JobFailed("SCRIPT_ERROR", f"The script failed in a way it does not know ({type(error).__name__}).")
