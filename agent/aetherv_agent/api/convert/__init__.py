"""Between protobuf and core. Pure; the only place that knows both."""
