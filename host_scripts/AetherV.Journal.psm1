<#
.SYNOPSIS
    The jobs folder: journals (the truth of a job, without secrets), locks that a kill frees, cancel files, copy slots.
#>
Set-StrictMode -Version 3.0
$ErrorActionPreference = 'Stop'
foreach ($name in 'Json', 'Contract', 'Records', 'Paths') {
    Import-Module -Name (Join-Path -Path $PSScriptRoot -ChildPath "AetherV.$name.psm1")
}

$script:Format = 1
$script:Tries = 40
$script:Pause = 50

function Get-JobFilePath {
    <#
    .SYNOPSIS
        Returns the native path of a job's file, such as the .json.
    #>
    [CmdletBinding()]
    [OutputType([string])]
    param([string] $Folder, [string] $JobId, [string] $Extension)

    return Get-NativePath -Path (Join-HostPath -Folder $Folder -Name "$JobId.$Extension")
}

function Open-ExclusiveFile {
    <#
    .SYNOPSIS
        Opens a file with no share, making it if it is not there; nothing while another has it open.
    #>
    [CmdletBinding()]
    [OutputType([System.IO.FileStream])]
    param([Parameter(Mandatory = $true)] [string] $NativePath)

    try {
        return New-Object -TypeName System.IO.FileStream -ArgumentList @(
            $NativePath, [System.IO.FileMode]::OpenOrCreate, [System.IO.FileAccess]::ReadWrite, [System.IO.FileShare]::None)
    }
    catch {
        if (-not (Test-SharingViolation -ErrorRecord $_)) { throw (ConvertTo-FileError -ErrorRecord $_ -Path $NativePath) }
    }
}

function Enter-JobLock {
    <#
    .SYNOPSIS
        Takes a job's lock and returns it (dispose it to let go), or nothing while another run has it.
    #>
    [CmdletBinding()]
    [OutputType([System.IO.FileStream])]
    param([string] $Folder, [string] $JobId)

    return Open-ExclusiveFile -NativePath (Get-JobFilePath -Folder $Folder -JobId $JobId -Extension 'lock')
}

function Test-JobRunning {
    <#
    .SYNOPSIS
        Whether a run holds the job's lock.
    #>
    [CmdletBinding()]
    [OutputType([bool])]
    param([string] $Folder, [string] $JobId)

    return -not (Test-FileOpenAlone -Path (Join-HostPath -Folder $Folder -Name "$JobId.lock"))
}

function Enter-CopySlot {
    <#
    .SYNOPSIS
        Takes one of the host's copy slots and returns it, or nothing while all are taken.
    #>
    [CmdletBinding()]
    [OutputType([System.IO.FileStream])]
    param([string] $Folder, [long] $Copies)

    for ($number = 1; $number -le [Math]::Max(1, $Copies); $number++) {
        $slot = Open-ExclusiveFile -NativePath (Get-NativePath -Path (Join-HostPath -Folder $Folder -Name "copy-$number.lock"))
        if ($null -ne $slot) { return $slot }
    }
}

function Enter-PlanLock {
    <#
    .SYNOPSIS
        Waits for the folder's lock for planning and returns it (dispose it to let go): two jobs never find the same place.
    #>
    [CmdletBinding()]
    [OutputType([System.IO.FileStream])]
    param([string] $Folder, [double] $Seconds = 120)

    $native = Get-NativePath -Path (Join-HostPath -Folder $Folder -Name 'plan.lock')
    $watch = [System.Diagnostics.Stopwatch]::StartNew()
    while ($true) {
        $lock = Open-ExclusiveFile -NativePath $native
        if ($null -ne $lock) { return $lock }
        if ($watch.Elapsed.TotalSeconds -ge $Seconds) { throw (New-JobError -Id 'FILE_LOCKED' -Message "$native stays open in another program.") }
        Start-Sleep -Milliseconds 100
    }
}

