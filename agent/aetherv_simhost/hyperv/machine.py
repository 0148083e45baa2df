"""The model's side of `guests.port.GuestPort`: one life of one guest, and the record of its exchange."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from aetherv_simhost.faults import Fault
from aetherv_simhost.hyperv import media
from aetherv_simhost.hyperv.errors import VmNotFound
from aetherv_simhost.hyperv.guests.exchange import GUEST_ERROR, GUEST_STATE, Family, provision
from aetherv_simhost.hyperv.guests.linux import LinuxGuest
from aetherv_simhost.hyperv.guests.port import GuestGone
from aetherv_simhost.hyperv.guests.windows import WindowsGuest
from aetherv_simhost.hyperv.settings import GuestSeconds, ImageSettings
from aetherv_simhost.hyperv.speech import dhcp_address
from aetherv_simhost.hyperv.vm import Guest, GuestIdentity, GuestPhase, State, VirtualMachine

if TYPE_CHECKING:
    from aetherv_simhost.hyperv.host import HyperVHost

_FAMILIES: Mapping[str, Family] = {"linux": LinuxGuest(), "windows": WindowsGuest()}


class Machine:
    """One life of a VM's guest.

    Args:
        host: The model.
        vm: The VM as it was when this life began.
        image: What it boots from.
    """

    def __init__(self, host: HyperVHost, vm: VirtualMachine, image: ImageSettings) -> None:
        self._host = host
        self._id = vm.id
        self._life = vm.lives
        self._image = image

    @property
    def image(self) -> ImageSettings:
        """What the guest booted from."""
        return self._image

    @property
    def seconds(self) -> GuestSeconds:
        """How long things take."""
        return self._host.settings.guest_seconds

    def vm(self) -> VirtualMachine:
        """The VM, as long as this life lasts.

        Raises:
            GuestGone: It is over.
        """
        try:
            vm = self._host.vm(self._id)
        except VmNotFound:
            raise GuestGone from None
        if vm.lives != self._life or vm.state is not State.RUNNING:
            raise GuestGone
        return vm

    def iso(self) -> tuple[str, str] | None:
        """Family and version of the provisioning ISO in the drive."""
        return next(
            (iso for path in self.vm().drives if path and (iso := media.read_iso(self._host.files, path))),
            None,
        )

    def received(self) -> Mapping[str, str]:
        """The host's items that have arrived."""
        self.vm()
        return self._host.guest_pool(self._id)

    def report(self, name: str, value: str) -> None:
        """Writes an item for the host."""
        self.vm()
        self._host.guest_report(self._id, name, value)

    def fault(self, kind: str, where: str) -> Fault | None:
        """The fault that happens here."""
        return self._host.faults.take(kind, where, self.vm().name)

    def keep_key(self, pem: bytes) -> None:
        """Records the private key, where recording is on."""
        record = self._host.record_of(self._id)
        if record is not None:
            record.key(pem)

    def guest(self) -> Guest:
        """What is on the guest's disk."""
        self.vm()
        return self._host.guest(self._id)

    def set_phase(self, phase: GuestPhase, becoming: GuestIdentity | None = None) -> None:
        """Writes the phase to the guest's disk."""
        self.vm()
        self._host.guest_phase(self._id, phase, becoming)

    def domain_answers(self, domain: str) -> bool:
        """Whether a domain controller can be reached."""
        domains = self._host.settings.domains
        return self._image.domain_reachable and (
            domains is None or domain.casefold() in {d.casefold() for d in domains}
        )

    def restart(self) -> None:
        """Restarts the guest."""
        self.vm()
        self._host.restart_guest(self._id)

    def live(self, *, resumed: bool) -> Iterator[float]:
        """This whole life: integration services first, then the provisioning service.

        Args:
            resumed: The simulation's process was restarted, not the guest.
        """
        service = provision(self, _FAMILIES[self._image.family], resumed=resumed)
        try:
            if self._life == 1 and not resumed:
                for name, value in self._image.stale.items():
                    self.report(name, value)
            yield self.seconds.boot
            vm = self.vm()
            self._host.guest_speaks(self._id, dhcp=dhcp_address(self._host.host_byte, vm.number))
            guest = self._host.guest(self._id)
            if (
                guest.family == "windows"
                and guest.identity.domain
                and 0 < guest.provisioned_life < self._life
            ):
                # The scheduled task stays and runs without its files (guest-protocol, Order 5).
                self.report(GUEST_ERROR, "error initializing:service")
                self.report(GUEST_STATE, "provisioningfailed")
        except GuestGone:
            return
        yield from service


class ExchangeRecord:
    """What went over one VM's data exchange, kept raw so that a test can decrypt it by other means.

    Args:
        folder: The VM's folder; made when something is kept.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def key(self, pem: bytes) -> None:
        """Keeps the guest's private key."""
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / "private_key.pem").write_bytes(pem)

    def item(self, change: str, name: str, value: str) -> None:
        """Keeps one host item as it was written."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / "host_items.jsonl").open("a", encoding="utf-8") as stream:
            stream.write(json.dumps({"change": change, "name": name, "value": value}) + "\n")

    def items(self) -> list[dict[str, str]]:
        """Every host item ever written, in order: ``change``, ``name``, ``value``."""
        try:
            lines = (self.folder / "host_items.jsonl").read_text(encoding="utf-8").splitlines()
        except FileNotFoundError:
            return []
        return [json.loads(line) for line in lines]
