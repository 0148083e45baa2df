"""The interface between the protocol and what a provider offers; resource code implements it.

Values are decoded (``cty``'s docstring lists the forms): a state is a ``dict`` with every attribute of the
schema, null is ``None``, ``UNKNOWN`` may stand anywhere in a configuration or plan. The protocol's side takes
care of encoding, of capabilities, and of these traps, so that resources need not:

- write-only values are nulled in every planned and new state and in identities never appear;
- a state that goes with an error gets its unknown parts nulled;
- an exception becomes an error diagnostic without its text (log lines have it);
- a state of the present schema version is decoded before ``upgrade_state`` is called.

Methods run in threads, up to the size of the server's pool at once, and may be called before ``configure``
(``validate``, ``upgrade_state``, ``upgrade_identity``, ``move_state``).
"""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field

from terraform_provider_aetherv.cty.types import CtyType
from terraform_provider_aetherv.cty.values import Value
from terraform_provider_aetherv.plugin.messages import (
    ApplyRequest,
    ApplyResponse,
    ClientCapabilities,
    ConfigureRequest,
    Diagnostic,
    Diagnostics,
    Identity,
    ImportRequest,
    ImportResponse,
    MoveRequest,
    MoveResponse,
    PlanRequest,
    PlanResponse,
    ReadDataRequest,
    ReadDataResponse,
    ReadRequest,
    ReadResponse,
    Severity,
    State,
    UpgradeIdentityRequest,
    UpgradeIdentityResponse,
    UpgradeStateRequest,
    UpgradeStateResponse,
    ValidateRequest,
    error,
    has_errors,
    warning,
)
from terraform_provider_aetherv.schema.model import IdentitySchema, Schema

__all__ = [
    "ApplyRequest",
    "ApplyResponse",
    "ClientCapabilities",
    "ConfigureRequest",
    "DataSource",
    "Diagnostic",
    "Diagnostics",
    "Function",
    "FunctionError",
    "Identity",
    "ImportRequest",
    "ImportResponse",
    "MoveRequest",
    "MoveResponse",
    "Parameter",
    "PlanRequest",
    "PlanResponse",
    "Provider",
    "ReadDataRequest",
    "ReadDataResponse",
    "ReadRequest",
    "ReadResponse",
    "Resource",
    "Severity",
    "State",
    "UpgradeIdentityRequest",
    "UpgradeIdentityResponse",
    "UpgradeStateRequest",
    "UpgradeStateResponse",
    "ValidateRequest",
    "error",
    "has_errors",
    "warning",
]


class Resource(ABC):
    """One kind of managed object."""

    @property
    @abstractmethod
    def schema(self) -> Schema:
        """Its attributes."""

    @property
    def identity_schema(self) -> IdentitySchema | None:
        """Its identity; None for a resource without one."""
        return None

    @abstractmethod
    def validate(self, request: ValidateRequest) -> Diagnostics:
        """Judge a configuration alone. Unknown parts never fail."""

    @abstractmethod
    def plan(self, request: PlanRequest) -> PlanResponse:
        """Say what a change will lead to; changes nothing."""

    @abstractmethod
    def apply(self, request: ApplyRequest) -> ApplyResponse:
        """Make a planned change."""

    @abstractmethod
    def read(self, request: ReadRequest) -> ReadResponse:
        """Look at an object."""

    def upgrade_state(self, request: UpgradeStateRequest) -> UpgradeStateResponse:
        """Bring an object of the state file to the present schema; pure. Called for objects of that version too."""
        if request.state is not None:
            return UpgradeStateResponse(state=request.state)
        detail = (
            f"The state was written by schema version {request.version}, which this provider cannot read."
        )
        return UpgradeStateResponse(state=None, diagnostics=(error("Unable to upgrade state", detail),))

    def upgrade_identity(self, request: UpgradeIdentityRequest) -> UpgradeIdentityResponse:
        """Bring an identity of the state file to the present identity schema; pure."""
        if request.identity is not None:
            return UpgradeIdentityResponse(identity=request.identity)
        detail = (
            f"The identity was written by schema version {request.version}, which this provider cannot read."
        )
        return UpgradeIdentityResponse(
            identity=None, diagnostics=(error("Unable to upgrade identity", detail),)
        )

    def import_state(self, request: ImportRequest) -> ImportResponse:  # noqa: ARG002  # for those that override it
        """Find the object that a user names."""
        return ImportResponse(state=None, diagnostics=(error("This resource cannot be imported"),))

    def move_state(self, request: MoveRequest) -> MoveResponse:
        """Take over an object of another resource; pure, and called on a provider that was never configured."""
        detail = f"An object of {request.source_type} ({request.source_provider}) cannot become one of this resource."
        return MoveResponse(state=None, diagnostics=(error("Unable to move resource", detail),))


class DataSource(ABC):
    """One kind of thing that can be looked up."""

    @property
    @abstractmethod
    def schema(self) -> Schema:
        """Its attributes."""

    @abstractmethod
    def validate(self, request: ValidateRequest) -> Diagnostics:
        """Judge a configuration alone. Unknown parts never fail."""

    @abstractmethod
    def read(self, request: ReadDataRequest) -> ReadDataResponse:
        """Look it up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """One parameter of a function; ``description`` is in Markdown."""

    name: str
    type: CtyType
    description: str = ""
    allow_null: bool = False
    allow_unknown: bool = False


class FunctionError(Exception):
    """A function refuses an argument.

    Attributes:
        text: what is wrong.
        argument: position of the argument from 0; None for the call as a whole.
    """

    def __init__(self, text: str, argument: int | None = None) -> None:
        super().__init__(text)
        self.text = text
        self.argument = argument


class Function(ABC):
    """A pure function that configurations call."""

    parameters: tuple[Parameter, ...] = ()
    result: CtyType
    summary: str = ""
    description: str = ""

    @abstractmethod
    def call(self, arguments: tuple[Value, ...]) -> Value:
        """Compute the result.

        Raises:
            FunctionError: an argument is refused.
        """


@dataclass(kw_only=True)
class Provider(ABC):
    """Everything that one provider offers.

    Attributes:
        resources: by type name, such as ``aetherv_vm``.
        data_sources: by type name.
        functions: by name.
        stop_event: set when Terraform asks to stop, or is gone. Calls that run may end early, and are answered.
    """

    resources: Mapping[str, Resource] = field(default_factory=dict)
    data_sources: Mapping[str, DataSource] = field(default_factory=dict)
    functions: Mapping[str, Function] = field(default_factory=dict)
    stop_event: threading.Event = field(default_factory=threading.Event)

    @property
    @abstractmethod
    def schema(self) -> Schema:
        """The attributes of the provider block."""

    @abstractmethod
    def validate(self, request: ValidateRequest) -> Diagnostics:
        """Judge the provider block alone. Unknown parts never fail."""

    @abstractmethod
    def configure(self, request: ConfigureRequest) -> Diagnostics:
        """Take the provider block; called once before anything that needs it."""

    def close(self) -> None:  # noqa: B027  # most have nothing to close
        """Give connections back; called once at the end."""
