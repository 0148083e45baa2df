<#
.SYNOPSIS
    Typed errors, and the records that the job scripts and the inventory write: one JSON object a line.
#>
Set-StrictMode -Version 3.0
$ErrorActionPreference = 'Stop'
Import-Module -Name (Join-Path -Path $PSScriptRoot -ChildPath 'AetherV.Json.psm1')
Import-Module -Name (Join-Path -Path $PSScriptRoot -ChildPath 'AetherV.Contract.psm1')

function New-JobError {
    <#
    .SYNOPSIS
        Returns an error record to throw, with an id of contracts\errors.json. The message is for people; no secret in it.
    #>
    [CmdletBinding()]
    [OutputType([System.Management.Automation.ErrorRecord])]
    param(
        [Parameter(Mandatory = $true)] [string] $Id,
        [Parameter(Mandatory = $true)] [string] $Message,
        [string] $Field = '',
        [string] $GuestState = '',
        [string] $GuestMessage = ''
    )

    $exception = New-Object -TypeName System.InvalidOperationException -ArgumentList $Message
    $exception.Data['aetherv'] = @{ id = $Id; field = $Field; guest_state = $GuestState; guest_message = $GuestMessage }
    return New-Object -TypeName System.Management.Automation.ErrorRecord -ArgumentList @(
        $exception, "AetherV.$Id", [System.Management.Automation.ErrorCategory]::OperationStopped, $null)
}

function Get-JobErrorId {
    <#
    .SYNOPSIS
        Returns the contract's id of a caught error; empty for an error that is not typed.
    #>
    [CmdletBinding()]
    [OutputType([string])]
    param([Parameter(Mandatory = $true)] [System.Management.Automation.ErrorRecord] $ErrorRecord)

    $facts = $ErrorRecord.Exception.Data['aetherv']
    if ($null -eq $facts) { return '' }
    return [string] $facts['id']
}

function ConvertTo-ErrorOutcome {
    <#
    .SYNOPSIS
        Returns the error record of a caught error, without time and job id.
    .DESCRIPTION
        The text of an error that nobody expected may hold anything, a secret too: only its kind and place are told.
    #>
    [CmdletBinding()]
    [OutputType([System.Collections.IDictionary])]
    param(
        [Parameter(Mandatory = $true)] [System.Management.Automation.ErrorRecord] $ErrorRecord,
        [AllowEmptyString()] [string] $Step = '',
        [switch] $NothingLeft
    )

    $facts = $ErrorRecord.Exception.Data['aetherv']
    $message = $ErrorRecord.Exception.Message
    if ($null -eq $facts) {
        $base = $ErrorRecord.Exception.GetBaseException()
        # What Hyper-V, the cluster and the file system say of themselves names things and paths, never a secret.
        if ($ErrorRecord.FullyQualifiedErrorId -match 'Microsoft\.(HyperV|Vhd|FailoverClusters|Management\.Infrastructure)\b') { $facts = @{ id = 'HYPERV_ERROR' } }
        elseif ($base -is [System.IO.IOException] -or $base -is [System.UnauthorizedAccessException]) { $facts = @{ id = 'FILE_ERROR' } }
        if ($null -ne $facts) { $message = [regex]::Replace($base.Message, '\s*[\r\n]+\s*', ' ').Trim() }
    }
    if ($null -eq $facts) {
        $kind = $ErrorRecord.Exception.GetBaseException().GetType().Name
        $place = '{0}:{1}' -f (Split-Path -Path ([string] $ErrorRecord.InvocationInfo.ScriptName) -Leaf -ErrorAction Ignore), $ErrorRecord.InvocationInfo.ScriptLineNumber
        $message = "The script failed in a way it does not know ($kind at $place)."
        $facts = @{ id = 'SCRIPT_ERROR' }
    }
    $rule = @((Get-Contract -Name errors)['errors'] | Where-Object -FilterScript { $_['id'] -ceq $facts['id'] })[0]
    $outcome = [ordered]@{
        kind = 'error'; id = [string] $facts['id']; category = [string] $rule['category']
        message = [string] $message; retryable = [bool] $rule['retryable']
    }
    if ($Step) { $outcome['step'] = $Step }
    foreach ($name in 'field', 'guest_state', 'guest_message') {
        if ($facts[$name]) { $outcome[$name] = [string] $facts[$name] }
    }
    if ($NothingLeft) { $outcome['undone'] = $true }
    return $outcome
}

