"""The Aether-V agent: a gRPC service that makes, reads and removes VMs on Hyper-V hosts."""
