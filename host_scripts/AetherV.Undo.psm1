<#
.SYNOPSIS
    Taking back what a job made: in reverse, and only what its journal says that it made. And saying what stands.
#>
Set-StrictMode -Version 3.0
$ErrorActionPreference = 'Stop'
foreach ($name in 'Records', 'Paths', 'Job', 'Vm') {
    Import-Module -Name (Join-Path -Path $PSScriptRoot -ChildPath "AetherV.$name.psm1")
}

$script:Steps = @{ cluster_role = 'cluster'; vm = 'register_vm'; iso = 'copy_iso'; disk = 'copy_image'; folder = 'copy_image' }

function Remove-MadeThing {
    <#
    .SYNOPSIS
        Removes one thing that the job made; gone already is success.
    #>
    [CmdletBinding(SupportsShouldProcess = $true)]
    param([Parameter(Mandatory = $true)] [hashtable] $Job, [string] $Kind, [string] $Path)

    if (-not $PSCmdlet.ShouldProcess($Path)) { return }
    switch ($Kind) {
        'cluster_role' { Remove-VmRole -VmId $Path }
        'vm' {
            $id = Find-OwnVm -Job $Job
            if ($id) {
                Remove-VmRole -VmId $id
                [void] (Stop-OwnVm -VmId $id -TurnOff)
                Remove-OwnVm -VmId $id
            }
            Save-Job -Job $Job -Values @{ vm_id = '' }
        }
        'iso' { Remove-HostFile -Path $Path }
        'disk' {
            Remove-HostFile -Path $Path
            Remove-HostFile -Path (Join-HostPath -Folder (Get-ParentPath -Path $Path) -Name "$(Get-PathStem -Path $Path).partial.vhdx")
        }
        'folder' {
            if (-not (Remove-EmptyFolder -Path $Path)) { throw (New-JobError -Id 'FILE_ERROR' -Message "${Path}: the folder is not empty") }
        }
    }
}

function Undo-Job {
    <#
    .SYNOPSIS
        Takes back everything that the job made, and returns what is left as leftover records. No cancel ends it.
    #>
    [CmdletBinding(SupportsShouldProcess = $true)]
    param([Parameter(Mandatory = $true)] [hashtable] $Job)

    if (-not $PSCmdlet.ShouldProcess($Job.Document.JobId)) { return }
    Save-Job -Job $Job -Values @{ state = 'undoing' }
    $made = @($Job.Journal['made'])
    [Array]::Reverse($made)
    foreach ($thing in $made) {
        $kind = [string] $thing['kind']
        $path = [string] $thing['path']
        try { Remove-MadeThing -Job $Job -Kind $kind -Path $path }
        catch {
            $outcome = ConvertTo-ErrorOutcome -ErrorRecord $_
            [ordered]@{ kind = $kind; path = $path; message = [string] $outcome['message'] }
            continue
        }
        Clear-MadeThing -Job $Job -Kind $kind -Path $path
        $step = $script:Steps[$kind]
        Write-JobProgress -Writer $Job.Writer -Step $step -State 'undone' -Attempt (Get-StepAttempt -Job $Job -Name $step) -Message "$kind removed"
    }
    Save-Job -Job $Job -Values @{ reserved_bytes = [long] 0; reserved_memory = [long] 0 }
}

function Get-Leftover {
    <#
    .SYNOPSIS
        Returns what stands of a job that is not taken back, as leftover records.
    #>
    [CmdletBinding()]
    param([Parameter(Mandatory = $true)] [hashtable] $Job)

    foreach ($thing in @($Job.Journal['made'])) {
        $path = [string] $thing['path']
        if ($thing['kind'] -eq 'vm' -and $Job.Journal['vm_id']) { $path = [string] $Job.Journal['vm_id'] }
        [ordered]@{ kind = [string] $thing['kind']; path = $path; message = 'was made by the job and stands' }
    }
}

Export-ModuleMember -Function 'Undo-Job', 'Get-Leftover'
