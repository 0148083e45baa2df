"""Page sizes and page tokens of lists that the agent holds in memory. Pure.

A token names the last element given and the filter it belongs to; it is no secret and grants nothing.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Sequence
from typing import TypeVar

from aetherv_agent.core.errors import AethervError, Violation

T = TypeVar("T")
Key = tuple[str, ...]

DEFAULT_PAGE = 100
MOST = 500


def page_size(asked: int) -> int:
    """Return how many elements a page has: 0 is 100, at most 500.

    Raises:
        AethervError: REQUEST_INVALID below 0.
    """
    if asked < 0:
        raise request_invalid("page_size", "must not be below 0")
    return min(asked or DEFAULT_PAGE, MOST)


def page(
    items: Sequence[T], key: Callable[[T], Key], size: int, token: str, filter_text: str
) -> tuple[list[T], str]:
    """Return one page of sorted elements and the token for the next one (empty: no more).

    Args:
        items: all elements, ordered by ``key``, which is unique.
        key: an element's place in the order; it holds when elements come and go between two pages.
        size: from ``page_size``.
        token: from the page before, or empty.
        filter_text: the request's filter; a token is good for its own filter alone.

    Raises:
        AethervError: REQUEST_INVALID for a token that is none, or of another filter.
    """
    after = _read(token, filter_text) if token else None
    rest = [item for item in items if after is None or key(item) > after]
    shown = rest[:size]
    return shown, _write(key(shown[-1]), filter_text) if len(rest) > size else ""


def request_invalid(field: str, message: str) -> AethervError:
    """Return REQUEST_INVALID for one field of a request."""
    return AethervError("REQUEST_INVALID", f"{field} {message}.", violations=(Violation(field, message),))


def _write(key: Key, filter_text: str) -> str:
    return base64.urlsafe_b64encode(json.dumps([filter_text, *key]).encode()).decode().rstrip("=")


def _read(token: str, filter_text: str) -> Key:
    try:
        raw = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
        values = json.loads(raw)
    except (binascii.Error, ValueError, RecursionError):
        values = None
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        raise request_invalid("page_token", "is none that this agent gave")
    if values[:1] != [filter_text]:
        raise request_invalid("page_token", "belongs to another filter")
    return tuple(values[1:])
