"""Starting, stopping and feeding the server of simulated hosts."""

import json
import os
import signal
import socket
import ssl
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
from aetherv_simhost.backends import make_backend
from aetherv_simhost.backends.api import Backend
from aetherv_simhost.faults import Faults
from aetherv_simhost.serve import (
    BackendRefused,
    HostConfig,
    SimHostConfig,
    SimHostError,
    SimHostServer,
    read_users,
)
from support.simhost_site import PASSWORD, USERS, ScriptBackend, Site, run, site

SERVE = """
import sys
from pathlib import Path
from aetherv_simhost import serve
from support.simhost_site import ScriptBackend
class Server(serve.SimHostServer):
    def __init__(self, config):
        super().__init__(config, lambda *_: ScriptBackend())
serve.SimHostServer = Server
config = serve.SimHostConfig((serve.HostConfig("hv1", {"admin": "x"}),), Path(sys.argv[1]))
serve.serve(config, lambda server: print(server.endpoint("hv1")[1], flush=True))
print("ended", flush=True)
"""


def factory(name: str, host_id: str, state: Path, faults: Faults, model: Mapping[str, object]) -> Backend:
    """A back-end of the tests' own."""
    return ScriptBackend()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_serve_runs_until_a_signal(tmp_path: Path, number: signal.Signals) -> None:
    """The process says when it is ready, serves, and ends cleanly at SIGTERM and SIGINT."""
    paths = os.pathsep.join(path for path in sys.path if path)
    process = subprocess.Popen(
        [sys.executable, "-c", SERVE, str(tmp_path)],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": f"{Path(__file__).parents[2]}{os.pathsep}{paths}"},
    )
    with process:
        assert process.stdout is not None
        port = int(process.stdout.readline())
        with socket.create_connection(("127.0.0.1", port), timeout=10):
            process.send_signal(number)
            assert process.stdout.readline() == "ended\n"
        assert process.wait(timeout=20) == 0


def test_several_hosts_in_one_process(tmp_path: Path) -> None:
    """Each host has a port, accounts, a folder and faults of its own."""
    hosts = (HostConfig("hv1", USERS), HostConfig("hv2", {"admin": "second"}))
    with SimHostServer(SimHostConfig(hosts, tmp_path), factory) as server:
        assert server.endpoint("hv1") != server.endpoint("hv2")
        assert server.faults("hv1") is not server.faults("hv2")
        assert (tmp_path / "hosts" / "hv2").is_dir()
        ports = json.loads((tmp_path / "ports.json").read_text())
        assert ports == {name: server.endpoint(name)[1] for name in ("hv1", "hv2")}


def test_private_keys_are_private(tmp_path: Path) -> None:
    """Nobody else may read the keys, and no password lies in the state folder."""
    with site(tmp_path) as host, host.pool(auth="ntlm") as pool:
        run(pool, "Echo")
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    keys = [path for path in files if b"PRIVATE KEY" in path.read_bytes()]
    assert {path.name for path in keys} == {"ca.key.pem", "server.pem"}
    assert all(path.stat().st_mode & 0o077 == 0 for path in keys)
    assert not any(PASSWORD.encode() in path.read_bytes() for path in files)


@pytest.mark.parametrize(
    ("hosts", "text"),
    [
        ((), "no host"),
        ((HostConfig("../x", {}),), "host id"),
        ((HostConfig("a", {}), HostConfig("a", {})), "same id"),
    ],
)
def test_refuses_a_wrong_configuration(tmp_path: Path, hosts: tuple[HostConfig, ...], text: str) -> None:
    """A configuration that cannot work is refused before anything starts."""
    with pytest.raises(SimHostError, match=text):
        SimHostServer(SimHostConfig(hosts, tmp_path / "state"), factory).start()
    assert not (tmp_path / "state").exists()


def test_refuses_a_port_that_is_taken(https: Site, tmp_path: Path) -> None:
    """A taken port is an error that names host and port, and start does not hang."""
    port = https.server.endpoint("hv1")[1]
    config = SimHostConfig((HostConfig("hv9", USERS, port=port),), tmp_path / "second")
    with pytest.raises(SimHostError, match=f"host hv9: cannot listen on 127.0.0.1:{port}"):
        SimHostServer(config, factory).start()


