"""What a guest sees of the machine it runs in. The model implements it; guests know nothing else of the model."""

from collections.abc import Mapping
from typing import Protocol

from aetherv_simhost.faults import Fault
from aetherv_simhost.hyperv.settings import GuestSeconds, ImageSettings
from aetherv_simhost.hyperv.vm import Guest, GuestIdentity, GuestPhase


class GuestGone(Exception):  # noqa: N818  # reads as what happened
    """The machine was turned off, restarted or removed: this life of the guest is over."""


class GuestPort(Protocol):
    """One life of one guest. Every call raises GuestGone once that life is over."""

    @property
    def image(self) -> ImageSettings:
        """What the guest booted from."""

    @property
    def seconds(self) -> GuestSeconds:
        """How long things take."""

    def iso(self) -> tuple[str, str] | None:
        """Family and version of the provisioning ISO in the drive, if one is there."""

    def received(self) -> Mapping[str, str]:
        """The host's items that have arrived."""

    def report(self, name: str, value: str) -> None:
        """Writes an item for the host."""

    def fault(self, kind: str, where: str) -> Fault | None:
        """The fault that happens here, if one was asked for."""

    def keep_key(self, pem: bytes) -> None:
        """Offers the private key to the record of the exchange; it is kept only where recording is on."""

    def guest(self) -> Guest:
        """What is on the guest's disk."""

    def set_phase(self, phase: GuestPhase, becoming: GuestIdentity | None = None) -> None:
        """Writes the phase to the guest's disk."""

    def domain_answers(self, domain: str) -> bool:
        """Whether a domain controller of a domain can be reached."""

    def restart(self) -> None:
        """Restarts the guest: this life is over."""
