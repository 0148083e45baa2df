"""What must hold before a create changes anything on its host. Looks and reads alone; gives the plan."""

from aetherv_agent import contracts
from aetherv_agent.core.dialects import Dialect, dialect_for
from aetherv_agent.core.model import OsFamily, VmSecrets, VmSpec
from aetherv_agent.core.os_family import os_family_of
from aetherv_agent.core.rules import check_create

from aetherv_simhost.backends.emulated import places
from aetherv_simhost.backends.emulated.document import Document
from aetherv_simhost.backends.emulated.failures import JobFailed, failure_of
from aetherv_simhost.backends.emulated.journal import Jobs
from aetherv_simhost.backends.emulated.plan import Plan
from aetherv_simhost.backends.emulated.records import Records
from aetherv_simhost.hyperv import media, paths
from aetherv_simhost.hyperv.content import CLUSTER_STORAGE
from aetherv_simhost.hyperv.errors import HyperVError
from aetherv_simhost.hyperv.host import HyperVHost
from aetherv_simhost.hyperv.settings import GIB


def judge_fields(
    host: HyperVHost, document: Document, spec: VmSpec, secrets: VmSecrets | None, records: Records
) -> tuple[VmSpec, Dialect, str]:
    """Judges the fields by their rules and the guest's dialect, and writes the warnings.

    Args:
        host: The model.
        document: The job's document.
        spec: What is asked for.
        secrets: The secrets; None where they are not needed any more.
        records: Where warnings go.

    Returns:
        The effective spec, the dialect and the ISO's version.

    Raises:
        JobFailed: FIELD_INVALID naming every wrong field, SECRET_MISSING, OS_FAMILY_UNKNOWN, GUEST_VERSION_UNKNOWN,
            GUEST_VERSION_UNSUPPORTED.
    """
    family = spec.os_family or os_family_of(spec.image_name)
    if family is None and spec.image_name:
        raise JobFailed(
            "OS_FAMILY_UNKNOWN", f"The image's name {spec.image_name!r} tells no family.", field="os_family"
        )
    if secrets is not None:
        _judge_secrets(spec, secrets, family)
    dialects: dict[OsFamily, Dialect] = {}
    version = ""
    if family is not None:
        version = places.iso_version(host.files, document.host, family.value)
        iso = places.iso_path(document.host, family.value)
        if not version:
            raise JobFailed("GUEST_VERSION_UNKNOWN", f"No version file stands beside {iso}.")
        dialect = dialect_for(version, family)
        if dialect is None:
            raise JobFailed("GUEST_VERSION_UNSUPPORTED", f"The ISO {iso} has version {version}.")
        dialects[family] = dialect
    checked = check_create(spec, secrets, dialects)
    if checked.violations:
        text = "; ".join(f"{v.field.partition('.')[2]} {v.message}" for v in checked.violations)
        raise JobFailed(
            "FIELD_INVALID",
            f"The job has wrong fields: {text}.",
            field=checked.violations[0].field.partition(".")[2],
        )
    for warning in checked.warnings:
        field = warning.field.partition(".")[2]
        records.log("warning", f"{field}: {warning.message}", reason=warning.reason, field=field)
    if checked.spec.os_family is None:
        raise JobFailed("OS_FAMILY_UNKNOWN", "The job names no image.", field="os_family")
    return checked.spec, dialects[checked.spec.os_family], version


def _judge_secrets(spec: VmSpec, secrets: VmSecrets, family: OsFamily | None) -> None:
    needed = ["guest_la_pw"]
    if spec.guest_domain_jointarget and family is not OsFamily.LINUX:
        needed.append("guest_domain_joinpw")
    given = secrets.given()
    for name in needed:
        if name not in given:
            raise JobFailed(
                "SECRET_MISSING",
                f"{name} was not given: {contracts.field_rules().named(name).rule}.",
                field=name,
            )


def make_plan(
    host: HyperVHost, jobs: Jobs, document: Document, spec: VmSpec, version: str, *, delegated: bool
) -> Plan:
    """Looks for everything that the create needs on the host.

    Args:
        host: The model.
        jobs: The jobs folder; what open jobs will take counts as taken.
        document: The job's document.
        spec: The effective spec.
        version: The ISO's version.
        delegated: Whether a second hop may be made.

    Raises:
        JobFailed: What is missing, in use or in the way.
    """
    try:
        return _plan(host, jobs, document, spec, version, delegated=delegated)
    except HyperVError as error:
        raise failure_of(error, otherwise="HYPERV_ERROR") from error


def judge_host(host: HyperVHost) -> None:
    """Judges whether scripts can work on the host at all.

    Raises:
        JobFailed: CONSTRAINED_LANGUAGE, HYPERV_NOT_VISIBLE.
    """
    if host.settings.language_mode != "FullLanguage":
        raise JobFailed(
            "CONSTRAINED_LANGUAGE", f"Scripts run in the language mode {host.settings.language_mode}."
        )
    if not host.settings.hyperv_visible:
        raise JobFailed("HYPERV_NOT_VISIBLE", f"Hyper-V shows the account nothing on {host.computer_name}.")


