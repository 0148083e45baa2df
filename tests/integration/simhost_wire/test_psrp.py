"""Unmodified pypsrp runs scripts on a simulated host over TCP."""

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from pypsrp.complex_objects import ObjectMeta, PSInvocationState
from pypsrp.exceptions import AuthenticationError, WinRMTransportError, WSManFaultError
from pypsrp.powershell import PowerShell, RunspacePool
from pypsrp.wsman import WSMan
from support.simhost_site import PASSWORD, Site, command, run, script, site


@pytest.mark.parametrize(
    ("tls", "auth"),
    [(True, "basic"), (True, "ntlm"), (True, "negotiate"), (False, "ntlm"), (False, "negotiate")],
)
def test_runs_a_script_with_every_authentication(tmp_path: Path, *, tls: bool, auth: str) -> None:
    """A script gets its named parameters and its input, and its lines come back, whatever the authentication."""
    with site(tmp_path, tls=tls) as host, host.pool(auth=auth) as pool:
        shell = run(pool, "Echo", "l\u00ednea 1\nline 2", Name="web-1", Count=4, Force=None)
    assert not shell.had_errors
    assert json.loads(shell.output[0]) == {
        "parameters": {"Name": "web-1", "Count": 4, "Force": True},
        "input": ["l\u00ednea 1\nline 2"],
    }
    assert host.backend.calls[0].account == "admin"
    assert host.backend.calls[0].host == "hv1"


@pytest.mark.parametrize("user", ["ADMIN", r"HV1\admin", "admin@example.test"])
@pytest.mark.parametrize("auth", ["basic", "ntlm"])
def test_knows_an_account_by_all_its_spellings(https: Site, auth: str, user: str) -> None:
    """Case, domain and UPN suffix of an account's name make no difference."""
    with https.pool(auth=auth, user=user) as pool:
        run(pool, "Echo")
    assert https.backend.calls[0].account == "admin"


@pytest.mark.parametrize("auth", ["basic", "ntlm"])
@pytest.mark.parametrize(
    ("user", "password"), [("admin", "wrong"), ("admin", ""), ("nobody", PASSWORD), ("a:b\n", "x")]
)
def test_refuses_wrong_credentials(https: Site, auth: str, user: str, password: str) -> None:
    """A wrong password or account is an authentication error, and nothing runs."""
    with (
        https.wsman(auth=auth, user=user, password=password) as connection,
        pytest.raises(AuthenticationError),
    ):
        RunspacePool(connection).open()
    assert https.backend.calls == []


def test_refuses_wrong_credentials_over_http(http: Site) -> None:
    """A wrong password over plain HTTP is an authentication error too."""
    with http.wsman(auth="ntlm", password="wrong") as connection, pytest.raises(AuthenticationError):
        RunspacePool(connection).open()


def test_refuses_basic_over_http(http: Site) -> None:
    """A password in clear is not taken without TLS."""
    host, port = http.server.endpoint("hv1")
    plain = WSMan(
        host,
        port=port,
        username="admin",
        password=PASSWORD,
        ssl=False,
        auth="basic",
        encryption="never",
        no_proxy=True,
    )
    with plain, pytest.raises(AuthenticationError):
        RunspacePool(plain).open()


def test_refuses_unencrypted_messages_over_http(http: Site) -> None:
    """NTLM without message encryption over plain HTTP is refused with a text that says so."""
    with (
        http.wsman(auth="ntlm", encryption="never") as connection,
        pytest.raises(WinRMTransportError) as refused,
    ):
        RunspacePool(connection).open()
    assert refused.value.code == 500
    assert "Unencrypted" in refused.value.response_text


def test_message_encryption_also_works_inside_tls(https: Site) -> None:
    """A client that encrypts its messages although TLS does is served."""
    with https.pool(auth="ntlm", encryption="always") as pool:
        assert not run(pool, "Echo").had_errors


@pytest.mark.parametrize("tls", [True, False])
def test_moves_a_megabyte_each_way(tmp_path: Path, *, tls: bool) -> None:
    """A megabyte of input and of output arrive whole."""
    text = "0123456789abcde\n" * 65536
    with site(tmp_path, tls=tls) as host, host.pool(auth="ntlm") as pool:
        run(pool, "Echo", text)
        shell = run(pool, "Emit", Lines=1, Size=1_000_000)
        many = run(pool, "Emit", Lines=1000, Size=1000)
    assert host.backend.calls[0].pipeline_input == (text,)
    assert shell.output == ["x" * 1_000_000]
    assert many.output == ["x" * 1000] * 1000


def test_decrypts_secure_strings_in_a_hashtable(https: Site) -> None:
    """SecureStrings of a hashtable parameter come through the session key and show themselves nowhere."""
    with https.pool() as pool:
        pool.exchange_keys()
        secret = pool.serialize("top s\u00e9cret", ObjectMeta("SS"))
        shell = run(pool, "Echo", Secrets={"guest_la_pw": secret})
    assert json.loads(shell.output[0])["parameters"] == {
        "Secrets": {"guest_la_pw": {"secure": "top s\u00e9cret"}}
    }
    assert "s\u00e9cret" not in repr(https.backend.calls[0])


