<#
.SYNOPSIS
    A create from its document to its outcome: what Invoke-ProvisioningJob.ps1 does.
#>
Set-StrictMode -Version 3.0
$ErrorActionPreference = 'Stop'
Import-Module -Name (Join-Path -Path $PSScriptRoot -ChildPath 'AetherV.Host.psm1')

function Get-HelperPath {
    <#
    .SYNOPSIS
        Returns the path of a helper beside this module, such as CopyImage.
    #>
    [CmdletBinding()]
    [OutputType([string])]
    param([Parameter(Mandatory = $true)] [string] $Name)

    return Join-Path -Path $PSScriptRoot -ChildPath "Provisioning.$Name.ps1"
}

function Confirm-CreateField {
    <#
    .SYNOPSIS
        Judges the fields and the ISO's version and writes the warnings. Sets the job's Fields, Secrets, returns the version.
    .PARAMETER Published
        The guest's data are published already: secrets are not needed any more.
    #>
    [CmdletBinding()]
    [OutputType([string])]
    param([Parameter(Mandatory = $true)] [hashtable] $Job, [bool] $Published)

    $settings = $Job.Document.Host
    $fields = ConvertTo-TypedField -Fields $Job.Document.Own
    $family = [string] $fields['os_family']
    $image = [string] $fields['image_name']
    if (-not $family -and $image) { $family = [string] (Get-OsFamily -ImageName $image) }
    if (-not $family) {
        $why = if ($image) { "The image's name '$image' tells no family: give os_family." } else { 'The job names no image.' }
        throw (New-JobError -Id 'OS_FAMILY_UNKNOWN' -Field 'os_family' -Message $why)
    }
    if (-not $Published) {
        $needed = @('guest_la_pw')
        if ($fields.Contains('guest_domain_jointarget') -and $family -ne 'linux') { $needed += 'guest_domain_joinpw' }
        foreach ($name in $needed) {
            if ($null -eq $Job.Secrets[$name]) {
                throw (New-JobError -Id 'SECRET_MISSING' -Field $name -Message "$name was not given: $((Get-FieldRule -Name $name)['rule']).")
            }
        }
    }
    $iso = Get-IsoPath -Settings $settings -Family $family
    $version = Get-IsoVersion -Settings $settings -Family $family
    if (-not $version) { throw (New-JobError -Id 'GUEST_VERSION_UNKNOWN' -Message "No version file stands beside $iso.") }
    $dialect = Get-Dialect -Version $version -Family $family
    if ($null -eq $dialect) { throw (New-JobError -Id 'GUEST_VERSION_UNSUPPORTED' -Message "The ISO $iso has version $version.") }
    $judged = Test-CreateField -Fields $fields -Secrets $(if ($Published) { $null } else { $Job.Secrets }) -Family $family -Dialect $dialect
    if ($judged.Refusals.Count -gt 0) {
        $text = [string]::Join('; ', @($judged.Refusals | ForEach-Object -Process { "$($_.Field) $($_.Text)" }))
        throw (New-JobError -Id 'FIELD_INVALID' -Field $judged.Refusals[0].Field -Message "The job has wrong fields: $text.")
    }
    foreach ($warning in $judged.Warnings) {
        Write-JobLog -Writer $Job.Writer -Level warning -Reason $warning.Reason -Field $warning.Field -Message "$($warning.Field): $($warning.Text)"
    }
    $Job.Fields = $judged.Fields
    $Job.Secrets = $judged.Secrets
    return $version
}

function Initialize-CreateJob {
    <#
    .SYNOPSIS
        Judges a create before any change and writes its journal; of a job that goes on only what may have changed.
    #>
    [CmdletBinding()]
    param([Parameter(Mandatory = $true)] [hashtable] $Job)

    $document = $Job.Document
    $journal = $Job.Journal
    if ($null -ne $journal -and ($document.Cancel -or $null -ne $journal['error'])) { return }
    $version = Confirm-CreateField -Job $Job -Published ($null -ne $journal -and $journal['sealed'] -eq $true)
    if ($null -eq $journal) {
        $lock = Enter-PlanLock -Folder $Job.Folder
        try {
            $plan = New-CreatePlan -Document $document -Fields $Job.Fields -Version $version
            $journal = New-Journal -JobId $document.JobId -Script create -VmName $Job.Fields['vm_name']
            $journal['plan'] = $plan
            $journal['on_failure'] = $document.OnFailure
            $journal['reserved_bytes'] = [long] $plan['image_bytes']
            $journal['reserved_memory'] = [long] $plan['memory_bytes']
            Save-Journal -Folder $Job.Folder -Journal $journal
            $Job.Journal = $journal
        }
        finally { $lock.Dispose() }
    }
    $Job.Plan = $journal['plan']
    Save-Job -Job $Job -Values @{ state = 'running' }
}

