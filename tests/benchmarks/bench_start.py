"""The provider's cold start: from the launcher to the line that Terraform waits for, and what it is made of."""

from __future__ import annotations

import base64
import os
import subprocess
import sys
import time
from pathlib import Path

from support.figures import Figures, timed
from terraform_provider_aetherv.install import install
from terraform_provider_aetherv.plugin import handshake
from terraform_provider_aetherv.plugin.certificate import make_certificate

RUNS = 20
# What the handshake needs, in the order in which it loads it.
_SERVER = "import grpc; import terraform_provider_aetherv.plugin.server"
_CERTIFICATE = "from terraform_provider_aetherv.plugin import certificate; certificate.make_certificate()"
STAGES = (
    ("Python alone", "pass"),
    ("... and gRPC", "import grpc"),
    ("... and the plugin's server", _SERVER),
    ("... and its certificate", f"{_SERVER}; {_CERTIFICATE}"),
)


def _handshake(command: list[str], folder: Path) -> float:
    """Return the seconds until a provider, started as Terraform starts it, has printed its line."""
    client = make_certificate().certificate_pem.decode()
    environ = {
        **os.environ,
        "TMPDIR": str(folder),
        handshake.COOKIE_NAME: handshake.COOKIE,
        "PLUGIN_PROTOCOL_VERSIONS": "5,6",
        "PLUGIN_CLIENT_CERT": client,
    }
    began = time.perf_counter()
    with subprocess.Popen(
        command, env=environ, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as process:
        assert process.stdout is not None
        line = process.stdout.readline().decode().strip()
        took = time.perf_counter() - began
        process.kill()
    core, protocol, network, _, kind, certificate = line.split("|")
    assert (core, protocol, network, kind) == ("1", "6", "unix", "grpc")
    assert base64.b64decode(certificate + "=" * (-len(certificate) % 4))
    return took


def test_cold_start(tmp_path: Path, figures: Figures) -> None:
    """Start, with TLS as Terraform asks for it, ends in a good handshake; its time and its parts are noted."""
    installed = install(tmp_path / "plugins")
    (launcher,) = installed.launchers
    python = [str(installed.python), "-P"]
    # In turns, so that what else the machine does meets all alike.
    stages: dict[str, list[float]] = {name: [] for name, _ in STAGES}
    direct: list[float] = []
    whole: list[float] = []
    for _ in range(RUNS):
        for name, code in STAGES:
            stages[name].append(timed(lambda code=code: subprocess.run([*python, "-c", code], check=True)))  # type: ignore[misc]  # a default binds it
        direct.append(_handshake([*python, "-m", "terraform_provider_aetherv"], tmp_path))
        whole.append(_handshake([str(launcher)], tmp_path))
    assert sys.executable == str(installed.python)
    figures.add("Provider's start", "", f"medians of {RUNS}")
    for name, samples in stages.items():
        figures.seconds(f"  {name}", samples, "whole process, with its end")
    figures.seconds("  handshake, Python directly", direct)
    figures.seconds("  handshake, by the launcher", whole, "what Terraform waits for, each time it starts it")
