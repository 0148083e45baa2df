"""What is served when the provider itself could not be loaded: the reason, instead of a crash after the handshake."""

from __future__ import annotations

from dataclasses import dataclass

from terraform_provider_aetherv.plugin.guard import RefusedError
from terraform_provider_aetherv.plugin.messages import (
    ConfigureRequest,
    Diagnostic,
    Diagnostics,
    ValidateRequest,
    error,
)
from terraform_provider_aetherv.plugin.provider import Provider
from terraform_provider_aetherv.schema.model import Schema


@dataclass(kw_only=True)
class BrokenProvider(Provider):
    """Answers everything with one error.

    Attributes:
        problem: the type of what was raised, and the module that is missing.
    """

    problem: str

    def _diagnostic(self) -> Diagnostic:
        return error(
            "The provider cannot be loaded",
            f"Loading it failed with {self.problem}: its installation is not whole. Run `aetherv provider install` "
            "again with the Python in which aetherv works. TF_LOG=ERROR shows where it failed.",
        )

    @property
    def schema(self) -> Schema:
        """Refuse."""
        raise RefusedError(self._diagnostic())

    def validate(self, request: ValidateRequest) -> Diagnostics:  # noqa: ARG002  # the interface's
        """Refuse."""
        return (self._diagnostic(),)

    def configure(self, request: ConfigureRequest) -> Diagnostics:  # noqa: ARG002  # the interface's
        """Refuse."""
        return (self._diagnostic(),)
