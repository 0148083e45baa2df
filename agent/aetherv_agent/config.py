"""The agent's configuration: a YAML file, overridden by ``AETHERV_AGENT_*`` variables, overridden by flags.

Every error is told at once, by the path of what is wrong and never with a value. Reads files and environment; opens
nothing else. No option takes a secret's value: secrets come from files, variables or systemd credentials.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import ValidationError, field_validator
from pydantic_settings import (
    BaseSettings,
    InitSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
)

from aetherv_agent import yaml_file
from aetherv_agent.config_sections import (
    FOLDER,
    CertificateConfig,
    FilePath,
    HostConfig,
    ListenerConfig,
    LogConfig,
    OperationsConfig,
    ProvisioningConfig,
    StoreConfig,
    TlsFiles,
    TokenConfig,
)
from aetherv_agent.core.errors import AethervError, Violation
from aetherv_agent.core.model import HostSettings

PREFIX = "AETHERV_AGENT_"


class AgentConfig(BaseSettings):
    """All of the configuration."""

    model_config = SettingsConfigDict(
        extra="forbid",
        frozen=True,
        hide_input_in_errors=True,
        validate_default=True,
        env_prefix=PREFIX,
        env_nested_delimiter="__",
        case_sensitive=False,
    )

    version: Literal[1]
    state_dir: FilePath
    listeners: tuple[ListenerConfig, ...] = (ListenerConfig(),)
    tokens: tuple[TokenConfig, ...] = ()
    certificates: tuple[CertificateConfig, ...] = ()
    tls: TlsFiles | None = None
    store: StoreConfig = StoreConfig()
    hosts: tuple[HostConfig, ...] = ()
    deploy_scripts: bool = False
    operations: OperationsConfig = OperationsConfig()
    provisioning: ProvisioningConfig = ProvisioningConfig()
    log: LogConfig = LogConfig()

    @field_validator("listeners")
    @classmethod
    def _some(cls, value: tuple[ListenerConfig, ...]) -> tuple[ListenerConfig, ...]:
        if not value:
            raise ValueError("an agent that listens nowhere can't be reached")
        return value

    @field_validator("hosts")
    @classmethod
    def _unique(cls, value: tuple[HostConfig, ...]) -> tuple[HostConfig, ...]:
        seen: set[str] = set()
        for host in value:
            if host.name.casefold() in seen:
                raise ValueError(f"two hosts are called {host.name}")
            seen.add(host.name.casefold())
        return value

    def deploying_hosts(self) -> frozenset[str]:
        """Return the hosts that get their scripts when they are first used; a host's own word stands above the common one."""
        return frozenset(
            host.name
            for host in self.hosts
            if (self.deploy_scripts if host.deploy_scripts is None else host.deploy_scripts)
        )

    def host_settings(self) -> dict[str, HostSettings]:
        """Return the hosts' settings by name."""
        return {host.name: host.settings() for host in self.hosts}


def load(
    path: Path, flags: Mapping[str, Any] | None = None, environ: Mapping[str, str] | None = None
) -> AgentConfig:
    """Read and judge the configuration.

    Args:
        path: the YAML file.
        flags: values that stand above everything, nested as in the file.
        environ: the environment; None: the process's. It must be the process's where the settings are really read.

    Raises:
        AethervError: CONFIG_INVALID with every error as a violation: the path of what is wrong, and why.
    """
    raw, problems = yaml_file.read(path)
    environment = os.environ if environ is None else environ
    if raw is None:
        raise _refusal(path, problems)

    settings = dict(raw)

    class Bound(AgentConfig):
        @classmethod
        def settings_customise_sources(
            cls,
            settings_cls: type[BaseSettings],
            init_settings: PydanticBaseSettingsSource,
            env_settings: PydanticBaseSettingsSource,
            dotenv_settings: PydanticBaseSettingsSource,
            file_secret_settings: PydanticBaseSettingsSource,
        ) -> tuple[PydanticBaseSettingsSource, ...]:
            del dotenv_settings, file_secret_settings
            return init_settings, env_settings, InitSettingsSource(settings_cls, init_kwargs=settings)

    token = FOLDER.set(path.absolute().parent)
    try:
        config = Bound(**dict(flags or {}))
    except ValidationError as error:
        problems += [Violation(_path(part["loc"]), _text(part)) for part in error.errors(include_input=False)]
        config = None
    except SettingsError as error:
        # Its text names the field and the source; the value stands in its cause alone.
        problems.append(Violation("environment", str(error)))
        config = None
    finally:
        FOLDER.reset(token)
    problems += _unknown_variables(raw, environment)
    if config is None or problems:
        raise _refusal(path, problems)
    return config


def _unknown_variables(raw: Mapping[str, Any], environ: Mapping[str, str]) -> list[Violation]:
    # From the file as it stands, so that another error does not make a password's variable look unknown.
    hosts = raw.get("hosts")
    named = {
        str(host.get("password_env"))
        for host in (hosts if isinstance(hosts, list) else ())
        if isinstance(host, dict)
    }
    known = set(AgentConfig.model_fields)
    return [
        Violation(name, "is no variable of this agent")
        for name in sorted(environ)
        if name.upper().startswith(PREFIX)
        and name not in named
        and name[len(PREFIX) :].lower().partition("__")[0] not in known
    ]


def _path(location: tuple[int | str, ...]) -> str:
    text = ""
    for part in location:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text or "configuration"


def _text(part: Mapping[str, Any]) -> str:
    message = str(part["msg"]).removeprefix("Value error, ")
    if part["type"] == "extra_forbidden":
        return "is no setting of this agent"
    if part["type"] == "missing":
        return "is needed"
    return message[:1].lower() + message[1:]


def _refusal(path: Path, problems: list[Violation]) -> AethervError:
    lines = "\n".join(f"  {problem.field}: {problem.message}" for problem in problems)
    return AethervError("CONFIG_INVALID", f"{path} can't be used:\n{lines}\n", violations=tuple(problems))
