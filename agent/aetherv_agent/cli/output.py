"""What commands print: tables for people, JSON for machines, errors on standard error with an exit code."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any, NoReturn

import typer


def fail(message: str, code: int = 1) -> NoReturn:
    """Print an error and end with a code."""
    typer.echo(f"error: {message.rstrip()}", err=True)
    raise typer.Exit(code)


def print_json(value: Any) -> None:
    """Print JSON values."""
    typer.echo(json.dumps(value, indent=2, ensure_ascii=False))


def message_json(message: Any) -> Any:
    """Return a protobuf message as JSON values, with the API's own names."""
    from google.protobuf.json_format import MessageToDict

    return MessageToDict(message, preserving_proto_field_name=True)


def print_table(titles: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print a table."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console()
    if not console.is_terminal:
        # A pipe has no width: nothing may be cut.
        console = Console(width=400)
    table = Table(box=None, pad_edge=False)
    for title in titles:
        table.add_column(title.upper(), overflow="fold")
    for row in rows:
        # Names come from hosts: no markup of theirs is read.
        table.add_row(*(Text(plain(cell)) for cell in row))
    console.print(table)


def plain(text: str) -> str:
    """Return a text without control characters, which a terminal would obey."""
    return "".join(character if character.isprintable() else " " for character in text)


def moment(stamp: Any) -> str:
    """Return a Timestamp for people, in UTC; empty if it is not set."""
    return stamp.ToDatetime().strftime("%Y-%m-%d %H:%M:%S") if stamp.seconds else ""


def gib(size: int) -> str:
    """Return bytes in GiB."""
    return f"{size / 1024**3:.1f}"
