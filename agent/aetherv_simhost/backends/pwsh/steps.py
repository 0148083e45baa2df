"""Sees in the scripts' journals which step a job has begun, so that a fault can take the host down in it."""

import json
import logging
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from aetherv_simhost.hyperv.host import HyperVHost

JOBS_FOLDER: Final = r"C:\ProgramData\Aether-V\jobs"
_LOOK_SECONDS: Final = 0.02
_log: Final = logging.getLogger(__name__)


class StepWatch:
    """Looks at the journals, again and again and whenever it is asked to.

    Args:
        host: The model, whose fault ``host_reboot`` this hands out.
        begun: Told each step that a job begins, with its VM's name; before the step's first call is run.
        takes_down: Called with the fault's seconds, in a thread of the watch's.
    """

    def __init__(
        self,
        host: HyperVHost,
        begun: Callable[[str, str], None],
        takes_down: Callable[[float], None],
    ) -> None:
        self._host = host
        self._told = begun
        self._takes_down = takes_down
        self._seen: dict[str, int] = {}
        self._begun: set[tuple[str, str, int]] = set()
        self._lock = threading.Lock()
        self._closed = threading.Event()
        self._folder = host.files.real(JOBS_FOLDER)
        threading.Thread(target=self._follow, name="simhost-steps", daemon=True).start()

    def close(self) -> None:
        """Looks no more."""
        self._closed.set()

    def look(self) -> None:
        """Looks once."""
        # Whoever comes second waits until the first has told: so a step's first call finds all done.
        with self._lock:
            for step, vm_name in [found for path in self._changed() for found in self._steps(path)]:
                self._told(step, vm_name)
                fault = self._host.faults.take("host_reboot", step, vm_name)
                if fault is not None:
                    # The caller may be a stub's connection, which dies with the host.
                    seconds = fault.number(1.0)
                    threading.Thread(target=self._takes_down, args=(seconds,), name="simhost-down").start()

    def _changed(self) -> list[Path]:
        found = []
        for path in self._folder.glob("*.json") if self._folder.is_dir() else ():
            try:
                written = path.stat().st_mtime_ns
            except OSError:
                continue
            if self._seen.get(path.name) != written:
                self._seen[path.name] = written
                found.append(path)
        return found

    def _steps(self, path: Path) -> list[tuple[str, str]]:
        try:
            journal: Any = json.loads(path.read_text(encoding="utf-8-sig"))
            steps = journal["steps"]
            found = [
                (name, int(step.get("attempt", 1)))
                for name, step in steps.items()
                if step.get("state") == "started"
            ]
            vm_name = str(journal.get("vm_name", ""))
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return []
        new = [(name, attempt) for name, attempt in found if (path.name, name, attempt) not in self._begun]
        self._begun |= {(path.name, name, attempt) for name, attempt in new}
        return [(name, vm_name) for name, _ in new]

    def _follow(self) -> None:
        while not self._closed.wait(_LOOK_SECONDS):
            self.look()
