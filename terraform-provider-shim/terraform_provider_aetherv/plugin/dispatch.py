"""The servicer of ``tfplugin6.Provider``: every RPC, also of what this provider does not offer. None raises."""

# ruff: noqa: N802, ARG002  # the generated base class sets names and parameters

from __future__ import annotations

import functools
from collections.abc import Iterator

import grpc

from terraform_provider_aetherv.plugin import convert
from terraform_provider_aetherv.plugin.guard import RefusedError, guarded, internal_error, reading
from terraform_provider_aetherv.plugin.messages import (
    ConfigureRequest,
    Diagnostic,
    ReadDataRequest,
    ValidateRequest,
    error,
    has_errors,
)
from terraform_provider_aetherv.plugin.provider import DataSource, FunctionError, Provider
from terraform_provider_aetherv.plugin.resource_rpcs import ResourceRpcs
from terraform_provider_aetherv.plugin.schema_wire import function_out, identity_schema_out, schema_out
from terraform_provider_aetherv.plugin.wire import tfplugin6_pb2 as pb
from terraform_provider_aetherv.plugin.wire import tfplugin6_pb2_grpc

Context = grpc.ServicerContext


class ProviderServicer(tfplugin6_pb2_grpc.ProviderServicer):
    """Serves one provider.

    Args:
        provider: what to serve.
        reusable: the process outlives a run of Terraform (debug mode): a new configuration ends a stop.
    """

    def __init__(self, provider: Provider, *, reusable: bool = False) -> None:
        self._provider = provider
        self._reusable = reusable
        self._resources = ResourceRpcs(provider.resources)
        self._schema = functools.cache(self._build_schema)

    # What there is.

    def GetMetadata(self, request: pb.GetMetadata.Request, context: Context) -> pb.GetMetadata.Response:
        """Name what there is."""
        return pb.GetMetadata.Response(
            server_capabilities=_capabilities(),
            resources=[pb.GetMetadata.ResourceMetadata(type_name=name) for name in self._provider.resources],
            data_sources=[
                pb.GetMetadata.DataSourceMetadata(type_name=name) for name in self._provider.data_sources
            ],
            functions=[pb.GetMetadata.FunctionMetadata(name=name) for name in self._provider.functions],
        )

    def GetProviderSchema(
        self, request: pb.GetProviderSchema.Request, context: Context
    ) -> pb.GetProviderSchema.Response:
        """Give every schema."""

        def refuse(diagnostic: Diagnostic) -> pb.GetProviderSchema.Response:
            return pb.GetProviderSchema.Response(diagnostics=convert.diagnostics_out([diagnostic]))

        return guarded("GetProviderSchema", self._schema, refuse)

    def _build_schema(self) -> pb.GetProviderSchema.Response:
        provider = self._provider
        return pb.GetProviderSchema.Response(
            provider=schema_out(provider.schema),
            resource_schemas={name: schema_out(item.schema) for name, item in provider.resources.items()},
            data_source_schemas={
                name: schema_out(item.schema) for name, item in provider.data_sources.items()
            },
            functions={name: function_out(item) for name, item in provider.functions.items()},
            server_capabilities=_capabilities(),
        )

    def GetResourceIdentitySchemas(
        self, request: pb.GetResourceIdentitySchemas.Request, context: Context
    ) -> pb.GetResourceIdentitySchemas.Response:
        """Give the identity schemas of the resources that have one."""
        schemas = {name: item.identity_schema for name, item in self._provider.resources.items()}
        return pb.GetResourceIdentitySchemas.Response(
            identity_schemas={name: identity_schema_out(schema) for name, schema in schemas.items() if schema}
        )

    # The provider block.

    def ValidateProviderConfig(
        self, request: pb.ValidateProviderConfig.Request, context: Context
    ) -> pb.ValidateProviderConfig.Response:
        """Judge the provider block."""

        def refuse(*diagnostics: Diagnostic) -> pb.ValidateProviderConfig.Response:
            return pb.ValidateProviderConfig.Response(diagnostics=convert.diagnostics_out(diagnostics))

        def work() -> pb.ValidateProviderConfig.Response:
            with reading():
                config = convert.object_in(request.config, self._provider.schema.cty_type())
            return refuse(*self._provider.validate(ValidateRequest(config=config)))

        return guarded("Validation of the provider's configuration", work, refuse)

    def ConfigureProvider(
        self, request: pb.ConfigureProvider.Request, context: Context
    ) -> pb.ConfigureProvider.Response:
        """Take the provider block."""

        def refuse(*diagnostics: Diagnostic) -> pb.ConfigureProvider.Response:
            return pb.ConfigureProvider.Response(diagnostics=convert.diagnostics_out(diagnostics))

        def work() -> pb.ConfigureProvider.Response:
            with reading():
                config = convert.object_in(request.config, self._provider.schema.cty_type())
            if self._reusable:
                self._provider.stop_event.clear()
            answer = self._provider.configure(
                ConfigureRequest(
                    config=config,
                    terraform_version=request.terraform_version,
                    capabilities=convert.capabilities_in(request.client_capabilities),
                )
            )
            return refuse(*answer)

        return guarded("Configuration of the provider", work, refuse)

    def StopProvider(self, request: pb.StopProvider.Request, context: Context) -> pb.StopProvider.Response:
        """Ask what runs to end early; serve on, so that it can report."""
        self._provider.stop_event.set()
        return pb.StopProvider.Response()

    # Managed resources.

    def ValidateResourceConfig(
        self, request: pb.ValidateResourceConfig.Request, context: Context
    ) -> pb.ValidateResourceConfig.Response:
        """Judge a resource's configuration."""
        return self._resources.validate(request)

    def UpgradeResourceState(
        self, request: pb.UpgradeResourceState.Request, context: Context
    ) -> pb.UpgradeResourceState.Response:
        """Bring a stored object to the present schema."""
        return self._resources.upgrade_state(request)

    def UpgradeResourceIdentity(
        self, request: pb.UpgradeResourceIdentity.Request, context: Context
    ) -> pb.UpgradeResourceIdentity.Response:
        """Bring a stored identity to the present schema."""
        return self._resources.upgrade_identity(request)

    def ReadResource(self, request: pb.ReadResource.Request, context: Context) -> pb.ReadResource.Response:
        """Look at an object."""
        return self._resources.read(request)

    def PlanResourceChange(
        self, request: pb.PlanResourceChange.Request, context: Context
    ) -> pb.PlanResourceChange.Response:
        """Plan a change."""
        return self._resources.plan(request)

    def ApplyResourceChange(
        self, request: pb.ApplyResourceChange.Request, context: Context
    ) -> pb.ApplyResourceChange.Response:
        """Make a change."""
        return self._resources.apply(request)

    def ImportResourceState(
        self, request: pb.ImportResourceState.Request, context: Context
    ) -> pb.ImportResourceState.Response:
        """Take an object over."""
        return self._resources.import_state(request)

    def MoveResourceState(
        self, request: pb.MoveResourceState.Request, context: Context
    ) -> pb.MoveResourceState.Response:
        """Take an object of another resource over."""
        return self._resources.move_state(request)

    def GenerateResourceConfig(
        self, request: pb.GenerateResourceConfig.Request, context: Context
    ) -> pb.GenerateResourceConfig.Response:
        """Not offered, and not announced: Terraform generates configuration by itself."""
        return pb.GenerateResourceConfig.Response(diagnostics=_not_offered("generation of configuration"))

    # Data sources and functions.

    def ValidateDataResourceConfig(
        self, request: pb.ValidateDataResourceConfig.Request, context: Context
    ) -> pb.ValidateDataResourceConfig.Response:
        """Judge a data source's configuration."""

        def refuse(*diagnostics: Diagnostic) -> pb.ValidateDataResourceConfig.Response:
            return pb.ValidateDataResourceConfig.Response(diagnostics=convert.diagnostics_out(diagnostics))

        def work() -> pb.ValidateDataResourceConfig.Response:
            source = self._data_source(request.type_name)
            with reading():
                config = convert.object_in(request.config, source.schema.cty_type())
            return refuse(*source.validate(ValidateRequest(config=config)))

        return guarded(f"Validate of data source {request.type_name}", work, refuse)

    def ReadDataSource(
        self, request: pb.ReadDataSource.Request, context: Context
    ) -> pb.ReadDataSource.Response:
        """Look something up."""

        def refuse(diagnostic: Diagnostic) -> pb.ReadDataSource.Response:
            return pb.ReadDataSource.Response(diagnostics=convert.diagnostics_out([diagnostic]))

        def work() -> pb.ReadDataSource.Response:
            source = self._data_source(request.type_name)
            cty_type = source.schema.cty_type()
            with reading():
                config = convert.object_in(request.config, cty_type)
            capabilities = convert.capabilities_in(request.client_capabilities)
            answer = source.read(ReadDataRequest(config=config, capabilities=capabilities))
            failed = has_errors(answer.diagnostics)
            return pb.ReadDataSource.Response(
                state=None if failed else convert.value_out(answer.state, cty_type),
                diagnostics=convert.diagnostics_out(answer.diagnostics),
            )

        return guarded(f"Read of data source {request.type_name}", work, refuse)

    def _data_source(self, name: str) -> DataSource:
        source = self._provider.data_sources.get(name)
        if source is None:
            raise RefusedError(error("Unknown data source", f"This provider has no data source {name!r}."))
        return source

    def GetFunctions(self, request: pb.GetFunctions.Request, context: Context) -> pb.GetFunctions.Response:
        """Give the signatures of the functions."""
        functions = self._provider.functions
        return pb.GetFunctions.Response(
            functions={name: function_out(item) for name, item in functions.items()}
        )

    def CallFunction(self, request: pb.CallFunction.Request, context: Context) -> pb.CallFunction.Response:
        """Call a function."""

        def refuse(text: str, argument: int | None = None) -> pb.CallFunction.Response:
            return pb.CallFunction.Response(error=pb.FunctionError(text=text, function_argument=argument))

        function = self._provider.functions.get(request.name)
        if function is None:
            return refuse(f"This provider has no function {request.name!r}.")
        if len(request.arguments) != len(function.parameters):
            return refuse(
                f"{request.name} takes {len(function.parameters)} arguments, got {len(request.arguments)}."
            )
        try:
            with reading():
                pairs = zip(request.arguments, function.parameters, strict=True)
                arguments = tuple(convert.value_in(argument, parameter.type) for argument, parameter in pairs)
            return pb.CallFunction.Response(
                result=convert.value_out(function.call(arguments), function.result)
            )
        except FunctionError as problem:
            return refuse(problem.text, problem.argument)
        except RefusedError as refused:
            return refuse(refused.diagnostic.detail)
        except Exception as problem:  # noqa: BLE001  # a fault of a function is told, not raised
            return refuse(internal_error(f"Function {request.name}", problem).detail)

    # List resources and actions: not offered.

    def ValidateListResourceConfig(
        self, request: pb.ValidateListResourceConfig.Request, context: Context
    ) -> pb.ValidateListResourceConfig.Response:
        """Not offered."""
        return pb.ValidateListResourceConfig.Response(diagnostics=_not_offered("list resources"))

    def ListResource(
        self, request: pb.ListResource.Request, context: Context
    ) -> Iterator[pb.ListResource.Event]:
        """Not offered."""
        yield pb.ListResource.Event(diagnostic=_not_offered("list resources"))

    def ValidateActionConfig(
        self, request: pb.ValidateActionConfig.Request, context: Context
    ) -> pb.ValidateActionConfig.Response:
        """Not offered."""
        return pb.ValidateActionConfig.Response(diagnostics=_not_offered("actions"))

    def PlanAction(self, request: pb.PlanAction.Request, context: Context) -> pb.PlanAction.Response:
        """Not offered."""
        return pb.PlanAction.Response(diagnostics=_not_offered("actions"))

    def InvokeAction(
        self, request: pb.InvokeAction.Request, context: Context
    ) -> Iterator[pb.InvokeAction.Event]:
        """Not offered."""
        completed = pb.InvokeAction.Event.Completed(diagnostics=_not_offered("actions"))
        yield pb.InvokeAction.Event(completed=completed)


def _capabilities() -> pb.ServerCapabilities:
    return pb.ServerCapabilities(
        plan_destroy=True, get_provider_schema_optional=True, move_resource_state=True
    )


def _not_offered(what: str) -> list[pb.Diagnostic]:
    return convert.diagnostics_out([error("Not supported", f"This provider does not offer {what}.")])
