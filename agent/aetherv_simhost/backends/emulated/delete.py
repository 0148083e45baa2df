"""``Invoke-DeleteVmJob.ps1``: removes a VM by its id, with its disks or without (design host-contract)."""

import logging
from collections.abc import Callable, Mapping
from typing import Any, Final

from aetherv_agent.core.model import VmSecrets

from aetherv_simhost.backends.api import HostReboots, ScriptCall
from aetherv_simhost.backends.emulated.context import Ends, JobContext
from aetherv_simhost.backends.emulated.document import Document, read_document
from aetherv_simhost.backends.emulated.failures import JobFailed, PipelineStopped, failure_of
from aetherv_simhost.backends.emulated.job import error_outcome, run_once, unexpected
from aetherv_simhost.backends.emulated.journal import Jobs, Journal
from aetherv_simhost.backends.emulated.records import Records
from aetherv_simhost.backends.emulated.validate import judge_host
from aetherv_simhost.hyperv import paths
from aetherv_simhost.hyperv.errors import FileError, FileMissing, HyperVError, InvalidState, VmNotFound
from aetherv_simhost.hyperv.host import HyperVHost
from aetherv_simhost.hyperv.vm import State

_LOG: Final = logging.getLogger(__name__)
_MODES: Final = ("graceful", "graceful_then_off", "off")
_STOP_SECONDS: Final = 60
_RELEASE_SECONDS: Final = 60


class DeleteScript:
    """The script on one host; ``ended`` as for `Jobs`."""

    def __init__(self, host: HyperVHost, ended: dict[str, int]) -> None:
        self._host = host
        self._ended = ended

    def run(self, call: ScriptCall, write: Callable[[str], None], ends: Ends) -> None:
        """Runs one call to its last record; a stopped call just ends."""
        try:
            document = read_document("delete", call)
            _judge(document)
        except JobFailed as failure:
            Records(write, "").outcome(error_outcome(failure))
            return
        records = Records(write, document.job_id)
        try:
            jobs = Jobs(self._host.files, document.host.jobs_directory, self._ended)
        except HyperVError as error:
            records.outcome(error_outcome(failure_of(error)))
            return
        run_once(self._host, jobs, document, records, ends, lambda: self._own(document, jobs, records, ends))

    def _own(self, document: Document, jobs: Jobs, records: Records, ends: Ends) -> Mapping[str, Any]:
        try:
            judge_host(self._host)
            journal = Journal.open(jobs, document.job_id)
        except JobFailed as failure:
            return error_outcome(failure)
        if journal is not None and journal.ended and journal.values["outcome"]["kind"] == "result":
            kept: Mapping[str, Any] = journal.values["outcome"]
            return kept
        if journal is None:
            if document.cancel:
                text = f"No job {document.job_id} has a journal on {self._host.computer_name}."
                return error_outcome(JobFailed("JOB_UNKNOWN", text))
            journal = Journal.begin(jobs, document.job_id, "delete", "", facts=None)
        journal.save(state="running", outcome=None)
        context = JobContext(self._host, jobs, journal, records, document, ends, VmSecrets())
        try:
            outcome = self._steps(context)
        except (PipelineStopped, HostReboots):
            raise
        except JobFailed as failure:
            outcome = error_outcome(failure, str(journal.values["step"]))
        except HyperVError as error:
            outcome = error_outcome(failure_of(error), str(journal.values["step"]))
        except Exception as error:  # noqa: BLE001  # whatever breaks, the caller gets a typed record
            _LOG.exception("a delete job broke")
            outcome = error_outcome(unexpected(error), str(journal.values["step"]))
        journal.save(state="ended", outcome=outcome, step="")
        return outcome

    def _steps(self, context: JobContext) -> Mapping[str, Any]:
        facts = _inspect(context)
        if facts["existed"]:
            _leave_cluster(context)
            _stop(context)
            _remove(context, facts)
        deleted, kept = _delete_files(context, facts)
        result = {"vm_id": facts["vm_id"], "existed": facts["existed"], "deleted": deleted, "kept": kept}
        return {"kind": "result", "result": result}


def _judge(document: Document) -> None:
    vm = document.raw
    if not isinstance(vm.get("id"), str) or not vm["id"]:
        raise JobFailed("DOCUMENT_INVALID", "vm.id must be a VM's GUID.")
    if vm.get("shutdown_mode", "graceful_then_off") not in _MODES:
        raise JobFailed("DOCUMENT_INVALID", f"vm.shutdown_mode must be one of {', '.join(_MODES)}.")