def _plan(
    host: HyperVHost, jobs: Jobs, document: Document, spec: VmSpec, version: str, *, delegated: bool
) -> Plan:
    judge_host(host)
    family = str(spec.os_family)
    if host.cluster.name and host.cluster.node_state != "up":
        raise JobFailed("HOST_PAUSED", f"The node {host.computer_name} is {host.cluster.node_state}.")
    _judge_name(host, jobs, document, spec)
    image = places.find_image(host, document.host, spec.image_name)
    if host.faults.take("image_missing", "copy_image", spec.vm_name) is not None:
        raise places.image_missing(host, document.host, spec.image_name)
    if not host.files.can_open_alone(image):
        raise JobFailed("IMAGE_IN_USE", f"The image {image} is open for writing.", field="image_name")
    iso = places.iso_path(document.host, family)
    if not host.files.exists(iso):
        raise JobFailed("ISO_NOT_FOUND", f"The {family} provisioning ISO is not at {iso}.")
    root = places.vm_root(host, document.host)
    folder = paths.join(root, spec.vm_name)
    if host.files.exists(folder):
        raise JobFailed("FOLDER_ALREADY_EXISTS", f"The folder {folder} is there already.", field="vm_name")
    if any(paths.within(folder, compressed) for compressed in host.settings.compressed_folders):
        raise JobFailed("FOLDER_COMPRESSED", f"The folder {folder} would be compressed or encrypted.")
    plan = Plan(
        family=family,
        image=image,
        image_bytes=host.files.size(image),
        folder=folder,
        disk=paths.join(folder, f"{spec.vm_name}.vhdx"),
        iso=iso,
        iso_copy=paths.join(folder, paths.name_of(iso)),
        guest_version=version,
        switch=places.find_switch(host, document.host, spec.virtual_switch),
        memory_bytes=int(spec.gb_ram) * GIB,
    )
    _judge_room(host, jobs, document, plan)
    if spec.vm_clustered:
        _judge_cluster(host, folder, delegated=delegated)
    return plan


def _judge_name(host: HyperVHost, jobs: Jobs, document: Document, spec: VmSpec) -> None:
    if there := host.named(spec.vm_name):
        raise JobFailed(
            "VM_ALREADY_EXISTS",
            f"A VM named {there[0].name!r} is on {host.computer_name} already, with id {there[0].id}.",
            field="vm_name",
        )
    for journal in jobs.open():
        if _is_open(journal, document) and journal["vm_name"].casefold() == spec.vm_name.casefold():
            raise JobFailed(
                "VM_ALREADY_EXISTS",
                f"Job {journal['job_id']} makes a VM named {spec.vm_name!r} now.",
                field="vm_name",
            )


def _judge_room(host: HyperVHost, jobs: Jobs, document: Document, plan: Plan) -> None:
    others = [journal for journal in jobs.open() if _is_open(journal, document)]
    promised = sum(int(journal["reserved_bytes"]) for journal in others)
    mount, free = host.files.mount_of(plan.folder), host.files.free(plan.folder)
    needed = plan.image_bytes + media.ISO_BYTES + host.settings.space_reserve_bytes
    if free - promised < needed:
        raise JobFailed(
            "DISK_FULL",
            f"{mount} has {free} bytes free, of which running jobs will take {promised}; {needed} are needed"
            f" ({plan.image_bytes} for the disk, the rest as reserve).",
        )
    on = {vm.id for vm in host.vms() if vm.is_on}
    starting = sum(int(j.get("reserved_memory", 0)) for j in others if j["vm_id"] not in on)
    left = host.memory_free() - starting
    if left < plan.memory_bytes:
        raise JobFailed(
            "MEMORY_INSUFFICIENT",
            f"{host.computer_name} has {left // GIB} GiB of memory left, {plan.memory_bytes // GIB} are needed.",
            field="gb_ram",
        )


def _judge_cluster(host: HyperVHost, folder: str, *, delegated: bool) -> None:
    if not host.cluster.name or host.cluster.node_state == "down":
        raise JobFailed(
            "CLUSTER_NOT_AVAILABLE",
            f"{host.computer_name} is no node of a running cluster.",
            field="vm_clustered",
        )
    if not paths.within(folder, CLUSTER_STORAGE):
        raise JobFailed(
            "CLUSTER_STORAGE_REQUIRED",
            f"The folder {folder} is not on cluster storage.",
            field="vm_clustered",
        )
    if not delegated:
        raise JobFailed(
            "CLUSTER_DELEGATION_MISSING",
            "The login's credentials can't be used for a second hop.",
            field="vm_clustered",
        )


def _is_open(journal: dict[str, object], document: Document) -> bool:
    return journal.get("script") == "create" and journal.get("job_id") != document.job_id