function Invoke-PublishStep {
    <#
    .SYNOPSIS
        Publishes the guest's data by the helper; its passwords are in the environment for this step alone.
    #>
    [CmdletBinding()]
    param([Parameter(Mandatory = $true)] [hashtable] $Job)

    $fields = $Job.Fields
    $id = [string] $Job.Journal['vm_id']
    if ($Job.Journal['sealed'] -eq $true) { Publish-LastState -VmId $id; return }
    $parameters = @{ Context = $Job; VMId = $id; OSFamily = $Job.Plan['family']; GuestVersion = $Job.Plan['guest_version'] }
    foreach ($rule in (Get-Contract -Name fields)['fields']) {
        if ($rule.Contains('kvp') -and $rule['secret'] -ne $true -and $fields.Contains($rule['name'])) {
            $parameters[$rule['kvp'].Replace('_', '')] = [string] $fields[$rule['name']]
        }
    }
    $Job.Gate = Open-SecretGate -Secrets $Job.Secrets
    try { [void] (& (Get-HelperPath -Name 'PublishProvisioningData') @parameters) }
    finally { Close-SecretGate -Gate $Job.Gate }
}

function Invoke-CreateStep {
    <#
    .SYNOPSIS
        Runs the steps that the journal does not say are done, in their order.
    #>
    [CmdletBinding()]
    param([Parameter(Mandatory = $true)] [hashtable] $Job)

    $fields = $Job.Fields
    $plan = $Job.Plan
    $document = $Job.Document
    $name = [string] $fields['vm_name']
    Invoke-JobStep -Job $Job -Name 'copy_image' -Action {
        & (Get-HelperPath -Name 'CopyImage') -VMName $name -ImageName $fields['image_name'] -Context $Job
    }
    Invoke-JobStep -Job $Job -Name 'copy_iso' -Action {
        & (Get-HelperPath -Name 'CopyProvisioningISO') -OSFamily $plan['family'] -VMDataFolder $plan['folder'] -IsoPath $plan['iso'] -Context $Job
    }
    Invoke-JobStep -Job $Job -Name 'register_vm' -Action {
        $vlan = if ($fields.Contains('vlan_id')) { [int] $fields['vlan_id'] } else { 0 }
        & (Get-HelperPath -Name 'RegisterVM') -OSFamily $plan['family'] -GBRam ([int] $fields['gb_ram']) -CPUcores ([int] $fields['cpu_cores']) `
            -VMDataFolder $plan['folder'] -VLANId $vlan -SwitchName $plan['switch'] -GuestVersion $plan['guest_version'] -Context $Job
    }
    $id = [string] $Job.Journal['vm_id']
    Invoke-JobStep -Job $Job -Name 'wait_ready' -Action {
        & (Get-HelperPath -Name 'WaitForProvisioningKey') -VMName $name -VMId $id -GuestVersion $plan['guest_version'] `
            -TimeoutSeconds (Get-DocumentSeconds -Document $document -Name 'wait_ready' -Default 300) -Context $Job
    }
    Invoke-JobStep -Job $Job -Name 'publish' -Action { Invoke-PublishStep -Job $Job }
    Invoke-JobStep -Job $Job -Name 'wait_applied' -Action {
        Wait-GuestApplied -Job $Job -VmId $id -Name $name -Seconds (Get-DocumentSeconds -Document $document -Name 'wait_applied' -Default 1800)
    }
    Invoke-JobStep -Job $Job -Name 'verify' -Action {
        Test-GuestResult -Job $Job -VmId $id -Seconds (Get-DocumentSeconds -Document $document -Name 'verify_timeout' -Default 120)
    }
    Invoke-JobStep -Job $Job -Name 'cleanup_iso' -Action {
        & (Get-HelperPath -Name 'CleanupISO') -VMName $name -VMId $id -IsoPath $plan['iso_copy'] -Context $Job
    }
    if ([string] $fields['power_state'] -eq 'off') {
        Invoke-JobStep -Job $Job -Name 'power_off' -Action { if (-not (Stop-OwnVm -VmId $id)) { [void] (Stop-OwnVm -VmId $id -TurnOff) } }
    }
    if ($fields['vm_clustered'] -eq $true) {
        Invoke-JobStep -Job $Job -Name 'cluster' -Action {
            Add-MadeThing -Job $Job -Kind 'cluster_role' -Path $id
            Add-VmRole -VmId $id
        }
    }
}

