<#
.SYNOPSIS
    Everything that the host scripts use: imports the modules beside it and gives their functions on.
#>
Set-StrictMode -Version 3.0
$ErrorActionPreference = 'Stop'
foreach ($name in 'Json', 'Yaml', 'Contract', 'Records', 'Document', 'Fields', 'Paths', 'Journal', 'Crypto', 'HyperV', 'Kvp', 'Mark',
    'Inventory', 'Places', 'Secrets', 'Job', 'Vm', 'Copy', 'Exchange', 'Undo') {
    Import-Module -Name (Join-Path -Path $PSScriptRoot -ChildPath "AetherV.$name.psm1")
}

Export-ModuleMember -Function '*-*'
