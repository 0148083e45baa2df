"""What passes between the protocol and a provider's resources: frozen data, no behaviour.

``provider.py`` says who takes and gives what. Requests and responses have no repr, since they hold secrets, and no
equality: generating both for twenty classes would triple the cost of importing them, at each of a run's dozen starts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

from terraform_provider_aetherv.cty.path import Path
from terraform_provider_aetherv.cty.values import Value

State = dict[str, Value]
Identity = dict[str, Value]


class Severity(Enum):
    """What a diagnostic does: an error ends the run, a warning is shown."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One message to the user of Terraform.

    Attributes:
        severity: error or warning.
        summary: one line, without a full stop, such as "Unable to create VM".
        detail: sentences that say what happened, what stands and what to do.
        path: the attribute at fault; empty for the object as a whole.
    """

    severity: Severity
    summary: str
    detail: str = ""
    path: Path = ()


Diagnostics = tuple[Diagnostic, ...]


def error(summary: str, detail: str = "", path: Path = ()) -> Diagnostic:
    """Make an error diagnostic."""
    return Diagnostic(Severity.ERROR, summary, detail, path)


def warning(summary: str, detail: str = "", path: Path = ()) -> Diagnostic:
    """Make a warning diagnostic."""
    return Diagnostic(Severity.WARNING, summary, detail, path)


def has_errors(diagnostics: Sequence[Diagnostic]) -> bool:
    """Tell whether a diagnostic among these is an error."""
    return any(diagnostic.severity is Severity.ERROR for diagnostic in diagnostics)


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientCapabilities:
    """What the calling Terraform can do.

    Attributes:
        deferral_allowed: true in every apply and false in plan. Nothing is ever deferred, but it tells the two apart.
        write_only_attributes_allowed: false below Terraform 1.11.
        store_planned_private: plan's private data come back in the second plan call (1.16).
    """

    deferral_allowed: bool = False
    write_only_attributes_allowed: bool = False
    store_planned_private: bool = False


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class ConfigureRequest:
    """The provider block.

    Attributes:
        config: its attributes; any may be ``UNKNOWN`` in a plan.
        terraform_version: such as ``1.11.4``.
        capabilities: of the calling Terraform.
    """

    config: State
    terraform_version: str
    capabilities: ClientCapabilities


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class ValidateRequest:
    """The configuration of one resource, data source or of the provider, unknown parts included.

    Attributes:
        config: the attributes as configured, null where they are not.
        capabilities: of the calling Terraform; all false where Terraform does not say (data source, provider).
    """

    config: State
    capabilities: ClientCapabilities = ClientCapabilities()


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class UpgradeStateRequest:
    """An object of the state file, maybe written by an older version.

    Attributes:
        version: the schema version that wrote it; never above the present one.
        state: the object by the present schema, if ``version`` is the present one, with absent attributes null and
            those that the schema has lost ignored. None for an older version.
        raw: the object as it stands in the file, numbers as ``int`` or ``Decimal``.
    """

    version: int
    state: State | None
    raw: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class UpgradeStateResponse:
    """The object by the present schema; ``state`` is ignored if a diagnostic is an error."""

    state: State | None
    diagnostics: Diagnostics = ()


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class UpgradeIdentityRequest:
    """An identity of the state file.

    Attributes:
        version: the identity schema's version that wrote it; never above the present one.
        identity: decoded, if ``version`` is the present one.
        raw: as it stands in the file.
    """

    version: int
    identity: Identity | None
    raw: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class UpgradeIdentityResponse:
    """The identity by the present schema."""

    identity: Identity | None
    diagnostics: Diagnostics = ()


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class ReadRequest:
    """An object to be looked at.

    Attributes:
        state: as last known.
        private: what the provider stored beside it.
        identity: as last known; None if there is none yet.
        capabilities: of the calling Terraform.
    """

    state: State
    private: bytes
    identity: Identity | None
    capabilities: ClientCapabilities


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class ReadResponse:
    """An object as found.

    Attributes:
        state: as found; None if it is *definitely* gone. Ignored if a diagnostic is an error.
        private: what to store beside it; pass the request's on to keep it.
        identity: the same as ever; None is sent as the request's.
        diagnostics: an error leaves the state as it was.
    """

    state: State | None
    private: bytes
    identity: Identity | None = None
    diagnostics: Diagnostics = ()


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class PlanRequest:
    """A change to be planned; called in plan, and again in apply in a new process.

    Attributes:
        prior: the object as it is; None for a create (also that of a replace or of a tainted object).
        proposed: the configuration over the prior state; None for a destroy.
        config: the configuration; None for a destroy.
        prior_private: what is stored beside the prior state; in a replace's create the destroy leg's planned one.
        planned_private: what the first plan call answered (Terraform 1.16 and later), else empty.
        prior_identity: None if there is none.
        capabilities: of the calling Terraform.
    """

    prior: State | None
    proposed: State | None
    config: State | None
    prior_private: bytes
    planned_private: bytes
    prior_identity: Identity | None
    capabilities: ClientCapabilities


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class PlanResponse:
    """A planned change.

    Attributes:
        planned: the object as it will be, ``UNKNOWN`` where that is decided in apply; None for a destroy. Ignored if a
            diagnostic is an error.
        requires_replace: attributes whose change needs a new object.
        private: handed to apply.
        identity: known or None, never with an unknown part; None is sent as the prior one, except for a create.
        diagnostics: an error ends the plan.
    """

    planned: State | None
    private: bytes = b""
    requires_replace: tuple[Path, ...] = ()
    identity: Identity | None = None
    diagnostics: Diagnostics = ()


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class ApplyRequest:
    """A planned change to be made.

    Attributes:
        prior: None for a create.
        planned: what plan answered, references now resolved; None for a destroy.
        config: with write-only values; None for a destroy.
        planned_private: what plan answered.
        planned_identity: what plan answered.
    """

    prior: State | None
    planned: State | None
    config: State | None
    planned_private: bytes
    planned_identity: Identity | None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class ApplyResponse:
    """What came of a change.

    Attributes:
        state: the object after it; None after a destroy. With an error: for a create the part that exists (tainted,
            not leaked) or None if nothing does; for an update or destroy None lets the prior state stand.
        private: what to store beside it.
        identity: known; None is sent as the planned one.
        diagnostics: an error says that the change is not, or not wholly, made.
    """

    state: State | None
    private: bytes = b""
    identity: Identity | None = None
    diagnostics: Diagnostics = ()


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class ImportRequest:
    """An object to be taken over.

    Attributes:
        id: what the user gave; empty if ``identity`` is given.
        identity: None if ``id`` is given.
        capabilities: of the calling Terraform.
    """

    id: str
    identity: Identity | None
    capabilities: ClientCapabilities


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class ImportResponse:
    """The object that was found; Terraform reads it next. ``state`` is None only with an error."""

    state: State | None
    private: bytes = b""
    identity: Identity | None = None
    diagnostics: Diagnostics = ()


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class MoveRequest:
    """An object of another resource, maybe of another provider, to be taken over by a ``moved`` block.

    Attributes:
        source_provider: its provider's address.
        source_type: its resource's name.
        source_version: its schema version.
        source: its attributes as they stand in the state file.
        source_private: its private data; another provider's are opaque.
        source_identity: its identity as it stands in the file; None if there is none.
        source_identity_version: the version of that identity's schema.
    """

    source_provider: str
    source_type: str
    source_version: int
    source: Mapping[str, Any]
    source_private: bytes
    source_identity: Mapping[str, Any] | None = None
    source_identity_version: int = 0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class MoveResponse:
    """The object by this resource's schema. ``state`` is None only with an error."""

    state: State | None
    private: bytes = b""
    identity: Identity | None = None
    diagnostics: Diagnostics = ()


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class ReadDataRequest:
    """The configuration of a data source, wholly known."""

    config: State
    capabilities: ClientCapabilities = ClientCapabilities()


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class ReadDataResponse:
    """What a data source found; ``state`` is ignored if a diagnostic is an error."""

    state: State | None
    diagnostics: Diagnostics = ()
