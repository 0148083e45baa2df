"""A WSMan shell that speaks PSRP: one runspace pool, whose pipelines are calls of scripts.

A pipeline is one command (a script's path) with named parameters and input. Script text is refused by name, as are
several commands in one pipeline: this host runs nothing but its scripts.
"""

import base64
import binascii
import threading
import uuid
from collections.abc import Mapping
from typing import Any, Final

from psrpcore import (
    CreatePipelineEvent,
    EndOfPipelineInputEvent,
    GetAvailableRunspacesEvent,
    GetCommandMetadataEvent,
    PipelineInputEvent,
    PSRPPayload,
    ResetRunspaceStateEvent,
    ServerPipeline,
    SetMaxRunspacesEvent,
    SetMinRunspacesEvent,
    StreamType,
)
from psrpcore.types import ErrorRecord, PipelineState, PSInvocationState, PSVersion, RunspacePoolInitData

from aetherv_simhost.backends.api import ScriptCall
from aetherv_simhost.psrp.pool import Pool, call_id_of
from aetherv_simhost.psrp.records import ending, error_record
from aetherv_simhost.psrp.values import plain
from aetherv_simhost.runner import End, Outcome
from aetherv_simhost.wsman.errors import schema, too_many_operations
from aetherv_simhost.wsman.output import Output, Piece
from aetherv_simhost.wsman.shell import Command, Shell, ShellSeat

# Bytes of one fragment: what Windows uses.
_FRAGMENT_BYTES: Final = 32768
# Where the pipeline's id stands in a message's first fragment (MS-PSRP 2.2.4 and 2.2.1).
_PIPELINE_ID: Final = slice(21 + 24, 21 + 40)


def _versions() -> dict[str, object]:
    """The host's $PSVersionTable: Windows PowerShell of Windows Server 2022."""
    return {
        "PSVersion": PSVersion("5.1.20348.2400"),
        "PSEdition": "Desktop",
        "PSCompatibleVersions": [
            PSVersion(text) for text in ("1.0", "2.0", "3.0", "4.0", "5.0", "5.1.20348.2400")
        ],
        "CLRVersion": PSVersion("4.0.30319.42000"),
        "BuildVersion": PSVersion("10.0.20348.2400"),
        "WSManStackVersion": PSVersion("3.0"),
        "PSRemotingProtocolVersion": PSVersion("2.3"),
        "SerializationVersion": PSVersion("1.1.0.1"),
    }


class PsrpCommand(Command):
    """One pipeline."""

    def __init__(self, command_id: str, output: Output, pipeline: ServerPipeline) -> None:
        super().__init__(command_id, output)
        self.pipeline = pipeline
        self.input: list[str] = []
        self.ready = False
        self.started = False


