"""How commands reach the agent: the same options everywhere, completed by ``AETHERV_*`` variables."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from aetherv_agent.cli.output import fail

if TYPE_CHECKING:
    from aetherv.client import Client

Endpoint = Annotated[
    str | None, typer.Option(help="The agent, HOST:PORT or unix:/PATH. [env: AETHERV_ENDPOINT]")
]
TokenFile = Annotated[
    Path | None, typer.Option(help="A file that holds the token. [env: AETHERV_TOKEN_FILE]")
]
CaCert = Annotated[
    Path | None, typer.Option(help="The authority of the agent's certificate, PEM. [env: AETHERV_CA_CERT]")
]
ClientCert = Annotated[
    Path | None, typer.Option(help="A client certificate, PEM. [env: AETHERV_CLIENT_CERT]")
]
ClientKey = Annotated[Path | None, typer.Option(help="The file of its key, PEM. [env: AETHERV_CLIENT_KEY]")]
Plaintext = Annotated[
    bool | None, typer.Option("--plaintext", help="No TLS: loopback and unix sockets alone.")
]
Json = Annotated[bool, typer.Option("--json", help="JSON for machines.")]

_UNUSABLE = 2
_INTERRUPTED = 130


@contextmanager
def connected(
    endpoint: str | None,
    token_file: Path | None,
    ca_cert: Path | None,
    client_cert: Path | None,
    client_key: Path | None,
    plaintext: bool | None,  # noqa: FBT001  # the options' own order
) -> Iterator[Client]:
    """Give a client; an error of the agent ends the command with its text."""
    from aetherv.client import AgentError, SettingsError, connect

    try:
        with connect(
            endpoint,
            token_file=_text(token_file),
            ca_cert=_text(ca_cert),
            client_cert=_text(client_cert),
            client_key=_text(client_key),
            plaintext=plaintext,
        ) as client:
            yield client
    except SettingsError as error:
        fail(str(error), _UNUSABLE)
    except AgentError as error:
        fail(f"{error.message} [{error.reason or error.code}]")
    except KeyboardInterrupt:
        fail("interrupted", _INTERRUPTED)


def _text(path: Path | None) -> str | None:
    return None if path is None else str(path)
