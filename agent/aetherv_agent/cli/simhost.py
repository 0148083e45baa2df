"""``aetherv simhost``: simulated Hyper-V hosts for tests and trials."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from aetherv_agent.cli.output import fail

app = typer.Typer(help="Simulated Hyper-V hosts.", no_args_is_help=True)

_MOST_PORT = 65535


@app.callback()
def group() -> None:
    """Keep the group a group although it has one command."""


@app.command()
def serve(
    user_file: Annotated[
        Path, typer.Option(help="A JSON object, password by account name, in a file of mode 600.")
    ],
    state_dir: Annotated[Path, typer.Option(help="Where the hosts' state is kept.")],
    host: Annotated[
        list[str] | None, typer.Option(help="A host's name; may be repeated. Unset: one, hv01.")
    ] = None,
    port: Annotated[
        int,
        typer.Option(
            min=0, max=_MOST_PORT, help="The first host's port, the next one is one higher; 0: any."
        ),
    ] = 0,
    address: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    backend: Annotated[str, typer.Option(help="auto, emulated or pwsh.")] = "auto",
    model: Annotated[
        Path | None, typer.Option(help="A JSON object with settings of each host's model.")
    ] = None,
    *,
    tls: Annotated[bool, typer.Option(help="HTTPS, or HTTP with message encryption.")] = True,
) -> None:
    """Serve until SIGTERM or Ctrl-C."""
    from aetherv_simhost.serve import (
        BackendRefused,
        HostConfig,
        SimHostConfig,
        SimHostError,
        SimHostServer,
        read_users,
    )
    from aetherv_simhost.serve import serve as run

    names = host or ["hv01"]

    def ready(server: SimHostServer) -> None:
        for name in names:
            where, number = server.endpoint(name)
            typer.echo(f"simulated host {name} listens on {where}:{number}")
        if tls:
            typer.echo(f"CA certificate: {server.ca_cert}")
        import sys

        sys.stdout.flush()

    try:
        users = read_users(user_file)
        settings = _model(model)
        run(
            SimHostConfig(
                hosts=tuple(
                    HostConfig(host_id=name, users=users, port=port + index if port else 0, model=settings)
                    for index, name in enumerate(names)
                ),
                state_dir=state_dir,
                address=address,
                tls=tls,
                backend=backend,
            ),
            ready,
        )
    except (SimHostError, BackendRefused) as error:
        fail(str(error))


def _model(path: Path | None) -> dict[str, object]:
    import json

    if path is None:
        return {}
    try:
        settings = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        fail(f"{path}: {error}")
    if not isinstance(settings, dict):
        fail(f"{path}: expected a JSON object")
    return settings