class PsrpShell(Shell):
    """One runspace pool."""

    def __init__(self, seat: ShellSeat) -> None:
        super().__init__(seat)
        # The pool is used by the loop's thread and by those of the pipelines.
        self._lock = threading.Lock()
        self._pool = Pool({"PSVersionTable": _versions()})
        self._warm = False
        # Windows goes by the ids inside the messages, which need not be the CommandIds (old clients swap their bytes).
        self._pipelines: dict[uuid.UUID, PsrpCommand] = {}

    def open(self, creation: bytes) -> None:
        """Takes SessionCapability and InitRunspacePool; their answers wait to be received."""
        self._feed(creation)

    def start(
        self, command_id: str, line: str, arguments: tuple[str, ...], options: Mapping[str, str]
    ) -> None:
        """Starts a pipeline from the first fragment of its CreatePipeline message."""
        del line, options
        if self.seat.runner.full:
            raise too_many_operations(self.seat.runner.limit)
        try:
            data = base64.b64decode("".join(arguments), validate=True)
            pipeline_id = uuid.UUID(bytes_le=data[_PIPELINE_ID])
        except (ValueError, binascii.Error) as error:
            raise schema("Arguments") from error
        if pipeline_id in self._pipelines:
            raise schema("Arguments")
        with self._lock:
            command = PsrpCommand(command_id, Output(self.seat.loop), ServerPipeline(self._pool, pipeline_id))
            self._pipelines[pipeline_id] = command
        self.commands[command_id.upper()] = command
        self._feed(data)

    def send(self, command: Command | None, stream: str, data: bytes, *, end: bool) -> None:
        """Takes fragments."""
        del stream, end
        del command
        self._feed(data)

    def signal(self, command: Command, code: str) -> None:
        """Stops a pipeline; one that has not started yet ends here."""
        super().signal(command, code)
        if isinstance(command, PsrpCommand) and not command.started:
            command.started = True
            self._finish(command, Outcome(End.STOPPED))

    def connect(self, opening: bytes) -> bytes:
        """Another client takes the pool over (MS-PSRP 3.1.4.10): answers its capability and the pool's size."""
        with self._lock:
            self._pool.accept_client()
            self._pool.prepare_message(self._pool.our_capability)
            self._pool.prepare_message(
                RunspacePoolInitData(
                    MinRunspaces=self._pool.min_runspaces, MaxRunspaces=self._pool.max_runspaces
                )
            )
            answer = self._pool.data_to_send()
        self._feed(opening)
        self.connected = True
        return b"" if answer is None else bytes(answer.data)

    def _feed(self, data: bytes) -> None:
        """Hands fragments to the pool and does what they ask for.

        Raises:
            WsmanFault: They cannot be read.
        """
        with self._lock:
            try:
                self._pool.receive_data(PSRPPayload(data, StreamType.default, None))
                while (event := self._pool.next_event()) is not None:
                    self._react(event)
            except Exception as error:  # whatever psrpcore says of broken bytes, they are refused
                raise schema("Stream") from error
            self._drain()
        for command in list(self.commands.values()):
            if isinstance(command, PsrpCommand) and command.ready and not command.started:
                command.started = True
                self._launch(command)

    def _react(self, event: Any) -> None:
        match event:
            case CreatePipelineEvent() | GetCommandMetadataEvent():
                command = self._of(event)
                command.ready = getattr(command.pipeline.metadata, "no_input", True)
            case PipelineInputEvent() if event.pipeline_id in self._pipelines:
                self._of(event).input.append(str(plain(event.data)))
            case EndOfPipelineInputEvent() if event.pipeline_id in self._pipelines:
                self._of(event).ready = True
            case SetMaxRunspacesEvent() | SetMinRunspacesEvent() | ResetRunspaceStateEvent():
                self._pool.runspace_availability_response(call_id_of(event), response=True)
            case GetAvailableRunspacesEvent():
                self._pool.runspace_availability_response(call_id_of(event), self._pool.max_runspaces)
            case _:
                return

    def _of(self, event: Any) -> PsrpCommand:
        return self._pipelines[event.pipeline_id]

    def _drain(self) -> None:
        while (payload := self._pool.data_to_send(_FRAGMENT_BYTES)) is not None:
            piece = Piece("stdout", bytes(payload.data))
            if payload.pipeline_id is None:
                self.output.put((piece,))
            elif (command := self._pipelines.get(payload.pipeline_id)) is not None:
                command.output.put((piece,))

    def _launch(self, command: PsrpCommand) -> None:
        with self._lock:
            command.pipeline.state = PSInvocationState.Running
            if not self._warm:
                # Windows PowerShell says this once in every new pool: a client must expect records it did not ask for.
                self._warm = True
                command.pipeline.write_progress("Preparing modules for first use.", 0, " ")
        call = self._call(command)
        if isinstance(call, ErrorRecord):
            self._end(command, PSInvocationState.Failed, call)
            return

        def write(text: str) -> None:
            if command.stopped.is_set():
                return
            with self._lock:
                command.pipeline.write_output(text)
                self._drain()
            command.output.wait_for_space(command.stopped)

        def ended(outcome: Outcome) -> None:
            self._finish(command, outcome)

        if not self.seat.runner.start(call, write, command.stopped, ended):
            text = f"This simulated host runs {self.seat.runner.limit} scripts at once and no more."
            self._end(
                command, PSInvocationState.Failed, error_record(text, "TooManyScripts", "LimitsExceeded")
            )

    def _call(self, command: PsrpCommand) -> ScriptCall | ErrorRecord:
        commands = getattr(command.pipeline.metadata, "commands", [])
        if len(commands) != 1 or commands[0].is_script:
            return error_record(
                "This simulated host runs one script by its path, with named parameters: no script text, no second "
                "command in the pipeline, no query of commands.",
                "ScriptsNotAllowed",
                "PermissionDenied",
            )
        path = str.__str__(commands[0].command_text)
        parameters: dict[str, object] = {}
        for name, value in commands[0].parameters:
            if name is None:
                return error_record(
                    f"A positional parameter cannot be found that accepts an argument of {path}: name it.",
                    "PositionalParameterNotFound",
                    "InvalidArgument",
                )
            # A name without a value is a switch that is on.
            parameters[str(name).lstrip("-").rstrip(":")] = True if value is None else plain(value)
        seat = self.seat
        return ScriptCall(seat.host_id, path, parameters, tuple(command.input), seat.account, seat.delegated)

    def _finish(self, command: PsrpCommand, outcome: Outcome) -> None:
        if outcome.end is End.COMPLETED:
            self._end(command, PSInvocationState.Completed, None)
        elif outcome.end is End.STOPPED:
            self._end(command, PSInvocationState.Stopped, ending(outcome))
        else:
            self._end(command, PSInvocationState.Failed, ending(outcome))

    def _end(self, command: PsrpCommand, state: PSInvocationState, record: ErrorRecord | None) -> None:
        message = PipelineState(PipelineState=int(state))
        if record is not None:
            message.ExceptionAsErrorRecord = record
        with self._lock:
            command.pipeline.prepare_message(message)
            command.pipeline.state = state
            self._drain()
            command.pipeline.close()
            self._pipelines.pop(command.pipeline.pipeline_id, None)
        command.output.finish(0 if state == PSInvocationState.Completed else 1)
