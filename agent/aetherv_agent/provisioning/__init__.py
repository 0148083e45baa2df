"""Making and removing VMs: checks on an inventory, and the handlers of the operations.

Speaks to hosts through ``core.ports`` alone; knows neither gRPC nor WinRM.
"""
