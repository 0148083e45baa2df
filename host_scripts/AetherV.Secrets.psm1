<#
.SYNOPSIS
    The way of the guest's passwords into the publishing helper: two environment variables, for a moment.
.DESCRIPTION
    An environment belongs to the whole process, and two jobs may run in one: a gate of the process lets one job at a time
    hand its passwords over. No command ever gets a password as text.
#>
Set-StrictMode -Version 3.0
$ErrorActionPreference = 'Stop'
Import-Module -Name (Join-Path -Path $PSScriptRoot -ChildPath 'AetherV.Records.psm1')

$script:GateSeconds = 60

function Open-SecretGate {
    <#
    .SYNOPSIS
        Sets GuestLaPw and GuestDomainJoinPw from a job's secrets, once no other job of this process has them set.
    .OUTPUTS
        The gate, for Close-SecretGate.
    #>
    [CmdletBinding()]
    [OutputType([hashtable])]
    param([Parameter(Mandatory = $true)] [hashtable] $Secrets)

    $mutex = New-Object -TypeName System.Threading.Mutex -ArgumentList @($false, "Local\AetherV.Secrets.$PID")
    $mine = $false
    try { $mine = $mutex.WaitOne($script:GateSeconds * 1000) }
    catch [System.Threading.AbandonedMutexException] { $mine = $true }
    if (-not $mine) {
        $mutex.Dispose()
        throw (New-JobError -Id 'JOB_BUSY' -Message 'Another job of this process hands its passwords over and does not end.')
    }
    $gate = @{ Mutex = $mutex; Open = $true }
    if ($null -ne $Secrets['guest_la_pw']) { $env:GuestLaPw = [System.Net.NetworkCredential]::new('', $Secrets['guest_la_pw']).Password }
    if ($null -ne $Secrets['guest_domain_joinpw']) { $env:GuestDomainJoinPw = [System.Net.NetworkCredential]::new('', $Secrets['guest_domain_joinpw']).Password }
    return $gate
}

function Close-SecretGate {
    <#
    .SYNOPSIS
        Removes both variables and lets the next job in. Twice is no error.
    #>
    [CmdletBinding()]
    param([AllowNull()] [hashtable] $Gate)

    if ($null -eq $Gate -or -not $Gate.Open) { return }
    $Gate.Open = $false
    $env:GuestLaPw = $null
    $env:GuestDomainJoinPw = $null
    $Gate.Mutex.ReleaseMutex()
    $Gate.Mutex.Dispose()
}

function Read-EnvironmentSecret {
    <#
    .SYNOPSIS
        Returns what both variables hold as SecureString by KVP name; an empty one is left out.
    #>
    [CmdletBinding()]
    [OutputType([hashtable])]
    param()

    $secrets = @{}
    if ($env:GuestLaPw) {
        $secret = New-Object -TypeName System.Security.SecureString
        foreach ($character in $env:GuestLaPw.ToCharArray()) { $secret.AppendChar($character) }
        $secrets['guest_la_pw'] = $secret
    }
    if ($env:GuestDomainJoinPw) {
        $secret = New-Object -TypeName System.Security.SecureString
        foreach ($character in $env:GuestDomainJoinPw.ToCharArray()) { $secret.AppendChar($character) }
        $secrets['guest_domain_join_pw'] = $secret
    }
    return $secrets
}

Export-ModuleMember -Function 'Open-SecretGate', 'Close-SecretGate', 'Read-EnvironmentSecret'
