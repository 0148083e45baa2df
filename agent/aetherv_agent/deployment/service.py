r"""Bringing the scripts to a host: into ``<version>.partial``, compared, then renamed to ``<version>``.

Nothing that exists is renamed or overwritten. A version's folder that is there and differs is refused, never mended: a
running job may be using it. Folders of other versions are not looked at.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Final

import structlog

from aetherv_agent.core.errors import AethervError
from aetherv_agent.core.model import HostSettings
from aetherv_agent.core.ports import CmdletPort, CmdletSession

from .bundle import Bundle
from .folder import NOT_FOUND, CmdletRefused, Comparison, HostFolders, joined, refusal

_DEADLINE_SECONDS: Final = 300.0
_TRIES: Final = 4
# Another agent's unfinished folder in which nothing changes for so long is that of one that died.
_STALE_SECONDS: Final = 20.0
_LOOK_SECONDS: Final = 2.0
# A virus scanner holds what is new for a moment.
_RENAME_PAUSES: Final = (0.5, 2.0, 5.0)

_LOG = structlog.stdlib.get_logger("aetherv.deployment")


@dataclass(frozen=True, slots=True)
class Deployed:
    """What a deployment did.

    Attributes:
        version: the scripts' version.
        path: their folder on the host.
        made: False: the very same files were there already.
    """

    version: str
    path: str
    made: bool


class ScriptDeployment:
    """Deploys this agent's scripts and compares what hosts have. Used in one event loop.

    Args:
        port: runs commands on hosts.
        hosts: the configuration's hosts.
        bundle: the scripts, or why there are none to deploy.
        accounts: what the agent logs in with, by host.
        sleep: waits for some seconds.
    """

    def __init__(
        self,
        port: CmdletPort,
        hosts: Mapping[str, HostSettings],
        bundle: Bundle | AethervError,
        accounts: Mapping[str, str] | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._port = port
        self._hosts = hosts
        self._bundle = bundle
        self._accounts = accounts or {}
        self._sleep = sleep
        self._flights: dict[str, asyncio.Task[Deployed]] = {}

    def folder(self, host: str) -> str:
        """Return the folder of this version's scripts on a host."""
        return joined(self._hosts[host].install_directory, f"scripts/{self._need().version}")

    async def deploy(self, host: str) -> Deployed:
        """Bring the scripts to a host; calls at the same time share one deployment, which no caller's end ends.

        Raises:
            AethervError: HOST_NOT_FOUND, HOST_*; DEPLOYMENT_DENIED, DEPLOYMENT_UNAVAILABLE, DEPLOYMENT_FAILED;
                SCRIPTS_MISMATCH when the version's folder is there and differs; SCRIPTS_BROKEN.
        """
        if host not in self._hosts:
            raise AethervError("HOST_NOT_FOUND", f"There is no host {host!r}.", metadata={"host": host})
        self._need()
        flight = self._flights.get(host)
        if flight is None:
            flight = self._flights[host] = asyncio.get_running_loop().create_task(self._fly(host))
            flight.add_done_callback(lambda done: self._landed(host, done))
        try:
            return await asyncio.shield(flight)
        except asyncio.CancelledError:
            if flight.cancelled():
                raise AethervError("AGENT_STOPPING", "The agent stops.") from None
            raise

    async def compare(self, host: str, session: CmdletSession | None = None) -> Comparison:
        """Compare a host's scripts of this version with the manifest.

        Args:
            host: the host's id.
            session: a session that is open already.

        Raises:
            AethervError: HOST_*; DEPLOYMENT_UNAVAILABLE when the host can't be asked this way; SCRIPTS_BROKEN.
        """
        wanted = self._need().hashes()
        try:
            if session is not None:
                return await HostFolders(host, session).compare(self.folder(host), wanted)
            async with self._port.cmdlets(host) as own:
                return await HostFolders(host, own).compare(self.folder(host), wanted)
        except CmdletRefused as refused:
            failure = refusal(host, self._accounts.get(host, ""), refused)
        raise failure

    def mismatch(self, host: str, comparison: Comparison) -> AethervError:
        """Return the error of a host whose scripts differ from their manifest."""
        if comparison.absent:
            return AethervError(
                "SCRIPTS_MISMATCH",
                f"Host {host} has no scripts in {self.folder(host)}.",
                metadata={"host": host},
                host_answered=True,
            )
        return AethervError(
            "SCRIPTS_MISMATCH",
            f"The scripts in {self.folder(host)} on host {host} differ from their manifest ({comparison})."
            " Nothing is overwritten: move that folder away first.",
            metadata={"host": host},
            host_answered=True,
        )

    async def aclose(self) -> None:
        """End deployments under way; who waits gets AGENT_STOPPING."""
        flights = list(self._flights.values())
        for flight in flights:
            flight.cancel()
        await asyncio.gather(*flights, return_exceptions=True)

    def _landed(self, host: str, flight: asyncio.Task[Deployed]) -> None:
        self._flights.pop(host, None)
        if not flight.cancelled():
            # Its callers may all be gone: then nobody asks for its error.
            flight.exception()

    def _need(self) -> Bundle:
        if isinstance(self._bundle, AethervError):
            raise AethervError(self._bundle.id, self._bundle.message)
        return self._bundle

    async def _fly(self, host: str) -> Deployed:
        try:
            async with asyncio.timeout(_DEADLINE_SECONDS) as limit, self._port.cmdlets(host) as session:
                made = await self._bring(host, HostFolders(host, session))
        except CmdletRefused as refused:
            failure = refusal(host, self._accounts.get(host, ""), refused)
        except TimeoutError:
            if not limit.expired():
                raise
            failure = AethervError(
                "DEPLOYMENT_FAILED",
                f"The scripts were not at host {host} within {_DEADLINE_SECONDS:g} s.",
                metadata={"host": host},
            )
        else:
            deployed = Deployed(self._need().version, self.folder(host), made)
            _LOG.info("scripts_deployed", host=host, path=deployed.path, made=made)
            return deployed
        raise failure

    async def _bring(self, host: str, folders: HostFolders) -> bool:
        final = self.folder(host)
        partial = f"{final}.partial"
        parent = final.rpartition("\\")[0]
        for attempt in range(_TRIES):
            if await folders.exists(final):
                await self._content_with(host, folders, final)
                return False
            await folders.make(parent, known=True)
            if not await folders.make(partial, known=False):
                await self._wait_for_other(folders, partial, final)
                continue
            try:
                if await self._fill(folders, partial, final):
                    await self._content_with(host, folders, final)
                    return True
            except Exception:
                # A start of ours that fails leaves nothing for the next one to wait for. (A cancelled one ends at once.)
                if not await self._cleared(folders, partial):
                    _LOG.warning("partial_left", host=host, path=partial)
                raise
            _LOG.info("deployment_again", host=host, attempt=attempt + 1)
        raise AethervError(
            "DEPLOYMENT_FAILED",
            f"The scripts on host {host} were made {_TRIES} times and something else changed {partial} each time.",
            metadata={"host": host},
        )

    async def _fill(self, folders: HostFolders, partial: str, final: str) -> bool:
        """Fill our folder and rename it; return False where another agent's hand was in it, or was faster."""
        bundle = self._need()
        try:
            await folders.write(partial, bundle)
            complete = (await folders.compare(partial, bundle.hashes())).equal
        except CmdletRefused as refused:
            # The other one's rename, or its taking away of what it held for dead, takes the folder from under us.
            gone = refused.failure.category == NOT_FOUND or not await folders.exists(partial)
            if not gone and not await folders.exists(final):
                raise
            return False
        if not complete:
            await self._cleared(folders, partial)
            return False
        return await self._renamed(folders, partial, final)

    async def _renamed(self, folders: HostFolders, partial: str, final: str) -> bool:
        for pause in (*_RENAME_PAUSES, None):
            try:
                await folders.rename(partial, final.rpartition("\\")[2])
            except CmdletRefused:
                if await folders.exists(final):
                    if await folders.exists(partial):
                        await self._cleared(folders, partial)
                    return False
                if pause is None or not await folders.exists(partial):
                    raise
                await self._sleep(pause)
            else:
                return True
        return False

    async def _wait_for_other(self, folders: HostFolders, partial: str, final: str) -> None:
        """Wait until the other one's folder is finished or gone; take away one in which nothing happens."""
        seen = await folders.look(partial)
        quiet = 0.0
        while quiet < _STALE_SECONDS:
            await self._sleep(_LOOK_SECONDS)
            if await folders.exists(final) or not await folders.exists(partial):
                return
            now = await folders.look(partial)
            quiet = quiet + _LOOK_SECONDS if now == seen else 0.0
            seen = now
        await self._cleared(folders, partial)

    async def _content_with(self, host: str, folders: HostFolders, final: str) -> None:
        comparison = await folders.compare(final, self._need().hashes())
        if not comparison.equal:
            raise self.mismatch(host, comparison)

    async def _cleared(self, folders: HostFolders, partial: str) -> bool:
        try:
            await folders.remove(partial)
        except (CmdletRefused, AethervError):
            return False
        return True
