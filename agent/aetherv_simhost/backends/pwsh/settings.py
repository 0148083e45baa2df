"""Settings of the back-end ``pwsh``, under ``pwsh`` among a host's model settings; and where a PowerShell is."""

import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Final, Self

from aetherv_simhost.hyperv.settings import SettingsError

EDITIONS: Final = ("Desktop", "Core")
LOCALES: Final = ("en", "de")
_VARIABLE: Final = "AETHERV_PWSH"


@dataclass(frozen=True, slots=True)
class PwshSettings:
    """How a host's PowerShell is.

    Attributes:
        executable: Its path; empty: ``AETHERV_PWSH``, else ``pwsh`` on PATH.
        edition: ``Desktop`` (Windows PowerShell 5.1) or ``Core`` (PowerShell 7).
        predeploy: Whether the host scripts lie in the install directory from the start.
        max_processes: PowerShell processes at once.
        job_share: How many of the WMI methods' calls answer 4096, 0 to 1.
        job_seconds: How long such a job takes.
        seed: Fixes which calls those are.
        locale: Language of captions and messages.
        eject_seconds: How long a running VM's DVD drive can't be removed after its ISO was taken out.
        vmms_seconds: How long after a boot Hyper-V's management service is not there.
        delegated: Every login counts as one that goes one hop further, not those by CredSSP alone.
    """

    executable: str = ""
    edition: str = "Desktop"
    predeploy: bool = True
    max_processes: int = 64
    job_share: float = 0.3
    job_seconds: float = 0.05
    seed: int = 1
    locale: str = "en"
    eject_seconds: float = 0.0
    vmms_seconds: float = 0.0
    delegated: bool = False

    @classmethod
    def read(cls, raw: Mapping[str, Any]) -> Self:
        """Reads settings from plain values.

        Raises:
            SettingsError: A name is unknown or a value cannot be.
        """
        known = {f.name: f.default for f in fields(cls)}
        if unknown := set(raw) - set(known):
            raise SettingsError(f"unknown setting of pwsh: {', '.join(sorted(unknown))}")
        for name, value in raw.items():
            usual = known[name]
            kinds: tuple[type, ...] = (int, float) if isinstance(usual, float) else (type(usual),)
            if not isinstance(value, kinds) or (isinstance(value, bool) and not isinstance(usual, bool)):
                raise SettingsError(f"setting {name} of pwsh can't be {value!r}")
        made = cls(**raw)
        if made.edition not in EDITIONS or made.locale not in LOCALES:
            raise SettingsError(f"pwsh: edition is one of {EDITIONS}, locale one of {LOCALES}")
        return made


def find_pwsh(settings: PwshSettings | None = None) -> Path | None:
    """Where a PowerShell is; None where there is none."""
    named = (settings.executable if settings else "") or os.environ.get(_VARIABLE, "")
    found = named if named and os.access(named, os.X_OK) else None if named else shutil.which("pwsh")
    return None if found is None else Path(found)
