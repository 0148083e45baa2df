"""A ``powershell.exe -File`` command line, read as Windows and powershell.exe read it. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import PureWindowsPath
from typing import Final

_FLAGS: Final = frozenset({"noprofile", "nop", "noninteractive", "noni", "nologo", "nol", "sta", "mta"})
_VALUED: Final = frozenset(
    {"executionpolicy", "ex", "ep", "exec", "inputformat", "outputformat", "windowstyle", "w"}
)
_FILE: Final = frozenset({"file", "f"})


class CommandRefused(ValueError):  # noqa: N818  # reads as what happened
    """The command line is not one that a simulated host runs; the text says what it does run."""


@dataclass(frozen=True, slots=True)
class ScriptCommand:
    """A script's path and its named parameters: strings, or True for a switch."""

    path: str
    parameters: Mapping[str, object]


def split(line: str) -> list[str]:
    """The arguments of a Windows command line, by the rules of CommandLineToArgvW."""
    arguments: list[str] = []
    current: list[str] = []
    quoted = started = False
    position = 0
    while position < len(line):
        slashes = len(line) - position - len(line[position:].lstrip("\\"))
        position += slashes
        char = line[position : position + 1]
        if char == '"':
            current.append("\\" * (slashes // 2))
            started = True
            if slashes % 2:
                current.append('"')
            else:
                quoted = not quoted
            position += 1
            continue
        current.append("\\" * slashes)
        started = started or slashes > 0
        if char in {" ", "\t"} and not quoted:
            if started:
                arguments.append("".join(current))
            current, started = [], False
        elif char:
            current.append(char)
            started = True
        position += 1
    if started:
        arguments.append("".join(current))
    return arguments


def parse(line: str) -> ScriptCommand:
    """Reads ``powershell.exe [switches] -File <path> [-Name value | -Name:value | -Switch]...``.

    Raises:
        CommandRefused: It is anything else.
    """
    words = iter(split(line))
    program = next(words, "")
    if PureWindowsPath(program).name.lower() not in {"powershell.exe", "powershell"}:
        raise CommandRefused(_refusal(program))
    for word in words:
        switch = word[1:].lower() if word[:1] in {"-", "/"} else ""
        if switch in _FILE:
            path = next(words, "")
            if not path:
                raise CommandRefused(_refusal(f"{word} without a path"))
            return ScriptCommand(path, _parameters(words))
        if switch in _VALUED:
            next(words, "")
        elif switch not in _FLAGS:
            # A value may hold a secret or a whole script: the switch alone is named.
            raise CommandRefused(_refusal(word if switch else "script text"))
    raise CommandRefused(_refusal("powershell.exe without -File"))


def _parameters(words: Iterator[str]) -> dict[str, object]:
    parameters: dict[str, object] = {}
    name = ""
    for word in words:
        if _is_name(word):
            name, colon, value = word[1:].partition(":")
            parameters[name] = value if colon else True
            name = "" if colon else name
        elif name:
            parameters[name] = word
            name = ""
        else:
            raise CommandRefused(_refusal("a positional argument of the script"))
    return parameters


def _is_name(word: str) -> bool:
    return word.startswith("-") and len(word) > 1 and (word[1].isalpha() or word[1] == "_")


def _refusal(what: str) -> str:
    return (
        f"{what} is refused: this simulated host runs only powershell.exe -NoProfile -NonInteractive -File "
        "<host script> -Name value ..., with standard input."
    )
