"""What the resources of one provider process share: the configured agent, the stop, and the VMs that were seen."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from terraform_provider_aetherv.agent import Agent


class KnownVms:
    """The ids of VMs whose state this process has seen: a planned VM may stand in the place of one of them.

    Terraform plans a tainted object with a null prior, and shows its state to the same process before
    (UpgradeResourceState).
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._ids: set[str] = set()

    def remember(self, vm_id: object) -> None:
        """Add an id; anything that is none is ignored."""
        if isinstance(vm_id, str) and vm_id:
            with self._lock:
                self._ids.add(vm_id.lower())

    def all(self) -> frozenset[str]:
        """Give the ids that were seen so far."""
        with self._lock:
            return frozenset(self._ids)


@dataclass(slots=True)
class Session:
    """One provider process.

    Attributes:
        stop_event: set when Terraform asks to stop.
        agent: None: not configured yet, or a setting of the provider is unknown in this plan.
        known: the VMs that were seen.
    """

    stop_event: threading.Event
    agent: Agent | None = None
    known: KnownVms = field(default_factory=KnownVms)
