<#
.SYNOPSIS
    Judges a create's fields by contracts\fields.json and the guest's dialect by contracts\dialects.json. No other I/O.
.DESCRIPTION
    A secret is opened inside the one function that judges texts, and is never a parameter of a command as text: module
    logging writes every parameter.
#>
Set-StrictMode -Version 3.0
$ErrorActionPreference = 'Stop'
foreach ($name in 'Contract', 'Records') {
    Import-Module -Name (Join-Path -Path $PSScriptRoot -ChildPath "AetherV.$name.psm1")
}

$script:Options = [System.Text.RegularExpressions.RegexOptions]::CultureInvariant
$script:Ipv4 = '^(?:(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])(?:\.(?!$)|$)){4}\z'

function Get-OsFamily {
    <#
    .SYNOPSIS
        Returns linux or windows by an image's name (its beginning, in any case), or nothing.
    #>
    [CmdletBinding()]
    [OutputType([string])]
    param([AllowEmptyString()] [string] $ImageName)

    $families = (Get-Contract -Name fields)['os_families']
    foreach ($family in $families.Keys) {
        foreach ($beginning in $families[$family]) {
            if ($ImageName.StartsWith($beginning, [StringComparison]::OrdinalIgnoreCase)) { return [string] $family }
        }
    }
}

function Get-Dialect {
    <#
    .SYNOPSIS
        Returns the dialect of an ISO's version such as 2.4.000 for one family, or nothing for a version none knows.
    #>
    [CmdletBinding()]
    [OutputType([System.Collections.IDictionary])]
    param([Parameter(Mandatory = $true)] [string] $Version, [Parameter(Mandatory = $true)] [ValidateSet('linux', 'windows')] [string] $Family)

    foreach ($dialect in (Get-Contract -Name dialects)['dialects']) {
        if ([regex]::IsMatch($Version.Trim(), $dialect['versions'], $script:Options)) { return $dialect[$Family] }
    }
}

function ConvertTo-TypedField {
    <#
    .SYNOPSIS
        Returns a job's fields with their contract's types; empty ones are left out. Secrets are not among them.
    #>
    [CmdletBinding()]
    [OutputType([System.Collections.IDictionary])]
    param([System.Collections.IDictionary] $Fields)

    $typed = [ordered]@{}
    foreach ($name in @($Fields.Keys)) {
        $rule = Get-FieldRule -Name $name
        if ($null -eq $rule) {
            $short = $name.Substring(0, [Math]::Min(64, $name.Length))
            throw (New-JobError -Id 'FIELD_INVALID' -Message "There is no field '$short'." -Field $short)
        }
        $value = $Fields[$name]
        if ($null -eq $value -or ($value -is [string] -and $value.Length -eq 0) -or $rule['secret'] -eq $true) { continue }
        $wrong = New-JobError -Id 'FIELD_INVALID' -Message "$name must be $($rule['rule'])." -Field $name
        if ('integer', 'number' -ccontains $rule['type']) {
            $text = [string] $value
            if ($value -is [bool] -or $text -cnotmatch '^-?[0-9]{1,12}\z') { throw $wrong }
            $typed[$name] = [long] $text
        }
        elseif ($rule['type'] -ceq 'boolean') {
            if ($value -isnot [bool] -and 'yes', 'no', 'true', 'false' -notcontains [string] $value) { throw $wrong }
            $typed[$name] = if ($value -is [bool]) { $value } else { 'yes', 'true' -contains [string] $value }
        }
        elseif ($value -isnot [string] -or ($rule['type'] -ceq 'enum' -and $rule['values'] -cnotcontains $value)) { throw $wrong }
        else { $typed[$name] = $value }
    }
    return $typed
}

