"""The guests in the simulated host's VMs: what the provisioning ISO's scripts do in a Linux and a Windows guest."""
