"""The bodies of WSMan answers as markup. Pure: shells and commands are read, nothing is changed."""

import base64
import itertools
import os
import time
from collections.abc import Sequence
from typing import Final
from xml.sax.saxutils import quoteattr

from aetherv_simhost.wsman import soap
from aetherv_simhost.wsman.output import Batch
from aetherv_simhost.wsman.shell import Command, Shell
from aetherv_simhost.wsman.soap import element

CONFIG_PLUGIN: Final = f"{soap.CFG}/PluginConfiguration"
_STATE: Final = f"{soap.RSP}/CommandState/"

_PSRP_SHELL: Final = (
    element("rsp:MaxIdleTimeOut", "PT2147483.647S"),
    element("rsp:Locale", "en-US"),
    element("rsp:DataLocale", "en-US"),
    element("rsp:CompressionMode", "NoCompression"),
    element("rsp:ProfileLoaded", "Yes"),
    element("rsp:Encoding", "UTF8"),
    element("rsp:BufferMode", "Block"),
)


def identity() -> bytes:
    """The answer to Identify (MS-WSMV 3.1.4.2)."""
    return (
        f'<s:Envelope xml:lang="en-US" xmlns:s="{soap.S}"><s:Header/><s:Body>'
        f'<wsmid:IdentifyResponse xmlns:wsmid="{soap.IDENTITY}">'
        "<wsmid:ProtocolVersion>http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd</wsmid:ProtocolVersion>"
        "<wsmid:ProductVendor>Microsoft Corporation</wsmid:ProductVendor>"
        "<wsmid:ProductVersion>OS: 10.0.20348 SP: 0.0 Stack: 3.0</wsmid:ProductVersion>"
        "</wsmid:IdentifyResponse></s:Body></s:Envelope>"
    ).encode()


def shell(found: Shell, *, listed: bool = True) -> str:
    """``rsp:Shell`` of Create (not listed), Get and Enumerate."""
    seat = found.seat
    now = time.monotonic()
    psrp = seat.resource_uri.startswith(soap.PWSH)
    parts = [
        element("rsp:ShellId", seat.shell_id),
        *([element("rsp:Name", seat.name)] if seat.name else []),
        element("rsp:ResourceUri", seat.resource_uri),
        element("rsp:Owner", seat.account),
        element("rsp:ClientIP", seat.client_address),
        *([element("rsp:ProcessId", str(os.getpid()))] if psrp else []),
        element("rsp:IdleTimeOut", f"PT{seat.idle_seconds:.3f}S"),
        element("rsp:InputStreams", "stdin pr" if psrp else "stdin"),
        element("rsp:OutputStreams", "stdout" if psrp else "stdout stderr"),
        *(_PSRP_SHELL if psrp else ()),
        *([element("rsp:State", "Connected" if found.connected else "Disconnected")] if psrp else []),
        element("rsp:ShellRunTime", _duration(now - found.created)),
        element("rsp:ShellInactivity", _duration(found.idle_for)),
        *([element("rsp:MemoryUsed", "68MB"), element("rsp:ChildProcesses", "0")] if listed else []),
    ]
    return f"<rsp:Shell>{''.join(parts)}</rsp:Shell>"


def created(found: Shell) -> str:
    """The body of a Create's answer."""
    uri = element("w:ResourceURI", found.seat.resource_uri)
    selector = element("w:Selector", found.seat.shell_id, Name="ShellId")
    return (
        f"<x:ResourceCreated><a:Address>{soap.ANONYMOUS}</a:Address><a:ReferenceParameters>{uri}"
        f"<w:SelectorSet>{selector}</w:SelectorSet></a:ReferenceParameters></x:ResourceCreated>{shell(found, listed=False)}"
    )


def command(found: Command) -> str:
    """``rsp:Command`` of Enumerate."""
    parts = (
        element("rsp:CommandId", found.command_id),
        element("rsp:CommandLine", ""),
        element("rsp:CommandState", "Done" if found.output.finished else "Running"),
    )
    return f"<rsp:Command>{''.join(parts)}</rsp:Command>"


def received(found: Command | None, batch: Batch) -> str:
    """The body of a Receive's answer."""
    about = {} if found is None else {"CommandId": found.command_id}
    parts = [
        element(
            "rsp:Stream",
            base64.b64encode(b"".join(piece.data for piece in pieces)).decode(),
            Name=name,
            **about,
        )
        for name, pieces in itertools.groupby(batch.pieces, key=lambda piece: piece.stream)
    ]
    if found is not None:
        state = _STATE + ("Done" if batch.done else "Running")
        code = element("rsp:ExitCode", str(batch.exit_code)) if batch.done else ""
        about_state = f"CommandId={quoteattr(found.command_id)} State={quoteattr(state)}"
        parts.append(f"<rsp:CommandState {about_state}>{code}</rsp:CommandState>")
    return f"<rsp:ReceiveResponse>{''.join(parts)}</rsp:ReceiveResponse>"


