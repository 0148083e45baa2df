"""Around every RPC: whatever is raised becomes an error diagnostic, for the user one sentence, for the log a trace."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from terraform_provider_aetherv.cty import CtyError
from terraform_provider_aetherv.plugin.messages import Diagnostic, error

_LOG = logging.getLogger(__name__)
_T = TypeVar("_T")


class RefusedError(Exception):
    """A request is answered with a diagnostic alone.

    Attributes:
        diagnostic: what to answer.
    """

    def __init__(self, diagnostic: Diagnostic) -> None:
        super().__init__(diagnostic.summary)
        self.diagnostic = diagnostic


@contextmanager
def reading() -> Iterator[None]:
    """Within it, a malformed value is the caller's fault.

    Raises:
        RefusedError: instead of ``CtyError``.
    """
    try:
        yield
    except CtyError as problem:
        raise RefusedError(
            error(
                "Malformed value",
                f"Terraform sent a value that does not fit this provider's schema: {problem}.",
                problem.path,
            )
        ) from problem


def guarded(rpc: str, work: Callable[[], _T], refuse: Callable[[Diagnostic], _T]) -> _T:
    """Do an RPC's work and never raise.

    Args:
        rpc: what is done, for messages: the RPC and what it is about.
        work: gives the answer.
        refuse: gives the answer that carries a diagnostic alone.
    """
    try:
        return work()
    except RefusedError as refused:
        return refuse(refused.diagnostic)
    except Exception as problem:  # noqa: BLE001  # the last resort before a crash
        return refuse(internal_error(rpc, problem))


def internal_error(rpc: str, problem: Exception) -> Diagnostic:
    """Log a fault of the provider itself and describe it to the user, without the exception's text."""
    _LOG.error("%s failed", rpc, exc_info=problem)
    what = f"{type(problem).__name__}"
    if isinstance(problem, CtyError):
        what = f"a value that does not fit its own schema ({problem})"
    return error(
        "Fault in the provider",
        f"{rpc} failed with {what}. This is a fault of the provider, not of the configuration. "
        "TF_LOG=ERROR shows where it happened; please report it.",
    )
