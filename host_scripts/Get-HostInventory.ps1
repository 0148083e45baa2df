<#
.SYNOPSIS
    Returns everything of this host in one answer: VMs, images, switches, volumes, ISOs, open jobs.
.DESCRIPTION
    One query per class for all VMs, so the number of calls does not grow with them. Guests' states are those of the marks
    in the VMs' notes; a guest is never asked again. Writes one record, as a JSON line: result or error.
.PARAMETER Document
    The document's text; several lines are joined. Without one the field's default settings are used.
.EXAMPLE
    .\Get-HostInventory.ps1

.EXAMPLE
    '{"schema": {"id": "host-inventory", "version": 1}, "vms": {"ids": ["3f2504e0-4f89-11d3-9a0c-0305e82c3301"]}}' | .\Get-HostInventory.ps1
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
    Import-Module -Name (Join-Path -Path $PSScriptRoot -ChildPath 'AetherV.Report.psm1')
    Import-Module -Name (Join-Path -Path $PSScriptRoot -ChildPath 'AetherV.Host.psm1')
    if (-not $text) { $text = Read-StandardInput }
    if (-not $text.Trim()) { $text = '{"schema":{"id":"host-inventory","version":1}}' }
    Invoke-InventoryReport -Text $text -Writer (New-RecordWriter -Cmdlet $PSCmdlet)
}