function Get-UtcStamp {
    <#
    .SYNOPSIS
        Returns a moment as ISO-8601 in UTC with milliseconds; now where none is given.
    #>
    [CmdletBinding()]
    [OutputType([string])]
    param([datetime] $Moment = [datetime]::UtcNow)

    return $Moment.ToUniversalTime().ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", [System.Globalization.CultureInfo]::InvariantCulture)
}

function New-RecordWriter {
    <#
    .SYNOPSIS
        Returns what the Write-* functions need: where lines go (a script's $PSCmdlet), and the job's id.
    .PARAMETER Cmdlet
        The calling script's $PSCmdlet: records go into its output at once, wherever they are written. Without it lines
        are collected in Lines.
    #>
    [CmdletBinding()]
    [OutputType([hashtable])]
    param([AllowNull()] [object] $Cmdlet, [AllowEmptyString()] [string] $JobId = '')

    return @{
        Cmdlet = $Cmdlet; JobId = $JobId; VmId = ''; Told = [System.Diagnostics.Stopwatch]::StartNew(); ToldStep = ''
        Lines = (New-Object -TypeName 'System.Collections.Generic.List[string]')
    }
}

function Write-JobRecord {
    <#
    .SYNOPSIS
        Writes one record. Values that are null or empty text are left out.
    #>
    [CmdletBinding()]
    param(
        [Parameter(Mandatory = $true)] [hashtable] $Writer,
        [Parameter(Mandatory = $true)] [System.Collections.IDictionary] $Record
    )

    $full = [ordered]@{ kind = [string] $Record['kind']; time = (Get-UtcStamp); job_id = [string] $Writer.JobId }
    foreach ($name in @($Record.Keys)) {
        $value = $Record[$name]
        if ($name -ne 'kind' -and $null -ne $value) { $full[$name] = $value }
    }
    $line = ConvertTo-JsonText -Value $full
    if ($null -eq $Writer.Cmdlet) { $Writer.Lines.Add($line); return }
    try {
        $Writer.Cmdlet.WriteObject($line)
    }
    catch [System.Management.Automation.PipelineStoppedException] {
        # A stopped pipeline takes no output any more; the journal has what must be known.
        $Writer.Cmdlet = $null
    }
}

function Write-JobProgress {
    <#
    .SYNOPSIS
        Tells that a step changed or goes on. A step that only goes on is told at most once a second.
    #>
    [CmdletBinding()]
    param(
        [Parameter(Mandatory = $true)] [hashtable] $Writer,
        [Parameter(Mandatory = $true)] [string] $Step,
        [Parameter(Mandatory = $true)] [ValidateSet('started', 'running', 'done', 'skipped', 'failed', 'undone')] [string] $State,
        [long] $Attempt = 1,
        [long] $DoneBytes = -1,
        [long] $TotalBytes = -1,
        [AllowEmptyString()] [string] $Message = ''
    )

    $same = $State -eq 'running' -and $Writer.ToldStep -eq $Step
    if ($same -and -not $Message -and $Writer.Told.ElapsedMilliseconds -lt 1000 -and $DoneBytes -ne $TotalBytes) { return }
    $record = [ordered]@{ kind = 'progress'; step = $Step; state = $State; attempt = $Attempt }
    if ($DoneBytes -ge 0) { $record['done_bytes'] = $DoneBytes }
    if ($TotalBytes -ge 0) { $record['total_bytes'] = $TotalBytes }
    if ($Message) { $record['message'] = $Message }
    if ($Writer.VmId) { $record['vm_id'] = [string] $Writer.VmId }
    $Writer.ToldStep = if ($State -eq 'running') { $Step } else { '' }
    $Writer.Told.Restart()
    Write-JobRecord -Writer $Writer -Record $record
}

function Write-JobLog {
    <#
    .SYNOPSIS
        Writes a line for people; with a reason it is a warning that the user must see.
    #>
    [CmdletBinding()]
    param(
        [Parameter(Mandatory = $true)] [hashtable] $Writer,
        [Parameter(Mandatory = $true)] [ValidateSet('debug', 'info', 'warning', 'error')] [string] $Level,
        [Parameter(Mandatory = $true)] [string] $Message,
        [string] $Reason = '',
        [string] $Field = ''
    )

    $record = [ordered]@{ kind = 'log'; level = $Level; message = $Message }
    if ($Reason) { $record['reason'] = $Reason }
    if ($Field) { $record['field'] = $Field }
    Write-JobRecord -Writer $Writer -Record $record
}

Export-ModuleMember -Function 'New-JobError', 'Get-JobErrorId', 'ConvertTo-ErrorOutcome', 'Get-UtcStamp', 'New-RecordWriter',
'Write-JobRecord', 'Write-JobProgress', 'Write-JobLog'
