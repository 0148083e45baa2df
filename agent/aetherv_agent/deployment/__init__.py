"""Host scripts on their way to hosts, and what is wrong with a host. Knows hosts by ``core.ports`` alone."""

from .bundle import Bundle, read_bundle
from .check import HostChecks, Needs
from .findings import Finding, FindingState
from .first_use import ReadyHosts
from .service import Deployed, ScriptDeployment

__all__ = [
    "Bundle",
    "Deployed",
    "Finding",
    "FindingState",
    "HostChecks",
    "Needs",
    "ReadyHosts",
    "ScriptDeployment",
    "read_bundle",
]
