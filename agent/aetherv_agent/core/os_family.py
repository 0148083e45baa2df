"""Telling a guest's family by the beginning of its image's name (the seeds' patterns). Pure."""

from __future__ import annotations

from aetherv_agent import contracts
from aetherv_agent.core.model import OsFamily


def os_family_of(image_name: str) -> OsFamily | None:
    """Return the family that an image's name tells, or None.

    Args:
        image_name: e.g. ``Ubuntu 24.04``; upper and lower case are the same.
    """
    name = image_name.casefold()
    for family, beginnings in contracts.field_rules().os_families:
        if any(name.startswith(beginning.casefold()) for beginning in beginnings):
            return OsFamily(family)
    return None
