"""Runs calls of scripts in threads of their own, so many at once and no more, and says how each ended."""

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Final

from aetherv_simhost.backends.api import Backend, CommandNotFound, HostReboots, ScriptCall, ScriptFailed

_log: Final = logging.getLogger(__name__)


class End(Enum):
    """How a call ended."""

    COMPLETED = "completed"
    STOPPED = "stopped"
    NOT_FOUND = "not found"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a call ended; the texts are set for NOT_FOUND (message is the path) and FAILED."""

    end: End
    message: str = ""
    error_id: str = ""
    category: str = "NotSpecified"


class Runner:
    """The threads of one simulated host.

    Args:
        backend: Runs the scripts.
        reboot: Called (from a script's thread) when a script takes the host down, with seconds.
        limit: Calls at once.
    """

    def __init__(self, backend: Backend, reboot: Callable[[float], None], limit: int) -> None:
        self._backend = backend
        self._reboot = reboot
        self.limit = limit
        self._lock = threading.Lock()
        self._threads: set[threading.Thread] = set()

    def start(
        self,
        call: ScriptCall,
        write: Callable[[str], None],
        stopped: threading.Event,
        ended: Callable[[Outcome], None],
    ) -> bool:
        """Starts a call in a thread of its own.

        Args:
            call: What to run.
            write: Takes each line, in the call's thread.
            stopped: Set by the caller to stop it.
            ended: Told the outcome, in the call's thread, as the last thing.

        Returns:
            False when as many calls as may be are running: nothing was started.
        """

        def work() -> None:
            try:
                ended(self._run(call, write, stopped))
            finally:
                with self._lock:
                    self._threads.discard(thread)

        thread = threading.Thread(target=work, name=f"simhost-{call.host}-script", daemon=True)
        with self._lock:
            if len(self._threads) >= self.limit:
                return False
            self._threads.add(thread)
        thread.start()
        return True

    @property
    def full(self) -> bool:
        """Whether `start` would refuse now."""
        with self._lock:
            return len(self._threads) >= self.limit

    def join(self, seconds: float) -> bool:
        """Waits for all threads (which were told to stop); False if some are still there after so many seconds."""
        deadline = time.monotonic() + seconds
        with self._lock:
            threads = list(self._threads)
        for thread in threads:
            thread.join(max(0.0, deadline - time.monotonic()))
        return not any(thread.is_alive() for thread in threads)

    def _run(self, call: ScriptCall, write: Callable[[str], None], stopped: threading.Event) -> Outcome:
        try:
            self._backend.run(call, write, stopped)
        except CommandNotFound as error:
            return Outcome(End.NOT_FOUND, error.path)
        except ScriptFailed as error:
            outcome = Outcome(End.FAILED, error.message, error.error_id, error.category)
        except HostReboots as error:
            self._reboot(error.seconds)
            return Outcome(End.STOPPED)
        except Exception:  # noqa: BLE001  # a back-end must not end the host; it is logged and told
            _log.exception("simulated host %s: %s ended by an error of the back-end", call.host, call.path)
            text = "The simulated host's back-end failed; its own log says how."
            outcome = Outcome(End.FAILED, text, "SimulatedHostError")
        else:
            outcome = Outcome(End.COMPLETED)
        return Outcome(End.STOPPED) if stopped.is_set() else outcome
