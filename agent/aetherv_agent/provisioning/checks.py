"""Judging a create against a host's inventory. Pure: the script checks again what can change in between.

The ids are the scripts' own (``errors.json``), so that a user reads the same whoever found it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from aetherv_agent.core.dialects import Dialect, dialect_for
from aetherv_agent.core.errors import AethervError
from aetherv_agent.core.model import (
    HostSettings,
    Inventory,
    OsFamily,
    PowerState,
    VirtualSwitch,
    Vm,
    VmSpec,
    VmState,
)

_GIB = 1024**3
_RESERVE_BYTES = 64 * 1024**2
_LISTED = 20


def dialects_of(inventory: Inventory, host: HostSettings) -> dict[OsFamily, Dialect]:
    """Return the guest dialects that a host's ISOs speak, by family; a family without a known version is missing."""
    known: dict[OsFamily, Dialect] = {}
    for family in OsFamily:
        version = guest_version(inventory, host, family)
        dialect = dialect_for(version, family) if version else None
        if dialect is not None:
            known[family] = dialect
    return known


def guest_version(inventory: Inventory, host: HostSettings, family: OsFamily) -> str:
    """Return the version of the host's ISO for a family: the setting, else what stands beside the ISO, else empty."""
    return host.guest_version.get(family.value) or next(
        (iso.version for iso in inventory.isos if iso.family is family), ""
    )


def completed(spec: VmSpec, inventory: Inventory, host: HostSettings) -> VmSpec:
    """Return the spec with what a create takes where nothing was said: switch, VLAN, cluster role, power."""
    switch = chosen_switch(spec, inventory, host)
    return replace(
        spec,
        virtual_switch=switch.name if isinstance(switch, VirtualSwitch) else spec.virtual_switch,
        vlan_id=spec.vlan_id or 0,
        vm_clustered=bool(spec.vm_clustered),
        power_state=spec.power_state or PowerState.RUNNING,
    )


def chosen_switch(spec: VmSpec, inventory: Inventory, host: HostSettings) -> VirtualSwitch | AethervError:
    """Return the switch that a create gets, or why none can be chosen."""
    wanted = spec.virtual_switch or host.default_switch
    if wanted:
        for switch in inventory.switches:
            if switch.name.casefold() == wanted.casefold():
                return switch
        return AethervError(
            "SWITCH_NOT_FOUND",
            f"{host.id} has no virtual switch {wanted!r}; it has {_names(s.name for s in inventory.switches)}.",
            metadata={"host": host.id, "field": "vm.virtual_switch"},
        )
    external = [switch for switch in inventory.switches if switch.type == "external"]
    if len(external) == 1:
        return external[0]
    return AethervError(
        "SWITCH_AMBIGUOUS",
        f"No switch was named and {host.id} has {len(external)} external ones; it has "
        f"{_names(f'{s.name} ({s.type})' for s in inventory.switches)}.",
        metadata={"host": host.id, "field": "vm.virtual_switch"},
    )


def host_refusals(  # a list of checks, each on its own; apart they would say less
    spec: VmSpec,
    inventory: Inventory,
    host: HostSettings,
    peers: tuple[Inventory, ...],
    ignored: frozenset[str],
) -> Iterator[AethervError]:
    """Yield why a host can't make a VM now, the most telling first.

    Args:
        spec: the effective spec: family known.
        inventory: the host's own.
        host: the host's settings.
        peers: the inventories of the other nodes of its cluster that are at hand.
        ignored: GUIDs that are judged as if they were gone.
    """
    about = {"host": host.id}
    if host.cordoned:
        yield AethervError("HOST_CORDONED", f"{host.id} is cordoned.", metadata=about)
    if inventory.facts.node_state in {"paused", "draining"}:
        yield AethervError(
            "HOST_PAUSED", f"The cluster node {host.id} is {inventory.facts.node_state}.", metadata=about
        )
    taken = _taken(spec, (inventory, *peers), ignored)
    if taken is not None:
        yield AethervError(
            "VM_ALREADY_EXISTS",
            f"A VM {taken.name!r} exists on {taken.host}: id {taken.id}.",
            metadata={"host": taken.host, "vm": f"vms/{taken.id}", "field": "vm.vm_name"},
        )
    yield from _image_refusals(spec, inventory, host)
    switch = chosen_switch(spec, inventory, host)
    if isinstance(switch, AethervError):
        yield switch
    family = spec.os_family
    if family is not None:
        yield from _iso_refusals(inventory, host, family)
    free = inventory.facts.memory_free_bytes + sum(
        vm.memory_bytes for vm in inventory.vms if vm.id in ignored and vm.state is VmState.RUNNING
    )
    if spec.gb_ram * _GIB > free:
        yield AethervError(
            "MEMORY_INSUFFICIENT",
            f"{host.id} has {free / _GIB:.1f} GiB of memory free; {spec.vm_name} asks for {spec.gb_ram:g} GiB.",
            metadata=about | {"field": "vm.gb_ram"},
        )
    yield from _space_refusals(spec, inventory, host, ignored)
    if spec.vm_clustered:
        yield from _cluster_refusals(inventory, host)


