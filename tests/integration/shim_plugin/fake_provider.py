"""A provider of the tests: one resource whose objects are JSON files in a folder; run as a program.

What an object is called decides what goes wrong with it, see ``_Thing.apply``.
"""

from __future__ import annotations

import json
import os
import sys
import time
import uuid
from pathlib import Path

from terraform_provider_aetherv.address import ADDRESS
from terraform_provider_aetherv.cty import NUMBER, STRING, UNKNOWN, ListOf, MapOf
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
    Parameter,
    PlanRequest,
    PlanResponse,
    Provider,
    ReadDataRequest,
    ReadDataResponse,
    ReadRequest,
    ReadResponse,
    Resource,
    State,
    ValidateRequest,
    error,
    warning,
)
from terraform_provider_aetherv.plugin.serve import serve
from terraform_provider_aetherv.schema.model import (
    Attribute,
    IdentityAttribute,
    IdentitySchema,
    NestedObject,
    Nesting,
    Schema,
)

STORE = Path(os.environ["FAKE_STORE"])


def _note(text: str) -> None:
    with (STORE / "calls.log").open("a", encoding="utf-8") as file:
        file.write(text + "\n")


class _Thing(Resource):
    def __init__(self, provider: _Fake) -> None:
        self._provider = provider

    @property
    def schema(self) -> Schema:
        return Schema(
            description="A thing.",
            attributes=(
                Attribute(name="id", type=STRING, computed=True),
                Attribute(name="name", type=STRING, required=True, description="What it is called."),
                Attribute(name="size", type=NUMBER, optional=True),
                Attribute(name="colour", type=STRING, optional=True, computed=True, default="red"),
                Attribute(name="ports", type=ListOf(NUMBER), optional=True),
                Attribute(name="tags", type=MapOf(STRING), optional=True, sensitive=True),
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
                Attribute(
                    name="disks",
                    optional=True,
                    nested=NestedObject(
                        nesting=Nesting.LIST, attributes=(Attribute(name="gb", type=NUMBER, required=True),)
                    ),
                ),
            ),
        )

    @property
    def identity_schema(self) -> IdentitySchema:
        return IdentitySchema(
            attributes=(IdentityAttribute(name="id", type=STRING, required_for_import=True),)
        )

    def validate(self, request: ValidateRequest) -> Diagnostics:
        if request.config["name"] == "bad":
            return (error("Bad name", "A thing cannot be called so.", ("name",)),)
        return ()

    def plan(self, request: PlanRequest) -> PlanResponse:
        if request.proposed is None or request.config is None:
            return PlanResponse(planned=None, private=request.prior_private)
        if request.config["name"] == "plan-crash":
            raise RuntimeError("hunter2 must not be shown")
        planned = dict(request.proposed)
        if planned["colour"] is None:
            planned["colour"] = "red"
        replace: tuple[tuple[str], ...] = ()
        if request.prior is None:
            planned["id"] = UNKNOWN
        elif request.prior["name"] != planned["name"]:
            replace = (("name",),)
            planned["id"] = UNKNOWN
        # The write-only values are still in it: the protocol's side has to take them out.
        planned["secret_wo"] = request.config["secret_wo"]
        planned["login"] = request.config["login"]
        notes = (
            (warning("Made of paper", "It burns.", ("name",)),) if request.config["name"] == "warn" else ()
        )
        return PlanResponse(planned=planned, private=b"planned", requires_replace=replace, diagnostics=notes)

    def apply(self, request: ApplyRequest) -> ApplyResponse:
        if request.planned is None or request.config is None:
            assert request.prior is not None
            if request.prior["name"] == "undestroyable" and not (STORE / "allow").exists():
                return ApplyResponse(state=None, diagnostics=(error("Will not go"),))
            (STORE / f"{request.prior['id']}.json").unlink(missing_ok=True)
            return ApplyResponse(state=None)
        name = request.planned["name"]
        if name == "crash":
            raise RuntimeError("hunter2 must not be shown")
        if name == "fail-early":
            return ApplyResponse(
                state=None, diagnostics=(error("Cannot make it", "Nothing was made.", ("name",)),)
            )
        if name == "slow":
            _note("slow started")
            stopped = self._provider.stop_event.wait(60)
            return ApplyResponse(state=None, diagnostics=(error(f"Cancelled: {stopped}", "Nothing stands."),))
        state: State = dict(request.planned)
        if state["id"] is UNKNOWN:
            state["id"] = str(uuid.uuid4())
        _note(f"made {name} with {request.config['secret_wo']}")
        (STORE / f"{state['id']}.json").write_text(json.dumps(state, default=str), encoding="utf-8")
        identity = {"id": state["id"]}
        if name == "fail-late" and not (STORE / "allow").exists():
            state["colour"] = UNKNOWN
            return ApplyResponse(state=state, identity=identity, diagnostics=(error("Half made"),))
        return ApplyResponse(state=state, private=b"made", identity=identity)

    def read(self, request: ReadRequest) -> ReadResponse:
        file = STORE / f"{request.state['id']}.json"
        if not file.exists():
            return ReadResponse(state=None, private=request.private)
        return ReadResponse(
            state=request.state, private=request.private, identity={"id": request.state["id"]}
        )

    def import_state(self, request: ImportRequest) -> ImportResponse:
        identifier = request.id or (request.identity or {}).get("id")
        file = STORE / f"{identifier}.json"
        if not file.exists():
            return ImportResponse(
                state=None, diagnostics=(error("No such thing", f"There is no {identifier}."),)
            )
        return ImportResponse(state=json.loads(file.read_text(encoding="utf-8")), identity={"id": identifier})


