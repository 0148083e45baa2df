"""One simulated Hyper-V host: its VMs, their guests, files, switches and cluster. Thread-safe.

VMs come out as frozen values (snapshots); every change goes through a method, is judged as Hyper-V would, and is on
disk before the method returns, so that a restarted process has the same VMs.
"""

import logging
import time
import uuid
import zlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from aetherv_simhost.faults import Faults
from aetherv_simhost.hyperv import media, paths
from aetherv_simhost.hyperv.content import make_content
from aetherv_simhost.hyperv.errors import FileMissing, InvalidState, OutOfMemory
from aetherv_simhost.hyperv.files import HostFiles
from aetherv_simhost.hyperv.guests.exchange import GUEST_STATE, PUBLIC_KEY
from aetherv_simhost.hyperv.kvp import Change, KvpExchange
from aetherv_simhost.hyperv.machine import ExchangeRecord, Machine
from aetherv_simhost.hyperv.settings import ImageSettings, ModelSettings
from aetherv_simhost.hyperv.speech import fresh_guest, mac_address, spoken
from aetherv_simhost.hyperv.store import StateStore
from aetherv_simhost.hyperv.table import VmTable
from aetherv_simhost.hyperv.timers import Timers
from aetherv_simhost.hyperv.vm import (
    Checkpoint,
    Guest,
    GuestIdentity,
    GuestPhase,
    NetworkAdapter,
    State,
    VirtualMachine,
)

_LOG: Final = logging.getLogger(__name__)


