"""The process that Terraform starts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from terraform_provider_aetherv.address import ADDRESS
from terraform_provider_aetherv.plugin.serve import serve

if TYPE_CHECKING:
    from terraform_provider_aetherv.plugin.provider import Provider


def _build() -> Provider:
    from terraform_provider_aetherv.provider import build

    return build()


if __name__ == "__main__":
    serve(_build, address=ADDRESS)