def _inspect(context: JobContext) -> dict[str, Any]:
    """What the VM has: noted before anything is removed, so that a second run knows it."""
    with context.step("inspect") as needed:
        if needed:
            wanted = str(context.document.raw["id"]).lower()
            facts: dict[str, Any] = {"vm_id": wanted, "existed": False, "files": [], "folders": []}
            try:
                vm = context.host.vm(wanted)
            except VmNotFound:
                if context.document.raw.get("allow_missing") is not True:
                    raise JobFailed(
                        "VM_NOT_FOUND", f"No VM has the id {wanted} on {context.host.computer_name}."
                    ) from None
            else:
                others = {d.casefold() for o in context.host.vms() if o.id != vm.id for d in o.all_disks()}
                disks = [d for d in vm.all_disks() if paths.within(d, vm.path) and d.casefold() not in others]
                isos = [p for p in vm.drives if p and paths.within(p, vm.path)]
                facts |= {
                    "existed": True,
                    "disks": disks,
                    "isos": isos,
                    "foreign": [d for d in vm.all_disks() if d not in disks],
                    "path": vm.path,
                }
                context.journal.values |= {"vm_name": vm.name, "vm_id": vm.id}
            context.journal.save(facts=facts)
    found: dict[str, Any] = context.journal.values["facts"]
    return found


def _leave_cluster(context: JobContext) -> None:
    vm_id = context.journal.vm_id
    if vm_id not in context.host.cluster.roles:
        return
    with context.step("cluster") as needed:
        if needed:
            context.host.remove_role(vm_id)


def _stop(context: JobContext) -> None:
    with context.step("stop") as needed:
        if not needed:
            return
        try:
            vm = context.vm()
        except VmNotFound:
            return
        if vm.state is State.OFF:
            return
        mode = context.document.raw.get("shutdown_mode", "graceful_then_off")
        if mode == "off":
            context.host.stop_vm(vm.id, turn_off=True)
            return
        timeout = context.document.seconds("stop", _STOP_SECONDS)
        refusal = ""
        for _ in context.looks(timeout):
            try:
                context.host.stop_vm(vm.id, turn_off=False)
            except InvalidState as error:
                refusal = str(error)
            else:
                return
        if mode == "graceful":
            raise JobFailed(
                "VM_STOP_FAILED", f"{vm.name!r} did not shut down within {timeout:g} s: {refusal}"
            )
        context.host.stop_vm(vm.id, turn_off=True)


def _remove(context: JobContext, facts: Mapping[str, Any]) -> None:
    with context.step("remove_vm") as needed:
        if needed:
            try:
                context.host.remove_vm(context.journal.vm_id)
            except VmNotFound:
                return
            except InvalidState as error:
                raise JobFailed("VM_REMOVE_FAILED", str(error)) from error
    with context.step("wait_released") as needed:
        if not needed:
            return
        locked: list[str] = []
        for _ in context.looks(_RELEASE_SECONDS):
            locked = [
                p for p in (*facts["disks"], *facts["isos"]) if not context.host.files.can_open_alone(p)
            ]
            if not locked:
                return
        raise JobFailed("FILE_LOCKED", f"Files of the removed VM stay open: {', '.join(locked)}.")


def _delete_files(context: JobContext, facts: Mapping[str, Any]) -> tuple[list[str], list[dict[str, str]]]:
    with context.step("delete_files") as needed:
        if needed:
            keep = context.document.raw.get("keep_disks") is True
            doomed = [*([] if keep else facts.get("disks", [])), *facts.get("isos", [])]
            deleted: list[str] = list(context.journal.values.get("deleted", []))
            for path in doomed:
                try:
                    context.host.files.delete(path)
                except FileMissing:
                    continue
                deleted.append(path)
                context.journal.save(deleted=deleted)
            if facts.get("path") and not keep:
                _delete_folder(context, facts["path"], deleted)
            context.journal.save(deleted=deleted, kept=_kept(context, facts, keep=keep))
    values = context.journal.values
    return values["deleted"], values["kept"]


def _delete_folder(context: JobContext, folder: str, deleted: list[str]) -> None:
    files = context.host.files
    for path in (paths.join(folder, "Virtual Machines"), folder):
        try:
            files.delete_dir(path)
        except FileMissing:
            continue
        except FileError as error:
            context.records.log("warning", f"The folder stays: {error}", reason="FOLDER_KEPT")
            return
    deleted.append(folder)


def _kept(context: JobContext, facts: Mapping[str, Any], *, keep: bool) -> list[dict[str, str]]:
    kept = [
        {"kind": "disk", "path": p, "message": "is not this VM's alone"} for p in facts.get("foreign", [])
    ]
    if keep:
        there = [p for p in facts.get("disks", []) if context.host.files.exists(p)]
        kept += [{"kind": "disk", "path": p, "message": "keep_disks was asked for"} for p in there]
    if facts.get("path") and context.host.files.exists(facts["path"]):
        kept.append({"kind": "folder", "path": facts["path"], "message": "is not empty"})
    return kept
