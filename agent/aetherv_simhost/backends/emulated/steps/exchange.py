"""Steps ``wait_ready``, ``publish`` and ``wait_applied``: the host's side of the key-value protocol, in its order."""

import contextlib
import time
from collections.abc import Mapping
from typing import Any, Final

from aetherv_agent import contracts
from aetherv_agent.core.dialects import Dialect, dialect_for
from aetherv_agent.core.model import OsFamily

from aetherv_simhost.backends.emulated import mark
from aetherv_simhost.backends.emulated.context import JobContext
from aetherv_simhost.backends.emulated.failures import JobFailed
from aetherv_simhost.backends.emulated.sealing import read_public_key, seal
from aetherv_simhost.backends.emulated.steps import kvp
from aetherv_simhost.hyperv.errors import VmNotFound

_READY_SECONDS: Final = 300
_APPLIED_SECONDS: Final = 1800
_KEY_TRIES: Final = 3
_RESTART_SLACK: Final = 0.001
_END_STATES: Final = {"provisioningapplied": "applied", "provisioningfailed": "failed"}


def wait_ready(context: JobContext) -> None:
    """Repeats version and state until the guest has published its key and waits for data."""
    with context.step("wait_ready") as needed:
        if not needed:
            return
        _, plan = context.planned()
        vm_id = context.vm().id
        told = time.monotonic()
        repeat = context.host.settings.host_seconds.repeat
        first: Mapping[str, str] | None = None
        items: Mapping[str, str] = {}
        for _ in context.looks(context.document.seconds("wait_ready", _READY_SECONDS)):
            read = context.host.guest_items(vm_id)
            first = read if first is None else first
            items = read or {}
            state = items.get(kvp.GUEST_STATE, "")
            if state == "waitingforaeskey" and kvp.PUBLIC_KEY in items:
                context.journal.save(guest={"started": context.vm().started})
                _see(context, "ready")
                return
            if state == "provisioningfailed" and items != first:
                raise _guest_failed(context, items)
            if time.monotonic() - told >= repeat:
                told = time.monotonic()
                kvp.put(context, vm_id, {kvp.VERSION: plan.guest_version})
                kvp.put(context, vm_id, {kvp.HOST_STATE: kvp.WAITING})
        stale = items.get(kvp.GUEST_STATE, "")
        raise JobFailed(
            "GUEST_NOT_READY",
            f"The guest of {context.vm_name!r} did not ask for its data within"
            f" {context.document.seconds('wait_ready', _READY_SECONDS):g} s. Usual causes: no KVP daemon in the image,"
            " no bootstrapper for the ISO, or an image captured from a VM that was provisioned already."
            + (
                f" Its items say {stale} {items.get(kvp.GUEST_ERROR, '')!r} since it started."
                if stale
                else ""
            ),
            guest_state="starting",
        )


def publish(context: JobContext) -> None:
    """Publishes everything encrypted for the guest's key, and the state last."""
    with context.step("publish") as needed:
        if not needed:
            return
        vm_id = context.vm().id
        if not context.journal.values.get("sealed"):
            _require_secrets(context)
            _publish_data(context, vm_id)
            # From here on a resumed job has all but the last state to write, and needs no secret any more.
            context.journal.save(sealed=True)
        if context.host.host_items(vm_id).get(kvp.HOST_STATE) != kvp.PUBLISHED:
            kvp.put(context, vm_id, {kvp.HOST_STATE: kvp.PUBLISHED})


def wait_applied(context: JobContext) -> None:
    """Follows the guest to its end state and takes back what was published."""
    with context.step("wait_applied") as needed:
        if not needed:
            return
        vm_id = context.vm().id
        attempt = int(context.journal.values["steps"]["wait_applied"]["attempt"])
        timeout = context.document.seconds("wait_applied", _APPLIED_SECONDS)
        for _ in context.looks(timeout):
            items = context.host.guest_items(vm_id) or {}
            state = items.get(kvp.GUEST_STATE, "")
            if state == "waitingforaeskey":
                _check_restart(context)
            elif state == "applying" and not context.journal.values["guest"].get("applying"):
                context.journal.values["guest"]["applying"] = True
                kvp.remove(context, vm_id)
                _see(context, "applying")
                context.records.progress(
                    "wait_applied", "running", attempt, message="the guest applies its data"
                )
            elif state in _END_STATES:
                kvp.remove(context, vm_id)
                if state == "provisioningfailed":
                    raise _guest_failed(context, items)
                _see(context, "applied")
                return
        seen = str(context.journal.values["guest"].get("state", "ready"))
        raise JobFailed(
            "GUEST_NOT_APPLIED",
            f"The guest of {context.vm_name!r} reported no end within {timeout:g} s; its last state is {seen}.",
            guest_state=seen,
        )


