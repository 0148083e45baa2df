"""The servicer between the wire and a provider, called without a network."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.shim_fakes import (
    BOOM,
    CONTEXT,
    FULL,
    IDENTITY,
    STORED,
    Answer,
    Fake,
    Lookup,
    Thing,
    apply_request,
    plan_request,
    read,
    value,
)
from terraform_provider_aetherv.cty import NUMBER, STRING, UNKNOWN, ObjectOf
from terraform_provider_aetherv.plugin.dispatch import ProviderServicer
from terraform_provider_aetherv.plugin.provider import (
    error,
)
from terraform_provider_aetherv.plugin.wire import tfplugin6_pb2 as pb


def _boom(_: Any) -> Any:
    raise BOOM


CALLS: dict[str, Callable[[ProviderServicer, pb.DynamicValue], Any]] = {
    "validate": lambda s, v: s.ValidateResourceConfig(
        pb.ValidateResourceConfig.Request(type_name="thing", config=v), CONTEXT
    ),
    "plan": lambda s, v: s.PlanResourceChange(plan_request(prior_state=v, config=v), CONTEXT),
    "apply": lambda s, v: s.ApplyResourceChange(apply_request(planned_state=v), CONTEXT),
    "read": lambda s, v: s.ReadResource(pb.ReadResource.Request(type_name="thing", current_state=v), CONTEXT),
    "import": lambda s, v: s.ImportResourceState(
        pb.ImportResourceState.Request(type_name="thing", identity=pb.ResourceIdentityData(identity_data=v)),
        CONTEXT,
    ),
    "move": lambda s, v: s.MoveResourceState(
        pb.MoveResourceState.Request(target_type_name="thing", source_state=pb.RawState(json=v.msgpack)),
        CONTEXT,
    ),
    "upgrade": lambda s, v: s.UpgradeResourceState(
        pb.UpgradeResourceState.Request(type_name="thing", version=2, raw_state=pb.RawState(json=v.msgpack)),
        CONTEXT,
    ),
    "upgrade identity": lambda s, v: s.UpgradeResourceIdentity(
        pb.UpgradeResourceIdentity.Request(
            type_name="thing", version=1, raw_identity=pb.RawState(json=v.msgpack)
        ),
        CONTEXT,
    ),
    "data": lambda s, v: s.ReadDataSource(pb.ReadDataSource.Request(type_name="lookup", config=v), CONTEXT),
    "validate data": lambda s, v: s.ValidateDataResourceConfig(
        pb.ValidateDataResourceConfig.Request(type_name="lookup", config=v), CONTEXT
    ),
    "configure": lambda s, v: s.ConfigureProvider(pb.ConfigureProvider.Request(config=v), CONTEXT),
    "validate provider": lambda s, v: s.ValidateProviderConfig(
        pb.ValidateProviderConfig.Request(config=v), CONTEXT
    ),
}


@pytest.mark.parametrize("rpc", CALLS)
def test_malformed_value_is_a_diagnostic(rpc: str, servicer: ProviderServicer, thing: Thing) -> None:
    """A value that does not decode is answered with an error that never quotes it."""
    thing.answers = dict.fromkeys(("validate", "plan", "apply", "read", "import", "move"), _boom)
    answer = CALLS[rpc](servicer, pb.DynamicValue(msgpack=b"\xa7hunter2"))
    assert [item.severity for item in answer.diagnostics] == [pb.Diagnostic.ERROR]
    assert answer.diagnostics[0].summary == "Malformed value"
    assert "hunter2" not in str(answer)


@given(data=st.binary(max_size=40), rpc=st.sampled_from(sorted(CALLS)))
def test_any_bytes_are_answered(data: bytes, rpc: str) -> None:
    """Arbitrary bytes as a value never raise, whatever the RPC."""
    boom: dict[str, Answer] = dict.fromkeys(("validate", "plan", "apply", "read", "import", "move"), _boom)
    servicer = ProviderServicer(Fake(resources={"thing": Thing(boom)}, data_sources={"lookup": Lookup()}))
    answer = CALLS[rpc](servicer, pb.DynamicValue(msgpack=data))
    assert all(item.summary for item in answer.diagnostics)


@pytest.mark.parametrize("rpc", ["validate", "plan", "apply", "read", "import"])
def test_exception_is_a_diagnostic(
    rpc: str, servicer: ProviderServicer, thing: Thing, caplog: pytest.LogCaptureFixture
) -> None:
    """What a resource raises becomes one error without its text, and is logged with its place."""
    thing.answers = dict.fromkeys((rpc,), _boom)
    config = value(FULL) if rpc != "import" else value({"id": "1"}, IDENTITY)
    with caplog.at_level(logging.ERROR):
        answer = CALLS[rpc](servicer, config)
    assert [item.summary for item in answer.diagnostics] == ["Fault in the provider"]
    assert "of thing failed with RuntimeError" in answer.diagnostics[0].detail
    assert "hunter2" not in str(answer)
    assert caplog.records[-1].exc_info


def test_unknown_names_are_diagnostics(servicer: ProviderServicer) -> None:
    """A resource, data source or function that is not there is an error."""
    plan = servicer.PlanResourceChange(plan_request(type_name="nothing"), CONTEXT)
    assert "no resource 'nothing'" in plan.diagnostics[0].detail
    read = servicer.ReadDataSource(pb.ReadDataSource.Request(type_name="nothing"), CONTEXT)
    assert "no data source 'nothing'" in read.diagnostics[0].detail
    call = servicer.CallFunction(pb.CallFunction.Request(name="nothing"), CONTEXT)
    assert "no function 'nothing'" in call.error.text


def test_schema_and_metadata(servicer: ProviderServicer) -> None:
    """Everything that there is is announced, with the capabilities; nothing else is."""
    metadata = servicer.GetMetadata(pb.GetMetadata.Request(), CONTEXT)
    assert [item.type_name for item in metadata.resources] == ["thing", "bare"]
    assert [item.type_name for item in metadata.data_sources] == ["lookup"]
    assert [item.name for item in metadata.functions] == ["twice"]
    schema = servicer.GetProviderSchema(pb.GetProviderSchema.Request(), CONTEXT)
    assert set(schema.resource_schemas) == {"thing", "bare"}
    assert schema.resource_schemas["thing"].version == 2
    assert not schema.diagnostics
    for capabilities in (metadata.server_capabilities, schema.server_capabilities):
        assert capabilities.plan_destroy
        assert capabilities.get_provider_schema_optional
        assert capabilities.move_resource_state
        assert not capabilities.generate_resource_config
    identities = servicer.GetResourceIdentitySchemas(pb.GetResourceIdentitySchemas.Request(), CONTEXT)
    assert set(identities.identity_schemas) == {"thing"}
    assert set(servicer.GetFunctions(pb.GetFunctions.Request(), CONTEXT).functions) == {"twice"}


def test_provider_block(servicer: ProviderServicer) -> None:
    """The provider's own diagnostics, and its exceptions, reach the user."""
    block = ObjectOf.of({"endpoint": STRING})
    validate = pb.ValidateProviderConfig.Request(config=value({"endpoint": "old"}, block))
    assert servicer.ValidateProviderConfig(validate, CONTEXT).diagnostics[0].summary == "Old"
    configure = pb.ConfigureProvider.Request(config=value({"endpoint": "crash"}, block))
    assert servicer.ConfigureProvider(configure, CONTEXT).diagnostics[0].summary == "Fault in the provider"
    fine = pb.ConfigureProvider.Request(config=value({"endpoint": UNKNOWN}, block))
    assert not servicer.ConfigureProvider(fine, CONTEXT).diagnostics


