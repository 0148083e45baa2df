"""``powershell.exe -File`` through unmodified pywinrm: parameters, standard input, output and exit code."""

from collections.abc import Iterator

import pytest
from support.pwsh_site import PASSWORD, PwshSite, pwsh_site
from winrm.protocol import Protocol

SCRIPT = r"C:\Program Files\Aether-V\try.ps1"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PwshSite]:
    """A host with a script on it."""
    with pwsh_site(tmp_path_factory.mktemp("winrs")) as started:
        started.backend.host.files.write_text(
            SCRIPT,
            "param([string] $Name, [switch] $On, [int] $Code = 0)\n"
            'begin { "$Name $On" } process { if ($_) { "read $_" } } end { (Get-VMHost).Name; exit $Code }\n',
        )
        yield started


def protocol(site: PwshSite) -> Protocol:
    """The client of pywinrm."""
    host, port = site.server.endpoint("hv1")
    return Protocol(
        f"https://{host}:{port}/wsman",
        transport="basic",
        username="admin",
        password=PASSWORD,
        ca_trust_path=str(site.server.ca_cert),
        proxy=None,
    )


def run(site: PwshSite, line: str, given: str = "") -> tuple[str, str, int]:
    """Runs a command line and gives output, error text and exit code."""
    client = protocol(site)
    shell_id = client.open_shell(codepage=65001)
    try:
        command = client.run_command(shell_id, line)
        if given:
            client.send_command_input(shell_id, command, given.encode(), end=True)
        out, err, code = client.get_command_output(shell_id, command)
        client.cleanup_command(shell_id, command)
    finally:
        client.close_shell(shell_id)
    return out.decode(), err.decode(), code


def test_a_script_runs_with_its_parameters_and_input(site: PwshSite) -> None:
    """Named parameters, a switch and each line of standard input reach the script under its Windows path."""
    line = f'powershell.exe -NoProfile -NonInteractive -File "{SCRIPT}" -Name "a b" -On'
    out, err, code = run(site, line, "one\n\u00e4\n")
    assert (out.splitlines(), err, code) == (
        ["a b True", "read one", "read \u00e4", "HV1"],
        "",
        0,
    )


def test_a_scripts_failure_is_an_exit_code(site: PwshSite) -> None:
    """A script that exits with another code than 0 has failed, and one that is not there too."""
    assert run(site, f'powershell.exe -File "{SCRIPT}" -Code 3')[2] == 1
    assert run(site, r"powershell.exe -File C:\nothing.ps1")[2] == 4294770688
