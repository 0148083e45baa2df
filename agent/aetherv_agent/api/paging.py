"""Page sizes and page tokens of lists that the agent holds in memory. Pure.

A token names the last element given, the list and the filter it belongs to; it is no secret and grants nothing.
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
    items: Sequence[T], key: Callable[[T], Key], size: int, token: str, filter_text: str, *, of: str
) -> tuple[list[T], str]:
    """Return one page of sorted elements and the token for the next one (empty: no more).

    Args:
        items: all elements, ordered by ``key``, which is unique.
        key: an element's place in the order; it holds when elements come and go between two pages.
        size: from ``page_size``.
        token: from the page before, or empty.
        filter_text: the request's filter; a token is good for its own filter alone.
        of: the list's name; a token is good for its own list alone.

    Raises:
        AethervError: REQUEST_INVALID for a token that is none, or of another list or filter.
    """
    after = read_token(token, filter_text, of=of) if token else None
    rest = [item for item in items if after is None or key(item) > after]
    shown = rest[:size]
    return shown, write_token(key(shown[-1]), filter_text, of=of) if len(rest) > size else ""


def write_token(key: Key, filter_text: str, *, of: str) -> str:
    """Return the token of a place in a list."""
    return base64.urlsafe_b64encode(json.dumps([of, filter_text, *key]).encode()).decode().rstrip("=")


def read_token(token: str, filter_text: str, *, of: str) -> Key:
    """Return the place that ``write_token`` named.

    Raises:
        AethervError: REQUEST_INVALID for a token that is none, or of another list or filter.
    """
    try:
        raw = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
        values = json.loads(raw)
    except (binascii.Error, ValueError, RecursionError):
        values = None
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        raise request_invalid("page_token", "is none that this agent gave")
    if values[:2] != [of, filter_text]:
        raise request_invalid("page_token", "belongs to another list or filter")
    return tuple(values[2:])


def request_invalid(field: str, message: str) -> AethervError:
    """Return REQUEST_INVALID for one field of a request."""
    return AethervError("REQUEST_INVALID", f"{field} {message}.", violations=(Violation(field, message),))
