"""Msvm_ConcreteJob: what a method leaves behind that answered 4096. Whether it does is decided by a seed."""

import random
import threading
import time
import uuid
from dataclasses import dataclass
from typing import Any, Final

_KEPT: Final = 512
STARTED: Final = 4096


@dataclass(frozen=True, slots=True)
class Job:
    """One job.

    Attributes:
        due: When it is done, in seconds of the monotonic clock.
        error: Its ErrorCode; 0: it succeeds.
    """

    instance_id: str
    due: float
    error: int
    submitted: float

    def row(self) -> dict[str, Any]:
        """Its row now."""
        done = time.monotonic() >= self.due
        failed = done and self.error
        return {
            "InstanceID": self.instance_id,
            "Name": "Msvm_ConcreteJob",
            "ElementName": "Modify Key-Value Pair Items",
            "JobState": 10 if failed else 7 if done else 4,
            "JobStatus": "Job is completed" if done else "Job is running",
            "PercentComplete": 100 if done else 0,
            "ErrorCode": self.error if failed else 0,
            # In the field an error came without any text.
            "ErrorDescription": "",
            "ErrorSummaryDescription": "",
            "HealthState": 5,
            "OperationalStatus": [2],
            "StatusDescriptions": ["OK"],
            "StartTime": self.submitted,
            "Cancellable": False,
        }


class JobBook:
    """The jobs of a host. Thread-safe.

    Args:
        share: How many of the calls answer 4096, 0 to 1.
        seed: Fixes which ones.
        seconds: How long a job takes.
    """

    def __init__(self, share: float, seed: int, seconds: float) -> None:
        self._share = share
        self._random = random.Random(seed)  # noqa: S311  # chooses what a test sees, no secret
        self._seconds = seconds
        self._jobs: dict[str, Job] = {}
        self._lock = threading.Lock()

    def ending(self, code: int) -> tuple[int, Job | None]:
        """How a call that ended with a code answers: with it, or with 4096 and a job that ends with it."""
        with self._lock:
            if self._random.random() >= self._share:
                return code, None
            job = Job(str(uuid.uuid4()).upper(), time.monotonic() + self._seconds, code, time.time())
            self._jobs[job.instance_id] = job
            for old in list(self._jobs)[:-_KEPT]:
                del self._jobs[old]
            return STARTED, job

    def all(self) -> list[Job]:
        """Every job that is kept."""
        with self._lock:
            return list(self._jobs.values())
