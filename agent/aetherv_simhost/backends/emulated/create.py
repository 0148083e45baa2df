"""``Invoke-ProvisioningJob.ps1``: a VM from a golden image, or nothing (design host-contract)."""

import logging
import threading
from collections.abc import Callable, Mapping
from typing import Any, Final

from aetherv_simhost.backends.api import HostReboots, ScriptCall
from aetherv_simhost.backends.emulated import undo, validate
from aetherv_simhost.backends.emulated.context import Ends, JobContext
from aetherv_simhost.backends.emulated.document import Document, read_document, secrets_of, spec_of
from aetherv_simhost.backends.emulated.failures import JobFailed, PipelineStopped, failure_of
from aetherv_simhost.backends.emulated.job import error_outcome, run_once, unexpected
from aetherv_simhost.backends.emulated.journal import Jobs, Journal
from aetherv_simhost.backends.emulated.plan import Plan
from aetherv_simhost.backends.emulated.records import Records
from aetherv_simhost.backends.emulated.steps import copying, exchange, finish, register
from aetherv_simhost.backends.emulated.vm_record import vm_record
from aetherv_simhost.hyperv.errors import HyperVError, VmNotFound
from aetherv_simhost.hyperv.host import HyperVHost

_LOG: Final = logging.getLogger(__name__)
_STEPS: Final[tuple[Callable[[JobContext], None], ...]] = (
    copying.copy_image,
    copying.copy_iso,
    register.register_vm,
    exchange.wait_ready,
    exchange.publish,
    exchange.wait_applied,
    finish.verify,
    finish.cleanup_iso,
    finish.power_off,
    finish.cluster,
)


class CreateScript:
    """The script on one host.

    Args:
        host: The model.
        ended: See `Jobs`.
        planning: Held while a job looks for its place, so that two jobs never find the same one.
    """

    def __init__(self, host: HyperVHost, ended: dict[str, int], planning: threading.Lock) -> None:
        self._host = host
        self._ended = ended
        self._planning = planning

    def run(self, call: ScriptCall, write: Callable[[str], None], ends: Ends) -> None:
        """Runs one call to its last record; a stopped call just ends."""
        try:
            document = read_document("create", call)
        except JobFailed as failure:
            Records(write, "").outcome(error_outcome(failure, undone=True))
            return
        records = Records(write, document.job_id)
        try:
            jobs = Jobs(self._host.files, document.host.jobs_directory, self._ended)
        except HyperVError as error:
            records.outcome(error_outcome(failure_of(error), undone=True))
            return
        run_once(
            self._host, jobs, document, records, ends, lambda: self._own(call, document, jobs, records, ends)
        )

    def _own(
        self, call: ScriptCall, document: Document, jobs: Jobs, records: Records, ends: Ends
    ) -> Mapping[str, Any]:
        try:
            journal = Journal.open(jobs, document.job_id)
        except JobFailed as failure:
            return error_outcome(failure)
        if (settled := self._settled(document, jobs, journal)) is not None:
            return settled
        try:
            context = self._begin(call, document, jobs, journal, records, ends)
        except JobFailed as failure:
            if journal is None:
                return error_outcome(failure, undone=True)
            context = self._bare(document, jobs, journal, records, ends)
            return _fail(context, failure)
        return self._go(context)

    def _settled(self, document: Document, jobs: Jobs, journal: Journal | None) -> Mapping[str, Any] | None:
        """The outcome of a job that has nothing left to do."""
        if journal is not None:
            if not journal.ended or (document.cancel and not journal.values["undone"]):
                return None
            kept: Mapping[str, Any] = journal.values["outcome"]
            return _cancelled(document.job_id) if document.cancel else kept
        if not jobs.cancel_asked(document.job_id):
            return None
        if not document.cancel:
            return _cancelled(document.job_id)
        text = f"No job {document.job_id} has a journal on {self._host.computer_name}."
        return error_outcome(JobFailed("JOB_UNKNOWN", text), undone=True)

    def _begin(
        self,
        call: ScriptCall,
        document: Document,
        jobs: Jobs,
        journal: Journal | None,
        records: Records,
        ends: Ends,
    ) -> JobContext:
        if journal is not None and (document.cancel or journal.values["error"] is not None):
            return self._bare(document, jobs, journal, records, ends)
        spec, secrets = spec_of(document), secrets_of(document, call)
        published = journal is not None and bool(journal.values.get("sealed"))
        spec, _, version = validate.judge_fields(
            self._host,
            document,
            spec,
            None if published else secrets,
            records,
        )
        if journal is None:
            with self._planning:
                plan = validate.make_plan(self._host, jobs, document, spec, version, delegated=call.delegated)
                journal = Journal.begin(
                    jobs,
                    document.job_id,
                    "create",
                    spec.vm_name,
                    plan=plan.to_json(),
                    on_failure=document.on_failure,
                    reserved_bytes=plan.image_bytes,
                    reserved_memory=plan.memory_bytes,
                )
        plan = Plan.from_json(journal.values["plan"])
        journal.save(state="running")
        return JobContext(self._host, jobs, journal, records, document, ends, secrets, spec, plan)

    def _bare(
        self, document: Document, jobs: Jobs, journal: Journal, records: Records, ends: Ends
    ) -> JobContext:
        nothing = ScriptCall(document.host.id, "")
        return JobContext(self._host, jobs, journal, records, document, ends, secrets_of(document, nothing))

    @staticmethod
    def _go(context: JobContext) -> Mapping[str, Any]:
        if context.document.cancel:
            return _fail(context, _cancelled_failure(context.journal.job_id))
        if (kept := context.journal.values["error"]) is not None:
            return _end(context, kept)
        try:
            for step in _STEPS:
                context.check()
                step(context)
        except JobFailed as failure:
            return _fail(context, failure)
        except (PipelineStopped, HostReboots):
            raise
        except HyperVError as error:
            return _fail(context, failure_of(error))
        except Exception as error:  # noqa: BLE001  # whatever breaks, the caller gets a typed record
            _LOG.exception("a provisioning job broke")
            return _fail(context, unexpected(error))
        return _succeed(context)


