"""The commands that the model does; importing this registers them."""

from aetherv_simhost.windows.commands import cluster, devices, host, items, vm

__all__ = ["cluster", "devices", "host", "items", "vm"]
