"""The first line of a plugin's life: how Terraform and this process find each other (go-plugin's handshake)."""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

COOKIE_NAME: Final = "TF_PLUGIN_MAGIC_COOKIE"
# Public and the same for every provider: it tells an accidental start by hand from one by Terraform.
COOKIE: Final = "d602bf8f470bc67ca7faa0386276bbdd4330efaf76d1a219cb4d6991ca9872b2"
CORE_PROTOCOL: Final = 1
PROVIDER_PROTOCOL: Final = 6

NOT_BY_HAND: Final = (
    "This is the aetherv provider of Terraform: it makes virtual machines on Hyper-V. Terraform starts it by itself.\n"
    "Install it with `aetherv provider install`, name it in `required_providers`, then run `terraform init`.\n"
    "To debug it, start it with --debug."
)


@dataclass(frozen=True, slots=True)
class Address:
    """Where the plugin listens.

    Attributes:
        network: ``unix`` or ``tcp``.
        address: the socket's path, or ``127.0.0.1:port``.
    """

    network: str
    address: str


def started_by_terraform(environ: Mapping[str, str]) -> bool:
    """Tell whether the environment holds the magic cookie."""
    return environ.get(COOKIE_NAME) == COOKIE


def speaks_our_protocol(environ: Mapping[str, str]) -> bool:
    """Tell whether Terraform, if it says what it speaks, speaks protocol 6."""
    versions = environ.get("PLUGIN_PROTOCOL_VERSIONS", "")
    return not versions or str(PROVIDER_PROTOCOL) in versions.split(",")


def wants_tls(environ: Mapping[str, str]) -> bool:
    """Tell whether Terraform sent a certificate, and so expects one."""
    return bool(environ.get("PLUGIN_CLIENT_CERT"))


def handshake_line(address: Address, certificate: bytes | None) -> str:
    """Give the line for standard output, without its end.

    Args:
        address: where the plugin listens.
        certificate: the server's, in DER; None without TLS.
    """
    fields = [str(CORE_PROTOCOL), str(PROVIDER_PROTOCOL), address.network, address.address, "grpc"]
    if certificate is not None:
        fields.append(base64.b64encode(certificate).decode().rstrip("="))
    return "|".join(fields)


def reattach_json(provider_address: str, address: Address) -> str:
    """Give the value of ``TF_REATTACH_PROVIDERS`` with which Terraform uses this process and does not end it."""
    return json.dumps(
        {
            provider_address: {
                "Protocol": "grpc",
                "ProtocolVersion": PROVIDER_PROTOCOL,
                "Pid": os.getpid(),
                "Test": True,
                "Addr": {"Network": address.network, "String": address.address},
            }
        }
    )
