"""The handler of deletes: one host job that may be started again; nothing is taken back."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from aetherv_agent.core.errors import AethervError, Leftover
from aetherv_agent.core.job_document import delete_document
from aetherv_agent.core.model import HostSettings, ShutdownMode
from aetherv_agent.core.ports import JobCall, JobPort
from aetherv_agent.operations.handlers import Work
from aetherv_agent.operations.model import JsonMapping, Operation

from .calls import call_seconds, forget_shell, host_of, left_seconds
from .relay import Relay
from .requests import ProvisioningSettings


class DeleteHandler:
    """Does deletes. Arguments as those of ``create.CreateHandler``."""

    slots = "changes"

    def __init__(
        self,
        jobs: JobPort,
        hosts: Mapping[str, HostSettings],
        settings: ProvisioningSettings,
        changed: Callable[[str], None],
    ) -> None:
        self._jobs = jobs
        self._changed = changed
        self._hosts = hosts
        self._settings = settings

    def undoes(self, operation: Operation, error: AethervError) -> bool:
        """Return False: a delete is repeatable and takes nothing back."""
        del operation, error
        return False

    async def do(self, work: Work) -> JsonMapping:
        """Run the job, or go on with it; return what it deleted and what it kept."""
        operation = work.operation
        host = host_of(operation, self._hosts)
        try:
            answer = await self._jobs.run_job(
                host.id,
                self._call(operation, host, cancel=False),
                on_record=Relay(work),
                shell=work.shell,
                save_shell=work.save_shell,
            )
        finally:
            self._changed(host.id)
        return {
            "existed": bool(answer.result.get("existed")),
            "deleted": list(answer.result.get("deleted") or ()),
            "kept": list(answer.result.get("kept") or ()),
        }

    async def undo(self, work: Work, cause: AethervError) -> tuple[Leftover, ...]:
        """Stop the job on the host and say what stands."""
        del cause
        operation = work.operation
        host = host_of(operation, self._hosts)
        try:
            await self._jobs.run_job(
                host.id,
                self._call(operation, host, cancel=True),
                on_record=Relay(work),
                shell=None,
                save_shell=forget_shell,
            )
        except AethervError as error:
            if not error.host_answered:
                raise
            if error.id in {"JOB_UNKNOWN", "JOB_CANCELLED"}:
                return error.leftovers or self._stands(operation, "It was not deleted.")
            raise
        return ()

    def abandoned(self, operation: Operation, cause: AethervError) -> tuple[Leftover, ...]:
        """Return the VM: nobody knows how far its delete came."""
        return self._stands(operation, f"How far its delete came is not known ({cause.id}).")

    @staticmethod
    def _stands(operation: Operation, text: str) -> tuple[Leftover, ...]:
        return (Leftover("vm", operation.host, operation.target, text),)

    def _stop_seconds(self, operation: Operation) -> int:
        # What follows a guest that does not shut down needs time of its own, or the deadline comes first each time.
        half = int(left_seconds(operation) / 2)
        return (
            max(1, min(self._settings.stop_timeout, half))
            if operation.deadline
            else self._settings.stop_timeout
        )

    def _call(self, operation: Operation, host: HostSettings, *, cancel: bool) -> JobCall:
        spec = operation.spec
        return JobCall(
            job_id=operation.id,
            script="delete",
            document=delete_document(
                operation.id,
                operation.target.removeprefix("vms/"),
                host,
                shutdown_mode=ShutdownMode(spec["shutdown_mode"]),
                keep_disks=bool(spec["keep_disks"]),
                allow_missing=bool(spec["allow_missing"]),
                stop_seconds=self._stop_seconds(operation),
                cancel=cancel,
            ),
            deadline_seconds=call_seconds(operation),
            cancel=cancel,
        )


def kept_by(operation: Operation) -> tuple[Leftover, ...]:
    """Return what a succeeded delete left because it was asked to (``keep_disks``)."""
    if operation.kind != "delete" or operation.result is None:
        return ()
    return tuple(
        Leftover(str(kept["kind"]), operation.host, str(kept["path"]), str(kept["message"]))
        for kept in operation.result.get("kept", ())
    )
