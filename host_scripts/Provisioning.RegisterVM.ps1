<#
.SYNOPSIS
    Registers a VM with Hyper-V, tells its guest that the host waits for its key, starts it, and returns its id.
.DESCRIPTION
    Generation 2, Secure Boot, static memory, one adapter, the disk first, the provisioning ISO in a drive. What stands there
    already, of the same job, is taken. The version is published before the state: guests read it once, right after the state.
.PARAMETER OSFamily
    linux or windows.
.PARAMETER GBRam
    Memory in GiB, 1 to 512.
.PARAMETER CPUcores
    Processors, 1 to 64.
.PARAMETER VMDataFolder
    The VM's folder with its disk and ISO; its last part is the VM's name.
.PARAMETER VLANId
    1 to 4094 in access mode; 0 is untagged.
.PARAMETER SwitchName
    The virtual switch. Default: the host's only external one.
.PARAMETER GuestVersion
    The version of the ISO. Default: the file version beside it.
.PARAMETER Context
    The job that this is a step of. Without it the helper works by itself and keeps no journal.
.EXAMPLE
    .\Provisioning.RegisterVM.ps1 -OSFamily linux -GBRam 4 -CPUcores 2 -VMDataFolder 'C:\ClusterStorage\Volume1\Hyper-V\web-01' -VLANId 10
#>
[CmdletBinding()]
[OutputType([string])]
param(
    [Parameter(Mandatory = $true)] [ValidateSet('linux', 'windows')] [string] $OSFamily,
    [Parameter(Mandatory = $true)] [ValidateRange(1, 512)] [int] $GBRam,
    [Parameter(Mandatory = $true)] [ValidateRange(1, 64)] [int] $CPUcores,
    [Parameter(Mandatory = $true)] [ValidateNotNullOrEmpty()] [string] $VMDataFolder,
    [ValidateRange(0, 4094)] [int] $VLANId = 0,
    [string] $SwitchName = '',
    [string] $GuestVersion = '',
    [AllowNull()] [hashtable] $Context
)

Set-StrictMode -Version 3.0
$ErrorActionPreference = 'Stop'
Import-Module -Name (Join-Path -Path $PSScriptRoot -ChildPath 'AetherV.Host.psm1')

$job = $Context
$name = Get-PathLeaf -Path $VMDataFolder
if ($null -eq $job) {
    $job = New-LooseJob
    $version = if ($GuestVersion) { $GuestVersion } else { Get-IsoVersion -Settings $job.Document.Host -Family $OSFamily }
    if (-not $version) { throw (New-JobError -Id 'GUEST_VERSION_UNKNOWN' -Message 'No version file stands beside the ISO.') }
    $job.Plan = @{
        folder = $VMDataFolder; disk = (Join-HostPath -Folder $VMDataFolder -Name "$name.vhdx"); guest_version = $version
        iso_copy = (Join-HostPath -Folder $VMDataFolder -Name (Get-PathLeaf -Path (Get-IsoPath -Settings $job.Document.Host -Family $OSFamily)))
        switch = (Find-Switch -Settings $job.Document.Host -Wanted $SwitchName)
        secure_boot_template = $job.Document.Host.secure_boot_template[$OSFamily]
    }
    $job.Fields = [ordered]@{ vm_name = $name; os_family = $OSFamily; gb_ram = [long] $GBRam; cpu_cores = [long] $CPUcores }
}
$plan = $job.Plan
$memory = [long] $GBRam * 1GB
$id = ''
if ($null -ne $job.Journal) { $id = [string] (Find-OwnVm -Job $job) }
if (-not $id) { $id = New-OwnVm -Job $job -Name $name -Folder $plan['folder'] -MemoryBytes $memory -Switch $plan['switch'] }
Save-Job -Job $job -Values @{ vm_id = $id }
if ((ConvertTo-VmState -System (Get-VmSystem -Id $id)) -eq 'off') {
    $mark = [ordered]@{ job = [string] $job.Document.JobId; fields = (Get-MarkField -Fields $job.Fields) }
    Initialize-OwnVm -VmId $id -Mark $mark -UserNotes ([string] $job.Fields['notes']) -Processors $CPUcores -MemoryBytes $memory -VlanId $VLANId `
        -Disk $plan['disk'] -Iso $plan['iso_copy'] -Template $plan['secure_boot_template']
}
Assert-NotCancelled -Job $job
Set-KvpBlind -VmId $id -Name (Get-KvpName -Item Version) -Value $plan['guest_version']
Set-KvpBlind -VmId $id -Name (Get-KvpName -Item HostState) -Value 'waitingforpublickey'
Start-OwnVm -VmId $id
[string] $id
