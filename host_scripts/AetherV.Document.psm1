<#
.SYNOPSIS
    Reads the document that a job script is given: JSON, or YAML. Looks at nothing of the host.
#>
Set-StrictMode -Version 3.0
$ErrorActionPreference = 'Stop'
foreach ($name in 'Json', 'Yaml', 'Contract', 'Records') {
    Import-Module -Name (Join-Path -Path $PSScriptRoot -ChildPath "AetherV.$name.psm1")
}

$script:MaxBytes = 262144
$script:HostDefaults = @{
    install_directory = 'C:\Program Files\Aether-V'
    jobs_directory    = 'C:\ProgramData\Aether-V\jobs'
    vm_path           = ''
    default_switch    = ''
    copies            = [long] 2
}

function Read-StandardInput {
    <#
    .SYNOPSIS
        Returns the text on the process's standard input as UTF-8; empty where there is none to read.
    .DESCRIPTION
        In a remote session standard input is the protocol's own and is left alone.
    #>
    [CmdletBinding()]
    [OutputType([string])]
    param()

    if ($Host.Name -eq 'ServerRemoteHost' -or -not [Console]::IsInputRedirected) { return '' }
    $reader = New-Object -TypeName System.IO.StreamReader -ArgumentList @(
        [Console]::OpenStandardInput(), (New-Object -TypeName System.Text.UTF8Encoding -ArgumentList $false))
    $buffer = New-Object -TypeName 'char[]' -ArgumentList ($script:MaxBytes + 1)
    $length = $reader.ReadBlock($buffer, 0, $buffer.Length)
    return New-Object -TypeName string -ArgumentList @($buffer, 0, $length)
}

function ConvertFrom-DocumentText {
    <#
    .SYNOPSIS
        Returns a document's mapping; throws DOCUMENT_INVALID, which never quotes the document.
    #>
    [CmdletBinding()]
    [OutputType([System.Collections.IDictionary])]
    param([Parameter(Mandatory = $true)] [AllowEmptyString()] [string] $Text)

    if ([System.Text.Encoding]::UTF8.GetByteCount($Text) -gt $script:MaxBytes) {
        throw (New-JobError -Id 'DOCUMENT_INVALID' -Message "The document is longer than $($script:MaxBytes) bytes.")
    }
    $plain = $Text.TrimStart([char] 0xfeff)
    $raw = $null
    try { $raw = ConvertFrom-JsonText -Text $plain }
    catch [FormatException] {
        try { $raw = ConvertFrom-YamlText -Text $plain }
        catch [FormatException] {
            throw (New-JobError -Id 'DOCUMENT_INVALID' -Message "The document is neither JSON nor YAML that can be read here ($($_.Exception.Message)).")
        }
    }
    if ($raw -isnot [System.Collections.IDictionary] -or $raw.Count -eq 0) {
        throw (New-JobError -Id 'DOCUMENT_INVALID' -Message 'The document is no mapping.')
    }
    return $raw
}

function Get-DocumentPart {
    <#
    .SYNOPSIS
        Returns a mapping of the document; an empty one where it is optional and missing.
    #>
    [CmdletBinding()]
    [OutputType([System.Collections.IDictionary])]
    param([System.Collections.IDictionary] $Raw, [string] $Name, [switch] $Optional)

    $part = $Raw[$Name]
    if ($null -eq $part -and $Optional) { return [ordered]@{} }
    if ($part -isnot [System.Collections.IDictionary]) {
        throw (New-JobError -Id 'DOCUMENT_INVALID' -Message "The document's $Name is missing or no mapping.")
    }
    return $part
}

function ConvertTo-HostSetting {
    <#
    .SYNOPSIS
        Returns the host part with the field's defaults where a setting is missing.
    #>
    [CmdletBinding()]
    [OutputType([hashtable])]
    param([System.Collections.IDictionary] $Raw)

    $settings = @{}
    foreach ($name in $script:HostDefaults.Keys) {
        $value = $Raw[$name]
        if ($null -eq $value -or $value -ceq '') { $value = $script:HostDefaults[$name] }
        $wanted = $script:HostDefaults[$name].GetType()
        if ($value -isnot $wanted) {
            throw (New-JobError -Id 'DOCUMENT_INVALID' -Message "The document's host.$name must be a $($wanted.Name).")
        }
        $settings[$name] = $value
    }
    $paths = $Raw['image_paths']
    $settings['image_paths'] = if ($null -eq $paths) { @('C:\ClusterStorage\*\DiskImages') } else { @($paths | ForEach-Object -Process { [string] $_ }) }
    $templates = @{ linux = 'MicrosoftUEFICertificateAuthority'; windows = 'MicrosoftWindows' }
    foreach ($name in 'secure_boot_template', 'iso_paths', 'guest_version') {
        $given = Get-DocumentPart -Raw $Raw -Name $name -Optional
        $settings[$name] = @{}
        foreach ($family in 'linux', 'windows') {
            $value = [string] $given[$family]
            if (-not $value -and $name -eq 'secure_boot_template') { $value = $templates[$family] }
            $settings[$name][$family] = $value
        }
    }
    return $settings
}

