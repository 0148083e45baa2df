"""Ctrl-C in order: it ends the demo at once, except where something would be cut in two or left running."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Callable, Iterator
from types import FrameType

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Interrupts:
    """What is done about the first signal and each after it; one for a process, in its main thread."""

    def __init__(self) -> None:
        self._came = False
        self._raised = False
        self._shields = 0
        self._tell: Callable[[], None] | None = None
        for number in _SIGNALS:
            # A program started with a signal ignored (nohup) goes on ignoring it.
            if signal.getsignal(number) is not signal.SIG_IGN:
                signal.signal(number, self._on_signal)

    @contextlib.contextmanager
    def shielded(self, tell: Callable[[], None] | None = None) -> Iterator[None]:
        """Keep a signal back until the end of the block.

        Args:
            tell: called in the signal's handler for each one that comes within the block.

        Raises:
            KeyboardInterrupt: at the end, one came within the block and the block raised nothing.
        """
        before = self._tell
        self._tell = tell
        self._shields += 1
        try:
            yield
        finally:
            self._shields -= 1
            self._tell = before
        self._raise()

    def _on_signal(self, _number: int, _frame: FrameType | None) -> None:
        self._came = True
        if self._tell is not None:
            self._tell()
        self._raise()

    def _raise(self) -> None:
        # Once: who presses Ctrl-C again while everything is stopped must not leave half of it.
        if self._came and not self._raised and not self._shields:
            self._raised = True
            raise KeyboardInterrupt