function Get-FieldRefusal {
    <#
    .SYNOPSIS
        Returns what is wrong with one field's value by its own rule and its guest's dialect, or nothing. Never the value.
    .PARAMETER Value
        The typed value, or a SecureString.
    #>
    [CmdletBinding()]
    [OutputType([string])]
    param(
        [Parameter(Mandatory = $true)] [System.Collections.IDictionary] $Rule,
        [Parameter(Mandatory = $true)] [object] $Value,
        [AllowNull()] [System.Collections.IDictionary] $Dialect
    )

    $refusals = New-Object -TypeName 'System.Collections.Generic.List[string]'
    if ($Value -is [long]) {
        $low = if ($Rule.Contains('min')) { $Rule['min'] } else { [long]::MinValue }
        $high = if ($Rule.Contains('max')) { $Rule['max'] } else { [long]::MaxValue }
        if ($Value -lt $low -or $Value -gt $high) { return "must be $($Rule['rule'])" }
    }
    $text = ''
    if ($Value -is [System.Security.SecureString]) {
        # NetworkCredential would end the text at a NUL, which is to be refused.
        $pointer = [System.Runtime.InteropServices.Marshal]::SecureStringToBSTR($Value)
        try { $text = [System.Runtime.InteropServices.Marshal]::PtrToStringBSTR($pointer) }
        finally { [System.Runtime.InteropServices.Marshal]::ZeroFreeBSTR($pointer) }
    }
    else { $text = [string] $Value }
    $everywhere = (Get-Contract -Name fields)['every_string']
    $units = 0
    $half = $false
    for ($at = 0; $at -lt $text.Length; $at++) {
        if ([char]::IsHighSurrogate($text[$at]) -and $at + 1 -lt $text.Length -and [char]::IsLowSurrogate($text[$at + 1])) { $at++ }
        elseif ([char]::IsSurrogate($text[$at])) { $half = $true }
        $units++
    }
    if ($Rule['type'] -ceq 'string') {
        if ($everywhere['except'] -cnotcontains $Rule['name'] -and [regex]::IsMatch($text, $everywhere['forbidden_pattern'], $script:Options)) {
            return "must be $($everywhere['rule'])"
        }
        if ($half) { return 'must be valid Unicode: it holds half of a surrogate pair' }
        if ($Rule.Contains('max_length') -and $units -gt $Rule['max_length']) { return "is too long: at most $($Rule['max_length']) characters" }
        if (($Rule['format'] -ceq 'ipv4' -and -not [regex]::IsMatch($text, $script:Ipv4, $script:Options)) -or
            ($Rule.Contains('pattern') -and -not [regex]::IsMatch($text, $Rule['pattern'], $script:Options)) -or
            ($Rule.Contains('forbidden_pattern') -and [regex]::IsMatch($text, $Rule['forbidden_pattern'], $script:Options))) {
            return "must be $($Rule['rule'])"
        }
    }
    if ($null -eq $Dialect -or -not $Rule.Contains('kvp')) { return }
    if ($Rule['name'] -ceq 'vm_name' -and -not [regex]::IsMatch($text, $Dialect['host_name']['pattern'], $script:Options)) {
        $refusals.Add("becomes the guest's host name and must be $($Dialect['host_name']['rule'])")
    }
    foreach ($guest in $Dialect['rules']) {
        if ($guest['fields'] -cnotcontains '*' -and $guest['fields'] -cnotcontains $Rule['name']) { continue }
        if (($guest.Contains('pattern') -and -not [regex]::IsMatch($text, $guest['pattern'], $script:Options)) -or
            ($guest.Contains('forbidden_pattern') -and [regex]::IsMatch($text, $guest['forbidden_pattern'], $script:Options))) {
            $refusals.Add($guest['rule'])
        }
    }
    if ($Dialect.Contains('value_bytes') -and [System.Text.Encoding]::UTF8.GetByteCount($text) -gt $Dialect['value_bytes']) {
        $refusals.Add("at most $($Dialect['value_bytes']) bytes of UTF-8 reach this guest")
    }
    if ($Dialect.Contains('pieces')) {
        $pieces = 1
        $filled = 0
        for ($at = 0; $at -lt $text.Length; $at++) {
            $size = if ([char]::IsHighSurrogate($text[$at])) { 2 } else { 1 }
            if ($filled + $size -gt $Dialect['piece_units']) { $pieces++; $filled = 0 }
            $filled += $size
            $at += $size - 1
        }
        if ($pieces -gt $Dialect['pieces']) { $refusals.Add("at most $($Dialect['pieces']) pieces of $($Dialect['piece_units']) UTF-16 units reach this guest") }
    }
    $text = $null
    if ($refusals.Count -gt 0) { return [string]::Join('; ', $refusals.ToArray()) }
}

