<#
.SYNOPSIS
    What scripts and agent have agreed on: the files of the folder contracts, and the scripts' own version.
#>
Set-StrictMode -Version 3.0
$ErrorActionPreference = 'Stop'
Import-Module -Name (Join-Path -Path $PSScriptRoot -ChildPath 'AetherV.Json.psm1')

$script:Contracts = @{}

function Get-Contract {
    <#
    .SYNOPSIS
        Returns a contract file's content: dialects, errors, fields or records. It is read once; change nothing in it.
    #>
    [CmdletBinding()]
    [OutputType([System.Collections.IDictionary])]
    param([Parameter(Mandatory = $true)] [ValidateSet('dialects', 'errors', 'fields', 'records')] [string] $Name)

    if (-not $script:Contracts.ContainsKey($Name)) {
        $folder = Join-Path -Path $PSScriptRoot -ChildPath 'contracts'
        $file = $ExecutionContext.SessionState.Path.GetUnresolvedProviderPathFromPSPath((Join-Path -Path $folder -ChildPath "$Name.json"))
        $script:Contracts[$Name] = ConvertFrom-JsonText -Text ([System.IO.File]::ReadAllText($file))
    }
    return $script:Contracts[$Name]
}

function Get-ScriptsVersion {
    <#
    .SYNOPSIS
        Returns the version of these scripts, such as 0.1.0. It is never published to a guest.
    #>
    [CmdletBinding()]
    [OutputType([string])]
    param()

    $file = $ExecutionContext.SessionState.Path.GetUnresolvedProviderPathFromPSPath((Join-Path -Path $PSScriptRoot -ChildPath 'version'))
    return [System.IO.File]::ReadAllText($file).Trim()
}

function Get-FieldRule {
    <#
    .SYNOPSIS
        Returns the rule of one field, or nothing for a name that is no field.
    #>
    [CmdletBinding()]
    [OutputType([System.Collections.IDictionary])]
    param([Parameter(Mandatory = $true)] [string] $Name)

    foreach ($rule in (Get-Contract -Name fields)['fields']) {
        if ($rule['name'] -ceq $Name) { return $rule }
    }
}

Export-ModuleMember -Function 'Get-Contract', 'Get-ScriptsVersion', 'Get-FieldRule'
