"""A simulated Hyper-V host: unmodified WinRM clients connect to it over TCP and run host scripts on it."""
