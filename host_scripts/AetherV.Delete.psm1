<#
.SYNOPSIS
    A delete from its document to its outcome: what Invoke-DeleteVmJob.ps1 does.
#>
Set-StrictMode -Version 3.0
$ErrorActionPreference = 'Stop'
Import-Module -Name (Join-Path -Path $PSScriptRoot -ChildPath 'AetherV.Host.psm1')

$script:Modes = @('graceful', 'graceful_then_off', 'off')
$script:StopSeconds = 60
$script:ReleaseSeconds = 60
$script:ChainDepth = 64

function Assert-DeleteDocument {
    <#
    .SYNOPSIS
        Judges the document's part vm: id, shutdown_mode, keep_disks, allow_missing.
    #>
    [CmdletBinding()]
    param([Parameter(Mandatory = $true)] [System.Collections.IDictionary] $Vm)

    if (-not (Test-VmId -Text ([string] $Vm['id']))) { throw (New-JobError -Id 'DOCUMENT_INVALID' -Message "vm.id must be a VM's GUID.") }
    if ($null -ne $Vm['shutdown_mode'] -and $script:Modes -cnotcontains $Vm['shutdown_mode']) {
        throw (New-JobError -Id 'DOCUMENT_INVALID' -Message "vm.shutdown_mode must be one of $([string]::Join(', ', $script:Modes)).")
    }
}

function Get-DiskChain {
    <#
    .SYNOPSIS
        Returns the parents of disks, and theirs, by their own words. One that can't be read now ends its chain.
    #>
    [CmdletBinding()]
    [OutputType([string[]])]
    param([AllowEmptyCollection()] [string[]] $Paths)

    $seen = @{}
    $next = @($Paths)
    for ($depth = 0; $depth -lt $script:ChainDepth -and $next.Count -gt 0; $depth++) {
        $next = @(foreach ($disk in @(Get-VHD -Path $next -ErrorAction SilentlyContinue)) {
                $parent = [string] $disk.ParentPath
                if ($parent -and -not $seen.ContainsKey($parent)) { $seen[$parent] = $true; $parent }
            })
        $next
    }
}

function Get-VmDisk {
    <#
    .SYNOPSIS
        Returns Path and Shared of every disk of a VM and its checkpoints, each path once.
    #>
    [CmdletBinding()]
    param([Parameter(Mandatory = $true)] [object] $Vm)

    $seen = @{}
    $drives = @(@(Get-VMHardDiskDrive -VM $Vm) + @(Get-VMSnapshot -VM $Vm | ForEach-Object -Process { $_.HardDrives }))
    foreach ($drive in $drives) {
        if ($null -eq $drive -or -not $drive.Path -or $seen.ContainsKey([string] $drive.Path)) { continue }
        $seen[[string] $drive.Path] = $true
        [pscustomobject]@{ Path = [string] $drive.Path; Shared = $drive.SupportPersistentReservations -eq $true }
    }
}

function Get-OtherDisk {
    <#
    .SYNOPSIS
        Returns the paths of all disks that other VMs and their checkpoints use, with their parents.
    #>
    [CmdletBinding()]
    [OutputType([string[]])]
    param([Parameter(Mandatory = $true)] [string] $VmId)

    # A checkpoint's disks stand under its own id: the VM that it belongs to says its settings.
    $own = @($VmId.ToUpperInvariant())
    foreach ($setting in @(Get-CimInstance -Namespace 'root\virtualization\v2' -ClassName 'Msvm_VirtualSystemSettingData')) {
        if ([string] $setting.VirtualSystemIdentifier -eq $VmId) { $own += ([string] $setting.InstanceID).ToUpperInvariant() -replace '^MICROSOFT:', '' }
    }
    $paths = @(foreach ($storage in @(Get-CimInstance -Namespace 'root\virtualization\v2' -ClassName 'Msvm_StorageAllocationSettingData')) {
            $id = @(([string] $storage.InstanceID).ToUpperInvariant() -replace '^MICROSOFT:', '' -split '\\')[0]
            if ([string] $storage.ResourceSubType -ne 'Microsoft:Hyper-V:Virtual Hard Disk' -or $own -contains $id) { continue }
            foreach ($path in @($storage.HostResource)) { if ($path) { [string] $path } }
        })
    $paths
    Get-DiskChain -Paths $paths
}

