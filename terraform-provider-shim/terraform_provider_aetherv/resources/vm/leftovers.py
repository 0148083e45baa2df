"""What stands on a host after an operation that failed, by the operation's own word. Pure."""

from __future__ import annotations

from terraform_provider_aetherv.agent import Outcome


def vm_stands(outcome: Outcome) -> bool:
    """Tell whether a create's VM exists: it succeeded, or failed and says that the VM is left."""
    if outcome.done and outcome.error is None:
        return True
    return any(item.kind == "vm" for item in outcome.facts.leftovers)


def describe(outcome: Outcome) -> str:
    """List what is left, in a sentence; empty: nothing is."""
    items = [
        " ".join(
            part
            for part in (
                item.kind,
                item.path,
                f"on {item.host}" if item.host else "",
                f"({item.message})" if item.message else "",
            )
            if part
        )
        for item in outcome.facts.leftovers
    ]
    return f"What stands: {'; '.join(items)}." if items else ""