def _succeed(context: JobContext) -> Mapping[str, Any]:
    values = context.journal.values
    guest = values.get("guest", {})
    result: dict[str, Any] = {
        "vm": vm_record(context.host, context.vm()),
        "cluster": context.host.cluster.name or None,
        "guest_state": guest.get("state", "applied"),
        "guest_message": values.get("verify_message") or guest.get("message") or None,
        "verified": values.get("verified"),
        "durations": context.journal.durations(),
    }
    outcome = {
        "kind": "result",
        "result": {name: value for name, value in result.items() if value is not None},
    }
    context.journal.save(state="ended", outcome=outcome, step="")
    return outcome


def _fail(context: JobContext, failure: JobFailed) -> Mapping[str, Any]:
    """Keeps the typed error first, so that an undo that is cut off is finished by the next start."""
    error = error_outcome(failure, str(context.journal.values["step"]))
    context.journal.save(error=error)
    return _end(context, error)


def _end(context: JobContext, error: Mapping[str, Any]) -> Mapping[str, Any]:
    outcome = dict(error)
    if _takes_back(context, error):
        left = undo.undo(context)
        outcome["undone"] = not left
        if left:
            outcome["leftovers"] = left
            places = ", ".join(item["path"] for item in left)
            outcome["message"] = f"{outcome['message']} Not all could be removed again; left are {places}."
        context.journal.save(undone=not left)
    else:
        outcome["undone"] = False
        outcome["leftovers"] = undo.leftovers(context)
        try:
            outcome["vm"] = vm_record(context.host, context.vm())
        except VmNotFound:
            outcome.pop("vm", None)
    context.journal.save(state="ended", outcome=outcome, step="")
    return outcome


def _takes_back(context: JobContext, error: Mapping[str, Any]) -> bool:
    policy = context.journal.values["on_failure"]
    if error["id"] == "JOB_CANCELLED":  # who cancels says what is to stand
        policy = context.jobs.cancel_asked(context.journal.job_id)
    return policy == "rollback" or (policy == "keep_after_publish" and not context.journal.done("publish"))


def _cancelled_failure(job_id: str) -> JobFailed:
    return JobFailed("JOB_CANCELLED", f"Job {job_id} was cancelled.")


def _cancelled(job_id: str) -> Mapping[str, Any]:
    return error_outcome(_cancelled_failure(job_id), undone=True)
