"""A real agent process on a simulated host, over TLS and WinRM."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml
from aetherv.client import Client, connect
from aetherv_simhost.serve import HostConfig, SimHostConfig, SimHostServer

PASSWORD = "simulated-host-pa\u00dfword"
START_SECONDS = 60.0


@dataclass
class AgentProcess:
    """``aetherv agent serve`` as a process of its own.

    Attributes:
        folder: holds its configuration and state.
        process: the process, or None before ``start``.
        lines: what it announced.
    """

    folder: Path
    config: dict[str, Any]
    process: subprocess.Popen[bytes] | None = None
    lines: list[str] = field(default_factory=list)

    @property
    def log(self) -> str:
        """All that it has logged."""
        return (self.folder / "log").read_text("utf-8")

    @property
    def endpoint(self) -> str:
        """Where it listens."""
        return self.lines[0].split(" listens on ")[1].split(" ")[0]

    @property
    def environment(self) -> dict[str, str]:
        """What clients need to reach it."""
        return {
            "AETHERV_ENDPOINT": self.endpoint,
            "AETHERV_TOKEN_FILE": str(self.folder / "state" / "token"),
            "AETHERV_CA_CERT": str(self.folder / "state" / "tls" / "ca.pem"),
        }

    def start(self, environ: Mapping[str, str] | None = None) -> AgentProcess:
        """Start it and wait until it serves."""
        path = self.folder / "agent.yaml"
        path.write_text(yaml.safe_dump(self.config), "utf-8")
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "aetherv_agent", "agent", "serve", "--config", str(path)],
                stdout=subprocess.PIPE,
                stderr=log,
                env={**os.environ, **(environ or {})},
            )
        self.lines = []
        deadline = time.monotonic() + START_SECONDS
        text = b""
        assert self.process.stdout is not None
        while b"token file:" not in text:
            ready, _, _ = select.select([self.process.stdout], [], [], max(deadline - time.monotonic(), 0))
            chunk = os.read(self.process.stdout.fileno(), 65536) if ready else b""
            if not chunk:
                pytest.fail(f"the agent does not serve: {self.log}")
            text += chunk
        self.lines = text.decode().splitlines()
        return self

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Send a signal and return the exit code."""
        assert self.process is not None
        if self.process.poll() is None:
            self.process.send_signal(number)
        code = self.process.wait(60)
        if self.process.stdout is not None:
            self.process.stdout.close()
        return code

    def client(self) -> Client:
        """Return a client of it."""
        return connect(environ=self.environment)


@dataclass
class Site:
    """A simulated host and the configuration of agents for it."""

    server: SimHostServer
    folder: Path

    def config(self, **changes: Any) -> dict[str, Any]:
        """Return an agent's configuration."""
        address, port = self.server.endpoint("hv01")
        host = {
            "name": "hv01",
            "address": address,
            "port": port,
            "username": "svc",
            "password_file": str(self.folder / "hv01.password"),
            "ca_cert": str(self.server.ca_cert),
        }
        base = {
            "version": 1,
            "state_dir": "state",
            "listeners": [{"address": "127.0.0.1:0"}],
            "operations": {"shutdown_notice": 0, "shutdown_grace": 5},
            "hosts": [host],
        }
        return base | changes


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    """Return a simulated host."""
    folder = tmp_path / "site"
    folder.mkdir()
    (folder / "hv01.password").write_text(PASSWORD + "\n", "utf-8")
    (folder / "hv01.password").chmod(0o600)
    config = SimHostConfig(
        hosts=(HostConfig("hv01", {"svc": PASSWORD}),), state_dir=folder / "sim", backend="emulated"
    )
    with SimHostServer(config) as server:
        yield Site(server, folder)


MakeAgent = Callable[..., AgentProcess]


@pytest.fixture
def make_agent(site: Site, tmp_path: Path) -> Iterator[MakeAgent]:
    """Return how an agent is started."""
    started: list[AgentProcess] = []

    def make(environ: Mapping[str, str] | None = None, **changes: Any) -> AgentProcess:
        folder = tmp_path / "agent"
        folder.mkdir(exist_ok=True)
        agent = AgentProcess(folder, site.config(**changes))
        started.append(agent)
        return agent.start(environ)

    yield make
    for agent in started:
        if agent.process is not None:
            agent.stop(signal.SIGKILL)
