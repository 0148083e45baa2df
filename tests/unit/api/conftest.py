"""Fixtures of the API's tests: a real server in this process."""

from support.api_fakes import serve, served, stubs

__all__ = ["serve", "served", "stubs"]
