"""The composition root: builds every room of the agent from its configuration, and nothing else does.

``serving`` runs what is built here.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from importlib import metadata
from typing import Protocol

import structlog

from aetherv_agent import addresses, config_check, contracts, secret_files
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
from aetherv_agent.config import AgentConfig
from aetherv_agent.config_sections import HostConfig
from aetherv_agent.core.errors import AethervError
from aetherv_agent.core.ports import CmdletPort, InventoryPort, JobPort
from aetherv_agent.deployment import Bundle, HostChecks, Needs, ReadyHosts, ScriptDeployment, read_bundle
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


class HostsPort(JobPort, InventoryPort, CmdletPort, Protocol):
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
    deployment: ScriptDeployment
    engine: Engine
    api: Api
    identity: Identity


def agent_version() -> str:
    """Return the version of this distribution."""
    try:
        return metadata.version("aetherv")
    except metadata.PackageNotFoundError:
        return "0"


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
    deployment = ScriptDeployment(hosts, settings, _bundle(), {h.name: h.username for h in config.hosts})
    ready = ReadyHosts(hosts, hosts, deployment, config.deploying_hosts())
    inventories = InventoryCache(ready, settings, max_age=times.inventory_max_age)
    engine = Engine(
        OperationStore(database),
        {
            "create": CreateHandler(ready, settings, times, inventories),
            "delete": DeleteHandler(ready, settings, times, inventories.invalidate),
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
        deployment=deployment,
        checks=HostChecks(hosts, hosts, deployment, settings, _needs(config)),
    )
    api = Api(rooms, _listeners(config, identity), agent_version())
    return Agent(config, database, hosts, inventories, deployment, engine, api, identity)


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


def _bundle() -> Bundle | AethervError:
    try:
        return read_bundle(contracts.host_scripts_folder())
    except AethervError as error:
        # No reason not to start: hosts that have their scripts work.
        _LOG.warning("scripts_broken", reason=error.message)
        return error


def _needs(config: AgentConfig) -> dict[str, Needs]:
    cancels = 3
    return {
        host.name: Needs(
            host.username,
            (host.limits.jobs or config.operations.jobs)
            + (host.limits.changes or config.operations.changes)
            + cancels
            + host.limits.reads,
        )
        for host in config.hosts
    }


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
