"""A WSMan shell whose runspace pool is a process of the back-end: fragments are handed on unchanged, both ways."""

import base64
import binascii
import uuid
from collections.abc import Mapping
from typing import Final

from aetherv_simhost.backends.api import FragmentBackend, TooManyServers
from aetherv_simhost.psrp.fragments import PipelineEnd, takeover
from aetherv_simhost.wsman.errors import schema, too_many_operations, too_many_shells
from aetherv_simhost.wsman.output import Output, Piece
from aetherv_simhost.wsman.shell import Command, Shell, ShellSeat

_PIECE_BYTES: Final = 32768


class RelayCommand(Command):
    """One pipeline."""

    def __init__(self, command_id: str, output: Output, own: uuid.UUID) -> None:
        super().__init__(command_id, output)
        self.id = own
        self.end = PipelineEnd()


class RelayShell(Shell):
    """One runspace pool in a process."""

    def __init__(self, seat: ShellSeat, backend: FragmentBackend) -> None:
        super().__init__(seat)
        self._running: dict[uuid.UUID, RelayCommand] = {}
        self._pool = PipelineEnd()
        try:
            self._server = backend.open_server(
                seat.account, self._received, self._gone, delegated=seat.delegated
            )
        except TooManyServers as error:
            raise too_many_shells(error.limit) from error

    def open(self, creation: bytes) -> None:
        """Hands on SessionCapability and InitRunspacePool."""
        self._server.send(None, "stdin", creation)

    def start(
        self, command_id: str, line: str, arguments: tuple[str, ...], options: Mapping[str, str]
    ) -> None:
        """Hands on the first fragment of a CreatePipeline message."""
        del line, options
        try:
            own = uuid.UUID(command_id)
            data = base64.b64decode("".join(arguments), validate=True)
        except (ValueError, binascii.Error) as error:
            raise schema("Arguments") from error
        if len(self._running) >= self.seat.runner.limit:
            raise too_many_operations(self.seat.runner.limit)
        command = RelayCommand(command_id, Output(self.seat.loop), own)
        self.commands[command_id.upper()] = self._running[own] = command
        self._server.start(own, data)

    def send(self, command: Command | None, stream: str, data: bytes, *, end: bool) -> None:
        """Hands on input, or an answer to a host call (stream ``pr``)."""
        del end
        self._server.send(command.id if isinstance(command, RelayCommand) else None, stream, data)

    def signal(self, command: Command, code: str) -> None:
        """Stops a pipeline; ``terminate`` also forgets it."""
        terminate = code.lower().endswith("/terminate")
        if isinstance(command, RelayCommand):
            if not command.output.finished:
                self._server.stop(command.id)
            if terminate:
                self._server.forget(command.id)
                self._running.pop(command.id, None)
        super().signal(command, code)

    def connect(self, opening: bytes) -> bytes:
        """Another client takes the pool over; the process does not notice."""
        del opening
        last = max((self._pool.last_object, *(c.end.last_object for c in self._running.values())), default=0)
        answer, state = takeover(self.seat.shell_id, last)
        self.output.put((Piece("stdout", state),))
        self.connected = True
        return answer

    def close(self) -> None:
        """Ends the process and everything in it."""
        super().close()
        self._server.close()

    def _received(self, own: uuid.UUID | None, data: bytes) -> None:
        """Takes fragments of the pool or a pipeline, in the process's reading thread; waits while nobody reads."""
        pieces = tuple(
            Piece("stdout", data[at : at + _PIECE_BYTES]) for at in range(0, len(data), _PIECE_BYTES)
        )
        if own is None:
            self._pool.ended(data)
            self.output.put(pieces)
            return
        command = self._running.get(own)
        if command is None:
            return
        ended = command.end.ended(data)
        command.output.put(pieces)
        if ended:
            command.output.finish()
        else:
            command.output.wait_for_space(command.stopped)

    def _gone(self) -> None:
        """The process ended by itself, or was killed: the shell is not there any more."""
        if not self.seat.loop.is_closed():
            try:
                self.seat.loop.call_soon_threadsafe(self.close)
            except RuntimeError:  # the loop ended meanwhile, and every shell with it
                return
