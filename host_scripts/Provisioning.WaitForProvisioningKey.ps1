<#
.SYNOPSIS
    Waits until a VM's guest has published its key and waits for its data. Returns true.
.DESCRIPTION
    Repeats version and state every 30 s: what was written before the guest connected may be lost.
.PARAMETER VMName
    The VM's name, where no id is given. Names need not be unique: two VMs of one name are refused.
.PARAMETER VMId
    The VM's id.
.PARAMETER TimeoutSeconds
    How long to wait.
.PARAMETER GuestVersion
    The version of the ISO to repeat; empty: nothing is repeated.
.PARAMETER Context
    The job that this is a step of. Without it the helper works by itself and keeps no journal.
.EXAMPLE
    .\Provisioning.WaitForProvisioningKey.ps1 -VMName web-01
#>
[CmdletBinding()]
[OutputType([bool])]
param(
    [Parameter(Mandatory = $true)] [ValidateNotNullOrEmpty()] [string] $VMName,
    [string] $VMId = '',
    [ValidateRange(0, 86400)] [double] $TimeoutSeconds = 300,
    [string] $GuestVersion = '',
    [AllowNull()] [hashtable] $Context
)

Set-StrictMode -Version 3.0
$ErrorActionPreference = 'Stop'
Import-Module -Name (Join-Path -Path $PSScriptRoot -ChildPath 'AetherV.Host.psm1')

$job = $Context
if ($null -eq $job) { $job = New-LooseJob }
$id = if ($VMId) { $VMId } else { Find-VmIdByName -Name $VMName }
[void] (Wait-GuestKey -Job $job -VmId $id -Name $VMName -Version $GuestVersion -Seconds $TimeoutSeconds)
$true