def test_an_unknown_script_is_command_not_found(https: Site) -> None:
    """A path without a script gives Windows' own record."""
    with https.pool() as pool:
        shell = run(pool, "Nothing")
    record = shell.streams.error[0]
    assert shell.state == PSInvocationState.FAILED
    assert record.fq_error == "CommandNotFoundException"
    assert str(record).startswith(f"The term '{script('Nothing')}' is not recognized as the name of a cmdlet")
    assert record.exception is not None
    assert record.exception.types[0] == "System.Management.Automation.CommandNotFoundException"


def test_a_failed_script_is_a_terminating_error(https: Site) -> None:
    """A script's terminating error has its id, its category and its message."""
    with https.pool() as pool:
        shell = run(pool, "Fail")
    record = shell.streams.error[0]
    assert (shell.state, shell.had_errors) == (PSInvocationState.FAILED, True)
    assert (record.fq_error, record.category, str(record)) == ("DISK_FULL,Invoke-Job", 21, "the disk is full")


def test_an_error_of_the_back_end_tells_no_details(https: Site, caplog: pytest.LogCaptureFixture) -> None:
    """What a back-end stumbles over is logged; the client learns only that it did, and the host lives on."""
    with https.pool() as pool:
        shell = run(pool, "Crash")
        after = run(pool, "Echo")
    assert shell.streams.error[0].fq_error == "SimulatedHostError"
    assert "secret detail" not in str(shell.streams.error[0])
    assert "ended by an error of the back-end" in caplog.text
    assert not after.had_errors


def test_script_text_is_refused_by_name(https: Site) -> None:
    """Script text, a second command and a positional argument never reach the back-end."""
    with https.pool() as pool:
        positional = command(pool, "Echo")
        positional.add_argument("positional")
        shells = [
            PowerShell(pool).add_script("Get-Date"),
            command(pool, "Echo").add_cmdlet("Out-String"),
            positional,
        ]
        for shell in shells:
            shell.invoke()
            shell.close()
        refused = [shell.streams.error[0].fq_error for shell in shells]
    assert refused == ["ScriptsNotAllowed", "ScriptsNotAllowed", "PositionalParameterNotFound"]
    assert https.backend.calls == []


def test_a_pool_answers_about_itself(https: Site) -> None:
    """The questions that a client asks a pool are answered (psrpcore's gap for CI among them)."""
    with https.pool() as pool:
        pool.max_runspaces = 5
        pool.min_runspaces = 2
        assert pool.get_available_runspaces() == 5
        pool.reset_runspace_state()
        assert pool.is_alive()
        listed = RunspacePool.get_runspace_pools(pool.connection)
        assert [found.id.upper() for found in listed] == [pool.id.upper()]
        config = pool.connection.get_server_config()
        plugin = pool.connection.get_server_config("config/plugin?Name=Microsoft.PowerShell")
    assert "MaxShellsPerUser" in [child.tag.rpartition("}")[2] for child in config.iter()]
    assert [found.get("MaxShellsPerUser") for found in plugin.iter() if found.tag.endswith("Quotas")] == [
        "1000"
    ]


def test_a_closed_shell_is_not_found(https: Site) -> None:
    """A shell that was deleted answers with the captured fault."""
    with https.wsman() as connection:
        pool = RunspacePool(connection)
        pool.open()
        connection.delete(pool.shell.resource_uri, selector_set=pool.shell._selector_set)
        with pytest.raises(WSManFaultError) as fault:
            run(pool, "Echo")
    assert fault.value.code == 2150858843
    assert f"ShellId {pool.id} failed because the shell was not found" in fault.value.reason


def test_a_shell_belongs_to_its_account(https: Site) -> None:
    """Another account can neither use nor see a shell."""
    with https.pool() as pool, https.wsman(user="other", password="another password") as other:
        stranger = RunspacePool(other)
        stranger.shell._selector_set = pool.shell._selector_set
        with pytest.raises(WSManFaultError) as fault:
            run(stranger_open(stranger), "Echo")
        assert RunspacePool.get_runspace_pools(other) == []
    assert fault.value.code == 5


def stranger_open(pool: RunspacePool) -> RunspacePool:
    """A pool that believes to be open."""
    pool.protocol_version = "2.3"
    pool.state = 2
    return pool


def test_fifty_pipelines_at_once(https: Site) -> None:
    """Fifty pipelines in shells of their own run at the same time and do not mix."""

    def one(number: int) -> str:
        with https.pool() as pool:
            shell = command(pool, "Wait")
            shell.begin_invoke()
            every.append(number)
            shell.end_invoke()
            shell.close()
            return str(run(pool, "Echo", Number=number).output[0])

    every: list[int] = []
    with ThreadPoolExecutor(50) as threads:
        futures = [threads.submit(one, number) for number in range(50)]
        for _ in range(50):
            assert https.backend.started.acquire(timeout=60)
        https.backend.release.set()
        answers = [json.loads(future.result(timeout=120))["parameters"]["Number"] for future in futures]
    assert https.backend.most_running == 50
    assert answers == list(range(50))
