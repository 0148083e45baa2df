"""The RPCs about managed resources: decode, ask the resource, keep the protocol's rules, encode."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from terraform_provider_aetherv.cty import (
    CtyError,
    ObjectOf,
    Path,
    Value,
    decode_json,
    encode,
    unknown_to_null,
)
from terraform_provider_aetherv.plugin import convert
from terraform_provider_aetherv.plugin.guard import RefusedError, guarded, internal_error, reading
from terraform_provider_aetherv.plugin.messages import (
    ApplyRequest,
    ApplyResponse,
    ClientCapabilities,
    Diagnostic,
    Diagnostics,
    ImportRequest,
    MoveRequest,
    PlanRequest,
    ReadRequest,
    State,
    UpgradeIdentityRequest,
    UpgradeStateRequest,
    ValidateRequest,
    error,
    has_errors,
)
from terraform_provider_aetherv.plugin.provider import Resource
from terraform_provider_aetherv.plugin.wire import tfplugin6_pb2 as pb
from terraform_provider_aetherv.plugin.write_only import has_write_only, null_write_only, write_only_paths
from terraform_provider_aetherv.schema.model import Schema

_Response = TypeVar("_Response")


@dataclass(frozen=True)
class _Kind:
    """A resource with what follows from its schema, computed once."""

    name: str
    resource: Resource
    schema: Schema
    type: ObjectOf
    identity_type: ObjectOf | None
    identity_version: int
    write_only: bool

    def stored(self, state: State | None) -> State | None:
        """Give a state as Terraform may store it: every state that leaves goes through here."""
        if state is None or not self.write_only:
            return state
        cleaned: State = null_write_only(state, self.schema.attributes)
        return cleaned

    def out(self, state: State | None) -> pb.DynamicValue:
        return convert.value_out(self.stored(state), self.type)


def _kind(name: str, resource: Resource) -> _Kind:
    schema, identity = resource.schema, resource.identity_schema
    return _Kind(
        name=name,
        resource=resource,
        schema=schema,
        type=schema.cty_type(),
        identity_type=None if identity is None else identity.cty_type(),
        identity_version=0 if identity is None else identity.version,
        write_only=has_write_only(schema.attributes),
    )


class ResourceRpcs:
    """Answers the RPCs about the resources of one provider. No method raises."""

    def __init__(self, resources: Mapping[str, Resource]) -> None:
        self._resources = resources
        self._kinds = functools.cache(self._lookup)

    def _lookup(self, name: str) -> _Kind:
        if name not in self._resources:
            raise RefusedError(error("Unknown resource", f"This provider has no resource {name!r}."))
        return _kind(name, self._resources[name])

    def _run(
        self,
        rpc: str,
        name: str,
        response: Callable[..., _Response],
        work: Callable[[_Kind], _Response],
    ) -> _Response:
        def refuse(diagnostic: Diagnostic) -> _Response:
            return response(diagnostics=convert.diagnostics_out([diagnostic]))

        return guarded(f"{rpc} of {name}", lambda: work(self._kinds(name)), refuse)

    def validate(self, request: pb.ValidateResourceConfig.Request) -> pb.ValidateResourceConfig.Response:
        """ValidateResourceConfig. Write-only attributes are refused here where Terraform would store them."""

        def work(kind: _Kind) -> pb.ValidateResourceConfig.Response:
            with reading():
                config = convert.object_in(request.config, kind.type)
            capabilities = convert.capabilities_in(request.client_capabilities)
            diagnostics = (
                *_write_only_refused(kind, config, capabilities),
                *kind.resource.validate(ValidateRequest(config=config, capabilities=capabilities)),
            )
            return pb.ValidateResourceConfig.Response(diagnostics=convert.diagnostics_out(diagnostics))

        return self._run("Validate", request.type_name, pb.ValidateResourceConfig.Response, work)

    def upgrade_state(self, request: pb.UpgradeResourceState.Request) -> pb.UpgradeResourceState.Response:
        """UpgradeResourceState: a state of the present version is decoded before the resource sees it."""

        def work(kind: _Kind) -> pb.UpgradeResourceState.Response:
            _refuse_newer(request.version, kind.schema.version)
            with reading():
                raw = convert.raw_in(request.raw_state)
                present = request.version == kind.schema.version
                state = decode_json(request.raw_state.json, kind.type, lenient=True) if present else None
            answer = kind.resource.upgrade_state(
                UpgradeStateRequest(version=request.version, state=state, raw=raw)
            )
            response = pb.UpgradeResourceState.Response(
                diagnostics=convert.diagnostics_out(answer.diagnostics)
            )
            if not has_errors(answer.diagnostics):
                response.upgraded_state.CopyFrom(kind.out(answer.state))
            return response

        return self._run("Upgrade", request.type_name, pb.UpgradeResourceState.Response, work)

    def upgrade_identity(
        self, request: pb.UpgradeResourceIdentity.Request
    ) -> pb.UpgradeResourceIdentity.Response:
        """UpgradeResourceIdentity."""

        def work(kind: _Kind) -> pb.UpgradeResourceIdentity.Response:
            if kind.identity_type is None:
                raise RefusedError(error("Resource without identity", f"{kind.name} has no identity schema."))
            _refuse_newer(request.version, kind.identity_version)
            with reading():
                raw = convert.raw_in(request.raw_identity)
                present = request.version == kind.identity_version
                identity = (
                    decode_json(request.raw_identity.json, kind.identity_type, lenient=True)
                    if present
                    else None
                )
            answer = kind.resource.upgrade_identity(
                UpgradeIdentityRequest(version=request.version, identity=identity, raw=raw)
            )
            return pb.UpgradeResourceIdentity.Response(
                upgraded_identity=convert.identity_out(answer.identity, kind.identity_type),
                diagnostics=convert.diagnostics_out(answer.diagnostics),
            )

        return self._run(
            "Upgrade of the identity", request.type_name, pb.UpgradeResourceIdentity.Response, work
        )

    def read(self, request: pb.ReadResource.Request) -> pb.ReadResource.Response:
        """ReadResource. After an error nothing is sent but diagnostics: a null state would remove the object."""

        def work(kind: _Kind) -> pb.ReadResource.Response:
            with reading():
                state = convert.object_in(request.current_state, kind.type)
                identity = convert.identity_in(request.current_identity, kind.identity_type)
            answer = kind.resource.read(
                ReadRequest(
                    state=state,
                    private=request.private,
                    identity=identity,
                    capabilities=convert.capabilities_in(request.client_capabilities),
                )
            )
            diagnostics = convert.diagnostics_out(answer.diagnostics)
            if has_errors(answer.diagnostics):
                return pb.ReadResource.Response(diagnostics=diagnostics)
            return pb.ReadResource.Response(
                new_state=kind.out(answer.state),
                private=answer.private,
                new_identity=convert.identity_out(
                    identity if answer.identity is None else answer.identity, kind.identity_type
                ),
                diagnostics=diagnostics,
            )

        return self._run("Read", request.type_name, pb.ReadResource.Response, work)

    def plan(self, request: pb.PlanResourceChange.Request) -> pb.PlanResourceChange.Response:
        """PlanResourceChange."""

        def work(kind: _Kind) -> pb.PlanResourceChange.Response:
            with reading():
                plan = PlanRequest(
                    prior=convert.state_in(request.prior_state, kind.type),
                    proposed=convert.state_in(request.proposed_new_state, kind.type),
                    config=convert.state_in(request.config, kind.type),
                    prior_private=request.prior_private,
                    planned_private=request.planned_private,
                    prior_identity=convert.identity_in(request.prior_identity, kind.identity_type),
                    capabilities=convert.capabilities_in(request.client_capabilities),
                )
            answer = kind.resource.plan(plan)
            diagnostics = convert.diagnostics_out(answer.diagnostics)
            if has_errors(answer.diagnostics):
                return pb.PlanResourceChange.Response(diagnostics=diagnostics)
            # The identity of what is replaced is not that of what is made.
            kept = None if plan.prior is None else plan.prior_identity
            return pb.PlanResourceChange.Response(
                planned_state=kind.out(answer.planned),
                requires_replace=[convert.path_out(path) for path in answer.requires_replace],
                planned_private=answer.private,
                planned_identity=convert.identity_out(
                    kept if answer.identity is None else answer.identity, kind.identity_type
                ),
                diagnostics=diagnostics,
            )

        return self._run("Plan", request.type_name, pb.PlanResourceChange.Response, work)

    def apply(self, request: pb.ApplyResourceChange.Request) -> pb.ApplyResourceChange.Response:
        """ApplyResourceChange. What exists is never lost, whatever went wrong on the way to the answer."""

        def work(kind: _Kind) -> pb.ApplyResourceChange.Response:
            with reading():
                planned_identity = convert.identity_in(request.planned_identity, kind.identity_type)
                change = ApplyRequest(
                    prior=convert.state_in(request.prior_state, kind.type),
                    planned=convert.state_in(request.planned_state, kind.type),
                    config=convert.state_in(request.config, kind.type),
                    planned_private=request.planned_private,
                    planned_identity=planned_identity,
                )
            answer = kind.resource.apply(change)
            identity = planned_identity if answer.identity is None else answer.identity
            return _applied(kind, answer, identity)

        return self._run("Apply", request.type_name, pb.ApplyResourceChange.Response, work)

    def import_state(self, request: pb.ImportResourceState.Request) -> pb.ImportResourceState.Response:
        """ImportResourceState."""

        def work(kind: _Kind) -> pb.ImportResourceState.Response:
            with reading():
                identity = convert.identity_in(request.identity, kind.identity_type)
            answer = kind.resource.import_state(
                ImportRequest(
                    id=request.id,
                    identity=identity,
                    capabilities=convert.capabilities_in(request.client_capabilities),
                )
            )
            response = pb.ImportResourceState.Response(
                diagnostics=convert.diagnostics_out(answer.diagnostics)
            )
            if not has_errors(answer.diagnostics):
                response.imported_resources.append(
                    pb.ImportResourceState.ImportedResource(
                        type_name=kind.name,
                        state=kind.out(answer.state),
                        private=answer.private,
                        identity=convert.identity_out(
                            identity if answer.identity is None else answer.identity, kind.identity_type
                        ),
                    )
                )
            return response

        return self._run("Import", request.type_name, pb.ImportResourceState.Response, work)

    def move_state(self, request: pb.MoveResourceState.Request) -> pb.MoveResourceState.Response:
        """MoveResourceState."""

        def work(kind: _Kind) -> pb.MoveResourceState.Response:
            with reading():
                source = convert.raw_in(request.source_state)
                identity = convert.raw_in(request.source_identity) if request.source_identity.json else None
            answer = kind.resource.move_state(
                MoveRequest(
                    source_provider=request.source_provider_address,
                    source_type=request.source_type_name,
                    source_version=request.source_schema_version,
                    source=source,
                    source_private=request.source_private,
                    source_identity=identity,
                    source_identity_version=request.source_identity_schema_version,
                )
            )
            diagnostics = convert.diagnostics_out(answer.diagnostics)
            if has_errors(answer.diagnostics):
                return pb.MoveResourceState.Response(diagnostics=diagnostics)
            return pb.MoveResourceState.Response(
                target_state=kind.out(answer.state),
                target_private=answer.private,
                target_identity=convert.identity_out(answer.identity, kind.identity_type),
                diagnostics=diagnostics,
            )

        return self._run("Move", request.target_type_name, pb.MoveResourceState.Response, work)


def _refuse_newer(version: int, present: int) -> None:
    if version > present:
        raise RefusedError(
            error(
                "State of a newer provider",
                f"The state was written by schema version {version}; this provider knows version {present}. "
                "Use the version of the provider that wrote it, or a later one.",
            )
        )


def _write_only_refused(kind: _Kind, config: State, capabilities: ClientCapabilities) -> Diagnostics:
    if capabilities.write_only_attributes_allowed or not kind.write_only:
        return ()
    paths: list[Path] = list(write_only_paths(config, kind.schema.attributes))
    detail = "This Terraform would store the value in its state. Write-only attributes need Terraform 1.11 or later."
    return tuple(error("Write-only attribute is not supported", detail, path) for path in paths)


def _applied(kind: _Kind, answer: ApplyResponse, identity: State | None) -> pb.ApplyResourceChange.Response:
    diagnostics = list(answer.diagnostics)
    if answer.state is None:
        # With an error and no state, Terraform keeps the prior state, private data and identity.
        return pb.ApplyResourceChange.Response(
            new_state=None if has_errors(diagnostics) else kind.out(None),
            private=answer.private,
            diagnostics=convert.diagnostics_out(diagnostics),
        )
    state: Value = unknown_to_null(answer.state) if has_errors(diagnostics) else answer.state
    try:
        new_state = kind.out(state)
        new_identity = convert.identity_out(identity, kind.identity_type)
    except Exception as problem:  # noqa: BLE001  # the object exists: what can be stored of it must be
        diagnostics.append(internal_error(f"The answer to Apply of {kind.name}", problem))
        new_state = kind.out(_salvaged(kind, state))
        new_identity = None
    return pb.ApplyResourceChange.Response(
        new_state=new_state,
        private=answer.private,
        new_identity=new_identity,
        diagnostics=convert.diagnostics_out(diagnostics),
    )


def _salvaged(kind: _Kind, state: Value) -> State:
    """Keep the attributes that fit the schema, without unknown parts; the rest is null."""
    values: Mapping[str, Value] = state if isinstance(state, Mapping) else {}
    result: State = {}
    for name, cty_type in kind.type.fields:
        value = unknown_to_null(values.get(name))
        try:
            encode(value, cty_type)
        except CtyError:
            value = None
        result[name] = value
    return result
