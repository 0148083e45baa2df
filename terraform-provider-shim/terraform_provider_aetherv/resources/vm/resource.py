"""The entrance to ``aetherv_vm``: each method loads what it needs when it is first called, for a quick start."""

from __future__ import annotations

from terraform_provider_aetherv.plugin.messages import (
    ApplyRequest,
    ApplyResponse,
    Diagnostics,
    ImportRequest,
    ImportResponse,
    MoveRequest,
    MoveResponse,
    PlanRequest,
    PlanResponse,
    ReadRequest,
    ReadResponse,
    UpgradeStateRequest,
    UpgradeStateResponse,
    ValidateRequest,
    error,
)
from terraform_provider_aetherv.plugin.provider import Resource
from terraform_provider_aetherv.resources.session import Session
from terraform_provider_aetherv.resources.vm.schema import IDENTITY, SCHEMA
from terraform_provider_aetherv.schema.model import IdentitySchema, Schema


class VmResource(Resource):
    """A virtual machine.

    Args:
        session: of this process.
    """

    def __init__(self, session: Session) -> None:
        self._session = session

    @property
    def schema(self) -> Schema:
        """Its attributes."""
        return SCHEMA

    @property
    def identity_schema(self) -> IdentitySchema:
        """Its identity: the id alone."""
        return IDENTITY

    def validate(self, request: ValidateRequest) -> Diagnostics:
        """Judge a configuration attribute by attribute."""
        from terraform_provider_aetherv.resources.vm.checks import validate

        return tuple(validate(request.config))

    def plan(self, request: PlanRequest) -> PlanResponse:
        """Plan a change."""
        from terraform_provider_aetherv.resources.vm.plan import plan

        return plan(request, self._session)

    def apply(self, request: ApplyRequest) -> ApplyResponse:
        """Make a planned change."""
        from terraform_provider_aetherv.resources.vm.apply import apply

        return apply(request, self._session)

    def read(self, request: ReadRequest) -> ReadResponse:
        """Look at a VM."""
        from terraform_provider_aetherv.resources.vm.read import read

        return read(request, self._session)

    def import_state(self, request: ImportRequest) -> ImportResponse:
        """Take over a VM that exists."""
        from terraform_provider_aetherv.resources.vm.import_ import import_vm

        return import_vm(request, self._session)

    def upgrade_state(self, request: UpgradeStateRequest) -> UpgradeStateResponse:
        """Bring a stored object to the present schema, and remember the VM: a plan may stand in its place."""
        self._session.known.remember(request.raw.get("id"))
        return super().upgrade_state(request)

    def move_state(self, request: MoveRequest) -> MoveResponse:
        """Refuse, for now, to take over another resource's object."""
        detail = (
            f"Taking over {request.source_type} ({request.source_provider}) is not supported by this version. Remove it "
            "from the state and import the VM by its id: terraform import aetherv_vm.NAME ID."
        )
        return MoveResponse(state=None, diagnostics=(error("Unable to move resource to aetherv_vm", detail),))
