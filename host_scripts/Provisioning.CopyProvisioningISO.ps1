<#
.SYNOPSIS
    Copies a family's provisioning ISO into a VM's folder and returns the copy's path.
.PARAMETER OSFamily
    linux or windows.
.PARAMETER VMDataFolder
    The VM's folder, as Provisioning.CopyImage.ps1 returned it.
.PARAMETER IsoPath
    The ISO to copy. Default: LinuxProvisioning.iso or WindowsProvisioning.iso in the install directory.
.PARAMETER Context
    The job that this is a step of. Without it the helper works by itself and keeps no journal.
.EXAMPLE
    .\Provisioning.CopyProvisioningISO.ps1 -OSFamily linux -VMDataFolder 'C:\ClusterStorage\Volume1\Hyper-V\web-01'
#>
[CmdletBinding()]
[OutputType([string])]
param(
    [Parameter(Mandatory = $true)] [ValidateSet('linux', 'windows')] [string] $OSFamily,
    [Parameter(Mandatory = $true)] [ValidateNotNullOrEmpty()] [string] $VMDataFolder,
    [string] $IsoPath = '',
    [AllowNull()] [hashtable] $Context
)

Set-StrictMode -Version 3.0
$ErrorActionPreference = 'Stop'
Import-Module -Name (Join-Path -Path $PSScriptRoot -ChildPath 'AetherV.Host.psm1')

$job = $Context
if ($null -eq $job) { $job = New-LooseJob -Settings @{ iso_paths = @{ $OSFamily = $IsoPath } } }
$source = if ($IsoPath) { $IsoPath } else { Get-IsoPath -Settings $job.Document.Host -Family $OSFamily }
if (-not (Test-HostPath -Path $source -PathType Leaf)) {
    throw (New-JobError -Id 'ISO_NOT_FOUND' -Message "The $OSFamily provisioning ISO is not at $source.")
}
$target = Join-HostPath -Folder $VMDataFolder -Name (Get-PathLeaf -Path $source)
Add-MadeThing -Job $job -Kind 'iso' -Path $target
Remove-HostFile -Path $target  # the rest of a copy that was cut off
Copy-FileInRounds -Job $job -Source $source -Target $target
[string] $target
