"""Taking over a VM that exists: by its id; creation facts come from the VM's record."""

from __future__ import annotations

import uuid
from typing import Final

from terraform_provider_aetherv.agent import AgentError
from terraform_provider_aetherv.diagnostics import from_error
from terraform_provider_aetherv.plugin.messages import ImportRequest, ImportResponse, error
from terraform_provider_aetherv.resources.session import Session
from terraform_provider_aetherv.resources.vm.model import facts, observed
from terraform_provider_aetherv.resources.vm.private import IMPORTED, Private
from terraform_provider_aetherv.resources.vm.schema import ATTRIBUTES

_LOOK_SECONDS: Final = 300.0


def import_vm(request: ImportRequest, session: Session) -> ImportResponse:
    """Look the VM up; a wrong id is an error."""
    given = request.id or str((request.identity or {}).get("id") or "")
    vm_id = guid(given)
    if vm_id is None:
        detail = (
            f"{given!r} is not the id of a VM. Import by Hyper-V's id, in any form: "
            "terraform import aetherv_vm.NAME 5f1c2ab4-7d0e-4a55-9a57-0c1a4d6f2b11 (`aetherv vms list` shows ids). "
            "Import by host and name comes with a later version."
        )
        return ImportResponse(state=None, diagnostics=(error("Unable to import VM", detail),))
    agent = session.agent
    if agent is None:
        return ImportResponse(
            state=None,
            diagnostics=(error("The provider is not configured", "Its endpoint is not known yet."),),
        )
    try:
        vm = agent.read(vm_id, host_hint="", timeout=_LOOK_SECONDS, fresh=True)
    except AgentError as problem:
        return ImportResponse(state=None, diagnostics=from_error("Unable to import VM", problem, config=None))
    if vm is None:
        detail = f"The agent at {agent.endpoint} knows no VM of the id {vm_id} on any of its hosts."
        return ImportResponse(state=None, diagnostics=(error("VM not found", detail),))
    session.known.remember(vm_id)
    state = {a.name: a.default if a.has_default else None for a in ATTRIBUTES}
    state |= facts(vm) | observed(vm)
    state["target_host"] = state["host"]
    # An empty text in Hyper-V is no notes.
    state["notes"] = state["notes"] or None
    return ImportResponse(state=state, private=Private(origin=IMPORTED).encode(), identity={"id": vm_id})


def guid(text: str) -> str | None:
    """Read a GUID in any form (braces, upper case, without hyphens) as lower case with hyphens; None: it is none."""
    bare = text.strip().removeprefix("vms/")
    if bare.startswith("{") != bare.endswith("}"):
        return None
    try:
        return str(uuid.UUID(bare))
    except ValueError:
        return None