def _taken(spec: VmSpec, inventories: tuple[Inventory, ...], ignored: frozenset[str]) -> Vm | None:
    for inventory in inventories:
        for vm in inventory.vms:
            if vm.id not in ignored and not vm.replica and vm.name.casefold() == spec.vm_name.casefold():
                return vm
    return None


def _image_refusals(spec: VmSpec, inventory: Inventory, host: HostSettings) -> Iterator[AethervError]:
    about = {"host": host.id, "field": "vm.image_name"}
    images = [i for i in inventory.images if i.image_name.casefold() == spec.image_name.casefold()]
    if not images:
        yield AethervError(
            "IMAGE_NOT_FOUND",
            f"{host.id} has no image {spec.image_name!r}; it has {_names(i.image_name for i in inventory.images)}.",
            metadata=about,
        )
    elif len(images) > 1:
        yield AethervError(
            "IMAGE_AMBIGUOUS",
            f"{host.id} has {spec.image_name!r} more than once: {_names(i.path for i in images)}.",
            metadata=about,
        )


def _iso_refusals(inventory: Inventory, host: HostSettings, family: OsFamily) -> Iterator[AethervError]:
    about = {"host": host.id}
    if not any(iso.family is family for iso in inventory.isos):
        yield AethervError(
            "ISO_NOT_FOUND",
            f"{host.id} has no provisioning ISO for {family.value.title()} guests.",
            metadata=about,
        )
        return
    version = guest_version(inventory, host, family)
    if not version:
        yield AethervError(
            "GUEST_VERSION_UNKNOWN",
            f"Nothing on {host.id} tells the version of its {family.value.title()} ISO.",
            metadata=about,
        )
    elif dialect_for(version, family) is None:
        yield AethervError(
            "GUEST_VERSION_UNSUPPORTED",
            f"The {family.value.title()} ISO on {host.id} has version {version}.",
            metadata=about,
        )


def _space_refusals(
    spec: VmSpec, inventory: Inventory, host: HostSettings, ignored: frozenset[str]
) -> Iterator[AethervError]:
    image = next((i for i in inventory.images if i.image_name.casefold() == spec.image_name.casefold()), None)
    folder = (host.vm_path or inventory.facts.vm_path).casefold()
    volumes = [v for v in inventory.volumes if folder.startswith(v.path.casefold().rstrip("\\"))]
    if image is None or not volumes:
        return
    volume = max(volumes, key=lambda v: len(v.path))
    free = volume.free_bytes + sum(
        disk.file_bytes for vm in inventory.vms if vm.id in ignored for disk in vm.disks
    )
    needed = image.size_bytes + _RESERVE_BYTES + sum(job.reserved_bytes for job in inventory.jobs)
    if needed > free:
        yield AethervError(
            "DISK_FULL",
            f"{volume.path} on {host.id} has {free / _GIB:.2f} GiB free; the VM's disk and what running jobs still "
            f"copy need {needed / _GIB:.2f} GiB.",
            metadata={"host": host.id, "volume": volume.path},
        )


def _cluster_refusals(inventory: Inventory, host: HostSettings) -> Iterator[AethervError]:
    about = {"host": host.id, "field": "vm.vm_clustered"}
    if not inventory.facts.cluster:
        yield AethervError(
            "CLUSTER_NOT_AVAILABLE", f"{host.id} is no node of a failover cluster.", metadata=about
        )
        return
    if not (host.vm_path or inventory.facts.vm_path).casefold().startswith("c:\\clusterstorage\\"):
        yield AethervError(
            "CLUSTER_STORAGE_REQUIRED",
            f"VMs of {host.id} lie in {host.vm_path or inventory.facts.vm_path}, which is no cluster storage.",
            metadata=about,
        )
    if not host.delegation:
        yield AethervError(
            "CLUSTER_DELEGATION_MISSING",
            f"The agent's login on {host.id} can't be used for the cluster's other nodes.",
            metadata=about,
        )


def _names(names: Iterator[str]) -> str:
    found = sorted(set(names))
    more = f" and {len(found) - _LISTED} more" if len(found) > _LISTED else ""
    return (", ".join(repr(name) for name in found[:_LISTED]) + more) or "none"
