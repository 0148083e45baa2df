"""The composition root: builds every room of the agent from its configuration, runs it, and stops it.

Nothing else builds rooms. ``wire`` is apart from ``serve`` so that tests can put other hosts in.
"""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from importlib import metadata
from typing import Protocol

import structlog

from aetherv_agent import addresses, config_check, secret_files
from aetherv_agent.api.permissions import Principal, Role
from aetherv_agent.api.renewal import Renewal, from_files
from aetherv_agent.api.server import Api, Listener, Rooms
from aetherv_agent.api.tls import OwnAuthority, ServerCertificate, machine_names
from aetherv_agent.api.tokens import (
    FILE_PRINCIPAL,
    KnownToken,
    by_certificate,
    by_token,
    digest_of,
    ensure_token,
)
from aetherv_agent.config import AgentConfig, HostConfig
from aetherv_agent.core.errors import AethervError
from aetherv_agent.core.ports import InventoryPort, JobPort
from aetherv_agent.inventory import InventoryCache
from aetherv_agent.logs import SECRETS
from aetherv_agent.operations.engine import Engine
from aetherv_agent.operations.model import Limits
from aetherv_agent.provisioning.create import CreateHandler
from aetherv_agent.provisioning.delete import DeleteHandler
from aetherv_agent.provisioning.requests import ProvisioningSettings
from aetherv_agent.provisioning.service import VmProvisioning
from aetherv_agent.store import Database, OperationStore, open_sqlite
from aetherv_agent.winrm import WinRmHost, WinRmHosts, WinRmSettings

_LOG = structlog.stdlib.get_logger("aetherv.agent")
_CLOSE_SECONDS = 5.0


class HostsPort(JobPort, InventoryPort, Protocol):
    """The hosts, as ``winrm.WinRmHosts`` gives them."""

    async def aclose(self) -> None:
        """Let go of every host."""
        ...


@dataclass(frozen=True, slots=True)
class Identity:
    """What callers need to know of this agent to reach it; None where a listener does not need it."""

    certificate: ServerCertificate
    renewal: Renewal
    ca_file: str
    token_file: str
    token_digest: bytes


@dataclass(frozen=True, slots=True)
class Agent:
    """A built agent, not started."""

    config: AgentConfig
    database: Database
    hosts: HostsPort
    inventories: InventoryCache
    engine: Engine
    api: Api
    identity: Identity


def agent_version() -> str:
    """Return the version of this distribution."""
    try:
        return metadata.version("aetherv")
    except metadata.PackageNotFoundError:
        return "0"


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
        await agent.hosts.aclose()
        await agent.database.close()
    _LOG.info("stopped")


def wire(config: AgentConfig, hosts: HostsPort) -> Agent:
    """Build the agent. Blocks for files alone: the database, certificates, the token.

    Raises:
        AethervError: why it can't be built.
    """
    settings = config.host_settings()
    times = ProvisioningSettings(
        wait_ready=config.provisioning.wait_ready,
        wait_applied=config.provisioning.wait_applied,
        settle_seconds=config.provisioning.settle_seconds,
        verify_timeout=config.provisioning.verify_timeout,
        default_timeout=config.operations.default_timeout,
        inventory_max_age=config.provisioning.inventory_max_age,
    )
    identity = _identity(config)
    database = open_sqlite(
        config.state_dir / "operations.sqlite3"
        if not config.store.url
        else config.state_dir / config.store.url.removeprefix("sqlite:///")
    )
    inventories = InventoryCache(hosts, settings, max_age=times.inventory_max_age)
    engine = Engine(
        OperationStore(database),
        {
            "create": CreateHandler(hosts, settings, times, inventories.invalidate),
            "delete": DeleteHandler(hosts, settings, times, inventories.invalidate),
        },
        Limits(
            slots={"jobs": config.operations.jobs, "changes": config.operations.changes},
            queue=config.operations.queue_limit,
            undo_timeout=config.operations.undo_timeout,
            queue_timeout=config.operations.queue_timeout,
            retention=config.operations.retention,
        ),
    )
    rooms = Rooms(
        provisioning=VmProvisioning(engine, inventories, settings, times),
        reads=inventories,
        operations=engine,
        hosts=settings,
        max_age=config.provisioning.inventory_max_age,
    )
    api = Api(rooms, _listeners(config, identity), agent_version())
    return Agent(config, database, hosts, inventories, engine, api, identity)


def winrm_hosts(config: AgentConfig) -> WinRmHosts:
    """Return the configuration's hosts, reached by WinRM."""
    return WinRmHosts(
        {
            host.name: WinRmHost(
                WinRmSettings(
                    host=host.name,
                    address=host.address,
                    username=host.username,
                    password=_password(host),
                    https=host.https,
                    port=host.port,
                    auth=host.auth,
                    delegate=host.delegate,
                    ca_cert=host.ca_cert,
                    max_job_shells=host.limits.jobs or config.operations.jobs,
                    max_change_shells=host.limits.changes or config.operations.changes,
                    max_read_shells=host.limits.reads,
                ),
                host.settings(),
            )
            for host in config.hosts
        }
    )


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


def _identity(config: AgentConfig) -> Identity:
    authority = OwnAuthority(
        config.state_dir / "tls",
        machine_names(addresses.host_of(listener.address) for listener in config.listeners),
    )
    ca_file = str(authority.ca_file)
    load = authority.ensure
    if config.tls is not None:
        load = partial(from_files, config.tls.cert, config.tls.key)
        ca_file = ""
    certificate = ServerCertificate(load())
    token_file = config.state_dir / "token"
    token = SECRETS.keep(ensure_token(token_file))
    return Identity(certificate, Renewal(certificate, load), ca_file, str(token_file), digest_of(token))


def _listeners(config: AgentConfig, identity: Identity) -> list[Listener]:
    known = [KnownToken(identity.token_digest, Principal(FILE_PRINCIPAL, Role.ADMIN))]
    known += [
        KnownToken(
            bytes.fromhex(token.sha256),
            Principal(token.principal, Role(token.role), token.hosts),
            token.expires,
        )
        for token in config.tokens
    ]
    by_name: Mapping[str, tuple[Role, frozenset[str] | None]] = {
        entry.name: (Role(entry.role), entry.hosts) for entry in config.certificates
    }
    return [
        Listener(
            listener.address,
            by_certificate(by_name) if listener.auth == "mtls" else by_token(known),
            identity.certificate.credentials(listener.client_ca.read_bytes() if listener.client_ca else None)
            if listener.tls
            else None,
        )
        for listener in config.listeners
    ]


def _password(host: HostConfig) -> Callable[[], str]:
    variable = host.password_env
    path = None if variable else config_check.password_path(host)

    def read() -> str:
        # Asked for each connection, so that a changed file is seen.
        if path is not None:
            return SECRETS.keep(secret_files.read(path))
        return SECRETS.keep(os.environ.get(variable, "")) if variable else ""

    with suppress(AethervError):
        read()
    return read


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