def connected(answer: bytes) -> str:
    """The body of a Connect's answer."""
    text = base64.b64encode(answer).decode()
    return (
        "<rsp:ConnectResponse><rsp:InputStreams>stdin pr</rsp:InputStreams><rsp:OutputStreams>stdout</rsp:OutputStreams>"
        f'<connectResponseXml xmlns="{soap.PWSH}">{text}</connectResponseXml></rsp:ConnectResponse>'
    )


def enumerated(items: Sequence[str]) -> str:
    """The body of an optimised Enumerate's answer: everything at once."""
    found = f"<w:Items>{''.join(items)}</w:Items>" if items else ""
    return f"<n:EnumerateResponse><n:EnumerationContext/>{found}<w:EndOfSequence/></n:EnumerateResponse>"


def config(part: str, max_shells: int, max_commands: int, max_running: int) -> str | None:
    """WinRM's configuration as ``winrm get winrm/config`` shows it.

    Args:
        part: What stands behind the configuration's URI: empty, ``/service``, ``/winrs`` or
            ``/plugin?Name=Microsoft.PowerShell``.
        max_shells: Shells that an account may have.
        max_commands: Commands that a shell may have.
        max_running: Scripts that run at once.

    Returns:
        Its markup, or None for another part.
    """
    winrs = (
        "<cfg:AllowRemoteShellAccess>true</cfg:AllowRemoteShellAccess><cfg:IdleTimeout>7200000</cfg:IdleTimeout>"
        "<cfg:MaxConcurrentUsers>2147483647</cfg:MaxConcurrentUsers>"
        "<cfg:MaxShellRunTime>2147483647</cfg:MaxShellRunTime>"
        "<cfg:MaxProcessesPerShell>2147483647</cfg:MaxProcessesPerShell>"
        "<cfg:MaxMemoryPerShellMB>2147483647</cfg:MaxMemoryPerShellMB>"
        f"<cfg:MaxShellsPerUser>{max_shells}</cfg:MaxShellsPerUser>"
    )
    service = (
        "<cfg:MaxConcurrentOperations>4294967295</cfg:MaxConcurrentOperations>"
        f"<cfg:MaxConcurrentOperationsPerUser>{max_running}</cfg:MaxConcurrentOperationsPerUser>"
        "<cfg:EnumerationTimeoutms>240000</cfg:EnumerationTimeoutms><cfg:MaxConnections>300</cfg:MaxConnections>"
        "<cfg:MaxPacketRetrievalTimeSeconds>120</cfg:MaxPacketRetrievalTimeSeconds>"
        "<cfg:AllowUnencrypted>false</cfg:AllowUnencrypted>"
        "<cfg:Auth><cfg:Basic>true</cfg:Basic><cfg:Kerberos>false</cfg:Kerberos><cfg:Negotiate>true</cfg:Negotiate>"
        "<cfg:Certificate>false</cfg:Certificate><cfg:CredSSP>false</cfg:CredSSP>"
        "<cfg:CbtHardeningLevel>Relaxed</cfg:CbtHardeningLevel></cfg:Auth>"
    )
    parts = {
        "": "<cfg:Config><cfg:MaxEnvelopeSizekb>500</cfg:MaxEnvelopeSizekb><cfg:MaxTimeoutms>60000</cfg:MaxTimeoutms>"
        "<cfg:MaxBatchItems>32000</cfg:MaxBatchItems>"
        f"<cfg:Service>{service}</cfg:Service><cfg:Winrs>{winrs}</cfg:Winrs></cfg:Config>",
        "/service": f"<cfg:Service>{service}</cfg:Service>",
        "/winrs": f"<cfg:Winrs>{winrs}</cfg:Winrs>",
        "/plugin?name=microsoft.powershell": f'<PlugInConfiguration xmlns="{CONFIG_PLUGIN}" '
        'Name="microsoft.powershell" Filename="%windir%\\system32\\pwrshplugin.dll" SDKVersion="2" Enabled="true">'
        f'<Quotas IdleTimeoutms="7200000" MaxConcurrentUsers="2147483647" MaxProcessesPerShell="2147483647" '
        f'MaxMemoryPerShellMB="2147483647" MaxShellsPerUser="{max_shells}" MaxShells="2147483647" '
        f'MaxConcurrentCommandsPerShell="{max_commands}" MaxIdleTimeoutms="2147483647"/></PlugInConfiguration>',
    }
    return parts.get(part.lower())


def _duration(seconds: float) -> str:
    whole = int(seconds)
    return f"P{whole // 86400}DT{whole // 3600 % 24}H{whole // 60 % 60}M{whole % 60}S"
