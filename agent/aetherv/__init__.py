"""The public client side of Aether-V: generated code of ``aetherv.v1`` and one hand-written client."""