@pytest.mark.parametrize(("reusable", "stopped"), [(False, True), (True, False)])
def test_stop_is_an_event(provider: Fake, reusable: bool, stopped: bool) -> None:
    """StopProvider sets the event; only a process that outlives the run forgets it with the next configuration."""
    servicer = ProviderServicer(provider, reusable=reusable)
    assert servicer.StopProvider(pb.StopProvider.Request(), CONTEXT).Error == ""
    assert provider.stop_event.is_set()
    config = value({"endpoint": None}, ObjectOf.of({"endpoint": STRING}))
    servicer.ConfigureProvider(pb.ConfigureProvider.Request(config=config), CONTEXT)
    assert provider.stop_event.is_set() is stopped


def test_data_source(servicer: ProviderServicer) -> None:
    """A data source answers its state; an error, or an exception, answers none."""
    block = ObjectOf.of({"name": STRING})
    states = {}
    for name in ("x", "none", "crash"):
        request = pb.ReadDataSource.Request(type_name="lookup", config=value({"name": name}, block))
        states[name] = servicer.ReadDataSource(request, CONTEXT)
    assert read(states["x"].state, block) == {"name": "x"}
    assert not states["none"].HasField("state")
    assert states["crash"].diagnostics[0].summary == "Fault in the provider"
    bad = pb.ValidateDataResourceConfig.Request(type_name="lookup", config=value({"name": "bad"}, block))
    assert (
        servicer.ValidateDataResourceConfig(bad, CONTEXT).diagnostics[0].attribute.steps[0].attribute_name
        == "name"
    )


