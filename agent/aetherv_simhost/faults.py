"""Faults that can be asked of a simulated host, by a test in the process or by a file in the host's state folder.

The registry only hands faults out and counts them; what a fault does is the wire's or the model's matter.
"""

import json
import os
import threading
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final, cast

FAULTS_FILE: Final = "faults.json"
_TAKEN_FILE: Final = "faults.taken.json"

WIRE_KINDS: Final = frozenset(
    {
        "latency",  # value: seconds before the request is executed
        "reset",  # TCP RST before the request is executed
        "reset_mid",  # the request is executed, RST after half of the answer's bytes
        "http_503",
        "lost_answer",  # the request is executed, the connection closed without an answer
        "idle_close",  # the answer is sent, then the connection closed though the client keeps it alive
        "shells_killed",  # every shell of the host ends before the request is looked at
        "shell_quota",  # value: so many shells an account may have
        "auth_refused",  # 401 whatever the password
        "unreachable",  # RST right after accept, and on connections that are open
    }
)
MODEL_KINDS: Final = frozenset(
    {
        "guest_never_ready",
        "guest_ready_late",
        "guest_fails",
        "guest_restarts",
        "disk_full",
        "image_missing",
        "kvp_lost",
        "host_reboot",
    }
)


class FaultsFileError(ValueError):
    """The faults file cannot be read: says where and why."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault asked for.

    Attributes:
        kind: One of `WIRE_KINDS` or `MODEL_KINDS`.
        where: WSMan action (``Create``, ``Command``, ``Send``, ``Receive``, ``Signal``, ``Delete``, ...) or step
            of a script (``wait_ready``, ...). Empty: everywhere.
        vm_name: Only for this VM (case ignored). Empty: for every VM.
        count: How often it happens; -1 for ever.
        after: So many matches pass unharmed first.
        value: What the kind needs: seconds, a number, a text.
    """

    kind: str
    where: str = ""
    vm_name: str = ""
    count: int = 1
    after: int = 0
    value: float | str | None = None

    def __post_init__(self) -> None:
        if self.kind not in WIRE_KINDS | MODEL_KINDS:
            known = ", ".join(sorted(WIRE_KINDS | MODEL_KINDS))
            raise ValueError(f"unknown kind of fault {self.kind!r}; known are {known}")
        if self.count < -1 or self.after < 0:
            raise ValueError(f"fault {self.kind}: count is -1 or more, after is 0 or more")

    def number(self, default: float) -> float:
        """The value as a number, or the default where none was given."""
        return default if self.value is None else float(self.value)

    def concerns(self, kind: str, where: str, vm_name: str) -> bool:
        """Whether a place in the code that asks with these arguments is meant."""
        return (
            self.kind == kind
            and self.where.lower() in {"", where.lower()}
            and self.vm_name.lower() in {"", vm_name.lower()}
        )


@dataclass(slots=True)
class _Entry:
    fault: Fault
    matched: int = 0

    @property
    def due(self) -> bool:
        """Whether the next match is one that harms."""
        used = self.matched - self.fault.after
        return used >= 0 and (self.fault.count == -1 or used < self.fault.count)


