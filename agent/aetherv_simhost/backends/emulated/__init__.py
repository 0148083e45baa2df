"""The back-end that answers the host scripts' contracts in Python; it says of itself that it is emulated."""

from aetherv_simhost.backends.emulated.backend import EmulatedBackend

__all__ = ["EmulatedBackend"]
