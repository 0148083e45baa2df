<#
.SYNOPSIS
    The inventory of one host: what Get-HostInventory.ps1 does.
.DESCRIPTION
    At most 25 calls of Hyper-V, the cluster and WMI, however many VMs there are.
#>
Set-StrictMode -Version 3.0
$ErrorActionPreference = 'Stop'
Import-Module -Name (Join-Path -Path $PSScriptRoot -ChildPath 'AetherV.Host.psm1')

function Get-HostFact {
    <#
    .SYNOPSIS
        Returns the host record: name, system, memory, processors, cluster, folder of VMs.
    #>
    [CmdletBinding()]
    [OutputType([System.Collections.IDictionary])]
    param([hashtable] $Settings, [hashtable] $View, [AllowNull()] [hashtable] $Cluster)

    $system = @(Get-CimInstance -ClassName 'Win32_OperatingSystem')[0]
    $machine = @(Get-CimInstance -ClassName 'Win32_ComputerSystem')[0]
    $facts = [ordered]@{
        computer_name = $View.HostName; os_version = [string] $system.Version; scripts_version = (Get-ScriptsVersion)
        cpu_count = [long] $machine.NumberOfLogicalProcessors; memory_bytes = [long] $machine.TotalPhysicalMemory
        memory_free_bytes = [long] $system.FreePhysicalMemory * 1KB; vm_path = (Get-VmRoot -Settings $Settings)
    }
    if ($null -ne $Cluster) {
        $facts['cluster'] = $Cluster.Name
        $facts['node_state'] = $Cluster.NodeState
    }
    return $facts
}

function Get-IsoRecord {
    <#
    .SYNOPSIS
        Returns the provisioning ISOs that are there, with their version if it is known.
    #>
    [CmdletBinding()]
    param([hashtable] $Settings)

    foreach ($family in 'linux', 'windows') {
        $path = Get-IsoPath -Settings $Settings -Family $family
        if (-not (Test-HostPath -Path $path -PathType Leaf)) { continue }
        $record = [ordered]@{ family = $family; path = $path }
        $version = Get-IsoVersion -Settings $Settings -Family $family
        if ($version) { $record['version'] = $version }
        $record
    }
}

function Get-JobRecord {
    <#
    .SYNOPSIS
        Returns the jobs that have not ended; one whose lock nobody holds is interrupted.
    #>
    [CmdletBinding()]
    param([string] $Folder)

    foreach ($journal in @(Get-OpenJournal -Folder $Folder)) {
        $state = if (Test-JobRunning -Folder $Folder -JobId $journal['job_id']) { [string] $journal['state'] } else { 'interrupted' }
        $record = [ordered]@{
            job_id = [string] $journal['job_id']; script = [string] $journal['script']; vm_name = [string] $journal['vm_name']
            step = [string] $journal['step']; state = $state; reserved_bytes = [long] $journal['reserved_bytes']
        }
        if ($journal['vm_id']) { $record['vm_id'] = [string] $journal['vm_id'] }
        $record
    }
}

function Get-InventoryResult {
    <#
    .SYNOPSIS
        Returns the inventory result of contracts\records.json.
    #>
    [CmdletBinding()]
    [OutputType([System.Collections.IDictionary])]
    param([Parameter(Mandatory = $true)] [hashtable] $Document)

    $settings = $Document.Host
    $view = Get-HyperVView
    $cluster = Get-ClusterFact -HostName $view.HostName
    $clustered = @()
    if ($null -ne $cluster -and $cluster.NodeState -ne 'down') { $clustered = @(Get-ClusteredVmId) }
    $ids = @($Document.Own['ids'] | Where-Object -FilterScript { $_ } | ForEach-Object -Process { [string] $_ })
    return [ordered]@{
        host     = Get-HostFact -Settings $settings -View $view -Cluster $cluster
        vms      = @(Get-VmRecord -View $view -Ids $ids -ClusteredIds $clustered)
        images   = @(Get-ImageFile -Settings $settings | Where-Object -FilterScript { $_.Extension -eq '.vhdx' } | ForEach-Object -Process {
                [ordered]@{ image_name = $_.Name; path = $_.Path; size_bytes = $_.Length; update_time = (Get-UtcStamp -Moment $_.Changed) }
            })
        switches = @(Get-VMSwitch | ForEach-Object -Process { [ordered]@{ name = [string] $_.Name; type = ([string] $_.SwitchType).ToLowerInvariant() } })
        volumes  = @(Get-HostVolume | ForEach-Object -Process { [ordered]@{ path = $_.Path; size_bytes = $_.SizeBytes; free_bytes = $_.FreeBytes } })
        isos     = @(Get-IsoRecord -Settings $settings)
        jobs     = @(Get-JobRecord -Folder $settings.jobs_directory)
    }
}

function Invoke-InventoryReport {
    <#
    .SYNOPSIS
        Writes the one record of an inventory.
    #>
    [CmdletBinding()]
    param([AllowEmptyString()] [string] $Text, [Parameter(Mandatory = $true)] [hashtable] $Writer)

    try {
        $document = ConvertTo-JobDocument -Kind inventory -Text $Text
        $record = [ordered]@{ kind = 'result'; result = (Get-InventoryResult -Document $document) }
    }
    catch { $record = ConvertTo-ErrorOutcome -ErrorRecord $_ }
    Write-JobRecord -Writer $Writer -Record $record
}

Export-ModuleMember -Function 'Invoke-InventoryReport'