function ConvertTo-JobDocument {
    <#
    .SYNOPSIS
        Returns a job's document, judged: Kind, JobId, Cancel, OnFailure, Timeouts, Host, Own (fields, or vm).
    .PARAMETER Kind
        create, delete or inventory, as in contracts\records.json.
    #>
    [CmdletBinding()]
    [OutputType([hashtable])]
    param(
        [Parameter(Mandatory = $true)] [ValidateSet('create', 'delete', 'inventory')] [string] $Kind,
        [Parameter(Mandatory = $true)] [AllowEmptyString()] [string] $Text
    )

    $raw = ConvertFrom-DocumentText -Text $Text
    $schema = Get-DocumentPart -Raw $raw -Name 'schema'
    $wanted = (Get-Contract -Name records)['scripts'][$Kind]['schema']
    if ($schema['id'] -cne $wanted -or $schema['version'] -ne 1) {
        throw (New-JobError -Id 'DOCUMENT_INVALID' -Message "The document's schema must be $wanted, version 1.")
    }
    $version = Get-ScriptsVersion
    $named = if ($raw['scripts_version']) { [string] $raw['scripts_version'] } else { $version }
    if ($named -cne $version) {
        throw (New-JobError -Id 'SCRIPTS_MISMATCH' -Message "The document is for scripts $named; these are $version.")
    }
    $jobId = [string] $raw['job_id']
    if ($Kind -ne 'inventory') {
        if (-not $jobId) { $jobId = [guid]::NewGuid().ToString() }
        if ($jobId -cnotmatch '^[A-Za-z0-9][A-Za-z0-9-]{0,63}\z') {
            throw (New-JobError -Id 'DOCUMENT_INVALID' -Message 'job_id must be 1 to 64 letters, digits and hyphens.')
        }
    }
    $policy = if ($raw['on_failure']) { [string] $raw['on_failure'] } else { 'rollback' }
    if ('rollback', 'keep', 'keep_after_publish' -cnotcontains $policy) {
        throw (New-JobError -Id 'DOCUMENT_INVALID' -Message 'on_failure must be one of rollback, keep, keep_after_publish.')
    }
    $timeouts = Get-DocumentPart -Raw $raw -Name 'timeouts' -Optional
    foreach ($value in @($timeouts.Values)) {
        if (($value -isnot [long] -and $value -isnot [double]) -or $value -lt 0) {
            throw (New-JobError -Id 'DOCUMENT_INVALID' -Message 'timeouts must be seconds, 0 or more.')
        }
    }
    $part = @{ create = 'fields'; delete = 'vm'; inventory = 'vms' }[$Kind]
    return @{
        Kind      = $Kind
        JobId     = $jobId
        Cancel    = $raw['cancel'] -eq $true
        OnFailure = $policy
        Timeouts  = $timeouts
        Host      = ConvertTo-HostSetting -Raw (Get-DocumentPart -Raw $raw -Name 'host' -Optional)
        Own       = Get-DocumentPart -Raw $raw -Name $part -Optional:($Kind -eq 'inventory')
    }
}

function Get-DocumentSeconds {
    <#
    .SYNOPSIS
        Returns one of a document's time-outs in seconds, or the default.
    #>
    [CmdletBinding()]
    [OutputType([double])]
    param([hashtable] $Document, [string] $Name, [double] $Default)

    if ($null -eq $Document.Timeouts[$Name]) { return $Default }
    return [double] $Document.Timeouts[$Name]
}

function ConvertTo-SecretTable {
    <#
    .SYNOPSIS
        Returns a job's secrets by field name as SecureString: those handed over, else those that stand in the fields.
    .DESCRIPTION
        Secrets in the fields are taken out of them: nothing else of the job ever sees them as text.
    #>
    [CmdletBinding()]
    [OutputType([hashtable])]
    param([System.Collections.IDictionary] $Fields, [AllowNull()] [hashtable] $Handed)

    $secrets = @{}
    foreach ($rule in (Get-Contract -Name fields)['fields']) {
        if ($rule['secret'] -ne $true) { continue }
        $name = $rule['name']
        if ($Fields.Contains($name)) {
            if ($Fields[$name] -is [string] -and $Fields[$name].Length -gt 0) {
                $secret = New-Object -TypeName System.Security.SecureString
                foreach ($character in $Fields[$name].ToCharArray()) { $secret.AppendChar($character) }
                $secrets[$name] = $secret
            }
            $Fields.Remove($name)
        }
        $given = if ($null -ne $Handed) { $Handed[$name] } else { $null }
        if ($null -ne $given) {
            if ($given -isnot [System.Security.SecureString]) {
                throw (New-JobError -Id 'FIELD_INVALID' -Message "$name of -Secrets must be a SecureString." -Field $name)
            }
            if ($given.Length -gt 0) { $secrets[$name] = $given }
        }
    }
    return $secrets
}

Export-ModuleMember -Function 'Read-StandardInput', 'ConvertTo-JobDocument', 'Get-DocumentSeconds', 'ConvertTo-SecretTable', 'ConvertFrom-DocumentText'
