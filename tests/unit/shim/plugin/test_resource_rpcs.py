"""The RPCs about managed resources, called without a network."""

from __future__ import annotations

import json

import pytest
from support.shim_fakes import (
    CONTEXT,
    FULL,
    IDENTITY,
    STORED,
    Thing,
    apply_request,
    identity,
    plan_request,
    read,
    value,
)
from terraform_provider_aetherv.cty import UNKNOWN, KeyStep
from terraform_provider_aetherv.plugin.dispatch import ProviderServicer
from terraform_provider_aetherv.plugin.provider import (
    ApplyRequest,
    ApplyResponse,
    ImportResponse,
    MoveResponse,
    PlanResponse,
    ReadResponse,
    error,
    warning,
)
from terraform_provider_aetherv.plugin.wire import tfplugin6_pb2 as pb


def test_write_only_values_leave_in_no_state(servicer: ProviderServicer, thing: Thing) -> None:
    """Whatever a resource answers, no planned, new, upgraded, imported or moved state holds a write-only value."""
    thing.answers = {
        "plan": lambda _: PlanResponse(planned=FULL),
        "apply": lambda _: ApplyResponse(state=FULL),
        "read": lambda _: ReadResponse(state=FULL, private=b""),
        "import": lambda _: ImportResponse(state=FULL),
        "move": lambda _: MoveResponse(state=FULL),
    }
    raw = pb.RawState(json=json.dumps(FULL).encode())
    states = [
        servicer.PlanResourceChange(plan_request(), CONTEXT).planned_state,
        servicer.ApplyResourceChange(apply_request(), CONTEXT).new_state,
        servicer.ReadResource(
            pb.ReadResource.Request(type_name="thing", current_state=value(STORED)), CONTEXT
        ).new_state,
        servicer.ImportResourceState(pb.ImportResourceState.Request(type_name="thing", id="1"), CONTEXT)
        .imported_resources[0]
        .state,
        servicer.MoveResourceState(
            pb.MoveResourceState.Request(target_type_name="thing", source_state=raw), CONTEXT
        ).target_state,
        servicer.UpgradeResourceState(
            pb.UpgradeResourceState.Request(type_name="thing", version=2, raw_state=raw), CONTEXT
        ).upgraded_state,
    ]
    assert [read(state) for state in states] == [STORED] * 6
    config = next(request.config for request in thing.asked if isinstance(request, ApplyRequest))
    assert config == FULL


def test_write_only_is_refused_below_terraform_1_11(servicer: ProviderServicer, thing: Thing) -> None:
    """A Terraform that would store a write-only value is told so, at each place."""
    thing.answers = {"validate": lambda _: ()}
    request = pb.ValidateResourceConfig.Request(type_name="thing", config=value(FULL))
    answer = servicer.ValidateResourceConfig(request, CONTEXT)
    steps = [[step.attribute_name for step in item.attribute.steps] for item in answer.diagnostics]
    assert steps == [["secret_wo"], ["login", "password_wo"]]
    assert "1.11" in answer.diagnostics[0].detail
    request.client_capabilities.write_only_attributes_allowed = True
    assert not servicer.ValidateResourceConfig(request, CONTEXT).diagnostics


def test_plan_passes_everything_on(servicer: ProviderServicer, thing: Thing) -> None:
    """Unknown parts, private data, identity, replaced paths and warnings pass both ways."""
    planned = {**STORED, "id": UNKNOWN}
    thing.answers["plan"] = lambda _: PlanResponse(
        planned=planned,
        private=b"p",
        requires_replace=(("login", "user"), ("tags", KeyStep("a"), 0)),
        diagnostics=(warning("Look", "here", ("size",)),),
    )
    request = plan_request(
        prior_private=b"prior",
        planned_private=b"planned",
        prior_identity=identity("1"),
        client_capabilities=pb.ClientCapabilities(store_planned_private=True),
    )
    answer = servicer.PlanResourceChange(request, CONTEXT)
    assert read(answer.planned_state) == planned
    assert answer.planned_private == b"p"
    assert read(answer.planned_identity.identity_data, IDENTITY) == {"id": "1"}
    steps = [[step.WhichOneof("selector") for step in path.steps] for path in answer.requires_replace]
    assert steps == [
        ["attribute_name", "attribute_name"],
        ["attribute_name", "element_key_string", "element_key_int"],
    ]
    assert answer.diagnostics[0].severity == pb.Diagnostic.WARNING
    assert not answer.HasField("deferred")
    asked = thing.asked[0]
    assert (asked.prior, asked.prior_private, asked.planned_private) == (STORED, b"prior", b"planned")
    assert asked.prior_identity == {"id": "1"}
    assert asked.capabilities.store_planned_private


