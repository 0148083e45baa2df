"""Where and how a create makes its VM, decided once before any change and kept in the journal. Plain data, no secret."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self


@dataclass(frozen=True, slots=True)
class Plan:
    """One VM's place.

    Attributes:
        family: ``linux`` or ``windows``.
        image: The golden image's path.
        image_bytes: Its file's size.
        folder: The VM's folder.
        disk: The clone's path.
        iso: The provisioning ISO on the host.
        iso_copy: Its copy in the VM's folder.
        guest_version: What ``hlvmm.meta.version`` publishes.
        switch: The virtual switch.
        memory_bytes: The VM's static memory.
    """

    family: str
    image: str
    image_bytes: int
    folder: str
    disk: str
    iso: str
    iso_copy: str
    guest_version: str
    switch: str
    memory_bytes: int

    @property
    def partial(self) -> str:
        """The clone's path while it is copied."""
        return self.disk.removesuffix(".vhdx") + ".partial.vhdx"

    def to_json(self) -> dict[str, Any]:
        """The plan as JSON values."""
        return asdict(self)

    @classmethod
    def from_json(cls, raw: Mapping[str, Any]) -> Self:
        """The plan that ``to_json`` gave."""
        return cls(**raw)
