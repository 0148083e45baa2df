"""A WSMan shell of kind ``cmd``: a ``powershell.exe -File`` command runs the same scripts as a PSRP pipeline.

Standard input is handed to the script whole. It is complete when the client says so (``End``); a client that reads
output without ever having sent input has none. Real Windows lets the script wait in that case.
"""

import codecs
from collections.abc import Mapping
from typing import Final

from aetherv_simhost.backends.api import ScriptCall
from aetherv_simhost.runner import End, Outcome
from aetherv_simhost.winrs.command_line import CommandRefused, ScriptCommand, parse
from aetherv_simhost.wsman.errors import too_many_operations
from aetherv_simhost.wsman.output import Output, Piece
from aetherv_simhost.wsman.shell import Command, Shell, ShellSeat

_PIECE_BYTES: Final = 32768
# powershell.exe's exit code for a -File that does not exist (0xFFFD0000), and cmd's for ctrl+c (0xC000013A).
_EXIT_NO_FILE: Final = 4294770688
_EXIT_STOPPED: Final = 3221225786


class CmdCommand(Command):
    """One ``powershell.exe``."""

    def __init__(self, command_id: str, output: Output, script: ScriptCommand) -> None:
        super().__init__(command_id, output)
        self.script = script
        self.input = bytearray()
        self.started = False


class CmdShell(Shell):
    """One ``cmd`` shell."""

    def __init__(self, seat: ShellSeat) -> None:
        super().__init__(seat)
        page = seat.options.get("WINRS_CODEPAGE", "437")
        try:
            self._encoding = "utf-8" if page == "65001" else codecs.lookup(f"cp{page}").name
        except LookupError:
            self._encoding = "cp437"

    def open(self, creation: bytes) -> None:
        """Nothing to open."""
        del creation

    def start(
        self, command_id: str, line: str, arguments: tuple[str, ...], options: Mapping[str, str]
    ) -> None:
        """Reads the command line; what is not a script's ends at once, with a text and exit code 1."""
        del options
        if self.seat.runner.full:
            raise too_many_operations(self.seat.runner.limit)
        output = Output(self.seat.loop)
        try:
            script = parse(" ".join((line, *arguments)))
        except CommandRefused as refusal:
            self.commands[command_id.upper()] = Command(command_id, output)
            self._write(output, "stderr", str(refusal))
            output.finish(1)
            return
        self.commands[command_id.upper()] = CmdCommand(command_id, output, script)

    def send(self, command: Command | None, stream: str, data: bytes, *, end: bool) -> None:
        """Takes standard input."""
        del stream
        if isinstance(command, CmdCommand) and not command.started:
            command.input += data
            if end:
                self._launch(command)

    def reading(self, command: Command | None) -> None:
        """A client that reads before it sent anything has no input."""
        if isinstance(command, CmdCommand) and not command.input:
            self._launch(command)

    def signal(self, command: Command, code: str) -> None:
        """Stops a command; one that has not started yet ends here."""
        super().signal(command, code)
        if isinstance(command, CmdCommand) and not command.started:
            command.started = True
            command.output.finish(_EXIT_STOPPED)

    def _launch(self, command: CmdCommand) -> None:
        if command.started:
            return
        command.started = True
        text = bytes(command.input).decode("utf-8", "replace").removeprefix("\ufeff")
        call = ScriptCall(
            self.seat.host_id,
            command.script.path,
            command.script.parameters,
            (text,) if text else (),
            self.seat.account,
            self.seat.delegated,
        )

        def write(line: str) -> None:
            if not command.stopped.is_set():
                self._write(command.output, "stdout", line)
                command.output.wait_for_space(command.stopped)

        def ended(outcome: Outcome) -> None:
            command.output.finish(self._ending(command.output, outcome))

        if not self.seat.runner.start(call, write, command.stopped, ended):
            text = f"this simulated host runs {self.seat.runner.limit} scripts at once and no more"
            self._write(command.output, "stderr", text)
            command.output.finish(1)

    def _ending(self, output: Output, outcome: Outcome) -> int:
        if outcome.end is End.COMPLETED:
            return 0
        if outcome.end is End.STOPPED:
            return _EXIT_STOPPED
        if outcome.end is End.NOT_FOUND:
            self._write(
                output,
                "stderr",
                f"The argument '{outcome.message}' to the -File parameter does not exist. Provide the path to an "
                "existing '.ps1' file as an argument to the -File parameter.",
            )
            return _EXIT_NO_FILE
        self._write(
            output,
            "stderr",
            f"{outcome.message}\r\n    + CategoryInfo          : {outcome.category}: (:) [], RuntimeException\r\n"
            f"    + FullyQualifiedErrorId : {outcome.error_id}",
        )
        return 1

    def _write(self, output: Output, stream: str, line: str) -> None:
        data = f"{line}\r\n".encode(self._encoding, "replace")
        output.put(
            tuple(Piece(stream, data[at : at + _PIECE_BYTES]) for at in range(0, len(data), _PIECE_BYTES))
        )
