"""Who this provider is: its address for Terraform and its version."""

from __future__ import annotations

from typing import Final

# A host name that nobody can serve: nothing is ever downloaded under it.
HOST: Final = "aetherv.internal"
NAMESPACE: Final = "aetherv"
TYPE: Final = "aetherv"
ADDRESS: Final = f"{HOST}/{NAMESPACE}/{TYPE}"
# The distribution's; a test holds them equal. Asking the installed metadata would cost time at each start.
VERSION: Final = "0.1.0"
