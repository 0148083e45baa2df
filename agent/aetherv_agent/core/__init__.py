"""The agent's frozen domain. Pure: no I/O, imports nothing of ours but ``contracts``."""
