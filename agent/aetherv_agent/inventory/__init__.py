"""What stands on the hosts, read in batches: one call per host answers everyone who waits for it."""

from .cache import InventoryCache

__all__ = ["InventoryCache"]