class Faults:
    """The faults of one simulated host. Thread-safe.

    Args:
        folder: The host's state folder; its ``faults.json`` is read again whenever it changes. It holds a list of
            objects with `Fault`'s fields (only ``kind`` is needed) and an optional ``id``; an entry keeps its count
            as long as it stands in the file, over restarts too. None: no file.
        report: Called with a text when the file cannot be used; the last good state stays.
    """

    def __init__(self, folder: Path | None = None, report: Callable[[str], None] | None = None) -> None:
        self._lock = threading.Lock()
        self._folder = folder
        self._report = report
        self._added: list[_Entry] = []
        self._filed: dict[str, _Entry] = {}
        self._seen: tuple[int, int, int] | None = None
        self._taken = _read_taken(folder)

    def add(self, fault: Fault) -> None:
        """Asks for a fault."""
        with self._lock:
            self._added.append(_Entry(fault))

    def clear(self) -> None:
        """Forgets every fault added by `add`, and those of the file until it changes again."""
        with self._lock:
            self._reload()
            self._added.clear()
            self._filed.clear()

    def take(self, kind: str, where: str = "", vm_name: str = "") -> Fault | None:
        """The fault that happens here and now, counted as having happened; None for the usual case.

        Args:
            kind: What could happen here.
            where: The WSMan action or the script's step.
            vm_name: The VM concerned, if any.
        """
        with self._lock:
            self._reload()
            found: Fault | None = None
            filed = False
            for key, entry in (*(("", added) for added in self._added), *self._filed.items()):
                if not entry.fault.concerns(kind, where, vm_name):
                    continue
                if found is not None and entry.due:
                    continue
                if entry.due:
                    found = entry.fault
                entry.matched += 1
                if key:
                    self._taken[key] = entry.matched
                    filed = True
            if filed:
                self._write_taken()
            return found

    def peek(self, kind: str, where: str = "", vm_name: str = "") -> Fault | None:
        """As `take`, without counting."""
        with self._lock:
            self._reload()
            for entry in (*self._added, *self._filed.values()):
                if entry.due and entry.fault.concerns(kind, where, vm_name):
                    return entry.fault
            return None

    def _reload(self) -> None:
        if self._folder is None:
            return
        try:
            status = (self._folder / FAULTS_FILE).stat()
            seen = (status.st_mtime_ns, status.st_size, status.st_ino)
        except OSError:
            seen = None
        if seen == self._seen:
            return
        self._seen = seen
        try:
            faults = {} if seen is None else read_faults(self._folder / FAULTS_FILE)
        except FaultsFileError as error:
            if self._report is not None:
                self._report(str(error))
            return
        self._filed = {key: _Entry(fault, self._taken.get(key, 0)) for key, fault in faults.items()}
        self._taken = {key: matched for key, matched in self._taken.items() if key in faults}
        self._write_taken()

    def _write_taken(self) -> None:
        if self._folder is None:
            return
        path = self._folder / _TAKEN_FILE
        partial = path.with_suffix(".partial")
        partial.write_text(json.dumps(self._taken), encoding="utf-8")
        partial.replace(path)


def read_faults(path: Path) -> dict[str, Fault]:
    """Reads a faults file.

    Returns:
        The faults by key: the entry's ``id``, else its content (and its ordinal among equal ones).

    Raises:
        FaultsFileError: The file is not a list of faults.
    """
    faults: dict[str, Fault] = {}
    try:
        for entry in _entries(json.loads(path.read_text(encoding="utf-8"))):
            name = str(entry.pop("id", ""))
            fault = Fault(**cast("dict[str, Any]", entry))
            key = name or json.dumps(asdict(fault), sort_keys=True)
            ordinal = 1
            while (numbered := f"{key}#{ordinal}") in faults:
                ordinal += 1
            faults[numbered] = fault
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise FaultsFileError(f"{path}: {error}") from error
    return faults


def _entries(content: object) -> list[dict[str, object]]:
    if isinstance(content, list) and all(isinstance(entry, dict) for entry in content):
        return content
    raise ValueError("expected a list of objects")


def write_faults(folder: Path, *faults: Fault) -> None:
    """Writes a host's faults file in one step, as a test of a running process does.

    Args:
        folder: The host's state folder.
        faults: What stands in the file afterwards, and nothing else.
    """
    path = folder / FAULTS_FILE
    partial = path.with_suffix(f".{os.getpid()}.partial")
    partial.write_text(json.dumps([asdict(fault) for fault in faults]), encoding="utf-8")
    partial.replace(path)


def _read_taken(folder: Path | None) -> dict[str, int]:
    if folder is None:
        return {}
    try:
        taken = json.loads((folder / _TAKEN_FILE).read_text(encoding="utf-8"))
        return {str(key): int(matched) for key, matched in taken.items()}
    except (OSError, ValueError, TypeError, AttributeError):
        return {}
