"""Whether Terraform still lives. A plugin that outlives a killed Terraform would hold its connections for ever."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable


def parent_is_gone() -> Callable[[], bool]:
    """Remember the parent of now, and give a function that tells whether it is gone.

    On Unix an orphan gets another parent. Windows keeps the old number, so a handle of the process is
    asked instead; where it cannot be had, the parent is gone already.
    """
    if sys.platform == "win32":
        from terraform_provider_aetherv.plugin import windows

        return windows.process_is_gone(os.getppid())
    parent = os.getppid()
    return lambda: os.getppid() != parent


def wait_for_end(ended: threading.Event, gone: Callable[[], bool], interval: float = 0.5) -> bool:
    """Wait until the end is asked for or the parent is gone.

    Args:
        ended: set when the end is asked for.
        gone: tells whether the parent is gone.
        interval: seconds between two looks at the parent.

    Returns:
        Whether the end was asked for.
    """
    while not ended.wait(interval):
        if gone():
            return False
    return True
