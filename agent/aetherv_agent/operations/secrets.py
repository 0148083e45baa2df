"""Where operations' secrets live until they are published: in this process alone.

Encryption at rest will come in behind the same four functions.
"""

from __future__ import annotations

from collections.abc import Mapping


class SecretBox:
    """Secrets by operation id. Its repr shows how many operations have some, never what."""

    __slots__ = ("_kept",)

    def __init__(self) -> None:
        self._kept: dict[str, dict[str, str]] = {}

    def put(self, operation_id: str, secrets: Mapping[str, str]) -> None:
        """Keep an operation's secrets; nothing is kept for none."""
        if secrets:
            self._kept[operation_id] = dict(secrets)

    def get(self, operation_id: str) -> Mapping[str, str] | None:
        """Return an operation's secrets, or None if there are none here."""
        return self._kept.get(operation_id)

    def drop(self, operation_id: str) -> None:
        """Forget an operation's secrets. Repeatable."""
        self._kept.pop(operation_id, None)

    def clear(self) -> None:
        """Forget all."""
        self._kept.clear()

    def __contains__(self, operation_id: object) -> bool:
        return operation_id in self._kept

    def __repr__(self) -> str:
        return f"SecretBox({len(self._kept)} operations)"
