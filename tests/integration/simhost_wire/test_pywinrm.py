"""Unmodified pywinrm runs host scripts through powershell.exe -File, and nothing else."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

import pytest
from support.simhost_site import PASSWORD, Site, script, site
from winrm import Session
from winrm.exceptions import InvalidCredentialsError, WinRMOperationTimeoutError, WSManFaultError
from winrm.protocol import Protocol

NO_PROFILE = ["-NoProfile", "-NonInteractive"]


def protocol(host: Site, transport: Literal["ssl", "ntlm"] = "ssl", **options: Any) -> Protocol:
    """A pywinrm client."""
    address, port = host.server.endpoint("hv1")
    chosen = {
        "username": "admin",
        "password": PASSWORD,
        "ca_trust_path": str(host.server.ca_cert) if host.tls else None,
        "proxy": None,
        **options,
    }
    scheme = "https" if host.tls else "http"
    return Protocol(f"{scheme}://{address}:{port}/wsman", transport, **chosen)


@contextmanager
def shell(client: Protocol) -> Iterator[str]:
    """An open shell."""
    shell_id = client.open_shell(codepage=65001)
    yield shell_id
    client.close_shell(shell_id)


def execute(client: Protocol, arguments: list[str], stdin: bytes | None = None) -> tuple[str, str, int]:
    """Runs powershell.exe; gives its output, its errors and its exit code."""
    with shell(client) as shell_id:
        command_id = client.run_command(shell_id, "powershell.exe", arguments)
        if stdin is not None:
            half = len(stdin) // 2
            client.send_command_input(shell_id, command_id, stdin[:half])
            client.send_command_input(shell_id, command_id, stdin[half:], end=True)
        out, err, code = client.get_command_output(shell_id, command_id)
        client.cleanup_command(shell_id, command_id)
    return out.decode(), err.decode(), code


@pytest.mark.parametrize(("tls", "transport"), [(True, "ssl"), (True, "ntlm"), (False, "ntlm")])
def test_runs_a_script_with_standard_input(
    tmp_path: Path, *, tls: bool, transport: Literal["ssl", "ntlm"]
) -> None:
    """A script gets its arguments and its standard input, and its lines come back, whatever the authentication."""
    with site(tmp_path, tls=tls) as host:
        arguments = [
            *NO_PROFILE,
            "-File",
            f'"{script("Echo")}"',
            "-Name",
            '"two words"',
            "-Count:4",
            "-Force",
        ]
        out, err, code = execute(protocol(host, transport), arguments, "d\u00f6cument\n".encode())
    assert (err, code) == ("", 0)
    assert out.endswith("\r\n")
    assert json.loads(out) == {
        "parameters": {"Name": "two words", "Count": "4", "Force": True},
        "input": ["d\u00f6cument\n"],
    }
    assert host.backend.calls[0].account == "admin"


def test_runs_a_script_by_a_session(https: Site) -> None:
    """Session.run_cmd, which sends no input, runs a script too."""
    address, port = https.server.endpoint("hv1")
    session = Session(
        f"https://{address}:{port}/wsman",
        ("admin", PASSWORD),
        transport="ssl",
        ca_trust_path=str(https.server.ca_cert),
        proxy=None,
    )
    answer = session.run_cmd("powershell.exe", [*NO_PROFILE, "-File", script("Echo"), "-Name", "x"])
    assert answer.status_code == 0
    assert json.loads(answer.std_out) == {"parameters": {"Name": "x"}, "input": []}


def test_script_text_is_refused_by_name(https: Site) -> None:
    """-EncodedCommand (Session.run_ps), -Command and other programs are refused, by name and with exit code 1."""
    client = protocol(https)
    texts = [execute(client, ["-EncodedCommand", "RwBlAHQA"]), execute(client, ["-Command", "Get-Date"])]
    with shell(client) as shell_id:
        command_id = client.run_command(shell_id, "ipconfig", ["/all"])
        out, err, code = client.get_command_output(shell_id, command_id)
    texts.append((out.decode(), err.decode(), code))
    assert [(text, code) for text, _, code in texts] == [("", 1)] * 3
    for (_, text, _), name in zip(texts, ("-EncodedCommand", "-Command", "ipconfig"), strict=True):
        assert text.startswith(f"{name} is refused")
        assert "powershell.exe -NoProfile -NonInteractive -File" in text
    assert https.backend.calls == []


def test_a_missing_script(https: Site) -> None:
    """powershell.exe's own words and exit code for a -File that does not exist."""
    out, err, code = execute(protocol(https), ["-File", script("Nothing")])
    assert (out, code) == ("", 0xFFFD0000)
    assert err.startswith(f"The argument '{script('Nothing')}' to the -File parameter does not exist.")


def test_a_failed_script(https: Site) -> None:
    """A terminating error is text on stderr and exit code 1."""
    _, err, code = execute(protocol(https), ["-File", script("Fail")])
    assert code == 1
    assert "the disk is full" in err
    assert "FullyQualifiedErrorId : DISK_FULL,Invoke-Job" in err


def test_a_megabyte_each_way(https: Site) -> None:
    """Large input in pieces and large output arrive whole."""
    client = protocol(https)
    with shell(client) as shell_id:
        command_id = client.run_command(shell_id, "powershell.exe", ["-File", script("Echo")])
        for _ in range(10):
            client.send_command_input(shell_id, command_id, b"x" * 100_000)
        client.send_command_input(shell_id, command_id, b"", end=True)
        client.get_command_output(shell_id, command_id)
    out, _, code = execute(client, ["-File", script("Emit"), "-Lines", "10", "-Size", "100000"])
    assert https.backend.calls[0].pipeline_input == ("x" * 1_000_000,)
    assert (len(out), code) == (10 * 100_002, 0)


def test_wrong_password(https: Site) -> None:
    """A wrong password is pywinrm's InvalidCredentialsError."""
    transports: list[Literal["ssl", "ntlm"]] = ["ssl", "ntlm"]
    for transport in transports:
        with pytest.raises(InvalidCredentialsError):
            protocol(https, transport, password="wrong").open_shell()


def test_stops_a_command(https: Site) -> None:
    """Terminate stops a running script; the shell answers timeouts meanwhile."""
    client = protocol(https, operation_timeout_sec=1, read_timeout_sec=5)
    with shell(client) as shell_id:
        command_id = client.run_command(shell_id, "powershell.exe", ["-File", script("Wait")])
        assert client.get_command_output_raw(shell_id, command_id)[0] == b"started\r\n"
        with pytest.raises(WinRMOperationTimeoutError):
            client.get_command_output_raw(shell_id, command_id)
        client.cleanup_command(shell_id, command_id)
        assert https.backend.stopped.wait(5)
        with pytest.raises(WSManFaultError) as fault:
            client.get_command_output_raw(shell_id, command_id)
    assert fault.value.wsman_fault_code == 2150858843


def test_an_unknown_shell(https: Site) -> None:
    """A shell that is gone is the captured fault."""
    client = protocol(https)
    with shell(client) as shell_id:
        pass
    calls: list[Callable[[], object]] = [
        lambda: client.run_command(shell_id, "powershell.exe"),
        lambda: client.close_shell(shell_id),
    ]
    for call in calls:
        with pytest.raises(WSManFaultError) as fault:
            call()
        assert fault.value.wsman_fault_code == 2150858843