function Get-DeleteFact {
    <#
    .SYNOPSIS
        Returns what a VM has, noted before anything is removed so that a second run knows it.
    #>
    [CmdletBinding()]
    [OutputType([System.Collections.IDictionary])]
    param([Parameter(Mandatory = $true)] [hashtable] $Job)

    $wanted = ([string] $Job.Document.Own['id']).ToLowerInvariant()
    $facts = [ordered]@{ vm_id = $wanted; existed = $false; disks = @(); isos = @(); foreign = @(); path = ''; folder = '' }
    $vm = Get-HostVm -Id $wanted
    if ($null -eq $vm) {
        if ($Job.Document.Own['allow_missing'] -ne $true) { throw (New-JobError -Id 'VM_NOT_FOUND' -Message "No VM has the id $wanted on this host.") }
        return $facts
    }
    $path = ([string] $vm.Path).TrimEnd('\')
    $all = @(Get-VmDisk -Vm $vm)
    $others = @(Get-OtherDisk -VmId $wanted)
    $chain = @(Get-DiskChain -Paths @($all | ForEach-Object -Process { $_.Path }))
    $disks = @($all | Where-Object -FilterScript { -not $_.Shared -and $others -notcontains $_.Path -and (Test-PathWithin -Path $_.Path -Folder $path) } |
            ForEach-Object -Process { $_.Path })
    $facts['existed'] = $true
    $facts['disks'] = $disks
    # A parent that is no disk of this VM itself is somebody else's: an image, a base of several.
    $facts['foreign'] = @(@($all | ForEach-Object -Process { $_.Path }) + $chain | Where-Object -FilterScript { $disks -notcontains $_ } | Select-Object -Unique)
    $facts['isos'] = @(Get-VMDvdDrive -VM $vm | ForEach-Object -Process { [string] $_.Path } | Where-Object -FilterScript { $_ -and (Test-PathWithin -Path $_ -Folder $path) })
    $facts['path'] = $path
    # The folder that many VMs stand in by default is nobody's own.
    $common = @((([string] (Get-VMHost).VirtualMachinePath).TrimEnd('\')), (Get-VmRoot -Settings $Job.Document.Host).TrimEnd('\'))
    if ($common -notcontains $path) { $facts['folder'] = $path }
    $Job.Journal['vm_name'] = [string] $vm.Name
    $Job.Journal['vm_id'] = $wanted
    return $facts
}

function Stop-DeletedVm {
    <#
    .SYNOPSIS
        Stops the VM by the document's shutdown_mode: graceful, graceful_then_off, off.
    #>
    [CmdletBinding(SupportsShouldProcess = $true)]
    param([Parameter(Mandatory = $true)] [hashtable] $Job, [Parameter(Mandatory = $true)] [string] $VmId)

    if (-not $PSCmdlet.ShouldProcess($VmId)) { return }
    $mode = if ($Job.Document.Own['shutdown_mode']) { [string] $Job.Document.Own['shutdown_mode'] } else { 'graceful_then_off' }
    $seconds = Get-DocumentSeconds -Document $Job.Document -Name 'stop' -Default $script:StopSeconds
    $still = Wait-JobCondition -Job $Job -Seconds $seconds -Look {
        $system = Get-VmSystem -Id $VmId
        $null -eq $system -or (ConvertTo-VmState -System $system) -ne 'changing'
    }
    if ($mode -ne 'off' -and $still) {
        $reason = New-Object -TypeName 'System.Collections.ArrayList'
        $stopped = Wait-JobCondition -Job $Job -Seconds $seconds -Look { Stop-OwnVm -VmId $VmId -Reason $reason }
        if ($stopped) { return }
        if ($mode -eq 'graceful') {
            throw (New-JobError -Id 'VM_STOP_FAILED' -Message "The VM $VmId did not shut down within $seconds s: $([string]::Join(' ', @($reason)))")
        }
    }
    if ($mode -eq 'graceful' -and -not $still) { throw (New-JobError -Id 'VM_BUSY' -Message "The VM $VmId is between two states since $seconds s.") }
    if (-not (Stop-OwnVm -VmId $VmId -TurnOff)) { throw (New-JobError -Id 'VM_BUSY' -Message "The VM $VmId is between two states and can't be turned off now.") }
}

function Wait-FileReleased {
    <#
    .SYNOPSIS
        Waits until nobody has the removed VM's files open: Hyper-V merges checkpoints after Remove-VM.
    #>
    [CmdletBinding()]
    param([Parameter(Mandatory = $true)] [hashtable] $Job, [AllowEmptyCollection()] [string[]] $Paths)

    $seen = @{ Locked = @() }
    $free = Wait-JobCondition -Job $Job -Seconds $script:ReleaseSeconds -Look {
        $seen.Locked = @($Paths | Where-Object -FilterScript { $_ -and -not (Test-FileOpenAlone -Path $_) })
        $seen.Locked.Count -eq 0
    }
    if (-not $free) { throw (New-JobError -Id 'FILE_LOCKED' -Message "Files of the removed VM stay open: $([string]::Join(', ', $seen.Locked)).") }
}

function Remove-DeletedFile {
    <#
    .SYNOPSIS
        Deletes what belonged to the VM alone; keeps in the journal what is deleted and what is kept.
    #>
    [CmdletBinding(SupportsShouldProcess = $true)]
    param([Parameter(Mandatory = $true)] [hashtable] $Job, [Parameter(Mandatory = $true)] [System.Collections.IDictionary] $Facts)

    if (-not $PSCmdlet.ShouldProcess($Facts['vm_id'])) { return }
    $keep = $Job.Document.Own['keep_disks'] -eq $true
    $deleted = @($Job.Journal['deleted'] | Where-Object -FilterScript { $_ })
    foreach ($path in @(@(if (-not $keep) { $Facts['disks'] }) + @($Facts['isos']))) {
        if (-not $path -or -not (Test-HostPath -Path $path -PathType Leaf)) { continue }
        Remove-HostFile -Path $path
        $deleted += $path
        Save-Job -Job $Job -Values @{ deleted = $deleted }
    }
    if (-not $keep -and $Facts['folder'] -and (Test-HostPath -Path $Facts['folder'] -PathType Container)) {
        if (Remove-EmptyFolder -Path $Facts['folder']) { $deleted += $Facts['folder'] }
        else { Write-JobLog -Writer $Job.Writer -Level warning -Reason 'FOLDER_KEPT' -Message "The folder stays: $($Facts['folder']) is not empty." }
    }
    $kept = @(foreach ($path in @($Facts['foreign'])) { [ordered]@{ kind = 'disk'; path = $path; message = "is not this VM's alone" } })
    if ($keep) {
        $kept += @(foreach ($path in @($Facts['disks'])) {
                if (Test-HostPath -Path $path) { [ordered]@{ kind = 'disk'; path = $path; message = 'keep_disks was asked for' } }
            })
    }
    if ($Facts['folder'] -and (Test-HostPath -Path $Facts['folder'])) { $kept += @([ordered]@{ kind = 'folder'; path = $Facts['folder']; message = 'is not empty' }) }
    Save-Job -Job $Job -Values @{ deleted = $deleted; kept = $kept }
}

function Invoke-DeleteStep {
    <#
    .SYNOPSIS
        Runs the steps that the journal does not say are done, and returns the outcome.
    #>
    [CmdletBinding()]
    [OutputType([System.Collections.IDictionary])]
    param([Parameter(Mandatory = $true)] [hashtable] $Job)

    Invoke-JobStep -Job $Job -Name 'inspect' -Action {
        [void] (Get-HyperVView)
        Save-Job -Job $Job -Values @{ facts = (Get-DeleteFact -Job $Job) }
    }
    $facts = $Job.Journal['facts']
    $id = [string] $facts['vm_id']
    if ($facts['existed'] -eq $true) {
        $view = Get-HyperVView
        if ($null -ne (Get-VmRoleGroup -VmId $id -HostName $view.HostName)) { Invoke-JobStep -Job $Job -Name 'cluster' -Action { Remove-VmRole -VmId $id } }
        Invoke-JobStep -Job $Job -Name 'stop' -Action { Stop-DeletedVm -Job $Job -VmId $id }
        Invoke-JobStep -Job $Job -Name 'remove_vm' -Action { Remove-OwnVm -VmId $id }
        Invoke-JobStep -Job $Job -Name 'wait_released' -Action { Wait-FileReleased -Job $Job -Paths @(@($facts['disks']) + @($facts['isos'])) }
    }
    Invoke-JobStep -Job $Job -Name 'delete_files' -Action { Remove-DeletedFile -Job $Job -Facts $facts }
    $result = [ordered]@{ vm_id = $id; existed = [bool] $facts['existed']; deleted = @($Job.Journal['deleted']); kept = @($Job.Journal['kept']) }
    return [ordered]@{ kind = 'result'; result = $result }
}

function Invoke-DeleteRun {
    <#
    .SYNOPSIS
        One run of a delete, with its lock held. Returns its outcome. A delete is never taken back.
    #>
    [CmdletBinding()]
    [OutputType([System.Collections.IDictionary])]
    param([Parameter(Mandatory = $true)] [hashtable] $Job)

    try {
        [void] (Get-HyperVView)
        $Job.Journal = Read-Journal -Folder $Job.Folder -JobId $Job.Document.JobId
    }
    catch { return ConvertTo-ErrorOutcome -ErrorRecord $_ }
    if ($null -ne $Job.Journal -and $Job.Journal['state'] -eq 'ended' -and $Job.Journal['outcome']['kind'] -eq 'result') { return $Job.Journal['outcome'] }
    if ($null -eq $Job.Journal) {
        if ($Job.Document.Cancel) {
            return ConvertTo-ErrorOutcome -ErrorRecord (New-JobError -Id 'JOB_UNKNOWN' -Message "No job $($Job.Document.JobId) has a journal on this host.")
        }
        $Job.Journal = New-Journal -JobId $Job.Document.JobId -Script delete -VmName ''
    }
    Save-Job -Job $Job -Values @{ state = 'running'; outcome = $null; error = $null }
    try { $outcome = Invoke-DeleteStep -Job $Job }
    catch { $outcome = ConvertTo-ErrorOutcome -ErrorRecord $_ -Step ([string] $Job.Journal['step']) }
    Save-Job -Job $Job -Values @{ state = 'ended'; outcome = $outcome; step = '' }
    return $outcome
}

function Invoke-DeleteJob {
    <#
    .SYNOPSIS
        Runs or follows a delete and writes its records, the outcome last.
    #>
    [CmdletBinding()]
    param([AllowEmptyString()] [string] $Text, [Parameter(Mandatory = $true)] [hashtable] $Writer)

    try {
        $document = ConvertTo-JobDocument -Kind delete -Text $Text
        $Writer.JobId = $document.JobId
        Assert-DeleteDocument -Vm $document.Own
        $job = New-Job -Document $document -Writer $Writer
        Invoke-JobOnce -Job $job -Run { Invoke-DeleteRun -Job $job }
    }
    catch { Write-JobRecord -Writer $Writer -Record (ConvertTo-ErrorOutcome -ErrorRecord $_) }
}

Export-ModuleMember -Function 'Invoke-DeleteJob'
