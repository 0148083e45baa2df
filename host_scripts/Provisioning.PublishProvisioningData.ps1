<#
.SYNOPSIS
    Encrypts a guest's data for its key and publishes it by Hyper-V's data exchange. Returns true.
.DESCRIPTION
    The passwords come in the environment variables GuestLaPw and GuestDomainJoinPw, which are removed as soon as they are
    read. Only values that are not empty are published. The state provisioningdatapublished is written last.
.PARAMETER GuestHostName
    The VM's name, which becomes the guest's host name.
.PARAMETER GuestLaUid
    The guest's local administrator.
.PARAMETER GuestV4IpAddr
    A static IPv4 address.
.PARAMETER GuestV4CidrPrefix
    Its prefix length.
.PARAMETER GuestV4DefaultGw
    Its gateway.
.PARAMETER GuestV4Dns1
    The first DNS server.
.PARAMETER GuestV4Dns2
    The second DNS server.
.PARAMETER GuestNetDnsSuffix
    The DNS suffix (Linux).
.PARAMETER GuestDomainJoinTarget
    The domain to join (Windows).
.PARAMETER GuestDomainJoinUid
    The account that joins it.
.PARAMETER GuestDomainJoinOU
    The organizational unit of the computer's account.
.PARAMETER AnsibleSshUser
    The account for Ansible (Linux).
.PARAMETER AnsibleSshKey
    Its public key.
.PARAMETER OSFamily
    linux or windows: how long values reach the guest. Default: as the job says, else linux.
.PARAMETER GuestVersion
    The version of the ISO. Default: as the job says, else the file version beside it.
.PARAMETER VMId
    The VM's id, where its name is not enough.
.PARAMETER Context
    The job that this is a step of. Without it the helper works by itself and keeps no journal.
.EXAMPLE
    $env:GuestLaPw = Read-Host
    .\Provisioning.PublishProvisioningData.ps1 -GuestHostName web-01 -GuestLaUid admin
#>
[CmdletBinding()]
[OutputType([bool])]
param(
    [Parameter(Mandatory = $true)] [ValidateNotNullOrEmpty()] [string] $GuestHostName,
    [string] $GuestLaUid = '',
    [string] $GuestV4IpAddr = '',
    [string] $GuestV4CidrPrefix = '',
    [string] $GuestV4DefaultGw = '',
    [string] $GuestV4Dns1 = '',
    [string] $GuestV4Dns2 = '',
    [string] $GuestNetDnsSuffix = '',
    [string] $GuestDomainJoinTarget = '',
    [string] $GuestDomainJoinUid = '',
    [string] $GuestDomainJoinOU = '',
    [string] $AnsibleSshUser = '',
    [string] $AnsibleSshKey = '',
    [ValidateSet('linux', 'windows')] [string] $OSFamily = 'linux',
    [string] $GuestVersion = '',
    [string] $VMId = '',
    [AllowNull()] [hashtable] $Context
)

Set-StrictMode -Version 3.0
$ErrorActionPreference = 'Stop'
Import-Module -Name (Join-Path -Path $PSScriptRoot -ChildPath 'AetherV.Host.psm1')

$secrets = Read-EnvironmentSecret
if ($null -ne $Context) { Close-SecretGate -Gate $Context.Gate }
$job = $Context
if ($null -eq $job) { $job = New-LooseJob }
$version = if ($GuestVersion) { $GuestVersion } else { Get-IsoVersion -Settings $job.Document.Host -Family $OSFamily }
if (-not $version) { throw (New-JobError -Id 'GUEST_VERSION_UNKNOWN' -Message 'No version file stands beside the ISO.') }
$dialect = Get-Dialect -Version $version -Family $OSFamily
if ($null -eq $dialect) { throw (New-JobError -Id 'GUEST_VERSION_UNSUPPORTED' -Message "The $OSFamily ISO has version $version.") }
$id = if ($VMId) { $VMId } else { Find-VmIdByName -Name $GuestHostName }
$values = [ordered]@{}
foreach ($rule in (Get-Contract -Name fields)['fields']) {
    if (-not $rule.Contains('kvp') -or ($rule.Contains('families') -and $rule['families'] -cnotcontains $OSFamily)) { continue }
    if ($rule['secret'] -eq $true) {
        if ($null -ne $secrets[$rule['kvp']]) { $values[$rule['kvp']] = $secrets[$rule['kvp']] }
        continue
    }
    $parameter = $rule['kvp'].Replace('_', '')
    $value = Get-Variable -Name $parameter -ValueOnly -ErrorAction Ignore
    if ($value) { $values[$rule['kvp']] = [string] $value }
}
Publish-GuestData -Job $job -VmId $id -Name $GuestHostName -Values $values -Dialect $dialect
# From here on a job that goes on has all but the last state to write, and needs no secret any more.
Save-Job -Job $job -Values @{ sealed = $true }
Publish-LastState -VmId $id
$true
