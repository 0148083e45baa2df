"""``aetherv provider``: put the Terraform provider where Terraform finds it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from aetherv_agent.cli.output import fail

app = typer.Typer(help="The Terraform provider.", no_args_is_help=True)


@app.callback()
def group() -> None:
    """Keep the group a group although it has one command."""


@app.command()
def install(
    plugin_dir: Annotated[
        Path | None, typer.Option(help="Where to; unset: the user's own plugin directory.")
    ] = None,
    platform: Annotated[
        list[str] | None,
        typer.Option(help="Terraform's name of a platform, such as linux_amd64; may be repeated."),
    ] = None,
) -> None:
    """Install the provider; a second time changes nothing."""
    from terraform_provider_aetherv.install import InstallError
    from terraform_provider_aetherv.install import install as put

    try:
        done = put(plugin_dir, platforms=platform)
    except InstallError as error:
        fail(str(error))
    typer.echo(f"{'installed in' if done.changed else 'is installed already in'} {done.plugin_dir}")
    if done.stanza is not None:
        where = "into the provider_installation block of" if done.stanza.inside_existing else "to"
        typer.echo(
            f"Terraform does not look there by itself. Add this {where} {done.stanza.file}, or use -plugin-dir:\n\n"
            f"{done.stanza.text}"
        )
