<#
.SYNOPSIS
    Makes a VM from a golden image and provisions its guest, by a job document.
.DESCRIPTION
    Reads one document (YAML or JSON) from the pipeline or standard input, judges it before any change, and runs the steps
    copy_image, copy_iso, register_vm, wait_ready, publish, wait_applied, verify, cleanup_iso, power_off and cluster. Each is
    written to the journal in jobs_directory, and a start of a known job goes on at the first that is not done. Writes JSON
    lines: progress, log, and exactly one result or error, last.

    A document may carry guest_la_pw and guest_domain_joinpw among its fields. Module and script block logging can then write
    them to the event log: give them by -Secrets where that matters.
.PARAMETER Document
    The document's text; several lines are joined.
.PARAMETER Secrets
    SecureStrings by field name: guest_la_pw, guest_domain_joinpw.
.EXAMPLE
    Get-Content -LiteralPath .\job.yaml | .\Invoke-ProvisioningJob.ps1 -Secrets @{ guest_la_pw = Read-Host -AsSecureString }

    job.yaml:
      schema: {"id": "vm-provisioning", "version": 1}
      fields:
        vm_name: web-01
        image_name: Ubuntu 24.04
        gb_ram: 4
        cpu_cores: 2
        guest_la_uid: admin
#>
[CmdletBinding()]
[OutputType([string])]
param(
    [Parameter(ValueFromPipeline = $true)] [AllowEmptyString()] [AllowNull()] [string] $Document,
    [AllowNull()] [hashtable] $Secrets
)

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
            category = 'precondition'; message = "Scripts run in the language mode $mode."; retryable = $false; undone = $true
        } | ConvertTo-Json -Compress
        return
    }
    Import-Module -Name (Join-Path -Path $PSScriptRoot -ChildPath 'AetherV.Create.psm1')
    Import-Module -Name (Join-Path -Path $PSScriptRoot -ChildPath 'AetherV.Host.psm1')
    if (-not $text) { $text = Read-StandardInput }
    Invoke-CreateJob -Text $text -Secrets $Secrets -Writer (New-RecordWriter -Cmdlet $PSCmdlet)
}
