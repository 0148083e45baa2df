"""Logs: structlog through the standard library, to standard error, with secrets taken out of every line.

Secrets are taken out twice: by the key they stand under, and by their value wherever it appears, in the text of an
exception too. No renderer shows a frame's variables.
"""

from __future__ import annotations

import json
import logging
import re
import sys
from collections import OrderedDict
from collections.abc import Mapping, MutableMapping
from typing import Any, Final, Literal, TextIO

import structlog
from structlog.tracebacks import ExceptionDictTransformer
from structlog.typing import EventDict, Processor, WrappedLogger

HIDDEN: Final = "***"

_KEYS: Final = re.compile(
    r"pass(word|wd|phrase)?$|_pw$|^pw$|secret|token$|authorization|credential|private_?key|joinpw|la_pw",
    re.IGNORECASE,
)
_SHORTEST: Final = 4
_MOST_PASSING: Final = 256
_DEEPEST: Final = 6
# At DEBUG these print raw messages, credentials among them; at INFO a line for each call of a host.
_LOUD: Final = (
    "spnego",
    "requests",
    "requests_ntlm",
    "requests_credssp",
    "urllib3",
    "grpc",
    "asyncio",
    "alembic",
)


class Secrets:
    """Values that no line may show: those of this process for good, those of calls as long as they are among the newest."""

    def __init__(self) -> None:
        self._kept: set[str] = set()
        self._passing: OrderedDict[str, None] = OrderedDict()
        self._forms: tuple[str, ...] | None = ()

    def keep(self, value: str) -> str:
        """Keep a value out of all lines from now on, and return it. Very short ones would hide half of a log."""
        if len(value) >= _SHORTEST and value not in self._kept:
            self._kept.add(value)
            self._forms = None
        return value

    def add(self, value: str) -> str:
        """Keep a call's value out of the lines until very many others came after it, and return it."""
        if len(value) < _SHORTEST:
            return value
        if value in self._passing:
            self._passing.move_to_end(value)
            return value
        self._passing[value] = None
        while len(self._passing) > _MOST_PASSING:
            self._passing.popitem(last=False)
        self._forms = None
        return value

    def hide(self, text: str) -> str:
        """Return a text without the values, as they are and as JSON and Python write them."""
        if self._forms is None:
            forms = {form for value in (*self._kept, *self._passing) for form in _forms(value)}
            # The longest first, or a short one would leave the rest of a long one standing.
            self._forms = tuple(sorted(forms, key=len, reverse=True))
        for form in self._forms:
            if form in text:
                text = text.replace(form, HIDDEN)
        return text


def _forms(value: str) -> set[str]:
    escaped = repr(value)[1:-1].replace("\\'", "'")
    python = {value, escaped, escaped.replace("'", "\\'"), escaped.replace('"', '\\"')}
    return python | {
        json.dumps(form, ensure_ascii=ascii_alone)[1:-1] for form in python for ascii_alone in (True, False)
    }


SECRETS: Final = Secrets()
"""This process's secrets."""


def configure(
    level: Literal["debug", "info", "warning", "error"],
    style: Literal["console", "json"],
    stream: TextIO | None = None,
) -> None:
    """Send all logs of this process to one stream.

    Args:
        level: the least that is written.
        style: ``console`` for people, ``json`` for machines (one object a line).
        stream: None: standard error.
    """
    before: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.PositionalArgumentsFormatter(),
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
        _hide_keys,
    ]
    render: list[Processor]
    if style == "json":
        render = [
            structlog.processors.ExceptionRenderer(ExceptionDictTransformer(show_locals=False)),
            structlog.processors.JSONRenderer(),
        ]
    else:
        render = [
            structlog.dev.ConsoleRenderer(
                colors=False, exception_formatter=structlog.dev.plain_traceback, timestamp_key="at"
            )
        ]
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(
        _Formatter(
            foreign_pre_chain=before,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *render],
        )
    )
    root = logging.getLogger()
    for old in list(root.handlers):
        root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(level.upper())
    quiet = logging.INFO if level == "debug" else max(logging.WARNING, root.level)
    for name in _LOUD:
        logging.getLogger(name).setLevel(quiet)
    # What it reports it raises too; below that it tells of every message that comes late.
    logging.getLogger("pypsrp").setLevel(logging.CRITICAL)
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *before,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )


class _Formatter(structlog.stdlib.ProcessorFormatter):
    """The last one to see a line: here its values are looked for, whatever wrote them."""

    def format(self, record: logging.LogRecord) -> str:
        return SECRETS.hide(super().format(record))


def _hide_keys(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    return _hidden(event, 0)


def _hidden(values: MutableMapping[str, Any], depth: int) -> MutableMapping[str, Any]:
    for key, value in values.items():
        if isinstance(key, str) and _KEYS.search(key):
            values[key] = HIDDEN
        elif isinstance(value, Mapping) and depth < _DEEPEST:
            values[key] = _hidden(dict(value), depth + 1)
    return values