def test_plan_of_a_create_has_no_identity(servicer: ProviderServicer, thing: Thing) -> None:
    """The identity of what is replaced does not become that of what is made; an unknown one is refused."""
    thing.answers["plan"] = lambda _: PlanResponse(planned=STORED)
    request = plan_request(prior_state=value(None), prior_identity=identity("old"))
    assert not servicer.PlanResourceChange(request, CONTEXT).HasField("planned_identity")
    thing.answers["plan"] = lambda _: PlanResponse(planned=STORED, identity={"id": UNKNOWN})
    answer = servicer.PlanResourceChange(request, CONTEXT)
    assert answer.diagnostics[0].summary == "Fault in the provider"


def test_plan_error_sends_diagnostics_alone(servicer: ProviderServicer, thing: Thing) -> None:
    """A plan that fails says nothing about the planned state."""
    thing.answers["plan"] = lambda _: PlanResponse(planned=STORED, diagnostics=(error("No"),))
    answer = servicer.PlanResourceChange(plan_request(), CONTEXT)
    assert not answer.HasField("planned_state")
    assert len(answer.diagnostics) == 1


def test_create_that_fails_late_keeps_what_exists(servicer: ProviderServicer, thing: Thing) -> None:
    """The partial state goes with the error, its unknown parts null, with private data and identity."""
    thing.answers["apply"] = lambda _: ApplyResponse(
        state={**FULL, "size": UNKNOWN}, private=b"p", identity={"id": "1"}, diagnostics=(error("Half"),)
    )
    answer = servicer.ApplyResourceChange(apply_request(), CONTEXT)
    assert read(answer.new_state) == {**STORED, "size": None}
    assert answer.private == b"p"
    assert read(answer.new_identity.identity_data, IDENTITY) == {"id": "1"}
    assert answer.diagnostics[0].summary == "Half"


def test_invalid_answer_of_an_apply_is_salvaged(servicer: ProviderServicer, thing: Thing) -> None:
    """An answer that does not fit the schema is an error, and what fits of it is stored: the object exists."""
    thing.answers["apply"] = lambda _: ApplyResponse(
        state={"id": "1", "size": object(), "login": UNKNOWN, "more": 1},
        private=b"p",
        identity={"id": UNKNOWN},
    )
    answer = servicer.ApplyResourceChange(apply_request(), CONTEXT)
    assert read(answer.new_state) == {"id": "1", "size": None, "secret_wo": None, "login": None}
    assert answer.diagnostics[0].summary == "Fault in the provider"
    assert answer.private == b"p"


def test_destroy(servicer: ProviderServicer, thing: Thing) -> None:
    """A destroy answers a null state; one that fails sends diagnostics alone, so that the prior state stands."""
    request = apply_request(prior_state=value(STORED), planned_state=value(None), config=value(None))
    thing.answers["apply"] = lambda _: ApplyResponse(state=None)
    answer = servicer.ApplyResourceChange(request, CONTEXT)
    assert read(answer.new_state) is None
    thing.answers["apply"] = lambda _: ApplyResponse(state=None, diagnostics=(error("No"),))
    failed = servicer.ApplyResourceChange(request, CONTEXT)
    assert not failed.HasField("new_state")
    assert not failed.HasField("new_identity")


def test_apply_keeps_the_planned_identity(servicer: ProviderServicer, thing: Thing) -> None:
    """An answer without identity would erase it: the planned one is sent."""
    thing.answers["apply"] = lambda _: ApplyResponse(state=STORED)
    answer = servicer.ApplyResourceChange(apply_request(planned_identity=identity("1")), CONTEXT)
    assert read(answer.new_identity.identity_data, IDENTITY) == {"id": "1"}


def test_read(servicer: ProviderServicer, thing: Thing) -> None:
    """Gone is a null state; an error never is; identity and private data are kept."""
    request = pb.ReadResource.Request(
        type_name="thing", current_state=value(STORED), private=b"p", current_identity=identity("1")
    )
    thing.answers["read"] = lambda r: ReadResponse(state=None, private=r.private)
    gone = servicer.ReadResource(request, CONTEXT)
    assert read(gone.new_state) is None
    thing.answers["read"] = lambda r: ReadResponse(
        state=None, private=b"", diagnostics=(error("Unreachable"),)
    )
    assert not servicer.ReadResource(request, CONTEXT).HasField("new_state")
    thing.answers["read"] = lambda r: ReadResponse(state=r.state, private=r.private)
    found = servicer.ReadResource(request, CONTEXT)
    assert found.private == b"p"
    assert read(found.new_identity.identity_data, IDENTITY) == {"id": "1"}