function Read-SharedText {
    <#
    .SYNOPSIS
        Returns a file's text while others may replace it; nothing where it is not there.
    #>
    [CmdletBinding()]
    [OutputType([string])]
    param([Parameter(Mandatory = $true)] [string] $NativePath)

    for ($try = 1; ; $try++) {
        $stream = $null
        try {
            $share = [System.IO.FileShare]::ReadWrite -bor [System.IO.FileShare]::Delete
            $stream = New-Object -TypeName System.IO.FileStream -ArgumentList @(
                $NativePath, [System.IO.FileMode]::Open, [System.IO.FileAccess]::Read, $share)
            $reader = New-Object -TypeName System.IO.StreamReader -ArgumentList @($stream, [System.Text.Encoding]::UTF8)
            return $reader.ReadToEnd()
        }
        catch {
            $base = $_.Exception.GetBaseException()
            if ($base -is [System.IO.FileNotFoundException] -or $base -is [System.IO.DirectoryNotFoundException]) { return $null }
            if ($try -ge $script:Tries -or -not (Test-SharingViolation -ErrorRecord $_)) { throw (ConvertTo-FileError -ErrorRecord $_ -Path $NativePath) }
            Start-Sleep -Milliseconds $script:Pause
        }
        finally { if ($null -ne $stream) { $stream.Dispose() } }
    }
}

function Write-WholeFile {
    <#
    .SYNOPSIS
        Writes a file in one step: a reader sees the old text or the new one, and a kill leaves one of them.
    #>
    [CmdletBinding()]
    param([string] $NativePath, [string] $Text)

    $partial = "$NativePath.partial"
    $bytes = (New-Object -TypeName System.Text.UTF8Encoding -ArgumentList $false).GetBytes($Text)
    for ($try = 1; ; $try++) {
        $stream = $null
        try {
            $stream = New-Object -TypeName System.IO.FileStream -ArgumentList @(
                $partial, [System.IO.FileMode]::Create, [System.IO.FileAccess]::Write, [System.IO.FileShare]::None)
            $stream.Write($bytes, 0, $bytes.Length)
            $stream.Flush($true)
            $stream.Dispose()
            $stream = $null
            if ([System.IO.File]::Exists($NativePath)) { [System.IO.File]::Replace($partial, $NativePath, [NullString]::Value) }
            else { [System.IO.File]::Move($partial, $NativePath) }
            return
        }
        catch {
            # Replace may lose its target's handle to a reader, an indexer or antivirus for a moment (also as access denied).
            $denied = $_.Exception.GetBaseException() -is [System.UnauthorizedAccessException]
            $passing = $denied -or (Test-SharingViolation -ErrorRecord $_) -or 1175, 1176, 1177 -contains (Get-SystemErrorCode -ErrorRecord $_)
            if ($try -ge $script:Tries -or -not $passing) { throw (ConvertTo-FileError -ErrorRecord $_ -Path $NativePath) }
            Start-Sleep -Milliseconds $script:Pause
        }
        finally { if ($null -ne $stream) { $stream.Dispose() } }
    }
}

function Set-CancelRequest {
    <#
    .SYNOPSIS
        Asks a job's run, now or later, to cancel; the file says what is to stand then (a policy of on_failure).
    #>
    [CmdletBinding(SupportsShouldProcess = $true)]
    param([string] $Folder, [string] $JobId, [string] $Policy)

    if ($PSCmdlet.ShouldProcess($JobId)) {
        Write-WholeFile -NativePath (Get-JobFilePath -Folder $Folder -JobId $JobId -Extension 'cancel') -Text $Policy
    }
}

function Get-CancelRequest {
    <#
    .SYNOPSIS
        Returns what is to stand of a job that is to be cancelled; empty where nobody asked.
    #>
    [CmdletBinding()]
    [OutputType([string])]
    param([string] $Folder, [string] $JobId)

    $file = Get-JobFilePath -Folder $Folder -JobId $JobId -Extension 'cancel'
    if (-not [System.IO.File]::Exists($file)) { return '' }
    $policy = ([string] (Read-SharedText -NativePath $file)).Trim()
    if (-not $policy) { return 'rollback' }
    return $policy
}

