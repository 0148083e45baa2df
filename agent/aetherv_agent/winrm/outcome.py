"""What a pipeline gave: its lines as records, and how its end is to be understood. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from aetherv_agent.core.errors import AethervError
from aetherv_agent.core.results import Log, Progress, ScriptError, ScriptResult, parse_record

_MAX_TEXT: Final = 1024


class Ending(StrEnum):
    """How a pipeline ended. UNKNOWN: it is over, and its last state never came."""

    COMPLETED = "completed"
    FAILED = "failed"
    STOPPED = "stopped"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class PowerShellError:
    """An error record of PowerShell itself, not one of a script's own records.

    Attributes:
        error_id: FullyQualifiedErrorId.
        reason: the exception's type name.
        target: what it happened to.
        text: for people; localised.
        category: .NET's ErrorCategory.
    """

    error_id: str
    reason: str
    target: str
    text: str
    category: int = 0


@dataclass(frozen=True, slots=True)
class Output:
    """What one Receive brought. ``ending`` is None while the pipeline runs; ``values`` are the lines before they became text."""

    lines: tuple[str, ...] = ()
    errors: tuple[PowerShellError, ...] = ()
    ending: Ending | None = None
    values: tuple[Any, ...] = ()


class Transcript:
    """Reads a pipeline's output in order and says at its end what came of it.

    Args:
        host: the host's id.
        path: the script's path, as it was called.
    """

    def __init__(self, host: str, path: str) -> None:
        self._host = host
        self._path = path
        self._last: ScriptResult | ScriptError | None = None
        self._wrong = 0
        self._errors: list[PowerShellError] = []

    def read(self, output: Output, now: datetime) -> tuple[Progress | Log, ...]:
        """Return the progress and log records of some output.

        A line that is no record is told as a warning and does not end the job: its result still counts.

        Args:
            output: what came.
            now: the time of what has none of its own (an aware datetime).
        """
        told: list[Progress | Log] = []
        for line in output.lines:
            if not line.strip():
                continue
            try:
                record = parse_record(line)
            except AethervError:
                self._wrong += 1
                told.append(
                    Log(now, "warning", f"The script wrote a line that is no record: {line[:_MAX_TEXT]}")
                )
                continue
            if isinstance(record, ScriptResult | ScriptError):
                self._last = record
            else:
                told.append(record)
        for failure in output.errors:
            self._errors.append(failure)
            told.append(Log(now, "warning", f"PowerShell reported: {failure.text[:_MAX_TEXT]}"))
        return tuple(told)

    def result(self, ending: Ending, *, lossy: bool) -> ScriptResult:
        """Return the script's result once its pipeline ended.

        Args:
            ending: how it ended.
            lossy: whether output may be missing.

        Raises:
            AethervError: the script's typed error; SCRIPTS_MISMATCH where no script stands at the path;
                SCRIPT_ERROR for a failure of PowerShell itself; HOST_RESULT_LOST where the end did not reach us;
                HOST_PROTOCOL_ERROR for a script that ended without a word.
        """
        match self._last:
            case ScriptResult():
                return self._last
            case ScriptError():
                raise self._last.to_error(self._host)
            case None:
                raise self._silent(ending, lossy=lossy)

    def _silent(self, ending: Ending, *, lossy: bool) -> AethervError:
        about = {"host": self._host}
        if ending is Ending.FAILED and self._errors:
            failure = self._errors[-1]
            # Nothing has run then, so it is the host's own answer that nothing was changed.
            if _script_is_missing(failure, self._path):
                text = f"Host {self._host} has no script {self._path}."
                return AethervError("SCRIPTS_MISMATCH", text, metadata=about, host_answered=True)
            text = f"The script on host {self._host} failed: {failure.text[:_MAX_TEXT]}"
            about |= {"powershell_error": failure.error_id}
            return AethervError("SCRIPT_ERROR", text, metadata=about, host_answered=True)
        if ending in {Ending.STOPPED, Ending.UNKNOWN} or lossy:
            text = f"The job on host {self._host} ended ({ending}) and its result did not come."
            return AethervError("HOST_RESULT_LOST", text, metadata=about)
        text = (
            f"The script on host {self._host} ended ({ending}) without a result or an error; "
            f"{self._wrong} of its lines were no records."
        )
        return AethervError("HOST_PROTOCOL_ERROR", text, metadata=about)


def _script_is_missing(failure: PowerShellError, path: str) -> bool:
    missing = "CommandNotFoundException" in {failure.reason, failure.error_id.split(",")[0]}
    return missing and failure.target.casefold() in {"", path.casefold()}
