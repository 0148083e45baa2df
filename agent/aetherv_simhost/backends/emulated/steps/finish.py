"""Steps ``verify``, ``cleanup_iso``, ``power_off`` and ``cluster``: what follows the guest's end state."""

import contextlib
from collections.abc import Iterator
from typing import Final

from aetherv_simhost.backends.emulated.context import JobContext
from aetherv_simhost.backends.emulated.failures import failure_of
from aetherv_simhost.backends.emulated.steps.exchange import remember
from aetherv_simhost.hyperv.errors import FileInUse, FileMissing, HyperVError, InvalidState

_VERIFY_SECONDS: Final = 120
_DRIVE_TRIES: Final = 3
_FILE_SECONDS: Final = 10


def verify(context: JobContext) -> None:
    """Compares from the host what the guest reports with what was asked for; a difference is no failure."""
    with context.step("verify") as needed:
        if not needed:
            return
        differences: list[str] = ["the guest reports nothing"]
        for _ in context.looks(context.document.seconds("verify_timeout", _VERIFY_SECONDS)):
            differences = list(_differences(context))
            if not differences:
                break
        text = "; ".join(differences)
        context.journal.save(verified=not differences, verify_message=text)
        remember(context, verified=not differences, **({"guest_message": text} if text else {}))
        if differences:
            context.records.log("warning", f"The guest applied its data, but {text}.", reason="NOT_VERIFIED")


def _differences(context: JobContext) -> Iterator[str]:
    spec, _ = context.planned()
    said = context.host.intrinsic_items(context.vm().id)
    name, _, domain = said.get("FullyQualifiedDomainName", "").partition(".")
    if name.casefold() != spec.vm_name.casefold():
        yield f"its host name is {name!r}, not {spec.vm_name!r}"
    wanted = spec.guest_domain_jointarget
    if wanted and domain.casefold() != wanted.casefold():
        yield f"it is in the domain {domain!r}, not {wanted!r}" if domain else f"it did not join {wanted!r}"
    addresses = said.get("NetworkAddressIPv4", "").split(";")
    if spec.guest_v4_ipaddr and spec.guest_v4_ipaddr not in addresses:
        yield f"it has the address {', '.join(filter(None, addresses)) or 'none'}, not {spec.guest_v4_ipaddr}"


def cleanup_iso(context: JobContext) -> None:
    """Takes the ISO out, deletes its copy and removes the drive; what refuses becomes a warning."""
    with context.step("cleanup_iso") as needed:
        if not needed:
            return
        _, plan = context.planned()
        host, vm_id = context.host, context.vm().id
        host.set_drive(vm_id, "")
        for _ in context.looks(_FILE_SECONDS):
            try:
                with contextlib.suppress(FileMissing):
                    host.files.delete(plan.iso_copy)
            except FileInUse:
                continue
            context.journal.unmake("iso", plan.iso_copy)
            break
        else:
            context.records.log(
                "warning", f"{plan.iso_copy} stays: another program has it open.", reason="ISO_KEPT"
            )
        for last in (False,) * (_DRIVE_TRIES - 1) + (True,):
            try:
                host.remove_drive(vm_id)
            except InvalidState as error:
                if last:
                    context.records.log("warning", f"The empty DVD drive stays: {error}", reason="DRIVE_KEPT")
                else:
                    context.sleep(host.settings.host_seconds.poll)
            else:
                break


def power_off(context: JobContext) -> None:
    """Shuts the VM down where that was asked for."""
    spec, _ = context.planned()
    if spec.power_state != "off":
        return
    with context.step("power_off") as needed:
        if not needed:
            return
        vm = context.vm()
        try:
            context.host.stop_vm(vm.id, turn_off=False)
        except InvalidState:
            context.host.stop_vm(vm.id, turn_off=True)


def cluster(context: JobContext) -> None:
    """Makes the VM a clustered role where that was asked for."""
    spec, _ = context.planned()
    if not spec.vm_clustered:
        return
    with context.step("cluster") as needed:
        if not needed:
            return
        vm = context.vm()
        context.journal.make("cluster_role", vm.id)
        try:
            context.host.add_role(vm.id)
        except HyperVError as error:
            raise failure_of(error, otherwise="CLUSTER_ROLE_FAILED") from error
