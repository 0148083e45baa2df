<#
.SYNOPSIS
    Where a create finds and puts things by its host settings: image, ISO and version, switch, folder, room. Changes nothing.
#>
Set-StrictMode -Version 3.0
$ErrorActionPreference = 'Stop'
foreach ($name in 'Records', 'Paths', 'HyperV', 'Journal', 'Fields') {
    Import-Module -Name (Join-Path -Path $PSScriptRoot -ChildPath "AetherV.$name.psm1")
}

$script:Reserve = 1GB
$script:Listed = 20
$script:IsoNames = @{ linux = 'LinuxProvisioning.iso'; windows = 'WindowsProvisioning.iso' }

function Get-ImageFile {
    <#
    .SYNOPSIS
        Returns Name, Path, Extension, Length and Changed of every disk file in the image folders.
    #>
    [CmdletBinding()]
    param([Parameter(Mandatory = $true)] [hashtable] $Settings)

    $patterns = New-Object -TypeName 'System.Collections.Generic.List[string]'
    foreach ($pattern in $Settings.image_paths) { $patterns.Add($pattern) }
    $disks = [string] (Get-VMHost).VirtualHardDiskPath
    if ($disks) { $patterns.Add((Join-HostPath -Folder (Get-ParentPath -Path $disks) -Name 'DiskImages')) }
    $seen = @{}
    foreach ($pattern in $patterns) {
        foreach ($folder in @(Resolve-HostFolder -Pattern $pattern)) {
            foreach ($file in @(Get-ChildItem -LiteralPath $folder -File -Force | Sort-Object -Property Name)) {
                $path = Join-HostPath -Folder $folder -Name $file.Name
                if ('.vhdx', '.vhd' -notcontains $file.Extension -or $seen.ContainsKey($path)) { continue }
                $seen[$path] = $true
                [pscustomobject]@{
                    Name = (Get-PathStem -Path $file.Name); Path = $path; Extension = [string] $file.Extension
                    Length = [long] $file.Length; Changed = [datetime] $file.LastWriteTimeUtc
                }
            }
        }
    }
}

function Find-Image {
    <#
    .SYNOPSIS
        Returns the golden image of an exact name; IMAGE_NOT_FOUND, IMAGE_AMBIGUOUS or IMAGE_UNSUPPORTED.
    #>
    [CmdletBinding()]
    param([Parameter(Mandatory = $true)] [hashtable] $Settings, [Parameter(Mandatory = $true)] [string] $Name)

    $all = @(Get-ImageFile -Settings $Settings)
    $named = @($all | Where-Object -FilterScript { $_.Name -eq $Name })
    $good = @($named | Where-Object -FilterScript { $_.Extension -eq '.vhdx' })
    if ($good.Count -gt 1) {
        throw (New-JobError -Id 'IMAGE_AMBIGUOUS' -Message "The image '$Name' is there twice: $([string]::Join(', ', @($good.Path)))." -Field 'image_name')
    }
    if ($good.Count -eq 1) { return $good[0] }
    if ($named.Count -gt 0) { throw (New-JobError -Id 'IMAGE_UNSUPPORTED' -Message "The image $($named[0].Path) is no .vhdx." -Field 'image_name') }
    $names = @($all | Where-Object -FilterScript { $_.Extension -eq '.vhdx' } | ForEach-Object -Process { "'$($_.Name)'" } | Sort-Object -Unique | Select-Object -First $script:Listed)
    $there = if ($names.Count -gt 0) { "there are $([string]::Join(', ', $names))" } else { 'the image folders hold none' }
    throw (New-JobError -Id 'IMAGE_NOT_FOUND' -Message "The host has no image '$Name' in $([string]::Join(', ', $Settings.image_paths)); $there." -Field 'image_name')
}

