"""Reading a configuration file: YAML 1.1's safe part, a mapping, every key once. Errors never quote the file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from aetherv_agent.core.errors import Violation

_MOST = 4 * 1024 * 1024


class _UniqueKeys(yaml.SafeLoader):
    """Refuses a key that stands twice: PyYAML takes the last one in silence."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:  # noqa: FBT001, FBT002  # PyYAML's own signature
        seen: set[Any] = set()
        for key_node, _ in node.value:
            if isinstance(key_node, yaml.ScalarNode):
                if key_node.value in seen:
                    raise yaml.constructor.ConstructorError(
                        None, None, f"the key {key_node.value!r} stands twice", key_node.start_mark
                    )
                seen.add(key_node.value)
        return super().construct_mapping(node, deep)


def read(path: Path) -> tuple[dict[str, Any] | None, list[Violation]]:
    """Return a file's mapping (None: it can't be read) and what is wrong with it.

    Args:
        path: the file; an empty one is an empty mapping.
    """
    try:
        if path.stat().st_size > _MOST:
            return None, [Violation(str(path), "is too large for a configuration")]
        return _mapping(path.read_text("utf-8"), str(path))
    except OSError as error:
        return None, [Violation(str(path), f"can't be read: {error.strerror}")]
    except UnicodeDecodeError:
        return None, [Violation(str(path), "is no UTF-8 text")]


def _mapping(text: str, path: str) -> tuple[dict[str, Any] | None, list[Violation]]:
    try:
        raw = yaml.load(text, Loader=_UniqueKeys)  # noqa: S506  # a subclass of SafeLoader
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        where = f"line {mark.line + 1}, column {mark.column + 1}" if mark else "the file"
        return None, [Violation(where, f"is no YAML: {error.problem}")]
    except (yaml.YAMLError, RecursionError):
        return None, [Violation(path, "is no YAML")]
    settings = {} if raw is None else raw
    if not isinstance(settings, dict) or not all(isinstance(key, str) for key in settings):
        return None, [Violation(path, "must be a mapping of settings")]
    return settings, []
