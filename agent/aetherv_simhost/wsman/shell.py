"""What every shell of a simulated host has in common: identity, owner, idle clock, commands with their output.

A shell lives in the event loop's thread; only a command's script runs elsewhere.
"""

import asyncio
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from aetherv_simhost.runner import Runner
from aetherv_simhost.wsman.errors import command_not_found
from aetherv_simhost.wsman.output import Output

# WinRM's default (winrm get winrm/config prints 7200000 ms).
DEFAULT_IDLE_SECONDS: Final = 7200.0
# Bytes that one command's input may have in all.
MAX_INPUT_BYTES: Final = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Peer:
    """Who sends a request.

    Attributes:
        account: The authenticated account.
        address: From where (IP address).
        delegated: Whether the host has the account's credentials for a second hop.
    """

    account: str
    address: str
    delegated: bool = False


@dataclass(frozen=True, slots=True)
class ShellSeat:
    """What a shell is made with.

    Attributes:
        host_id: The simulated host.
        shell_id: As the client wrote it, or chosen by the server.
        resource_uri: ``.../shell/cmd`` or ``http://schemas.microsoft.com/powershell/<configuration>``.
        account: Whose shell it is.
        client_address: The client's IP address.
        idle_seconds: Idle time-out.
        name: The client's name for it.
        options: The Create request's options.
        delegated: Whether the login that made the shell can be used for a second hop.
        loop: The loop in whose thread the shell lives.
        runner: Runs its scripts.
    """

    host_id: str
    shell_id: str
    resource_uri: str
    account: str
    client_address: str
    idle_seconds: float
    loop: asyncio.AbstractEventLoop
    runner: Runner
    name: str = ""
    options: Mapping[str, str] = field(default_factory=dict)
    delegated: bool = False


class Command:
    """One command of a shell.

    Args:
        command_id: As the client wrote it.
        output: Where its output goes.
    """

    def __init__(self, command_id: str, output: Output) -> None:
        self.command_id = command_id
        self.output = output
        self.stopped = threading.Event()
        self.received_bytes = 0


class Shell(ABC):
    """One remote shell."""

    def __init__(self, seat: ShellSeat) -> None:
        self.seat = seat
        self.output = Output(seat.loop)
        self.commands: dict[str, Command] = {}
        self.connected = True
        self.closed = False
        self.pending = 0
        self.created = time.monotonic()
        self._last_used = self.created

    @property
    def idle_for(self) -> float:
        """Seconds since the last request ended; 0 while one is being served."""
        return 0.0 if self.pending else time.monotonic() - self._last_used

    def touch(self) -> None:
        """A request for this shell came in or was answered."""
        self._last_used = time.monotonic()

    def find(self, command_id: str) -> Command:
        """The command of this id.

        Raises:
            WsmanFault: There is none.
        """
        command = self.commands.get(command_id.upper())
        if command is None:
            raise command_not_found()
        return command

    def close(self) -> None:
        """Ends the shell and everything in it; waiting requests wake up and see `closed`."""
        self.closed = True
        for command in self.commands.values():
            command.stopped.set()
            command.output.finish()
        self.output.finish()

    def signal(self, command: Command, code: str) -> None:
        """Stops a command; ``terminate`` also forgets it."""
        command.stopped.set()
        if code.lower().endswith("/terminate"):
            self.commands.pop(command.command_id.upper(), None)
            command.output.finish()

    @abstractmethod
    def open(self, creation: bytes) -> None:
        """Takes the opening bytes of a Create (creationXml); empty where the kind of shell has none."""

    @abstractmethod
    def start(
        self, command_id: str, line: str, arguments: tuple[str, ...], options: Mapping[str, str]
    ) -> None:
        """Starts a command."""

    @abstractmethod
    def send(self, command: Command | None, stream: str, data: bytes, *, end: bool) -> None:
        """Takes input for a command, or for the shell itself."""

    def reading(self, command: Command | None) -> None:
        """A Receive came in for a command, or for the shell itself."""
        del command

    def disconnect(self) -> None:
        """The client leaves; everything goes on."""
        self.connected = False

    def reconnect(self) -> None:
        """The same client is back."""
        self.connected = True

    def connect(self, opening: bytes) -> bytes:
        """Another client takes over; answers its opening bytes."""
        del opening
        self.connected = True
        return b""
