<#
.SYNOPSIS
    What every job does around its steps: one run per id, followers, steps in the journal, waits that a cancel ends.
.DESCRIPTION
    A job is a hashtable: Document, Writer, Folder (of journals), Journal, Fields, Secrets, Plan, Script. A helper script
    that a person runs by hand gets one without a journal from New-LooseJob.
#>
Set-StrictMode -Version 3.0
$ErrorActionPreference = 'Stop'
foreach ($name in 'Records', 'Paths', 'Journal', 'Document') {
    Import-Module -Name (Join-Path -Path $PSScriptRoot -ChildPath "AetherV.$name.psm1")
}

$script:Poll = 1000
$script:FollowSeconds = 21600

function New-Job {
    <#
    .SYNOPSIS
        Returns a job of a document, without a journal yet.
    #>
    [CmdletBinding(SupportsShouldProcess = $true)]
    [OutputType([hashtable])]
    param([Parameter(Mandatory = $true)] [hashtable] $Document, [Parameter(Mandatory = $true)] [hashtable] $Writer)

    if ($PSCmdlet.ShouldProcess($Document.JobId)) {
        return @{
            Document = $Document; Writer = $Writer; Folder = $Document.Host.jobs_directory
            Journal = $null; Fields = [ordered]@{}; Secrets = @{}; Plan = $null
        }
    }
}

function New-LooseJob {
    <#
    .SYNOPSIS
        Returns a job for a helper that runs by hand: the field's default settings, no journal, nothing to cancel.
    #>
    [CmdletBinding(SupportsShouldProcess = $true)]
    [OutputType([hashtable])]
    param([hashtable] $Settings = @{})

    if (-not $PSCmdlet.ShouldProcess('helper')) { return }
    $text = '{"schema":{"id":"host-inventory","version":1}}'
    $document = ConvertTo-JobDocument -Kind inventory -Text $text
    foreach ($name in @($Settings.Keys)) { if ($Settings[$name]) { $document.Host[$name] = $Settings[$name] } }
    $job = New-Job -Document $document -Writer (New-RecordWriter)
    $job.Folder = ''
    return $job
}

function Save-Job {
    <#
    .SYNOPSIS
        Writes values into the job's journal and the journal to the disk. A loose job has none.
    #>
    [CmdletBinding()]
    param([Parameter(Mandatory = $true)] [hashtable] $Job, [System.Collections.IDictionary] $Values = @{})

    if ($null -eq $Job.Journal) { return }
    foreach ($name in @($Values.Keys)) { $Job.Journal[$name] = $Values[$name] }
    Save-Journal -Folder $Job.Folder -Journal $Job.Journal
}

function Assert-NotCancelled {
    <#
    .SYNOPSIS
        Throws JOB_CANCELLED once somebody asked for it.
    #>
    [CmdletBinding()]
    param([Parameter(Mandatory = $true)] [hashtable] $Job)

    # A delete that has removed its VM goes on to its end: nobody would find the files that it left.
    if ($null -ne $Job.Journal -and (Test-StepDone -Job $Job -Name 'remove_vm')) { return }
    if ($Job.Folder -and (Get-CancelRequest -Folder $Job.Folder -JobId $Job.Document.JobId)) {
        throw (New-JobError -Id 'JOB_CANCELLED' -Message "Job $($Job.Document.JobId) was cancelled.")
    }
}

function Wait-JobTime {
    <#
    .SYNOPSIS
        Sleeps for some seconds; a cancel ends it.
    #>
    [CmdletBinding()]
    param([Parameter(Mandatory = $true)] [hashtable] $Job, [double] $Seconds)

    $left = [int] ($Seconds * 1000)
    while ($true) {
        Assert-NotCancelled -Job $Job
        if ($left -le 0) { return }
        $part = [Math]::Min($left, $script:Poll)
        Start-Sleep -Milliseconds $part
        $left -= $part
    }
}

function Wait-JobCondition {
    <#
    .SYNOPSIS
        Looks once a second until the look answers true or the time is up; returns whether it did. A cancel ends it.
    #>
    [CmdletBinding()]
    [OutputType([bool])]
    param([Parameter(Mandatory = $true)] [hashtable] $Job, [double] $Seconds, [Parameter(Mandatory = $true)] [scriptblock] $Look)

    $watch = [System.Diagnostics.Stopwatch]::StartNew()
    while ($true) {
        Assert-NotCancelled -Job $Job
        if ((& $Look) -eq $true) { return $true }
        $left = $Seconds - $watch.Elapsed.TotalSeconds
        if ($left -le 0) { return $false }
        Wait-JobTime -Job $Job -Seconds ([Math]::Min($left, $script:Poll / 1000))
    }
}

