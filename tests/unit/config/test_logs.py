"""What a log line may show."""

from __future__ import annotations

import io
import logging
from collections.abc import Iterator
from typing import Literal

import pytest
import structlog
from aetherv_agent import logs

SECRET = 'hunter2-Z\u00fcrich\\"x'
CONTROL = "control-value"


@pytest.fixture(autouse=True)
def restored() -> Iterator[None]:
    """Leave logging as it was."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield
    for handler in list(root.handlers):
        root.removeHandler(handler)
    for handler in handlers:
        root.addHandler(handler)
    root.setLevel(level)
    structlog.reset_defaults()


def written(style: Literal["console", "json"]) -> str:
    """Return what is written of an exception with a secret in a variable, a key and its text."""
    stream = io.StringIO()
    logs.configure("debug", style, stream)
    log = structlog.stdlib.get_logger("test")
    hidden = "only-in-a-local-variable"
    try:
        raise ValueError(  # noqa: TRY301  # the frame with the variable must be this one
            f"{CONTROL} and {SECRET} and {SECRET!r}"
        )
    except ValueError:
        log.exception("failed", password="by-key-1", nested={"guest_la_pw": "by-key-2", "n": CONTROL})
        logging.getLogger("plain").exception("failed too: %s", SECRET)
    assert hidden
    return stream.getvalue()


@pytest.mark.parametrize("style", ["console", "json"])
def test_secrets_are_hidden_by_key_and_by_value_and_no_locals_are_shown(
    style: Literal["console", "json"],
) -> None:
    """Neither key, text, exception nor a frame's variables show a secret; the control value is there."""
    logs.SECRETS.add(SECRET)
    text = written(style)
    assert text.count(CONTROL) >= 3
    assert "Traceback" in text or "exc_type" in text
    for value in ("hunter2", "Z\u00fcrich", "by-key-1", "by-key-2", "only-in-a-local-variable"):
        assert value not in text
    assert logs.HIDDEN in text


@pytest.mark.parametrize("style", ["console", "json"])
def test_a_value_that_is_no_secret_is_shown(style: Literal["console", "json"]) -> None:
    """The test above would pass on an empty log: a value that was never added is there."""
    stream = io.StringIO()
    logs.configure("info", style, stream)
    structlog.stdlib.get_logger("test").info("seen", value="never-added")
    assert "never-added" in stream.getvalue()


def test_libraries_that_print_messages_are_never_at_debug() -> None:
    """At DEBUG the WinRM library prints raw messages."""
    logs.configure("debug", "console", io.StringIO())
    assert logging.getLogger("pypsrp").getEffectiveLevel() == logging.CRITICAL
    assert logging.getLogger("urllib3").getEffectiveLevel() == logging.INFO
    assert logging.getLogger("aetherv").getEffectiveLevel() == logging.DEBUG


def test_the_known_secrets_are_bounded() -> None:
    """Of very many values the oldest are forgotten, and short ones are never taken."""
    secrets = logs.Secrets()
    for number in range(300):
        secrets.add(f"value-{number}-")
    secrets.add("abc")
    secrets.keep("kept-for-good")
    for number in range(300, 600):
        secrets.add(f"value-{number}-")
    assert (
        secrets.hide("value-599- value-0- abc kept-for-good") == f"{logs.HIDDEN} value-0- abc {logs.HIDDEN}"
    )
