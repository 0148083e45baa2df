"""Where in a value something stands, and the one error of this package."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class KeyStep:
    """A step into a map by its key; a plain ``str`` step is an attribute of an object.

    Attributes:
        key: the map's key.
    """

    key: str


Step = str | int | KeyStep
# A ``str`` names an attribute, an ``int`` an index of a list, a ``KeyStep`` a key of a map. Sets have no steps.
Path = tuple[Step, ...]


def format_path(path: Path) -> str:
    """Write a path as a user of Terraform would: ``network[0].tags["a"]``."""
    text = ""
    for step in path:
        match step:
            case KeyStep(key):
                text += f'["{key}"]'
            case int():
                text += f"[{step}]"
            case _:
                text += f".{step}" if text else step
    return text


class CtyError(ValueError):
    """A value or type that is malformed or does not conform. Its text never holds a value, which may be secret.

    Attributes:
        message: what is wrong, without the place.
        path: where.
    """

    def __init__(self, message: str, path: Path = ()) -> None:
        super().__init__(f"{format_path(path)}: {message}" if path else message)
        self.message = message
        self.path = path


@contextmanager
def within_set(path: Path) -> Iterator[None]:
    """Name the set itself where an element is at fault: an element of a set has no path of its own.

    Raises:
        CtyError: with the set's path.
    """
    try:
        yield
    except CtyError as error:
        raise CtyError(error.message, path) from error
