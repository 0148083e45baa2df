"""Remote shells that are PowerShell processes, through unmodified pypsrp: streams, errors, secrets, stop, kill, bounds."""

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pypsrp.complex_objects import ObjectMeta, PSInvocationState
from pypsrp.exceptions import WinRMError, WSManFaultError
from pypsrp.powershell import PowerShell, RunspacePool
from support.pwsh_site import Console, PwshSite, console, pwsh_site

NOT_FOUND = 2150858843
TOO_MANY_SHELLS = 2150859173


@pytest.fixture(scope="module", params=[True, False], ids=["https", "http"])
def site(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[PwshSite]:
    """A host over HTTPS with Basic, and over HTTP with NTLM and message encryption."""
    with pwsh_site(tmp_path_factory.mktemp("shells"), tls=request.param) as started:
        yield started


def until(condition: Any) -> None:
    """Waits until something is so, for a while that is long enough for a loaded machine."""
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def script(pool: RunspacePool, text: str) -> PowerShell:
    """A pipeline with a text."""
    shell = PowerShell(pool)
    shell.add_script(text)
    return shell


def test_every_stream_comes_through(site: PwshSite) -> None:
    """Output, errors, warnings, verbose, debug, information and progress arrive as the records that they are."""
    with site.pool() as pool:
        shell = script(
            pool,
            "$VerbosePreference = $DebugPreference = 'Continue'; 'out'; 42; Write-Error 'err' -ErrorId Mine -Category InvalidData;"
            " Write-Warning 'warn'; Write-Verbose 'verb'; Write-Debug 'deb'; Write-Information 'info';"
            " Write-Progress -Activity act -Status st -PercentComplete 50",
        )
        output = shell.invoke()
        shell.close()
    assert output == ["out", 42]
    streams = shell.streams
    assert [e.fq_error for e in streams.error] == ["Mine"]
    assert [e.category for e in streams.error] == [6]
    assert [str(w) for w in streams.warning] == ["warn"]
    assert [str(v) for v in streams.verbose] == ["verb"]
    assert [str(d) for d in streams.debug] == ["deb"]
    assert [str(i.message_data) for i in streams.information] == ["info"]
    assert "act" in [p.activity for p in streams.progress]


def test_a_models_error_arrives_typed(site: PwshSite) -> None:
    """An error record of a stub keeps id, category, reason and target over the wire."""
    with site.pool() as pool:
        shell = script(pool, "Get-VM nobody")
        shell.invoke()
        shell.close()
    error = shell.streams.error[0]
    assert error.fq_error == "InvalidParameter,Microsoft.HyperV.PowerShell.Commands.GetVM"
    assert (error.reason, error.activity, error.target_name) == (
        "VirtualizationException",
        "Get-VM",
        "nobody",
    )


def test_a_terminating_error_fails_the_pipeline(site: PwshSite) -> None:
    """``throw`` ends a pipeline as Failed, with its record."""
    with site.pool() as pool:
        shell = script(pool, "throw 'gone wrong'")
        shell.invoke()
        assert shell.state == PSInvocationState.FAILED
        assert [error.fq_error for error in shell.streams.error] == ["gone wrong"]
        shell.close()


def test_input_and_large_output(site: PwshSite) -> None:
    """Pipeline input arrives whole, and an output of megabytes too."""
    with site.pool() as pool:
        shell = script(
            pool, "param([Parameter(ValueFromPipeline)] $Line) process { $Line.Length; 'x' * 3000000 }"
        )
        output = shell.invoke(["\u00e4" * 200_000])  # type: ignore[arg-type]  # pypsrp takes a list too
        shell.close()
    assert output[0] == 200_000
    assert output[1] == "x" * 3_000_000


def test_secure_strings_pass_by_the_session_key(site: PwshSite) -> None:
    """A SecureString parameter arrives readable for the script alone, also inside a hashtable."""
    with site.pool() as pool:
        pool.exchange_keys()
        shell = script(
            pool,
            "param($Secrets) $plain = [Net.NetworkCredential]::new('', $Secrets['pw']).Password;"
            " $Secrets['pw'].GetType().Name; $plain.Length; $plain -ceq 'Gei\u00dfheim'",
        )
        shell.add_parameter("Secrets", {"pw": pool.serialize("Gei\u00dfheim", ObjectMeta("SS"))})
        output = shell.invoke()
        shell.close()
    assert output == ["SecureString", 8, True]


def test_a_pipeline_can_be_stopped(site: PwshSite) -> None:
    """Stop ends a waiting script: its finally runs, and the shell takes the next pipeline."""
    with site.pool() as pool:
        mark = site.backend.host.files.real(r"C:\stopped.txt")
        mark.unlink(missing_ok=True)
        shell = script(
            pool,
            "try { 'begun'; while ($true) { Start-Sleep -Milliseconds 20 } } finally { Set-Content C:\\stopped.txt x }",
        )
        shell.begin_invoke()
        while "begun" not in shell.output:
            shell.poll_invoke()
        shell.stop()
        assert shell.state == PSInvocationState.STOPPED
        shell.close()
        until(mark.exists)
        again = script(pool, "'next'")
        assert again.invoke() == ["next"]
        again.close()


def test_two_shells_are_two_processes(site: PwshSite) -> None:
    """Each remote shell has a process of its own, so environment variables stay apart; a deleted shell's process ends."""
    with site.pool() as one, site.pool() as other:
        set_one = script(one, "$env:GuestLaPw = 'one'; $PID")
        pid = set_one.invoke()[0]
        set_one.close()
        look = script(other, "[string]$env:GuestLaPw; $PID")
        seen = look.invoke()
        look.close()
        assert seen[0] == ""
        assert seen[1] != pid
        assert {pid, seen[1]} <= set(site.backend.processes())
    until(lambda: pid not in site.backend.processes())


def test_a_killed_process_is_a_shell_that_is_gone(site: PwshSite) -> None:
    """When the process dies a waiting client is told, and later requests find no shell."""
    with site.wsman() as connection:
        pool = RunspacePool(connection)
        pool.open()
        shell = script(pool, "$PID; while ($true) { Start-Sleep -Milliseconds 20 }")
        shell.begin_invoke()
        while not shell.output:
            shell.poll_invoke()
        os.kill(int(shell.output[0]), signal.SIGKILL)
        until(lambda: int(shell.output[0]) not in site.backend.processes())
        with pytest.raises((WSManFaultError, WinRMError)):
            shell.end_invoke()
        with pytest.raises(WSManFaultError) as found:
            script(pool, "1").invoke()
        assert found.value.code == NOT_FOUND


def test_another_client_takes_a_shell_over(site: PwshSite) -> None:
    """A second client connects to a disconnected shell and gets the output that nobody read."""
    with site.wsman() as first:
        pool = RunspacePool(first)
        pool.open()
        shell = script(pool, "'before'; Start-Sleep -Milliseconds 300; 'after'")
        shell.begin_invoke()
        pool.disconnect()
        with site.wsman() as second:
            found = [p for p in RunspacePool.get_runspace_pools(second) if p.id == pool.id]
            assert len(found) == 1
            found[0].connect()
            pipelines = found[0].create_disconnected_power_shells()
            assert list(pipelines[0].connect()) == ["before", "after"]  # type: ignore[no-untyped-call]  # pypsrp's own lack
            found[0].close()


def test_shells_are_bounded(tmp_path: Path) -> None:
    """Above its limit of processes a host refuses a shell with the quota's fault."""
    with pwsh_site(tmp_path, pwsh={"max_processes": 1}) as small, small.pool() as pool:
        with pytest.raises(WSManFaultError) as found, small.pool():
            pass
        assert found.value.code == TOO_MANY_SHELLS
        shell = script(pool, "'still here'")
        assert shell.invoke() == ["still here"]
        shell.close()


def test_idle_shells_end(site: PwshSite) -> None:
    """A shell's idle time-out kills its process."""
    with site.wsman() as connection:
        pool = RunspacePool(connection, idle_timeout=1)
        pool.open()
        assert len(site.backend.processes()) >= 1
        until(lambda: not site.backend.processes())


def test_the_host_ends_its_processes(tmp_path: Path) -> None:
    """When a server stops no PowerShell of it is left, whatever it runs."""
    with pwsh_site(tmp_path) as started, started.wsman() as connection:
        pool = RunspacePool(connection)
        pool.open()
        script(pool, "while ($true) { Start-Sleep -Milliseconds 20 }").begin_invoke()
        pids = started.backend.processes()
        assert len(pids) == 1
    assert [pid for pid in pids if Path(f"/proc/{pid}").exists()] == []


def test_windows_variables_and_edition(shell: Console) -> None:
    """A shell has Windows' variables, the drive C: and the edition that the host was given."""
    edition = shell.site.backend.settings.edition
    found = shell.value(
        "$env:ProgramData; $env:COMPUTERNAME; $env:USERNAME; $PSVersionTable.PSEdition; Test-Path $env:ProgramData;"
        " (Get-Service vmms).Status; @(Get-Module -ListAvailable Hyper-V).Count"
    )
    assert found == [r"C:\ProgramData", "HV1", "admin", edition, True, "Running", 1]


@pytest.mark.parametrize(("delegated", "login"), [(True, "CredSSP"), (False, "Negotiate")])
def test_a_script_sees_how_its_client_logged_in(tmp_path: Path, *, delegated: bool, login: str) -> None:
    """$PSSenderInfo names the account and a login that reaches a second hop or not; nothing else tells of it."""
    with console(tmp_path, pwsh={"delegated": delegated}) as opened:
        found = opened.value(
            "$i = $PSSenderInfo.UserInfo.Identity; $i.AuthenticationType; $i.Name; @(Get-ChildItem Env:AETHERV_SIMHOST*).Count"
        )
    assert found == [login, r"HV1\admin", 0]


def test_compressed_folders_have_the_attribute(tmp_path: Path) -> None:
    """A folder that NTFS compresses, and what is in it, has Compressed among its attributes; others have not."""
    with console(tmp_path, compressed_folders=[r"C:\Squeezed"]) as opened:
        opened.run(r"$null = New-Item -ItemType Directory C:\Squeezed\in, C:\Free")
        found = opened.value(
            "'C:\\Squeezed', 'C:\\Squeezed\\in', 'C:\\Free' | % { [bool]((Get-Item -LiteralPath $_).Attributes -band 'Compressed') };"
            " (Get-CimInstance Win32_Directory -Filter \"Name = 'C:\\\\Squeezed\\\\in'\").Compressed"
        )
    assert found == [True, True, False, True]
