"""The WSMan actions of one simulated host on its shells: from a parsed request to an answer's bytes, or a fault.

Runs in the event loop's thread alone, so shells need no lock here.
"""

import asyncio
import base64
import binascii
import time
import uuid
import xml.etree.ElementTree as ET
from collections.abc import Awaitable, Callable
from typing import Final

from aetherv_simhost.faults import Faults
from aetherv_simhost.runner import Runner
from aetherv_simhost.wsman import markup, soap
from aetherv_simhost.wsman.errors import (
    aborted,
    access_denied,
    bad_timeout,
    command_not_found,
    schema,
    shell_not_found,
    shell_not_listed,
    timed_out,
    too_many_commands,
    too_many_shells,
    unknown_resource,
)
from aetherv_simhost.wsman.output import Batch
from aetherv_simhost.wsman.shell import DEFAULT_IDLE_SECONDS, MAX_INPUT_BYTES, Command, Peer, Shell, ShellSeat
from aetherv_simhost.wsman.soap import RSP, WsmanRequest

SHELL_RESOURCE: Final = "http://schemas.microsoft.com/wbem/wsman/1/windows/shell"
CONFIG_RESOURCE: Final = "http://schemas.microsoft.com/wbem/wsman/1/config"
# Windows PowerShell's own endpoint has practically no quota; a simulated host is bounded.
MAX_SHELLS_PER_USER: Final = 1000
MAX_COMMANDS_PER_SHELL: Final = 1000
_ENVELOPE_OVERHEAD: Final = 4096
_MAX_ANSWER: Final = 512_000
_REAP_SECONDS: Final = 0.25


