<#
.SYNOPSIS
    Hyper-V's data exchange with one VM: items of the host are added, modified and removed, those of the guest are read.
.DESCRIPTION
    A call fails as a whole: Add if any item exists (32773), Modify and Remove if any is absent. Items can't be read while
    the VM is off. What stands in the host's configuration proves nothing about delivery.
#>
Set-StrictMode -Version 3.0
$ErrorActionPreference = 'Stop'
foreach ($name in 'Records', 'HyperV') {
    Import-Module -Name (Join-Path -Path $PSScriptRoot -ChildPath "AetherV.$name.psm1")
}

$script:Namespace = 'root\virtualization\v2'
$script:Exists = 32773
$script:CallItems = 128
$script:Tries = 4
$script:Names = @{
    Version    = 'hlvmm.meta.version'
    HostState  = 'hlvmm.meta.host_provisioning_system_state'
    PublicKey  = 'hlvmm.meta.guest_provisioning_public_key'
    GuestState = 'hlvmm.meta.guest_provisioning_system_state'
    GuestError = 'hlvmm.meta.guest_provisioning_error'
    AesKey     = 'hlvmm.meta.shared_aes_key'
    Checksum   = 'hlvmm.meta.provisioning_system_checksum'
    Data       = 'hlvmm.data.'
}

function Get-KvpName {
    <#
    .SYNOPSIS
        Returns the protocol's name of an item: Version, HostState, PublicKey, GuestState, GuestError, AesKey, Checksum, Data.
    #>
    [CmdletBinding()]
    [OutputType([string])]
    param([Parameter(Mandatory = $true)] [ValidateSet('Version', 'HostState', 'PublicKey', 'GuestState', 'GuestError', 'AesKey', 'Checksum', 'Data')] [string] $Item)

    return [string] $script:Names[$Item]
}

function ConvertTo-KvpItemXml {
    <#
    .SYNOPSIS
        Returns the CIM-XML of an Msvm_KvpExchangeDataItem with everything escaped. A character that XML has not is refused.
    #>
    [CmdletBinding()]
    [OutputType([string])]
    param([Parameter(Mandatory = $true)] [string] $Name, [Parameter(Mandatory = $true)] [AllowEmptyString()] [string] $Data)

    foreach ($text in $Name, $Data) {
        if ([regex]::IsMatch($text, '[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]')) {
            throw (New-JobError -Id 'KVP_FAILED' -Message 'An item holds a control character and can''t be published.')
        }
    }
    $escape = {
        param($text)
        [System.Security.SecurityElement]::Escape($text).Replace("`r", '&#13;').Replace("`n", '&#10;').Replace("`t", '&#9;')
    }
    return '<INSTANCE CLASSNAME="Msvm_KvpExchangeDataItem">' +
    '<PROPERTY NAME="Name" TYPE="string"><VALUE>' + (& $escape $Name) + '</VALUE></PROPERTY>' +
    '<PROPERTY NAME="Data" TYPE="string"><VALUE>' + (& $escape $Data) + '</VALUE></PROPERTY>' +
    '<PROPERTY NAME="Source" TYPE="uint16"><VALUE>0</VALUE></PROPERTY></INSTANCE>'
}