function Get-IsoPath {
    <#
    .SYNOPSIS
        Returns where a family's provisioning ISO should be.
    #>
    [CmdletBinding()]
    [OutputType([string])]
    param([Parameter(Mandatory = $true)] [hashtable] $Settings, [Parameter(Mandatory = $true)] [string] $Family)

    if ($Settings.iso_paths[$Family]) { return $Settings.iso_paths[$Family] }
    return Join-HostPath -Folder $Settings.install_directory -Name $script:IsoNames[$Family]
}

function Get-IsoVersion {
    <#
    .SYNOPSIS
        Returns the version of a family's ISO: the setting, else the file version beside it; empty where neither says it.
    #>
    [CmdletBinding()]
    [OutputType([string])]
    param([Parameter(Mandatory = $true)] [hashtable] $Settings, [Parameter(Mandatory = $true)] [string] $Family)

    $given = ([string] $Settings.guest_version[$Family]).Trim()
    if ($given) { return $given }
    $file = Join-HostPath -Folder (Get-ParentPath -Path (Get-IsoPath -Settings $Settings -Family $Family)) -Name 'version'
    if (-not (Test-HostPath -Path $file -PathType Leaf)) { return '' }
    return [System.IO.File]::ReadAllText((Get-NativePath -Path $file)).Trim()
}

function Find-Switch {
    <#
    .SYNOPSIS
        Returns the name of the switch that is wanted, else the host's default, else its only external one.
    #>
    [CmdletBinding()]
    [OutputType([string])]
    param([Parameter(Mandatory = $true)] [hashtable] $Settings, [AllowEmptyString()] [string] $Wanted)

    $switches = @(Get-VMSwitch)
    $there = [string]::Join(', ', @($switches | ForEach-Object -Process { "'$($_.Name)' ($(([string] $_.SwitchType).ToLowerInvariant()))" }))
    if (-not $there) { $there = 'none' }
    $name = if ($Wanted) { $Wanted } else { $Settings.default_switch }
    if ($name) {
        $found = @($switches | Where-Object -FilterScript { [string] $_.Name -eq $name })
        if ($found.Count -eq 0) { throw (New-JobError -Id 'SWITCH_NOT_FOUND' -Message "The host has no switch '$name'; it has $there." -Field 'virtual_switch') }
        if ($found.Count -gt 1) { throw (New-JobError -Id 'SWITCH_AMBIGUOUS' -Message "The host has $($found.Count) switches named '$name'; it has $there." -Field 'virtual_switch') }
        return [string] $found[0].Name
    }
    $external = @($switches | Where-Object -FilterScript { [string] $_.SwitchType -eq 'External' })
    if ($external.Count -ne 1) {
        throw (New-JobError -Id 'SWITCH_AMBIGUOUS' -Message "The host has $($external.Count) external switches and none was named; it has $there." -Field 'virtual_switch')
    }
    return [string] $external[0].Name
}