class Service:
    """The shells of one simulated host.

    Args:
        host_id: The host.
        loop: The loop that calls.
        runner: Runs the shells' scripts.
        faults: The host's faults.
        make_shell: Makes a shell of the seat's resource URI, or None where the host has no such kind.
    """

    def __init__(
        self,
        host_id: str,
        loop: asyncio.AbstractEventLoop,
        runner: Runner,
        faults: Faults,
        make_shell: Callable[[ShellSeat], Shell | None],
    ) -> None:
        self._host_id = host_id
        self._loop = loop
        self._runner = runner
        self._faults = faults
        self._make_shell = make_shell
        self._shells: dict[str, Shell] = {}
        self._actions: dict[str, Callable[[WsmanRequest, Peer], Awaitable[str]]] = {
            "Create": self._create,
            "Command": self._command,
            "Send": self._send,
            "Receive": self._receive,
            "Signal": self._signal,
            "Delete": self._delete,
            "Disconnect": self._disconnect,
            "Reconnect": self._reconnect,
            "Connect": self._connect,
            "Enumerate": self._enumerate,
            "Get": self._get,
        }

    async def answer(self, request: WsmanRequest, peer: Peer) -> bytes:
        """Serves one request.

        Args:
            request: What is asked.
            peer: Who asks.

        Returns:
            The answer's envelope.

        Raises:
            WsmanFault: The answer is a fault.
        """
        if request.name == "Identify":
            return markup.identity()
        if request.timeout <= 0:
            raise bad_timeout(request.timeout_text)
        action = self._actions.get(request.name)
        if action is None:
            raise unknown_resource(request.action)
        return soap.answer(request, await action(request, peer))

    def kill_shells(self) -> None:
        """Ends every shell, as a restart of the WinRM service does."""
        for shell in self._shells.values():
            shell.close()
        self._shells.clear()

    async def reap(self) -> None:
        """Ends shells whose idle time-out is over, for ever."""
        while True:
            await asyncio.sleep(_REAP_SECONDS)
            for key, shell in list(self._shells.items()):
                if shell.idle_for > shell.seat.idle_seconds:
                    shell.close()
                    del self._shells[key]

    def undo_receive(self, request: WsmanRequest) -> None:
        """Puts what a Receive took back, since its answer was not sent."""
        shell = self._shells.get(request.selectors.get("ShellId", "").upper())
        if shell is None or request.name != "Receive":
            return
        for output in (shell.output, *(command.output for command in shell.commands.values())):
            output.give_back(request.message_id)

    def _shell_quota(self) -> int:
        fault = self._faults.peek("shell_quota", "Create")
        return MAX_SHELLS_PER_USER if fault is None else int(fault.number(0))

    def _shell(self, request: WsmanRequest, account: str) -> Shell:
        shell_id = request.selectors.get("ShellId", "")
        shell = self._shells.get(shell_id.upper())
        if shell is not None and shell.closed:  # its process is gone
            del self._shells[shell_id.upper()]
            shell = None
        if shell is None:
            raise shell_not_found(shell_id)
        if shell.seat.account != account:
            raise access_denied()
        shell.touch()
        return shell

    async def _create(self, request: WsmanRequest, peer: Peer) -> str:
        body = request.body
        mine = sum(shell.seat.account == peer.account for shell in self._shells.values())
        limit = self._shell_quota()
        if mine >= limit:
            self._faults.take("shell_quota", "Create")
            raise too_many_shells(limit)
        idle_text = body.findtext(f"{{{RSP}}}IdleTimeOut") or ""
        idle = soap.duration(idle_text) if idle_text.startswith("P") else None
        seat = ShellSeat(
            host_id=self._host_id,
            shell_id=body.get("ShellId") or str(uuid.uuid4()).upper(),
            resource_uri=request.resource_uri,
            account=peer.account,
            client_address=peer.address,
            idle_seconds=DEFAULT_IDLE_SECONDS if not idle else min(idle, 2_147_483.0),
            loop=self._loop,
            runner=self._runner,
            name=body.findtext(f"{{{RSP}}}Name") or "",
            options=request.options,
            delegated=peer.delegated,
        )
        shell = self._make_shell(seat)
        if shell is None:
            raise unknown_resource(request.resource_uri)
        if seat.shell_id.upper() in self._shells:
            raise schema("ShellId")
        shell.open(_base64(body.findtext(f"{{{soap.PWSH}}}creationXml") or "", "creationXml"))
        self._shells[seat.shell_id.upper()] = shell
        return markup.created(shell)

    async def _command(self, request: WsmanRequest, peer: Peer) -> str:
        shell = self._shell(request, peer.account)
        command_id = request.body.get("CommandId") or str(uuid.uuid4()).upper()
        if len(shell.commands) >= MAX_COMMANDS_PER_SHELL:
            raise too_many_commands()
        if command_id.upper() in shell.commands:
            raise schema("CommandId")
        line = request.body.findtext(f"{{{RSP}}}Command") or ""
        arguments = tuple(found.text or "" for found in request.body.findall(f"{{{RSP}}}Arguments"))
        shell.start(command_id, line, arguments, request.options)
        return f"<rsp:CommandResponse>{soap.element('rsp:CommandId', command_id)}</rsp:CommandResponse>"

    async def _send(self, request: WsmanRequest, peer: Peer) -> str:
        shell = self._shell(request, peer.account)
        for stream in request.body.findall(f"{{{RSP}}}Stream"):
            command = self._named(shell, stream.get("CommandId"))
            data = _base64(stream.text or "", "Stream")
            if command is not None:
                command.received_bytes += len(data)
                if command.received_bytes > MAX_INPUT_BYTES:
                    raise schema("Stream")
            shell.send(command, stream.get("Name", ""), data, end=stream.get("End", "").lower() == "true")
        return "<rsp:SendResponse/>"

    async def _receive(self, request: WsmanRequest, peer: Peer) -> str:
        shell = self._shell(request, peer.account)
        desired = request.body.find(f"{{{RSP}}}DesiredStream")
        if desired is None:
            raise schema("DesiredStream")
        command = self._named(shell, desired.get("CommandId"))
        shell.pending += 1
        try:
            shell.reading(command)
            batch = await self._next_batch(shell, command, request)
        finally:
            shell.pending -= 1
            shell.touch()
        return markup.received(command, batch)

    async def _next_batch(self, shell: Shell, command: Command | None, request: WsmanRequest) -> Batch:
        output = shell.output if command is None else command.output
        room = min(max(request.max_envelope_size, 8192), _MAX_ANSWER) - _ENVELOPE_OVERHEAD
        deadline = time.monotonic() + request.timeout
        while True:
            if shell.closed:
                raise aborted()
            try:
                batch = output.take(request.message_id, room // 4 * 3)
            except LookupError:
                raise command_not_found() from None
            if batch is not None:
                return batch
            if not await output.wait(deadline - time.monotonic()):
                raise timed_out()

    async def _signal(self, request: WsmanRequest, peer: Peer) -> str:
        shell = self._shell(request, peer.account)
        code = (request.body.findtext(f"{{{RSP}}}Code") or "").strip()
        command = self._named(shell, request.body.get("CommandId"))
        if command is None or not code:
            raise schema("Code" if command else "CommandId")
        shell.signal(command, code)
        return "<rsp:SignalResponse/>"

    async def _delete(self, request: WsmanRequest, peer: Peer) -> str:
        shell = self._shell(request, peer.account)
        del self._shells[shell.seat.shell_id.upper()]
        shell.close()
        return ""

    async def _disconnect(self, request: WsmanRequest, peer: Peer) -> str:
        self._shell(request, peer.account).disconnect()
        return ""

    async def _reconnect(self, request: WsmanRequest, peer: Peer) -> str:
        self._shell(request, peer.account).reconnect()
        return ""

    async def _connect(self, request: WsmanRequest, peer: Peer) -> str:
        shell = self._shell(request, peer.account)
        if self._named(shell, request.body.get("CommandId")) is not None:
            return "<rsp:ConnectResponse/>"
        opening = request.body.findtext(f"{{{soap.PWSH}}}connectXml") or ""
        answer = shell.connect(_base64(opening, "connectXml"))
        return markup.connected(answer)

    async def _enumerate(self, request: WsmanRequest, peer: Peer) -> str:
        mine = [shell for shell in self._shells.values() if shell.seat.account == peer.account]
        if request.resource_uri == SHELL_RESOURCE:
            return markup.enumerated([markup.shell(shell) for shell in mine])
        if request.resource_uri == f"{SHELL_RESOURCE}/Command":
            wanted = _filtered_shell(request.body)
            items = [
                markup.command(command)
                for shell in mine
                if shell.seat.shell_id.upper() == wanted or not wanted
                for command in shell.commands.values()
            ]
            return markup.enumerated(items)
        raise unknown_resource(request.resource_uri)

    async def _get(self, request: WsmanRequest, peer: Peer) -> str:
        uri = request.resource_uri.rstrip("/")
        if uri == SHELL_RESOURCE:
            found = self._shells.get(request.selectors.get("ShellId", "").upper())
            if found is None or found.seat.account != peer.account:
                raise shell_not_listed()
            return markup.shell(found)
        part = uri.removeprefix(CONFIG_RESOURCE)
        if part == "/plugin" and "Name" in request.selectors:
            part += f"?Name={request.selectors['Name']}"
        config = markup.config(part, self._shell_quota(), MAX_COMMANDS_PER_SHELL, self._runner.limit)
        if not uri.startswith(CONFIG_RESOURCE) or config is None:
            raise unknown_resource(request.resource_uri)
        return config

    @staticmethod
    def _named(shell: Shell, command_id: str | None) -> Command | None:
        return shell.find(command_id) if command_id else None


def _base64(text: str, element: str) -> bytes:
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError) as error:
        raise schema(element) from error


def _filtered_shell(body: ET.Element) -> str:
    selector = body.find(f"{{{soap.W}}}Filter/{{{soap.W}}}SelectorSet/{{{soap.W}}}Selector")
    return "" if selector is None else (selector.text or "").upper()