class _Things(DataSource):
    @property
    def schema(self) -> Schema:
        return Schema(
            attributes=(
                Attribute(name="prefix", type=STRING, optional=True),
                Attribute(name="names", type=ListOf(STRING), computed=True),
            )
        )

    def validate(self, request: ValidateRequest) -> Diagnostics:
        return ()

    def read(self, request: ReadDataRequest) -> ReadDataResponse:
        names = sorted(json.loads(file.read_text())["name"] for file in STORE.glob("*.json"))
        return ReadDataResponse(state={**request.config, "names": names})


class _Shout(Function):
    parameters = (Parameter(name="text", type=STRING),)
    result = STRING
    summary = "Upper case."

    def call(self, arguments: tuple[object, ...]) -> str:
        text = str(arguments[0])
        if not text:
            raise FunctionError("nothing to shout", 0)
        return text.upper()


class _Fake(Provider):
    @property
    def schema(self) -> Schema:
        return Schema(
            attributes=(
                Attribute(name="endpoint", type=STRING, optional=True),
                Attribute(name="token", type=STRING, optional=True, sensitive=True),
            )
        )

    def validate(self, request: ValidateRequest) -> Diagnostics:
        return ()

    def configure(self, request: ConfigureRequest) -> Diagnostics:
        _note(f"configured by {request.terraform_version} with {request.config['endpoint']!r}")
        if request.config["endpoint"] == "bad":
            return (error("Bad endpoint", path=("endpoint",)),)
        return ()


def build() -> Provider:
    """Make the provider, or fail in the way that the test asks for."""
    _note(f"started {os.getpid()}")
    if os.environ.get("FAKE_BROKEN"):
        raise ImportError("no module", name="missing_part")
    time.sleep(float(os.environ.get("FAKE_SLOW_BUILD", "0")))
    provider = _Fake()
    provider.resources = {"aetherv_thing": _Thing(provider)}
    provider.data_sources = {"aetherv_things": _Things()}
    provider.functions = {"shout": _Shout()}
    return provider


if __name__ == "__main__":
    serve(build, address=ADDRESS, argv=sys.argv[1:])
