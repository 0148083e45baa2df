"""The back-end of one simulated host: its model, the model's socket, and the PowerShell processes."""

import shutil
import tempfile
import threading
import time
import uuid
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final, cast

from aetherv_simhost.backends.api import CommandNotFound, PsrpServer, ScriptCall, TooManyServers
from aetherv_simhost.backends.pwsh import layout
from aetherv_simhost.backends.pwsh.holder import FileHolder
from aetherv_simhost.backends.pwsh.process import PwshProcess
from aetherv_simhost.backends.pwsh.script import ScriptProcess
from aetherv_simhost.backends.pwsh.settings import PwshSettings, find_pwsh
from aetherv_simhost.backends.pwsh.steps import StepWatch
from aetherv_simhost.faults import Faults
from aetherv_simhost.hyperv.host import HyperVHost
from aetherv_simhost.hyperv.settings import ModelSettings, SettingsError
from aetherv_simhost.windows.calls import Call, Context, Session
from aetherv_simhost.windows.server import ModelServer
from aetherv_simhost.windows.wmi.jobs import JobBook

_KEY: Final = "pwsh"


class PwshBackend:
    """Runs the real host scripts of one simulated host.

    Args:
        host_id: The simulated host's id.
        state_dir: The host's own folder.
        faults: The host's faults.
        settings: The model's settings by name; ``pwsh`` holds those of `PwshSettings`.

    Raises:
        SettingsError: A setting is unknown, or there is no PowerShell.
    """

    def __init__(self, host_id: str, state_dir: Path, faults: Faults, settings: Mapping[str, object]) -> None:
        self.settings = PwshSettings.read(cast("Mapping[str, Any]", settings.get(_KEY, {})))
        found = find_pwsh(self.settings)
        if found is None:
            raise SettingsError("there is no PowerShell: set AETHERV_PWSH, or put pwsh on PATH")
        self._pwsh = found
        state_dir.mkdir(parents=True, exist_ok=True)
        model = ModelSettings.read({name: value for name, value in settings.items() if name != _KEY})
        self.host = HyperVHost(host_id, state_dir, faults, model)
        chosen = self.settings
        self.context = Context(
            self.host,
            JobBook(chosen.job_share, chosen.seed, chosen.job_seconds),
            chosen.locale,
            time.time(),
            chosen.eject_seconds,
        )
        # For tests: what happens at a step's beginning, before a call is run, and between its act and its answer.
        self.step_begun: Callable[[str, str], None] | None = None
        self.before_call: Callable[[Call], None] | None = None
        self.after_call: Callable[[Call], None] | None = None
        self._holder = FileHolder(self.host.files.held, self.host.files.real)
        self.model = ModelServer(self.context, self._called, self._answered)
        self._folder = Path(tempfile.mkdtemp(prefix="avps-"))
        layout.write_start(self._folder, self.host)
        if chosen.predeploy:
            layout.deploy_scripts(self.host)
        self._lock = threading.Lock()
        self._processes: dict[str, PwshProcess] = {}
        self._running: set[ScriptProcess] = set()
        self._closed = False
        self._reboot: Callable[[float], None] | None = None
        self._steps = StepWatch(self.host, self._begun, self._takes_down)

    def close(self) -> None:
        """The server ends: every PowerShell is killed, the model's threads end; its state stays."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
            processes, running = list(self._processes.values()), list(self._running)
        self._steps.close()
        for process in processes:
            process.close()
        for script in running:
            script.kill()
        for process in processes:
            process.wait()
        self.model.close()
        self._holder.close()
        self.host.close()
        shutil.rmtree(self._folder, ignore_errors=True)

    def on_reboot(self, reboot: Callable[[float], None]) -> None:
        """Says whom to tell when a fault takes the host down."""
        self._reboot = reboot

    def processes(self) -> tuple[int, ...]:
        """Ids of the PowerShell processes of remote shells that run now."""
        with self._lock:
            return tuple(process.pid for process in self._processes.values())

    def open_server(
        self,
        account: str,
        received: Callable[[uuid.UUID | None, bytes], None],
        gone: Callable[[], None],
        *,
        delegated: bool = False,
    ) -> PsrpServer:
        """Starts ``pwsh -s`` for a remote shell.

        Raises:
            TooManyServers: As many run as may.
        """
        session = uuid.uuid4().hex
        with self._lock:
            if self._closed or len(self._processes) >= self.settings.max_processes:
                raise TooManyServers(self.settings.max_processes)
            caller = Session(account, delegated or self.settings.delegated)
            self.model.open_session(session, caller)

            def ended() -> None:
                with self._lock:
                    self._processes.pop(session, None)
                self.model.close_session(session)
                gone()

            process = PwshProcess(
                [str(self._pwsh), "-NoProfile", "-NonInteractive", "-s"],
                self._environment(session, caller),
                self._folder,
                received,
                ended,
            )
            self._processes[session] = process
        return process

    def run(self, call: ScriptCall, write: Callable[[str], None], stopped: threading.Event) -> None:
        """Runs ``powershell.exe -File``: one process, its standard input and output.

        Raises:
            CommandNotFound: No script stands at the path.
            ScriptFailed: It ended with another exit code than 0.
        """
        path = call.path.replace("/", "\\")
        if not path.casefold().endswith(".ps1") or not self.host.files.exists(path):
            raise CommandNotFound(call.path)
        session = uuid.uuid4().hex
        caller = Session(call.account, call.delegated or self.settings.delegated)
        self.model.open_session(session, caller)
        text = "\n".join(call.pipeline_input)
        variables = layout.call_variable(path, call.parameters, with_input=bool(text))
        argv = [str(self._pwsh), "-NoProfile", "-NonInteractive", "-File", str(self._folder / "run.ps1")]
        around = {**self._environment(session, caller), **variables}
        with self._lock:
            if self._closed:
                return
            process = ScriptProcess(argv, around, self._folder)
            self._running.add(process)
        try:
            process.follow(text, write, stopped)
        finally:
            process.close()
            with self._lock:
                self._running.discard(process)
            self.model.close_session(session)

    def _environment(self, session: str, caller: Session) -> dict[str, str]:
        return layout.environment(self._folder, self.host, self.settings, self.model.path, session, caller)

    def _called(self, call: Call) -> None:
        self._steps.look()
        if self.before_call is not None:
            self.before_call(call)

    def _answered(self, call: Call) -> None:
        self._holder.refresh()
        if self.after_call is not None:
            self.after_call(call)

    def _begun(self, step: str, vm_name: str) -> None:
        if self.step_begun is not None:
            self.step_begun(step, vm_name)

    def _takes_down(self, seconds: float) -> None:
        """A fault: the host restarts, so every shell dies and the VMs begin anew."""
        with self._lock:
            processes = list(self._processes.values())
        for process in processes:
            process.close()
        self.host.reboot()
        self.context.started = time.time() + seconds
        self.context.vmms_back = time.monotonic() + seconds + self.settings.vmms_seconds
        if self._reboot is not None:
            self._reboot(seconds)
