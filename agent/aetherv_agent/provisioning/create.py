"""The handler of creates: one host job, and its undo.

The host's journal knows how far a job is; this handler starts the same job id again after every interruption, which
is safe because each step of the script is get-or-create.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any

from aetherv_agent.core.dialects import default_dialect
from aetherv_agent.core.errors import AethervError, Leftover
from aetherv_agent.core.job_document import create_document
from aetherv_agent.core.model import (
    FailurePolicy,
    GuestWait,
    HostSettings,
    IpWait,
    OsFamily,
    PowerState,
    Vm,
    VmSpec,
)
from aetherv_agent.core.ports import JobCall, JobPort
from aetherv_agent.core.results import parse_vm
from aetherv_agent.operations.handlers import SecretLost, Work
from aetherv_agent.operations.model import JsonMapping, Operation, StepState

from .calls import call_seconds, forget_shell, host_of
from .inventories import Inventories
from .ip_wait import wait_for_address
from .relay import PUBLISH_STEP, Relay
from .requests import ProvisioningSettings

_AFTER_PUBLISH = "keep_after_publish"


class CreateHandler:
    """Does and undoes creates.

    Args:
        jobs: runs host scripts.
        hosts: the settings of every configured host, by id.
        settings: times.
        inventories: what stands on the hosts; is told which host a job may have changed.
    """

    slots = "jobs"

    def __init__(
        self,
        jobs: JobPort,
        hosts: Mapping[str, HostSettings],
        settings: ProvisioningSettings,
        inventories: Inventories,
    ) -> None:
        self._jobs = jobs
        self._inventories = inventories
        self._hosts = hosts
        self._settings = settings

    def undoes(self, operation: Operation, error: AethervError) -> bool:
        """Return whether a typed failure of the host is followed by an undo: what was made may not stay."""
        return not error.undone and not _kept(operation)

    async def do(self, work: Work) -> JsonMapping:
        """Run the job, or go on with it; return its VM (``vm_of`` reads it)."""
        operation = work.operation
        host = host_of(operation, self._hosts)
        given = work.secrets() if work.has_secrets else None
        call = self._call(operation, host, given, _policy(operation), cancel=False)
        try:
            answer = await self._jobs.run_job(
                host.id,
                call,
                on_record=Relay(work, secrets_end=True),
                shell=work.shell,
                save_shell=work.save_shell,
            )
        except AethervError as error:
            if error.id == "SECRET_MISSING" and given is None and error.host_answered:
                raise SecretLost from error
            if "vm" in error.metadata:
                await work.set_target(error.metadata["vm"])
            raise
        finally:
            self._inventories.invalidate(host.id)
        vm = dict(answer.result["vm"])
        await work.secrets_published()
        await work.set_target(f"vms/{str(vm['id']).lower()}")
        wanted = IpWait(operation.spec.get("wait_for_ip", IpWait.NONE))
        if wanted is not IpWait.NONE:
            made = parse_vm(vm, host.id, answer.time)
            found = await wait_for_address(work, made, wanted, self._inventories)
            vm["adapters"] = [asdict(adapter) for adapter in found.adapters]
        return {
            "vm": vm,
            "time": answer.time.isoformat(),
            "host": host.id,
            "cluster": str(answer.result.get("cluster") or ""),
        }

    async def undo(self, work: Work, cause: AethervError) -> tuple[Leftover, ...]:
        """End the job on the host and take back what it made, unless the request said that it stays."""
        operation = work.operation
        host = host_of(operation, self._hosts)
        stays = cause.id != "OPERATION_CANCELLED" and _kept(operation)
        policy = FailurePolicy.KEEP if stays else FailurePolicy.ROLLBACK
        call = self._call(operation, host, None, policy.value, cancel=True)
        try:
            await self._jobs.run_job(
                host.id, call, on_record=Relay(work), shell=None, save_shell=forget_shell
            )
        except AethervError as error:
            if not error.host_answered:
                raise
            if error.id == "JOB_UNKNOWN":
                return ()
            if error.id == "JOB_CANCELLED":
                return error.leftovers
            raise
        finally:
            self._inventories.invalidate(host.id)
        return ()

    def abandoned(self, operation: Operation, cause: AethervError) -> tuple[Leftover, ...]:
        """Return what may stand if no undo ever came through: the VM, or its folder."""
        text = f"The undo of {operation.name} never reached the host ({cause.id}); look for it there."
        if operation.target:
            return (Leftover("vm", operation.host, operation.target, text),)
        return (Leftover("folder", operation.host, operation.vm_name, text),)

    def _call(
        self,
        operation: Operation,
        host: HostSettings,
        secrets: Mapping[str, str] | None,
        on_failure: str,
        *,
        cancel: bool,
    ) -> JobCall:
        settings = self._settings
        spec = spec_of(operation)
        timeouts = {
            "wait_ready": settings.wait_ready,
            "wait_applied": settings.wait_applied,
            "verify_timeout": settings.verify_timeout,
            "settle_seconds": _settle_seconds(spec, settings),
        }
        return JobCall(
            job_id=operation.id,
            script="create",
            document=create_document(
                operation.id, spec, host, on_failure=on_failure, timeouts=timeouts, cancel=cancel
            ),
            deadline_seconds=call_seconds(operation),
            secrets=secrets,
            cancel=cancel,
        )


def spec_of(operation: Operation) -> VmSpec:
    """Return the effective spec that an operation's row holds."""
    raw: dict[str, Any] = dict(operation.spec["fields"])
    if "os_family" in raw:
        raw["os_family"] = OsFamily(raw["os_family"])
    if "power_state" in raw:
        raw["power_state"] = PowerState(raw["power_state"])
    return VmSpec(**raw)


def vm_of(operation: Operation) -> Vm:
    """Return the VM that a succeeded create made."""
    result = operation.result or {}
    observed = datetime.fromisoformat(str(result["time"]))
    return parse_vm(result["vm"], str(result["host"]), observed, str(result.get("cluster") or ""))


def _policy(operation: Operation) -> str:
    if operation.spec["on_failure"] == FailurePolicy.KEEP.value:
        return FailurePolicy.KEEP.value
    if operation.spec["wait_for_guest"] == GuestWait.PUBLISHED.value:
        return _AFTER_PUBLISH
    return FailurePolicy.ROLLBACK.value


def _kept(operation: Operation) -> bool:
    policy = _policy(operation)
    if policy != _AFTER_PUBLISH:
        return policy == FailurePolicy.KEEP.value
    published = operation.step(PUBLISH_STEP)
    return published is not None and published.state is StepState.DONE


def _settle_seconds(spec: VmSpec, settings: ProvisioningSettings) -> int:
    if settings.settle_seconds is not None:
        return settings.settle_seconds
    return default_dialect(spec.os_family or OsFamily.LINUX).settle_seconds
