"""Filters of lists: a subset of AIP-160, ``field = "value"`` or ``field = "prefix*"`` joined by AND. Pure."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from aetherv_agent.api.paging import request_invalid

_MOST = 2000
_TERM = re.compile(r"""\s*(?P<field>[a-z_]+)\s*=\s*(?:"(?P<quoted>(?:[^"\\]|\\.)*)"|(?P<bare>[\w.*-]+))\s*""")
_AND = re.compile(r"AND\b")


@dataclass(frozen=True, slots=True)
class Term:
    """One comparison; with ``prefix`` the value is a beginning."""

    field: str
    value: str
    prefix: bool = False

    def holds(self, actual: str) -> bool:
        """Return whether a field's value fits. Upper and lower case are the same, as Hyper-V's names have it."""
        seen, wanted = actual.casefold(), self.value.casefold()
        return seen.startswith(wanted) if self.prefix else seen == wanted


def parse(text: str, fields: Collection[str]) -> tuple[Term, ...]:
    """Return a filter's terms; an empty text has none.

    Args:
        text: the request's ``filter``.
        fields: the names that may be compared.

    Raises:
        AethervError: REQUEST_INVALID for a text that can't be read or a field that can't be compared.
    """
    if not text.strip():
        return ()
    if len(text) > _MOST:
        raise request_invalid("filter", f"is longer than {_MOST} characters")
    terms: list[Term] = []
    at = 0
    while True:
        match = _TERM.match(text, at)
        if match is None:
            raise request_invalid(
                "filter", f'can\'t be read at character {at + 1}: field = "value" is expected'
            )
        field = match["field"]
        if field not in fields:
            raise request_invalid("filter", f"compares {field}; it may compare {', '.join(sorted(fields))}")
        quoted = match["quoted"]
        value = match["bare"] if quoted is None else re.sub(r"\\(.)", r"\1", quoted)
        prefix = value.endswith("*")
        terms.append(Term(field, value[:-1] if prefix else value, prefix))
        at = match.end()
        if at == len(text):
            return tuple(terms)
        joined = _AND.match(text, at)
        if joined is None:
            raise request_invalid("filter", f"can't be read at character {at + 1}: terms are joined by AND")
        at = joined.end()


def fits(terms: tuple[Term, ...], values: Mapping[str, str]) -> bool:
    """Return whether an element with these values passes all terms."""
    return all(term.holds(values[term.field]) for term in terms)