def test_upgrade_of_the_present_version_is_decoded(servicer: ProviderServicer, thing: Thing) -> None:
    """A state of this version is decoded by the schema: absent attributes null, lost ones ignored."""
    raw = pb.RawState(json=b'{"id": "1", "size": 0.1, "lost": true}')
    request = pb.UpgradeResourceState.Request(type_name="thing", version=2, raw_state=raw)
    answer = servicer.UpgradeResourceState(request, CONTEXT)
    assert read(answer.upgraded_state)["id"] == "1"
    assert str(read(answer.upgraded_state)["size"]) == "0.1"
    assert thing.asked[0].raw["lost"] is True


@pytest.mark.parametrize(
    ("version", "raw", "summary"),
    [
        (3, pb.RawState(json=b"{}"), "State of a newer provider"),
        (1, pb.RawState(json=b"{}"), "Unable to upgrade state"),
        (2, pb.RawState(flatmap={"id": "1"}), "Malformed value"),
        (2, pb.RawState(json=b"[]"), "Malformed value"),
        (2, pb.RawState(json=b'{"size": "x"}'), "Malformed value"),
    ],
)
def test_states_that_cannot_be_upgraded(
    version: int, raw: pb.RawState, summary: str, servicer: ProviderServicer
) -> None:
    """Newer, unknown older, ancient and malformed states are errors."""
    request = pb.UpgradeResourceState.Request(type_name="thing", version=version, raw_state=raw)
    answer = servicer.UpgradeResourceState(request, CONTEXT)
    assert [item.summary for item in answer.diagnostics] == [summary]
    assert not answer.HasField("upgraded_state")


def test_identity_upgrade(servicer: ProviderServicer, thing: Thing) -> None:
    """An identity of the present version passes; an older one needs code; none is an error."""
    request = pb.UpgradeResourceIdentity.Request(
        type_name="thing", version=1, raw_identity=pb.RawState(json=b'{"id": "1"}')
    )
    answer = servicer.UpgradeResourceIdentity(request, CONTEXT)
    assert read(answer.upgraded_identity.identity_data, IDENTITY) == {"id": "1"}
    request.version = 0
    assert (
        servicer.UpgradeResourceIdentity(request, CONTEXT).diagnostics[0].summary
        == "Unable to upgrade identity"
    )
    request.type_name = "bare"
    assert (
        servicer.UpgradeResourceIdentity(request, CONTEXT).diagnostics[0].summary
        == "Resource without identity"
    )


def test_defaults_of_a_resource(servicer: ProviderServicer) -> None:
    """A resource without import and move says so."""
    imported = servicer.ImportResourceState(pb.ImportResourceState.Request(type_name="bare", id="1"), CONTEXT)
    assert "cannot be imported" in imported.diagnostics[0].summary
    assert not imported.imported_resources
    move = pb.MoveResourceState.Request(
        target_type_name="bare", source_type_name="other", source_state=pb.RawState(json=b"{}")
    )
    assert servicer.MoveResourceState(move, CONTEXT).diagnostics[0].summary == "Unable to move resource"


def test_move_passes_the_source_on(servicer: ProviderServicer, thing: Thing) -> None:
    """A move sees the other resource's state as it stands in the file."""
    thing.answers["move"] = lambda _: MoveResponse(state=STORED, private=b"p", identity={"id": "1"})
    request = pb.MoveResourceState.Request(
        target_type_name="thing",
        source_provider_address="registry/other",
        source_type_name="other",
        source_schema_version=3,
        source_state=pb.RawState(json=b'{"name": "x"}'),
        source_identity=pb.RawState(json=b'{"guid": "y"}'),
    )
    answer = servicer.MoveResourceState(request, CONTEXT)
    assert answer.target_private == b"p"
    assert read(answer.target_identity.identity_data, IDENTITY) == {"id": "1"}
    asked = thing.asked[0]
    assert (asked.source_type, asked.source_version, asked.source) == ("other", 3, {"name": "x"})
    assert asked.source_identity == {"guid": "y"}
