<#
.SYNOPSIS
    Making, marking, starting, stopping and removing a job's VM. Always by its id.
#>
Set-StrictMode -Version 3.0
$ErrorActionPreference = 'Stop'
foreach ($name in 'Records', 'Paths', 'HyperV', 'Mark', 'Job') {
    Import-Module -Name (Join-Path -Path $PSScriptRoot -ChildPath "AetherV.$name.psm1")
}

$script:Namespace = 'root\virtualization\v2'

function Find-OwnVm {
    <#
    .SYNOPSIS
        Returns the id of the VM that this job made, or nothing: by the journal's id, else its folder, else its mark.
    .DESCRIPTION
        New-VM takes no notes, so a kill between New-VM and its mark leaves an unmarked VM: the folder decides.
    #>
    [CmdletBinding()]
    [OutputType([string])]
    param([Parameter(Mandatory = $true)] [hashtable] $Job)

    $known = [string] $Job.Journal['vm_id']
    if ($known) {
        if ($null -ne (Get-VmSystem -Id $known)) { return $known }
        return
    }
    $made = @(@($Job.Journal['made']) | Where-Object -FilterScript { $_['kind'] -eq 'vm' })
    if ($made.Count -eq 0) { return }
    [void] (Get-HyperVView)
    $settings = @(Get-CimInstance -Namespace $script:Namespace -ClassName 'Msvm_VirtualSystemSettingData' |
            Where-Object -FilterScript { [string] $_.VirtualSystemType -eq 'Microsoft:Hyper-V:System:Realized' })
    foreach ($setting in $settings) {
        $path = ([string] $setting.ConfigurationDataRoot).TrimEnd('\')
        if (@($made | Where-Object -FilterScript { $_['path'].TrimEnd('\') -eq $path }).Count -gt 0) { return ([string] $setting.VirtualSystemIdentifier).ToLowerInvariant() }
    }
    foreach ($setting in $settings) {
        $notes = [string]::Join("`n", [string[]] @($setting.Notes | Where-Object -FilterScript { $null -ne $_ }))
        $mark = (Split-VmNote -Notes $notes).Mark
        if ($null -ne $mark -and [string] $mark['job'] -ceq [string] $Job.Document.JobId) { return ([string] $setting.VirtualSystemIdentifier).ToLowerInvariant() }
    }
}

function Set-VmMark {
    <#
    .SYNOPSIS
        Writes into a VM's mark; its user's notes and unknown lines stay. A VM that is gone is the next step's matter.
    .PARAMETER UserNotes
        Notes to put before the mark where the VM has none yet.
    #>
    [CmdletBinding(SupportsShouldProcess = $true)]
    param([Parameter(Mandatory = $true)] [AllowEmptyString()] [string] $VmId, [Parameter(Mandatory = $true)] [System.Collections.IDictionary] $Changes, [AllowEmptyString()] [string] $UserNotes = '')

    $vm = Get-HostVm -Id $VmId
    if ($null -eq $vm -or -not $PSCmdlet.ShouldProcess($VmId)) { return }
    $notes = ([string] $vm.Notes).Replace("`r`n", "`n")
    if (-not $notes) { $notes = $UserNotes }
    try { Set-VM -VM $vm -Notes (Merge-VmNote -Notes $notes -Changes $Changes) }
    catch { throw (ConvertTo-HyperVError -ErrorRecord $_ -VmId $VmId) }
}

function New-OwnVm {
    <#
    .SYNOPSIS
        Makes the job's VM (generation 2, no disk yet) and returns its id.
    #>
    [CmdletBinding(SupportsShouldProcess = $true)]
    [OutputType([string])]
    param([Parameter(Mandatory = $true)] [hashtable] $Job, [string] $Name, [string] $Folder, [long] $MemoryBytes, [string] $Switch)

    if (-not $PSCmdlet.ShouldProcess($Name)) { return }
    $view = Get-HyperVView
    $same = @($view.Machines | Where-Object -FilterScript { [string] $_.ElementName -eq $Name })
    if ($same.Count -gt 0) {
        throw (New-JobError -Id 'VM_ALREADY_EXISTS' -Field 'vm_name' -Message (
                "A VM named '$($same[0].ElementName)' came to $($view.HostName) meanwhile, with id $(([string] $same[0].Name).ToLowerInvariant())."))
    }
    Add-MadeThing -Job $Job -Kind 'vm' -Path $Folder
    # New-VM makes a folder of the VM's name in the path it is given.
    try { $vm = New-VM -Name $Name -Generation 2 -MemoryStartupBytes $MemoryBytes -NoVHD -SwitchName $Switch -Path (Get-ParentPath -Path $Folder) }
    catch { throw (ConvertTo-HyperVError -ErrorRecord $_ -Otherwise 'VM_REGISTER_FAILED') }
    return ([string] $vm.Id).ToLowerInvariant()
}

function Initialize-OwnVm {
    <#
    .SYNOPSIS
        Gives a VM that is off what it needs: mark, processors, memory, VLAN, disk, firmware, the ISO in a drive. Repeatable.
    #>
    [CmdletBinding()]
    param(
        [Parameter(Mandatory = $true)] [string] $VmId,
        [Parameter(Mandatory = $true)] [System.Collections.IDictionary] $Mark,
        [AllowEmptyString()] [string] $UserNotes,
        [long] $Processors, [long] $MemoryBytes, [long] $VlanId, [string] $Disk, [AllowEmptyString()] [string] $Iso, [string] $Template
    )

    Set-VmMark -VmId $VmId -Changes $Mark -UserNotes $UserNotes
    $vm = Get-RequiredVm -Id $VmId
    try {
        Set-VM -VM $vm -ProcessorCount $Processors -StaticMemory -MemoryStartupBytes $MemoryBytes -AutomaticCheckpointsEnabled $false
        $adapter = @(Get-VMNetworkAdapter -VM $vm)
        if ($VlanId -gt 0) { Set-VMNetworkAdapterVlan -VMNetworkAdapter $adapter[0] -Access -VlanId $VlanId }
        else { Set-VMNetworkAdapterVlan -VMNetworkAdapter $adapter[0] -Untagged }
        if (@(Get-VMHardDiskDrive -VM $vm | Where-Object -FilterScript { [string] $_.Path -eq $Disk }).Count -eq 0) { Add-VMHardDiskDrive -VM $vm -Path $Disk }
        $drive = @(Get-VMHardDiskDrive -VM $vm | Where-Object -FilterScript { [string] $_.Path -eq $Disk })
        Set-VMFirmware -VM $vm -EnableSecureBoot On -SecureBootTemplate $Template -FirstBootDevice $drive[0]
        if ($Iso) {
            $dvds = @(Get-VMDvdDrive -VM $vm)
            if ($dvds.Count -eq 0) { Add-VMDvdDrive -VM $vm -Path $Iso }
            elseif ([string] $dvds[0].Path -ne $Iso) { Set-VMDvdDrive -VMDvdDrive $dvds[0] -Path $Iso }
        }
    }
    catch { throw (ConvertTo-HyperVError -ErrorRecord $_ -Otherwise 'VM_REGISTER_FAILED' -VmId $VmId) }
}

function Start-OwnVm {
    <#
    .SYNOPSIS
        Starts a VM; one that runs already is fine.
    #>
    [CmdletBinding(SupportsShouldProcess = $true)]
    param([Parameter(Mandatory = $true)] [string] $VmId)

    $vm = Get-RequiredVm -Id $VmId
    if ((ConvertTo-VmState -System (Get-VmSystem -Id $VmId)) -eq 'running' -or -not $PSCmdlet.ShouldProcess($VmId)) { return }
    try { Start-VM -VM $vm -WarningAction SilentlyContinue }
    catch { throw (ConvertTo-HyperVError -ErrorRecord $_ -Otherwise 'VM_START_FAILED' -VmId $VmId) }
}

function Stop-OwnVm {
    <#
    .SYNOPSIS
        Stops a VM and returns whether it is off now. One that is off, saved, or gone, is fine.
    .DESCRIPTION
        Stop-VM without integration services prompts and fails in a session without a person, even with -Confirm:$false:
        -Force asks the guest without a prompt, -TurnOff is the plug.
    .PARAMETER TurnOff
        Pull the plug instead of asking the guest; a refusal is VM_STOP_FAILED.
    .PARAMETER Reason
        A list that gets the text of a refusal.
    #>
    [CmdletBinding(SupportsShouldProcess = $true)]
    [OutputType([bool])]
    param([Parameter(Mandatory = $true)] [AllowEmptyString()] [string] $VmId, [switch] $TurnOff, [System.Collections.IList] $Reason)

    $vm = Get-HostVm -Id $VmId
    if ($null -eq $vm) { return $true }
    $system = Get-VmSystem -Id $VmId
    if ($null -eq $system -or 'off', 'saved' -contains (ConvertTo-VmState -System $system) -or -not $PSCmdlet.ShouldProcess($VmId)) { return $true }
    try {
        if ($TurnOff) { Stop-VM -VM $vm -TurnOff -Force -WarningAction SilentlyContinue }
        else { Stop-VM -VM $vm -Force -WarningAction SilentlyContinue }
    }
    catch {
        $failure = ConvertTo-HyperVError -ErrorRecord $_ -Otherwise 'VM_STOP_FAILED' -VmId $VmId
        if ((Get-JobErrorId -ErrorRecord $failure) -eq 'VM_NOT_FOUND') { return $true }
        if ($TurnOff) { throw $failure }
        if ($null -ne $Reason) { $Reason.Clear(); [void] $Reason.Add($failure.Exception.Message) }
        return $false
    }
    $system = Get-VmSystem -Id $VmId
    return $null -eq $system -or [int] $system.EnabledState -eq 3
}

function Remove-OwnVm {
    <#
    .SYNOPSIS
        Removes a VM from Hyper-V; its files stay. Gone already is success.
    #>
    [CmdletBinding(SupportsShouldProcess = $true)]
    param([Parameter(Mandatory = $true)] [AllowEmptyString()] [string] $VmId, [double] $Seconds = 60)

    $vm = Get-HostVm -Id $VmId
    if ($null -eq $vm -or -not $PSCmdlet.ShouldProcess($VmId)) { return }
    try { Remove-VM -VM $vm -Force }
    catch {
        $failure = ConvertTo-HyperVError -ErrorRecord $_ -Otherwise 'VM_REMOVE_FAILED' -VmId $VmId
        if ((Get-JobErrorId -ErrorRecord $failure) -ne 'VM_NOT_FOUND') { throw $failure }
    }
    $watch = [System.Diagnostics.Stopwatch]::StartNew()
    while ($null -ne (Get-VmSystem -Id $VmId)) {
        if ($watch.Elapsed.TotalSeconds -ge $Seconds) { throw (New-JobError -Id 'VM_REMOVE_FAILED' -Message "The VM $VmId is still there after $Seconds s.") }
        Start-Sleep -Milliseconds 250
    }
}

function Get-VmRoleGroup {
    <#
    .SYNOPSIS
        Returns a VM's cluster group, or nothing: also where the host is in no cluster.
    #>
    [CmdletBinding()]
    param([Parameter(Mandatory = $true)] [string] $VmId, [Parameter(Mandatory = $true)] [string] $HostName)

    if ($null -eq (Get-ClusterFact -HostName $HostName)) { return }
    if (@(Get-ClusteredVmId) -notcontains $VmId) { return }
    return @(Get-ClusterGroup -VMId ([guid] $VmId))[0]
}

function Add-VmRole {
    <#
    .SYNOPSIS
        Makes a VM a role of the cluster; one that is a role already is fine.
    #>
    [CmdletBinding()]
    param([Parameter(Mandatory = $true)] [string] $VmId)

    try {
        if (@(Get-ClusteredVmId) -contains $VmId) { return }
        [void] (Add-ClusterVirtualMachineRole -VMId ([guid] $VmId))
    }
    catch { throw (ConvertTo-HyperVError -ErrorRecord $_ -Otherwise 'CLUSTER_ROLE_FAILED' -VmId $VmId) }
}

function Remove-VmRole {
    <#
    .SYNOPSIS
        Takes a VM out of the cluster; one that is no role is fine.
    #>
    [CmdletBinding(SupportsShouldProcess = $true)]
    param([Parameter(Mandatory = $true)] [string] $VmId)

    $view = Get-HyperVView
    if ($null -eq (Get-VmRoleGroup -VmId $VmId -HostName $view.HostName) -or -not $PSCmdlet.ShouldProcess($VmId)) { return }
    try { Remove-ClusterGroup -VMId ([guid] $VmId) -RemoveResources -Force }
    catch { throw (ConvertTo-HyperVError -ErrorRecord $_ -Otherwise 'CLUSTER_ROLE_FAILED') }
}

function Dismount-VmIso {
    <#
    .SYNOPSIS
        Empties the DVD drives of a VM; a guest may have ejected the disc itself.
    #>
    [CmdletBinding()]
    param([Parameter(Mandatory = $true)] [string] $VmId)

    $vm = Get-RequiredVm -Id $VmId
    try {
        foreach ($drive in @(Get-VMDvdDrive -VM $vm)) {
            if ($drive.Path) { Set-VMDvdDrive -VMDvdDrive $drive -Path $null }
        }
    }
    catch { throw (ConvertTo-HyperVError -ErrorRecord $_ -VmId $VmId) }
}

function Remove-EmptyDrive {
    <#
    .SYNOPSIS
        Removes the empty DVD drives of a VM. Returns nothing, or the text of Hyper-V's refusal: a running VM may refuse.
    #>
    [CmdletBinding(SupportsShouldProcess = $true)]
    [OutputType([string])]
    param([Parameter(Mandatory = $true)] [string] $VmId)

    $vm = Get-RequiredVm -Id $VmId
    foreach ($drive in @(Get-VMDvdDrive -VM $vm)) {
        if ($drive.Path -or -not $PSCmdlet.ShouldProcess($VmId)) { continue }
        try { Remove-VMDvdDrive -VMDvdDrive $drive }
        catch { return (ConvertTo-HyperVError -ErrorRecord $_ -VmId $VmId).Exception.Message }
    }
}

function Find-VmIdByName {
    <#
    .SYNOPSIS
        Returns the id of the only VM of a name, for a person's call; two of one name are refused.
    #>
    [CmdletBinding()]
    [OutputType([string])]
    param([Parameter(Mandatory = $true)] [string] $Name)

    $view = Get-HyperVView
    $found = @($view.Machines | Where-Object -FilterScript { [string] $_.ElementName -eq $Name })
    if ($found.Count -eq 1) { return ([string] $found[0].Name).ToLowerInvariant() }
    if ($found.Count -eq 0) { throw (New-JobError -Id 'VM_NOT_FOUND' -Message "No VM is named '$Name' on $($view.HostName).") }
    throw (New-JobError -Id 'VM_ALREADY_EXISTS' -Message "$($found.Count) VMs are named '$Name' on $($view.HostName): give -VMId.")
}

Export-ModuleMember -Function '*-*'
