"""A simulated Hyper-V host: WS-Management over TCP, one model of Hyper-V, guests that really decrypt.

It imports of the agent only ``core`` and ``contracts``. It is simulated and says so.
"""