function Get-SetRefusal {
    <#
    .SYNOPSIS
        Returns objects with Field and Text for fields that miss those that they go together with.
    .PARAMETER Given
        Names of the fields and secrets that are given and reach the guest.
    #>
    [CmdletBinding()]
    param([string[]] $Given, [bool] $SecretsKnown, [AllowNull()] [System.Collections.IDictionary] $Dialect)

    foreach ($set in (Get-Contract -Name fields)['sets']) {
        if ($set.Contains('field')) {
            $missing = @($set['needs'] | Where-Object -FilterScript { $Given -cnotcontains $_ })
            if ($Given -ccontains $set['field'] -and $missing.Count -gt 0) { [pscustomobject]@{ Field = $set['field']; Text = $set['rule'] } }
            continue
        }
        $members = @($set['all_or_none'] | Where-Object -FilterScript { $SecretsKnown -or (Get-FieldRule -Name $_)['secret'] -ne $true })
        $with = if ($set.Contains('with')) { @($set['with']) } else { @() }
        $present = @(@($members) + $with | Where-Object -FilterScript { $Given -ccontains $_ })
        if ($present.Count -eq 0) { continue }
        foreach ($name in $members) {
            if ($Given -cnotcontains $name) { [pscustomobject]@{ Field = $name; Text = "is missing: $($set['rule'])" } }
        }
    }
    if ($null -ne $Dialect -and $Given -ccontains 'guest_domain_jointarget') {
        foreach ($name in $Dialect['required_with_domain']) {
            if ($Given -cnotcontains $name) { [pscustomobject]@{ Field = $name; Text = 'is needed: this guest skips a domain join without it in silence' } }
        }
    }
}

function Test-CreateField {
    <#
    .SYNOPSIS
        Judges all of a create's fields. Returns Fields (those that are used), Secrets, Refusals and Warnings.
    .DESCRIPTION
        Refusals have Field and Text, warnings Reason, Field and Text. A field that the family has no use for is dropped
        with a warning.
    .PARAMETER Secrets
        SecureStrings by name; $null where they are not needed any more and not judged.
    #>
    [CmdletBinding()]
    [OutputType([hashtable])]
    param(
        [Parameter(Mandatory = $true)] [System.Collections.IDictionary] $Fields,
        [AllowNull()] [hashtable] $Secrets,
        [Parameter(Mandatory = $true)] [ValidateSet('linux', 'windows')] [string] $Family,
        [AllowNull()] [System.Collections.IDictionary] $Dialect
    )

    $refusals = New-Object -TypeName 'System.Collections.Generic.List[object]'
    $warnings = New-Object -TypeName 'System.Collections.Generic.List[object]'
    $used = [ordered]@{}
    $kept = @{}
    foreach ($rule in (Get-Contract -Name fields)['fields']) {
        $name = $rule['name']
        $isSecret = $rule['secret'] -eq $true
        $value = if ($isSecret) { if ($null -ne $Secrets) { $Secrets[$name] } else { $null } } else { $Fields[$name] }
        if ($null -eq $value) {
            if ($rule['create'] -ceq 'required' -and -not ($isSecret -and $null -eq $Secrets)) {
                $refusals.Add([pscustomobject]@{ Field = $name; Text = "is needed to create a VM: $($rule['rule'])" })
            }
            continue
        }
        if ($rule.Contains('families') -and $rule['families'] -cnotcontains $Family) {
            $title = $Family.Substring(0, 1).ToUpperInvariant() + $Family.Substring(1)
            $warnings.Add([pscustomobject]@{ Reason = 'FIELD_DROPPED'; Field = $name; Text = "is not used for a $title guest" })
            continue
        }
        $text = Get-FieldRefusal -Rule $rule -Value $value -Dialect $Dialect
        if ($text) { $refusals.Add([pscustomobject]@{ Field = $name; Text = $text }) }
        if ($isSecret) { $kept[$name] = $value } else { $used[$name] = $value }
    }
    $given = @(@($used.Keys) + @($kept.Keys))
    foreach ($refusal in @(Get-SetRefusal -Given $given -SecretsKnown ($null -ne $Secrets) -Dialect $Dialect)) { $refusals.Add($refusal) }
    if ($null -ne $Dialect -and $Dialect['warn_static_without_dns'] -and $given -ccontains 'guest_v4_ipaddr' -and $given -cnotcontains 'guest_v4_dns2') {
        $warnings.Add([pscustomobject]@{ Reason = 'STATIC_WITHOUT_DNS'; Field = 'guest_v4_dns1'; Text = $Dialect['warn_static_without_dns'] })
    }
    if ($Family -eq 'linux' -and $given -cnotcontains 'guest_v4_ipaddr' -and $given -ccontains 'guest_v4_dns1') {
        $warnings.Add([pscustomobject]@{ Reason = 'DNS_WITHOUT_STATIC'; Field = 'guest_v4_dns1'; Text = 'this guest applies DNS servers only with a static address' })
    }
    $used['os_family'] = $Family
    return @{ Fields = $used; Secrets = $kept; Refusals = $refusals.ToArray(); Warnings = $warnings.ToArray() }
}

Export-ModuleMember -Function 'Get-OsFamily', 'Get-Dialect', 'ConvertTo-TypedField', 'Get-FieldRefusal', 'Test-CreateField'
