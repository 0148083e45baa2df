"""The one command and its groups. What a command needs is imported when it runs: start-up time."""

from __future__ import annotations

import typer

from aetherv_agent.cli import agent, hosts, operations, provider, simhost, vms

app = typer.Typer(
    name="aetherv",
    help="Virtual machines on Hyper-V: the agent, its clients, the Terraform provider and a simulated host.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.add_typer(agent.app, name="agent")
app.add_typer(vms.app, name="vms")
app.add_typer(hosts.app, name="hosts")
app.add_typer(operations.app, name="operations")
app.add_typer(provider.app, name="provider")
app.add_typer(simhost.app, name="simhost")


@app.command()
def version() -> None:
    """Print the version."""
    from importlib import metadata

    typer.echo(f"aetherv {metadata.version('aetherv')}")
