<#
.SYNOPSIS
    What is looked up of Hyper-V, its cluster and the machine. Changes nothing.
.DESCRIPTION
    WMI answers no rows and no error to an account without rights: absence is believed only where Hyper-V shows its service
    and the host's own system. A VM is an Msvm_ComputerSystem whose Name is a GUID.
#>
Set-StrictMode -Version 3.0
$ErrorActionPreference = 'Stop'
foreach ($name in 'Records', 'Paths') {
    Import-Module -Name (Join-Path -Path $PSScriptRoot -ChildPath "AetherV.$name.psm1")
}

$script:Namespace = 'root\virtualization\v2'
$script:ClusterStorage = 'C:\ClusterStorage'

function ConvertTo-WqlText {
    <#
    .SYNOPSIS
        Returns a text as it stands between single quotes in WQL.
    #>
    [CmdletBinding()]
    [OutputType([string])]
    param([AllowEmptyString()] [string] $Text)

    return $Text.Replace('\', '\\').Replace("'", "\'")
}

function Test-VmId {
    <#
    .SYNOPSIS
        Whether a text is a VM's id, a GUID.
    #>
    [CmdletBinding()]
    [OutputType([bool])]
    param([AllowEmptyString()] [AllowNull()] [string] $Text)

    return $Text -match '^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\z'
}

function Test-DenyOnlyAdministrator {
    <#
    .SYNOPSIS
        Whether the token holds Administrators as deny-only: an administrator's shell that is not elevated.
    #>
    [CmdletBinding()]
    [OutputType([bool])]
    param()

    try {
        foreach ($claim in [System.Security.Principal.WindowsIdentity]::GetCurrent().Claims) {
            if ($claim.Type -eq [System.Security.Claims.ClaimTypes]::DenyOnlySid -and $claim.Value -eq 'S-1-5-32-544') { return $true }
        }
    }
    catch { return $false }
    return $false
}

function Get-HyperVView {
    <#
    .SYNOPSIS
        Returns Service, HostName and Machines (all VMs' Msvm_ComputerSystem). Nothing visible is an error, not emptiness.
    #>
    [CmdletBinding()]
    [OutputType([hashtable])]
    param()

    $why = 'its service or its own system is not there'
    $service = @()
    $systems = @()
    try {
        $service = @(Get-CimInstance -Namespace $script:Namespace -ClassName 'Msvm_VirtualSystemManagementService')
        $systems = @(Get-CimInstance -Namespace $script:Namespace -ClassName 'Msvm_ComputerSystem')
    }
    catch { $why = $_.Exception.Message }
    $own = @($systems | Where-Object -FilterScript { -not (Test-VmId -Text $_.Name) })
    if ($service.Count -eq 0 -or $own.Count -eq 0) {
        if (Test-DenyOnlyAdministrator) {
            throw (New-JobError -Id 'NOT_ELEVATED' -Message 'This PowerShell runs without the rights of its administrator: start it elevated.')
        }
        throw (New-JobError -Id 'HYPERV_NOT_VISIBLE' -Message "Hyper-V shows the account nothing on this host ($why).")
    }
    return @{
        Service  = $service[0]
        HostName = [string] $own[0].ElementName
        Machines = @($systems | Where-Object -FilterScript { Test-VmId -Text $_.Name })
    }
}

function Assert-FullLanguage {
    <#
    .SYNOPSIS
        Throws CONSTRAINED_LANGUAGE where application control allows scripts less than the full language.
    .PARAMETER Mode
        The calling script's own mode: a trusted module may have another.
    #>
    [CmdletBinding()]
    param([Parameter(Mandatory = $true)] [string] $Mode)

    if ($Mode -ne 'FullLanguage') {
        throw (New-JobError -Id 'CONSTRAINED_LANGUAGE' -Message "Scripts run in the language mode $Mode.")
    }
}

function Get-VmSystem {
    <#
    .SYNOPSIS
        Returns the Msvm_ComputerSystem of a VM as it is now, or nothing if there is none. Throws where Hyper-V is not visible.
    #>
    [CmdletBinding()]
    param([Parameter(Mandatory = $true)] [AllowEmptyString()] [string] $Id)

    if (-not (Test-VmId -Text $Id)) { return }
    $found = @()
    try { $found = @(Get-CimInstance -Namespace $script:Namespace -ClassName 'Msvm_ComputerSystem' -Filter "Name='$($Id.ToUpperInvariant())'") }
    catch { $found = @() }
    if ($found.Count -gt 0) { return $found[0] }
    [void] (Get-HyperVView)
}

function Get-HostVm {
    <#
    .SYNOPSIS
        Returns Hyper-V's object of a VM by its id, or nothing if there is none. The one place that decides on absence.
    #>
    [CmdletBinding()]
    param([Parameter(Mandatory = $true)] [AllowEmptyString()] [string] $Id)

    if ($null -eq (Get-VmSystem -Id $Id)) { return }
    try { return Get-VM -Id ([guid] $Id) }
    catch {
        if ($null -eq (Get-VmSystem -Id $Id)) { return }
        throw (ConvertTo-HyperVError -ErrorRecord $_)
    }
}

function Get-RequiredVm {
    <#
    .SYNOPSIS
        Returns Hyper-V's object of a VM; VM_NOT_FOUND if it is gone.
    #>
    [CmdletBinding()]
    param([Parameter(Mandatory = $true)] [AllowEmptyString()] [string] $Id)

    $vm = Get-HostVm -Id $Id
    if ($null -eq $vm) { throw (New-JobError -Id 'VM_NOT_FOUND' -Message "No VM has the id $Id on this host any more.") }
    return $vm
}

function ConvertTo-HyperVError {
    <#
    .SYNOPSIS
        Returns the typed error for what a command of Hyper-V or the cluster refused. Decided by id, never by text.
    #>
    [CmdletBinding()]
    [OutputType([System.Management.Automation.ErrorRecord])]
    param(
        [Parameter(Mandatory = $true)] [System.Management.Automation.ErrorRecord] $ErrorRecord,
        [string] $Otherwise = 'HYPERV_ERROR',
        [string] $VmId = ''
    )

    if ($ErrorRecord.Exception.Data.Contains('aetherv')) { return $ErrorRecord }
    $kind = $ErrorRecord.FullyQualifiedErrorId.Split(',')[0]
    $text = [regex]::Replace($ErrorRecord.Exception.Message, '\s*[\r\n]+\s*', ' ').Trim()
    if ($kind -eq 'OutOfMemory') { return New-JobError -Id 'MEMORY_INSUFFICIENT' -Message $text -Field 'gb_ram' }
    if ('ObjectNotFound', 'InvalidParameter' -contains $kind -and $VmId -and $null -eq (Get-VmSystem -Id $VmId)) {
        return New-JobError -Id 'VM_NOT_FOUND' -Message "No VM has the id $VmId on this host any more."
    }
    return New-JobError -Id $Otherwise -Message $text
}

function ConvertTo-VmState {
    <#
    .SYNOPSIS
        Returns the contract's word for the state of an Msvm_ComputerSystem.
    #>
    [CmdletBinding()]
    [OutputType([string])]
    param([Parameter(Mandatory = $true)] [object] $System)

    if ([int] $System.HealthState -eq 20 -or [int] $System.HealthState -eq 25) { return 'critical' }
    switch ([int] $System.EnabledState) {
        2 { return 'running' }
        3 { return 'off' }
        { 6, 32769 -contains $_ } { return 'saved' }
        { 9, 32768 -contains $_ } { return 'paused' }
    }
    return 'changing'
}

function Get-VmOnTime {
    <#
    .SYNOPSIS
        Returns for how many milliseconds a VM has run; 0 for one that is off or gone.
    #>
    [CmdletBinding()]
    [OutputType([long])]
    param([Parameter(Mandatory = $true)] [AllowEmptyString()] [string] $Id)

    $system = Get-VmSystem -Id $Id
    if ($null -eq $system -or $null -eq $system.OnTimeInMilliseconds) { return [long] 0 }
    return [long] $system.OnTimeInMilliseconds
}

function Get-HostVolume {
    <#
    .SYNOPSIS
        Returns the mounted volumes: Path, SizeBytes, FreeBytes.
    #>
    [CmdletBinding()]
    param()

    foreach ($volume in @(Get-CimInstance -ClassName 'Win32_Volume')) {
        if ([string] $volume.Name -match '^[A-Za-z]:\\' -and $null -ne $volume.Capacity) {
            [pscustomobject]@{ Path = [string] $volume.Name; SizeBytes = [long] $volume.Capacity; FreeBytes = [long] $volume.FreeSpace }
        }
    }
}

function Find-HostVolume {
    <#
    .SYNOPSIS
        Returns the volume that holds a path: the one with the longest mount path. PATH_INVALID if none does.
    #>
    [CmdletBinding()]
    param([Parameter(Mandatory = $true)] [string] $Path)

    $best = $null
    foreach ($volume in @(Get-HostVolume)) {
        if ((Test-PathWithin -Path $Path -Folder $volume.Path) -and ($null -eq $best -or $volume.Path.Length -gt $best.Path.Length)) { $best = $volume }
    }
    if ($null -eq $best) { throw (New-JobError -Id 'PATH_INVALID' -Message "No volume of the host holds $Path.") }
    return $best
}

function Get-ClusterFact {
    <#
    .SYNOPSIS
        Returns Name and NodeState (up, paused, draining, down) of the host's cluster, or nothing if it is in none.
    #>
    [CmdletBinding()]
    [OutputType([hashtable])]
    param([Parameter(Mandatory = $true)] [string] $HostName)

    if ($null -eq (Get-Command -Name 'Get-Cluster' -ErrorAction Ignore)) { return }
    try {
        $cluster = Get-Cluster
        $node = @(Get-ClusterNode | Where-Object -FilterScript { [string] $_.Name -eq $HostName.Split('.')[0] })
    }
    catch {
        # A host outside any cluster, and a stopped cluster service, answer alike.
        if ($_.CategoryInfo.Category -eq [System.Management.Automation.ErrorCategory]::ConnectionError) { return }
        throw (ConvertTo-HyperVError -ErrorRecord $_)
    }
    if ($null -eq $cluster) { return }
    $state = 'down'
    if ($node.Count -gt 0) {
        $said = [string] $node[0].State
        $drain = if ($null -ne $node[0].PSObject.Properties['DrainStatus']) { [string] $node[0].DrainStatus } else { '' }
        if ($said -eq 'Up' -or $said -eq 'Paused') { $state = if ($drain -eq 'InProgress') { 'draining' } else { $said.ToLowerInvariant() } }
    }
    return @{ Name = [string] $cluster.Name; NodeState = $state }
}

function Get-ClusteredVmId {
    <#
    .SYNOPSIS
        Returns the ids of all VMs that are roles of the host's cluster, in lower case.
    #>
    [CmdletBinding()]
    [OutputType([string[]])]
    param()

    foreach ($resource in @(Get-CimInstance -Namespace 'root\MSCluster' -ClassName 'MSCluster_Resource' -Filter "Type='Virtual Machine'")) {
        if ($null -ne $resource.PrivateProperties) { ([string] $resource.PrivateProperties.VmID).ToLowerInvariant() }
    }
}

function Test-DelegatedLogon {
    <#
    .SYNOPSIS
        Whether this session's login can be used for a second hop: on the host itself, or by CredSSP or Kerberos.
    .DESCRIPTION
        A login by Basic has its password on this host, but the design counts on CredSSP and delegated Kerberos alone.
        Whether a Kerberos login was delegated shows only when it is used; a login that never can be is known before.
    #>
    [CmdletBinding()]
    [OutputType([bool])]
    param()

    $sender = Get-Variable -Name 'PSSenderInfo' -Scope Global -ValueOnly -ErrorAction Ignore
    if ($null -eq $sender -or $null -eq $sender.UserInfo) { return $true }
    return 'CredSSP', 'Kerberos' -contains [string] $sender.UserInfo.Identity.AuthenticationType
}

function Get-ClusterStoragePath {
    <#
    .SYNOPSIS
        Returns the folder that cluster shared volumes are mounted in.
    #>
    [CmdletBinding()]
    [OutputType([string])]
    param()

    return $script:ClusterStorage
}

function Invoke-HostMethod {
    <#
    .SYNOPSIS
        Calls a method of Hyper-V's management service and waits for its job. Returns 0, or the code of the failure.
    #>
    [CmdletBinding()]
    [OutputType([int])]
    param(
        [Parameter(Mandatory = $true)] [string] $Method,
        [Parameter(Mandatory = $true)] [hashtable] $Arguments,
        [double] $Seconds = 60
    )

    $service = @(Get-CimInstance -Namespace $script:Namespace -ClassName 'Msvm_VirtualSystemManagementService')
    if ($service.Count -eq 0) { [void] (Get-HyperVView); return 32768 }
    $answer = Invoke-CimMethod -InputObject $service[0] -MethodName $Method -Arguments $Arguments
    $code = [int] $answer.ReturnValue
    if ($code -ne 4096) { return $code }
    $watch = [System.Diagnostics.Stopwatch]::StartNew()
    while ($true) {
        $job = Get-CimInstance -InputObject $answer.Job
        if ([int] $job.JobState -ge 7 -and [int] $job.JobState -ne 11) {
            if ([int] $job.ErrorCode -ne 0) { return [int] $job.ErrorCode }
            if ([int] $job.JobState -eq 7) { return 0 }
            return 32768
        }
        if ($watch.Elapsed.TotalSeconds -ge $Seconds) { return 32772 }
        Start-Sleep -Milliseconds 200
    }
}

Export-ModuleMember -Function '*-*'
