"""The powershell.exe command line of the cmd shell."""

import pytest
from aetherv_simhost.winrs.command_line import CommandRefused, parse, split


@pytest.mark.parametrize(
    ("line", "arguments"),
    [
        ("a b  c", ["a", "b", "c"]),
        (r'"C:\Program Files\x.ps1" -A "b c"', [r"C:\Program Files\x.ps1", "-A", "b c"]),
        (r'a\\b d"e f"g h', [r"a\\b", "de fg", "h"]),
        (r"a\\\"b c", [r"a\"b", "c"]),
        (r'a\\\\"b c" d', [r"a\\b c", "d"]),
        ('x ""', ["x", ""]),
        ("", []),
        ("tail\\", ["tail\\"]),
    ],
)
def test_splits_like_windows(line: str, arguments: list[str]) -> None:
    """Quotes and backslashes mean what CommandLineToArgvW makes of them."""
    assert split(line) == arguments


@pytest.mark.parametrize(
    "line",
    [
        r"powershell.exe -NoProfile -NonInteractive -File C:\x.ps1 -Name web -Count -5 -Force",
        r"C:\Windows\System32\WindowsPowerShell\v1.0\POWERSHELL.EXE -nop -ep Bypass -f C:\x.ps1 -Name:web -Count -5 -Force",
        r"powershell /NoLogo /ExecutionPolicy RemoteSigned /File C:\x.ps1 -Name web -Count -5 -Force",
    ],
)
def test_reads_named_parameters(line: str) -> None:
    """Spellings of the switches make no difference; a negative number is a value and a bare name a switch."""
    command = parse(line)
    assert command.path == r"C:\x.ps1"
    assert command.parameters == {"Name": "web", "Count": "-5", "Force": True}


@pytest.mark.parametrize(
    ("line", "named"),
    [
        ("", " is refused"),
        ("cmd.exe /c dir", "cmd.exe is refused"),
        ("powershell.exe", "powershell.exe without -File is refused"),
        ("powershell.exe -File", "-File without a path is refused"),
        ("powershell.exe -EncodedCommand AAAA", "-EncodedCommand is refused"),
        ("powershell.exe -Command secret", "-Command is refused"),
        ("powershell.exe secret", "script text is refused"),
        (r"powershell.exe -File C:\x.ps1 secret", "a positional argument of the script is refused"),
    ],
)
def test_refuses_everything_else_by_name(line: str, named: str) -> None:
    """What is refused is named, without repeating a value that may be a secret."""
    with pytest.raises(CommandRefused) as refused:
        parse(line)
    assert str(refused.value).startswith(named)
    assert "secret" not in str(refused.value)
