<#
.SYNOPSIS
    The host's side of the exchange with a guest, in its order: wait for the key, publish, follow to the end state, verify.
#>
Set-StrictMode -Version 3.0
$ErrorActionPreference = 'Stop'
foreach ($name in 'Contract', 'Records', 'Document', 'Fields', 'HyperV', 'Kvp', 'Crypto', 'Job', 'Vm') {
    Import-Module -Name (Join-Path -Path $PSScriptRoot -ChildPath "AetherV.$name.psm1")
}

$script:RepeatSeconds = 30
$script:ReadySeconds = 300
$script:AppliedSeconds = 1800
$script:VerifySeconds = 120
$script:KeyTries = 3
$script:Waiting = 'waitingforpublickey'
$script:Published = 'provisioningdatapublished'

function Get-GuestState {
    <#
    .SYNOPSIS
        Returns what the guest said of its state in items that were read, or empty.
    #>
    [CmdletBinding()]
    [OutputType([string])]
    param([AllowNull()] [System.Collections.IDictionary] $Items)

    $name = Get-KvpName -Item GuestState
    if ($null -eq $Items -or -not $Items.ContainsKey($name)) { return '' }
    return ([string] $Items[$name]).Trim()
}

function Write-GuestSeen {
    <#
    .SYNOPSIS
        Keeps what the guest said, in the journal and in the VM's mark: after the job nobody reads the guest's state again.
    #>
    [CmdletBinding()]
    param([Parameter(Mandatory = $true)] [hashtable] $Job, [string] $VmId, [string] $State, [AllowEmptyString()] [string] $Message = '')

    if ($null -eq $Job.Journal) { return }
    $guest = if ($null -ne $Job.Journal['guest']) { $Job.Journal['guest'] } else { [ordered]@{} }
    $guest['state'] = $State
    $guest['message'] = $Message
    Save-Job -Job $Job -Values @{ guest = $guest }
    Set-VmMark -VmId $VmId -Changes ([ordered]@{ guest_state = $State; guest_message = $Message })
}

function New-GuestFailure {
    <#
    .SYNOPSIS
        Returns GUEST_FAILED with the guest's own text, and keeps both.
    #>
    [CmdletBinding(SupportsShouldProcess = $true)]
    [OutputType([System.Management.Automation.ErrorRecord])]
    param([Parameter(Mandatory = $true)] [hashtable] $Job, [string] $VmId, [string] $Name, [System.Collections.IDictionary] $Items)

    if (-not $PSCmdlet.ShouldProcess($Name)) { return }
    $key = Get-KvpName -Item GuestError
    $text = if ($Items.ContainsKey($key) -and $Items[$key]) { [string] $Items[$key] } else { 'error:unknown' }
    Write-GuestSeen -Job $Job -VmId $VmId -State 'failed' -Message $text
    $said = $text
    if ($text -eq 'error applying:modules') { $said = "$text (on Windows this is a static address that failed, or two adapters that are up)" }
    return New-JobError -Id 'GUEST_FAILED' -GuestState 'failed' -GuestMessage $text -Message "The guest of '$Name' reported that its provisioning failed: $said"
}

function Assert-GuestNotRestarted {
    <#
    .SYNOPSIS
        Throws GUEST_RESTARTED where the VM's uptime fell since the guest asked for its data: it never resumes.
    .PARAMETER Uptime
        The VM's uptime in milliseconds, read before the guest's items were; else it is read now.
    #>
    [CmdletBinding()]
    param([Parameter(Mandatory = $true)] [hashtable] $Job, [string] $VmId, [string] $Name, [long] $Uptime = -1)

    if ($null -eq $Job.Journal -or $null -eq $Job.Journal['guest'] -or $null -eq $Job.Journal['guest']['uptime_ms']) { return }
    if ($Uptime -lt 0) { $Uptime = Get-VmOnTime -Id $VmId }
    if ($null -eq (Get-VmSystem -Id $VmId)) { throw (New-JobError -Id 'VM_NOT_FOUND' -Message "The VM of '$Name' is gone.") }
    if ($Uptime -lt [long] $Job.Journal['guest']['uptime_ms']) {
        throw (New-JobError -Id 'GUEST_RESTARTED' -GuestState 'ready' -Message "The guest of '$Name' restarted between asking for its data and applying it.")
    }
    $Job.Journal['guest']['uptime_ms'] = $Uptime
}

