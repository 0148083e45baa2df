<#
.SYNOPSIS
    Reads the part of YAML 1.2 that job documents written by people need. No other I/O.
.DESCRIPTION
    Block mappings, sequences of scalars, plain and quoted scalars, literal blocks (|), comments, and JSON as a flow value.
    Anything else is refused with its line's number: a document is never half understood. Texts that look like dates, or
    Yes and No, stay texts.
#>
Set-StrictMode -Version 3.0
$ErrorActionPreference = 'Stop'
Import-Module -Name (Join-Path -Path $PSScriptRoot -ChildPath 'AetherV.Json.psm1')

function New-YamlRefusal {
    <#
    .SYNOPSIS
        Returns the exception for a line that can't be read. It never quotes the line.
    #>
    [CmdletBinding()]
    [OutputType([FormatException])]
    param([int] $Line, [string] $Why)

    return New-Object -TypeName FormatException -ArgumentList "line ${Line}: $Why"
}

function ConvertFrom-YamlScalar {
    <#
    .SYNOPSIS
        Returns the value of a scalar's text, or of a JSON text.
    #>
    [CmdletBinding()]
    [OutputType([object])]
    param([AllowEmptyString()] [string] $Text, [int] $Line)

    $trimmed = $Text.Trim()
    if ($trimmed -match '^"' -or $trimmed -match '^[\[{]') {
        $match = [regex]::Match($trimmed, '^(?:(?<text>"(?:[^"\\]|\\.)*")|(?<flow>[\[{].*[\]}]))\s*(?:\s#.*)?$')
        if (-not $match.Success) { throw (New-YamlRefusal -Line $Line -Why 'a quoted text or list is not closed') }
        $json = if ($match.Groups['text'].Success) { $match.Groups['text'].Value } else { $match.Groups['flow'].Value }
        try { return , (ConvertFrom-JsonText -Text $json) }
        catch [FormatException] { throw (New-YamlRefusal -Line $Line -Why 'not a text in JSON form') }
    }
    if ($trimmed -match "^'") {
        $match = [regex]::Match($trimmed, "^'(?<text>(?:[^']|'')*)'\s*(?:\s#.*)?$")
        if (-not $match.Success) { throw (New-YamlRefusal -Line $Line -Why 'a quoted text is not closed') }
        return $match.Groups['text'].Value.Replace("''", "'")
    }
    $plain = [regex]::Replace($trimmed, '(^|\s+)#.*$', '')
    if ($plain -match '^[&*!%@`>]' -or $plain -match ':\s' -or $plain.EndsWith(':')) {
        throw (New-YamlRefusal -Line $Line -Why 'put this text into quotes')
    }
    $whole = [long] 0
    if ($plain -ceq '' -or $plain -ceq '~' -or $plain -ceq 'null') { return $null }
    if ($plain -ceq 'true' -or $plain -ceq 'false') { return $plain -ceq 'true' }
    if ($plain -match '^-?(0|[1-9][0-9]*)$' -and [long]::TryParse($plain, [ref] $whole)) { return $whole }
    return $plain
}

function Read-YamlLiteral {
    <#
    .SYNOPSIS
        Reads a literal block: the lines that stand deeper than its key. Moves State.At behind it.
    #>
    [CmdletBinding()]
    [OutputType([string])]
    param([hashtable] $State, [int] $Indent, [bool] $Strip)

    $lines = New-Object -TypeName 'System.Collections.Generic.List[string]'
    $inner = -1
    while ($State.At -lt $State.Lines.Count) {
        $raw = $State.Lines[$State.At]
        $lead = $raw.Length - $raw.TrimStart(' ').Length
        if ($raw.Trim()) {
            if ($lead -le $Indent) { break }
            if ($inner -lt 0) { $inner = $lead }
        }
        $from = [Math]::Min([Math]::Max($inner, 0), $raw.Length)
        $lines.Add($raw.Substring($from))
        $State.At++
    }
    $text = [string]::Join("`n", $lines.ToArray()).TrimEnd("`n")
    if ($Strip) { return $text }
    return "$text`n"
}