function ConvertFrom-KvpItemXml {
    <#
    .SYNOPSIS
        Returns items by name from CIM-XML texts; of two with one name the last counts. A text that is none is left out.
    #>
    [CmdletBinding()]
    [OutputType([System.Collections.IDictionary])]
    param([AllowNull()] [AllowEmptyCollection()] [object[]] $Items)

    $found = New-Object -TypeName 'System.Collections.Generic.Dictionary[string,string]' -ArgumentList ([StringComparer]::Ordinal)
    foreach ($text in @($Items)) {
        if (-not $text) { continue }
        $settings = New-Object -TypeName System.Xml.XmlReaderSettings
        $settings.DtdProcessing = [System.Xml.DtdProcessing]::Prohibit
        $settings.XmlResolver = $null
        $document = New-Object -TypeName System.Xml.XmlDocument
        $document.PreserveWhitespace = $true
        $document.XmlResolver = $null
        try {
            $reader = [System.Xml.XmlReader]::Create((New-Object -TypeName System.IO.StringReader -ArgumentList ([string] $text)), $settings)
            try { $document.Load($reader) } finally { $reader.Dispose() }
        }
        catch { continue }  # one broken text must not hide the others
        $name = $null
        $data = ''
        foreach ($property in $document.DocumentElement.GetElementsByTagName('PROPERTY')) {
            $values = @($property.GetElementsByTagName('VALUE'))
            $value = if ($values.Count -gt 0) { $values[0].InnerText } else { '' }
            if ($property.GetAttribute('NAME') -ceq 'Name') { $name = $value }
            elseif ($property.GetAttribute('NAME') -ceq 'Data') { $data = $value }
        }
        if ($name) { $found[$name] = $data }
    }
    return $found
}

function Get-HostKvp {
    <#
    .SYNOPSIS
        Returns the items that the host configured for a VM. Empty while the VM is off, whatever stands there.
    #>
    [CmdletBinding()]
    [OutputType([System.Collections.IDictionary])]
    param([Parameter(Mandatory = $true)] [string] $VmId)

    $settings = @(Get-CimInstance -Namespace $script:Namespace -ClassName 'Msvm_KvpExchangeComponentSettingData' -Filter "InstanceID LIKE 'Microsoft:$($VmId.ToUpperInvariant())%'")
    if ($settings.Count -eq 0) { return ConvertFrom-KvpItemXml -Items @() }
    return ConvertFrom-KvpItemXml -Items @($settings[0].HostExchangeItems)
}

function Get-GuestKvp {
    <#
    .SYNOPSIS
        Returns what the guest wrote, or nothing while it can't be read: that is "not yet", never a failure.
    .PARAMETER Intrinsic
        What the guest's integration service says of its system instead.
    #>
    [CmdletBinding()]
    [OutputType([System.Collections.IDictionary])]
    param([Parameter(Mandatory = $true)] [string] $VmId, [switch] $Intrinsic)

    try { $components = @(Get-CimInstance -Namespace $script:Namespace -ClassName 'Msvm_KvpExchangeComponent' -Filter "SystemName='$($VmId.ToUpperInvariant())'") }
    catch { return }
    if ($components.Count -eq 0) { return }
    $items = if ($Intrinsic) { $components[0].GuestIntrinsicExchangeItems } else { $components[0].GuestExchangeItems }
    if ($null -eq $items) { return }
    return ConvertFrom-KvpItemXml -Items @($items)
}

function Invoke-KvpCall {
    <#
    .SYNOPSIS
        Adds, modifies or removes items in calls of at most 128. Returns 0, or the first code that is no success.
    #>
    [CmdletBinding()]
    [OutputType([int])]
    param(
        [Parameter(Mandatory = $true)] [string] $VmId,
        [Parameter(Mandatory = $true)] [ValidateSet('AddKvpItems', 'ModifyKvpItems', 'RemoveKvpItems')] [string] $Method,
        [Parameter(Mandatory = $true)] [AllowEmptyCollection()] [System.Collections.IDictionary] $Items
    )

    $names = @($Items.Keys)
    for ($from = 0; $from -lt $names.Count; $from += $script:CallItems) {
        $part = @($names | Select-Object -Skip $from -First $script:CallItems)
        $texts = [string[]] @($part | ForEach-Object -Process { ConvertTo-KvpItemXml -Name $_ -Data ([string] $Items[$_]) })
        $system = Get-VmSystem -Id $VmId
        if ($null -eq $system) { throw (New-JobError -Id 'VM_NOT_FOUND' -Message "No VM has the id $VmId on this host any more.") }
        try { $code = Invoke-HostMethod -Method $Method -Arguments @{ TargetSystem = $system; DataItems = $texts } }
        catch { throw (ConvertTo-HyperVError -ErrorRecord $_ -Otherwise 'KVP_FAILED') }
        if ($code -ne 0) { return $code }
    }
    return 0
}

