"""One call of a command, as its stub hands it over, and what is answered. The registry of the commands that the model does."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from aetherv_simhost.hyperv.host import HyperVHost
from aetherv_simhost.windows.failures import CmdletFailure, Refused
from aetherv_simhost.windows.wmi.jobs import JobBook


@dataclass(frozen=True, slots=True)
class Session:
    """Who calls.

    Attributes:
        account: The authenticated account.
        delegated: Whether its credentials go one hop further.
        process: The PowerShell process.
    """

    account: str = ""
    delegated: bool = True
    process: int = 0


@dataclass(frozen=True, slots=True)
class Call:
    """One call.

    Attributes:
        command: The command's name.
        set_name: The parameter set that PowerShell chose.
        parameters: Bound parameters by their documented names, common ones left out.
    """

    command: str
    set_name: str
    parameters: Mapping[str, Any]
    session: Session = field(default_factory=Session)

    def has(self, name: str) -> bool:
        """Whether a parameter was bound."""
        return name in self.parameters

    def text(self, name: str, usual: str = "") -> str:
        """A parameter as text."""
        value = self.parameters.get(name)
        return usual if value is None else str(value)

    def number(self, name: str) -> int:
        """A parameter as a whole number."""
        return int(self.parameters[name])

    def flag(self, name: str) -> bool:
        """A switch."""
        return self.parameters.get(name) is True

    def many(self, name: str) -> list[Any]:
        """A parameter's values, one or several."""
        value = self.parameters.get(name)
        return [] if value is None else value if isinstance(value, list) else [value]


@dataclass(slots=True)
class Reply:
    """What a stub gives back, in order: objects, warnings, error records."""

    objects: list[object] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    failures: list[CmdletFailure] = field(default_factory=list)


@dataclass(slots=True)
class Context:
    """What commands act on.

    Attributes:
        host: The one model.
        jobs: WMI jobs.
        locale: Language of captions and messages: ``en`` or ``de``.
        started: When the host booted, in seconds since the epoch.
        eject_seconds: How long a running VM's DVD drive can't be removed after its ISO was taken out.
        vmms_back: When the management service is there again, by the monotonic clock.
        ejected: When a VM's ISO was taken out, by its id.
    """

    host: HyperVHost
    jobs: JobBook
    locale: str = "en"
    started: float = 0.0
    eject_seconds: float = 0.0
    vmms_back: float = 0.0
    ejected: dict[str, float] = field(default_factory=dict)

    @property
    def vmms_runs(self) -> bool:
        """Whether the Virtual Machine Management service is there: after a boot it takes a while."""
        return time.monotonic() >= self.vmms_back


Handler = Callable[[Context, Call, Reply], None]


@dataclass(frozen=True, slots=True)
class Command:
    """A command that the model does, with the parameters that it does."""

    run: Handler
    parameters: frozenset[str]


COMMANDS: Final[dict[str, Command]] = {}


def command(name: str, *parameters: str) -> Callable[[Handler], Handler]:
    """Registers a handler for a command and the parameters that it heeds; every other one is refused by name."""

    def register(handler: Handler) -> Handler:
        COMMANDS[name] = Command(handler, frozenset(parameters))
        return handler

    return register


def answer(context: Context, call: Call) -> Reply:
    """Runs one call; whatever is refused stands in the reply."""
    reply = Reply()
    try:
        known = COMMANDS.get(call.command)
        if known is None:
            raise Refused(call.command)
        for name in call.parameters:
            if name not in known.parameters:
                raise Refused(f"{call.command} -{name}")
        known.run(context, call, reply)
    except CmdletFailure as failure:
        reply.failures.append(failure)
    return reply
