"""Faults that were asked for, as pypsrp sees them."""

import time
from pathlib import Path

import pytest
from aetherv_simhost.faults import Fault, write_faults
from pypsrp.exceptions import AuthenticationError, WinRMTransportError, WSManFaultError
from pypsrp.powershell import RunspacePool
from requests.exceptions import ChunkedEncodingError, ReadTimeout
from requests.exceptions import ConnectionError as RequestsConnectionError
from support.simhost_site import ScriptBackend, Site, begin_waiting, command, run, site


def test_503(https: Site) -> None:
    """A 503 is a transport error with its code; the request was not executed, and the next one is."""
    https.faults.add(Fault("http_503", "Command"))
    with https.pool() as pool:
        with pytest.raises(WinRMTransportError) as refused:
            run(pool, "Echo")
        assert refused.value.code == 503
        assert https.backend.calls == []
        assert not run(pool, "Echo").had_errors


@pytest.mark.parametrize("kind", ["reset", "reset_mid", "lost_answer"])
def test_a_reset_breaks_the_request_and_not_the_shell(https: Site, kind: str) -> None:
    """A broken connection is requests' ConnectionError, and the shell survives it."""
    https.faults.add(Fault(kind, "Receive", after=1, value="keep"))
    with https.pool() as pool:
        shell = command(pool, "Wait")
        shell.begin_invoke()
        https.backend.release.set()
        with pytest.raises((RequestsConnectionError, ChunkedEncodingError)):
            shell.end_invoke()
        shell.end_invoke()
        shell.close()
    assert shell.output == ["started", "ended"]


def test_after_a_reset_encryption_starts_anew(http: Site) -> None:
    """Over plain HTTP a new connection needs a new context: 400 without, and the shell goes on with it."""
    http.faults.add(Fault("reset", "Command"))
    with http.pool(auth="ntlm") as pool:
        with pytest.raises(RequestsConnectionError):
            run(pool, "Echo")
        with pytest.raises(WinRMTransportError) as refused:
            run(pool, "Echo")
        assert refused.value.code == 400
        transport = pool.connection.transport
        transport.close()
        transport.session = transport.encryption = None
        assert not run(pool, "Echo").had_errors


def test_an_idle_close_is_nothing_under_tls(https: Site) -> None:
    """A connection closed between two requests is opened again without a word."""
    https.faults.add(Fault("idle_close", "Signal"))
    with https.pool(auth="ntlm") as pool:
        assert not run(pool, "Echo").had_errors
        time.sleep(0.3)
        assert not run(pool, "Echo").had_errors


def test_refused_credentials(https: Site) -> None:
    """A password that stopped being right is an authentication error."""
    https.faults.add(Fault("auth_refused", count=-1))
    with https.wsman() as connection, pytest.raises(AuthenticationError):
        RunspacePool(connection).open()


def test_an_unreachable_host(https: Site) -> None:
    """A host that resets every connection is requests' ConnectionError."""
    https.faults.add(Fault("unreachable", count=-1))
    with https.wsman() as connection, pytest.raises(RequestsConnectionError):
        RunspacePool(connection).open()
    https.faults.clear()
    with https.pool() as pool:
        assert not run(pool, "Echo").had_errors


def test_latency(https: Site) -> None:
    """An answer that comes too late is requests' ReadTimeout, although the request is executed."""
    https.faults.add(Fault("latency", "Command", value=2.0))
    with https.pool(read_timeout=1) as pool:
        with pytest.raises(ReadTimeout):
            run(pool, "Echo")
        assert https.backend.started.acquire(timeout=10)
        assert not run(pool, "Echo").had_errors
    assert len(https.backend.calls) == 2


def test_more_scripts_than_allowed(tmp_path: Path) -> None:
    """A command above the limit of running scripts is refused with the captured fault, and runs later."""
    with site(tmp_path, max_running=1) as host, host.pool() as pool, host.pool() as other:
        shell = begin_waiting(pool)
        with pytest.raises(WSManFaultError) as fault:
            run(other, "Echo")
        host.backend.release.set()
        shell.end_invoke()
        shell.close()
        assert not run(other, "Echo").had_errors
    assert fault.value.code == 2150859174


def test_killed_shells(https: Site) -> None:
    """After a restart of WinRM a shell is not found, and a request that was waiting is aborted."""
    with https.pool() as pool, https.pool() as other:
        shell = command(pool, "Wait")
        shell.begin_invoke()
        https.faults.add(Fault("shells_killed", "Command"))
        with pytest.raises(WSManFaultError) as fault:
            run(other, "Echo")
        assert fault.value.code == 2150858843
        assert https.backend.stopped.wait(5)
        with pytest.raises(WSManFaultError):
            shell.poll_invoke()
        pool.state = other.state = 3


def test_shell_quota(https: Site) -> None:
    """The quota's fault has the captured code and text, and a closed shell makes room."""
    https.faults.add(Fault("shell_quota", count=-1, value=1))
    with https.pool(), https.wsman() as connection, pytest.raises(WSManFaultError) as fault:
        RunspacePool(connection).open()
    assert fault.value.code == 2150859173
    assert "maximum number of 1 concurrent shells" in fault.value.reason
    with https.pool() as pool:
        assert not run(pool, "Echo").had_errors


def test_a_reboot(https: Site) -> None:
    """A host that goes down breaks connections, is unreachable for a while and comes back without its shells."""
    with https.pool() as pool:
        with pytest.raises(RequestsConnectionError):
            run(pool, "Reboot", Seconds=1)
        deadline = time.monotonic() + 20
        while True:
            try:
                with pytest.raises(WSManFaultError) as fault:
                    run(pool, "Echo")
                break
            except RequestsConnectionError:
                assert time.monotonic() < deadline
                time.sleep(0.1)
        pool.state = 3
    assert fault.value.code == 2150858843


def test_faults_by_file(https: Site, tmp_path: Path) -> None:
    """A fault written into the host's folder happens as often as it says, in a server that is already running."""
    folder = tmp_path / "hosts" / "hv1"
    with https.pool() as pool:
        write_faults(folder, Fault("http_503", "Command", count=2))
        for _ in range(2):
            with pytest.raises(WinRMTransportError):
                run(pool, "Echo")
        assert not run(pool, "Echo").had_errors


def test_a_restart_keeps_ports_authority_and_spent_faults(tmp_path: Path) -> None:
    """A restarted server listens where it did, under the same CA; a fault that happened does not happen again."""
    with site(tmp_path) as host:
        before = host.server.endpoint("hv1"), host.server.ca_cert.read_bytes()
        write_faults(tmp_path / "hosts" / "hv1", Fault("http_503", "Command"))
        with host.pool() as pool, pytest.raises(WinRMTransportError):
            run(pool, "Echo")
    with site(tmp_path, ScriptBackend()) as again:
        assert (again.server.endpoint("hv1"), again.server.ca_cert.read_bytes()) == before
        with again.pool() as pool:
            assert not run(pool, "Echo").had_errors


def test_stopping_the_server_aborts_what_waits(tmp_path: Path) -> None:
    """A Receive that waits when the server stops ends at once, and so does its script."""
    with site(tmp_path) as host, host.wsman() as connection:
        pool = RunspacePool(connection)
        pool.open()
        shell = begin_waiting(pool)
        host.server.stop()
        assert host.backend.stopped.is_set()
        assert host.backend.closed
        with pytest.raises(RequestsConnectionError):
            shell.poll_invoke()
