<#
.SYNOPSIS
    Copies a golden image into a new VM's folder and returns the folder's path.
.DESCRIPTION
    The first helper of a provisioning job. The image is found by its exact name in the host's image folders; the folder
    must be new, or made by the same job. The copy is written to NAME.partial.vhdx and renamed when it is whole.
.PARAMETER VMName
    The VM's name: its folder's and its disk's.
.PARAMETER ImageName
    The golden image's file without .vhdx.
.PARAMETER ImagePaths
    Folders to look for the image in; they may hold wildcards. Default: the cluster volumes' DiskImages.
.PARAMETER VMPath
    The folder that VMs' folders are made in. Default: Hyper-V on the cluster volume with the most free space.
.PARAMETER Context
    The job that this is a step of. Without it the helper works by itself and keeps no journal.
.EXAMPLE
    .\Provisioning.CopyImage.ps1 -VMName web-01 -ImageName 'Ubuntu 24.04'
#>
[CmdletBinding()]
[OutputType([string])]
param(
    [Parameter(Mandatory = $true)] [ValidateNotNullOrEmpty()] [string] $VMName,
    [Parameter(Mandatory = $true)] [ValidateNotNullOrEmpty()] [string] $ImageName,
    [string[]] $ImagePaths,
    [string] $VMPath = '',
    [AllowNull()] [hashtable] $Context
)

Set-StrictMode -Version 3.0
$ErrorActionPreference = 'Stop'
Import-Module -Name (Join-Path -Path $PSScriptRoot -ChildPath 'AetherV.Host.psm1')

$job = $Context
if ($null -eq $job) {
    $job = New-LooseJob -Settings @{ image_paths = $ImagePaths; vm_path = $VMPath }
    foreach ($field in @(@('vm_name', $VMName), @('image_name', $ImageName))) {
        $wrong = Get-FieldRefusal -Rule (Get-FieldRule -Name $field[0]) -Value $field[1]
        if ($wrong) { throw (New-JobError -Id 'FIELD_INVALID' -Message "$($field[0]) $wrong." -Field $field[0]) }
    }
    $folder = Join-HostPath -Folder (Get-VmRoot -Settings $job.Document.Host) -Name $VMName
    $job.Plan = @{
        image = (Find-Image -Settings $job.Document.Host -Name $ImageName).Path; folder = $folder
        disk = (Join-HostPath -Folder $folder -Name "$VMName.vhdx"); partial = (Join-HostPath -Folder $folder -Name "$VMName.partial.vhdx")
    }
}
$plan = $job.Plan
New-VmFolder -Job $job -Folder $plan['folder']
if (-not (Test-HostPath -Path $plan['disk'])) {
    Add-MadeThing -Job $job -Kind 'disk' -Path $plan['disk']
    $slot = Wait-CopySlot -Job $job
    try {
        Remove-HostFile -Path $plan['partial']  # the rest of a copy that was cut off
        Copy-FileInRounds -Job $job -Source $plan['image'] -Target $plan['partial'] -Step 'copy_image'
        Rename-HostFile -Job $job -Path $plan['partial'] -NewName (Get-PathLeaf -Path $plan['disk'])
    }
    finally { if ($null -ne $slot) { $slot.Dispose() } }
}
[string] $plan['folder']
