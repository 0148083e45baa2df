"""The command line: what it loads, which options it has, what it says when something is wrong."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from aetherv_agent.cli.main import app
from aetherv_agent.cli.output import plain
from aetherv_agent.cli.vms import resource_name
from typer.testing import CliRunner

RUNNER = CliRunner()
HEAVY = (
    "grpc",
    "sqlalchemy",
    "alembic",
    "pypsrp",
    "pydantic",
    "cryptography",
    "structlog",
    "google.protobuf",
)


def commands(group: Any, path: str = "aetherv") -> Iterator[tuple[str, Any]]:
    """Yield every command with its path."""
    subcommands = getattr(group, "commands", None)
    if subcommands is None:
        yield path, group
        return
    for name, command in subcommands.items():
        yield from commands(command, f"{path} {name}")


ALL = dict(commands(typer.main.get_command(app)))


def test_the_commands_are_these() -> None:
    """What a user can type."""
    assert set(ALL) == {
        "aetherv version",
        "aetherv agent serve",
        "aetherv agent check-config",
        "aetherv vms list",
        "aetherv vms show",
        "aetherv hosts list",
        "aetherv hosts check",
        "aetherv hosts deploy",
        "aetherv operations list",
        "aetherv operations show",
        "aetherv operations watch",
        "aetherv operations cancel",
        "aetherv provider install",
        "aetherv simhost serve",
    }


def test_no_option_takes_a_secrets_value() -> None:
    """A command line is seen by every process of the machine: secrets come from files and variables."""
    options = {
        option for command in ALL.values() for parameter in command.params for option in parameter.opts
    }
    suspicious = {o for o in options if any(word in o for word in ("token", "password", "secret", "key"))}
    assert suspicious == {"--token-file", "--client-key"}
    for command in ALL.values():
        for parameter in command.params:
            if parameter.opts[0] in suspicious:
                assert parameter.type_descriptor.annotation is Path


def test_nothing_heavy_is_loaded_before_a_command_needs_it() -> None:
    """Start-up time: help and version load no gRPC, no database and no WinRM."""
    program = (
        "import sys\nfrom aetherv_agent.cli.main import app\n"
        f"print([name for name in {HEAVY!r} if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.strip() == "[]"


def test_version() -> None:
    """The version is the distribution's."""
    assert RUNNER.invoke(app, ["version"]).output.startswith("aetherv 0.")


def test_check_config_lists_what_is_wrong_and_praises_what_is_good(tmp_path: Path) -> None:
    """Exit code 2 and every error; 0 and a line."""
    path = tmp_path / "agent.yaml"
    path.write_text("version: 1\ncolour: red\nhosts: [{name: a}]\n")
    wrong = RUNNER.invoke(app, ["agent", "check-config", "--config", str(path)])
    assert wrong.exit_code == 2
    for text in ("colour: is no setting", "state_dir: is needed", "hosts[0].address: is needed"):
        assert text in wrong.stderr
    path.write_text("version: 1\nstate_dir: state\n")
    good = RUNNER.invoke(app, ["agent", "check-config", "--config", str(path)])
    assert (good.exit_code, good.stderr) == (0, "")
    assert not (tmp_path / "state").exists()


def test_a_connection_without_settings_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """What is missing and where it can come from; a token file that others may read is refused."""
    for name in ("ENDPOINT", "TOKEN", "TOKEN_FILE", "CA_CERT"):
        monkeypatch.delenv(f"AETHERV_{name}", raising=False)
    missing = RUNNER.invoke(app, ["vms", "list"])
    assert missing.exit_code == 2
    assert "AETHERV_ENDPOINT" in missing.stderr
    token = tmp_path / "token"
    token.write_text("sesame")
    token.chmod(0o644)
    opened = RUNNER.invoke(app, ["vms", "list", "--endpoint", "127.0.0.1:1", "--token-file", str(token)])
    assert opened.exit_code == 2
    assert "token_file" in opened.stderr
    assert "sesame" not in opened.output


def test_the_provider_is_installed_where_it_is_asked_to(tmp_path: Path) -> None:
    """The launcher stands in the folder; a second time changes nothing."""
    arguments = ["provider", "install", "--plugin-dir", str(tmp_path), "--platform", "linux_amd64"]
    first = RUNNER.invoke(app, arguments)
    assert first.exit_code == 0, first.output
    assert "installed in" in first.output
    assert [p.name for p in tmp_path.rglob("terraform-provider-aetherv_v*")]
    assert "is installed already" in RUNNER.invoke(app, arguments).output


def test_a_simulated_host_that_cannot_start_says_why(tmp_path: Path) -> None:
    """A user file that others may read, and a back-end that is not there."""
    users = tmp_path / "users.json"
    users.write_text('{"svc": "sesame"}')
    users.chmod(0o644)
    arguments = ["simhost", "serve", "--user-file", str(users), "--state-dir", str(tmp_path / "sim")]
    opened = RUNNER.invoke(app, arguments)
    assert opened.exit_code == 1
    assert "600" in opened.stderr
    users.chmod(0o600)
    unknown = RUNNER.invoke(app, [*arguments, "--backend", "nothing"])
    assert unknown.exit_code == 1
    assert "nothing" in unknown.stderr
    assert "sesame" not in opened.output + unknown.output


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        ("0A1B2C3D-4E5F-4A6B-8C7D-9E0F1A2B3C4D", "vms/0a1b2c3d-4e5f-4a6b-8c7d-9e0f1a2b3c4d"),
        ("vms/0a1b2c3d-4e5f-4a6b-8c7d-9e0f1a2b3c4d", "vms/0a1b2c3d-4e5f-4a6b-8c7d-9e0f1a2b3c4d"),
        ("hosts/hv01/vms/web01", "hosts/hv01/vms/web01"),
        ("web01", "hosts/-/vms/web01"),
    ],
)
def test_what_a_user_types_becomes_a_resource_name(typed: str, name: str) -> None:
    """An id, a full name or a VM's name."""
    assert resource_name(typed) == name


def test_control_characters_of_a_host_reach_no_terminal() -> None:
    """A VM's name may hold an escape sequence; the terminal must not obey it."""
    assert plain("a\x1b[2Jb\nc\u00e4") == "a [2Jb c\u00e4"