function Get-JobVmRecord {
    <#
    .SYNOPSIS
        Returns the job's VM as a record, or nothing if it is gone or can't be seen.
    #>
    [CmdletBinding()]
    [OutputType([System.Collections.IDictionary])]
    param([Parameter(Mandatory = $true)] [hashtable] $Job)

    $id = [string] $Job.Journal['vm_id']
    if (-not $id) { return }
    $view = Get-HyperVView
    $clustered = @()
    if ($null -ne (Get-ClusterFact -HostName $view.HostName)) { $clustered = @(Get-ClusteredVmId) }
    return @(Get-VmRecord -View $view -Ids @($id) -ClusteredIds $clustered)[0]
}

function Complete-Create {
    <#
    .SYNOPSIS
        Ends a create that has done its steps, and returns its outcome.
    #>
    [CmdletBinding()]
    [OutputType([System.Collections.IDictionary])]
    param([Parameter(Mandatory = $true)] [hashtable] $Job)

    $journal = $Job.Journal
    $vm = Get-JobVmRecord -Job $Job
    if ($null -eq $vm) { throw (New-JobError -Id 'VM_NOT_FOUND' -Message "No VM has the id $($journal['vm_id']) on this host any more.") }
    $result = [ordered]@{ vm = $vm; guest_state = [string] $journal['guest']['state'] }
    $message = if ($journal['verify_message']) { [string] $journal['verify_message'] } else { [string] $journal['guest']['message'] }
    if ($message) { $result['guest_message'] = $message }
    if ($null -ne $journal['verified']) { $result['verified'] = [bool] $journal['verified'] }
    $result['durations'] = Get-StepDuration -Job $Job
    $outcome = [ordered]@{ kind = 'result'; result = $result }
    Save-Job -Job $Job -Values @{ state = 'ended'; outcome = $outcome; step = ''; reserved_bytes = [long] 0; reserved_memory = [long] 0 }
    return $outcome
}

function Complete-Failure {
    <#
    .SYNOPSIS
        Ends a create that failed, by its policy: takes back what it made, or says what stands. Returns its outcome.
    .PARAMETER Failure
        The typed error as an outcome; the journal has it already.
    #>
    [CmdletBinding()]
    [OutputType([System.Collections.IDictionary])]
    param([Parameter(Mandatory = $true)] [hashtable] $Job, [Parameter(Mandatory = $true)] [System.Collections.IDictionary] $Failure)

    $outcome = [ordered]@{}
    foreach ($name in @($Failure.Keys)) { $outcome[$name] = $Failure[$name] }
    $policy = [string] $Job.Journal['on_failure']
    # Who cancels says what is to stand.
    if ($outcome['id'] -eq 'JOB_CANCELLED') { $policy = Get-CancelRequest -Folder $Job.Folder -JobId $Job.Document.JobId }
    if ($policy -eq 'rollback' -or ($policy -eq 'keep_after_publish' -and -not (Test-StepDone -Job $Job -Name 'publish'))) {
        $left = @(Undo-Job -Job $Job)
        $outcome['undone'] = $left.Count -eq 0
        if ($left.Count -gt 0) {
            $outcome['leftovers'] = $left
            $outcome['message'] = "$($outcome['message']) Not all could be removed again; left are $([string]::Join(', ', @($left | ForEach-Object -Process { $_['path'] })))."
        }
        $Job.Journal['undone'] = $left.Count -eq 0
    }
    else {
        $outcome['undone'] = $false
        $outcome['leftovers'] = @(Get-Leftover -Job $Job)
        try {
            $vm = Get-JobVmRecord -Job $Job
            if ($null -ne $vm) { $outcome['vm'] = $vm }
        }
        catch { Write-JobLog -Writer $Job.Writer -Level warning -Message 'The VM that stands can''t be described now.' }
    }
    Save-Job -Job $Job -Values @{ state = 'ended'; outcome = $outcome; step = ''; reserved_bytes = [long] 0; reserved_memory = [long] 0 }
    return $outcome
}

