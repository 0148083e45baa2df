"""Running the agent: start, where it can be reached, and the stop that operations need (design: operations)."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable
from contextlib import suppress

import structlog

from aetherv_agent import config_check
from aetherv_agent.app import Agent, HostsPort, agent_version, winrm_hosts, wire
from aetherv_agent.config import AgentConfig
from aetherv_agent.core.errors import AethervError

_LOG = structlog.stdlib.get_logger("aetherv.agent")
_CLOSE_SECONDS = 5.0


async def serve(
    config: AgentConfig,
    announce: Callable[[str], None],
    make_hosts: Callable[[AgentConfig], HostsPort] | None = None,
) -> None:
    """Build the agent, serve until SIGTERM or SIGINT, and stop as operations need it.

    Args:
        config: from ``config.load``.
        announce: is told, line by line, where the agent listens and where its files are; never a secret.
        make_hosts: how hosts are reached; None: by WinRM.

    Raises:
        AethervError: why it can't start.
    """
    config_check.check(config)
    _make_state_dir(config)
    signalled = _Signals()
    agent = wire(config, (make_hosts or winrm_hosts)(config))
    renewal = asyncio.create_task(agent.identity.renewal.run())
    try:
        with signalled:
            await agent.engine.start()
            bound = await agent.api.start()
            for line in _announcement(agent, bound):
                announce(line)
            _LOG.info("serving", addresses=list(bound), hosts=len(config.hosts), version=agent_version())
            await signalled.first.wait()
            await _drain(agent, signalled)
    finally:
        renewal.cancel()
        with suppress(asyncio.CancelledError):
            await renewal
        await agent.engine.stop(0.0)
        await agent.api.stop(0.0)
        await agent.inventories.aclose()
        await agent.deployment.aclose()
        await agent.hosts.aclose()
        await agent.database.close()
    _LOG.info("stopped")


class _Signals:
    """SIGTERM and SIGINT: the first one asks for the stop, the second one for haste."""

    def __init__(self) -> None:
        self.first = asyncio.Event()
        self.second = asyncio.Event()

    def __enter__(self) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._seen)

    def __exit__(self, *_: object) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(number)

    def _seen(self) -> None:
        (self.second if self.first.is_set() else self.first).set()

    async def pause(self, seconds: float) -> None:
        """Wait, or until haste is asked for."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self.second.wait(), seconds)


async def _drain(agent: Agent, signalled: _Signals) -> None:
    limits = agent.config.operations
    _LOG.info("stopping", notice=limits.shutdown_notice, grace=limits.shutdown_grace)
    await agent.api.not_serving()
    # Whoever balances load by health has this long to look elsewhere.
    await signalled.pause(limits.shutdown_notice)
    agent.api.lifecycle.stop()
    grace = 0.0 if signalled.second.is_set() else limits.shutdown_grace
    stopping = asyncio.create_task(agent.engine.stop(grace))
    haste = asyncio.create_task(signalled.second.wait())
    await asyncio.wait({stopping, haste}, return_when=asyncio.FIRST_COMPLETED)
    haste.cancel()
    if not stopping.done():
        stopping.cancel()
        await asyncio.wait({stopping})
    await agent.api.stop(min(grace, _CLOSE_SECONDS))


def _make_state_dir(config: AgentConfig) -> None:
    try:
        config.state_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise AethervError(
            "CONFIG_INVALID", f"state_dir {config.state_dir} can't be made: {error.strerror}."
        ) from None


def _announcement(agent: Agent, bound: tuple[str, ...]) -> list[str]:
    listeners = zip(agent.config.listeners, bound, strict=True)
    lines = [
        f"aetherv agent {agent_version()} listens on {address} ({'TLS' if listener.tls else 'plaintext'}, {listener.auth})"
        for listener, address in listeners
    ]
    if agent.identity.ca_file and any(listener.tls for listener in agent.config.listeners):
        lines.append(f"CA certificate: {agent.identity.ca_file}")
    if any(listener.auth == "token" for listener in agent.config.listeners):
        lines.append(f"token file: {agent.identity.token_file}")
    return lines
