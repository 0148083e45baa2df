"""How one host is reached by WinRM. Plain values and their rules; nothing is opened or read here but a password's file."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal

from aetherv_agent.core.errors import AethervError

Auth = Literal["ntlm", "basic", "negotiate", "kerberos", "credssp"]
_AUTHS: Final = ("ntlm", "basic", "negotiate", "kerberos", "credssp")
_MAX_PORT: Final = 65535


@dataclass(frozen=True, slots=True)
class WinRmSettings:
    r"""One host's WinRM endpoint, account and bounds. Times are seconds.

    Attributes:
        host: the host's id in the configuration; every error names it.
        address: DNS name or IP address.
        username: ``name``, ``DOMAIN\name`` or ``name@domain``.
        password: gives the password; asked for each connection, so that a changed file is seen. Kept nowhere.
        https: HTTPS, or HTTP with message encryption (never plain text).
        port: None for 5986 (HTTPS) or 5985.
        auth: how the account proves itself; ``basic`` over HTTPS alone.
        delegate: hand the Kerberos ticket on, for a second hop.
        ca_cert: PEM file of the authority that signed the host's certificate; None for the public ones.
        verify_hostname: whether the certificate must name ``address``.
        proxy: URL of a proxy; None for none, whatever the environment says.
        operation_timeout: how long the host may hold a Receive that has nothing to tell.
        read_timeout: how long an HTTP answer may take; above ``operation_timeout``.
        connection_timeout: how long a connection may take to open.
        max_job_shells: creates at once. Each holds a remote shell from start to end.
        max_change_shells: deletes and updates at once, beside the creates.
        max_cancel_shells: cancels at once, beside all others: a cancel never waits behind the work it ends.
        max_read_shells: reads at once. With the others 25: what an endpoint for PowerShell 7 allows an account.
        idle_timeout_seconds: when the host ends a job's shell that nobody asks for anything: longer than an outage of
            the agent that jobs should survive.
        read_idle_seconds: the same for a warm shell of the readers.
        read_deadline: how long one read may take in all.
        recover_seconds: how long a running job's host may be away before the call gives up (the job goes on).
        configuration_name: the PowerShell endpoint.
    """

    host: str
    address: str
    username: str
    password: Callable[[], str] = field(repr=False)
    https: bool = True
    port: int | None = None
    auth: Auth = "ntlm"
    delegate: bool = False
    ca_cert: Path | None = None
    verify_hostname: bool = True
    proxy: str | None = field(default=None, repr=False)
    operation_timeout: int = 20
    read_timeout: int = 30
    connection_timeout: int = 10
    max_job_shells: int = 16
    max_change_shells: int = 4
    max_cancel_shells: int = 3
    max_read_shells: int = 2
    idle_timeout_seconds: int = 7200
    read_idle_seconds: int = 300
    read_deadline: float = 90
    recover_seconds: float = 60
    configuration_name: str = "Microsoft.PowerShell"

    def __post_init__(self) -> None:
        wrong = [text for text, holds in self._rules() if not holds]
        if wrong:
            raise AethervError(
                "CONFIG_INVALID",
                f"WinRM settings of host {self.host}: {'; '.join(wrong)}.",
                metadata={"host": self.host},
            )

    @property
    def effective_port(self) -> int:
        """The TCP port that is connected to."""
        return self.port or (5986 if self.https else 5985)

    @property
    def encryption(self) -> Literal["auto", "always"]:
        """What pypsrp is told: over HTTP each message is encrypted by the authentication's own key (MS-WSMV 2.2.9.1)."""
        return "auto" if self.https else "always"

    def _rules(self) -> tuple[tuple[str, bool], ...]:
        return (
            ("address is missing", bool(self.address)),
            ("username is missing", bool(self.username)),
            (f"auth must be one of {', '.join(_AUTHS)}", self.auth in _AUTHS),
            (
                "auth basic needs https: over HTTP it would show the password",
                self.https or self.auth != "basic",
            ),
            (
                "delegate needs auth kerberos or negotiate",
                not self.delegate or self.auth in {"kerberos", "negotiate"},
            ),
            (f"port must be 1 to {_MAX_PORT}", self.port is None or 0 < self.port <= _MAX_PORT),
            ("ca_cert has no use without https", self.https or self.ca_cert is None),
            ("read_timeout must be above operation_timeout", self.read_timeout > self.operation_timeout > 0),
            ("connection_timeout must be above 0", self.connection_timeout > 0),
            (
                "max_job_shells, max_change_shells, max_cancel_shells and max_read_shells must be 1 or more",
                min(self.max_job_shells, self.max_change_shells, self.max_cancel_shells, self.max_read_shells)
                > 0,
            ),
            (
                "idle_timeout_seconds and read_idle_seconds must be above read_timeout",
                min(self.idle_timeout_seconds, self.read_idle_seconds) > self.read_timeout,
            ),
            (
                "read_deadline and recover_seconds must be above 0",
                min(self.read_deadline, self.recover_seconds) > 0,
            ),
        )


@dataclass(frozen=True, slots=True)
class PasswordFile:
    """Gives the first line of a file, read anew each time.

    Raises:
        AethervError: CONFIG_INVALID when the file cannot be read or is empty.
    """

    path: Path

    def __call__(self) -> str:
        """Return the password."""
        try:
            lines = self.path.read_text("utf-8").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            failure = f"The password file {self.path} can't be read ({type(error).__name__})."
        else:
            if lines and lines[0]:
                return lines[0]
            failure = f"The password file {self.path} is empty."
        raise AethervError("CONFIG_INVALID", failure)
