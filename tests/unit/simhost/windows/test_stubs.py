"""The module of stubs is what the tables say, and the model heeds documented parameters alone."""

import re

from aetherv_simhost.windows.documented import table
from aetherv_simhost.windows.make_stubs import MODULE, MODULES, texts
from aetherv_simhost.windows.registry import COMMANDS

OTHERS = {"Get-Service", "Remove-Item", "Copy-Item", "Move-Item", "Rename-Item"}


def test_the_checked_in_module_is_fresh() -> None:
    """What is checked in is what the tables and the part written by hand make."""
    for path, text in texts().items():
        assert path.read_text(encoding="utf-8") == text, (
            f"run python -m aetherv_simhost.windows.make_stubs: {path.name}"
        )


def test_every_documented_command_is_there() -> None:
    """Each command of Hyper-V, FailoverClusters and CimCmdlets is a function of the module."""
    functions = set(
        re.findall(r"^function ([A-Z]\w+-\w+) ", MODULE.read_text(encoding="utf-8"), re.MULTILINE)
    )
    assert {name for module in MODULES for name in table(module)} <= functions


def test_the_model_heeds_documented_parameters_alone() -> None:
    """No handler names a command or parameter that the documentation has not."""
    documented = {name: command for module in MODULES for name, command in table(module).items()}
    for name, command in COMMANDS.items():
        if name in OTHERS:
            continue
        assert command.parameters <= set(documented[name]["parameters"]), name


def test_the_module_is_plain_ascii() -> None:
    """Windows PowerShell 5.1 would read anything else in the ANSI code page."""
    for path in texts():
        assert path.read_bytes().isascii()
