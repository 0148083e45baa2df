"""Log lines as Terraform reads them from a provider's standard error: one JSON object a line (hclog).

A line holds what the caller wrote, and of an exception its type and place, never its text: the text may
quote a value, and a value may be secret.
"""

from __future__ import annotations

import datetime as dt
import json
import logging
import os
import sys
import traceback
from collections.abc import Mapping
from typing import Final, TextIO

TRACE: Final = 5
_PACKAGE: Final = "terraform_provider_aetherv."
_OFF: Final = logging.CRITICAL + 1
_LEVELS: Final[Mapping[str, int]] = {
    "TRACE": TRACE,
    "JSON": TRACE,
    "DEBUG": logging.DEBUG,
    "INFO": logging.INFO,
    "WARN": logging.WARNING,
    "ERROR": logging.ERROR,
    "OFF": _OFF,
}
# The most specific variable wins, as in Terraform.
_VARIABLES: Final = ("TF_LOG_PROVIDER_AETHERV", "TF_LOG_PROVIDER", "TF_LOG")


class HclogHandler(logging.Handler):
    """Writes records to a stream, each as a line of JSON.

    Args:
        stream: where to; the standard error at the time of writing by default.
    """

    def __init__(self, stream: TextIO | None = None) -> None:
        super().__init__()
        self._stream = stream

    def emit(self, record: logging.LogRecord) -> None:
        """Write one record; a broken stream is nobody's concern."""
        try:
            stream = sys.stderr if self._stream is None else self._stream
            stream.write(self.format(record) + "\n")
            stream.flush()
        except Exception:  # noqa: BLE001  # logging must not end what is logged
            self.handleError(record)

    def format(self, record: logging.LogRecord) -> str:
        """Give the line without its end. ``extra={"fields": {...}}`` of the caller becomes fields of it."""
        moment = dt.datetime.fromtimestamp(record.created, dt.UTC)
        line: dict[str, object] = {
            "@level": _level_name(record.levelno),
            "@message": record.getMessage(),
            "@module": f"aetherv.{record.name.removeprefix(_PACKAGE)}",
            "@timestamp": moment.isoformat(timespec="microseconds").replace("+00:00", "Z"),
        }
        fields = getattr(record, "fields", None)
        if isinstance(fields, Mapping):
            line.update({str(name): value for name, value in fields.items() if not str(name).startswith("@")})
        if record.exc_info and record.exc_info[0] is not None:
            line["error_type"] = record.exc_info[0].__name__
            frames = traceback.extract_tb(record.exc_info[2])
            line["error_trace"] = [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames]
        return json.dumps(line, default=str)

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802  # the base class's name
        """Drop what cannot be written."""


def configure(environ: Mapping[str, str] | None = None) -> None:
    """Send every logger's records to the standard error, from the level that Terraform's variables ask for."""
    values = os.environ if environ is None else environ
    asked = next((values[name].upper() for name in _VARIABLES if values.get(name)), "")
    logging.addLevelName(TRACE, "TRACE")
    logging.raiseExceptions = False
    root = logging.getLogger()
    root.handlers[:] = [HclogHandler()]
    root.setLevel(_LEVELS.get(asked, logging.WARNING))


def _level_name(level: int) -> str:
    if level < logging.DEBUG:
        return "trace"
    if level < logging.INFO:
        return "debug"
    if level < logging.WARNING:
        return "info"
    return "warn" if level < logging.ERROR else "error"
