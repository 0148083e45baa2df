<#
.SYNOPSIS
    VMs as records: one query per class for all VMs, never one per VM. Changes nothing.
#>
Set-StrictMode -Version 3.0
$ErrorActionPreference = 'Stop'
foreach ($name in 'Records', 'Paths', 'HyperV', 'Mark') {
    Import-Module -Name (Join-Path -Path $PSScriptRoot -ChildPath "AetherV.$name.psm1")
}

$script:Namespace = 'root\virtualization\v2'

function Get-InstanceVmId {
    <#
    .SYNOPSIS
        Returns the parts of an InstanceID such as Microsoft:VMID\DEVICE\...: the VM's id first, upper case.
    #>
    [CmdletBinding()]
    [OutputType([string[]])]
    param([AllowEmptyString()] [AllowNull()] [string] $InstanceId)

    return @(([string] $InstanceId).ToUpperInvariant() -replace '^MICROSOFT:(GUESTNETWORK\\)?', '' -split '\\')
}

function Group-ByVm {
    <#
    .SYNOPSIS
        Returns lists of instances by their VM's id (upper case).
    #>
    [CmdletBinding()]
    [OutputType([hashtable])]
    param([AllowEmptyCollection()] [object[]] $Instances)

    $groups = @{}
    foreach ($instance in $Instances) {
        $id = @(Get-InstanceVmId -InstanceId $instance.InstanceID)[0]
        if (-not $groups.ContainsKey($id)) { $groups[$id] = New-Object -TypeName 'System.Collections.Generic.List[object]' }
        $groups[$id].Add($instance)
    }
    # @() of a generic list of objects fails with "Argument types do not match" (a fault of PowerShell's): give arrays.
    foreach ($id in @($groups.Keys)) { $groups[$id] = $groups[$id].ToArray() }
    return $groups
}

function Get-VmTable {
    <#
    .SYNOPSIS
        Returns everything that VM records are made of, by class: nine queries, however many VMs there are.
    #>
    [CmdletBinding()]
    [OutputType([hashtable])]
    param()

    $table = @{}
    $classes = @{
        Memory = 'Msvm_MemorySettingData'; Processor = 'Msvm_ProcessorSettingData'
        Port = 'Msvm_SyntheticEthernetPortSettingData'; Connection = 'Msvm_EthernetPortAllocationSettingData'
        Vlan = 'Msvm_EthernetSwitchPortVlanSettingData'; Network = 'Msvm_GuestNetworkAdapterConfiguration'
        Storage = 'Msvm_StorageAllocationSettingData'
    }
    foreach ($name in @($classes.Keys)) {
        $table[$name] = Group-ByVm -Instances @(Get-CimInstance -Namespace $script:Namespace -ClassName $classes[$name])
    }
    $table['Setting'] = @{}
    foreach ($setting in @(Get-CimInstance -Namespace $script:Namespace -ClassName 'Msvm_VirtualSystemSettingData')) {
        if ([string] $setting.VirtualSystemType -eq 'Microsoft:Hyper-V:System:Realized') {
            $table['Setting'][([string] $setting.VirtualSystemIdentifier).ToUpperInvariant()] = $setting
        }
    }
    $table['Switch'] = @{}
    foreach ($switch in @(Get-CimInstance -Namespace $script:Namespace -ClassName 'Msvm_VirtualEthernetSwitch')) {
        $table['Switch'][([string] $switch.Name).ToUpperInvariant()] = [string] $switch.ElementName
    }
    return $table
}

function Get-AdapterRecord {
    <#
    .SYNOPSIS
        Returns the adapter records of one VM.
    #>
    [CmdletBinding()]
    param([Parameter(Mandatory = $true)] [hashtable] $Table, [Parameter(Mandatory = $true)] [string] $Id)

    foreach ($port in @($Table.Port[$Id])) {
        if ($null -eq $port) { continue }
        $device = @(Get-InstanceVmId -InstanceId $port.InstanceID)[1]
        $own = { param($list) @($list | Where-Object -FilterScript { $null -ne $_ -and @(Get-InstanceVmId -InstanceId $_.InstanceID)[1] -eq $device }) }
        $connection = @(& $own $Table.Connection[$Id])
        $switch = ''
        if ($connection.Count -gt 0 -and $null -ne $connection[0].HostResource) {
            $match = [regex]::Match([string] @($connection[0].HostResource)[0], '[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}(?!.*[0-9A-Fa-f]{8}-)')
            if ($match.Success) { $switch = [string] $Table.Switch[$match.Value.ToUpperInvariant()] }
        }
        $vlan = @(& $own $Table.Vlan[$Id])
        $vlanId = [long] 0
        if ($vlan.Count -gt 0 -and [int] $vlan[0].OperationMode -eq 1) { $vlanId = [long] $vlan[0].AccessVlanId }
        $addresses = @(foreach ($network in @(& $own $Table.Network[$Id])) {
                foreach ($address in @($network.IPAddresses)) { if ($address) { [string] $address } }
            })
        $mac = [string] $port.Address
        if ($mac -match '^[0-9A-Fa-f]{12}$') { $mac = ($mac.ToLowerInvariant() -replace '(..)(?=.)', '$1:') }
        [ordered]@{ mac = $mac; switch = $switch; vlan_id = $vlanId; ip_addresses = $addresses }
    }
}

