<#
.SYNOPSIS
    Takes the provisioning ISO out of a VM, deletes its copy and removes the empty drive. Returns true if nothing stays.
.DESCRIPTION
    A guest may have ejected the ISO itself. A running VM's drive may refuse to be removed for some seconds: three tries, 5 s
    apart, else it stays with a warning.
.PARAMETER VMName
    The VM's name, where no id is given.
.PARAMETER VMId
    The VM's id.
.PARAMETER IsoPath
    The copy of the ISO in the VM's folder.
.PARAMETER Context
    The job that this is a step of. Without it the helper works by itself and keeps no journal.
.EXAMPLE
    .\Provisioning.CleanupISO.ps1 -VMName web-01 -IsoPath 'C:\ClusterStorage\Volume1\Hyper-V\web-01\LinuxProvisioning.iso'
#>
[CmdletBinding()]
[OutputType([bool])]
param(
    [Parameter(Mandatory = $true)] [ValidateNotNullOrEmpty()] [string] $VMName,
    [Parameter(Mandatory = $true)] [ValidateNotNullOrEmpty()] [string] $IsoPath,
    [string] $VMId = '',
    [AllowNull()] [hashtable] $Context
)

Set-StrictMode -Version 3.0
$ErrorActionPreference = 'Stop'
Import-Module -Name (Join-Path -Path $PSScriptRoot -ChildPath 'AetherV.Host.psm1')

$job = $Context
if ($null -eq $job) { $job = New-LooseJob }
$id = if ($VMId) { $VMId } else { Find-VmIdByName -Name $VMName }
$clean = $true
Dismount-VmIso -VmId $id
try {
    Remove-HostFile -Path $IsoPath -Seconds 10 -Between { Wait-JobTime -Job $job -Seconds 0.5 }
    Clear-MadeThing -Job $job -Kind 'iso' -Path $IsoPath
}
catch {
    if ('FILE_LOCKED', 'FILE_ERROR' -notcontains (Get-JobErrorId -ErrorRecord $_)) { throw }
    $clean = $false
    Write-JobLog -Writer $job.Writer -Level warning -Reason 'ISO_KEPT' -Message "$IsoPath stays: another program has it open."
}
for ($try = 1; $try -le 3; $try++) {
    $refusal = Remove-EmptyDrive -VmId $id
    if (-not $refusal) { break }
    if ($try -lt 3) { Wait-JobTime -Job $job -Seconds 5; continue }
    $clean = $false
    Write-JobLog -Writer $job.Writer -Level warning -Reason 'DRIVE_KEPT' -Message "The empty DVD drive stays: $refusal"
}
$clean
