"""What every step of a job works with: the model, the journal, the output, and the places where a job can be ended."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from aetherv_agent.core.model import VmSecrets, VmSpec

from aetherv_simhost.backends.api import HostReboots
from aetherv_simhost.backends.emulated.document import Document
from aetherv_simhost.backends.emulated.failures import JobFailed, PipelineStopped
from aetherv_simhost.backends.emulated.journal import Jobs, Journal
from aetherv_simhost.backends.emulated.plan import Plan
from aetherv_simhost.backends.emulated.records import Records
from aetherv_simhost.faults import Fault
from aetherv_simhost.hyperv.host import HyperVHost
from aetherv_simhost.hyperv.vm import VirtualMachine


@dataclass(frozen=True, slots=True)
class Ends:
    """What ends a call: the pipeline was stopped, or the back-end is closed."""

    stopped: threading.Event
    closed: threading.Event

    def check(self) -> None:
        """Raises PipelineStopped once one of them is set."""
        if self.stopped.is_set() or self.closed.is_set():
            raise PipelineStopped


@dataclass(frozen=True, slots=True)
class JobContext:
    """One run of one job; ``spec`` and ``plan`` are a create's alone."""

    host: HyperVHost
    jobs: Jobs
    journal: Journal
    records: Records
    document: Document
    ends: Ends
    secrets: VmSecrets
    spec: VmSpec | None = None
    plan: Plan | None = None

    @property
    def vm_name(self) -> str:
        """The VM's name, as far as it is known."""
        return str(self.journal.values["vm_name"])

    def planned(self) -> tuple[VmSpec, Plan]:
        """Spec and plan of a create."""
        if self.spec is None or self.plan is None:
            raise JobFailed("SCRIPT_ERROR", "The job has no plan.")
        return self.spec, self.plan

    def vm(self) -> VirtualMachine:
        """The job's VM as it is now; raises VmNotFound."""
        return self.host.vm(self.journal.vm_id)

    def check(self) -> None:
        """Ends the job where it is to end.

        Raises:
            PipelineStopped: By the client; nothing more is done.
            JobFailed: JOB_CANCELLED.
        """
        self.ends.check()
        # A delete that has removed its VM goes on to its end: nobody would find the files that it left.
        if not self.journal.done("remove_vm") and self.jobs.cancel_asked(self.journal.job_id):
            raise JobFailed("JOB_CANCELLED", f"Job {self.journal.job_id} was cancelled.")

    def sleep(self, seconds: float) -> None:
        """Sleeps; a stop or cancel ends it."""
        until = time.monotonic() + seconds
        poll = self.host.settings.host_seconds.poll
        while (left := until - time.monotonic()) > 0:
            self.check()
            self.ends.stopped.wait(min(left, poll))
        self.check()

    def looks(self, timeout: float) -> Iterator[float]:
        """Gives the seconds that went by, once a poll, until the time is up; a stop or cancel ends it.

        Args:
            timeout: Seconds; at least one look is given.
        """
        began = time.monotonic()
        while True:
            self.check()
            gone = time.monotonic() - began
            yield gone
            if gone >= timeout:
                return
            self.sleep(min(self.host.settings.host_seconds.poll, max(0.0, timeout - gone)))

    def fault(self, kind: str, step: str) -> Fault | None:
        """The fault that happens here, if one was asked for."""
        return self.host.faults.take(kind, step, self.vm_name)

    @contextmanager
    def step(self, name: str) -> Iterator[bool]:
        """One step: noted in the journal and reported. Gives whether there is anything to do."""
        if self.journal.done(name):
            yield False
            return
        self.check()
        attempt = self.journal.begin_step(name)
        self.records.vm_id = self.journal.vm_id
        self.records.progress(name, "started", attempt)
        if (fault := self.fault("host_reboot", name)) is not None:
            self.host.reboot()
            raise HostReboots(fault.number(1.0))
        try:
            yield True
        except (PipelineStopped, HostReboots):
            raise
        except Exception:
            self.journal.end_step(name, "failed")
            self.records.progress(name, "failed", attempt)
            raise
        self.journal.end_step(name)
        self.records.vm_id = self.journal.vm_id
        self.records.progress(name, "done", attempt)