def _publish_data(context: JobContext, vm_id: str) -> None:
    dialect = _dialect(context)
    settle = context.document.seconds("settle_seconds", dialect.settle_seconds)
    key_text = _guest_key(context, vm_id)
    for _ in range(_KEY_TRIES):
        kvp.remove(context, vm_id)
        sealed = seal(_values(context), read_public_key(key_text), dialect)
        items = {kvp.CHECKSUM: sealed.checksum, kvp.AES_KEY: sealed.wrapped_key, **sealed.items}
        kvp.put(context, vm_id, items)
        there = context.host.host_items(vm_id)
        if any(there.get(name) != value for name, value in items.items()):
            raise JobFailed("KVP_FAILED", "Items that were written can't be read back.")
        for _ in context.looks(settle * context.host.settings.host_seconds.settle_scale):
            _check_restart(context)
        again = (context.host.guest_items(vm_id) or {}).get(kvp.PUBLIC_KEY, key_text)
        if again == key_text:
            return
        key_text = again
    raise JobFailed("GUEST_KEY_INVALID", "The guest changes its key again and again.")


def _guest_key(context: JobContext, vm_id: str) -> str:
    """The guest's key; items that can't be read, or a key that is not there, are "not yet"."""
    for _ in context.looks(context.document.seconds("wait_ready", _READY_SECONDS)):
        items = context.host.guest_items(vm_id)
        if items is None:
            continue
        if kvp.PUBLIC_KEY in items:
            return items[kvp.PUBLIC_KEY]
        _check_restart(context)
    raise JobFailed(
        "GUEST_NOT_READY", f"The guest of {context.vm_name!r} shows no key any more.", guest_state="starting"
    )


def _require_secrets(context: JobContext) -> None:
    spec, _ = context.planned()
    given = context.secrets.given()
    needed = ["guest_la_pw", *(["guest_domain_joinpw"] if spec.guest_domain_jointarget else [])]
    for name in needed:
        if name not in given:
            raise JobFailed(
                "SECRET_MISSING", f"{name} is needed to go on: it was not published yet.", field=name
            )


def _values(context: JobContext) -> dict[str, str]:
    """Plaintext by KVP name: every non-empty field that this family's guest takes."""
    spec, plan = context.planned()
    given: dict[str, Any] = spec.fields() | context.secrets.given()
    return {
        rule.kvp: str(given[rule.name])
        for rule in contracts.field_rules().fields
        if rule.kvp is not None and rule.name in given and plan.family in rule.families
    }


def _dialect(context: JobContext) -> Dialect:
    _, plan = context.planned()
    dialect = dialect_for(plan.guest_version, OsFamily(plan.family))
    if dialect is None:
        raise JobFailed("GUEST_VERSION_UNSUPPORTED", f"The ISO {plan.iso} has version {plan.guest_version}.")
    return dialect


def _check_restart(context: JobContext) -> None:
    began = float(context.journal.values["guest"]["started"])
    if context.vm().started > began + _RESTART_SLACK:
        raise JobFailed(
            "GUEST_RESTARTED",
            f"The guest of {context.vm_name!r} restarted between asking for its data and applying it.",
            guest_state="ready",
        )


def _guest_failed(context: JobContext, items: Mapping[str, str]) -> JobFailed:
    text = items.get(kvp.GUEST_ERROR, "") or "error:unknown"
    _see(context, "failed", text)
    return JobFailed(
        "GUEST_FAILED",
        f"The guest of {context.vm_name!r} reported that its provisioning failed: {text}",
        guest_state="failed",
        guest_message=text,
    )


def _see(context: JobContext, state: str, message: str = "") -> None:
    """Keeps what the guest said, in the journal and in the VM's mark."""
    guest = {**context.journal.values.get("guest", {}), "state": state, "message": message}
    context.journal.save(guest=guest)
    remember(context, guest_state=state, guest_message=message)


def remember(context: JobContext, **changes: Any) -> None:
    """Writes into the VM's mark; a VM that is gone is the caller's next step's matter."""
    with contextlib.suppress(VmNotFound):
        vm = context.vm()
        context.host.change_vm(vm.id, notes=mark.merge(vm.notes, **changes))