function Test-StepDone {
    <#
    .SYNOPSIS
        Whether the journal says that a step is done.
    #>
    [CmdletBinding()]
    [OutputType([bool])]
    param([Parameter(Mandatory = $true)] [hashtable] $Job, [Parameter(Mandatory = $true)] [string] $Name)

    return $null -ne $Job.Journal['steps'][$Name] -and $Job.Journal['steps'][$Name]['state'] -eq 'done'
}

function Get-StepAttempt {
    <#
    .SYNOPSIS
        Returns which try of a step this is, from 1.
    #>
    [CmdletBinding()]
    [OutputType([long])]
    param([Parameter(Mandatory = $true)] [hashtable] $Job, [Parameter(Mandatory = $true)] [string] $Name)

    if ($null -eq $Job.Journal -or $null -eq $Job.Journal['steps'][$Name]) { return [long] 1 }
    return [long] $Job.Journal['steps'][$Name]['attempt']
}

function Write-StepProgress {
    <#
    .SYNOPSIS
        Tells that a step goes on, and keeps its bytes in the journal for those who follow.
    #>
    [CmdletBinding()]
    param([Parameter(Mandatory = $true)] [hashtable] $Job, [string] $Name, [long] $DoneBytes = -1, [long] $TotalBytes = -1, [string] $Message = '')

    $attempt = Get-StepAttempt -Job $Job -Name $Name
    Write-JobProgress -Writer $Job.Writer -Step $Name -State 'running' -Attempt $attempt -DoneBytes $DoneBytes -TotalBytes $TotalBytes -Message $Message
    if ($DoneBytes -ge 0 -and $null -ne $Job.Journal) {
        $Job.Journal['steps'][$Name]['done_bytes'] = $DoneBytes
        $Job.Journal['steps'][$Name]['total_bytes'] = $TotalBytes
        Save-Job -Job $Job
    }
}

function Invoke-JobStep {
    <#
    .SYNOPSIS
        Runs one step unless the journal says that it is done: noted there and reported.
    #>
    [CmdletBinding()]
    param(
        [Parameter(Mandatory = $true)] [hashtable] $Job,
        [Parameter(Mandatory = $true)] [string] $Name,
        [Parameter(Mandatory = $true)] [scriptblock] $Action
    )

    if (Test-StepDone -Job $Job -Name $Name) { return }
    Assert-NotCancelled -Job $Job
    $steps = $Job.Journal['steps']
    $attempt = [long] 1
    if ($null -ne $steps[$Name]) { $attempt = [long] $steps[$Name]['attempt'] + 1 }
    $steps[$Name] = [ordered]@{ state = 'started'; attempt = $attempt }
    Save-Job -Job $Job -Values @{ step = $Name }
    $Job.Writer.VmId = [string] $Job.Journal['vm_id']
    Write-JobProgress -Writer $Job.Writer -Step $Name -State 'started' -Attempt $attempt
    $watch = [System.Diagnostics.Stopwatch]::StartNew()
    try { [void] (& $Action) }
    catch {
        # The typed error stands in the journal before anything else: what is cut off from here on is finished by the next start.
        $steps[$Name]['state'] = 'failed'
        $steps[$Name]['seconds'] = [Math]::Round($watch.Elapsed.TotalSeconds, 3)
        Save-Job -Job $Job -Values @{ error = (ConvertTo-ErrorOutcome -ErrorRecord $_ -Step $Name) }
        Write-JobProgress -Writer $Job.Writer -Step $Name -State 'failed' -Attempt $attempt
        throw
    }
    $steps[$Name]['state'] = 'done'
    $steps[$Name]['seconds'] = [Math]::Round($watch.Elapsed.TotalSeconds, 3)
    Save-Job -Job $Job
    $Job.Writer.VmId = [string] $Job.Journal['vm_id']
    Write-JobProgress -Writer $Job.Writer -Step $Name -State 'done' -Attempt $attempt
}

function Add-MadeThing {
    <#
    .SYNOPSIS
        Notes what is about to be made, so that a kill in between leaves nothing that nobody knows of.
    #>
    [CmdletBinding()]
    param([Parameter(Mandatory = $true)] [hashtable] $Job, [string] $Kind, [string] $Path)

    if ($null -eq $Job.Journal -or (Test-MadeThing -Job $Job -Kind $Kind -Path $Path)) { return }
    Save-Job -Job $Job -Values @{ made = @(@($Job.Journal['made']) + @([ordered]@{ kind = $Kind; path = $Path })) }
}

function Test-MadeThing {
    <#
    .SYNOPSIS
        Whether the journal says that this job made a thing.
    #>
    [CmdletBinding()]
    [OutputType([bool])]
    param([Parameter(Mandatory = $true)] [hashtable] $Job, [string] $Kind, [string] $Path)

    if ($null -eq $Job.Journal) { return $false }
    return @(@($Job.Journal['made']) | Where-Object -FilterScript { $_['kind'] -eq $Kind -and $_['path'] -eq $Path }).Count -gt 0
}

