"""The model's end of the stubs' socket: one JSON line for each call, one for its answer. Counts the calls.

Where there are objects alone the line is bare CLIXML, and where there is nothing to say it is empty. A line from a stub: ``{"command", "set", "parameters"}``, after a first line ``{"session", "process"}``. The answer:
``{"objects": CLIXML or null, "warnings", "errors", "shapes"}``; for the item cmdlets ``{"held": [...]}``.
"""

import contextlib
import json
import logging
import socket
import tempfile
import threading
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from aetherv_simhost.windows.calls import Call, Context, Reply, Session, answer
from aetherv_simhost.windows.failures import Refused
from aetherv_simhost.windows.objects import SHAPES
from aetherv_simhost.windows.registry import COMMANDS
from aetherv_simhost.windows.values import PsObject, clixml

_log: Final = logging.getLogger(__name__)
_ITEMS: Final = frozenset({"Remove-Item", "Move-Item", "Rename-Item", "Copy-Item"})
_MAX_CONNECTIONS: Final = 256
_BACKLOG: Final = 64


class ModelServer:
    """Answers the stubs of one simulated host.

    Args:
        context: What the commands act on.
        called: Told each call before it is answered, in the connection's thread; may raise nothing.
        answered: Told each call after the model acted, before its stub is.
    """

    def __init__(
        self,
        context: Context,
        called: Callable[[Call], None] | None = None,
        answered: Callable[[Call], None] | None = None,
    ) -> None:
        if not COMMANDS:
            raise RuntimeError("no command is registered")
        self._context = context
        self._called = called
        self._answered = answered
        self._sessions: dict[str, Session] = {}
        self._counts: Counter[str] = Counter()
        self._lock = threading.Lock()
        # A unix socket's path is at most 107 bytes long, a state folder's may be more.
        self._folder = tempfile.TemporaryDirectory(prefix="avsh-")
        self.path = Path(self._folder.name) / "model"
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._socket.bind(str(self.path))
        self._socket.listen(_BACKLOG)
        self._connections: set[socket.socket] = set()
        self._closed = False
        threading.Thread(target=self._accept, name="simhost-model", daemon=True).start()

    def open_session(self, name: str, session: Session) -> None:
        """Says who calls under a session's name."""
        with self._lock:
            self._sessions[name] = session

    def close_session(self, name: str) -> None:
        """Forgets a session."""
        with self._lock:
            self._sessions.pop(name, None)

    def calls(self) -> Mapping[str, int]:
        """How often each command was called since the last `forget_calls`."""
        with self._lock:
            return dict(self._counts)

    def forget_calls(self) -> None:
        """Counts from zero."""
        with self._lock:
            self._counts.clear()

    def close(self) -> None:
        """Ends every connection and removes the socket."""
        with self._lock:
            self._closed = True
            connections = list(self._connections)
        for connection in (self._socket, *connections):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
            connection.close()
        self._folder.cleanup()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            with self._lock:
                if self._closed or len(self._connections) >= _MAX_CONNECTIONS:
                    connection.close()
                    continue
                self._connections.add(connection)
            threading.Thread(target=self._serve, args=(connection,), name="simhost-stub", daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        sent: set[str] = set()
        session = Session()
        try:
            with connection.makefile("rwb") as stream:
                for line in stream:
                    raw = json.loads(line)
                    if "session" in raw:
                        with self._lock:
                            known = self._sessions.get(str(raw["session"]), Session())
                        session = replace(known, process=int(raw["process"]))
                        continue
                    stream.write(_line(self._answer(raw, session, sent)) + b"\n")
                    stream.flush()
        except (OSError, ValueError):
            return
        finally:
            with self._lock:
                self._connections.discard(connection)
            connection.close()

    def _answer(self, raw: Mapping[str, Any], session: Session, sent: set[str]) -> dict[str, Any]:
        call = Call(str(raw["command"]), str(raw["set"]), raw["parameters"], session)
        with self._lock:
            self._counts[call.command] += 1
        if self._called is not None:
            self._called(call)
        try:
            reply = answer(self._context, call)
            if call.command in _ITEMS:
                return {"held": reply.objects}
            objects = clixml(reply.objects) if reply.objects else None
        except Exception:  # noqa: BLE001  # one call must not end the connection; it is logged and told
            _log.exception("a simulated host's model failed at %s", call.command)
            reply = Reply(failures=[Refused(f"{call.command} because its model failed; its log says how")])
            objects = None
        if self._answered is not None:
            self._answered(call)
        return {
            "objects": objects,
            "warnings": reply.warnings,
            "errors": [failure.record(call.command) for failure in reply.failures],
            "shapes": _shapes(reply.objects, sent),
        }


def _line(reply: Mapping[str, Any]) -> bytes:
    """An answer's line: bare CLIXML, or nothing, where there is no more to say; that is read much faster than JSON."""
    if "held" in reply or reply["warnings"] or reply["errors"] or reply["shapes"]:
        return json.dumps(reply).encode()
    return (reply["objects"] or "").encode()


def _shapes(found: list[object], sent: set[str]) -> dict[str, dict[str, str]]:
    """The shapes of the types among these objects that this connection was not told yet."""
    shapes: dict[str, dict[str, str]] = {}
    todo = list(found)
    while todo:
        value = todo.pop()
        if isinstance(value, list | tuple):
            todo += value
        elif isinstance(value, PsObject):
            name = value.types[0]
            if name in SHAPES and name not in sent:
                sent.add(name)
                shapes[name] = SHAPES[name]
            todo += [
                inner for inner in value.properties.values() if isinstance(inner, list | tuple | PsObject)
            ]
    return shapes
