"""Output of a script: JSON lines as ``host_scripts/contracts/records.json`` has them, ASCII, one object each."""

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any


def timestamp(seconds: float | None = None) -> str:
    """A moment as ISO-8601 in UTC; now where none is given (seconds since the epoch)."""
    moment = datetime.now(UTC) if seconds is None else datetime.fromtimestamp(seconds, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


class Records:
    """Writes one job's records.

    Args:
        write: Emits one line.
        job_id: The job's id; empty for a read.
    """

    def __init__(self, write: Callable[[str], None], job_id: str) -> None:
        self._write = write
        self._job_id = job_id
        self.vm_id = ""
        """The job's VM, told with each progress once it is known."""

    def progress(
        self,
        step: str,
        state: str,
        attempt: int,
        *,
        done_bytes: int | None = None,
        total_bytes: int | None = None,
        message: str = "",
    ) -> None:
        """A step has changed or goes on."""
        self._emit(
            "progress",
            step=step,
            state=state,
            attempt=attempt,
            done_bytes=done_bytes,
            total_bytes=total_bytes,
            message=message or None,
            vm_id=self.vm_id or None,
        )

    def log(self, level: str, message: str, *, reason: str = "", field: str = "") -> None:
        """A line for people; with a reason it is a warning that the user must see."""
        self._emit("log", level=level, message=message, reason=reason or None, field=field or None)

    def outcome(self, outcome: Mapping[str, Any]) -> None:
        """The last record: ``kind`` result or error, and its fields."""
        self._emit(**outcome)

    def _emit(self, kind: str, **values: Any) -> None:
        given = {name: value for name, value in values.items() if value is not None}
        self._write(json.dumps({"kind": kind, "time": timestamp(), "job_id": self._job_id, **given}))
