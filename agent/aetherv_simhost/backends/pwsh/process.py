"""One ``pwsh -s``: PSRP on its standard streams, one XML element a line (out-of-process transport of PowerShell)."""

import base64
import binascii
import contextlib
import logging
import os
import queue
import re
import signal
import subprocess
import threading
import uuid
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO, Final

_log: Final = logging.getLogger(__name__)
_POOL: Final = uuid.UUID(int=0)
_ELEMENT: Final = re.compile(
    rb"<(?P<name>\w+)(?:\s+Stream='\w*')?\s+PSGuid='(?P<id>[0-9A-Fa-f-]{36})'\s*/?>(?:(?P<data>[^<]*)</Data>)?"
)
_STREAMS: Final = {"pr": "PromptResponse"}
_AWAITED: Final = frozenset({"Command", "Data"})
_WAITING: Final = 8192
_POLL_SECONDS: Final = 0.5
_END_SECONDS: Final = 5.0
_TOLD: Final = 4096


class PwshProcess:
    """A running process.

    Args:
        argv: What to start.
        environment: Its environment.
        folder: Its working folder.
        received: Told fragments of a pipeline, or with None of the pool, in the reading thread; may wait.
        gone: Told once, whatever ended the process; in the reading thread.
    """

    def __init__(
        self,
        argv: list[str],
        environment: Mapping[str, str],
        folder: Path,
        received: Callable[[uuid.UUID | None, bytes], None],
        gone: Callable[[], None],
    ) -> None:
        self._received = received
        self._gone = gone
        self._closed = threading.Event()
        self._acknowledged: Counter[tuple[str, uuid.UUID]] = Counter()
        self._changed = threading.Condition()
        self._lines: queue.Queue[tuple[str, uuid.UUID, bytes]] = queue.Queue(_WAITING)
        self._process = subprocess.Popen(  # noqa: S603  # the PowerShell that the settings name
            argv,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=dict(environment),
            cwd=folder,
            start_new_session=True,
        )
        for name, work in (("read", self._read), ("write", self._write), ("error", self._errors)):
            threading.Thread(target=work, name=f"simhost-pwsh-{name}", daemon=True).start()

    @property
    def pid(self) -> int:
        """The process's id."""
        return self._process.pid

    def start(self, command: uuid.UUID, data: bytes) -> None:
        """Begins a pipeline."""
        self._put("Command", command, _element("Command", command))
        self._put("Data", command, _data(command, "Default", data))

    def send(self, command: uuid.UUID | None, stream: str, data: bytes) -> None:
        """Hands fragments over."""
        own = command or _POOL
        self._put("Data", own, _data(own, _STREAMS.get(stream, "Default"), data))

    def stop(self, command: uuid.UUID) -> None:
        """Stops a pipeline."""
        self._put("Signal", command, _element("Signal", command))

    def forget(self, command: uuid.UUID) -> None:
        """Closes a pipeline."""
        self._put("Close", command, _element("Close", command))

    def close(self) -> None:
        """Kills the process with everything that it started: what it did not finish, a restart has to cope with."""
        if self._closed.is_set():
            return
        self._closed.set()
        with contextlib.suppress(OSError):
            os.killpg(self._process.pid, signal.SIGKILL)

    def wait(self) -> None:
        """Waits until the process has ended after `close`."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(_END_SECONDS)

    def _put(self, name: str, own: uuid.UUID, line: bytes) -> None:
        try:
            self._lines.put_nowait((name, own, line))
        except queue.Full:
            _log.warning("a simulated host's PowerShell takes no input any more; its shell ends")
            self.close()

    def _write(self) -> None:
        pipe = self._process.stdin
        if pipe is None:
            return
        with contextlib.suppress(OSError, ValueError):
            while not self._closed.is_set():
                try:
                    name, own, line = self._lines.get(timeout=_POLL_SECONDS)
                except queue.Empty:
                    continue
                pipe.write(line)
                pipe.flush()
                # What comes before the process has taken the last piece is lost in silence.
                if name in _AWAITED and not self._await(f"{name}Ack", own):
                    return

    def _await(self, name: str, own: uuid.UUID) -> bool:
        """Waits until the process has acknowledged a piece; False once it has ended."""
        with self._changed:
            while not self._acknowledged[name, own]:
                if self._closed.is_set():
                    return False
                self._changed.wait(_POLL_SECONDS)
            del self._acknowledged[name, own]
        return True

    def _read(self) -> None:
        pipe = self._process.stdout
        try:
            for line in pipe or ():
                self._take(line)
        except (OSError, ValueError):
            _log.debug("a simulated host's PowerShell hung up")
        finally:
            self._closed.set()
            with contextlib.suppress(OSError):
                os.killpg(self._process.pid, signal.SIGKILL)
            code = self._process.wait()
            for stream in (self._process.stdin, pipe):
                with contextlib.suppress(OSError, ValueError):
                    _close(stream)
            _log.debug("a simulated host's PowerShell ended with %s", code)
            self._gone()

    def _take(self, line: bytes) -> None:
        found = _ELEMENT.match(line.strip())
        if found is None:
            return
        own = uuid.UUID(found["id"].decode("ascii"))
        name = found["name"].decode("ascii")
        if name.removesuffix("Ack") in _AWAITED and name.endswith("Ack"):
            with self._changed:
                self._acknowledged[name, own] += 1
                self._changed.notify_all()
        elif name == "Data" and found["data"]:
            try:
                data = base64.b64decode(found["data"], validate=True)
            except binascii.Error:
                return
            self._received(None if own == _POOL else own, data)

    def _errors(self) -> None:
        """Reads standard error away; its end is told, as it may hold what a script was given."""
        pipe = self._process.stderr
        told = 0
        with contextlib.suppress(OSError, ValueError):
            for line in pipe or ():
                told += len(line)
        if told:
            _log.debug("a simulated host's PowerShell wrote %d bytes to its standard error", min(told, _TOLD))
        with contextlib.suppress(OSError, ValueError):
            _close(pipe)


def _close(stream: IO[bytes] | None) -> None:
    if stream is not None:
        stream.close()


def _element(name: str, own: uuid.UUID) -> bytes:
    return f"<{name} PSGuid='{own}' />\n".encode()


def _data(own: uuid.UUID, stream: str, data: bytes) -> bytes:
    return f"<Data Stream='{stream}' PSGuid='{own}'>".encode() + base64.b64encode(data) + b"</Data>\n"