def test_function(servicer: ProviderServicer) -> None:
    """A function's result, its refusal of an argument, and its faults are told apart."""

    def call(*arguments: pb.DynamicValue) -> pb.CallFunction.Response:
        return servicer.CallFunction(pb.CallFunction.Request(name="twice", arguments=arguments), CONTEXT)

    assert read(call(value(4, NUMBER)).result, NUMBER) == 8
    refused = call(value(0, NUMBER)).error
    assert (refused.text, refused.HasField("function_argument"), refused.function_argument) == (
        "not zero",
        True,
        0,
    )
    assert "RuntimeError" in call(value(13, NUMBER)).error.text
    assert "hunter2" not in call(value(13, NUMBER)).error.text
    assert "takes 1 arguments" in call().error.text
    assert "does not fit" in call(value("x", STRING)).error.text


def test_what_is_not_offered_says_so(servicer: ProviderServicer) -> None:
    """RPCs of newer Terraforms that this provider does not offer answer an error in their own form."""
    listed = list(servicer.ListResource(pb.ListResource.Request(), CONTEXT))
    assert "list resources" in listed[0].diagnostic[0].detail
    invoked = list(servicer.InvokeAction(pb.InvokeAction.Request(), CONTEXT))
    assert len(invoked) == 1
    assert "actions" in invoked[0].completed.diagnostics[0].detail
    for answer in (
        servicer.ValidateListResourceConfig(pb.ValidateListResourceConfig.Request(), CONTEXT),
        servicer.ValidateActionConfig(pb.ValidateActionConfig.Request(), CONTEXT),
        servicer.PlanAction(pb.PlanAction.Request(), CONTEXT),
        servicer.GenerateResourceConfig(pb.GenerateResourceConfig.Request(), CONTEXT),
    ):
        assert answer.diagnostics[0].severity == pb.Diagnostic.ERROR


def test_json_values_are_read(servicer: ProviderServicer, thing: Thing) -> None:
    """A value in JSON instead of msgpack is understood."""
    thing.answers["validate"] = lambda _: ()
    config = pb.DynamicValue(json=json.dumps({"id": None, "size": 5}).encode())
    servicer.ValidateResourceConfig(
        pb.ValidateResourceConfig.Request(type_name="thing", config=config), CONTEXT
    )
    assert thing.asked[0].config["size"] == 5


def test_message_with_a_lone_surrogate_is_sent(servicer: ProviderServicer, thing: Thing) -> None:
    """A message that is not valid Unicode is escaped, not a second failure."""
    thing.answers["validate"] = lambda _: (error("bad \udc80 name"),)
    request = pb.ValidateResourceConfig.Request(type_name="thing", config=value(STORED))
    assert servicer.ValidateResourceConfig(request, CONTEXT).diagnostics[0].summary == "bad \\udc80 name"