function Read-YamlBlock {
    <#
    .SYNOPSIS
        Reads a mapping or a sequence whose lines stand at one indent. Moves State.At behind it.
    #>
    [CmdletBinding()]
    [OutputType([object])]
    param([hashtable] $State, [int] $Indent, [int] $Depth)

    if ($Depth -gt 8) { throw (New-YamlRefusal -Line ($State.At + 1) -Why 'nested too deep') }
    $map = [ordered]@{}
    $list = New-Object -TypeName 'System.Collections.Generic.List[object]'
    $isList = $false
    $isMap = $false
    while ($State.At -lt $State.Lines.Count) {
        $line = $State.At + 1
        $raw = $State.Lines[$State.At]
        if ($raw.Trim() -eq '' -or $raw.TrimStart().StartsWith('#')) { $State.At++; continue }
        $lead = $raw.Length - $raw.TrimStart(' ').Length
        if ($lead -lt $Indent) { break }
        if ($lead -gt $Indent -or $raw[$lead] -eq "`t") { throw (New-YamlRefusal -Line $line -Why 'the indent fits nothing above') }
        $content = $raw.Substring($lead)
        if ($content -match '^-(\s|$)') {
            if ($isMap) { throw (New-YamlRefusal -Line $line -Why 'a list item among names') }
            $isList = $true
            $State.At++
            $list.Add((ConvertFrom-YamlScalar -Text $content.Substring(1) -Line $line))
            continue
        }
        $match = [regex]::Match($content, '^(?:"(?<name>[^"\\]+)"|''(?<name>[^'']+)''|(?<name>[A-Za-z_][A-Za-z0-9_.-]*))\s*:(?:\s+(?<rest>.*))?$')
        if (-not $match.Success -or $isList) { throw (New-YamlRefusal -Line $line -Why 'expected NAME: VALUE') }
        $isMap = $true
        $name = $match.Groups['name'].Value
        if ($map.Contains($name)) { throw (New-YamlRefusal -Line $line -Why 'a name twice') }
        $State.At++
        $rest = $match.Groups['rest'].Value
        if ($rest -match '^\|-?\s*(#.*)?$') {
            $map[$name] = Read-YamlLiteral -State $State -Indent $Indent -Strip ($rest -match '^\|-')
        }
        elseif ($rest.Trim() -eq '' -or $rest.TrimStart().StartsWith('#')) {
            $map[$name] = Read-YamlChild -State $State -Indent $Indent -Depth $Depth
        }
        else { $map[$name] = ConvertFrom-YamlScalar -Text $rest -Line $line }
    }
    if ($isList) { return , $list.ToArray() }
    return $map
}

function Read-YamlChild {
    <#
    .SYNOPSIS
        Reads what stands below a name without a value: a deeper block, a list at the name's own indent, or nothing.
    #>
    [CmdletBinding()]
    [OutputType([object])]
    param([hashtable] $State, [int] $Indent, [int] $Depth)

    while ($State.At -lt $State.Lines.Count -and $State.Lines[$State.At].Trim() -match '^(#.*)?$') { $State.At++ }
    if ($State.At -ge $State.Lines.Count) { return $null }
    $raw = $State.Lines[$State.At]
    $lead = $raw.Length - $raw.TrimStart(' ').Length
    if ($lead -gt $Indent -or ($lead -eq $Indent -and $raw.Substring($lead) -match '^-(\s|$)')) {
        if ($lead -gt $Indent) { return , (Read-YamlBlock -State $State -Indent $lead -Depth ($Depth + 1)) }
        $items = New-Object -TypeName 'System.Collections.Generic.List[object]'
        while ($State.At -lt $State.Lines.Count -and $State.Lines[$State.At].Substring([Math]::Min($Indent, $State.Lines[$State.At].Length)) -match '^-(\s|$)') {
            $items.Add((ConvertFrom-YamlScalar -Text $State.Lines[$State.At].Substring($Indent + 1) -Line ($State.At + 1)))
            $State.At++
        }
        return , $items.ToArray()
    }
    return $null
}

function ConvertFrom-YamlText {
    <#
    .SYNOPSIS
        Returns a YAML text's mapping. Throws a FormatException that names the line.
    #>
    [CmdletBinding()]
    [OutputType([object])]
    param([Parameter(Mandatory = $true)] [AllowEmptyString()] [string] $Text)

    $lines = @($Text -split "`r?`n")
    $state = @{ Lines = $lines; At = 0 }
    for ($at = 0; $at -lt $lines.Count; $at++) {
        if ($lines[$at].TrimEnd() -eq '---' -and $at -eq $state.At) { $state.At = $at + 1; break }
        if ($lines[$at].Trim() -match '^(#.*)?$') { $state.At = $at + 1; continue }
        break
    }
    $value = Read-YamlBlock -State $state -Indent 0 -Depth 0
    if ($state.At -lt $lines.Count) { throw (New-YamlRefusal -Line ($state.At + 1) -Why 'the indent fits nothing above') }
    return , $value
}

Export-ModuleMember -Function 'ConvertFrom-YamlText'
