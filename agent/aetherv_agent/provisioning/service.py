"""Taking creates and deletes: every check that can be made before work starts, then one operation.

``validate_create`` and ``submit_create`` run the same checks; the first knows no secrets.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from aetherv_agent.core.errors import AethervError, Violation, invalid
from aetherv_agent.core.etag import etag_of
from aetherv_agent.core.model import HostSettings, Inventory, IpWait, PowerState, Vm
from aetherv_agent.core.rules import Checked, check_create
from aetherv_agent.operations.interface import Operations
from aetherv_agent.operations.model import Filter, Notice, Operation, Request

from . import checks
from .inventories import Inventories
from .requests import CreateRequest, DeleteRequest, Plan, ProvisioningSettings

# Below the minute that clients give one call.
_CANCEL_WAIT = 45.0
_GIB = 1024**3


class VmProvisioning:
    """Takes creates and deletes.

    Args:
        operations: the engine.
        inventories: what stands on the hosts.
        hosts: the settings of every configured host, by id.
        settings: times.
    """

    def __init__(
        self,
        operations: Operations,
        inventories: Inventories,
        hosts: Mapping[str, HostSettings],
        settings: ProvisioningSettings,
    ) -> None:
        self._operations = operations
        self._inventories = inventories
        self._hosts = hosts
        self._settings = settings

    async def validate_create(self, request: CreateRequest) -> Plan:
        """Return what a create would make.

        Raises:
            AethervError: why it can't be made: FIELD_INVALID with every violation, a host's refusal, HOST_*.
        """
        return (await self._plan(request))[0]

    async def submit_create(self, request: CreateRequest) -> Operation:
        """Take a create.

        Returns:
            The new operation, or the one that a request of the same id made.

        Raises:
            AethervError: as ``validate_create``; CREATE_IN_PROGRESS, QUEUE_FULL, REQUEST_ID_REUSED.
        """
        fingerprint = _fingerprint("create", _create_facts(request))
        known = await self._seen(request.request_id, fingerprint)
        if known is not None:
            return known
        plan, checked = await self._plan(request)
        secrets = request.secrets.given() if request.secrets else {}
        return await self._operations.submit(
            Request(
                kind="create",
                host=plan.host,
                principal=request.principal,
                spec={
                    "fields": plan.spec.fields(),
                    "on_failure": request.on_failure.value,
                    "wait_for_guest": request.wait_for_guest.value,
                    "wait_for_ip": request.wait_for_ip.value,
                },
                timeout=request.timeout or self._settings.default_timeout,
                vm_name=plan.spec.vm_name,
                request_id=request.request_id,
                fingerprint=fingerprint,
                warnings=tuple(Notice(w.reason, w.message, w.field) for w in plan.warnings),
            ),
            {name: value for name, value in secrets.items() if name not in checked.dropped_secrets},
        )

    async def validate_delete(self, request: DeleteRequest) -> Vm | None:
        """Return the VM that a delete would remove; None: gone already, and the request allows it."""
        try:
            vm = await self._inventories.find_vm(
                request.vm_id,
                host_hint=request.host_hint,
                max_age=0.0,
                hosts=_narrowed(request.allowed_hosts),
            )
        except AethervError as error:
            if error.id == "VM_NOT_FOUND" and request.allow_missing:
                return None
            raise
        if request.etag and request.etag != etag_of(vm):
            raise AethervError(
                "ETAG_MISMATCH",
                f"{vm.name} on {vm.host} changed since its etag was read.",
                metadata={"host": vm.host},
            )
        return vm

    async def submit_delete(self, request: DeleteRequest) -> Operation:
        """Take a delete. A create that still runs on the VM is cancelled first.

        Raises:
            AethervError: VM_NOT_FOUND unless allowed, ETAG_MISMATCH, OPERATION_IN_PROGRESS, HOST_*, QUEUE_FULL.
        """
        fingerprint = _fingerprint("delete", _delete_facts(request))
        known = await self._seen(request.request_id, fingerprint)
        if known is not None:
            return known
        target = f"vms/{request.vm_id}"
        if request.etag:
            # Judged before anything is cancelled: a create is not ended for a delete that is refused.
            await self.validate_delete(replace(request, allow_missing=True))
        cancelled = await self._cancel_create(target, request.allowed_hosts)
        try:
            vm = await self.validate_delete(request)
        except AethervError as error:
            if error.id != "VM_NOT_FOUND" or cancelled is None:
                raise
            vm = None
        host = vm.host if vm else self._host_of_a_gone_vm(request, cancelled)
        if vm is not None:
            self._inventories.invalidate(vm.host)
        return await self._operations.submit(
            Request(
                kind="delete",
                host=host,
                principal=request.principal,
                spec={
                    "shutdown_mode": request.shutdown_mode.value,
                    "keep_disks": request.keep_disks,
                    # The VM was seen, or may be missing: one that goes in between is gone as asked.
                    "allow_missing": True,
                },
                timeout=request.timeout or self._settings.default_timeout,
                vm_name=vm.name if vm else "",
                target=target,
                request_id=request.request_id,
                fingerprint=fingerprint,
            )
        )

    def resolve_host(self, target_host: str, allowed: Iterable[str] | None) -> HostSettings:
        """Return the host that a create goes to.

        Args:
            target_host: a bare id (any case), an address that one host of the configuration has, or empty: the only host.
            allowed: the hosts that the caller may use; None: all.

        Raises:
            AethervError: TARGET_HOST_REQUIRED with several hosts and none named, or an address of several; HOST_NOT_FOUND.
        """
        usable = [host for host in self._hosts.values() if allowed is None or host.id in set(allowed)]
        names = ", ".join(sorted(host.id for host in usable)) or "none"
        if not target_host:
            if len(usable) == 1:
                return usable[0]
            text = f"target_host is needed: this agent has the hosts {names}."
            raise AethervError(
                "TARGET_HOST_REQUIRED",
                text,
                violations=(Violation("target_host", f"is needed; one of {names}"),),
            )
        wanted = target_host.casefold()
        for host in usable:
            if wanted == host.id.casefold():
                return host
        there = [host for host in usable if wanted == host.address.casefold()]
        if len(there) == 1:
            return there[0]
        if there:
            shared = ", ".join(sorted(host.id for host in there))
            raise AethervError(
                "TARGET_HOST_REQUIRED",
                f"The hosts {shared} have the address {target_host}: name one of them.",
                violations=(Violation("target_host", f"is the address of {shared}: name one of them"),),
            )
        raise AethervError(
            "HOST_NOT_FOUND",
            f"This agent has no host {target_host!r}; it has {names}.",
            metadata={"field": "target_host"},
        )

    async def _plan(self, request: CreateRequest) -> tuple[Plan, Checked]:
        # What needs no host is judged first, so that bad input is refused although a host is away.
        early = check_create(request.spec, request.secrets)
        if request.wait_for_ip is not IpWait.NONE and request.spec.power_state is PowerState.OFF:
            problem = Violation("wait_for_ip", "can't be waited for: the VM is to be off")
            raise invalid(*early.violations, problem)
        try:
            host = self.resolve_host(request.target_host, request.allowed_hosts)
        except AethervError as error:
            if early.violations:
                raise invalid(*early.violations, *error.violations) from None
            raise
        if early.violations:
            raise invalid(*early.violations)
        inventory = await self._inventories.get(host.id, self._settings.inventory_max_age)
        checked = check_create(request.spec, request.secrets, checks.dialects_of(inventory, host))
        if checked.violations:
            raise invalid(*checked.violations)
        for refusal in checks.host_refusals(
            checked.spec, inventory, host, self._peers(inventory), request.ignore_vms
        ):
            raise await self._as_running_create(refusal)
        spec = checks.completed(checked.spec, inventory, host)
        return (
            Plan(spec, host.id, inventory.facts.cluster, int(spec.gb_ram * _GIB), checked.warnings),
            checked,
        )

    async def _as_running_create(self, refusal: AethervError) -> AethervError:
        """Give the refusal of a name; while the VM that has it is still being made, it is nobody's to import."""
        target = refusal.metadata.get("vm", "")
        if refusal.id != "VM_ALREADY_EXISTS" or not target:
            return refusal
        page = await self._operations.list(Filter(done=False, kind="create", target=target))
        if not page.operations:
            return refusal
        running = page.operations[0]
        return AethervError(
            "CREATE_IN_PROGRESS",
            f"{running.name} still makes the VM {running.vm_name!r} on {running.host}.",
            metadata=refusal.metadata | {"operation": running.name},
        )

    def _peers(self, inventory: Inventory) -> tuple[Inventory, ...]:
        cluster = inventory.facts.cluster
        if not cluster:
            return ()
        known = (self._inventories.last(host) for host in self._hosts if host != inventory.host)
        return tuple(peer for peer in known if peer is not None and peer.facts.cluster == cluster)

    async def _seen(self, request_id: str, fingerprint: str) -> Operation | None:
        known = await self._operations.by_request(request_id) if request_id else None
        if known is not None and known.fingerprint != fingerprint:
            raise AethervError(
                "REQUEST_ID_REUSED",
                f"The request id {request_id} was used for another request ({known.name}).",
                metadata={"operation": known.name},
                violations=(Violation("request_id", "was used for another request"),),
            )
        return known

    async def _cancel_create(self, target: str, allowed: frozenset[str] | None) -> Operation | None:
        where = Filter(done=False, kind="create", target=target, hosts=allowed)
        page = await self._operations.list(where)
        if not page.operations:
            return None
        running = page.operations[0]
        await self._operations.cancel(running.id)
        ended = await self._operations.wait(running.id, within=_CANCEL_WAIT)
        if not ended.done:
            raise AethervError(
                "OPERATION_IN_PROGRESS",
                f"{running.name} still makes the VM; its cancel has not come through yet.",
                metadata={"operation": running.name, "kind": running.kind},
            )
        return ended

    def _host_of_a_gone_vm(self, request: DeleteRequest, cancelled: Operation | None) -> str:
        if cancelled is not None:
            return cancelled.host
        if request.host_hint in self._hosts:
            return request.host_hint
        return next(iter(_narrowed(request.allowed_hosts) or self._hosts))


def _narrowed(allowed: frozenset[str] | None) -> tuple[str, ...] | None:
    return None if allowed is None else tuple(sorted(allowed))


def _create_facts(request: CreateRequest) -> dict[str, Any]:
    return {
        "fields": request.spec.fields(),
        "target_host": request.target_host,
        "on_failure": request.on_failure.value,
        "wait_for_guest": request.wait_for_guest.value,
        "wait_for_ip": request.wait_for_ip.value,
        "principal": request.principal,
    }


def _delete_facts(request: DeleteRequest) -> dict[str, Any]:
    return {
        "vm": request.vm_id,
        "keep_disks": request.keep_disks,
        "shutdown_mode": request.shutdown_mode.value,
        "principal": request.principal,
    }


def _fingerprint(kind: str, facts: Mapping[str, Any]) -> str:
    """Digest a request without its secrets (an unkeyed digest of a password could be guessed)."""
    return hashlib.sha256(json.dumps([kind, facts], sort_keys=True).encode()).hexdigest()
