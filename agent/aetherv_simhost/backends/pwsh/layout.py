r"""What PowerShell needs around it: start script with drives and module, empty modules of Windows' names, environment, host scripts."""

import json
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from aetherv_agent import contracts

from aetherv_simhost.backends.pwsh.settings import PwshSettings
from aetherv_simhost.hyperv import paths
from aetherv_simhost.hyperv.host import HyperVHost
from aetherv_simhost.windows.calls import Session
from aetherv_simhost.windows.documented import TABLES

_MODULE: Final = TABLES.parent / "FakeHyperV.psm1"
_WINDOWS_MODULES: Final = ("Hyper-V", "FailoverClusters", "CimCmdlets")
# Windows' own folders that scripts may look for.
_FOLDERS: Final = (r"C:\Windows\Temp", r"C:\Windows\System32", r"C:\ProgramData", r"C:\Users\Public")
_PASSED: Final = ("PATH", "LANG", "LC_ALL", "SSL_CERT_DIR", "SSL_CERT_FILE", "LD_LIBRARY_PATH", "TZ")
_CALL: Final = "AETHERV_SIMHOST_CALL"
_LOGIN: Final = "AETHERV_SIMHOST_LOGIN"
# How the client logged in, as scripts see it on Windows: the server process itself knows nothing of it.
_SENDER: Final = f"""
$sender = Get-Variable PSSenderInfo -Scope Global -ValueOnly -ErrorAction Ignore
if ($null -ne $sender) {{
    $kind = [System.Management.Automation.Remoting.PSIdentity]
    $values = @{{ AuthenticationType = $env:{_LOGIN}; Name = "$env:USERDOMAIN\\$env:USERNAME" }}
    foreach ($entry in $values.GetEnumerator()) {{
        $kind.GetField("<$($entry.Key)>k__BackingField", 'NonPublic,Instance').SetValue($sender.UserInfo.Identity, $entry.Value)
    }}
}}
Remove-Item Env:{_LOGIN}
"""
# NTFS' attributes, for hosts that have folders with them.
_GET_ITEM: Final = """
$global:FakeCompressed = @({folders})
function global:Get-Item {{
    [CmdletBinding(DefaultParameterSetName = 'Path')]
    param(
        [Parameter(ParameterSetName = 'Path', Mandatory, Position = 0, ValueFromPipeline)][string[]] $Path,
        [Parameter(ParameterSetName = 'LiteralPath', Mandatory, ValueFromPipelineByPropertyName)][Alias('PSPath')][string[]] $LiteralPath,
        [string] $Filter, [string[]] $Include, [string[]] $Exclude, [switch] $Force, [pscredential] $Credential
    )
    process {{
        if (-not $PSBoundParameters.ContainsKey('ErrorAction')) {{ $ErrorActionPreference = $PSCmdlet.SessionState.PSVariable.GetValue('ErrorActionPreference') }}
        foreach ($item in Microsoft.PowerShell.Management\\Get-Item @PSBoundParameters) {{
            foreach ($folder in $global:FakeCompressed) {{
                if ("$($item.FullName)/".StartsWith("$folder/", [StringComparison]::OrdinalIgnoreCase)) {{
                    $marked = $item.Attributes -bor [IO.FileAttributes]::Compressed
                    $item | Add-Member -MemberType NoteProperty -Name Attributes -Value $marked -Force
                    break
                }}
            }}
            $item
        }}
    }}
}}
"""
# Calls a script by its Windows path: -File takes real paths alone.
_RUN_SCRIPT: Final = f"""
$call = ConvertFrom-Json $env:{_CALL}
Remove-Item Env:{_CALL}
$named = @{{}}
foreach ($property in $call.parameters.PSObject.Properties) {{ $named[$property.Name] = $property.Value }}
$global:LASTEXITCODE = 0
if ($call.input) {{ $input | & $call.path @named }} else {{ & $call.path @named }}
exit $LASTEXITCODE
"""


def scripts_folder(host: HyperVHost) -> str:
    """Where the scripts' version lies on the host."""
    return paths.join(host.settings.install_directory, "scripts", contracts.scripts_version())


