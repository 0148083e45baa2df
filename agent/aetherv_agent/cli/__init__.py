"""The command line ``aetherv``. It speaks to an agent by ``aetherv.client`` alone; opens neither store nor WinRM."""
