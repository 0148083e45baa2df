"""One ``pwsh -File``: a process with standard input and output, followed to its end."""

import contextlib
import os
import signal
import subprocess
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from aetherv_simhost.backends.api import ScriptFailed

_LOOK_SECONDS: Final = 0.05
_SIDE_SECONDS: Final = 1.0
_TEXT_LIMIT: Final = 16 * 1024


class ScriptProcess:
    """A running script.

    Args:
        argv: What to start.
        environment: Its environment.
        folder: Its working folder.
    """

    def __init__(self, argv: list[str], environment: Mapping[str, str], folder: Path) -> None:
        self._said = bytearray()
        self._process = subprocess.Popen(  # noqa: S603  # the PowerShell that the settings name
            argv,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=dict(environment),
            cwd=folder,
            start_new_session=True,
        )

    def follow(self, text: str, write: Callable[[str], None], stopped: threading.Event) -> None:
        """Feeds standard input and hands on each line of output until the script has ended or was stopped.

        Raises:
            ScriptFailed: It ended with another exit code than 0.
        """
        listener = threading.Thread(target=self._listen, name="simhost-script-error", daemon=True)
        others = (
            threading.Thread(target=self._feed, args=(text,), name="simhost-script-input", daemon=True),
            threading.Thread(target=self._watch, args=(stopped,), name="simhost-script-stop", daemon=True),
        )
        for thread in (listener, *others):
            thread.start()
        with contextlib.suppress(OSError, ValueError):
            for line in self._process.stdout or ():
                write(line.decode("utf-8", "replace").rstrip("\r\n"))
        code = self._process.wait()
        listener.join(_SIDE_SECONDS)
        if code and not stopped.is_set():
            said = self._said.decode("utf-8", "replace").strip()
            raise ScriptFailed(said or f"exit code {code}", "NativeCommandError")

    def kill(self) -> None:
        """Ends the process at once, with everything that it started."""
        if self._process.poll() is None:
            with contextlib.suppress(OSError):
                os.killpg(self._process.pid, signal.SIGKILL)

    def close(self) -> None:
        """Kills what still runs, and frees the pipes."""
        self.kill()
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout, self._process.stderr):
            if stream is not None:
                with contextlib.suppress(OSError):
                    stream.close()

    def _feed(self, text: str) -> None:
        with contextlib.suppress(OSError, ValueError):
            if self._process.stdin is not None:
                self._process.stdin.write(text.encode())
                self._process.stdin.close()

    def _listen(self) -> None:
        with contextlib.suppress(OSError, ValueError):
            for line in self._process.stderr or ():
                self._said.extend(line[: max(0, _TEXT_LIMIT - len(self._said))])

    def _watch(self, stopped: threading.Event) -> None:
        while self._process.poll() is None:
            if stopped.wait(_LOOK_SECONDS):
                self.kill()
                return
