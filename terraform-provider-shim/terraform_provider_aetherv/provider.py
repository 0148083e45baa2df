"""The provider block: its settings, their ``AETHERV_*`` variables, and the connection that they make."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from terraform_provider_aetherv.cty.types import BOOL, STRING
from terraform_provider_aetherv.cty.values import is_wholly_known
from terraform_provider_aetherv.plugin.messages import (
    ConfigureRequest,
    Diagnostics,
    State,
    ValidateRequest,
    error,
)
from terraform_provider_aetherv.plugin.provider import Provider
from terraform_provider_aetherv.resources.session import Session
from terraform_provider_aetherv.resources.vm.resource import VmResource
from terraform_provider_aetherv.schema.model import Attribute, Schema

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aetherv.settings import Settings

    from terraform_provider_aetherv.agent import Agent
    from terraform_provider_aetherv.plugin.provider import Resource

_ENVIRONMENT: Final = " Environment: `AETHERV_{}`."


def _setting(name: str, description: str, *, sensitive: bool = False) -> Attribute:
    return Attribute(
        name=name,
        type=STRING,
        optional=True,
        sensitive=sensitive,
        description=description + _ENVIRONMENT.format(name.upper()),
    )


SCHEMA: Final = Schema(
    attributes=(
        _setting("endpoint", "The agent: `host:port`, or `unix:/path`."),
        _setting(
            "token",
            "Token of the agent. In a sensitive variable it lies readable in a saved plan: use `AETHERV_TOKEN`, "
            "`token_file` or an `ephemeral` variable.",
            sensitive=True,
        ),
        _setting("token_file", "File with the token; nobody but its owner may read it."),
        _setting("ca_cert", "Certificate of the authority that signed the agent's, as PEM or a file's path."),
        _setting(
            "client_cert", "Client certificate, as PEM or a file's path, for an agent that takes those."
        ),
        _setting("client_key", "Key of the client certificate, as PEM or a file's path.", sensitive=True),
        Attribute(
            name="plaintext",
            type=BOOL,
            optional=True,
            description="No TLS: for loopback addresses and unix sockets only."
            + _ENVIRONMENT.format("PLAINTEXT"),
        ),
        _setting("request_timeout", "Time that one call to the agent may take, such as `60s` (default)."),
    ),
    description="Virtual machines on Hyper-V through an Aether-V agent. Every setting has an environment variable.",
)


@dataclass(kw_only=True)
class AethervProvider(Provider):
    """The provider ``aetherv``."""

    session: Session
    _settings: Settings | None = None
    _agents: list[Agent] = field(default_factory=list)

    @property
    def schema(self) -> Schema:
        """The attributes of the provider block."""
        return SCHEMA

    def validate(self, request: ValidateRequest) -> Diagnostics:
        """Judge the provider block alone."""
        config = request.config
        if config["token"] is not None and config["token_file"] is not None:
            return (
                error("token is given twice", "Set either token or token_file, not both.", ("token_file",)),
            )
        timeout = config["request_timeout"]
        if isinstance(timeout, str):
            from terraform_provider_aetherv.schema.validators import duration

            text = duration(timeout)
            if text is not None:
                return (error("Invalid request_timeout", f"request_timeout {text}.", ("request_timeout",)),)
        return ()

    def configure(self, request: ConfigureRequest) -> Diagnostics:
        """Take the provider block; nothing is sent before the first call that needs the agent."""
        config = request.config
        if not is_wholly_known(config):
            # Decided in apply: until then the agent's checks are left out.
            self.session.agent = None
            return ()
        from terraform_provider_aetherv.agent import SettingsError, open_agent

        try:
            settings = _resolve(config)
        except SettingsError as problem:
            return (
                error(
                    "The provider can't be configured",
                    f"{problem.setting} {problem.message}",
                    (problem.setting,),
                ),
            )
        if settings != self._settings or self.session.agent is None:
            # An agent of an earlier configuration may still be in use (debug mode): it is closed at the end.
            self.session.agent = open_agent(settings, self.stop_event)
            self._settings = settings
            self._agents.append(self.session.agent)
        return ()

    def close(self) -> None:
        """Give the connections back."""
        self.session.agent = None
        while self._agents:
            self._agents.pop().close()


def _resolve(config: State) -> Settings:
    from terraform_provider_aetherv.agent import resolve
    from terraform_provider_aetherv.schema.validators import seconds

    timeout = config["request_timeout"]
    return resolve(
        endpoint=config["endpoint"],
        token=config["token"],
        token_file=config["token_file"],
        ca_cert=config["ca_cert"],
        client_cert=config["client_cert"],
        client_key=config["client_key"],
        plaintext=config["plaintext"],
        request_timeout=None if timeout is None else seconds(timeout),
    )


def build() -> AethervProvider:
    """Make the provider of this process."""
    import threading

    stop_event = threading.Event()
    session = Session(stop_event)
    resources: Mapping[str, Resource] = {"aetherv_vm": VmResource(session)}
    return AethervProvider(resources=resources, stop_event=stop_event, session=session)
