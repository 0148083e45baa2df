"""For every configuration that can be made: what Terraform checks of plan and apply holds, and nothing flaps."""

from __future__ import annotations

import threading
from decimal import Decimal
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from support.fake_agent import made_vm
from terraform_provider_aetherv.cty import decode, encode
from terraform_provider_aetherv.cty.values import UNKNOWN
from terraform_provider_aetherv.plugin.messages import ClientCapabilities, PlanRequest, has_errors
from terraform_provider_aetherv.resources.session import Session
from terraform_provider_aetherv.resources.vm.checks import check_create, validate
from terraform_provider_aetherv.resources.vm.model import completed, to_create
from terraform_provider_aetherv.resources.vm.plan import plan
from terraform_provider_aetherv.resources.vm.read import refreshed
from terraform_provider_aetherv.resources.vm.schema import ATTRIBUTES, SCHEMA

from .conftest import config_of

_TEXT = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Zs"]), min_size=1, max_size=20)
_CHANGES = st.fixed_dictionaries(
    {},
    optional={
        "vm_name": st.from_regex(r"[A-Za-z][A-Za-z0-9]{0,10}", fullmatch=True),
        "gb_ram": st.integers(1, 512),
        "cpu_cores": st.integers(1, 64),
        "vlan_id": st.integers(0, 4094),
        "virtual_switch": _TEXT,
        "vm_clustered": st.booleans(),
        "power_state": st.sampled_from(["running", "off"]),
        "notes": st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), max_size=30),
        "target_host": _TEXT,
        "guest_net_dnssuffix": st.just("Example.com"),
        "shutdown_mode": st.sampled_from(["graceful", "off"]),
        "deletion_protection": st.booleans(),
        "guest_replace_on_change": st.booleans(),
        "on_failure": st.sampled_from(["rollback", "keep"]),
        "timeouts": st.just({"create": "5m", "read": None, "update": None, "delete": None}),
    },
)


def planned(config: dict[str, Any], prior: dict[str, Any] | None) -> dict[str, Any]:
    """Plan without an agent; fail on an error."""
    response = plan(
        PlanRequest(
            prior=prior,
            proposed=config,
            config=config,
            prior_private=b"",
            planned_private=b"",
            prior_identity=None,
            capabilities=ClientCapabilities(),
        ),
        Session(threading.Event()),
    )
    assert not has_errors(response.diagnostics), response.diagnostics
    assert response.planned is not None
    assert response.requires_replace == ()
    return response.planned


@given(_CHANGES)
@settings(max_examples=150, deadline=None)
def test_made_as_planned_and_then_unchanged(changed: dict[str, Any]) -> None:
    """Plan keeps the configuration, apply keeps the plan, and a refreshed state plans nothing."""
    config = config_of(**changed)
    assert not has_errors(list(validate(config)))
    first = planned(config, None)
    for attribute in ATTRIBUTES:
        value = first[attribute.name]
        if config[attribute.name] is not None and not attribute.write_only:
            assert value == config[attribute.name], attribute.name
        assert value is not UNKNOWN or attribute.computed, attribute.name
    vm = made_vm(to_create(first), "operations/1", ("192.0.2.10",))
    state = completed(first, vm)
    for name, value in first.items():
        if value is not UNKNOWN:
            assert state[name] == value, name
    kind = SCHEMA.cty_type()
    stored = decode(encode(state, kind), kind)
    assert stored == state
    seen = refreshed(stored, vm)
    assert seen == stored
    assert planned(config, seen) == seen


@given(st.dictionaries(st.sampled_from([a.name for a in ATTRIBUTES]), st.just(UNKNOWN)))
@settings(max_examples=100, deadline=None)
def test_unknown_never_fails_and_stays_unknown(unknown: dict[str, Any]) -> None:
    """Whatever part of a configuration is unknown is planned as unknown, without an error of its own."""
    computed = {a.name for a in ATTRIBUTES if a.computed and not a.optional}
    config = config_of(**{name: value for name, value in unknown.items() if name not in computed})
    assert not has_errors(list(validate(config)))
    response = plan(
        PlanRequest(
            prior=None,
            proposed=config,
            config=config,
            prior_private=b"",
            planned_private=b"",
            prior_identity=None,
            capabilities=ClientCapabilities(),
        ),
        Session(threading.Event()),
    )
    assert response.planned is not None
    for name, value in config.items():
        if value is UNKNOWN and not SCHEMA.attribute(name).write_only:
            assert response.planned[name] is UNKNOWN, name
    # What is unknown can still become null, so that no set is broken by it.
    assert not has_errors(list(check_create(response.planned, config)))


def test_memory_of_every_size_is_exact() -> None:
    """Every multiple of 2 MB of a small VM goes through the wire and back unharmed."""
    kind = SCHEMA.cty_type()
    for steps in range(1, 1025):
        size = Decimal(steps) / 512
        config = config_of(gb_ram=int(size) if size == int(size) else size)
        vm = made_vm(to_create(planned_loosely(config)), "", ())
        state = completed(planned_loosely(config) | {"gb_ram": UNKNOWN}, vm)
        assert state["gb_ram"] == size
        assert decode(encode(state, kind), kind) == state


def planned_loosely(config: dict[str, Any]) -> dict[str, Any]:
    """Give a planned state without judging it."""
    from terraform_provider_aetherv.schema.planning import create_value

    return {a.name: create_value(a, config[a.name]) for a in ATTRIBUTES}
