"""One file per change of the schema, forward and additive."""
