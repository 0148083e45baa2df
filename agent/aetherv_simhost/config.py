"""What a simulated host server is started with. Plain data; nothing is opened or checked against the machine."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class HostConfig:
    r"""One simulated host.

    Attributes:
        host_id: Its id, used in folder names: letters, digits, ``-``, ``_`` and ``.``.
        users: Password by account name. A name is compared without its case; a client may write ``name``,
            ``DOMAIN\name`` or ``name@domain``. Never shown.
        port: TCP port; 0 lets the system choose once, and the choice is kept in the state folder.
        model: Settings handed to the back-end's model.
        max_running: Scripts that run at once; a command above it is refused with a fault.
    """

    host_id: str
    users: Mapping[str, str] = field(repr=False)
    port: int = 0
    model: Mapping[str, object] = field(default_factory=dict)
    max_running: int = 256


@dataclass(frozen=True, slots=True)
class SimHostConfig:
    """One server process with its simulated hosts.

    Attributes:
        hosts: The hosts; one TCP port each.
        state_dir: Folder for everything that outlives the process: ``ca.pem``, ``tls/``, ``ports.json`` and
            ``hosts/<host id>/`` for each host (its ``faults.json`` and its model).
        address: Address to listen on.
        tls: HTTPS (Basic, NTLM, CredSSP) or plain HTTP (NTLM and CredSSP, with message encryption alone).
        backend: Name for `aetherv_simhost.backends.make_backend`.
        names: DNS names and addresses that the server's certificate is also good for.
    """

    hosts: tuple[HostConfig, ...]
    state_dir: Path
    address: str = "127.0.0.1"
    tls: bool = True
    backend: str = "auto"
    names: tuple[str, ...] = ("localhost", "127.0.0.1")

    def host_dir(self, host_id: str) -> Path:
        """The state folder of one host."""
        return self.state_dir / "hosts" / host_id
