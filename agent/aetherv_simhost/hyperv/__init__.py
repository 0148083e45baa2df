"""The one model of a Hyper-V host: VMs, files, switches, cluster and key-value exchange, with the guests in the VMs."""
