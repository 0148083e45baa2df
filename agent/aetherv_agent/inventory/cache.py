"""Inventories of all hosts: at most one call at a time for each host, shared by everyone who waits.

Reads through ``core.ports.InventoryPort`` alone. Nothing is kept but the newest answer of each host.
"""

from __future__ import annotations

import asyncio
import copy
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

import structlog

from aetherv_agent.core.errors import AethervError
from aetherv_agent.core.model import Inventory, Vm
from aetherv_agent.core.ports import InventoryPort

from . import selection
from .selection import Answer

DEFAULT_MAX_AGE: Final = 5.0
_LOG = structlog.stdlib.get_logger("aetherv.inventory")


@dataclass(slots=True)
class _Flight:
    """One call of one host. ``began`` is None until the host is really asked."""

    generation: int
    began: float | None = None
    answer: Answer | None = None
    landed: asyncio.Event = field(default_factory=asyncio.Event)


@dataclass(slots=True)
class _Host:
    generation: int = 0
    last: Inventory | None = None
    last_flight: _Flight | None = None
    flight: _Flight | None = None


class InventoryCache:
    """The inventories of the configured hosts. Used in one event loop.

    Args:
        port: asks a host.
        hosts: the ids of the configured hosts.
        clock: seconds that only rise.
        max_age: how old an answer may be where the caller says nothing, in seconds.
        calls: how many hosts are asked at once.
    """

    def __init__(
        self,
        port: InventoryPort,
        hosts: Iterable[str],
        clock: Callable[[], float] = time.monotonic,
        max_age: float = DEFAULT_MAX_AGE,
        calls: int = 32,
    ) -> None:
        self._port = port
        self._clock = clock
        self._max_age = max_age
        self._hosts = {host: _Host() for host in hosts}
        self._room = asyncio.Semaphore(calls)
        self._tasks: set[asyncio.Task[None]] = set()

    async def get(self, host: str, max_age: float | None = None) -> Inventory:
        """Return a host's inventory.

        An answer is as old as the moment at which its host was asked. Who needs a fresher one than the call under
        way can give waits for the next, together with all others who do.

        Args:
            host: a configured host's id.
            max_age: how old it may be, in seconds; 0: asked from now on; None: the default.

        Raises:
            AethervError: HOST_NOT_FOUND; HOST_* or the host's typed answer, the same for all who waited for it, and
                asked anew by the next.
        """
        known = self._known(host)
        generation = known.generation
        oldest = self._clock() - (self._max_age if max_age is None else max_age)

        def serves(flight: _Flight) -> bool:
            return flight.generation >= generation and (flight.began is None or flight.began >= oldest)

        if known.last is not None and known.last_flight is not None and serves(known.last_flight):
            return known.last
        while True:
            flight = known.flight or self._take_off(host, known)
            # Who waits may go; the call goes on for the others, and its answer is kept.
            await flight.landed.wait()
            if flight.answer is None:
                raise AethervError("AGENT_STOPPING", "The agent stops.")
            if not serves(flight):
                continue
            if isinstance(flight.answer, AethervError):
                # A copy: each waiter's traceback is its own.
                raise copy.copy(flight.answer)
            return flight.answer

    def last(self, host: str) -> Inventory | None:
        """Return the newest inventory of a host that is at hand, however old, without asking; None if there is none."""
        known = self._hosts.get(host)
        return known.last if known else None

    def invalidate(self, host: str) -> None:
        """Let the next reader ask the host: what is at hand, or under way, is from before a change."""
        known = self._hosts.get(host)
        if known is not None:
            known.generation += 1

    async def find_vm(
        self,
        vm_id: str,
        *,
        host_hint: str = "",
        max_age: float | None = 0.0,
        hosts: Sequence[str] | None = None,
    ) -> Vm:
        """Return a VM by its GUID.

        Args:
            vm_id: the GUID, in any case.
            host_hint: the host that is asked first. "Every host that could have it" is then that host and its
                cluster; without a hint all hosts. A hint at no host that may be asked: others may find the VM, but
                its absence is never sure.
            max_age: as for ``get``.
            hosts: the hosts that may be asked; None: all.

        Raises:
            AethervError: VM_NOT_FOUND only if every host that could have it answered, else HOST_UNREACHABLE;
                VM_ID_AMBIGUOUS where several hosts have it.
        """
        usable = tuple(host for host in self._hosts if hosts is None or host in hosts)
        answers: dict[str, Answer] = {}
        asked: Iterable[str] = usable
        if host_hint in usable:
            answers = await self._ask((host_hint,), max_age)
            found = selection.only_one(answers, vm_id)
            if found is not None:
                return found
            asked = selection.peers(host_hint, answers[host_hint], usable, self.last)
        others = await self._ask(asked, max_age)
        found = selection.only_one(others, vm_id)
        if found is not None:
            return found
        if host_hint and host_hint not in usable:
            raise selection.elsewhere(host_hint, vm_id)
        raise selection.not_there(answers | others, vm_id)

    async def aclose(self) -> None:
        """Let go of calls under way; who waits gets AGENT_STOPPING."""
        tasks = set(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _ask(self, hosts: Iterable[str], max_age: float | None) -> dict[str, Answer]:
        """Return each host's inventory or error."""
        names = tuple(hosts)
        answers = await asyncio.gather(*(self._answer(name, max_age) for name in names))
        return dict(zip(names, answers, strict=True))

    async def _answer(self, host: str, max_age: float | None) -> Answer:
        try:
            return await self.get(host, max_age)
        except AethervError as error:
            return error

    def _known(self, host: str) -> _Host:
        known = self._hosts.get(host)
        if known is None:
            raise AethervError("HOST_NOT_FOUND", f"There is no host {host!r}.", metadata={"host": host})
        return known

    def _take_off(self, host: str, known: _Host) -> _Flight:
        flight = known.flight = _Flight(known.generation)
        task = asyncio.get_running_loop().create_task(self._fly(host, known, flight))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return flight

    async def _fly(self, host: str, known: _Host, flight: _Flight) -> None:
        try:
            async with self._room:
                flight.generation = known.generation
                flight.began = self._clock()
                try:
                    flight.answer = await self._port.read_inventory(host)
                except AethervError as error:
                    flight.answer = error
                except Exception:  # noqa: BLE001  # a fault of ours must not leave the waiters without an answer
                    _LOG.exception("inventory_failed", host=host)
                    flight.answer = AethervError("INTERNAL_ERROR", f"Reading host {host} failed.")
            if isinstance(flight.answer, Inventory):
                known.last, known.last_flight = flight.answer, flight
        finally:
            known.flight = None
            flight.landed.set()
