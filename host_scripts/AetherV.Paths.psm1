<#
.SYNOPSIS
    Paths and files of the host. Paths stay the texts that they were given as; a .NET call gets the provider's form.
#>
Set-StrictMode -Version 3.0
$ErrorActionPreference = 'Stop'
Import-Module -Name (Join-Path -Path $PSScriptRoot -ChildPath 'AetherV.Records.psm1')

$script:SharingCodes = @(32, 33, 11, 35)
$script:HeldIds = @('RemoveFileSystemItemIOError', 'RenameItemIOError', 'MoveFileInfoItemIOError')
$script:DiskFullCodes = @(112, 39, 28)

function Get-NativePath {
    <#
    .SYNOPSIS
        Returns a path as .NET needs it. An unknown drive is PATH_INVALID.
    #>
    [CmdletBinding()]
    [OutputType([string])]
    param([Parameter(Mandatory = $true)] [string] $Path)

    try { return $ExecutionContext.SessionState.Path.GetUnresolvedProviderPathFromPSPath($Path) }
    catch [System.Management.Automation.SessionStateException] {
        throw (New-JobError -Id 'PATH_INVALID' -Message "The path $Path can't be used: $($_.Exception.Message)")
    }
}

function Join-HostPath {
    <#
    .SYNOPSIS
        Returns a folder's path with a name in it. Text alone: an unknown drive is no error here.
    #>
    [CmdletBinding()]
    [OutputType([string])]
    param([Parameter(Mandatory = $true)] [string] $Folder, [Parameter(Mandatory = $true)] [string] $Name)

    return $Folder.Replace('/', '\').TrimEnd('\') + '\' + $Name
}

function Get-ParentPath {
    <#
    .SYNOPSIS
        Returns the folder that a path stands in; a drive's root keeps its backslash.
    #>
    [CmdletBinding()]
    [OutputType([string])]
    param([Parameter(Mandatory = $true)] [string] $Path)

    $text = $Path.Replace('/', '\').TrimEnd('\')
    $at = $text.LastIndexOf('\')
    if ($at -lt 0) { return $text }
    $parent = $text.Substring(0, $at)
    if ($parent -match '^[A-Za-z]:$') { return "$parent\" }
    return $parent
}

function Get-PathLeaf {
    <#
    .SYNOPSIS
        Returns a path's last part.
    #>
    [CmdletBinding()]
    [OutputType([string])]
    param([Parameter(Mandatory = $true)] [string] $Path)

    $text = $Path.Replace('/', '\').TrimEnd('\')
    return $text.Substring($text.LastIndexOf('\') + 1)
}

function Get-PathStem {
    <#
    .SYNOPSIS
        Returns a file's name without its last extension.
    #>
    [CmdletBinding()]
    [OutputType([string])]
    param([Parameter(Mandatory = $true)] [string] $Path)

    $leaf = Get-PathLeaf -Path $Path
    $at = $leaf.LastIndexOf('.')
    if ($at -le 0) { return $leaf }
    return $leaf.Substring(0, $at)
}

function Test-PathWithin {
    <#
    .SYNOPSIS
        Whether a path is a folder or stands in it. By text, in any case; a path with .. in it is within nothing.
    #>
    [CmdletBinding()]
    [OutputType([bool])]
    param([Parameter(Mandatory = $true)] [string] $Path, [Parameter(Mandatory = $true)] [string] $Folder)

    $inner = $Path.Replace('/', '\').TrimEnd('\')
    $outer = $Folder.Replace('/', '\').TrimEnd('\')
    if (-not $outer -or $inner -match '(^|\\)\.\.(\\|$)') { return $false }
    return [string]::Equals($inner, $outer, [StringComparison]::OrdinalIgnoreCase) -or
    $inner.StartsWith($outer + '\', [StringComparison]::OrdinalIgnoreCase)
}

function Test-HostPath {
    <#
    .SYNOPSIS
        Whether something stands at a path. False for an unknown drive.
    #>
    [CmdletBinding()]
    [OutputType([bool])]
    param([Parameter(Mandatory = $true)] [string] $Path, [ValidateSet('Any', 'Leaf', 'Container')] [string] $PathType = 'Any')

    return [bool] (Test-Path -LiteralPath $Path -PathType $PathType -ErrorAction Ignore)
}

function Get-SystemErrorCode {
    <#
    .SYNOPSIS
        Returns the low word of the HRESULT of a caught input or output error, or -1 for another error.
    #>
    [CmdletBinding()]
    [OutputType([int])]
    param([Parameter(Mandatory = $true)] [System.Management.Automation.ErrorRecord] $ErrorRecord)

    $exception = $ErrorRecord.Exception.GetBaseException()
    if ($exception -isnot [System.IO.IOException]) { return -1 }
    return $exception.HResult -band 0xffff
}

function Test-SharingViolation {
    <#
    .SYNOPSIS
        Whether a caught error says that another program has the file open.
    #>
    [CmdletBinding()]
    [OutputType([bool])]
    param([Parameter(Mandatory = $true)] [System.Management.Automation.ErrorRecord] $ErrorRecord)

    if ($script:SharingCodes -contains (Get-SystemErrorCode -ErrorRecord $ErrorRecord)) { return $true }
    # The item commands' own exception does not always carry the code of the one that it wraps.
    return $script:HeldIds -contains $ErrorRecord.FullyQualifiedErrorId.Split(',')[0]
}

function ConvertTo-FileError {
    <#
    .SYNOPSIS
        Returns the typed error for a caught error of a file operation: DISK_FULL, FILE_LOCKED, PATH_INVALID, FILE_ERROR.
    #>
    [CmdletBinding()]
    [OutputType([System.Management.Automation.ErrorRecord])]
    param(
        [Parameter(Mandatory = $true)] [System.Management.Automation.ErrorRecord] $ErrorRecord,
        [Parameter(Mandatory = $true)] [string] $Path
    )

    if ($ErrorRecord.Exception.Data.Contains('aetherv')) { return $ErrorRecord }
    $base = $ErrorRecord.Exception.GetBaseException()
    $code = Get-SystemErrorCode -ErrorRecord $ErrorRecord
    $id = 'FILE_ERROR'
    if ($script:DiskFullCodes -contains $code) { $id = 'DISK_FULL' }
    elseif (Test-SharingViolation -ErrorRecord $ErrorRecord) { $id = 'FILE_LOCKED' }
    elseif ($base -is [System.Management.Automation.DriveNotFoundException] -or $base -is [System.IO.DirectoryNotFoundException] -or
        $base -is [System.NotSupportedException] -or $base -is [System.IO.PathTooLongException]) { $id = 'PATH_INVALID' }
    return New-JobError -Id $id -Message "${Path}: $($base.Message)"
}

function Test-FileOpenAlone {
    <#
    .SYNOPSIS
        Whether a file can be opened with no share at all, so that nobody else has it open. True for one that is not there.
    #>
    [CmdletBinding()]
    [OutputType([bool])]
    param([Parameter(Mandatory = $true)] [string] $Path, [switch] $WritersOnly)

    $share = if ($WritersOnly) { [System.IO.FileShare]::Read } else { [System.IO.FileShare]::None }
    $stream = $null
    try {
        $stream = New-Object -TypeName System.IO.FileStream -ArgumentList @(
            (Get-NativePath -Path $Path), [System.IO.FileMode]::Open, [System.IO.FileAccess]::Read, $share)
        return $true
    }
    catch {
        $base = $_.Exception.GetBaseException()
        if ($base -is [System.IO.FileNotFoundException] -or $base -is [System.IO.DirectoryNotFoundException]) { return $true }
        if (Test-SharingViolation -ErrorRecord $_) { return $false }
        throw (ConvertTo-FileError -ErrorRecord $_ -Path $Path)
    }
    finally { if ($null -ne $stream) { $stream.Dispose() } }
}

function Get-FileLength {
    <#
    .SYNOPSIS
        Returns a file's length in bytes; 0 where it is not there.
    #>
    [CmdletBinding()]
    [OutputType([long])]
    param([Parameter(Mandatory = $true)] [string] $Path)

    $item = Get-Item -LiteralPath $Path -Force -ErrorAction Ignore
    if ($null -eq $item -or $item.PSIsContainer) { return [long] 0 }
    return [long] $item.Length
}

function New-HostFolder {
    <#
    .SYNOPSIS
        Makes a folder with its parents; one that is there is no error, unless it must be new.
    #>
    [CmdletBinding(SupportsShouldProcess = $true)]
    param([Parameter(Mandatory = $true)] [string] $Path, [switch] $MustBeNew)

    if (-not $PSCmdlet.ShouldProcess($Path)) { return }
    if ($MustBeNew -and (Test-HostPath -Path $Path)) {
        throw (New-JobError -Id 'FOLDER_ALREADY_EXISTS' -Message "The folder $Path is there already." -Field 'vm_name')
    }
    try { [void] [System.IO.Directory]::CreateDirectory((Get-NativePath -Path $Path)) }
    catch {
        $failure = ConvertTo-FileError -ErrorRecord $_ -Path $Path
        if ((Get-JobErrorId -ErrorRecord $failure) -ne 'FILE_ERROR') { throw $failure }
        throw (New-JobError -Id 'PATH_INVALID' -Message $failure.Exception.Message)
    }
}

function Remove-HostFile {
    <#
    .SYNOPSIS
        Deletes a file once nobody has it open, within a time. Gone already is success; still open is FILE_LOCKED.
    #>
    [CmdletBinding(SupportsShouldProcess = $true)]
    param([Parameter(Mandatory = $true)] [string] $Path, [double] $Seconds = 10, [scriptblock] $Between = { Start-Sleep -Milliseconds 250 })

    $watch = [System.Diagnostics.Stopwatch]::StartNew()
    while ($PSCmdlet.ShouldProcess($Path)) {
        if (-not (Test-HostPath -Path $Path -PathType Leaf)) { return }
        try {
            if (Test-FileOpenAlone -Path $Path) { Remove-Item -LiteralPath $Path -Force; return }
        }
        catch [System.Management.Automation.ItemNotFoundException] { return }
        catch { if (-not (Test-SharingViolation -ErrorRecord $_)) { throw (ConvertTo-FileError -ErrorRecord $_ -Path $Path) } }
        if ($watch.Elapsed.TotalSeconds -ge $Seconds) {
            throw (New-JobError -Id 'FILE_LOCKED' -Message "The file $Path stays open in another program.")
        }
        & $Between
    }
}

function Remove-EmptyFolder {
    <#
    .SYNOPSIS
        Deletes a folder and the empty folders in it. Returns whether it is gone: a folder that holds a file stays.
    #>
    [CmdletBinding(SupportsShouldProcess = $true)]
    [OutputType([bool])]
    param([Parameter(Mandatory = $true)] [string] $Path)

    if (-not (Test-HostPath -Path $Path -PathType Container)) { return $true }
    $isEmpty = $true
    foreach ($child in @(Get-ChildItem -LiteralPath $Path -Force)) {
        $linked = ($child.Attributes -band [System.IO.FileAttributes]::ReparsePoint) -ne 0
        if (-not $child.PSIsContainer -or $linked) { $isEmpty = $false; continue }
        if (-not (Remove-EmptyFolder -Path (Join-HostPath -Folder $Path -Name $child.Name))) { $isEmpty = $false }
    }
    if (-not $isEmpty) { return $false }
    if ($PSCmdlet.ShouldProcess($Path)) {
        try { Remove-Item -LiteralPath $Path -Force }
        catch { throw (ConvertTo-FileError -ErrorRecord $_ -Path $Path) }
    }
    return $true
}

function Resolve-HostFolder {
    <#
    .SYNOPSIS
        Returns the folders that a pattern names; each of its parts may hold wildcards. Paths stay in the pattern's form.
    #>
    [CmdletBinding()]
    [OutputType([string[]])]
    param([Parameter(Mandatory = $true)] [string] $Pattern)

    $parts = @($Pattern.Replace('/', '\').TrimEnd('\').Split('\'))
    if ($parts[0] -match '^[A-Za-z]:$' -and $null -eq (Get-PSDrive -Name $parts[0].Substring(0, 1) -ErrorAction Ignore)) {
        throw (New-JobError -Id 'PATH_INVALID' -Message "image_paths: there is no drive $($parts[0])")
    }
    $found = @($parts[0])
    for ($at = 1; $at -lt $parts.Count; $at++) {
        $part = $parts[$at]
        $found = @(foreach ($folder in $found) {
                if (-not [System.Management.Automation.WildcardPattern]::ContainsWildcardCharacters($part)) { "$folder\$part"; continue }
                if (-not (Test-HostPath -Path "$folder\" -PathType Container)) { continue }
                foreach ($child in @(Get-ChildItem -LiteralPath "$folder\" -Directory -Force -ErrorAction Ignore | Sort-Object -Property Name)) {
                    if ($child.Name -like $part) { "$folder\$($child.Name)" }
                }
            })
    }
    return @($found | Where-Object -FilterScript { Test-HostPath -Path $_ -PathType Container })
}

function Test-FolderCompressed {
    <#
    .SYNOPSIS
        Whether what is made in a folder would be compressed or encrypted: by the folder, else its nearest parent.
    #>
    [CmdletBinding()]
    [OutputType([bool])]
    param([Parameter(Mandatory = $true)] [string] $Path)

    $folder = $Path
    while (-not (Test-HostPath -Path $folder -PathType Container)) {
        $parent = Get-ParentPath -Path $folder
        if ($parent -eq $folder) { return $false }
        $folder = $parent
    }
    $attributes = (Get-Item -LiteralPath $folder -Force).Attributes
    if (($attributes -band ([System.IO.FileAttributes]::Compressed -bor [System.IO.FileAttributes]::Encrypted)) -ne 0) { return $true }
    # Behind a mount point the attributes are those of the point itself: WMI knows the folder's.
    $name = $folder.TrimEnd('\').Replace('\', '\\').Replace("'", "\'")
    foreach ($directory in @(Get-CimInstance -ClassName 'Win32_Directory' -Filter "Name='$name'" -ErrorAction SilentlyContinue)) {
        if ($directory.Compressed -eq $true -or $directory.Encrypted -eq $true) { return $true }
    }
    return $false
}

Export-ModuleMember -Function '*-*'