function Set-KvpBlind {
    <#
    .SYNOPSIS
        Writes one item of a VM whose items can't be read because it may be off: Add, and where it exists Modify.
    #>
    [CmdletBinding(SupportsShouldProcess = $true)]
    param([string] $VmId, [string] $Name, [string] $Value)

    if (-not $PSCmdlet.ShouldProcess($Name)) { return }
    $code = Invoke-KvpCall -VmId $VmId -Method 'AddKvpItems' -Items @{ $Name = $Value }
    if ($code -eq $script:Exists) { $code = Invoke-KvpCall -VmId $VmId -Method 'ModifyKvpItems' -Items @{ $Name = $Value } }
    if ($code -ne 0) { throw (New-JobError -Id 'KVP_FAILED' -Message "Hyper-V refused the item $Name ($code).") }
}

function Set-KvpItem {
    <#
    .SYNOPSIS
        Writes items of a running VM: read, split into Modify and Add, and read again where the split was wrong.
    #>
    [CmdletBinding(SupportsShouldProcess = $true)]
    param([Parameter(Mandatory = $true)] [string] $VmId, [Parameter(Mandatory = $true)] [System.Collections.IDictionary] $Items)

    if (-not $PSCmdlet.ShouldProcess($VmId)) { return }
    $code = 0
    for ($try = 1; $try -le $script:Tries; $try++) {
        $there = Get-HostKvp -VmId $VmId
        $changed = [ordered]@{}
        $new = [ordered]@{}
        foreach ($name in @($Items.Keys)) {
            if (-not $there.ContainsKey($name)) { $new[$name] = $Items[$name] }
            elseif ($there[$name] -cne [string] $Items[$name] -or $try -eq 1) { $changed[$name] = $Items[$name] }
        }
        $code = Invoke-KvpCall -VmId $VmId -Method 'ModifyKvpItems' -Items $changed
        if ($code -eq 0) { $code = Invoke-KvpCall -VmId $VmId -Method 'AddKvpItems' -Items $new }
        if ($code -eq 0) { return }
        if ($code -ne $script:Exists) { break }
        if ($there.Count -eq 0) {
            # Nothing could be read, so each item is told apart by trying.
            foreach ($name in @($new.Keys)) { Set-KvpBlind -VmId $VmId -Name $name -Value ([string] $new[$name]) }
            return
        }
    }
    throw (New-JobError -Id 'KVP_FAILED' -Message "Hyper-V refused an item ($code).")
}

function Clear-KvpSecret {
    <#
    .SYNOPSIS
        Removes every data item and the wrapped key from the host's configuration, as far as they can be read.
    #>
    [CmdletBinding(SupportsShouldProcess = $true)]
    param([Parameter(Mandatory = $true)] [string] $VmId)

    if (-not $PSCmdlet.ShouldProcess($VmId)) { return }
    $code = 0
    for ($try = 1; $try -le $script:Tries; $try++) {
        $doomed = [ordered]@{}
        foreach ($name in (Get-HostKvp -VmId $VmId).Keys) {
            if ($name.StartsWith($script:Names.Data, [StringComparison]::Ordinal) -or $name -ceq $script:Names.AesKey) { $doomed[$name] = '' }
        }
        $code = Invoke-KvpCall -VmId $VmId -Method 'RemoveKvpItems' -Items $doomed
        if ($code -eq 0) { return }
        if ($code -ne $script:Exists) { break }
    }
    throw (New-JobError -Id 'KVP_FAILED' -Message "Hyper-V refused to remove items ($code).")
}

Export-ModuleMember -Function 'Get-KvpName', 'ConvertTo-KvpItemXml', 'ConvertFrom-KvpItemXml', 'Get-HostKvp', 'Get-GuestKvp',
'Set-KvpBlind', 'Set-KvpItem', 'Clear-KvpSecret'
