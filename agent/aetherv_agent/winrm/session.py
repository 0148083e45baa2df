"""One remote shell: its own WSMan connection and runspace pool, one pipeline at a time. Blocking.

This file alone touches pypsrp, which knows no locks: a shell is used by one thread at a time. What pypsrp does not
offer (sending a pipeline's parts one by one, and finding it again when an answer was lost) is done with its parts.
Every method raises ``AethervError`` (HOST_*) and nothing else; HOST_RESULT_LOST says that the shell, or the command
in it, is gone.
"""

from __future__ import annotations

import base64
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from pypsrp.complex_objects import (
    ApartmentState,
    ComplexObject,
    HostInfo,
    ObjectMeta,
    Pipeline,
    PSInvocationState,
    RemoteStreamOptions,
    RunspacePoolState,
)
from pypsrp.exceptions import WSManFaultError
from pypsrp.messages import CreatePipeline, EndOfPipelineInput, MessageType, PipelineInput
from pypsrp.powershell import PowerShell, RunspacePool
from pypsrp.shell import CommandState, SignalCode
from pypsrp.wsman import NAMESPACES

from aetherv_agent.core.errors import AethervError
from aetherv_agent.core.ports import Cmdlet

from .errors import OPERATION_TIMED_OUT, guarded
from .outcome import Ending, Output, PowerShellError
from .saved import ShellIds
from .settings import WinRmSettings
from .values import plain
from .wire import Wsman, selectors

_T = TypeVar("_T")

# For requests that a host answers at once.
_PROMPT_SECONDS: Final = 8
_READ_MARGIN: Final = 7
_ENDINGS: Final = {
    PSInvocationState.COMPLETED: Ending.COMPLETED,
    PSInvocationState.FAILED: Ending.FAILED,
    PSInvocationState.STOPPED: Ending.STOPPED,
}


@dataclass(frozen=True, slots=True)
class Command:
    """What a pipeline runs: one script by its path, a document as its input, secrets as ``-Secrets``."""

    path: str
    document: str
    secrets: Mapping[str, str] | None = None

    def __repr__(self) -> str:
        return f"Command({self.path!r})"