def deploy_scripts(host: HyperVHost) -> None:
    """Puts the host scripts onto a host, as its agent does; a file that differs is replaced."""
    source = contracts.host_scripts_folder()
    target = host.files.real(scripts_folder(host))
    for found in sorted(source.rglob("*")):
        if found.is_file() and "__pycache__" not in found.parts:
            place = target / found.relative_to(source)
            place.parent.mkdir(parents=True, exist_ok=True)
            if not place.is_file() or place.read_bytes() != found.read_bytes():
                shutil.copyfile(found, place)


def write_start(folder: Path, host: HyperVHost) -> Path:
    """Writes the script that every session begins with, and the one that runs a script from a command line.

    Args:
        folder: A folder of this process alone.
        host: The model.

    Returns:
        The start script.
    """
    for name in _FOLDERS:
        host.files.make_dir(name)
    for name in _WINDOWS_MODULES:
        module = folder / "modules" / name
        module.mkdir(parents=True)
        # Import-Module by the real name finds something; the commands are FakeHyperV's.
        (module / f"{name}.psd1").write_text("@{ ModuleVersion = '2.0.0.0' }\n", encoding="ascii")
    drives = sorted({mount[0].upper() for mount in host.files.volumes()})
    mounts = [
        f"$null = New-PSDrive -Name {letter} -PSProvider FileSystem -Scope Global -Root {_quoted(host.files.real(f'{letter}:{chr(92)}'))}"
        for letter in drives
    ]
    start = folder / "start.ps1"
    lines = [
        *mounts,
        f"Import-Module {_quoted(_MODULE)} -DisableNameChecking",
        "Set-Location 'C:\\'",
        _SENDER,
    ]
    if host.settings.compressed_folders:
        marked = ", ".join(_quoted(host.files.real(name)) for name in host.settings.compressed_folders)
        lines.append(_GET_ITEM.format(folders=marked))
    start.write_text("\n".join(lines) + "\n", encoding="utf-8")
    (folder / "run.ps1").write_text(_RUN_SCRIPT, encoding="ascii")
    return start


def environment(
    folder: Path, host: HyperVHost, settings: PwshSettings, socket: Path, session: str, caller: Session
) -> dict[str, str]:
    """The environment of one PowerShell process: Windows' variables, the way to the model, nothing else of this process."""
    name = caller.account.rpartition("\\")[2].partition("@")[0] or "SYSTEM"
    passed = {variable: os.environ[variable] for variable in _PASSED if variable in os.environ}
    return {
        **passed,
        "HOME": str(folder),
        "TMPDIR": str(folder),
        "PSModulePath": str(folder / "modules"),
        "PWSH_EDITION": settings.edition,
        "PWSH_INIT": str(folder / "start.ps1"),
        "POWERSHELL_TELEMETRY_OPTOUT": "1",
        "AETHERV_MODEL_SOCKET": str(socket),
        "AETHERV_MODEL_SESSION": session,
        _LOGIN: "CredSSP" if caller.delegated else "Negotiate",
        "COMPUTERNAME": host.computer_name,
        "USERDOMAIN": host.computer_name,
        "USERNAME": name,
        "USERPROFILE": rf"C:\Users\{name}",
        "SystemDrive": "C:",
        "SystemRoot": r"C:\Windows",
        "windir": r"C:\Windows",
        "ProgramFiles": r"C:\Program Files",
        "ProgramData": r"C:\ProgramData",
        "ALLUSERSPROFILE": r"C:\ProgramData",
        "TEMP": r"C:\Windows\Temp",
        "TMP": r"C:\Windows\Temp",
    }


def call_variable(path: str, parameters: Mapping[str, object], *, with_input: bool) -> dict[str, str]:
    """The variable that tells ``run.ps1`` what to run."""
    return {_CALL: json.dumps({"path": path, "parameters": dict(parameters), "input": with_input})}


def _quoted(path: Path) -> str:
    return "'" + str(path).replace("'", "''") + "'"
