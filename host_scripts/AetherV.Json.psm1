<#
.SYNOPSIS
    Reads and writes JSON alike in Windows PowerShell 5.1 and PowerShell 7.
.DESCRIPTION
    ConvertFrom-Json turns texts that look like dates into DateTime in PowerShell 7 and leaves them in 5.1: a password or
    a name must come out as it went in, so this module reads JSON itself. No other I/O.
#>
Set-StrictMode -Version 3.0
$ErrorActionPreference = 'Stop'

$script:Depth = 16
$script:Token = New-Object -TypeName System.Text.RegularExpressions.Regex -ArgumentList @(
    ('\G[ \t\r\n]*(?:(?<mark>[{}\[\],:])|"(?<text>[^"\\\x00-\x1f]*(?:\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})[^"\\\x00-\x1f]*)*)"' +
        '|(?<number>-?(?:0|[1-9][0-9]*)(?<fraction>\.[0-9]+)?(?<exponent>[eE][+-]?[0-9]+)?)|(?<word>true|false|null))'),
    [System.Text.RegularExpressions.RegexOptions]::CultureInvariant)

function ConvertFrom-JsonText {
    <#
    .SYNOPSIS
        Returns the value of a JSON text: ordered dictionaries, arrays, strings, longs, doubles, bools and null.
    .DESCRIPTION
        Throws a FormatException for anything else; its text names the position and never quotes the document, which
        may hold a password. A name that stands twice in one object is refused.
    #>
    [CmdletBinding()]
    [OutputType([object])]
    param([Parameter(Mandatory = $true)] [AllowEmptyString()] [string] $Text)

    $stack = New-Object -TypeName System.Collections.Stack
    $expect = 'value'
    $key = $null
    $root = $null
    $position = 0
    $done = $false
    while (-not $done) {
        $match = $script:Token.Match($Text, $position)
        if (-not $match.Success) { throw (New-Object -TypeName FormatException -ArgumentList "not JSON at position $position") }
        $position = $match.Index + $match.Length
        $mark = $match.Groups['mark'].Value
        $complete = $false
        $value = $null
        if ($mark -eq ',' -and $expect -eq 'comma') {
            $expect = if ($stack.Peek().Items -is [System.Collections.IDictionary]) { 'key' } else { 'value' }
            continue
        }
        if ($mark -eq ':' -and $expect -eq 'colon') { $expect = 'value'; continue }
        if (($mark -eq '}' -or $mark -eq ']') -and $stack.Count -gt 0) {
            $frame = $stack.Peek()
            $isObject = $frame.Items -is [System.Collections.IDictionary]
            $mayEnd = $expect -eq 'comma' -or ($frame.Items.Count -eq 0 -and $expect -eq $(if ($isObject) { 'key' } else { 'value' }))
            if (-not $mayEnd -or $isObject -ne ($mark -eq '}')) { throw (New-Object -TypeName FormatException -ArgumentList "not JSON at position $position") }
            [void] $stack.Pop()
            $value = if ($isObject) { $frame.Items } else { , $frame.Items.ToArray() }
            $key = $frame.Key
            $complete = $true
        }
        elseif ($expect -eq 'key' -and $match.Groups['text'].Success) {
            $key = [System.Text.RegularExpressions.Regex]::Unescape($match.Groups['text'].Value)
            if ($stack.Peek().Items.Contains($key)) { throw (New-Object -TypeName FormatException -ArgumentList "a name twice at position $position") }
            $expect = 'colon'
            continue
        }
        elseif ($expect -ne 'value') { throw (New-Object -TypeName FormatException -ArgumentList "not JSON at position $position") }
        elseif ($mark -eq '{' -or $mark -eq '[') {
            if ($stack.Count -ge $script:Depth) { throw (New-Object -TypeName FormatException -ArgumentList 'nested too deep') }
            $items = if ($mark -eq '{') { [ordered]@{} } else { , (New-Object -TypeName 'System.Collections.Generic.List[object]') }
            $stack.Push(@{ Items = $items; Key = $key })
            $expect = if ($mark -eq '{') { 'key' } else { 'value' }
            continue
        }
        elseif ($match.Groups['text'].Success) {
            $value = [System.Text.RegularExpressions.Regex]::Unescape($match.Groups['text'].Value)
            $complete = $true
        }
        elseif ($match.Groups['number'].Success) {
            $digits = $match.Groups['number'].Value
            $whole = [long] 0
            $isWhole = -not ($match.Groups['fraction'].Success -or $match.Groups['exponent'].Success) -and
            [long]::TryParse($digits, [System.Globalization.NumberStyles]::AllowLeadingSign, [System.Globalization.CultureInfo]::InvariantCulture, [ref] $whole)
            $value = if ($isWhole) { $whole } else { [double]::Parse($digits, [System.Globalization.CultureInfo]::InvariantCulture) }
            $complete = $true
        }
        elseif ($match.Groups['word'].Success) {
            $word = $match.Groups['word'].Value
            $value = if ($word -ceq 'null') { $null } else { $word -ceq 'true' }
            $complete = $true
        }
        if (-not $complete) { throw (New-Object -TypeName FormatException -ArgumentList "not JSON at position $position") }
        if ($stack.Count -eq 0) {
            $root = $value
            $done = $true
        }
        else {
            $frame = $stack.Peek()
            if ($frame.Items -is [System.Collections.IDictionary]) { $frame.Items.Add($key, $value) } else { $frame.Items.Add($value) }
            $expect = 'comma'
        }
    }
    if ($Text.Substring($position).Trim(" `t`r`n".ToCharArray()).Length -gt 0) {
        throw (New-Object -TypeName FormatException -ArgumentList "more text at position $position")
    }
    return , $root
}

function ConvertTo-JsonText {
    <#
    .SYNOPSIS
        Returns one line of ASCII JSON. Give dictionaries, arrays, strings, longs, doubles and bools alone.
    #>
    [CmdletBinding()]
    [OutputType([string])]
    param([Parameter(Mandatory = $true)] [AllowNull()] [AllowEmptyCollection()] [object] $Value)

    $text = ConvertTo-Json -InputObject $Value -Compress -Depth $script:Depth
    return [regex]::Replace($text, '[^\x20-\x7e]', { param($match) '\u{0:x4}' -f [int] $match.Value[0] })
}

Export-ModuleMember -Function 'ConvertFrom-JsonText', 'ConvertTo-JsonText'