class Shell:
    """One remote shell. ``open`` or ``recall`` begins its use; ``close``, ``disconnect`` or ``drop`` ends it.

    Args:
        settings: the host's.
        idle_seconds: when the host ends it if nobody asks for anything.
    """

    def __init__(self, settings: WinRmSettings, idle_seconds: int) -> None:
        self.settings = settings
        self._wsman = self._guarded(lambda: Wsman(settings))
        self._pool = RunspacePool(
            self._wsman, configuration_name=settings.configuration_name, idle_timeout=idle_seconds
        )
        self._pipeline = PowerShell(self._pool)
        self._parts: list[bytes] = []
        self._early: Output | None = None
        self._errors_told = 0
        self.lossy = False
        """Whether output may be missing: an answer was lost, or another client read before this one."""

    def __repr__(self) -> str:
        return f"Shell({self.settings.host!r}, {self._pool.id!r})"

    def open(self) -> None:
        """Open it on the host. When that fails ``reached`` says whether it may be there all the same."""
        self._guarded(self._wsman.renew)
        self._guarded(self._pool.open)

    @property
    def reached(self) -> bool:
        """Whether a connection to the host came about at all."""
        return self._wsman.connected

    @classmethod
    def recall(cls, settings: WinRmSettings, ids: ShellIds) -> Shell:
        """Return the shell that an earlier client opened, by its ids. Asks the host nothing yet."""
        shell = cls(settings, settings.idle_timeout_seconds)
        shell.lossy = True
        shell._wsman.session_id = ids.session_id
        pool = shell._pool
        pool.id = ids.pool_id
        pool.shell.id = ids.shell_id
        pool.shell.resource_uri = ids.resource_uri
        pool.shell.opened = True
        pool.shell._selector_set = selectors(ids.shell_id)  # noqa: SLF001  # pypsrp's own `connect` does the same
        pool.state = RunspacePoolState.OPENED
        shell._take_pipeline(ids.command_id)
        shell._guarded(shell._wsman.renew)
        return shell

    @property
    def ids(self) -> ShellIds:
        """How the shell and its pipeline are found again."""
        return ShellIds(
            session_id=self._wsman.session_id,
            shell_id=self._pool.shell.id or self._pool.id,
            pool_id=self._pool.id,
            command_id=self._pipeline.id,
            resource_uri=self._pool.shell.resource_uri,
        )

    def prepare(self, command: Command) -> None:
        """Make a new pipeline's messages; exchanges keys with the host if there are secrets. Runs nothing yet."""
        pipeline = PowerShell(self._pool).add_cmdlet(command.path)
        if command.secrets is not None:
            self._guarded(self._pool.exchange_keys)
            pipeline.add_parameter(
                "Secrets",
                {
                    name: self._pool.serialize(value, ObjectMeta("SS"))
                    for name, value in command.secrets.items()
                },
            )
        self._fragment(pipeline, [PipelineInput(data=command.document), EndOfPipelineInput()])

    def prepare_cmdlets(self, commands: Sequence[Cmdlet]) -> None:
        """Make a new pipeline of plain commands without input. Runs nothing yet."""
        pipeline = PowerShell(self._pool)
        for command in commands:
            pipeline.add_cmdlet(command.name)
            for name, value in command.parameters.items():
                pipeline.add_parameter(name, list(value) if isinstance(value, tuple) else value)
        self._fragment(pipeline, [])

    def _fragment(self, pipeline: PowerShell, entry: list[ComplexObject]) -> None:
        create = CreatePipeline(
            no_input=not entry,
            apartment_state=ApartmentState(value=self._pool.apartment_state),
            # No invocation info: an error record would carry every bound parameter.
            remote_stream_options=RemoteStreamOptions(value=0),
            add_to_history=False,
            host_info=HostInfo(host=None),
            pipeline=Pipeline(
                is_nested=False, cmds=pipeline.commands, history=None, redirect_err_to_out=False
            ),
            is_nested=False,
        )
        fragmenter = self._pool._fragmenter  # noqa: SLF001  # begin_invoke sends all at once; see the module's text
        parts = fragmenter.fragment(create, self._pool.id, pipeline.id)
        if entry:
            parts += fragmenter.fragment_multiple(entry, self._pool.id, pipeline.id)
        self._parts = parts
        self._take_pipeline(pipeline.id)

    def send_command(self) -> None:
        """Send the pipeline's first part. When the answer is lost the pipeline may be there: see ``has_command``."""
        first = base64.b64encode(self._parts[0]).decode("ascii")
        self._guarded(lambda: self._pool.shell.command("", arguments=[first], command_id=self._pipeline.id))

    def has_command(self) -> bool:
        """Ask the host whether it has the pipeline.

        Raises:
            AethervError: HOST_RESULT_LOST when it does not even have the shell.
        """
        try:
            self.probe()
        except AethervError as error:
            if error.id != "HOST_RESULT_LOST":
                raise
        else:
            return True
        with self._patience(_PROMPT_SECONDS):
            self._guarded(self._pool.shell._get_shell)  # noqa: SLF001  # `is_alive` reuses old connections only
        return False

    def probe(self) -> None:
        """Ask for output and keep it for the next ``receive``: succeeds where the pipeline can be read."""
        self._early = self.receive(1)

    def send_input(self) -> None:
        """Send the rest of the pipeline and its input. Not to be repeated: the host would read it twice."""
        for part in self._parts[1:]:
            self._send(part)
        self._parts = []

    def _send(self, part: bytes) -> None:
        self._guarded(lambda: self._pool.shell.send("stdin", part, command_id=self._pipeline.id))

    def receive(self, seconds: int) -> Output:
        """Wait for output, ``seconds`` at the most; empty output when there was none."""
        if self._early is not None:
            early, self._early = self._early, None
            return early
        with self._patience(seconds):
            return self._guarded(self._receive)

    def reset(self) -> None:
        """Forget the connection after it failed; the remote shell stays."""
        self.lossy = True
        self._guarded(self._wsman.renew)

    def reconnect(self) -> None:
        """Take up a shell that this client's session disconnected."""
        self._guarded(
            lambda: self._wsman.reconnect(
                self._pool.shell.resource_uri, selector_set=selectors(self._pool.shell.id or self._pool.id)
            )
        )

    def connect(self) -> None:
        """Take over a disconnected shell and its pipeline as a new client."""
        self._pool.state = RunspacePoolState.DISCONNECTED
        self._pool._new_client = True  # noqa: SLF001  # what `get_runspace_pools` sets for a shell of another client
        self._pipeline.state = PSInvocationState.DISCONNECTED
        self._guarded(self._pool.connect)
        self._guarded(self._pipeline.connect_async)

    def finish(self) -> None:
        """Free an ended pipeline on the host; the shell stays for the next one."""
        with self._patience(_PROMPT_SECONDS):
            self._guarded(lambda: self._pool.shell.signal(SignalCode.TERMINATE, self._pipeline.id))
        self._pool.pipelines.clear()

    def disconnect(self) -> None:
        """Leave the shell with its pipeline running, for another client to take up; ends this object's use."""
        leave = ET.Element(f"{{{NAMESPACES['rsp']}}}Disconnect")
        chosen = selectors(self._pool.shell.id or self._pool.id)
        try:
            with self._patience(_PROMPT_SECONDS):
                self._guarded(
                    lambda: self._wsman.disconnect(self._pool.shell.resource_uri, leave, selector_set=chosen)
                )
        finally:
            self.drop()

    def close(self) -> None:
        """End the shell on the host, and whatever runs in it; ends this object's use."""
        uri, chosen = self._pool.shell.resource_uri, selectors(self._pool.shell.id or self._pool.id)
        try:
            with self._patience(_PROMPT_SECONDS):
                self._guarded(lambda: self._wsman.delete(uri, selector_set=chosen))
        finally:
            self.drop()

    def interrupt(self) -> None:
        """End the request that another thread waits in: its connection is cut. The only method for a second thread."""
        self._wsman.interrupt()

    def drop(self) -> None:
        """Close the connection and tell the host nothing; ends this object's use."""
        self._guarded(self._wsman.drop)

    def _receive(self) -> Output:
        try:
            state, _, streams = self._pool.shell.receive("stdout", command_id=self._pipeline.id)
        except WSManFaultError as fault:
            if fault.code == OPERATION_TIMED_OUT:
                return Output()
            raise
        answers = self._pool._parse_responses(streams["stdout"], self._pipeline)  # noqa: SLF001  # as `poll_invoke`
        values = tuple(answer.data.data for kind, answer in answers if kind == MessageType.PIPELINE_OUTPUT)
        errors = self._pipeline.streams.error[self._errors_told :]
        self._errors_told += len(errors)
        ending = _ENDINGS.get(self._pipeline.state)
        if ending is None and state == CommandState.DONE:
            ending = Ending.UNKNOWN
        return Output(
            tuple(str(value) for value in values),
            tuple(_read_error(error) for error in errors),
            ending,
            tuple(plain(value) for value in values),
        )

    def _take_pipeline(self, command_id: str) -> None:
        pipeline = PowerShell(self._pool)
        pipeline.id = command_id
        pipeline._command_id = command_id  # noqa: SLF001  # as pypsrp does for a pipeline of another client
        pipeline.state = PSInvocationState.RUNNING
        self._pool.pipelines[command_id] = pipeline
        self._pipeline = pipeline
        self._errors_told = 0
        self._early = None

    @contextmanager
    def _patience(self, seconds: int) -> Iterator[None]:
        """Let the host hold the next request that long."""
        transport = self._wsman.transport
        usual = (self._wsman.operation_timeout, transport.read_timeout)
        if seconds < self._wsman.operation_timeout:
            self._wsman.operation_timeout, transport.read_timeout = seconds, seconds + _READ_MARGIN
        try:
            yield
        finally:
            self._wsman.operation_timeout, transport.read_timeout = usual

    def _guarded(self, action: Callable[[], _T]) -> _T:
        return guarded(self.settings, action)


def _read_error(record: Any) -> PowerShellError:
    """Return an error record's facts (MS-PSRP 2.2.3.15); what is missing stays empty."""
    exception = getattr(record, "exception", None)
    found = {
        **getattr(exception, "extended_properties", {}),
        **getattr(exception, "adapted_properties", {}),
    }
    texts = (
        getattr(record, "details_message", None),
        found.get("Message"),
        getattr(record, "message", None),
        record,
    )
    return PowerShellError(
        error_id=str(getattr(record, "fq_error", None) or ""),
        reason=str(getattr(record, "reason", None) or ""),
        target=str(getattr(record, "target_name", None) or ""),
        text=next((str(text) for text in texts if text), ""),
        category=_number(getattr(record, "category", None)),
    )


def _number(value: Any) -> int:
    try:
        return int(value)
    except (TypeError, ValueError):
        return 0