function Wait-GuestKey {
    <#
    .SYNOPSIS
        Repeats version and state until the guest has published its key and waits for data. Returns the key's text.
    .DESCRIPTION
        A state of an earlier life may stand in the guest's items: an end state counts only if the items changed since this
        VM's first successful read.
    #>
    [CmdletBinding()]
    [OutputType([string])]
    param([Parameter(Mandatory = $true)] [hashtable] $Job, [string] $VmId, [string] $Name, [AllowEmptyString()] [string] $Version, [double] $Seconds = $script:ReadySeconds)

    $seen = @{ First = ''; Read = $false; Key = ''; State = ''; Error = ''; Told = [System.Diagnostics.Stopwatch]::StartNew() }
    $ready = Wait-JobCondition -Job $Job -Seconds $Seconds -Look {
        $items = Get-GuestKvp -VmId $VmId
        if ($null -ne $items) {
            $print = [string]::Join("`n", @($items.Keys | ForEach-Object -Process { "$_=$($items[$_])" }))
            if (-not $seen.Read) { $seen.Read = $true; $seen.First = $print }
            $state = Get-GuestState -Items $items
            $seen.State = $state
            $seen.Error = [string] $(if ($items.ContainsKey((Get-KvpName -Item GuestError))) { $items[(Get-KvpName -Item GuestError)] })
            if ($state -eq 'waitingforaeskey' -and $items.ContainsKey((Get-KvpName -Item PublicKey))) {
                $seen.Key = [string] $items[(Get-KvpName -Item PublicKey)]
                return $true
            }
            if ($state -eq 'provisioningfailed' -and $print -cne $seen.First) { throw (New-GuestFailure -Job $Job -VmId $VmId -Name $Name -Items $items) }
        }
        elseif ($null -eq (Get-VmSystem -Id $VmId)) { throw (New-JobError -Id 'VM_NOT_FOUND' -Message "The VM of '$Name' is gone.") }
        if ($Version -and $seen.Told.Elapsed.TotalSeconds -ge $script:RepeatSeconds) {
            $seen.Told.Restart()
            Set-KvpItem -VmId $VmId -Items @{ (Get-KvpName -Item Version) = $Version }
            Set-KvpItem -VmId $VmId -Items @{ (Get-KvpName -Item HostState) = $script:Waiting }
        }
        return $false
    }
    if (-not $ready) {
        $stale = if ($seen.State) { " Its items say $($seen.State) '$($seen.Error)' since it started." } else { '' }
        throw (New-JobError -Id 'GUEST_NOT_READY' -GuestState 'starting' -Message (
                "The guest of '$Name' did not ask for its data within $Seconds s. Usual causes: no KVP daemon in the image," +
                " no bootstrapper for the ISO, or an image captured from a VM that was provisioned already.$stale"))
    }
    if ($null -ne $Job.Journal) {
        Save-Job -Job $Job -Values @{ guest = [ordered]@{ uptime_ms = (Get-VmOnTime -Id $VmId) } }
        Write-GuestSeen -Job $Job -VmId $VmId -State 'ready'
    }
    return $seen.Key
}

function Get-GuestKey {
    <#
    .SYNOPSIS
        Returns the guest's key as it is now; items that can't be read, or a key that is not there, are "not yet".
    #>
    [CmdletBinding()]
    [OutputType([string])]
    param([Parameter(Mandatory = $true)] [hashtable] $Job, [string] $VmId, [string] $Name, [double] $Seconds = $script:ReadySeconds)

    $seen = @{ Key = '' }
    $there = Wait-JobCondition -Job $Job -Seconds $Seconds -Look {
        $items = Get-GuestKvp -VmId $VmId
        if ($null -eq $items) { return $false }
        if ($items.ContainsKey((Get-KvpName -Item PublicKey))) { $seen.Key = [string] $items[(Get-KvpName -Item PublicKey)]; return $true }
        Assert-GuestNotRestarted -Job $Job -VmId $VmId -Name $Name
        return $false
    }
    if (-not $there) { throw (New-JobError -Id 'GUEST_NOT_READY' -GuestState 'starting' -Message "The guest of '$Name' shows no key any more.") }
    return $seen.Key
}

