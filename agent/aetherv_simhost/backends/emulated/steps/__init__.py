"""The steps of a create, each get-or-create."""