function Clear-MadeThing {
    <#
    .SYNOPSIS
        Notes that a thing is gone again.
    #>
    [CmdletBinding(SupportsShouldProcess = $true)]
    param([Parameter(Mandatory = $true)] [hashtable] $Job, [string] $Kind, [string] $Path)

    if ($null -eq $Job.Journal -or -not $PSCmdlet.ShouldProcess($Path)) { return }
    Save-Job -Job $Job -Values @{ made = @(@($Job.Journal['made']) | Where-Object -FilterScript { -not ($_['kind'] -eq $Kind -and $_['path'] -eq $Path) }) }
}

function Get-StepDuration {
    <#
    .SYNOPSIS
        Returns seconds by step.
    #>
    [CmdletBinding()]
    [OutputType([System.Collections.IDictionary])]
    param([Parameter(Mandatory = $true)] [hashtable] $Job)

    $durations = [ordered]@{}
    foreach ($name in @($Job.Journal['steps'].Keys)) {
        if ($null -ne $Job.Journal['steps'][$name]['seconds']) { $durations[$name] = [double] $Job.Journal['steps'][$name]['seconds'] }
    }
    return $durations
}

function Write-JobRelay {
    <#
    .SYNOPSIS
        Writes what changed in another run's journal since the last look; returns its outcome once it has one.
    #>
    [CmdletBinding()]
    [OutputType([System.Collections.IDictionary])]
    param([Parameter(Mandatory = $true)] [hashtable] $Job, [Parameter(Mandatory = $true)] [hashtable] $Seen)

    $journal = Read-Journal -Folder $Job.Folder -JobId $Job.Document.JobId
    if ($null -eq $journal) { return }
    $Job.Writer.VmId = [string] $journal['vm_id']
    foreach ($name in @($journal['steps'].Keys)) {
        $entry = $journal['steps'][$name]
        $bytes = if ($null -ne $entry['done_bytes']) { [long] $entry['done_bytes'] } else { [long] -1 }
        $now = "$($entry['state']) $bytes $($entry['attempt'])"
        if ($Seen[$name] -eq $now) { continue }
        $state = if ($entry['state'] -eq 'started' -and $bytes -ge 0) { 'running' } else { [string] $entry['state'] }
        if (-not $Seen.ContainsKey($name) -and $state -ne 'started') { Write-JobProgress -Writer $Job.Writer -Step $name -State 'started' -Attempt $entry['attempt'] }
        $Seen[$name] = $now
        $total = if ($null -ne $entry['total_bytes']) { [long] $entry['total_bytes'] } else { [long] -1 }
        Write-JobProgress -Writer $Job.Writer -Step $name -State $state -Attempt $entry['attempt'] -DoneBytes $bytes -TotalBytes $total
    }
    if ($journal['state'] -eq 'ended') { return $journal['outcome'] }
}

function Invoke-JobOnce {
    <#
    .SYNOPSIS
        Runs a job under its lock, or follows the run that holds it, and writes the outcome: the last record.
    .PARAMETER Run
        The job's run; returns its outcome. Called with the lock held.
    #>
    [CmdletBinding()]
    param([Parameter(Mandatory = $true)] [hashtable] $Job, [Parameter(Mandatory = $true)] [scriptblock] $Run)

    New-HostFolder -Path $Job.Folder
    $document = $Job.Document
    if ($document.Cancel) { Set-CancelRequest -Folder $Job.Folder -JobId $document.JobId -Policy $document.OnFailure }
    $seen = @{}
    $watch = [System.Diagnostics.Stopwatch]::StartNew()
    while ($true) {
        $lock = Enter-JobLock -Folder $Job.Folder -JobId $document.JobId
        if ($null -ne $lock) {
            try { $outcome = & $Run } finally { $lock.Dispose() }
            Write-JobRecord -Writer $Job.Writer -Record $outcome
            return
        }
        $outcome = Write-JobRelay -Job $Job -Seen $seen
        # A cancel goes on until it can take the lock itself.
        if ($null -ne $outcome -and -not $document.Cancel) { Write-JobRecord -Writer $Job.Writer -Record $outcome; return }
        if ($watch.Elapsed.TotalSeconds -ge $script:FollowSeconds) {
            throw (New-JobError -Id 'JOB_BUSY' -Message "Another run of job $($document.JobId) holds its lock since $([int] $watch.Elapsed.TotalMinutes) minutes.")
        }
        Start-Sleep -Milliseconds ([Math]::Min(500, $script:Poll))
    }
}

Export-ModuleMember -Function '*-*'
