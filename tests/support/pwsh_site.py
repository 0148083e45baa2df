"""A simulated host with a real PowerShell, and unmodified pypsrp for it."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import pytest
from aetherv_simhost.backends.pwsh.backend import PwshBackend
from aetherv_simhost.backends.pwsh.settings import find_pwsh
from aetherv_simhost.serve import HostConfig, SimHostConfig, SimHostServer
from pypsrp.powershell import PowerShell, RunspacePool
from pypsrp.wsman import WSMan

PASSWORD = "Pa:ss w\u00f6rd"
EDITIONS = ("Desktop", "Core")
needs_pwsh = pytest.mark.skipif(
    find_pwsh() is None, reason="there is no PowerShell: set AETHERV_PWSH, or put pwsh on PATH"
)


@dataclass
class Ran:
    """How a snippet ended."""

    output: list[Any]
    errors: list[Any]
    warnings: list[str]


@dataclass
class PwshSite:
    """One running simulated host with its back-end."""

    server: SimHostServer
    backend: PwshBackend
    tls: bool = True

    def wsman(self, **options: Any) -> WSMan:
        """A client's connection."""
        host, port = self.server.endpoint("hv1")
        return WSMan(
            host,
            port=port,
            username="admin",
            password=PASSWORD,
            ssl=self.tls,
            # requests takes a path too.
            cert_validation=cast("bool", str(self.server.ca_cert)) if self.tls else False,
            no_proxy=True,
            **{"auth": "basic" if self.tls else "ntlm", **options},
        )

    @contextmanager
    def pool(self) -> Iterator[RunspacePool]:
        """An open runspace pool."""
        with self.wsman() as connection, RunspacePool(connection) as pool:
            yield pool


@dataclass
class Console:
    """An open shell of a host: runs snippets."""

    site: PwshSite
    pool: RunspacePool

    def run(self, text: str, **parameters: object) -> Ran:
        """Runs a snippet to its end."""
        shell = PowerShell(self.pool)
        shell.add_script(text)
        for name, value in parameters.items():
            shell.add_parameter(name, value)
        output = shell.invoke()
        ran = Ran(list(output), list(shell.streams.error), [str(w) for w in shell.streams.warning])
        shell.close()
        return ran

    def value(self, text: str, **parameters: object) -> Any:
        """What a snippet gives, by way of JSON; an error fails the test."""
        ran = self.run(f"ConvertTo-Json -Compress -Depth 5 -InputObject $({text})", **parameters)
        assert [str(error) for error in ran.errors] == []
        return json.loads(str(ran.output[0])) if ran.output else None

    def error(self, text: str) -> dict[str, str]:
        """The one error of a snippet: id, category, target, type and message."""
        found = self.value(
            f"try {{ $null = {text}; @{{}} }} catch {{ @{{ id = [string]$_.FullyQualifiedErrorId;"
            " category = [string]$_.CategoryInfo.Category; reason = $_.CategoryInfo.Reason;"
            " activity = $_.CategoryInfo.Activity; target = $_.CategoryInfo.TargetName;"
            " type = $_.Exception.GetType().FullName; message = $_.Exception.Message } }"
            "",
        )
        return cast("dict[str, str]", found)


@contextmanager
def pwsh_site(folder: Path, *, tls: bool = True, **model: object) -> Iterator[PwshSite]:
    """A started server with the host ``hv1``.

    Args:
        folder: State folder.
        tls: HTTPS, or HTTP with NTLM.
        model: The model's settings.
    """
    made: list[PwshBackend] = []

    def make(name: str, *arguments: Any) -> PwshBackend:
        assert name == "pwsh"
        made.append(PwshBackend(*arguments))
        return made[0]

    settings: dict[str, object] = {"image_bytes": 65536, **model}
    host = HostConfig("hv1", {"admin": PASSWORD}, model=settings)
    with SimHostServer(SimHostConfig((host,), folder, tls=tls, backend="pwsh"), make) as server:
        yield PwshSite(server, made[0], tls)


@contextmanager
def console(folder: Path, edition: str = "Desktop", **model: object) -> Iterator[Console]:
    """A started host and an open shell of it, in which errors stop."""
    pwsh = {"edition": edition, **cast("dict[str, object]", model.pop("pwsh", {}))}
    with pwsh_site(folder, tls=True, pwsh=pwsh, **model) as site, site.pool() as pool:
        found = Console(site, pool)
        found.run("$global:ErrorActionPreference = 'Stop'")
        yield found
