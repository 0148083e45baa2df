"""The Terraform provider ``aetherv``: a plugin shim that maps ``aetherv_vm`` onto the agent's RPCs."""