function Publish-GuestData {
    <#
    .SYNOPSIS
        Publishes checksum, wrapped key and every value for the guest's key, reads back and waits until it is delivered.
    .PARAMETER Values
        Text or SecureString by KVP name without hlvmm.data.
    .PARAMETER Dialect
        The guest's dialect: says how long values reach it, and the settle time.
    #>
    [CmdletBinding()]
    param(
        [Parameter(Mandatory = $true)] [hashtable] $Job, [string] $VmId, [string] $Name,
        [Parameter(Mandatory = $true)] [System.Collections.IDictionary] $Values,
        [Parameter(Mandatory = $true)] [System.Collections.IDictionary] $Dialect
    )

    $settle = Get-DocumentSeconds -Document $Job.Document -Name 'settle_seconds' -Default ([double] $Dialect['settle_seconds'])
    $units = if ($Dialect.Contains('piece_units')) { [int] $Dialect['piece_units'] } else { 0 }
    $keyText = Get-GuestKey -Job $Job -VmId $VmId -Name $Name
    for ($try = 1; $try -le $script:KeyTries; $try++) {
        # An old item, or an old piece behind the last one, would be read as data and the checksum would fail.
        Clear-KvpSecret -VmId $VmId
        $sealed = Protect-GuestData -Values $Values -Key (ConvertFrom-GuestKey -Text $keyText) -PieceUnits $units
        $items = [ordered]@{ (Get-KvpName -Item Checksum) = $sealed.Checksum; (Get-KvpName -Item AesKey) = $sealed.WrappedKey }
        foreach ($item in @($sealed.Items.Keys)) { $items[$item] = $sealed.Items[$item] }
        Set-KvpItem -VmId $VmId -Items $items
        $there = Get-HostKvp -VmId $VmId
        foreach ($item in @($items.Keys)) {
            if (-not $there.ContainsKey($item) -or $there[$item] -cne $items[$item]) { throw (New-JobError -Id 'KVP_FAILED' -Message 'Items that were written can''t be read back.') }
        }
        [void] (Wait-JobCondition -Job $Job -Seconds $settle -Look { Assert-GuestNotRestarted -Job $Job -VmId $VmId -Name $Name; $false })
        $again = Get-GuestKvp -VmId $VmId
        $now = if ($null -ne $again -and $again.ContainsKey((Get-KvpName -Item PublicKey))) { [string] $again[(Get-KvpName -Item PublicKey)] } else { $keyText }
        if ($now -ceq $keyText) { return }
        $keyText = $now
    }
    throw (New-JobError -Id 'GUEST_KEY_INVALID' -Message 'The guest changes its key again and again.')
}

function Publish-LastState {
    <#
    .SYNOPSIS
        Writes provisioningdatapublished, unless it stands there: from here on the guest may read.
    #>
    [CmdletBinding()]
    param([string] $VmId)

    $name = Get-KvpName -Item HostState
    $there = Get-HostKvp -VmId $VmId
    if ($there.ContainsKey($name) -and $there[$name] -ceq $script:Published) { return }
    Set-KvpItem -VmId $VmId -Items @{ $name = $script:Published }
}

