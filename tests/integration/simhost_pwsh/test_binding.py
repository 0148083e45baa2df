"""What PowerShell refuses before the model is asked, and what the model refuses by name."""

import pytest
from support.pwsh_site import Console


@pytest.mark.parametrize(
    ("call", "error_id"),
    [
        ("Get-VM -Force", "NamedParameterNotFound,Get-VM"),
        ("Start-VM -Id ([guid]::NewGuid())", "NamedParameterNotFound,Start-VM"),
        ("New-VM -Name x -Notes text", "NamedParameterNotFound,New-VM"),
        ("New-VM -Name x -Generation 3", "ParameterArgumentValidationError,New-VM"),
        ("Set-VM -Name x -AutomaticStopAction Explode", "ParameterArgumentTransformationError,Set-VM"),
        ("Get-VM -Id 'no guid'", "ParameterArgumentTransformationError,Get-VM"),
        ("Get-VM -Name x -Id ([guid]::NewGuid())", "AmbiguousParameterSet,Get-VM"),
        ("Stop-VM -VM ([pscustomobject]@{ Name = 'x' })", "MismatchedPSTypeName,Stop-VM"),
        ("Get-CimInstance -Bogus x", "NamedParameterNotFound,Get-CimInstance"),
        ("Add-VMGpuPartitionAdapter -Bogus x", "NamedParameterNotFound,Add-VMGpuPartitionAdapter"),
    ],
)
def test_a_call_that_windows_refuses_is_refused(shell: Console, call: str, error_id: str) -> None:
    """Unknown parameters and values, wrong types and mixed sets end with PowerShell's own error ids."""
    assert shell.error(call)["id"] == error_id


@pytest.mark.parametrize(
    ("call", "named"),
    [
        ("Get-VM -ComputerName other", "Get-VM -ComputerName"),
        ("Start-VM -Name x -AsJob", "Start-VM -AsJob"),
        ("Set-VM -Name x -SnapshotFileLocation C:\\", "Set-VM -SnapshotFileLocation"),
        ("Export-VM -Name x -Path C:\\", "Export-VM"),
        ("Get-ClusterQuorum", "Get-ClusterQuorum"),
        ("Get-CimInstance -ClassName Win32_OperatingSystem -ComputerName x", "Get-CimInstance -ComputerName"),
        ("Get-CimInstance -Query 'ASSOCIATORS OF {x}'", "the WQL statement ASSOCIATORS OF"),
        ("New-CimInstance -ClassName Win32_Volume", "New-CimInstance without -ClientOnly"),
    ],
)
def test_what_the_model_does_not_do_is_refused_by_name(shell: Console, call: str, named: str) -> None:
    """A documented command or parameter that the model does not do is an error that names it, never ignored."""
    error = shell.error(call)
    assert error["id"].startswith("SimulatedHostRefused,")
    assert named in error["message"]


def test_the_callers_preference_counts(shell: Console) -> None:
    """Without -ErrorAction a stub goes by its caller's ErrorActionPreference, as a cmdlet does."""
    found = shell.value(
        "& { $ErrorActionPreference = 'SilentlyContinue'; Get-VM nobody; 'on' }; "
        "try { & { $ErrorActionPreference = 'Stop'; Get-VM nobody; 'on' } } catch { 'stopped' }"
    )
    assert found == ["on", "stopped"]


def test_what_if_changes_nothing(shell: Console) -> None:
    """A command that knows -WhatIf asks the model for nothing with it."""
    shell.run("New-VM -Name whatif -MemoryStartupBytes 1GB -Generation 2 -WhatIf")
    assert shell.value("@(Get-VM | Where-Object Name -eq 'whatif').Count") == 0


def test_parameters_bind_by_position_alias_and_pipeline(shell: Console) -> None:
    """Positions, aliases and pipeline input are the documented ones."""
    shell.run("New-VM binder 1GB 2")
    assert (
        shell.value("(Get-VM binder).Name; (Get-VM -VMName binder).Name; ('binder' | Get-VM).Name")
        == ["binder"] * 3
    )
    assert shell.value("(Get-VM binder | Set-VM -Notes hello -Passthru).Notes") == "hello"
    shell.run("Get-VM binder | Remove-VM -Force")
    assert shell.error("Get-VM binder")["id"].startswith("InvalidParameter,")
