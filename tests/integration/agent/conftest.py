"""Fixtures: a simulated host, and agents of it as processes."""

from support.agent_site import make_agent, site

__all__ = ["make_agent", "site"]
