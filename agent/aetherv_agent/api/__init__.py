"""The gRPC surface: thin servicers on grpc.aio, who may call what, and how errors are told. It knows no host."""
