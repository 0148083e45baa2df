"""Step ``register_vm``: the VM with its mark, hardware and drive, then version and state for the guest, then the start."""

from aetherv_simhost.backends.emulated import mark
from aetherv_simhost.backends.emulated.context import JobContext
from aetherv_simhost.backends.emulated.failures import JobFailed, failure_of
from aetherv_simhost.backends.emulated.steps import kvp
from aetherv_simhost.hyperv import paths
from aetherv_simhost.hyperv.errors import HyperVError, InvalidState, OutOfMemory, VmNotFound
from aetherv_simhost.hyperv.vm import VirtualMachine


def register_vm(context: JobContext) -> None:
    """Makes the VM, or takes the one that an earlier run of this job made, and starts it."""
    with context.step("register_vm") as needed:
        if not needed:
            return
        vm = own_vm(context) or _new(context)
        context.journal.save(vm_id=vm.id)
        _equip(context, vm)
        context.check()
        _start(context, vm)


def own_vm(context: JobContext) -> VirtualMachine | None:
    """The VM that this job made: the id in the journal, else the folder decides, else the mark."""
    host, journal = context.host, context.journal
    if journal.vm_id:
        try:
            return host.vm(journal.vm_id)
        except VmNotFound:
            return None
    folders = [made["path"] for made in journal.values["made"] if made["kind"] == "vm"]
    for vm in host.vms():
        if any(paths.same(vm.path, folder) for folder in folders):
            return vm
    for vm in host.vms():
        marked = mark.split(vm.notes)[1]
        if marked is not None and marked.get("job") == journal.job_id:
            return vm
    return None


def _new(context: JobContext) -> VirtualMachine:
    spec, plan = context.planned()
    if there := context.host.named(spec.vm_name):
        raise JobFailed(
            "VM_ALREADY_EXISTS",
            f"A VM named {there[0].name!r} came to {context.host.computer_name} meanwhile, with id {there[0].id}.",
            field="vm_name",
        )
    context.journal.make("vm", plan.folder)
    try:
        return context.host.new_vm(spec.vm_name, plan.folder, plan.memory_bytes, plan.switch)
    except InvalidState as error:
        raise failure_of(error, otherwise="VM_REGISTER_FAILED") from error


def _equip(context: JobContext, vm: VirtualMachine) -> None:
    spec, plan = context.planned()
    host = context.host
    if vm.is_on:
        return
    try:
        host.change_vm(
            vm.id,
            notes=mark.merge(
                vm.notes or spec.notes or "",
                job=context.journal.job_id,
                fields=dict(mark.creation_facts(spec)),
            ),
            cpu_count=spec.cpu_cores,
            automatic_checkpoints=False,
            secure_boot_template=context.document.host.secure_boot_template.get(
                plan.family, "MicrosoftWindows"
            ),
        )
        host.set_vlan(vm.id, spec.vlan_id or 0)
        if not vm.disks:
            host.add_disk(vm.id, plan.disk)
        host.set_drive(vm.id, plan.iso_copy)
    except HyperVError as error:
        raise failure_of(error, otherwise="VM_REGISTER_FAILED") from error


def _start(context: JobContext, vm: VirtualMachine) -> None:
    _, plan = context.planned()
    # Guests read the version once, right after they see the state: it has to be there before.
    kvp.put_blind(context, vm.id, kvp.VERSION, plan.guest_version)
    kvp.put_blind(context, vm.id, kvp.HOST_STATE, kvp.WAITING)
    try:
        context.host.start_vm(vm.id)
    except OutOfMemory as error:
        raise JobFailed("MEMORY_INSUFFICIENT", str(error), field="gb_ram") from error
    except HyperVError as error:
        raise failure_of(error, otherwise="VM_START_FAILED") from error
