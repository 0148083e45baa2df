"""The back-end ``emulated``: the contracts of the host scripts answered in Python on the model of Hyper-V."""

import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from aetherv_agent import contracts

from aetherv_simhost.backends import BackendRefused
from aetherv_simhost.backends.api import CommandNotFound, ScriptCall, ScriptFailed
from aetherv_simhost.backends.emulated.context import Ends
from aetherv_simhost.backends.emulated.create import CreateScript
from aetherv_simhost.backends.emulated.delete import DeleteScript
from aetherv_simhost.backends.emulated.failures import PipelineStopped
from aetherv_simhost.backends.emulated.inventory import InventoryScript
from aetherv_simhost.faults import Faults
from aetherv_simhost.hyperv.host import HyperVHost
from aetherv_simhost.hyperv.settings import ModelSettings, SettingsError

_CLOSE_SECONDS: Final = 2.0


class EmulatedBackend:
    """Runs the host scripts of one simulated host without PowerShell.

    Args:
        host_id: The simulated host's id.
        state_dir: The host's own folder.
        faults: The host's faults.
        settings: The model's settings by name, see `ModelSettings`.

    Raises:
        BackendRefused: A setting is unknown or can't be.
    """

    def __init__(self, host_id: str, state_dir: Path, faults: Faults, settings: Mapping[str, object]) -> None:
        state_dir.mkdir(parents=True, exist_ok=True)
        try:
            read = ModelSettings.read(settings)
        except SettingsError as error:
            raise BackendRefused(str(error)) from error
        self.host = HyperVHost(host_id, state_dir, faults, read)
        self._closed = threading.Event()
        self._calls = threading.Condition()
        self._active = 0
        ended: dict[str, int] = {}
        self._create = CreateScript(self.host, ended, threading.Lock())
        self._delete = DeleteScript(self.host, ended)
        self._inventory = InventoryScript(self.host, ended)
        folder = f"{self.host.settings.install_directory}\\scripts\\{contracts.scripts_version()}\\"
        scripts = contracts.document("records")["scripts"]
        self._kinds = {(folder + script["file"]).casefold(): kind for kind, script in scripts.items()}

    def close(self) -> None:
        """The host's process ends: jobs stop where they are and undo nothing, guests' threads end."""
        self._closed.set()
        with self._calls:
            # A call ends at its next look; one that is blocked in its client's buffer is not waited for.
            self._calls.wait_for(lambda: self._active == 0, _CLOSE_SECONDS)
        self.host.close()

    def run(self, call: ScriptCall, write: Callable[[str], None], stopped: threading.Event) -> None:
        """Runs one script to its end.

        Raises:
            CommandNotFound: No script stands at the path.
            HostReboots: A fault takes the host down.
            ScriptFailed: The host's process ends.
        """
        kind = self._kinds.get(call.path.replace("/", "\\").casefold())
        if kind is None:
            raise CommandNotFound(call.path)
        ends = Ends(stopped, self._closed)
        with self._calls:
            self._active += 1
        try:
            if kind == "create":
                self._create.run(call, write, ends)
            elif kind == "delete":
                self._delete.run(call, write, ends)
            else:
                self._inventory.run(call, write)
        except PipelineStopped:
            if not stopped.is_set():
                raise ScriptFailed(
                    "The pipeline has been stopped.", "PipelineStopped", "OperationStopped"
                ) from None
        finally:
            with self._calls:
                self._active -= 1
                self._calls.notify_all()
