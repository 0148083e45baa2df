<#
.SYNOPSIS
    Removes a VM by its id, with its disks or without, by a job document.
.DESCRIPTION
    Reads one document (YAML or JSON) from the pipeline or standard input and runs the steps inspect, cluster, stop,
    remove_vm, wait_released and delete_files, each written to the journal in jobs_directory. Deletes only disks that belong
    to this VM alone and stand in its folder: never a parent, a shared disk or a path elsewhere. Repeatable. Writes JSON
    lines: progress, log, and exactly one result or error, last.
.PARAMETER Document
    The document's text; several lines are joined.
.EXAMPLE
    Get-Content -LiteralPath .\job.yaml | .\Invoke-DeleteVmJob.ps1

    job.yaml:
      schema: {"id": "vm-delete", "version": 1}
      vm:
        id: 3f2504e0-4f89-11d3-9a0c-0305e82c3301
        shutdown_mode: graceful_then_off
        keep_disks: false
#>
[CmdletBinding()]
[OutputType([string])]
param([Parameter(ValueFromPipeline = $true)] [AllowEmptyString()] [AllowNull()] [string] $Document)

begin {
    Set-StrictMode -Version 3.0
    $ErrorActionPreference = 'Stop'
    $lines = @()
}
process { $lines += $Document }
end {
    $mode = $ExecutionContext.SessionState.LanguageMode
    $text = $lines -join "`n"
    if ($mode -ne 'FullLanguage') {
        # Nothing but plain commands works here, so this record is made without the module.
        $job = if ($text -match '"?job_id"?\s*:\s*"?([A-Za-z0-9-]{1,64})') { $Matches[1] } else { '' }
        [ordered]@{
            kind = 'error'; time = (Get-Date).ToUniversalTime().ToString('yyyy-MM-ddTHH:mm:ssZ'); job_id = $job; id = 'CONSTRAINED_LANGUAGE'
            category = 'precondition'; message = "Scripts run in the language mode $mode."; retryable = $false
        } | ConvertTo-Json -Compress
        return
    }
    Import-Module -Name (Join-Path -Path $PSScriptRoot -ChildPath 'AetherV.Delete.psm1')
    Import-Module -Name (Join-Path -Path $PSScriptRoot -ChildPath 'AetherV.Host.psm1')
    if (-not $text) { $text = Read-StandardInput }
    Invoke-DeleteJob -Text $text -Writer (New-RecordWriter -Cmdlet $PSCmdlet)
}
