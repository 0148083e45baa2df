"""The operations engine: submit, claim, lease, watch, cancel, prune. It knows no VM and speaks to no host."""