function Read-Journal {
    <#
    .SYNOPSIS
        Returns a job's journal as it is now; nothing where there is none. One written by newer scripts is JOURNAL_NEWER.
    #>
    [CmdletBinding()]
    [OutputType([System.Collections.IDictionary])]
    param([string] $Folder, [string] $JobId, [switch] $AnyFormat)

    $text = Read-SharedText -NativePath (Get-JobFilePath -Folder $Folder -JobId $JobId -Extension 'json')
    if (-not $text) { return $null }
    try { $values = ConvertFrom-JsonText -Text $text }
    catch [FormatException] { throw (New-JobError -Id 'FILE_ERROR' -Message "The journal of job $JobId can't be read: $($_.Exception.Message).") }
    if (-not $AnyFormat -and $values['format'] -gt $script:Format) {
        throw (New-JobError -Id 'JOURNAL_NEWER' -Message "The journal of job $JobId has format $($values['format']); these scripts know $($script:Format).")
    }
    return $values
}

function New-Journal {
    <#
    .SYNOPSIS
        Returns a new journal, not written yet. Only the run that holds the job's lock has one.
    #>
    [CmdletBinding(SupportsShouldProcess = $true)]
    [OutputType([System.Collections.IDictionary])]
    param([string] $JobId, [ValidateSet('create', 'delete')] [string] $Script, [AllowEmptyString()] [string] $VmName)

    if ($PSCmdlet.ShouldProcess($JobId)) {
        return [ordered]@{
            format = [long] $script:Format; state = 'running'; job_id = $JobId; script = $Script
            scripts_version = (Get-ScriptsVersion); vm_name = $VmName; vm_id = ''; step = ''; steps = [ordered]@{}
            made = @(); reserved_bytes = [long] 0; reserved_memory = [long] 0; outcome = $null; error = $null; undone = $false
        }
    }
}

function Save-Journal {
    <#
    .SYNOPSIS
        Writes a journal to the disk.
    #>
    [CmdletBinding()]
    param([string] $Folder, [Parameter(Mandatory = $true)] [System.Collections.IDictionary] $Journal)

    Write-WholeFile -NativePath (Get-JobFilePath -Folder $Folder -JobId $Journal['job_id'] -Extension 'json') -Text (ConvertTo-JsonText -Value $Journal)
}

function Get-OpenJournal {
    <#
    .SYNOPSIS
        Returns every journal of the folder that has not ended; of the ended ones only the first bytes are read.
    #>
    [CmdletBinding()]
    param([string] $Folder)

    foreach ($file in @(Get-ChildItem -LiteralPath $Folder -Filter '*.json' -File -ErrorAction Ignore | Sort-Object -Property Name)) {
        $native = Get-NativePath -Path (Join-HostPath -Folder $Folder -Name $file.Name)
        $head = Read-FileHead -NativePath $native -Count 64
        if ($head -match '^\{"format":[0-9]+,"state":"ended"') { continue }
        try { $journal = Read-Journal -Folder $Folder -JobId (Get-PathStem -Path $file.Name) -AnyFormat }
        catch { continue }  # a file that is no journal is nobody's job
        if ($null -ne $journal -and $journal -is [System.Collections.IDictionary] -and $journal.Contains('state') -and $journal['state'] -ne 'ended') { $journal }
    }
}

function Read-FileHead {
    <#
    .SYNOPSIS
        Returns the first bytes of a file as text; empty where it can't be read now.
    #>
    [CmdletBinding()]
    [OutputType([string])]
    param([string] $NativePath, [int] $Count)

    $stream = $null
    try {
        $share = [System.IO.FileShare]::ReadWrite -bor [System.IO.FileShare]::Delete
        $stream = New-Object -TypeName System.IO.FileStream -ArgumentList @($NativePath, [System.IO.FileMode]::Open, [System.IO.FileAccess]::Read, $share)
        $bytes = New-Object -TypeName 'byte[]' -ArgumentList $Count
        $length = $stream.Read($bytes, 0, $Count)
        return [System.Text.Encoding]::ASCII.GetString($bytes, 0, $length)
    }
    catch { return '' }
    finally { if ($null -ne $stream) { $stream.Dispose() } }
}

Export-ModuleMember -Function 'Enter-JobLock', 'Enter-PlanLock', 'Test-JobRunning', 'Enter-CopySlot', 'Set-CancelRequest', 'Get-CancelRequest',
'Read-Journal', 'New-Journal', 'Save-Journal', 'Get-OpenJournal'
