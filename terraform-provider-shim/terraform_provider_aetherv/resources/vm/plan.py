"""Planning ``aetherv_vm``: create, change and destroy. Only ``plan_check`` speaks to the agent."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Final

from terraform_provider_aetherv.cty.values import UNKNOWN, Value
from terraform_provider_aetherv.plugin.messages import (
    Diagnostic,
    PlanRequest,
    PlanResponse,
    State,
    error,
    has_errors,
    warning,
)
from terraform_provider_aetherv.resources.session import Session
from terraform_provider_aetherv.resources.vm import contract, private
from terraform_provider_aetherv.resources.vm.checks import check_create, stored_secrets
from terraform_provider_aetherv.resources.vm.schema import ATTRIBUTES, CHANGED_IN_PLACE, SECRETS, VERSION_OF
from terraform_provider_aetherv.schema.equality import Same, same_address, same_host, same_ssh_key, same_text
from terraform_provider_aetherv.schema.planning import changed, create_value, update_value

# What acts once, in Terraform's attributes: a secret's version stands for the write-only secret.
ACTS_ONCE: Final = (*contract.ACTS_ONCE, *VERSION_OF.values())
SAME: Final[dict[str, Same]] = {
    "vm_name": same_text,
    "image_name": same_text,
    "virtual_switch": same_text,
    "target_host": same_text,
    "guest_v4_ipaddr": same_address,
    "guest_v4_defaultgw": same_address,
    "guest_v4_dns1": same_address,
    "guest_v4_dns2": same_address,
    "guest_net_dnssuffix": same_text,
    "guest_domain_jointarget": same_text,
    "guest_domain_joinuid": same_text,
    "guest_domain_joinou": same_text,
    "cnf_ansible_ssh_key": same_ssh_key,
}
# Of a text in a message: notes can have 4,000 characters.
_SHOWN: Final = 60
# What a create decides where the configuration says nothing; the switch and the host are the agent's to choose.
_UNSET_AT_CREATE: Final[State] = {"vlan_id": 0, "vm_clustered": False, "power_state": "running"}


def plan(request: PlanRequest, session: Session) -> PlanResponse:
    """Plan whatever is asked."""
    if request.proposed is None or request.config is None:
        return _destroy(request)
    if request.prior is None:
        return _create(request, request.config, session)
    return _update(request, request.prior, request.config)


def protected(state: State, what: str) -> Diagnostic | None:
    """Give the error that keeps a protected VM; None: it is not protected."""
    if state["deletion_protection"] is not True:
        return None
    return error(
        f'VM "{state["vm_name"]}" is protected',
        f"deletion_protection is true, so that it is not {what}. Nothing was touched. Apply "
        "deletion_protection = false first (of a tainted VM after terraform untaint).",
        ("deletion_protection",),
    )


def _destroy(request: PlanRequest) -> PlanResponse:
    refusal = None if request.prior is None else protected(request.prior, "destroyed")
    return PlanResponse(
        planned=None,
        private=request.prior_private,
        identity=request.prior_identity,
        diagnostics=() if refusal is None else (refusal,),
    )


def _create(request: PlanRequest, config: State, session: Session) -> PlanResponse:
    planned = {a.name: create_value(a, config[a.name]) for a in ATTRIBUTES}
    planned |= {name: value for name, value in _UNSET_AT_CREATE.items() if config[name] is None}
    planned["os_family"] = _family(config, planned["image_name"], None)
    # The family that no image tells is an error below; Terraform is shown "known after apply" until then.
    diagnostics = list(check_create(planned, config))
    replaced, warned = private.decode(request.prior_private).replaces, ""
    # In apply the create itself is checked at once. An error of this second plan would leave a VM that has
    # create_before_destroy as a deposed object in the state: Terraform restores it only after a failed create.
    applying = request.capabilities.deferral_allowed
    if not has_errors(diagnostics) and session.agent is not None and not applying:
        from terraform_provider_aetherv.resources.vm.plan_check import check_with_agent

        checked = check_with_agent(planned, config, session, replaced)
        diagnostics += checked.diagnostics
        warned = ",".join(sorted(checked.warned))
    return PlanResponse(
        planned=planned,
        private=private.Private(replaces=replaced, warned=warned).encode(),
        diagnostics=tuple(diagnostics),
    )


def _update(request: PlanRequest, prior: State, config: State) -> PlanResponse:
    planned = {a.name: update_value(a, prior[a.name], config[a.name], SAME.get(a.name)) for a in ATTRIBUTES}
    planned["os_family"] = _family(config, planned["image_name"], prior)
    replacing = tuple((name,) for name in _replacing(prior, planned))
    stored = private.decode(request.prior_private)
    if replacing:
        # What becomes of the new VM is planned in a leg of its own, with a null prior; this one only says why.
        refusal = protected(prior, "replaced")
        return PlanResponse(
            planned=planned,
            private=replace(stored, replaces=prior["id"] or "").encode(),
            requires_replace=replacing,
            identity=request.prior_identity or _identity(prior),
            diagnostics=() if refusal is None else (refusal,),
        )
    return PlanResponse(
        planned=planned,
        private=request.prior_private,
        identity=request.prior_identity or _identity(prior),
        diagnostics=(
            *_needs_update(prior, planned),
            *_other_host(prior, planned),
            *_recorded(prior, planned, stored),
            *stored_secrets(config, (name for name in SECRETS if changed(prior[name], planned[name]))),
        ),
    )


def _identity(state: State) -> State | None:
    return {"id": state["id"]} if isinstance(state["id"], str) else None


def _family(config: State, image: Value, prior: State | None) -> Value:
    if config["os_family"] is not None:
        return config["os_family"]
    if prior is not None and prior["os_family"] is not None and not changed(prior["image_name"], image):
        return prior["os_family"]
    if image is UNKNOWN:
        return UNKNOWN
    if isinstance(image, str) and (told := contract.os_family_of(image)) is not None:
        return told
    return None if prior is None else prior["os_family"]


def _replacing(prior: State, planned: State) -> list[str]:
    """Name the attributes whose change makes a new VM. From or to null never does."""
    candidates = ["image_name", "os_family"]
    if planned["guest_replace_on_change"] is True:
        candidates += ACTS_ONCE
    return [
        name
        for name in candidates
        if prior[name] is not None and planned[name] is not None and changed(prior[name], planned[name])
    ]


def _needs_update(prior: State, planned: State) -> list[Diagnostic]:
    name = prior["vm_name"]
    found = []
    for attribute in CHANGED_IN_PLACE:
        old, new = prior[attribute], planned[attribute]
        # Null is "left as found"; unknown is decided, and judged again, in apply.
        if new is None or new is UNKNOWN or not changed(old, new):
            continue
        if old is None and (attribute != "notes" or not new):
            continue
        # No other attribute is null for a VM that has it: notes that are not configured are not looked at.
        stands = "notes that are not known here" if old is None else f"{attribute} = {_literal(old)}"
        way_out = "Leave it away" if old is None else "Set it to what stands"
        found.append(
            error(
                f"{attribute} can't be changed in place by this version",
                f'VM "{name}" has {stands}, the configuration says {_literal(new)}. {way_out}, or make the VM anew: '
                "terraform taint aetherv_vm.NAME, then apply.",
                (attribute,),
            )
        )
    return found


def _other_host(prior: State, planned: State) -> list[Diagnostic]:
    new, host = planned["target_host"], prior["host"]
    if new is None or new is UNKNOWN or not changed(prior["target_host"], new):
        return []
    if host is None or same_host(host, new):
        return []
    return [
        error(
            f'VM "{prior["vm_name"]}" can\'t be moved by this version',
            f"It is on {host}, and target_host is now {new}. Set target_host to {host}, or make the VM anew there: "
            "terraform taint aetherv_vm.NAME, then apply (a plan with -replace is refused here as well).",
            ("target_host",),
        )
    ]


def _recorded(prior: State, planned: State, stored: private.Private) -> list[Diagnostic]:
    """Warn of what is written to the state alone. An import's null is "unknown": to fill it in changes nothing."""
    names = [
        name
        for name in ACTS_ONCE
        if changed(prior[name], planned[name])
        and not (prior[name] is None and stored.origin == private.IMPORTED)
    ]
    if not names:
        return []
    listed = ", ".join(names)
    used = "are used only when the VM is made" if len(names) > 1 else "is used only when the VM is made"
    return [
        warning(
            f'{listed} {used}; "{prior["vm_name"]}" is unchanged',
            "The new value is recorded in the state and does not reach the guest. Change it in the guest too, or set "
            "guest_replace_on_change = true to have the VM made anew by such a change.",
            (names[0],),
        )
    ]


def _literal(value: Value) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if not isinstance(value, str):
        return str(value)
    return json.dumps(value if len(value) <= _SHOWN else f"{value[:_SHOWN]}...", ensure_ascii=False)