function Get-DiskPath {
    <#
    .SYNOPSIS
        Returns the paths of the virtual disks of one VM.
    #>
    [CmdletBinding()]
    [OutputType([string[]])]
    param([Parameter(Mandatory = $true)] [hashtable] $Table, [Parameter(Mandatory = $true)] [string] $Id)

    foreach ($storage in @($Table.Storage[$Id])) {
        if ($null -ne $storage -and [string] $storage.ResourceSubType -eq 'Microsoft:Hyper-V:Virtual Hard Disk' -and $null -ne $storage.HostResource) {
            foreach ($path in @($storage.HostResource)) { [string] $path }
        }
    }
}

function Get-DiskSize {
    <#
    .SYNOPSIS
        Returns sizes in bytes by a disk's path, in one call for all disks. One that can't be read now is left out.
    #>
    [CmdletBinding()]
    [OutputType([hashtable])]
    param([AllowEmptyCollection()] [string[]] $Paths)

    $sizes = @{}
    if (@($Paths).Count -eq 0) { return $sizes }
    # A disk that is open on another node, or gone, writes an error of its own beside the others' answers.
    foreach ($disk in @(Get-VHD -Path $Paths -ErrorAction SilentlyContinue)) { $sizes[[string] $disk.Path] = [long] $disk.Size }
    return $sizes
}

function Get-VmRecord {
    <#
    .SYNOPSIS
        Returns VM records (contracts\records.json, vm) of all VMs of the host, or of those ids alone.
    .PARAMETER View
        What Get-HyperVView gave.
    #>
    [CmdletBinding()]
    param(
        [Parameter(Mandatory = $true)] [hashtable] $View,
        [AllowEmptyCollection()] [string[]] $Ids = @(),
        [AllowEmptyCollection()] [string[]] $ClusteredIds = @()
    )

    $table = Get-VmTable
    $machines = @($View.Machines | Where-Object -FilterScript { @($Ids).Count -eq 0 -or $Ids -contains [string] $_.Name })
    $paths = @(foreach ($machine in $machines) { Get-DiskPath -Table $table -Id ([string] $machine.Name).ToUpperInvariant() })
    $sizes = Get-DiskSize -Paths $paths
    foreach ($machine in $machines) {
        $id = ([string] $machine.Name).ToUpperInvariant()
        $setting = $table.Setting[$id]
        if ($null -eq $setting) { continue }  # removed between two queries
        $notes = Split-VmNote -Notes ([string]::Join("`n", [string[]] @($setting.Notes | Where-Object -FilterScript { $null -ne $_ })))
        $adapters = @(Get-AdapterRecord -Table $table -Id $id)
        $memory = @($table.Memory[$id] | Where-Object -FilterScript { $null -ne $_ })
        $processor = @($table.Processor[$id] | Where-Object -FilterScript { $null -ne $_ })
        if ($memory.Count -eq 0 -or $processor.Count -eq 0) { continue }
        $disks = @(foreach ($path in @(Get-DiskPath -Table $table -Id $id)) {
                [ordered]@{ path = $path; size_bytes = [long] $sizes[$path]; file_bytes = (Get-FileLength -Path $path) }
            })
        $record = [ordered]@{
            id = $id.ToLowerInvariant(); name = [string] $machine.ElementName; state = (ConvertTo-VmState -System $machine)
            memory_bytes = [long] $memory[0].VirtualQuantity * 1MB; dynamic_memory = [bool] $memory[0].DynamicMemoryEnabled
            cpu_count = [long] $processor[0].VirtualQuantity
            vlan_id = $(if ($adapters.Count -gt 0) { $adapters[0]['vlan_id'] } else { [long] 0 })
            switch = $(if ($adapters.Count -gt 0) { $adapters[0]['switch'] } else { '' })
            clustered = $ClusteredIds -contains $id; notes = [string] $notes.Notes
            adapters = $adapters; disks = $disks; path = [string] $setting.ConfigurationDataRoot
            create_time = (Get-UtcStamp -Moment ([datetime] $setting.CreationTime))
            uptime_seconds = [long] [Math]::Floor([double] $machine.OnTimeInMilliseconds / 1000)
            replica = [int] $machine.ReplicationMode -eq 2
        }
        if ($null -ne $notes.Mark) { $record['mark'] = $notes.Mark }
        $record
    }
}

Export-ModuleMember -Function 'Get-VmRecord'
