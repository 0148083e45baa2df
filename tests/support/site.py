"""A whole site for end-to-end tests: simulated hosts and the agent as processes, clients and Terraform beside them.

Everything is started as a user starts it, by the command ``aetherv``, and can be killed.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aetherv.client import Client, connect
from aetherv_simhost.faults import Fault, write_faults

ACCOUNT = "aetherv"
HOST_PASSWORD = "host-Passw0rd-4711"
GUEST_PASSWORD = "guest-Passw0rd-0815"
DOMAIN_PASSWORD = "domain-Passw0rd-1234"
SECRETS = (HOST_PASSWORD, GUEST_PASSWORD, DOMAIN_PASSWORD)

_COMMAND = [sys.executable, "-m", "aetherv_agent"]
_START_SECONDS = 30.0


def free_port() -> int:
    """Return a TCP port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def eventually(condition: Callable[[], Any], what: str, within: float = 30.0) -> Any:
    """Return the condition's first true value; fail the test if there is none in time."""
    deadline = time.monotonic() + within
    while not (value := condition()):
        assert time.monotonic() < deadline, f"not within {within} s: {what}"
        time.sleep(0.02)
    return value


@dataclass
class Site:
    """Simulated hosts and an agent in one folder.

    Attributes:
        folder: everything of the site lies in it.
        hosts: the simulated hosts' names.
        model: settings of each host's model.
        agent_settings: what the agent's configuration has beside hosts and listener.
        host_settings: what each host of the configuration has beside its connection.
    """

    folder: Path
    hosts: tuple[str, ...] = ("hv01",)
    model: dict[str, Any] = field(default_factory=dict)
    agent_settings: dict[str, Any] = field(default_factory=dict)
    host_settings: dict[str, Any] = field(default_factory=dict)
    password: str = HOST_PASSWORD
    port: int = field(default_factory=free_port)
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def start(self) -> Site:
        """Start hosts and agent."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self.start_hosts()
        self.start_agent()
        return self

    def start_hosts(self) -> None:
        """Start the simulated hosts, for the first time or again."""
        users = self.folder / "users.json"
        users.touch(mode=0o600)
        users.write_text(json.dumps({ACCOUNT: HOST_PASSWORD}))
        model = self.folder / "model.json"
        model.write_text(json.dumps(self.model))
        names = [argument for host in self.hosts for argument in ("--host", host)]
        self._spawn(
            "simhost",
            [
                "simhost",
                "serve",
                *names,
                "--state-dir",
                str(self.sim),
                "--user-file",
                str(users),
                "--model",
                str(model),
            ],
        )
        eventually(
            lambda: (self.sim / "ports.json").is_file() or self._dead("simhost"), "the simulated hosts' ports"
        )
        for host in self.hosts:
            self.wait_port("simhost", self.host_port(host))

    def start_agent(self, *, wait: bool = True) -> None:
        """Start the agent, for the first time or again."""
        password = self.folder / "host-password"
        password.touch(mode=0o600)
        password.write_text(self.password)
        config: dict[str, Any] = {
            "version": 1,
            "state_dir": str(self.folder / "agent"),
            "listeners": [{"address": f"127.0.0.1:{self.port}"}],
            "provisioning": {"settle_seconds": 1, "inventory_max_age": 0.2},
            "operations": {"shutdown_notice": 0, "shutdown_grace": 1},
            "hosts": [
                {
                    "name": host,
                    "address": "127.0.0.1",
                    "port": self.host_port(host),
                    "auth": "ntlm",
                    "username": ACCOUNT,
                    "password_file": str(password),
                    "ca_cert": str(self.sim / "ca.pem"),
                    **self.host_settings,
                }
                for host in self.hosts
            ],
        }
        for name, value in self.agent_settings.items():
            config[name] = {**config.get(name, {}), **value} if isinstance(value, dict) else value
        path = self.folder / "agent.yaml"
        path.write_text(json.dumps(config))
        self._spawn("agent", ["agent", "serve", "--config", str(path)])
        if wait:
            eventually(
                lambda: (self.folder / "agent/token").is_file() or self._dead("agent"), "the agent's token"
            )
            self.wait_port("agent", self.port)

    @property
    def sim(self) -> Path:
        """The simulated hosts' state folder."""
        return self.folder / "simhost"

    def host_folder(self, host: str = "hv01") -> Path:
        """One simulated host's state folder."""
        return self.sim / "hosts" / host

    def host_port(self, host: str) -> int:
        """The port that a simulated host listens on."""
        port: int = json.loads((self.sim / "ports.json").read_text())[host]
        return port

    @property
    def client_env(self) -> dict[str, str]:
        """The ``AETHERV_*`` variables of a client."""
        return {
            "AETHERV_ENDPOINT": f"127.0.0.1:{self.port}",
            "AETHERV_TOKEN_FILE": str(self.folder / "agent/token"),
            "AETHERV_CA_CERT": str(self.folder / "agent/tls/ca.pem"),
        }

    def client(self) -> Client:
        """Return a client of the agent."""
        return connect(environ=self.client_env)

    def cli(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run the command ``aetherv`` as a client."""
        return subprocess.run(
            [*_COMMAND, *arguments],
            env={**os.environ, **self.client_env, "NO_COLOR": "1", "COLUMNS": "200"},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def faults(self, *faults: Fault, host: str = "hv01") -> None:
        """Ask a host for these faults and no others."""
        write_faults(self.host_folder(host), *faults)

    def vms(self, host: str = "hv01") -> dict[str, dict[str, Any]]:
        """Return what the model of a host holds of its VMs, by name."""
        found = {}
        for path in (self.host_folder(host) / "vms").glob("*.json"):
            raw = json.loads(path.read_text())
            found[raw["vm"]["name"]] = raw
        return found

    def vm_folders(self, host: str = "hv01") -> list[str]:
        """Return the names of the VM folders on a host, whoever made them."""
        drives = self.host_folder(host) / "drives"
        return sorted(
            path.name
            for parent in drives.rglob("*")
            if parent.is_dir() and parent.name.casefold() == "hyper-v"
            for path in parent.iterdir()
        )

    def kill(self, name: str) -> None:
        """Kill a process as ``kill -9`` does."""
        process = self.processes.pop(name)
        process.kill()
        process.wait()

    def terminate(self, name: str, within: float = 30.0) -> int:
        """Ask a process to end, and return its status."""
        process = self.processes.pop(name)
        process.terminate()
        return process.wait(within)

    def log(self, name: str) -> str:
        """Return what a process has printed."""
        return (self.folder / f"{name}.log").read_text(errors="replace")

    def stop(self) -> None:
        """Stop what still runs."""
        for process in self.processes.values():
            process.send_signal(signal.SIGTERM)
        for process in self.processes.values():
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self.processes.clear()

    def wait_port(self, name: str, port: int) -> None:
        """Wait until a process listens on its port."""

        def listens() -> bool:
            self._dead(name)
            with socket.socket() as probe:
                probe.settimeout(1)
                return probe.connect_ex(("127.0.0.1", port)) == 0

        eventually(listens, f"the {name}'s port", _START_SECONDS)

    def _dead(self, name: str) -> bool:
        assert self.processes[name].poll() is None, f"the {name} ended:\n{self.log(name)[-4000:]}"
        return False

    def _spawn(self, name: str, arguments: list[str], env: Mapping[str, str] | None = None) -> None:
        with (self.folder / f"{name}.log").open("ab") as log:
            self.processes[name] = subprocess.Popen(
                [*_COMMAND, *arguments],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={**os.environ, **(env or {})},
                start_new_session=True,
            )


def files_with(folder: Path, text: str) -> list[Path]:
    """Return every file below a folder that holds a text in UTF-8, UTF-16 or base64-free form."""
    needles = (text.encode(), text.encode("utf-16-le"))
    return [
        path
        for path in sorted(folder.rglob("*"))
        if path.is_file() and any(needle in path.read_bytes() for needle in needles)
    ]
