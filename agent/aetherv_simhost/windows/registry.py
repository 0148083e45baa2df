"""Every command that the model does, in one place: importing this fills `calls.COMMANDS`."""

from aetherv_simhost.windows import commands
from aetherv_simhost.windows.calls import COMMANDS
from aetherv_simhost.windows.wmi import cmdlets

__all__ = ["COMMANDS", "cmdlets", "commands"]