class HyperVHost(VmTable):
    """The model of one host.

    Args:
        host_id: The simulated host's id.
        state_dir: The host's own folder.
        faults: The host's faults.
        settings: The model's settings.
    """

    def __init__(self, host_id: str, state_dir: Path, faults: Faults, settings: ModelSettings) -> None:
        self.settings = settings
        self.faults = faults
        self.computer_name = settings.computer_name or host_id.upper()[:15]
        self.host_byte = zlib.crc32(host_id.encode()) & 0xFF
        super().__init__(StateStore(state_dir), settings.cluster)
        self._timers = Timers(settings.guest_workers, f"guest-{host_id}", self._guest_broke)
        self.files = HostFiles(self._store.drives_folder, settings.volumes, self._files_in_use)
        self.disk_sizes = media.DiskSizes(self.files)
        if self.is_new:
            make_content(self.files, settings)
        self._keep_host()
        self._load()

    def close(self) -> None:
        """Stops the guests' threads; the state stays as it is, and a new model goes on with it."""
        self._timers.close()

    # --- what there is

    def memory_free(self) -> int:
        """Memory in bytes that running VMs leave, less what the host itself keeps."""
        with self._lock:
            used = sum(vm.memory_bytes for vm in self._vms.values() if vm.is_on)
            return max(0, self.settings.memory_bytes - used)

    def record_of(self, vm_id: str) -> ExchangeRecord | None:
        """The record of a VM's exchange; None where recording is off."""
        if not self.settings.record_exchange:
            return None
        return ExchangeRecord(self._store.debug_folder / vm_id.lower())

    # --- VMs

    def new_vm(self, name: str, folder: str, memory_bytes: int, switch: str) -> VirtualMachine:
        """New-VM: a generation 2 VM, off, without a disk. A name may be there already.

        Args:
            name: Its name.
            folder: Where its configuration lies (Windows path); made if it is not there.
            memory_bytes: Static memory.
            switch: An existing virtual switch; empty: not connected.

        Raises:
            InvalidState: No such switch.
        """
        with self._lock:
            if switch and switch not in self.settings.switches:
                raise InvalidState(f"Hyper-V was unable to find a virtual switch with name {switch!r}.")
            self.files.make_dir(folder)
            vm = VirtualMachine(
                id=str(uuid.uuid4()),
                number=self._next_number(),
                name=name,
                path=folder,
                memory_bytes=memory_bytes,
                create_time=time.time(),
                adapters=(NetworkAdapter("Network Adapter", switch),),
            )
            self.files.make_dir(paths.join(folder, "Virtual Machines"))
            self.files.write_text(_configuration(vm), "simulated VM configuration\n")
            self._guests[vm.id] = Guest()
            self._kvp[vm.id] = KvpExchange(self.settings.guest_seconds.deliver)
            return self._keep(vm)

    def change_vm(self, vm_id: str, **values: Any) -> VirtualMachine:
        """Set-VM and its relatives: changes attributes of a VM.

        Args:
            vm_id: Its id.
            **values: `VirtualMachine`'s attributes.

        Raises:
            InvalidState: Memory, processors or firmware of a VM that is on.
        """
        with self._lock:
            vm = self.vm(vm_id)
            if vm.is_on and {"memory_bytes", "cpu_count", "secure_boot_template", "dynamic_memory"} & set(
                values
            ):
                raise InvalidState(
                    f"'{vm.name}' failed to modify device: cannot be changed while it is running."
                )
            return self._keep(replace(vm, **values))

    def set_vlan(self, vm_id: str, vlan_id: int) -> VirtualMachine:
        """Puts the VM's adapters into a VLAN (access mode), or with 0 into none."""
        with self._lock:
            vm = self.vm(vm_id)
            return self._keep(replace(vm, adapters=tuple(replace(a, vlan_id=vlan_id) for a in vm.adapters)))

    def add_disk(self, vm_id: str, path: str) -> VirtualMachine:
        """Attaches a disk's file, which must be there."""
        with self._lock:
            vm = self.vm(vm_id)
            if not self.files.exists(path):
                raise FileMissing(path, "The system cannot find the file specified.")
            return self._keep(replace(vm, disks=(*vm.disks, path)))

    def set_drive(self, vm_id: str, path: str) -> VirtualMachine:
        """Puts an ISO into the DVD drive (made if there is none); an empty path takes it out."""
        with self._lock:
            vm = self.vm(vm_id)
            if path and not self.files.exists(path):
                raise FileMissing(path, "The system cannot find the file specified.")
            return self._keep(replace(vm, drives=(path, *vm.drives[1:])))

    def remove_drive(self, vm_id: str) -> VirtualMachine:
        """Removes the empty DVD drives.

        Raises:
            InvalidState: One holds an ISO.
        """
        with self._lock:
            vm = self.vm(vm_id)
            if vm.is_on and any(vm.drives):
                raise InvalidState(f"'{vm.name}' failed to remove device 'Virtual CD/DVD Disk'.")
            return self._keep(replace(vm, drives=()))

    def checkpoint(self, vm_id: str, name: str) -> VirtualMachine:
        """Checkpoint-VM: the disks become parents of new differencing disks beside them."""
        with self._lock:
            vm = self.vm(vm_id)
            disks = []
            for disk in vm.disks:
                child = f"{disk.rpartition('.')[0]}_{uuid.uuid4()}.avhdx"
                self.files.create(child, 0).close()
                disks.append(child)
            point = Checkpoint(name, vm.disks)
            return self._keep(replace(vm, disks=tuple(disks), checkpoints=(*vm.checkpoints, point)))

    def start_vm(self, vm_id: str) -> VirtualMachine:
        """Start-VM; one that runs already stays as it is.

        Raises:
            OutOfMemory: The host has not enough memory.
            FileMissing: A disk or ISO is gone.
        """
        with self._lock:
            vm = self.vm(vm_id)
            if vm.is_on:
                return vm
            if vm.memory_bytes > self.memory_free():
                raise OutOfMemory(f"'{vm.name}' failed to start: not enough memory in the system.")
            for path in (*vm.all_disks(), *filter(None, vm.drives)):
                if not self.files.exists(path):
                    raise FileMissing(path, f"'{vm.name}' failed to start: the file is missing.")
            macs = tuple(
                replace(a, mac=a.mac or mac_address(self.host_byte, vm.number, index))
                for index, a in enumerate(vm.adapters)
            )
            return self._begin_life(replace(vm, adapters=macs, state=State.RUNNING))

    def stop_vm(self, vm_id: str, *, turn_off: bool) -> VirtualMachine:
        """Stop-VM; one that is off stays so.

        Args:
            vm_id: Its id.
            turn_off: Pull the plug; else ask the guest.

        Raises:
            InvalidState: The guest has no shutdown service or does not follow.
        """
        with self._lock:
            vm = self.vm(vm_id)
            if not vm.is_on:
                return vm
            image = self._image(vm)
            if not turn_off and (image is None or not image.shutdown_works):
                raise InvalidState(f"'{vm.name}' could not be shut down: the guest does not respond.")
            self._end_life(vm.id)
            self.files.lock_for(_files(vm), self.settings.host_seconds.release)
            silent = tuple(replace(a, ip_addresses=()) for a in vm.adapters)
            return self._keep(replace(vm, state=State.OFF, started=0.0, adapters=silent))

    def remove_vm(self, vm_id: str) -> None:
        """Remove-VM: the configuration goes, disks and folder stay; checkpoints are merged a moment later.

        Raises:
            InvalidState: It is on, or a clustered role.
        """
        with self._lock:
            vm = self.vm(vm_id)
            if vm.is_on:
                raise InvalidState(f"'{vm.name}' cannot be removed while it is {vm.state.value}.")
            if vm.id in self._cluster.roles:
                raise InvalidState(
                    f"'{vm.name}' is a clustered role and must be removed from the cluster first."
                )
            self._end_life(vm.id)
            self.files.lock_for(_files(vm), self.settings.host_seconds.release)
            self.disk_sizes.forget(vm.all_disks())
            self._drop(vm.id)
            self._remove_configuration(vm)
            for disk in vm.all_disks():
                if disk.casefold().endswith(".avhdx"):  # merged into its parent
                    self.files.real(disk).unlink(missing_ok=True)

    def restart_guest(self, vm_id: str) -> None:
        """The guest restarts itself, or is reset; its uptime begins anew."""
        with self._lock:
            vm = self.vm(vm_id)
            if vm.state is not State.RUNNING:
                return
            self._end_life(vm.id)
            self._begin_life(vm)

    def reboot(self) -> None:
        """The host restarts: every VM that was on is on again, from the beginning of a life."""
        with self._lock:
            for vm in self.vms():
                self.restart_guest(vm.id)

    # --- key-value exchange

    def kvp_change(self, vm_id: str, kind: Change, items: Sequence[tuple[str, str]]) -> None:
        """AddKvpItems, ModifyKvpItems or RemoveKvpItems.

        Raises:
            KvpRefused: With the method's ReturnValue.
        """
        with self._lock:
            vm = self.vm(vm_id)
            exchange = self._kvp[vm.id]
            exchange.change(kind, items, time.monotonic(), lambda name: self._lost(name, vm.name))
            self._keep(vm)
            record = self.record_of(vm.id)
            for name, value in items if record is not None else ():
                if record is not None:
                    record.item(kind, name, "" if kind == "remove" else value)

    def host_items(self, vm_id: str) -> dict[str, str]:
        """``HostExchangeItems``; nothing while the VM is off, as in Hyper-V."""
        with self._lock:
            vm = self.vm(vm_id)
            return dict(self._kvp[vm.id].host) if vm.state is State.RUNNING else {}

    def guest_items(self, vm_id: str) -> dict[str, str] | None:
        """``GuestExchangeItems``; None while they can't be read: the VM is off, or its guest boots."""
        with self._lock:
            vm = self.vm(vm_id)
            exchange = self._kvp[vm.id]
            return exchange.reported() if vm.state is State.RUNNING and exchange.intrinsic else None

    def intrinsic_items(self, vm_id: str) -> dict[str, str]:
        """``GuestIntrinsicExchangeItems``: FullyQualifiedDomainName, NetworkAddressIPv4, OSName and others."""
        with self._lock:
            return dict(self._kvp[self.vm(vm_id).id].intrinsic)

    # --- what guests do

    def guest_pool(self, vm_id: str) -> dict[str, str]:
        """What has arrived in the guest."""
        with self._lock:
            return dict(self._kvp[self.vm(vm_id).id].received(time.monotonic()))

    def guest_report(self, vm_id: str, name: str, value: str) -> None:
        """The guest writes an item."""
        with self._lock:
            vm = self.vm(vm_id)
            self._kvp[vm.id].report(name, value)
            self._keep(vm)

    def guest_phase(self, vm_id: str, phase: GuestPhase, becoming: GuestIdentity | None) -> None:
        """The guest writes its phase; APPLIED makes it what it was becoming, from its next start on."""
        with self._lock:
            vm = self.vm(vm_id)
            self._guests[vm.id] = replace(self._guests[vm.id], phase=phase, becoming=becoming)
            self._keep(vm)

    def guest_speaks(self, vm_id: str, *, dhcp: str) -> None:
        """The guest's integration services report its system and addresses."""
        with self._lock:
            vm = self.vm(vm_id)
            guest = self._guests[vm.id]
            said = spoken(vm, guest, self.settings.switches, dhcp)
            self._kvp[vm.id].intrinsic = dict(said.items)
            first, *others = vm.adapters or (NetworkAdapter("", ""),)
            adapters = (replace(first, ip_addresses=said.addresses), *others) if vm.adapters else ()
            self._keep(replace(vm, adapters=adapters))

    # --- inside

    def _begin_life(self, vm: VirtualMachine) -> VirtualMachine:
        silent = tuple(replace(a, ip_addresses=()) for a in vm.adapters)
        vm = replace(vm, lives=vm.lives + 1, started=time.time(), adapters=silent)
        image = self._image(vm)
        guest = self._guests[vm.id]
        if image is not None and not guest.image:
            guest = fresh_guest(image, vm.id)
        if guest.phase is GuestPhase.APPLIED and guest.becoming is not None:
            guest = replace(guest, identity=guest.becoming, becoming=None, provisioned_life=vm.lives)
        self._guests[vm.id] = guest
        self._keep(vm)
        if image is not None:
            self._kvp[vm.id].connect(time.monotonic())
            self._timers.start(Machine(self, vm, image).live(resumed=False))
        return vm

    def _end_life(self, vm_id: str) -> None:
        self._kvp[vm_id].disconnect()

    def _image(self, vm: VirtualMachine) -> ImageSettings | None:
        return next(
            (image for path in vm.all_disks() if (image := media.read_disk(self.files, path)) is not None),
            None,
        )

    def _lost(self, name: str, vm_name: str) -> bool:
        return self.faults.take("kvp_lost", name, vm_name) is not None

    def _files_in_use(self) -> frozenset[str]:
        with self._lock:
            running = [vm for vm in self._vms.values() if vm.is_on]
            return frozenset(path.casefold() for vm in running for path in _files(vm))

    def _load(self) -> None:
        with self._lock:
            for vm, guest, exchange in self._store.vms():
                exchange.deliver_seconds = self.settings.guest_seconds.deliver
                self._vms[vm.id], self._guests[vm.id], self._kvp[vm.id] = vm, guest, exchange
                image = self._image(vm)
                exchange.pool = {
                    name: value for name, value in exchange.pool.items() if name in exchange.host
                }
                if guest.phase is GuestPhase.EXCHANGING:
                    # Its key was in the memory of a process that is gone: it will show another.
                    gone = {PUBLIC_KEY, GUEST_STATE}
                    exchange.guest = [item for item in exchange.guest if item[0] not in gone]
                if vm.state is State.RUNNING and image is not None:
                    exchange.connect(time.monotonic())
                    self._timers.start(Machine(self, vm, image).live(resumed=True))

    def _remove_configuration(self, vm: VirtualMachine) -> None:
        folder = paths.parent(_configuration(vm))
        try:
            self.files.delete(_configuration(vm))
            self.files.delete_dir(folder)
        except FileMissing:
            return

    @staticmethod
    def _guest_broke(error: BaseException) -> None:
        _LOG.error("a simulated guest broke", exc_info=error)


def _files(vm: VirtualMachine) -> list[str]:
    return [*vm.all_disks(), *filter(None, vm.drives)]


def _configuration(vm: VirtualMachine) -> str:
    return paths.join(vm.path, "Virtual Machines", f"{vm.id.upper()}.vmcx")
