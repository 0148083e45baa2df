"""What is written to an operation's row so that its job's pipeline is found again. Plain values, no I/O."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Self

from aetherv_agent.core.ports import JobCall


@dataclass(frozen=True, slots=True)
class ShellIds:
    """The names under which a host knows a client's session, shell, runspace pool and pipeline (MS-WSMV, MS-PSRP)."""

    session_id: str
    shell_id: str
    pool_id: str
    command_id: str
    resource_uri: str


@dataclass(frozen=True, slots=True)
class SavedShell:
    """A job's pipeline.

    Attributes:
        host: the host's id.
        job_id: the job's id.
        script: which script it runs.
        cancel: whether it is the call that takes the job back.
        fed: whether the host got all of its input. Without it the pipeline would wait for ever.
        ids: how it is found.
    """

    host: str
    job_id: str
    script: str
    cancel: bool
    fed: bool
    ids: ShellIds

    @classmethod
    def of(cls, host: str, call: JobCall, ids: ShellIds, *, fed: bool) -> Self:
        """Return what is saved for a call."""
        return cls(host, call.job_id, call.script, call.cancel, fed, ids)

    @classmethod
    def from_json(cls, raw: Mapping[str, Any] | None) -> Self | None:
        """Return what ``to_json`` gave; None for nothing, or for what another version wrote."""
        if raw is None:
            return None
        try:
            ids = ShellIds(**{field.name: str(raw[field.name]) for field in fields(ShellIds)})
            return cls(
                str(raw["host"]),
                str(raw["job_id"]),
                str(raw["script"]),
                bool(raw["cancel"]),
                bool(raw["fed"]),
                ids,
            )
        except (KeyError, TypeError):
            return None

    def to_json(self) -> dict[str, Any]:
        """Return JSON values, flat."""
        values = asdict(self)
        ids: dict[str, Any] = values.pop("ids")
        return values | ids

    def is_of(self, host: str, call: JobCall) -> bool:
        """Whether this is the pipeline of that very call."""
        return (self.host, self.job_id, self.script, self.cancel) == (
            host,
            call.job_id,
            call.script,
            call.cancel,
        )
