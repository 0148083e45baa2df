"""Several listeners of one agent: tokens with roles, client certificates, a unix socket."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme
from aetherv.client import AgentError, connect
from aetherv.v1 import host_service_pb2, vm_service_pb2
from support.agent_site import MakeAgent

VIEWER = "a-viewer-of-this-test-00000000"
EXPIRED = "an-expired-token-0000000000000"
LIST = host_service_pb2.ListHostsRequest()
DELETE = vm_service_pb2.DeleteVmRequest(name="vms/0a1b2c3d-4e5f-4a6b-8c7d-9e0f1a2b3c4d")


@pytest.fixture
def socket_folder() -> Iterator[Path]:
    """Return a folder whose path is short enough for a socket."""
    with tempfile.TemporaryDirectory(prefix="av") as name:
        yield Path(name)


def test_each_listener_knows_its_callers_in_its_own_way(
    make_agent: MakeAgent, socket_folder: Path, tmp_path: Path
) -> None:
    """Roles come from the configuration, by token or certificate; expired and unknown tokens get one text."""
    clients = trustme.CA()
    (tmp_path / "clients.pem").write_bytes(clients.cert_pem.bytes())
    issued = {name: clients.issue_cert(name) for name in ("ci.example.com", "stranger.example.com")}
    for name, cert in issued.items():
        (tmp_path / f"{name}.pem").write_bytes(cert.cert_chain_pems[0].bytes())
        (tmp_path / f"{name}.key").write_bytes(cert.private_key_pem.bytes())
        (tmp_path / f"{name}.key").chmod(0o600)

    def digest(token: str) -> str:
        return hashlib.sha256(token.encode()).hexdigest()

    agent = make_agent(
        listeners=[
            {"address": "127.0.0.1:0"},
            {"address": "127.0.0.1:0", "auth": "mtls", "client_ca": str(tmp_path / "clients.pem")},
            {"address": f"unix:{socket_folder}/agent.sock", "tls": False},
        ],
        tokens=[
            {"sha256": digest(VIEWER), "principal": "watcher", "role": "viewer"},
            {
                "sha256": digest(EXPIRED),
                "principal": "old",
                "role": "admin",
                "expires": "2020-01-01T00:00:00Z",
            },
        ],
        certificates=[{"name": "ci.example.com", "role": "viewer"}],
    )
    tokens, certificates, local = (line.split(" listens on ")[1].split(" ")[0] for line in agent.lines[:3])
    ca = agent.environment["AETHERV_CA_CERT"]
    with connect(tokens, token=VIEWER, ca_cert=ca, environ={}) as viewer:
        assert len(viewer.hosts.ListHosts(LIST).hosts) == 1
        with pytest.raises(AgentError) as refused:
            viewer.vms.DeleteVm(DELETE)
    assert (refused.value.code, refused.value.reason) == ("PERMISSION_DENIED", "PERMISSION_DENIED")
    texts = set()
    for token in (EXPIRED, "unknown-token-00000000"):
        with (
            connect(tokens, token=token, ca_cert=ca, environ={}) as client,
            pytest.raises(AgentError) as unknown,
        ):
            client.hosts.ListHosts(LIST)
        assert unknown.value.code == "UNAUTHENTICATED"
        texts.add(unknown.value.message)
    assert len(texts) == 1

    def by_certificate(name: str) -> int:
        with connect(
            certificates,
            ca_cert=ca,
            client_cert=str(tmp_path / f"{name}.pem"),
            client_key=str(tmp_path / f"{name}.key"),
            environ={},
        ) as client:
            return len(client.hosts.ListHosts(LIST).hosts)

    assert by_certificate("ci.example.com") == 1
    with pytest.raises(AgentError) as stranger:
        by_certificate("stranger.example.com")
    assert stranger.value.code == "PERMISSION_DENIED"
    with connect(local, token=VIEWER, plaintext=True, environ={}) as client:
        assert len(client.hosts.ListHosts(LIST).hosts) == 1
    assert agent.stop() == 0
    assert VIEWER not in agent.log
    assert "outcome=PERMISSION_DENIED" in agent.log
    assert "principal=watcher" in agent.log
