<#
.SYNOPSIS
    The mark: the one line of a VM's notes that says which job made it from what. Texts alone, no other I/O.
.DESCRIPTION
    The user's notes stand before it; lines that are not known (another tool's) stay.
#>
Set-StrictMode -Version 3.0
$ErrorActionPreference = 'Stop'
foreach ($name in 'Json', 'Contract') {
    Import-Module -Name (Join-Path -Path $PSScriptRoot -ChildPath "AetherV.$name.psm1")
}

function Split-VmNote {
    <#
    .SYNOPSIS
        Returns Notes (without the mark) and Mark (a dictionary, or nothing).
    #>
    [CmdletBinding()]
    [OutputType([hashtable])]
    param([AllowEmptyString()] [AllowNull()] [string] $Notes)

    $prefix = (Get-Contract -Name records)['mark']['prefix']
    $mark = $null
    $others = New-Object -TypeName 'System.Collections.Generic.List[string]'
    foreach ($line in ([string] $Notes).Split("`n")) {
        $read = $null
        if ($null -eq $mark -and $line.StartsWith($prefix, [StringComparison]::Ordinal)) {
            try { $read = ConvertFrom-JsonText -Text $line.Substring($prefix.Length) } catch [FormatException] { $read = $null }
        }
        if ($read -is [System.Collections.IDictionary]) { $mark = $read } else { $others.Add($line) }
    }
    return @{ Notes = [string]::Join("`n", $others.ToArray()); Mark = $mark }
}

function Merge-VmNote {
    <#
    .SYNOPSIS
        Returns notes with a changed mark; what the mark held besides stays.
    #>
    [CmdletBinding()]
    [OutputType([string])]
    param([AllowEmptyString()] [AllowNull()] [string] $Notes, [Parameter(Mandatory = $true)] [System.Collections.IDictionary] $Changes)

    $split = Split-VmNote -Notes $Notes
    $mark = if ($null -ne $split.Mark) { $split.Mark } else { [ordered]@{} }
    foreach ($name in @($Changes.Keys)) { $mark[$name] = $Changes[$name] }
    $line = (Get-Contract -Name records)['mark']['prefix'] + (ConvertTo-JsonText -Value $mark)
    if ($split.Notes) { return $split.Notes + "`n" + $line }
    return $line
}

function Get-MarkField {
    <#
    .SYNOPSIS
        Returns what a mark keeps of a create: every field that was said and is no secret; the notes stand for themselves.
    #>
    [CmdletBinding()]
    [OutputType([System.Collections.IDictionary])]
    param([Parameter(Mandatory = $true)] [System.Collections.IDictionary] $Fields)

    $kept = [ordered]@{}
    foreach ($rule in (Get-Contract -Name fields)['fields']) {
        $name = $rule['name']
        if ($rule['secret'] -ne $true -and $name -ne 'notes' -and $Fields.Contains($name)) { $kept[$name] = $Fields[$name] }
    }
    return $kept
}

Export-ModuleMember -Function 'Split-VmNote', 'Merge-VmNote', 'Get-MarkField'