function Get-SettledOutcome {
    <#
    .SYNOPSIS
        Returns the outcome of a job that has nothing left to do, or nothing.
    #>
    [CmdletBinding()]
    [OutputType([System.Collections.IDictionary])]
    param([Parameter(Mandatory = $true)] [hashtable] $Job)

    $id = $Job.Document.JobId
    $cancelled = { ConvertTo-ErrorOutcome -NothingLeft -ErrorRecord (New-JobError -Id 'JOB_CANCELLED' -Message "Job $id was cancelled.") }
    if ($null -ne $Job.Journal) {
        if ($Job.Journal['state'] -ne 'ended' -or ($Job.Document.Cancel -and $Job.Journal['undone'] -ne $true)) { return }
        if ($Job.Document.Cancel) { return & $cancelled }
        return $Job.Journal['outcome']
    }
    if (-not (Get-CancelRequest -Folder $Job.Folder -JobId $id)) { return }
    if (-not $Job.Document.Cancel) { return & $cancelled }
    return ConvertTo-ErrorOutcome -NothingLeft -ErrorRecord (New-JobError -Id 'JOB_UNKNOWN' -Message "No job $id has a journal on this host.")
}

function Invoke-CreateRun {
    <#
    .SYNOPSIS
        One run of a create, with its lock held. Returns its outcome.
    .DESCRIPTION
        A pipeline that is stopped runs no catch, only finally: so the undo stands there, and happens only if the journal has
        a step's typed error or the job was cancelled. A stop with neither undoes nothing and leaves the job to its next start.
    #>
    [CmdletBinding()]
    [OutputType([System.Collections.IDictionary])]
    param([Parameter(Mandatory = $true)] [hashtable] $Job)

    try { $Job.Journal = Read-Journal -Folder $Job.Folder -JobId $Job.Document.JobId }
    catch { return ConvertTo-ErrorOutcome -ErrorRecord $_ }
    $settled = Get-SettledOutcome -Job $Job
    if ($null -ne $settled) { return $settled }
    try { Initialize-CreateJob -Job $Job }
    catch {
        if ($null -eq $Job.Journal) { return ConvertTo-ErrorOutcome -ErrorRecord $_ -NothingLeft }
        $failure = ConvertTo-ErrorOutcome -ErrorRecord $_ -Step ([string] $Job.Journal['step'])
        Save-Job -Job $Job -Values @{ error = $failure }
        return Complete-Failure -Job $Job -Failure $failure
    }
    $run = @{ Outcome = $null }
    try {
        if ($Job.Document.Cancel) { throw (New-JobError -Id 'JOB_CANCELLED' -Message "Job $($Job.Document.JobId) was cancelled.") }
        if ($null -eq $Job.Journal['error']) {
            Invoke-CreateStep -Job $Job
            $run.Outcome = Complete-Create -Job $Job
        }
    }
    catch {
        $failure = ConvertTo-ErrorOutcome -ErrorRecord $_ -Step ([string] $Job.Journal['step'])
        Save-Job -Job $Job -Values @{ error = $failure }
    }
    finally {
        if ($null -eq $run.Outcome) {
            $failure = $Job.Journal['error']
            if ($null -eq $failure -and (Get-CancelRequest -Folder $Job.Folder -JobId $Job.Document.JobId)) {
                $failure = ConvertTo-ErrorOutcome -Step ([string] $Job.Journal['step']) -ErrorRecord (
                    New-JobError -Id 'JOB_CANCELLED' -Message "Job $($Job.Document.JobId) was cancelled.")
                Save-Job -Job $Job -Values @{ error = $failure }
            }
            if ($null -ne $failure) { $run.Outcome = Complete-Failure -Job $Job -Failure $failure }
        }
    }
    return $run.Outcome
}

function Invoke-CreateJob {
    <#
    .SYNOPSIS
        Runs or follows a create and writes its records, the outcome last.
    #>
    [CmdletBinding()]
    param([AllowEmptyString()] [string] $Text, [AllowNull()] [hashtable] $Secrets, [Parameter(Mandatory = $true)] [hashtable] $Writer)

    try {
        $document = ConvertTo-JobDocument -Kind create -Text $Text
        $Writer.JobId = $document.JobId
        $job = New-Job -Document $document -Writer $Writer
        $job.Secrets = ConvertTo-SecretTable -Fields $document.Own -Handed $Secrets
        $job.Gate = $null
        Invoke-JobOnce -Job $job -Run { Invoke-CreateRun -Job $job }
    }
    catch { Write-JobRecord -Writer $Writer -Record (ConvertTo-ErrorOutcome -ErrorRecord $_ -NothingLeft) }
}

Export-ModuleMember -Function 'Invoke-CreateJob', 'Get-JobVmRecord'