def test_refuses_a_back_end_it_does_not_have(tmp_path: Path) -> None:
    """An unknown back-end is refused by name."""
    with pytest.raises(SimHostError, match="back-end 'nothing' is not available"):
        SimHostServer(SimHostConfig((HostConfig("hv1", USERS),), tmp_path, backend="nothing")).start()
    with pytest.raises(BackendRefused):
        make_backend("nothing", "hv1", tmp_path, Faults())


def test_reads_users_from_a_private_file(tmp_path: Path) -> None:
    """Accounts come from a file that its owner alone may read; nothing of a wrong file is shown."""
    path = tmp_path / "users.json"
    path.write_text(json.dumps({"admin": "pw"}))
    path.chmod(0o600)
    assert read_users(path) == {"admin": "pw"}
    path.chmod(0o640)
    with pytest.raises(SimHostError, match="others may read it"):
        read_users(path)
    path.chmod(0o600)
    for wrong in ("secret", '["secret"]', '{"admin": 1}'):
        path.write_text(wrong)
        with pytest.raises(SimHostError) as refused:
            read_users(path)
        assert "secret" not in str(refused.value)
    with pytest.raises(SimHostError):
        read_users(tmp_path / "none.json")


def talk(host: Site, data: bytes) -> bytes:
    """Sends bytes to a host, says no more and reads to the end."""
    with socket.create_connection(host.server.endpoint("hv1"), timeout=10) as raw:
        channel = raw
        if host.tls:
            context = ssl.create_default_context(cafile=host.server.ca_cert)
            channel = context.wrap_socket(raw, server_hostname="127.0.0.1")
        with channel:
            channel.sendall(data)
            answer = b""
            while b"\r\n\r\n" not in answer and (more := channel.recv(65536)):
                answer += more
            return answer


# admin and PASSWORD
BASIC = b"Authorization: Basic YWRtaW46UGE6c3Mgd8O2cmQ=\r\n"


@pytest.mark.parametrize(
    ("request_bytes", "status"),
    [
        (b"nonsense\r\n\r\n", 400),
        (b"\x16\x03\x01", 400),
        (b"POST /wsman HTTP/1.1\r\nno colon\r\n\r\n", 400),
        (b"POST /wsman HTTP/1.1\r\n\r\n", 411),
        (b"POST /wsman HTTP/1.1\r\nContent-Length: -1\r\n\r\n", 411),
        (b"POST /wsman HTTP/1.1\r\nContent-Length: 99999999\r\n\r\n", 413),
        (b"POST /wsman HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", 501),
        (b"POST /wsman HTTP/1.1\r\nX: " + b"x" * 70000 + b"\r\n\r\n", 431),
        (b"GET / HTTP/1.1\r\n\r\n", 401),
        (b"POST /wsman HTTP/1.1\r\nContent-Length: 0\r\nAuthorization: Basic !!\r\n\r\n", 401),
        (b"POST /wsman HTTP/1.1\r\nContent-Length: 0\r\nAuthorization: Negotiate AAAA\r\n\r\n", 401),
        (
            b"POST /wsman HTTP/1.1\r\nContent-Length: 0\r\nAuthorization: Negotiate TlRMTVNTUAADAAAA\r\n\r\n",
            401,
        ),
        (b"POST /wsman HTTP/1.1\r\nContent-Length: 4\r\n" + BASIC + b"\r\n<no>", 400),
        (b"POST /wsman HTTP/1.1\r\nContent-Length: 5\r\n" + BASIC + b"\r\n<no/>", 400),
        (b"POST /wsman HTTP/1.1\r\nContent-Length: 23\r\n" + BASIC + b"\r\n<!DOCTYPE a []><a>b</a>", 400),
        (
            b"POST /wsman HTTP/1.1\r\nContent-Type: multipart/encrypted\r\nContent-Length: 2\r\n"
            + BASIC
            + b"\r\nxx",
            400,
        ),
    ],
)
def test_survives_what_is_no_winrm_request(https: Site, request_bytes: bytes, status: int) -> None:
    """Bytes that are no request get a plain status, and the host goes on serving."""
    assert talk(https, request_bytes).startswith(b"HTTP/1.1 %d " % status)
    with https.pool() as pool:
        assert not run(pool, "Echo").had_errors


def test_identify_needs_no_account(https: Site) -> None:
    """Identify answers without authentication when the client asks for that."""
    answer = talk(
        https, b"POST /wsman HTTP/1.1\r\nWSMANIDENTIFY: unauthenticated\r\nContent-Length: 0\r\n\r\n"
    )
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert b"Microsoft Corporation" in answer
