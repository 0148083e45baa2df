r"""The forms of WQL that the simulated host answers; every other one is refused by name. Pure.

``SELECT * | a, b FROM class [WHERE condition]``; a condition has ``=``, ``<>``, ``!=``, ``<``, ``>``, ``<=``, ``>=``,
``LIKE``, ``IS [NOT] NULL``, ``AND``, ``OR``, ``NOT`` and brackets. In a string ``\`` escapes. Source: WQL, MS-WMI 2.2.1.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

Row = Mapping[str, object]
Condition = Callable[[Row], bool]

_TOKEN: Final = re.compile(
    r"\s*(?:(?P<text>'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\")|(?P<number>-?\d+(?:\.\d+)?)"
    r"|(?P<word>[A-Za-z_][A-Za-z0-9_]*)|(?P<sign><>|!=|<=|>=|=|<|>|\(|\)|,|\*))",
    re.DOTALL,
)


class WqlInvalid(ValueError):  # noqa: N818  # reads as what happened
    """The text is no WQL that Windows would take."""


class WqlUnknown(ValueError):  # noqa: N818  # reads as what happened
    """The text may be WQL, but not of the forms answered here."""


@dataclass(frozen=True, slots=True)
class Query:
    """A query: class, properties (empty: all) and condition."""

    class_name: str
    properties: tuple[str, ...]
    condition: Condition


def everything(row: Row) -> bool:
    """The condition of a query without one."""
    del row
    return True


def parse(text: str) -> Query:
    """Reads a SELECT query.

    Raises:
        WqlInvalid: It is none.
        WqlUnknown: A form that is not answered: ASSOCIATORS OF, REFERENCES OF and events.
    """
    first = text.split(maxsplit=1)[0].upper() if text.strip() else ""
    if first in {"ASSOCIATORS", "REFERENCES"}:
        raise WqlUnknown(f"the WQL statement {first} OF")
    reader = _Reader(text)
    reader.keyword("SELECT")
    names: list[str] = []
    if not reader.sign("*"):
        names.append(reader.word())
        while reader.sign(","):
            names.append(reader.word())
    reader.keyword("FROM")
    class_name = reader.word()
    condition: Condition = everything
    if not reader.at_end:
        reader.keyword("WHERE")
        condition = reader.condition()
    return Query(class_name, tuple(names), condition)


def parse_filter(text: str) -> Condition:
    """Reads what stands behind WHERE.

    Raises:
        WqlInvalid: It is no condition.
    """
    return _Reader(text).condition()


class _Reader:
    def __init__(self, text: str) -> None:
        self._tokens = list(_tokens(text))
        self._at = 0

    @property
    def at_end(self) -> bool:
        return self._at >= len(self._tokens)

    def _next(self) -> tuple[str, str]:
        if self.at_end:
            raise WqlInvalid("it ends too soon")
        self._at += 1
        return self._tokens[self._at - 1]

    def _peek(self, kind: str, *texts: str) -> str | None:
        if self.at_end:
            return None
        found, text = self._tokens[self._at]
        upper = text.upper()
        if found != kind or (texts and upper not in texts):
            return None
        self._at += 1
        return upper

    def word(self) -> str:
        kind, text = self._next()
        if kind != "word":
            raise WqlInvalid(f"{text!r} is no name")
        return text

    def keyword(self, text: str) -> None:
        if self._peek("word", text) is None:
            raise WqlInvalid(f"{text} is missing")

    def sign(self, text: str) -> bool:
        return self._peek("sign", text) is not None

    def condition(self) -> Condition:
        found = self._either()
        if not self.at_end:
            raise WqlInvalid(f"{self._tokens[self._at][1]!r} is one too many")
        return found

    def _either(self) -> Condition:
        parts = [self._both()]
        while self._peek("word", "OR"):
            parts.append(self._both())
        return parts[0] if len(parts) == 1 else lambda row: any(part(row) for part in parts)

    def _both(self) -> Condition:
        parts = [self._one()]
        while self._peek("word", "AND"):
            parts.append(self._one())
        return parts[0] if len(parts) == 1 else lambda row: all(part(row) for part in parts)

    def _one(self) -> Condition:
        if self._peek("word", "NOT"):
            inner = self._one()
            return lambda row: not inner(row)
        if self.sign("("):
            inner = self._either()
            if not self.sign(")"):
                raise WqlInvalid("a bracket is not closed")
            return inner
        name = self.word().casefold()
        if self._peek("word", "IS"):
            wanted = self._peek("word", "NOT") is None
            self.keyword("NULL")
            return lambda row: (row.get(name) is None) is wanted
        if self._peek("word", "LIKE"):
            kind, text = self._next()
            if kind != "text":
                raise WqlInvalid("LIKE needs a string")
            like = _like(_unquoted(text))
            return lambda row: isinstance(row.get(name), str) and like.fullmatch(str(row[name])) is not None
        sign = self._peek("sign", "=", "<>", "!=", "<", ">", "<=", ">=")
        if sign is None:
            raise WqlInvalid("an operator is missing")
        value = self._value()
        return lambda row: _compare(row.get(name), sign, value)

    def _value(self) -> object:
        kind, text = self._next()
        if kind == "text":
            return _unquoted(text)
        if kind == "number":
            return float(text) if "." in text else int(text)
        if kind == "word" and text.upper() in {"TRUE", "FALSE", "NULL"}:
            return {"TRUE": True, "FALSE": False, "NULL": None}[text.upper()]
        raise WqlInvalid(f"{text!r} is no value")


def _tokens(text: str) -> Iterator[tuple[str, str]]:
    at = 0
    stripped = text.rstrip()
    while at < len(stripped):
        found = _TOKEN.match(stripped, at)
        if found is None:
            raise WqlInvalid(f"it can't be read from {stripped[at : at + 20]!r} on")
        at = found.end()
        yield str(found.lastgroup), found[str(found.lastgroup)]


def _unquoted(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text[1:-1], flags=re.DOTALL)


def _like(text: str) -> re.Pattern[str]:
    parts = (
        part.replace("^", "^") if part.startswith("[") else {"%": ".*", "_": "."}.get(part, re.escape(part))
        for part in re.findall(r"\[[^\]]+\]|.", text, re.DOTALL)
    )
    return re.compile("".join(parts), re.IGNORECASE | re.DOTALL)


def _compare(there: object, sign: str, value: object) -> bool:
    if there is None or value is None:
        same = there is value
        return same if sign == "=" else not same if sign in {"<>", "!="} else False
    if isinstance(there, str) or isinstance(value, str):
        left, right = str(there).casefold(), str(value).casefold()
        order = (left > right) - (left < right)
    elif isinstance(there, int | float) and isinstance(value, int | float):
        order = (there > value) - (there < value)
    else:
        return False
    return {"=": order == 0, "<>": order != 0, "!=": order != 0, "<": order < 0, ">": order > 0}.get(
        sign, order <= 0 if sign == "<=" else order >= 0
    )
