"""A provider of unit tests: a bit of everything, and a resource that answers what the test says."""

# ruff: noqa: D102, D101  # small stand-ins

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, cast

import grpc
from terraform_provider_aetherv.cty import NUMBER, STRING, ObjectOf, decode, encode
from terraform_provider_aetherv.plugin.provider import (
    ApplyRequest,
    ApplyResponse,
    ConfigureRequest,
    DataSource,
    Diagnostics,
    Function,
    FunctionError,
    ImportRequest,
    ImportResponse,
    MoveRequest,
    MoveResponse,
    Parameter,
    PlanRequest,
    PlanResponse,
    Provider,
    ReadDataRequest,
    ReadDataResponse,
    ReadRequest,
    ReadResponse,
    Resource,
    UpgradeStateRequest,
    UpgradeStateResponse,
    ValidateRequest,
    error,
    warning,
)
from terraform_provider_aetherv.plugin.wire import tfplugin6_pb2 as pb
from terraform_provider_aetherv.schema.model import (
    Attribute,
    IdentityAttribute,
    IdentitySchema,
    NestedObject,
    Schema,
)

SCHEMA = Schema(
    version=2,
    attributes=(
        Attribute(name="id", type=STRING, computed=True),
        Attribute(name="size", type=NUMBER, optional=True),
        Attribute(name="secret_wo", type=STRING, optional=True, write_only=True),
        Attribute(
            name="login",
            optional=True,
            nested=NestedObject(
                attributes=(
                    Attribute(name="user", type=STRING, required=True),
                    Attribute(name="password_wo", type=STRING, optional=True, write_only=True),
                )
            ),
        ),
    ),
)
TYPE = SCHEMA.cty_type()
IDENTITY = ObjectOf.of({"id": STRING})
FULL = {"id": "1", "size": 2, "secret_wo": "hunter2", "login": {"user": "root", "password_wo": "hunter3"}}
STORED = {"id": "1", "size": 2, "secret_wo": None, "login": {"user": "root", "password_wo": None}}
BOOM = RuntimeError("hunter2 must not be shown")
Answer = Callable[[Any], Any]


@dataclass
class Thing(Resource):
    """Answers what a test puts into ``answers``, by RPC; remembers requests."""

    answers: dict[str, Answer] = field(default_factory=dict)
    asked: list[Any] = field(default_factory=list)

    @property
    def schema(self) -> Schema:
        return SCHEMA

    @property
    def identity_schema(self) -> IdentitySchema | None:
        return IdentitySchema(
            version=1, attributes=(IdentityAttribute(name="id", type=STRING, required_for_import=True),)
        )

    def _answer(self, rpc: str, request: Any) -> Any:
        self.asked.append(request)
        return self.answers[rpc](request)

    def validate(self, request: ValidateRequest) -> Diagnostics:
        return cast("Diagnostics", self._answer("validate", request))

    def plan(self, request: PlanRequest) -> PlanResponse:
        return cast("PlanResponse", self._answer("plan", request))

    def apply(self, request: ApplyRequest) -> ApplyResponse:
        return cast("ApplyResponse", self._answer("apply", request))

    def read(self, request: ReadRequest) -> ReadResponse:
        return cast("ReadResponse", self._answer("read", request))

    def import_state(self, request: ImportRequest) -> ImportResponse:
        return cast("ImportResponse", self._answer("import", request))

    def move_state(self, request: MoveRequest) -> MoveResponse:
        return cast("MoveResponse", self._answer("move", request))

    def upgrade_state(self, request: UpgradeStateRequest) -> UpgradeStateResponse:
        self.asked.append(request)
        return super().upgrade_state(request)


class Bare(Resource):
    """Overrides nothing that has a default."""

    @property
    def schema(self) -> Schema:
        return Schema(attributes=(Attribute(name="id", type=STRING, computed=True),))

    def validate(self, request: ValidateRequest) -> Diagnostics:
        return ()

    def plan(self, request: PlanRequest) -> PlanResponse:
        return PlanResponse(planned=request.proposed)

    def apply(self, request: ApplyRequest) -> ApplyResponse:
        return ApplyResponse(state=request.planned)

    def read(self, request: ReadRequest) -> ReadResponse:
        return ReadResponse(state=request.state, private=request.private)


class Lookup(DataSource):
    @property
    def schema(self) -> Schema:
        return Schema(attributes=(Attribute(name="name", type=STRING, required=True),))

    def validate(self, request: ValidateRequest) -> Diagnostics:
        return (error("No", path=("name",)),) if request.config["name"] == "bad" else ()

    def read(self, request: ReadDataRequest) -> ReadDataResponse:
        if request.config["name"] == "crash":
            raise BOOM
        if request.config["name"] == "none":
            return ReadDataResponse(state=None, diagnostics=(error("None"),))
        return ReadDataResponse(state=request.config)


class Twice(Function):
    parameters = (Parameter(name="number", type=NUMBER, description="any"),)
    result = NUMBER

    def call(self, arguments: tuple[Any, ...]) -> Any:
        if arguments[0] == 0:
            raise FunctionError("not zero", 0)
        if arguments[0] == 13:
            raise BOOM
        return arguments[0] * 2


class Fake(Provider):
    @property
    def schema(self) -> Schema:
        return Schema(attributes=(Attribute(name="endpoint", type=STRING, optional=True),))

    def validate(self, request: ValidateRequest) -> Diagnostics:
        return (warning("Old"),) if request.config["endpoint"] == "old" else ()

    def configure(self, request: ConfigureRequest) -> Diagnostics:
        if request.config["endpoint"] == "crash":
            raise BOOM
        return ()


CONTEXT = cast("grpc.ServicerContext", None)  # no method may need it


def value(data: Any, cty_type: Any = TYPE) -> pb.DynamicValue:
    """Encode a value, by default of the resource."""
    return pb.DynamicValue(msgpack=encode(data, cty_type))


def read(data: pb.DynamicValue, cty_type: Any = TYPE) -> Any:
    """Decode a value, by default of the resource."""
    return decode(data.msgpack, cty_type)


def identity(identifier: str) -> pb.ResourceIdentityData:
    """Encode an identity."""
    return pb.ResourceIdentityData(identity_data=value({"id": identifier}, IDENTITY))


def plan_request(**changes: Any) -> pb.PlanResourceChange.Request:
    """Make the request of an update, with other fields."""
    fields: dict[str, Any] = {
        "type_name": "thing",
        "prior_state": value(STORED),
        "proposed_new_state": value(FULL),
        "config": value(FULL),
    }
    return pb.PlanResourceChange.Request(**{**fields, **changes})


def apply_request(**changes: Any) -> pb.ApplyResourceChange.Request:
    """Make the request of a create, with other fields."""
    fields: dict[str, Any] = {
        "type_name": "thing",
        "prior_state": value(None),
        "planned_state": value(STORED),
        "config": value(FULL),
    }
    return pb.ApplyResourceChange.Request(**{**fields, **changes})
