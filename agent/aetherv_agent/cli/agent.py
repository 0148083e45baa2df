"""``aetherv agent``: serve, and judge a configuration."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from aetherv_agent.cli.output import fail

app = typer.Typer(help="The agent itself.", no_args_is_help=True)

ConfigFile = Annotated[Path, typer.Option("--config", "-c", help="The configuration file (YAML).")]
_START_FAILED = 1
_CONFIG_WRONG = 2


@app.command()
def serve(
    config: ConfigFile,
    state_dir: Annotated[Path | None, typer.Option(help="Overrides state_dir.")] = None,
    log_level: Annotated[str | None, typer.Option(help="Overrides log.level.")] = None,
    log_format: Annotated[str | None, typer.Option(help="Overrides log.format: console or json.")] = None,
) -> None:
    """Serve until SIGTERM or Ctrl-C."""
    import asyncio
    import os

    # gRPC's core writes to standard error by itself, past our log; it reads this when it is imported.
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")

    from aetherv_agent import hardening, logs
    from aetherv_agent.config import load
    from aetherv_agent.core.errors import AethervError

    try:
        settings = load(config, _flags(state_dir, log_level, log_format))
        hardening.harden()
        # The rooms take a second or two to load: a wrong configuration is told before.
        from aetherv_agent import serving

        logs.configure(settings.log.level, settings.log.format)
        asyncio.run(serving.serve(settings, _announce))
    except AethervError as error:
        fail(logs.SECRETS.hide(str(error)), _CONFIG_WRONG if error.id == "CONFIG_INVALID" else _START_FAILED)
    except Exception as error:  # a user reads a line, and the log the rest
        import logging

        logging.getLogger("aetherv.agent").debug("start_failed", exc_info=error)
        fail(
            f"The agent failed ({type(error).__name__}). Start it with --log-level debug and report what it says.",
            _START_FAILED,
        )


@app.command("check-config")
def check_config(config: ConfigFile) -> None:
    """Judge a configuration and what it points at; every error is listed."""
    from aetherv_agent import config_check
    from aetherv_agent.config import load
    from aetherv_agent.core.errors import AethervError

    try:
        settings = load(config)
        config_check.check(settings)
    except AethervError as error:
        fail(str(error), _CONFIG_WRONG)
    count = len(settings.hosts)
    typer.echo(
        f"{config} is good: {count} host{'' if count == 1 else 's'}, {len(settings.listeners)} listener(s)."
    )


def _announce(line: str) -> None:
    typer.echo(line)
    import sys

    sys.stdout.flush()


def _flags(state_dir: Path | None, log_level: str | None, log_format: str | None) -> dict[str, Any]:
    log = {name: value for name, value in (("level", log_level), ("format", log_format)) if value}
    flags: dict[str, Any] = {"log": log} if log else {}
    if state_dir is not None:
        flags["state_dir"] = state_dir.absolute()
    return flags