function Wait-GuestApplied {
    <#
    .SYNOPSIS
        Follows the guest to its end state, and takes back what was published as soon as it has it.
    #>
    [CmdletBinding()]
    param([Parameter(Mandatory = $true)] [hashtable] $Job, [string] $VmId, [string] $Name, [double] $Seconds = $script:AppliedSeconds)

    $applied = Wait-JobCondition -Job $Job -Seconds $Seconds -Look {
        # Uptime before items: a guest that applies and restarts in between must not look as if it had lost its data.
        $uptime = Get-VmOnTime -Id $VmId
        $items = Get-GuestKvp -VmId $VmId
        $state = Get-GuestState -Items $items
        $guest = $Job.Journal['guest']
        if ($state -eq 'waitingforaeskey' -or ($state -eq '' -and $null -ne $items -and $items.Count -gt 0)) {
            if ($guest['applying'] -ne $true) { Assert-GuestNotRestarted -Job $Job -VmId $VmId -Name $Name -Uptime $uptime }
        }
        elseif ($null -eq $items) {
            if ($null -eq (Get-VmSystem -Id $VmId)) { throw (New-JobError -Id 'VM_NOT_FOUND' -Message "The VM of '$Name' is gone.") }
        }
        elseif ($state -eq 'applying' -and $guest['applying'] -ne $true) {
            Clear-KvpSecret -VmId $VmId
            $guest['applying'] = $true
            Write-GuestSeen -Job $Job -VmId $VmId -State 'applying'
            Write-StepProgress -Job $Job -Name 'wait_applied' -Message 'the guest applies its data'
        }
        elseif ($state -eq 'provisioningfailed') {
            Clear-KvpSecret -VmId $VmId
            throw (New-GuestFailure -Job $Job -VmId $VmId -Name $Name -Items $items)
        }
        elseif ($state -eq 'provisioningapplied') {
            Clear-KvpSecret -VmId $VmId
            Write-GuestSeen -Job $Job -VmId $VmId -State 'applied'
            return $true
        }
        return $false
    }
    if (-not $applied) {
        $seen = [string] $Job.Journal['guest']['state']
        throw (New-JobError -Id 'GUEST_NOT_APPLIED' -GuestState $seen -Message "The guest of '$Name' reported no end within $Seconds s; its last state is $seen.")
    }
}

function Get-GuestDifference {
    <#
    .SYNOPSIS
        Returns texts of what the guest reports that differs from what was asked for; nothing where all fits.
    #>
    [CmdletBinding()]
    [OutputType([string[]])]
    param([string] $VmId, [System.Collections.IDictionary] $Fields)

    $said = Get-GuestKvp -VmId $VmId -Intrinsic
    if ($null -eq $said) { return 'the guest reports nothing' }
    $full = if ($said.ContainsKey('FullyQualifiedDomainName')) { ([string] $said['FullyQualifiedDomainName']).Trim() } else { '' }
    $name, $domain = $full.Split([char[]] '.', 2)
    if ($name -ne [string] $Fields['vm_name']) { "its host name is '$name', not '$($Fields['vm_name'])'" }
    $wanted = [string] $Fields['guest_domain_jointarget']
    if ($wanted -and [string] $domain -ne $wanted) {
        if ($domain) { "it is in the domain '$domain', not '$wanted'" } else { "it did not join '$wanted'" }
    }
    $addresses = @(if ($said.ContainsKey('NetworkAddressIPv4')) { ([string] $said['NetworkAddressIPv4']).Split(';') | Where-Object -FilterScript { $_ } })
    $address = [string] $Fields['guest_v4_ipaddr']
    if ($address -and $addresses -notcontains $address) {
        $has = if ($addresses.Count -gt 0) { [string]::Join(', ', $addresses) } else { 'none' }
        "it has the address $has, not $address"
    }
}

function Test-GuestResult {
    <#
    .SYNOPSIS
        Compares from the host what the guest became with what was asked for. A difference is a warning, no failure.
    #>
    [CmdletBinding()]
    param([Parameter(Mandatory = $true)] [hashtable] $Job, [string] $VmId, [double] $Seconds = $script:VerifySeconds)

    $seen = @{ Differences = @() }
    $verified = Wait-JobCondition -Job $Job -Seconds $Seconds -Look {
        $seen.Differences = @(Get-GuestDifference -VmId $VmId -Fields $Job.Fields)
        return $seen.Differences.Count -eq 0
    }
    $text = [string]::Join('; ', [string[]] @($seen.Differences))
    if ($verified) { $text = '' }
    Save-Job -Job $Job -Values @{ verified = $verified; verify_message = $text }
    $changes = [ordered]@{ verified = $verified }
    if ($text) { $changes['guest_message'] = $text }
    Set-VmMark -VmId $VmId -Changes $changes
    if ($text) { Write-JobLog -Writer $Job.Writer -Level warning -Reason 'NOT_VERIFIED' -Message "The guest applied its data, but $text." }
}

Export-ModuleMember -Function '*-*'
