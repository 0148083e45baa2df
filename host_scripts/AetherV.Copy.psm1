<#
.SYNOPSIS
    Copying an image or an ISO into a VM's folder: in rounds, with progress, ended by a cancel.
#>
Set-StrictMode -Version 3.0
$ErrorActionPreference = 'Stop'
foreach ($name in 'Records', 'Paths', 'Journal', 'HyperV', 'Job') {
    Import-Module -Name (Join-Path -Path $PSScriptRoot -ChildPath "AetherV.$name.psm1")
}

$script:Round = 4MB
$script:RenameSeconds = 30

function New-VmFolder {
    <#
    .SYNOPSIS
        Makes the VM's folder, or takes the one that this job made: nothing is put into a folder of somebody else.
    #>
    [CmdletBinding(SupportsShouldProcess = $true)]
    param([Parameter(Mandatory = $true)] [hashtable] $Job, [Parameter(Mandatory = $true)] [string] $Folder)

    if (-not $PSCmdlet.ShouldProcess($Folder)) { return }
    $known = Test-MadeThing -Job $Job -Kind 'folder' -Path $Folder
    if (-not $known -and (Test-HostPath -Path $Folder)) {
        throw (New-JobError -Id 'FOLDER_ALREADY_EXISTS' -Message "The folder $Folder is there already." -Field 'vm_name')
    }
    Add-MadeThing -Job $Job -Kind 'folder' -Path $Folder
    New-HostFolder -Path $Folder
    if (Test-FolderCompressed -Path $Folder) {
        throw (New-JobError -Id 'FOLDER_COMPRESSED' -Message "The folder $Folder is compressed or encrypted: Hyper-V can't start a VM from it.")
    }
}

function Wait-CopySlot {
    <#
    .SYNOPSIS
        Waits for one of the host's copy slots and returns it (dispose it to let go).
    #>
    [CmdletBinding()]
    [OutputType([System.IO.FileStream])]
    param([Parameter(Mandatory = $true)] [hashtable] $Job)

    if (-not $Job.Folder) { return }
    $copies = [long] $Job.Document.Host.copies
    $told = $false
    while ($true) {
        $slot = Enter-CopySlot -Folder $Job.Folder -Copies $copies
        if ($null -ne $slot) { return $slot }
        if (-not $told) {
            Write-StepProgress -Job $Job -Name 'copy_image' -Message "waits for one of the host's $copies copy slots"
            $told = $true
        }
        Wait-JobTime -Job $Job -Seconds 1
    }
}

function Copy-FileInRounds {
    <#
    .SYNOPSIS
        Copies a file into one that must be new, 4 MB a round. The length is set first, so that a full disk shows early.
    #>
    [CmdletBinding()]
    param(
        [Parameter(Mandatory = $true)] [hashtable] $Job,
        [Parameter(Mandatory = $true)] [string] $Source,
        [Parameter(Mandatory = $true)] [string] $Target,
        [string] $Step = ''
    )

    $reader = $null
    $writer = $null
    try {
        $reader = New-Object -TypeName System.IO.FileStream -ArgumentList @(
            (Get-NativePath -Path $Source), [System.IO.FileMode]::Open, [System.IO.FileAccess]::Read, [System.IO.FileShare]::Read, $script:Round)
        $writer = New-Object -TypeName System.IO.FileStream -ArgumentList @(
            (Get-NativePath -Path $Target), [System.IO.FileMode]::CreateNew, [System.IO.FileAccess]::Write, [System.IO.FileShare]::None, $script:Round)
        $total = [long] $reader.Length
        $writer.SetLength($total)
        # The file has its length, so the volume has given the room: nothing is left to promise.
        Save-Job -Job $Job -Values @{ reserved_bytes = [long] 0 }
        $buffer = New-Object -TypeName 'byte[]' -ArgumentList $script:Round
        $done = [long] 0
        $watch = [System.Diagnostics.Stopwatch]::StartNew()
        while (($read = $reader.Read($buffer, 0, $buffer.Length)) -gt 0) {
            Assert-NotCancelled -Job $Job
            $writer.Write($buffer, 0, $read)
            $done += $read
            if ($Step -and ($watch.ElapsedMilliseconds -ge 1000 -or $done -eq $total)) {
                $watch.Restart()
                Write-StepProgress -Job $Job -Name $Step -DoneBytes $done -TotalBytes $total
            }
        }
        $writer.Flush($true)
    }
    catch {
        $failure = ConvertTo-FileError -ErrorRecord $_ -Path $(if ($null -eq $reader) { $Source } else { $Target })
        if ((Get-JobErrorId -ErrorRecord $failure) -eq 'DISK_FULL') {
            throw (New-JobError -Id 'DISK_FULL' -Message (Get-FullDiskText -Target $Target))
        }
        if ($null -eq $reader -and (Get-JobErrorId -ErrorRecord $failure) -eq 'FILE_LOCKED') {
            throw (New-JobError -Id 'IMAGE_IN_USE' -Message "$Source is open for writing." -Field 'image_name')
        }
        throw $failure
    }
    finally {
        if ($null -ne $writer) { try { $writer.Dispose() } catch [System.IO.IOException] { $writer = $null } }
        if ($null -ne $reader) { $reader.Dispose() }
    }
}

function Get-FullDiskText {
    <#
    .SYNOPSIS
        Returns what is said of a volume that became full.
    #>
    [CmdletBinding()]
    [OutputType([string])]
    param([string] $Target)

    $volume = Find-HostVolume -Path $Target
    return "The volume $($volume.Path) was full while $Target was written; $($volume.FreeBytes) bytes are free now."
}

function Rename-HostFile {
    <#
    .SYNOPSIS
        Gives a finished copy its name, again and again while antivirus or an indexer has it open.
    #>
    [CmdletBinding(SupportsShouldProcess = $true)]
    param([Parameter(Mandatory = $true)] [hashtable] $Job, [Parameter(Mandatory = $true)] [string] $Path, [Parameter(Mandatory = $true)] [string] $NewName)

    $watch = [System.Diagnostics.Stopwatch]::StartNew()
    while ($PSCmdlet.ShouldProcess($Path)) {
        try { Rename-Item -LiteralPath $Path -NewName $NewName; return }
        catch {
            $failure = ConvertTo-FileError -ErrorRecord $_ -Path $Path
            $denied = $_.CategoryInfo.Category -eq [System.Management.Automation.ErrorCategory]::PermissionDenied
            if ((Get-JobErrorId -ErrorRecord $failure) -ne 'FILE_LOCKED' -and -not $denied) { throw $failure }
            if ($watch.Elapsed.TotalSeconds -ge $script:RenameSeconds) { throw (New-JobError -Id 'FILE_LOCKED' -Message "The file $Path stays open in another program.") }
        }
        Wait-JobTime -Job $Job -Seconds 0.5
    }
}

Export-ModuleMember -Function '*-*'
