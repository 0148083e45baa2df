"""From the agent's errors and warnings to what a user of Terraform reads, with the attribute's path. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

from terraform_provider_aetherv.cty.path import Path
from terraform_provider_aetherv.plugin.messages import Diagnostics, State, error, warning
from terraform_provider_aetherv.resources.vm.checks import attribute_of
from terraform_provider_aetherv.resources.vm.schema import ATTRIBUTES

if TYPE_CHECKING:
    from aetherv.v1 import operation_pb2

    from terraform_provider_aetherv.agent import AgentError

_NAMES: Final = frozenset(attribute.name for attribute in ATTRIBUTES)
_PARTS: Final = ("vm.", "secrets.")
# What a user can do about errors that the contract's advice does not say in Terraform's words.
_ADVICE: Final = {
    "CREATE_IN_PROGRESS": "Another create works on this name. Follow it with `aetherv operations watch {operation}`, or "
    "cancel it with `aetherv operations cancel {operation}`, then apply again.",
    "TOKEN_INVALID": "The provider's token is AETHERV_TOKEN, token_file or token.",
    "OPERATION_DEADLINE": "The resource's `timeouts` say how long it may take.",
    "OPERATION_IN_PROGRESS": "Follow it with `aetherv operations watch {operation}`, then apply again.",
    "VM_ALREADY_EXISTS": "Choose another vm_name, or take the VM over: terraform import aetherv_vm.NAME {vm_id}.",
}


# The attribute at fault, where the error names none.
_FIELDS: Final = dict.fromkeys(
    ("VM_ALREADY_EXISTS", "CREATE_IN_PROGRESS", "OPERATION_IN_PROGRESS"), "vm_name"
)


def title(verb: str, name: str | None, host: str | None = None) -> str:
    """Write a summary such as ``Unable to create VM "web-01" on hyperv02``."""
    what = f'Unable to {verb} VM "{name}"' if name else f"Unable to {verb} VM"
    return f"{what} on {host}" if host else what


def from_error(summary: str, problem: AgentError, *, config: State | None, stands: str = "") -> Diagnostics:
    """Describe an error of the agent.

    Args:
        summary: what could not be done.
        problem: the agent's error.
        config: the configuration, which tells how a secret was set; None: not known.
        stands: what there is now, in a sentence.

    Returns:
        One error for each wrong field, or one for the whole.
    """
    if problem.violations:
        return tuple(
            error(
                summary,
                _joined(f"{_label(item.field, config)} {item.message.rstrip('.')}.", stands),
                path_of(item.field, config),
            )
            for item in problem.violations
        )
    return (
        error(
            summary,
            _joined(_sentence(problem.message), _advice(problem), _reason(problem), stands),
            path_of(problem.metadata.get("field") or _field(problem, config), config),
        ),
    )


def from_warnings(warnings: Iterable[operation_pb2.Warning], config: State | None) -> Diagnostics:
    """Describe what the agent wants the user to know."""
    return tuple(
        warning(
            f"{_label(item.field, config)}: {item.message}" if item.field else item.message or item.reason,
            f"(Warning id: {item.reason}.)",
            path_of(item.field, config),
        )
        for item in warnings
    )


def path_of(field: str, config: State | None) -> Path:
    """Give the attribute's path of a request's field; empty for one that is no attribute."""
    name = field
    for part in _PARTS:
        name = name.removeprefix(part)
    name = attribute_of(config, name)
    return (name,) if name in _NAMES else ()


def _field(problem: AgentError, config: State | None) -> str:
    # Without a configuration (read, destroy) no attribute is at fault.
    return "" if config is None else _FIELDS.get(problem.reason, "")


def _label(field: str, config: State | None) -> str:
    path = path_of(field, config)
    return str(path[0]) if path else field


def _advice(problem: AgentError) -> str:
    facts = problem.metadata
    text = _ADVICE.get(problem.reason, "")
    operation = facts.get("operation", "")
    vm_id = facts.get("vm", "").removeprefix("vms/")
    if ("{operation}" in text and not operation) or (
        "{vm_id}" in text and (not vm_id or vm_id in problem.message)
    ):
        return ""
    return text.format(operation=operation, vm_id=vm_id)


def _reason(problem: AgentError) -> str:
    return f"(Error id: {problem.reason}.)" if problem.reason else ""


def _sentence(text: str) -> str:
    text = text.strip()
    return text if not text or text.endswith((".", "!", "?", ":")) else f"{text}."


def _joined(*parts: str) -> str:
    return " ".join(part for part in parts if part)
