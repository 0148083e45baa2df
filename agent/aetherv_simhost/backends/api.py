"""What the wire side of a simulated host and a back-end say to each other.

The wire (``wsman``, ``psrp``) turns a pipeline or a ``powershell.exe -File`` command into one `ScriptCall`; a
`Backend` runs it and writes output strings. Neither side knows the other's insides: no WSMan, PSRP or socket type
appears here, and no type of the Hyper-V model.
"""

import threading
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol, final, runtime_checkable


@final
class SecureText:
    """A decrypted SecureString. Shows itself nowhere: `reveal` is the only way to its text."""

    __slots__ = ("__text",)

    def __init__(self, text: str) -> None:
        self.__text = text

    def reveal(self) -> str:
        """The plain text."""
        return self.__text

    def __repr__(self) -> str:
        return "SecureText(***)"

    __str__ = __repr__

    def __eq__(self, other: object) -> bool:
        return isinstance(other, SecureText) and other.reveal() == self.__text

    def __hash__(self) -> int:
        return hash((SecureText, self.__text))

    def __reduce__(self) -> str | tuple[object, ...]:
        raise TypeError("a SecureText is never pickled or copied")


@dataclass(frozen=True, slots=True)
class ScriptCall:
    """One call of one script on one simulated host.

    Attributes:
        host: The simulated host's id.
        path: The command as the client called it: a script's full Windows path.
        parameters: Named parameters as bound by the client. A hashtable is a dict, a list a list, a switch a bool,
            an integer an int, a SecureString a `SecureText`; from ``powershell.exe -File`` all values are strings
            (a switch without a value is True). Names keep the client's spelling: PowerShell ignores case.
        pipeline_input: Strings of the pipeline's input in order (standard input: one string, if any).
        account: The authenticated account, as the client spelled it after the authentication: ``admin``.
        delegated: Whether the client delegated its credentials (CredSSP, Kerberos): may a second hop be made?
    """

    host: str
    path: str
    parameters: Mapping[str, object] = field(default_factory=dict)
    pipeline_input: tuple[str, ...] = ()
    account: str = ""
    delegated: bool = False


class BackendError(Exception):
    """A way in which a call of a script ends that the client has to be told about."""


class CommandNotFound(BackendError):  # noqa: N818  # named after Windows' CommandNotFoundException
    """No script stands at the path: the client gets Windows' own CommandNotFoundException."""

    def __init__(self, path: str) -> None:
        super().__init__(f"no script at {path}")
        self.path = path


class ScriptFailed(BackendError):  # noqa: N818  # reads as what happened
    """A terminating error of the script.

    Args:
        message: Text for people, without secrets.
        error_id: FullyQualifiedErrorId of the record.
        category: Name of a System.Management.Automation.ErrorCategory, such as ``InvalidData``.
    """

    def __init__(self, message: str, error_id: str = "ScriptFailed", category: str = "NotSpecified") -> None:
        super().__init__(message)
        self.message = message
        self.error_id = error_id
        self.category = category


class HostReboots(BackendError):  # noqa: N818  # reads as what happens
    """The host goes down in the middle of the call: every shell and connection dies, then nobody answers for a while.

    Args:
        seconds: How long the host cannot be reached.
    """

    def __init__(self, seconds: float) -> None:
        super().__init__(f"the host reboots and is back in {seconds:g} s")
        self.seconds = seconds


class Backend(Protocol):
    """Runs host scripts of one simulated host. Called from many threads at once."""

    def run(self, call: ScriptCall, write: Callable[[str], None], stopped: threading.Event) -> None:
        """Runs one script to its end, in the calling pipeline's own thread.

        Args:
            call: What to run.
            write: Emits one output object (a string). Blocks while the client does not read and the pipeline's
                buffer is full; once the pipeline was stopped it returns at once and the output is lost.
            stopped: Set when the client stops the pipeline, closes the shell, the shell's idle time-out ends it or
                the host goes down. The call must return soon then (under a second).

        Raises:
            CommandNotFound: No script stands at ``call.path``.
            ScriptFailed: The script ended with a terminating error.
            HostReboots: The host goes down now; the wire ends every other call too (``stopped``).
        """


@runtime_checkable
class Closable(Protocol):
    """A back-end with threads or files of its own."""

    def close(self) -> None:
        """The server ends: stops what runs beside the calls and lets running calls end. State stays as it is."""


class TooManyServers(BackendError):  # noqa: N818  # reads as what happened
    """As many PSRP servers run as may.

    Args:
        limit: How many that is.
    """

    def __init__(self, limit: int) -> None:
        super().__init__(f"{limit} shells run already")
        self.limit = limit


class PsrpServer(Protocol):
    """One PSRP server of a back-end: a runspace pool in a process of its own. No method waits for the process."""

    def start(self, command: uuid.UUID, data: bytes) -> None:
        """Begins a pipeline with the first fragments of its CreatePipeline message."""

    def send(self, command: uuid.UUID | None, stream: str, data: bytes) -> None:
        """Hands fragments to a pipeline, or with None to the pool; ``stream`` is WSMan's (``stdin`` or ``pr``)."""

    def stop(self, command: uuid.UUID) -> None:
        """Stops a pipeline; how it ended comes as fragments."""

    def forget(self, command: uuid.UUID) -> None:
        """The client is done with a pipeline."""

    def close(self) -> None:
        """Ends the process and whatever runs in it. From any thread; once is enough."""


@runtime_checkable
class FragmentBackend(Protocol):
    """A back-end whose remote shells are PSRP servers: their fragments pass unread."""

    def open_server(
        self,
        account: str,
        received: Callable[[uuid.UUID | None, bytes], None],
        gone: Callable[[], None],
        *,
        delegated: bool,
    ) -> PsrpServer:
        """Starts a server.

        Args:
            account: Who opens the shell.
            received: Told fragments of a pipeline, or with None of the pool, in a thread of the server; may wait.
            gone: Told once when the process ended without `PsrpServer.close`.
            delegated: Whether the client delegated its credentials: may a second hop be made?

        Raises:
            TooManyServers: As many run as may.
        """


@runtime_checkable
class Rebooting(Protocol):
    """A back-end that takes the host down outside of a call."""

    def on_reboot(self, reboot: Callable[[float], None]) -> None:
        """Says whom to tell, with the seconds that the host cannot be reached."""