function Get-VmRoot {
    <#
    .SYNOPSIS
        Returns the folder that VMs' folders are made in: the setting, else the cluster volume with the most free space.
    #>
    [CmdletBinding()]
    [OutputType([string])]
    param([Parameter(Mandatory = $true)] [hashtable] $Settings)

    if ($Settings.vm_path) { return $Settings.vm_path.Replace('/', '\').TrimEnd('\') }
    $shared = @(Get-HostVolume | Where-Object -FilterScript {
            $_.Path.TrimEnd('\') -ne (Get-ClusterStoragePath) -and (Test-PathWithin -Path $_.Path -Folder (Get-ClusterStoragePath))
        } | Sort-Object -Property FreeBytes -Descending)
    if ($shared.Count -gt 0) { return Join-HostPath -Folder $shared[0].Path -Name 'Hyper-V' }
    return ([string] (Get-VMHost).VirtualMachinePath).TrimEnd('\')
}

function Assert-VmNameFree {
    <#
    .SYNOPSIS
        Throws VM_ALREADY_EXISTS where this host, its cluster or another job has the name.
    #>
    [CmdletBinding()]
    param([string] $Name, [hashtable] $View, [AllowNull()] [hashtable] $Cluster, [AllowEmptyCollection()] [object[]] $OpenJobs)

    $same = @($View.Machines | Where-Object -FilterScript { [string] $_.ElementName -eq $Name })
    if ($same.Count -gt 0) {
        throw (New-JobError -Id 'VM_ALREADY_EXISTS' -Field 'vm_name' -Message (
                "A VM named '$($same[0].ElementName)' is on $($View.HostName) already, with id $(([string] $same[0].Name).ToLowerInvariant())."))
    }
    foreach ($job in $OpenJobs) {
        if ([string] $job['vm_name'] -eq $Name) {
            throw (New-JobError -Id 'VM_ALREADY_EXISTS' -Field 'vm_name' -Message "Job $($job['job_id']) makes a VM named '$Name' now.")
        }
    }
    if ($null -ne $Cluster -and $Cluster.NodeState -ne 'down') {
        $roles = @(Get-ClusterGroup | Where-Object -FilterScript { [string] $_.Name -eq $Name })
        if ($roles.Count -gt 0) {
            throw (New-JobError -Id 'VM_ALREADY_EXISTS' -Field 'vm_name' -Message "The cluster $($Cluster.Name) has a role named '$Name' already.")
        }
    }
}

function Assert-HostRoom {
    <#
    .SYNOPSIS
        Throws DISK_FULL or MEMORY_INSUFFICIENT; what open jobs will still take counts as taken.
    #>
    [CmdletBinding()]
    param([System.Collections.IDictionary] $Plan, [hashtable] $View, [AllowEmptyCollection()] [object[]] $OpenJobs)

    $volume = Find-HostVolume -Path $Plan['folder']
    $promised = [long] 0
    $starting = [long] 0
    $running = @($View.Machines | Where-Object -FilterScript { [int] $_.EnabledState -eq 2 } | ForEach-Object -Process { [string] $_.Name })
    foreach ($job in $OpenJobs) {
        $promised += [long] $job['reserved_bytes']
        if ($running -notcontains [string] $job['vm_id']) { $starting += [long] $job['reserved_memory'] }
    }
    $needed = [long] $Plan['image_bytes'] + (Get-FileLength -Path $Plan['iso']) + $script:Reserve
    if ($volume.FreeBytes - $promised -lt $needed) {
        throw (New-JobError -Id 'DISK_FULL' -Message (
                "$($volume.Path) has $($volume.FreeBytes) bytes free, of which running jobs will take $promised; $needed are needed" +
                " ($($Plan['image_bytes']) for the disk, the rest as reserve)."))
    }
    $system = @(Get-CimInstance -ClassName 'Win32_OperatingSystem')
    $left = [long] $system[0].FreePhysicalMemory * 1KB - $starting
    if ($left -lt [long] $Plan['memory_bytes']) {
        throw (New-JobError -Id 'MEMORY_INSUFFICIENT' -Field 'gb_ram' -Message (
                "$($View.HostName) has $([Math]::Floor($left / 1GB)) GiB of memory left, $([long] $Plan['memory_bytes'] / 1GB) are needed."))
    }
}

function Assert-ClusterUsable {
    <#
    .SYNOPSIS
        Throws where a clustered VM can't be made: no cluster, files not on its storage, or no second hop.
    #>
    [CmdletBinding()]
    param([string] $Folder, [hashtable] $View, [AllowNull()] [hashtable] $Cluster)

    if ($null -eq $Cluster -or $Cluster.NodeState -eq 'down') {
        throw (New-JobError -Id 'CLUSTER_NOT_AVAILABLE' -Field 'vm_clustered' -Message "$($View.HostName) is no node of a running cluster.")
    }
    if (-not (Test-PathWithin -Path $Folder -Folder (Get-ClusterStoragePath))) {
        throw (New-JobError -Id 'CLUSTER_STORAGE_REQUIRED' -Field 'vm_clustered' -Message "The folder $Folder is not on cluster storage.")
    }
    if (-not (Test-DelegatedLogon)) {
        throw (New-JobError -Id 'CLUSTER_DELEGATION_MISSING' -Field 'vm_clustered' -Message (
                "The login's credentials can't be used for a second hop: use CredSSP, or Kerberos with delegation."))
    }
}

function New-CreatePlan {
    <#
    .SYNOPSIS
        Returns where and how a create makes its VM, decided once before any change. Plain values for the journal.
    .PARAMETER Fields
        The fields as Test-CreateField gave them.
    .PARAMETER Version
        The ISO's version.
    #>
    [CmdletBinding(SupportsShouldProcess = $true)]
    [OutputType([System.Collections.IDictionary])]
    param(
        [Parameter(Mandatory = $true)] [hashtable] $Document,
        [Parameter(Mandatory = $true)] [System.Collections.IDictionary] $Fields,
        [Parameter(Mandatory = $true)] [string] $Version
    )

    if (-not $PSCmdlet.ShouldProcess($Fields['vm_name'])) { return }
    $settings = $Document.Host
    $view = Get-HyperVView
    $cluster = Get-ClusterFact -HostName $view.HostName
    if ($null -ne $cluster -and $cluster.NodeState -ne 'up') {
        throw (New-JobError -Id 'HOST_PAUSED' -Message "The node $($view.HostName) is $($cluster.NodeState).")
    }
    $open = @(Get-OpenJournal -Folder $settings.jobs_directory | Where-Object -FilterScript { $_['script'] -eq 'create' -and $_['job_id'] -ne $Document.JobId })
    $name = [string] $Fields['vm_name']
    Assert-VmNameFree -Name $name -View $view -Cluster $cluster -OpenJobs $open
    $image = Find-Image -Settings $settings -Name ([string] $Fields['image_name'])
    if (-not (Test-FileOpenAlone -Path $image.Path -WritersOnly)) {
        throw (New-JobError -Id 'IMAGE_IN_USE' -Message "The image $($image.Path) is open for writing." -Field 'image_name')
    }
    $family = [string] $Fields['os_family']
    $iso = Get-IsoPath -Settings $settings -Family $family
    if (-not (Test-HostPath -Path $iso -PathType Leaf)) { throw (New-JobError -Id 'ISO_NOT_FOUND' -Message "The $family provisioning ISO is not at $iso.") }
    $folder = Join-HostPath -Folder (Get-VmRoot -Settings $settings) -Name $name
    [void] (Find-HostVolume -Path $folder)
    if (Test-HostPath -Path $folder) { throw (New-JobError -Id 'FOLDER_ALREADY_EXISTS' -Message "The folder $folder is there already." -Field 'vm_name') }
    if (Test-FolderCompressed -Path $folder) { throw (New-JobError -Id 'FOLDER_COMPRESSED' -Message "The folder $folder would be compressed or encrypted.") }
    $plan = [ordered]@{
        family = $family; image = $image.Path; image_bytes = $image.Length; folder = $folder
        disk = (Join-HostPath -Folder $folder -Name "$name.vhdx"); partial = (Join-HostPath -Folder $folder -Name "$name.partial.vhdx")
        iso = $iso; iso_copy = (Join-HostPath -Folder $folder -Name (Get-PathLeaf -Path $iso)); guest_version = $Version
        switch = (Find-Switch -Settings $settings -Wanted ([string] $Fields['virtual_switch'])); memory_bytes = [long] $Fields['gb_ram'] * 1GB
        secure_boot_template = [string] $settings.secure_boot_template[$family]
    }
    Assert-HostRoom -Plan $plan -View $view -OpenJobs $open
    if ($Fields['vm_clustered'] -eq $true) { Assert-ClusterUsable -Folder $folder -View $view -Cluster $cluster }
    return $plan
}

Export-ModuleMember -Function 'Get-ImageFile', 'Find-Image', 'Get-IsoPath', 'Get-IsoVersion', 'Find-Switch', 'Get-VmRoot', 'New-CreatePlan'
