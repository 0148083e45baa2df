"""Hosts whose scripts are looked at before they are used: equal to the manifest, or brought there if that is allowed.

Stands before the hosts as the other rooms see them. A host is compared once in this process; afterwards only what its
scripts say of themselves counts.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from collections.abc import Set as AbstractSet
from typing import Any

import structlog

from aetherv_agent.core.errors import AethervError
from aetherv_agent.core.model import Inventory
from aetherv_agent.core.ports import InventoryPort, JobCall, JobPort
from aetherv_agent.core.results import Record, ScriptResult

from .service import ScriptDeployment

_LOG = structlog.stdlib.get_logger("aetherv.deployment")
_MISMATCH = "SCRIPTS_MISMATCH"
# These say nothing of the scripts and will say it again: the host is then used as it is.
_NEVER_TOLD = {"DEPLOYMENT_UNAVAILABLE", "SCRIPTS_BROKEN"}


class ReadyHosts:
    """Implements ``core.ports.JobPort`` and ``InventoryPort`` on top of others that do.

    Args:
        jobs: runs jobs.
        inventories: reads inventories.
        deployment: brings and compares scripts.
        allowed: the hosts that get their scripts without being asked.
    """

    def __init__(
        self,
        jobs: JobPort,
        inventories: InventoryPort,
        deployment: ScriptDeployment,
        allowed: AbstractSet[str],
    ) -> None:
        self._jobs = jobs
        self._inventories = inventories
        self._deployment = deployment
        self._allowed = allowed
        self._looked: set[str] = set()
        self._looking: dict[str, asyncio.Lock] = {}
        self._tried: dict[str, AethervError | None] = {}

    async def run_job(
        self,
        host: str,
        call: JobCall,
        *,
        on_record: Callable[[Record], Awaitable[None]],
        shell: Mapping[str, Any] | None,
        save_shell: Callable[[Mapping[str, Any] | None], Awaitable[None]],
    ) -> ScriptResult:
        """Run a job; see ``JobPort.run_job``. One that runs already, or is taken back, is never refused for its scripts.

        Raises:
            AethervError: SCRIPTS_MISMATCH too, before anything was run.
        """
        if shell is None and not call.cancel:
            # A host that can't be asked would refuse the job alike; a wrong password is not tried twice.
            await self._look(host, reachable=False)
        try:
            return await self._jobs.run_job(
                host, call, on_record=on_record, shell=shell, save_shell=save_shell
            )
        except AethervError as error:
            # Without its script nothing has run: the same job may be started again.
            if not await self._brought(host, error):
                raise
        return await self._jobs.run_job(host, call, on_record=on_record, shell=None, save_shell=save_shell)

    async def read_inventory(self, host: str) -> Inventory:
        """Ask a host for all it has; see ``InventoryPort.read_inventory``."""
        try:
            found = await self._inventories.read_inventory(host)
        except AethervError as error:
            if not await self._brought(host, error):
                raise
            found = await self._inventories.read_inventory(host)
        # After the read: a host that can't be asked at all says so in its own words, and is asked once.
        await self._look(host, reachable=True)
        return found

    async def _look(self, host: str, *, reachable: bool) -> None:
        """Compare a host's scripts, if that was not done yet.

        Args:
            host: the host's id.
            reachable: whether it has just answered: then a host that can't be compared now is compared the next time.

        Raises:
            AethervError: SCRIPTS_MISMATCH; HOST_* where nobody knows yet whether it can be reached.
        """
        if host in self._looked:
            return
        async with self._looking.setdefault(host, asyncio.Lock()):
            if host not in self._looked:
                await self._compare(host, reachable=reachable)

    async def _compare(self, host: str, *, reachable: bool) -> None:
        try:
            comparison = await self._deployment.compare(host)
        except AethervError as error:
            if not reachable and error.id.startswith("HOST_"):
                raise
            if error.id in _NEVER_TOLD:
                self._looked.add(host)
            _LOG.info("scripts_not_compared", host=host, error=error.id)
            return
        if not comparison.equal:
            failure = self._deployment.mismatch(host, comparison)
            if not comparison.absent or not await self._brought(host, failure):
                raise failure
        self._looked.add(host)

    async def _brought(self, host: str, error: AethervError) -> bool:
        """Bring the scripts to a host that has none, once in this process; return whether they were brought.

        Raises:
            AethervError: SCRIPTS_MISMATCH with why they can't be brought; HOST_* where that may pass.
        """
        if error.id != _MISMATCH or not error.host_answered or host not in self._allowed:
            return False
        if host not in self._tried:
            try:
                await self._deployment.deploy(host)
            except AethervError as failure:
                if failure.transient:
                    raise
                self._tried[host] = failure
                _LOG.warning("scripts_not_deployed", host=host, error=failure.id, reason=failure.message)
            else:
                self._tried[host] = None
                self._looked.add(host)
        refused = self._tried[host]
        if refused is None:
            return True
        raise AethervError(
            _MISMATCH,
            f"{error.message} They were not brought there: {refused}",
            metadata={"host": host},
            host_answered=True,
        )
