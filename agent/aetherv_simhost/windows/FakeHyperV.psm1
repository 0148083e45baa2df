# Made by aetherv_simhost.windows.make_stubs: change the tables or runtime.ps1 instead.
# The part of FakeHyperV that is written by hand: the way to the model, and back into objects, warnings and errors.
Set-StrictMode -Version 3.0

$script:Wire = $null
$script:Json = [Text.Json.JsonSerializerOptions]::new()
$script:Shapes = @{}
$script:RecordId = [System.Management.Automation.ErrorRecord].GetField('_serializedFullyQualifiedErrorId', 'NonPublic,Instance')
$script:Common = [Collections.Generic.HashSet[string]]::new([string[]]('Verbose', 'Debug', 'ErrorAction', 'WarningAction',
        'InformationAction', 'ProgressAction', 'ErrorVariable', 'WarningVariable', 'InformationVariable', 'OutVariable', 'OutBuffer',
        'PipelineVariable', 'WhatIf', 'Confirm'), [StringComparer]::OrdinalIgnoreCase)

# --- real type names for enums and exceptions

$script:Assembly = [Reflection.Emit.AssemblyBuilder]::DefineDynamicAssembly([Reflection.AssemblyName]::new('FakeHyperV.Types'), 'Run')
$script:Types = $script:Assembly.DefineDynamicModule('FakeHyperV')
$script:Known = @{}

function Add-FakeEnum {
    param([string] $Name, [hashtable] $Values)
    $there = [AppDomain]::CurrentDomain.GetData("FakeHyperV.$Name")
    if ($null -eq $there) {
        $builder = $script:Types.DefineEnum($Name, 'Public', [int])
        foreach ($entry in $Values.GetEnumerator()) { $null = $builder.DefineLiteral($entry.Key, [int]$entry.Value) }
        $there = $builder.CreateType()
        [AppDomain]::CurrentDomain.SetData("FakeHyperV.$Name", $there)
    }
    $script:Known[$Name] = $there
}

function Get-FakeException {
    param([string] $Name)
    $there = $script:Known[$Name]
    if ($null -ne $there) { return $there }
    $there = [AppDomain]::CurrentDomain.GetData("FakeHyperV.$Name")
    if ($null -eq $there) { $there = $Name -as [type] }
    if ($null -eq $there) {
        $builder = $script:Types.DefineType($Name, 'Public', [Exception])
        $made = $builder.DefineConstructor('Public', 'Standard', [type[]]@([string]))
        $code = $made.GetILGenerator()
        $code.Emit([Reflection.Emit.OpCodes]::Ldarg_0)
        $code.Emit([Reflection.Emit.OpCodes]::Ldarg_1)
        $code.Emit([Reflection.Emit.OpCodes]::Call, [Exception].GetConstructor([type[]]@([string])))
        $code.Emit([Reflection.Emit.OpCodes]::Ret)
        $there = $builder.CreateType()
    }
    [AppDomain]::CurrentDomain.SetData("FakeHyperV.$Name", $there)
    $script:Known[$Name] = $there
    return $there
}

# The commands that the model does not do: defined when one of them is called first.
function Import-FakeRest {
    if (-not $script:Known.ContainsKey('rest')) {
        $script:Known['rest'] = $true
        . "$PSScriptRoot/FakeHyperV.Rest.ps1"
    }
}

# --- the wire

function Get-FakeWire {
    if ($null -ne $script:Wire) { return }
    if (-not $env:AETHERV_MODEL_SOCKET) { throw 'FakeHyperV: AETHERV_MODEL_SOCKET names no model' }
    $socket = [Net.Sockets.Socket]::new('Unix', 'Stream', 'Unspecified')
    $socket.Connect([Net.Sockets.UnixDomainSocketEndPoint]::new($env:AETHERV_MODEL_SOCKET))
    $stream = [Net.Sockets.NetworkStream]::new($socket, $true)
    $utf8 = [Text.UTF8Encoding]::new($false)
    $script:Wire = @{ Reader = [IO.StreamReader]::new($stream, $utf8); Writer = [IO.StreamWriter]::new($stream, $utf8) }
    $script:Wire.Writer.AutoFlush = $true
    $hello = [Collections.Generic.Dictionary[string, object]]::new()
    $hello['session'] = [string]$env:AETHERV_MODEL_SESSION
    $hello['process'] = [long]$PID
    $script:Wire.Writer.WriteLine([Text.Json.JsonSerializer]::Serialize($hello, $hello.GetType(), $script:Json))
}

function Send-FakeCall {
    param([string] $Command, [string] $Set, $Parameters)
    Get-FakeWire
    $call = [Collections.Generic.Dictionary[string, object]]::new()
    $call['command'] = $Command
    $call['set'] = $Set
    $call['parameters'] = $Parameters
    $script:Wire.Writer.WriteLine([Text.Json.JsonSerializer]::Serialize($call, $call.GetType(), $script:Json))
    $line = $script:Wire.Reader.ReadLine()
    if ($null -eq $line) { $script:Wire = $null; throw 'FakeHyperV: the model hung up' }
    if ($line.Length -gt 0 -and $line[0] -eq '{') { return ConvertFrom-Json $line }
    return $line
}

function ConvertTo-FakeValue {
    param($Value, [int] $Depth = 2)
    if ($null -eq $Value) { return $null }
    if ($Value -is [string]) { return $Value.ToString() }
    if ($Value -is [bool]) { return [bool]$Value }
    if ($Value -is [System.Management.Automation.SwitchParameter]) { return $Value.IsPresent }
    if ($Value -is [enum] -or $Value -is [guid] -or $Value -is [version] -or $Value -is [uri] -or $Value -is [char]) { return $Value.ToString() }
    if ($Value -is [datetime]) { return $Value.ToUniversalTime().ToString('o') }
    if ($Value -is [timespan]) { return $Value.ToString('c') }
    if ($Value -is [double] -or $Value -is [single] -or $Value -is [decimal]) { return [double]$Value }
    if ($Value -is [uint64]) { return [uint64]$Value }
    if ($Value -is [ValueType] -and $null -ne ($Value -as [long])) { return [long]$Value }
    $map = [Collections.Generic.Dictionary[string, object]]::new()
    if ($Value -is [securestring] -or $Value -is [pscredential]) { $map['$secret'] = $true; return $map }
    if ($Value -is [scriptblock]) { $map['$code'] = $true; return $map }
    if ($Value -is [Collections.IDictionary]) {
        $inner = [Collections.Generic.Dictionary[string, object]]::new()
        foreach ($key in $Value.Keys) { $inner[[string]$key] = ConvertTo-FakeValue $Value[$key] $Depth }
        $map['$table'] = $inner
        return $map
    }
    if ($Value -is [Collections.IEnumerable]) {
        $list = [Collections.Generic.List[object]]::new()
        foreach ($item in $Value) { $list.Add((ConvertTo-FakeValue $item $Depth)) }
        return , $list
    }
    $map['$type'] = [string]$Value.PSObject.TypeNames[0]
    if ($Depth -gt 0) {
        foreach ($property in $Value.PSObject.Properties) {
            if ($property.Name -notin 'CimClass', 'CimSystemProperties') {
                $map[$property.Name] = ConvertTo-FakeValue $property.Value ($Depth - 1)
            }
        }
    }
    return $map
}

# --- from the answer to objects

$script:Plans = @{}

# What has to be done to each object of a type: its real names, and the properties whose values need a real type.
function New-FakePlan {
    param($Names)
    $real = [Collections.Generic.List[string]]::new()
    foreach ($name in $Names) { $real.Add($(if ($name.StartsWith('Deserialized.')) { $name.Substring(13) } else { $name })) }
    $steps = [Collections.Generic.List[object]]::new()
    $shape = $script:Shapes[$real[0]]
    if ($null -ne $shape) {
        foreach ($entry in $shape.PSObject.Properties) {
            $kind = $script:Known[$entry.Value.TrimEnd('[', ']')]
            $steps.Add(@($entry.Name, $(if ($null -eq $kind) { $entry.Value } elseif ($entry.Value.EndsWith('[]')) { 'enums' } else { 'enum' }), $kind))
        }
    }
    $extra = $null
    if ($real[0].StartsWith('Microsoft.Management.Infrastructure.CimInstance#')) {
        $parts = $real[0].Substring($real[0].IndexOf('#') + 1)
        $class = $parts.Substring($parts.LastIndexOf('/') + 1)
        $space = if ($parts.Contains('/')) { $parts.Substring(0, $parts.LastIndexOf('/')) } else { $null }
        $kind = New-Object psobject -Property @{ CimClassName = $class }
        $kind.PSObject.TypeNames.Insert(0, 'Microsoft.Management.Infrastructure.CimClass')
        $system = New-Object psobject -Property @{ Namespace = $space; ServerName = $env:COMPUTERNAME; ClassName = $class; Path = $null }
        $system.PSObject.TypeNames.Insert(0, 'Microsoft.Management.Infrastructure.CimSystemProperties')
        $extra = @($kind, $system)
    }
    return @{ Names = $real; Steps = $steps; Extra = $extra }
}

function Restore-FakeObject {
    param($Objects)
    foreach ($object in $Objects) {
        $view = $object.PSObject
        $names = $view.TypeNames
        $plan = $script:Plans[$names[0]]
        if ($null -eq $plan) { $plan = $script:Plans[$names[0]] = New-FakePlan $names }
        $names.Clear()
        foreach ($name in $plan.Names) { $names.Add($name) }
        $properties = $view.Properties
        foreach ($step in $plan.Steps) {
            $property = $properties[$step[0]]
            if ($null -eq $property) { continue }
            $value = $property.Value
            if ($null -eq $value) { continue }
            switch ($step[1]) {
                'enum' { $property.Value = [enum]::Parse($step[2], $value) }
                'strings' { $property.Value = [string[]]@($value) }
                'numbers16' { $property.Value = [uint16[]]@($value) }
                'numbers32' { $property.Value = [uint32[]]@($value) }
                'bytes' { $property.Value = [byte[]]@($value) }
                'object' { Restore-FakeObject $value }
                'objects' { Restore-FakeObject $value; $property.Value = @($value) }
                'enums' {
                    $list = [Array]::CreateInstance($step[2], @($value).Count)
                    $at = 0
                    foreach ($item in @($value)) { $list.SetValue([enum]::Parse($step[2], $item), $at); $at++ }
                    $property.Value = $list
                }
            }
        }
        if ($null -ne $plan.Extra) {
            $properties.Add([System.Management.Automation.PSNoteProperty]::new('PSComputerName', $null))
            $properties.Add([System.Management.Automation.PSNoteProperty]::new('CimClass', $plan.Extra[0]))
            $properties.Add([System.Management.Automation.PSNoteProperty]::new('CimSystemProperties', $plan.Extra[1]))
        }
    }
}

function New-FakeRecord {
    param($From, [string] $Activity)
    $exception = (Get-FakeException $From.exception)::new([string]$From.message)
    $record = [System.Management.Automation.ErrorRecord]::new($exception, $From.kind, $From.category, $From.target)
    $script:RecordId.SetValue($record, [string]$From.id)
    $record.CategoryInfo.Activity = $Activity
    $record.CategoryInfo.Reason = $From.exception.Substring($From.exception.LastIndexOf('.') + 1)
    if ($null -eq $From.target) {
        $record.CategoryInfo.TargetName = ''
        $record.CategoryInfo.TargetType = ''
    } elseif ($From.target_type) { $record.CategoryInfo.TargetType = $From.target_type }
    return $record
}

function Invoke-FakeCommand {
    param($Cmdlet, [bool] $Confirmable)
    $bound = $Cmdlet.MyInvocation.BoundParameters
    $name = $Cmdlet.MyInvocation.MyCommand.Name
    # A function of a module does not see its caller's preferences, a cmdlet does.
    if (-not $bound.ContainsKey('ErrorAction')) { $ErrorActionPreference = $Cmdlet.SessionState.PSVariable.GetValue('ErrorActionPreference') }
    if (-not $bound.ContainsKey('WarningAction')) { $WarningPreference = $Cmdlet.SessionState.PSVariable.GetValue('WarningPreference') }
    if ($Confirmable) {
        if (-not $bound.ContainsKey('WhatIf')) { $WhatIfPreference = $Cmdlet.SessionState.PSVariable.GetValue('WhatIfPreference') }
        if (-not $bound.ContainsKey('Confirm')) { $ConfirmPreference = $Cmdlet.SessionState.PSVariable.GetValue('ConfirmPreference') }
        if (-not $Cmdlet.ShouldProcess($name)) { return }
    }
    $parameters = [Collections.Generic.Dictionary[string, object]]::new()
    foreach ($entry in $bound.GetEnumerator()) {
        if (-not $script:Common.Contains($entry.Key)) { $parameters[$entry.Key] = ConvertTo-FakeValue $entry.Value }
    }
    $answer = Send-FakeCall $name $Cmdlet.ParameterSetName $parameters
    $text = $answer
    if ($answer -isnot [string]) {
        foreach ($warning in $answer.warnings) { $Cmdlet.WriteWarning($warning) }
        foreach ($entry in $answer.shapes.PSObject.Properties) { $script:Shapes[$entry.Name] = $entry.Value }
        $text = $answer.objects
    }
    if ($text) {
        $objects = @([System.Management.Automation.PSSerializer]::Deserialize($text))
        Restore-FakeObject $objects
        foreach ($object in $objects) { $Cmdlet.WriteObject($object) }
    }
    if ($answer -is [string]) { return }
    foreach ($item in $answer.errors) {
        $record = New-FakeRecord $item $name
        if ($item.terminating) { $Cmdlet.ThrowTerminatingError($record) }
        $Cmdlet.WriteError($record)
    }
}

# --- files that the model has open: Linux would let a script delete, rename or overwrite them

function Invoke-FakeItem {
    param($Cmdlet)
    $bound = $Cmdlet.MyInvocation.BoundParameters
    $name = $Cmdlet.MyInvocation.MyCommand.Name
    foreach ($preference in 'ErrorAction', 'Verbose', 'Warning') {
        if (-not $bound.ContainsKey("${preference}") -and -not $bound.ContainsKey("${preference}Action")) {
            Set-Variable "${preference}Preference" $Cmdlet.SessionState.PSVariable.GetValue("${preference}Preference")
        }
    }
    foreach ($preference in 'WhatIf', 'Confirm') {
        if (-not $bound.ContainsKey($preference)) {
            Set-Variable "${preference}Preference" $Cmdlet.SessionState.PSVariable.GetValue("${preference}Preference")
        }
    }
    $literal = $bound.ContainsKey('LiteralPath')
    $sources = [Collections.Generic.List[string]]::new()
    $free = [Collections.Generic.List[string]]::new()
    foreach ($given in @(if ($literal) { $bound['LiteralPath'] } else { $bound['Path'] })) {
        $resolved = @(if ($literal) { $given } else { Resolve-Path -Path $given -ErrorAction Ignore | ForEach-Object { $_.Path } })
        if ($resolved.Count -eq 0) { $free.Add($given); continue }
        foreach ($path in $resolved) { $sources.Add($path) }
    }
    $parameters = [Collections.Generic.Dictionary[string, object]]::new()
    $parameters['sources'] = ConvertTo-FakeValue @($sources | ForEach-Object { $Cmdlet.SessionState.Path.GetUnresolvedProviderPathFromPSPath($_) })
    $parameters['destination'] = if ($bound.ContainsKey('Destination')) { $Cmdlet.SessionState.Path.GetUnresolvedProviderPathFromPSPath($bound['Destination']) } else { $null }
    $answer = Send-FakeCall $name 'Item' $parameters
    $held = @($answer.held)
    $rest = [Collections.Generic.List[string]]::new()
    for ($i = 0; $i -lt $sources.Count; $i++) {
        if ($held[$i]) {
            $item = Get-Item -LiteralPath $sources[$i] -Force -ErrorAction Ignore
            $record = New-FakeRecord $held[$i] $name
            if ($null -ne $item) {
                $record = [System.Management.Automation.ErrorRecord]::new($record.Exception, $held[$i].kind, $held[$i].category, $item)
                $script:RecordId.SetValue($record, [string]$held[$i].id)
                $record.CategoryInfo.Activity = $name
            }
            $Cmdlet.WriteError($record)
        } else { $rest.Add($sources[$i]) }
    }
    $real = @{}
    foreach ($entry in $bound.GetEnumerator()) {
        if ($entry.Key -notin 'Path', 'LiteralPath') { $real[$entry.Key] = $entry.Value }
    }
    $original = "Microsoft.PowerShell.Management\$name"
    foreach ($path in $rest) { & $original -LiteralPath $path @real }
    foreach ($path in $free) { & $original -Path $path @real }
}

function Remove-Item {
    [CmdletBinding(DefaultParameterSetName = 'Path', SupportsShouldProcess, ConfirmImpact = 'Medium')]
    param(
        [Parameter(ParameterSetName = 'Path', Mandatory, Position = 0, ValueFromPipeline, ValueFromPipelineByPropertyName)][string[]] $Path,
        [Parameter(ParameterSetName = 'LiteralPath', Mandatory, ValueFromPipelineByPropertyName)][Alias('PSPath')][string[]] $LiteralPath,
        [string] $Filter, [string[]] $Include, [string[]] $Exclude, [switch] $Recurse, [switch] $Force,
        [Parameter(ValueFromPipelineByPropertyName)][pscredential] $Credential
    )
    process { Invoke-FakeItem $PSCmdlet }
}

function Copy-Item {
    [CmdletBinding(DefaultParameterSetName = 'Path', SupportsShouldProcess, ConfirmImpact = 'Medium')]
    param(
        [Parameter(ParameterSetName = 'Path', Mandatory, Position = 0, ValueFromPipeline, ValueFromPipelineByPropertyName)][string[]] $Path,
        [Parameter(ParameterSetName = 'LiteralPath', Mandatory, ValueFromPipelineByPropertyName)][Alias('PSPath')][string[]] $LiteralPath,
        [Parameter(Position = 1, ValueFromPipelineByPropertyName)][string] $Destination,
        [switch] $Container, [switch] $Force, [string] $Filter, [string[]] $Include, [string[]] $Exclude, [switch] $Recurse,
        [switch] $PassThru, [Parameter(ValueFromPipelineByPropertyName)][pscredential] $Credential
    )
    process { Invoke-FakeItem $PSCmdlet }
}

function Move-Item {
    [CmdletBinding(DefaultParameterSetName = 'Path', SupportsShouldProcess, ConfirmImpact = 'Medium')]
    param(
        [Parameter(ParameterSetName = 'Path', Mandatory, Position = 0, ValueFromPipeline, ValueFromPipelineByPropertyName)][string[]] $Path,
        [Parameter(ParameterSetName = 'LiteralPath', Mandatory, ValueFromPipelineByPropertyName)][Alias('PSPath')][string[]] $LiteralPath,
        [Parameter(Position = 1, ValueFromPipelineByPropertyName)][string] $Destination,
        [switch] $Force, [string] $Filter, [string[]] $Include, [string[]] $Exclude, [switch] $PassThru,
        [Parameter(ValueFromPipelineByPropertyName)][pscredential] $Credential
    )
    process { Invoke-FakeItem $PSCmdlet }
}

function Rename-Item {
    [CmdletBinding(DefaultParameterSetName = 'ByPath', SupportsShouldProcess, ConfirmImpact = 'Medium')]
    param(
        [Parameter(ParameterSetName = 'ByPath', Mandatory, Position = 0, ValueFromPipeline, ValueFromPipelineByPropertyName)][string] $Path,
        [Parameter(ParameterSetName = 'ByLiteralPath', Mandatory, ValueFromPipelineByPropertyName)][Alias('PSPath')][string] $LiteralPath,
        [Parameter(Mandatory, Position = 1, ValueFromPipelineByPropertyName)][string] $NewName,
        [switch] $Force, [switch] $PassThru, [Parameter(ValueFromPipelineByPropertyName)][pscredential] $Credential
    )
    process { Invoke-FakeItem $PSCmdlet }
}

function Get-Service {
    [CmdletBinding(DefaultParameterSetName = 'Default')]
    param(
        [Parameter(ParameterSetName = 'Default', Position = 0, ValueFromPipeline, ValueFromPipelineByPropertyName)][Alias('ServiceName')][string[]] $Name,
        [Parameter(ParameterSetName = 'DisplayName', Mandatory)][string[]] $DisplayName,
        [Parameter(ParameterSetName = 'InputObject', ValueFromPipeline)][psobject[]] $InputObject,
        [Parameter(ValueFromPipelineByPropertyName)][Alias('Cn')][string[]] $ComputerName,
        [switch] $DependentServices, [switch] $RequiredServices, [string[]] $Include, [string[]] $Exclude
    )
    process { Invoke-FakeCommand $PSCmdlet }
}
Add-FakeEnum 'Microsoft.FailoverClusters.PowerShell.ClusterGroupState' @{'Unknown'=-1; 'Online'=0; 'Offline'=1; 'Failed'=2; 'PartialOnline'=3; 'Pending'=4}
Add-FakeEnum 'Microsoft.FailoverClusters.PowerShell.ClusterNodeDrainStatus' @{'NotInitiated'=0; 'InProgress'=1; 'Completed'=2; 'Failed'=3}
Add-FakeEnum 'Microsoft.FailoverClusters.PowerShell.ClusterNodeState' @{'Unknown'=-1; 'Up'=0; 'Down'=1; 'Paused'=2; 'Joining'=3}
Add-FakeEnum 'Microsoft.FailoverClusters.PowerShell.GroupType' @{'Cluster'=1; 'AvailableStorage'=2; 'Temporary'=3; 'FileServer'=100; 'VirtualMachine'=111; 'Unknown'=9999}
Add-FakeEnum 'Microsoft.FailoverClusters.PowerShell.VmMigrationType' @{'TurnOff'=0; 'Quick'=1; 'Shutdown'=2; 'ShutdownForce'=3; 'Live'=4}
Add-FakeEnum 'Microsoft.HyperV.PowerShell.BootDevice' @{'Floppy'=0; 'CD'=1; 'IDE'=2; 'LegacyNetworkAdapter'=3; 'NetworkAdapter'=4; 'VHD'=5}
Add-FakeEnum 'Microsoft.HyperV.PowerShell.CacheAttributes' @{'Default'=0; 'WriteCacheEnabled'=1; 'WriteCacheAndFUAEnabled'=2; 'WriteCacheDisabled'=3}
Add-FakeEnum 'Microsoft.HyperV.PowerShell.CheckpointType' @{'Disabled'=2; 'Production'=3; 'ProductionOnly'=4; 'Standard'=5}
Add-FakeEnum 'Microsoft.HyperV.PowerShell.ConsoleModeType' @{'Default'=0; 'COM1'=1; 'COM2'=2; 'None'=3}
Add-FakeEnum 'Microsoft.HyperV.PowerShell.ControllerType' @{'IDE'=0; 'SCSI'=1; 'PMEM'=2}
Add-FakeEnum 'Microsoft.HyperV.PowerShell.CriticalErrorAction' @{'None'=0; 'Pause'=1}
Add-FakeEnum 'Microsoft.HyperV.PowerShell.DvdMediaType' @{'None'=0; 'ISO'=1; 'PassThrough'=2}
Add-FakeEnum 'Microsoft.HyperV.PowerShell.IPProtocolPreference' @{'IPv4'=0; 'IPv6'=1}
Add-FakeEnum 'Microsoft.HyperV.PowerShell.OnOffState' @{'On'=0; 'Off'=1}
Add-FakeEnum 'Microsoft.HyperV.PowerShell.PrivateVlanMode' @{'Isolated'=1; 'Community'=2; 'Promiscuous'=3}
Add-FakeEnum 'Microsoft.HyperV.PowerShell.SnapshotType' @{'Standard'=0; 'Recovery'=1; 'Planned'=2; 'Missing'=5; 'Replica'=6; 'AppConsistentReplica'=7; 'SyncedReplica'=8}
Add-FakeEnum 'Microsoft.HyperV.PowerShell.StartAction' @{'Nothing'=2; 'StartIfRunning'=3; 'Start'=4}
Add-FakeEnum 'Microsoft.HyperV.PowerShell.StopAction' @{'TurnOff'=2; 'Save'=3; 'ShutDown'=4}
Add-FakeEnum 'Microsoft.HyperV.PowerShell.VMHeartbeatStatus' @{'Unknown'=0; 'Disabled'=1; 'NoContact'=2; 'Error'=3; 'LostCommunication'=4; 'OkApplicationsUnknown'=5; 'OkApplicationsHealthy'=6; 'OkApplicationsCritical'=7; 'Paused'=8}
Add-FakeEnum 'Microsoft.HyperV.PowerShell.VMIntegrationComponentOperationalStatus' @{'Ok'=2; 'Degraded'=3; 'Error'=6; 'NonRecoverableError'=7; 'NoContact'=12; 'LostCommunication'=13; 'ProtocolMismatch'=32775; 'ApplicationCritical'=32782; 'CommunicationTimedOut'=32783; 'CommunicationFailed'=32784; 'Disabled'=32896}
Add-FakeEnum 'Microsoft.HyperV.PowerShell.VMNetworkAdapterOperationalStatus' @{'Unknown'=0; 'Other'=1; 'Ok'=2; 'Degraded'=3; 'Stressed'=4; 'PredictiveFailure'=5; 'Error'=6; 'NonRecoverableError'=7; 'Starting'=8; 'Stopping'=9; 'Stopped'=10; 'InService'=11; 'NoContact'=12; 'LostCommunication'=13; 'Aborted'=14; 'Dormant'=15; 'SupportingEntity'=16; 'Completed'=17; 'PowerMode'=18; 'ProtocolVersion'=32775}
Add-FakeEnum 'Microsoft.HyperV.PowerShell.VMNetworkAdapterVlanMode' @{'Untagged'=0; 'Access'=1; 'Trunk'=2; 'Private'=3}
Add-FakeEnum 'Microsoft.HyperV.PowerShell.VMOperationalStatus' @{'Ok'=2; 'Degraded'=3; 'PredictiveFailure'=5; 'InService'=11; 'Dormant'=15; 'SupportingEntityInError'=16; 'ApplyingSnapshot'=23769; 'CreatingSnapshot'=32768; 'DeletingSnapshot'=32770; 'WaitingToStart'=32771; 'MergingDisks'=32772; 'ExportingVirtualMachine'=32773; 'MigratingVirtualMachine'=32774; 'BackingUpVirtualMachine'=32776; 'ModifyingUpVirtualMachine'=32777; 'CriticalIoError'=32795}
Add-FakeEnum 'Microsoft.HyperV.PowerShell.VMReplicationHealthState' @{'NotApplicable'=0; 'Normal'=1; 'Warning'=2; 'Critical'=3}
Add-FakeEnum 'Microsoft.HyperV.PowerShell.VMReplicationMode' @{'None'=0; 'Primary'=1; 'Replica'=2; 'TestReplica'=3; 'ExtendedReplica'=4}
Add-FakeEnum 'Microsoft.HyperV.PowerShell.VMReplicationState' @{'Disabled'=0; 'ReadyForInitialReplication'=1; 'InitialReplicationInProgress'=2; 'WaitingForInitialReplication'=3; 'Replicating'=4; 'PreparedForFailover'=5; 'FailedOverWaitingCompletion'=6; 'FailedOver'=7; 'Suspended'=8; 'Error'=9; 'WaitingForStartResynchronize'=10; 'Resynchronizing'=11; 'ResynchronizeSuspended'=12}
Add-FakeEnum 'Microsoft.HyperV.PowerShell.VMState' @{'Other'=1; 'Running'=2; 'Off'=3; 'Stopping'=4; 'Saved'=6; 'Paused'=9; 'Starting'=10; 'Reset'=11; 'Saving'=32773; 'Pausing'=32776; 'Resuming'=32777; 'FastSaved'=32779; 'FastSaving'=32780; 'ForceShutdown'=32781; 'ForceReboot'=32782; 'Hibernated'=32783; 'ComponentServicing'=32784; 'RunningCritical'=32785; 'OffCritical'=32786; 'StoppingCritical'=32787; 'SavedCritical'=32788; 'PausedCritical'=32789; 'StartingCritical'=32790; 'ResetCritical'=32791; 'SavingCritical'=32792; 'PausingCritical'=32793; 'ResumingCritical'=32794; 'FastSavedCritical'=32795; 'FastSavingCritical'=32796}
Add-FakeEnum 'Microsoft.HyperV.PowerShell.VMSwitchBandwidthMode' @{'Default'=0; 'Weight'=1; 'Absolute'=2; 'None'=3}
Add-FakeEnum 'Microsoft.HyperV.PowerShell.VMSwitchType' @{'Private'=0; 'Internal'=1; 'External'=2}
Add-FakeEnum 'Microsoft.HyperV.PowerShell.VirtualMachineSubType' @{'Unknown'=0; 'Generation1'=1; 'Generation2'=2}
Add-FakeEnum 'Microsoft.HyperV.PowerShell.WaitVMTypes' @{'Heartbeat'=0; 'IPAddress'=1}
Add-FakeEnum 'Microsoft.Vhd.PowerShell.VhdFormat' @{'Unknown'=0; 'VHD'=2; 'VHDX'=3; 'VHDSet'=4}
Add-FakeEnum 'Microsoft.Vhd.PowerShell.VhdType' @{'Unknown'=0; 'Fixed'=2; 'Dynamic'=3; 'Differencing'=4}
function Add-VMDvdDrive { [CmdletBinding(DefaultParameterSetName='VMName', SupportsShouldProcess)] param([Parameter(ParameterSetName='VMName')][PSTypeName('Microsoft.Management.Infrastructure.CimSession')][psobject[]]$CimSession, [Parameter(ParameterSetName='VMName')][string[]]$ComputerName, [Parameter(ParameterSetName='VMName')][pscredential[]]$Credential, [Parameter(ParameterSetName='VMName', Mandatory, Position=0, ValueFromPipeline)][string[]]$VMName, [Parameter(ParameterSetName='VMName', Position=2)][Parameter(ParameterSetName='VMObject', Position=2)][int]$ControllerNumber, [Parameter(Position=3)][int]$ControllerLocation, [Parameter(Position=4)][string]$Path, [string]$ResourcePoolName, [switch]$AllowUnverifiedPaths, [switch]$Passthru, [Parameter(ParameterSetName='VMObject', Mandatory, Position=0, ValueFromPipeline)][PSTypeName('Microsoft.HyperV.PowerShell.VirtualMachine')][psobject[]]$VM, [Parameter(ParameterSetName='VMDriveController', Mandatory, Position=0, ValueFromPipeline)][PSTypeName('Microsoft.HyperV.PowerShell.VMDriveController')][psobject[]]$VMDriveController) process { Invoke-FakeCommand $PSCmdlet $true } }
function Add-VMHardDiskDrive { [CmdletBinding(DefaultParameterSetName='VMName', SupportsShouldProcess)] param([Parameter(ParameterSetName='VMName')][PSTypeName('Microsoft.Management.Infrastructure.CimSession')][psobject[]]$CimSession, [Parameter(ParameterSetName='VMName')][Alias('PSComputerName')][string[]]$ComputerName, [Parameter(ParameterSetName='VMName')][pscredential[]]$Credential, [Parameter(ParameterSetName='VMName', Mandatory, Position=0, ValueFromPipeline)][string[]]$VMName, [Parameter(ParameterSetName='VMName', Position=1)][Parameter(ParameterSetName='VMObject', Position=1)][Microsoft.HyperV.PowerShell.ControllerType]$ControllerType, [Parameter(ParameterSetName='VMName', Position=2)][Parameter(ParameterSetName='VMObject', Position=2)][int]$ControllerNumber, [Parameter(Position=3)][int]$ControllerLocation, [Parameter(Position=4)][string]$Path, [Parameter(ValueFromPipelineByPropertyName)][Alias('Number')][uint32]$DiskNumber, [string]$ResourcePoolName, [Alias('ShareVirtualDisk')][switch]$SupportPersistentReservations, [switch]$AllowUnverifiedPaths, [uint64]$MaximumIOPS, [uint64]$MinimumIOPS, [string]$QoSPolicyID, [PSTypeName('Microsoft.Management.Infrastructure.CimInstance')][psobject]$QoSPolicy, [switch]$Passthru, [Microsoft.HyperV.PowerShell.CacheAttributes]$OverrideCacheAttributes, [Parameter(ParameterSetName='VMObject', Mandatory, Position=0, ValueFromPipeline)][PSTypeName('Microsoft.HyperV.PowerShell.VirtualMachine')][psobject[]]$VM, [Parameter(ParameterSetName='VMDriveController', Mandatory, Position=0, ValueFromPipeline)][PSTypeName('Microsoft.HyperV.PowerShell.VMDriveController')][psobject]$VMDriveController) process { Invoke-FakeCommand $PSCmdlet $true } }
function Checkpoint-VM { [CmdletBinding(DefaultParameterSetName='Name', SupportsShouldProcess)] param([Parameter(ParameterSetName='Name')][PSTypeName('Microsoft.Management.Infrastructure.CimSession')][psobject[]]$CimSession, [Parameter(ParameterSetName='Name')][string[]]$ComputerName, [Parameter(ParameterSetName='Name')][pscredential[]]$Credential, [Parameter(ParameterSetName='Name', Mandatory, Position=0, ValueFromPipeline)][Alias('VMName')][string[]]$Name, [Parameter(Position=1)][Alias('CheckpointName')][string]$SnapshotName, [switch]$AsJob, [switch]$Passthru, [Parameter(ParameterSetName='VMObject', Mandatory, Position=0, ValueFromPipeline)][PSTypeName('Microsoft.HyperV.PowerShell.VirtualMachine')][psobject[]]$VM) process { Invoke-FakeCommand $PSCmdlet $true } }
function Connect-VMNetworkAdapter { [CmdletBinding(DefaultParameterSetName='Name_SwitchName', SupportsShouldProcess)] param([Parameter(ParameterSetName='Name_SwitchName', Position=1)][Parameter(ParameterSetName='Name_SwitchObject', Position=1)][Parameter(ParameterSetName='Name_UseAutomaticConnection', Position=1)][Alias('VMNetworkAdapterName')][string[]]$Name, [Parameter(ParameterSetName='Name_SwitchName', Mandatory, Position=1)][Parameter(ParameterSetName='Object_SwitchName', Mandatory, Position=1)][string]$SwitchName, [switch]$Passthru, [Parameter(ParameterSetName='Name_SwitchName')][Parameter(ParameterSetName='Name_UseAutomaticConnection')][PSTypeName('Microsoft.Management.Infrastructure.CimSession')][psobject[]]$CimSession, [Parameter(ParameterSetName='Name_SwitchName')][Parameter(ParameterSetName='Name_UseAutomaticConnection')][string[]]$ComputerName, [Parameter(ParameterSetName='Name_SwitchName')][Parameter(ParameterSetName='Name_UseAutomaticConnection')][pscredential[]]$Credential, [Parameter(ParameterSetName='Name_SwitchName', Mandatory, Position=0)][Parameter(ParameterSetName='Name_SwitchObject', Mandatory, Position=0)][Parameter(ParameterSetName='Name_UseAutomaticConnection', Mandatory, Position=0)][string[]]$VMName, [Parameter(ParameterSetName='Object_SwitchName', Mandatory, Position=0, ValueFromPipeline)][Parameter(ParameterSetName='Object_SwitchObject', Mandatory, Position=0, ValueFromPipeline)][Parameter(ParameterSetName='Object_UseAutomaticConnection', Mandatory, Position=0, ValueFromPipeline)][PSTypeName('Microsoft.HyperV.PowerShell.VMNetworkAdapter')][psobject[]]$VMNetworkAdapter, [Parameter(ParameterSetName='Object_SwitchObject', Mandatory, Position=2, ValueFromPipeline)][Parameter(ParameterSetName='Name_SwitchObject', Mandatory, Position=2, ValueFromPipeline)][PSTypeName('Microsoft.HyperV.PowerShell.VMSwitch')][psobject]$VMSwitch, [Parameter(ParameterSetName='Object_UseAutomaticConnection', Mandatory)][Parameter(ParameterSetName='Name_UseAutomaticConnection', Mandatory)][switch]$UseAutomaticConnection) process { Invoke-FakeCommand $PSCmdlet $true } }
function Disconnect-VMNetworkAdapter { [CmdletBinding(DefaultParameterSetName='Name', SupportsShouldProcess)] param([Parameter(ParameterSetName='Name', Mandatory, Position=0)][string[]]$VMName, [Parameter(ParameterSetName='Name', Position=1)][Alias('VMNetworkAdapterName')][string[]]$Name, [Parameter(ParameterSetName='Name')][PSTypeName('Microsoft.Management.Infrastructure.CimSession')][psobject[]]$CimSession, [Parameter(ParameterSetName='Name')][string[]]$ComputerName, [Parameter(ParameterSetName='Name')][pscredential[]]$Credential, [switch]$Passthru, [Parameter(ParameterSetName='Obj', Mandatory, Position=0, ValueFromPipeline)][PSTypeName('Microsoft.HyperV.PowerShell.VMNetworkAdapter')][psobject[]]$VMNetworkAdapter) process { Invoke-FakeCommand $PSCmdlet $true } }
function Enable-VMIntegrationService { [CmdletBinding(DefaultParameterSetName='VMName', SupportsShouldProcess)] param([Parameter(ParameterSetName='VMName')][PSTypeName('Microsoft.Management.Infrastructure.CimSession')][psobject[]]$CimSession, [Parameter(ParameterSetName='VMName')][string[]]$ComputerName, [Parameter(ParameterSetName='VMName')][pscredential[]]$Credential, [Parameter(ParameterSetName='VMName', Mandatory, Position=0)][Parameter(ParameterSetName='VMObject', Mandatory, Position=0)][string[]]$Name, [Parameter(ParameterSetName='VMName', Mandatory, Position=1, ValueFromPipeline)][string[]]$VMName, [switch]$Passthru, [Parameter(ParameterSetName='VMIntegrationService', Mandatory, Position=0, ValueFromPipeline)][PSTypeName('Microsoft.HyperV.PowerShell.VMIntegrationComponent')][psobject[]]$VMIntegrationService, [Parameter(ParameterSetName='VMObject', Mandatory, Position=1, ValueFromPipeline)][PSTypeName('Microsoft.HyperV.PowerShell.VirtualMachine')][psobject[]]$VM) process { Invoke-FakeCommand $PSCmdlet $true } }
function Get-VHD { [CmdletBinding(DefaultParameterSetName='Path')] param([Parameter(ParameterSetName='Path', Mandatory, Position=0, ValueFromPipeline, ValueFromPipelineByPropertyName)][Alias('FullName')][string[]]$Path, [PSTypeName('Microsoft.Management.Infrastructure.CimSession')][psobject[]]$CimSession, [string[]]$ComputerName, [pscredential[]]$Credential, [Parameter(ParameterSetName='Disk', Mandatory, Position=0, ValueFromPipelineByPropertyName)][Alias('Number')][uint32]$DiskNumber, [Parameter(ParameterSetName='VMId', Mandatory, Position=0, ValueFromPipeline, ValueFromPipelineByPropertyName)][Alias('Id')][guid[]]$VMId) process { Invoke-FakeCommand $PSCmdlet } }
function Get-VM { [CmdletBinding(DefaultParameterSetName='Name')] param([Parameter(ParameterSetName='Name', Position=0, ValueFromPipeline)][Alias('VMName')][string[]]$Name, [Parameter(ParameterSetName='Name')][Parameter(ParameterSetName='Id')][PSTypeName('Microsoft.Management.Infrastructure.CimSession')][psobject[]]$CimSession, [Parameter(ParameterSetName='Name')][Parameter(ParameterSetName='Id')][string[]]$ComputerName, [Parameter(ParameterSetName='Name')][Parameter(ParameterSetName='Id')][pscredential[]]$Credential, [Parameter(ParameterSetName='Id', Position=0, ValueFromPipeline, ValueFromPipelineByPropertyName)][guid]$Id, [Parameter(ParameterSetName='ClusterObject', Mandatory, Position=0, ValueFromPipeline)][psobject]$ClusterObject) process { Invoke-FakeCommand $PSCmdlet } }
function Get-VMDvdDrive { [CmdletBinding(DefaultParameterSetName='VMName')] param([Parameter(ParameterSetName='VMName')][PSTypeName('Microsoft.Management.Infrastructure.CimSession')][psobject[]]$CimSession, [Parameter(ParameterSetName='VMName')][string[]]$ComputerName, [Parameter(ParameterSetName='VMName')][pscredential[]]$Credential, [Parameter(ParameterSetName='VMName', Mandatory, Position=0, ValueFromPipeline)][string[]]$VMName, [int]$ControllerLocation, [Parameter(ParameterSetName='VMName')][Parameter(ParameterSetName='VMObject')][Parameter(ParameterSetName='VMSnapshot')][int]$ControllerNumber, [Parameter(ParameterSetName='VMObject', Mandatory, Position=0, ValueFromPipeline)][PSTypeName('Microsoft.HyperV.PowerShell.VirtualMachine')][psobject[]]$VM, [Parameter(ParameterSetName='VMSnapshot', Mandatory, Position=0, ValueFromPipeline)][Alias('VMCheckpoint')][PSTypeName('Microsoft.HyperV.PowerShell.VMSnapshot')][psobject]$VMSnapshot, [Parameter(ParameterSetName='VMDriveController', Mandatory, Position=0, ValueFromPipeline)][PSTypeName('Microsoft.HyperV.PowerShell.VMDriveController')][psobject[]]$VMDriveController) process { Invoke-FakeCommand $PSCmdlet } }
function Get-VMFirmware { [CmdletBinding(DefaultParameterSetName='VMName')] param([Parameter(ParameterSetName='VMName')][PSTypeName('Microsoft.Management.Infrastructure.CimSession')][psobject[]]$CimSession, [Parameter(ParameterSetName='VMName')][string[]]$ComputerName, [Parameter(ParameterSetName='VMName')][pscredential[]]$Credential, [Parameter(ParameterSetName='VMName', Mandatory, Position=0, ValueFromPipeline)][string[]]$VMName, [Parameter(ParameterSetName='VMObject', Mandatory, Position=0, ValueFromPipeline)][PSTypeName('Microsoft.HyperV.PowerShell.VirtualMachine')][psobject[]]$VM, [Parameter(ParameterSetName='VMSnapshot', Mandatory, Position=0, ValueFromPipeline)][Alias('VMCheckpoint')][PSTypeName('Microsoft.HyperV.PowerShell.VMSnapshot')][psobject]$VMSnapshot) process { Invoke-FakeCommand $PSCmdlet } }
function Get-VMHardDiskDrive { [CmdletBinding(DefaultParameterSetName='VMName')] param([Parameter(ParameterSetName='VMName')][PSTypeName('Microsoft.Management.Infrastructure.CimSession')][psobject[]]$CimSession, [Parameter(ParameterSetName='VMName')][string[]]$ComputerName, [Parameter(ParameterSetName='VMName')][pscredential[]]$Credential, [Parameter(ParameterSetName='VMName', Mandatory, Position=0, ValueFromPipeline)][string[]]$VMName, [int]$ControllerLocation, [Parameter(ParameterSetName='VMName')][Parameter(ParameterSetName='VMObject')][Parameter(ParameterSetName='VMSnapshot')][int]$ControllerNumber, [Parameter(ParameterSetName='VMName')][Parameter(ParameterSetName='VMObject')][Parameter(ParameterSetName='VMSnapshot')][Microsoft.HyperV.PowerShell.ControllerType]$ControllerType, [Parameter(ParameterSetName='VMObject', Mandatory, Position=0, ValueFromPipeline)][PSTypeName('Microsoft.HyperV.PowerShell.VirtualMachine')][psobject[]]$VM, [Parameter(ParameterSetName='VMSnapshot', Mandatory, Position=0, ValueFromPipeline)][Alias('VMCheckpoint')][PSTypeName('Microsoft.HyperV.PowerShell.VMSnapshot')][psobject]$VMSnapshot, [Parameter(ParameterSetName='VMDriveController', Mandatory, Position=0, ValueFromPipeline)][PSTypeName('Microsoft.HyperV.PowerShell.VMDriveController')][psobject[]]$VMDriveController) process { Invoke-FakeCommand $PSCmdlet } }
function Get-VMHost { [CmdletBinding(DefaultParameterSetName='ComputerName')] param([Parameter(ParameterSetName='ComputerName', Position=0, ValueFromPipeline)][string[]]$ComputerName, [Parameter(ParameterSetName='ComputerName', Position=1, ValueFromPipeline)][pscredential[]]$Credential, [Parameter(ParameterSetName='CimSession', Mandatory, Position=0, ValueFromPipelineByPropertyName)][PSTypeName('Microsoft.Management.Infrastructure.CimSession')][psobject[]]$CimSession) process { Invoke-FakeCommand $PSCmdlet } }
function Get-VMIntegrationService { [CmdletBinding(DefaultParameterSetName='VMName')] param([Parameter(ParameterSetName='VMName')][PSTypeName('Microsoft.Management.Infrastructure.CimSession')][psobject[]]$CimSession, [Parameter(ParameterSetName='VMName')][string[]]$ComputerName, [Parameter(ParameterSetName='VMName')][pscredential[]]$Credential, [Parameter(ParameterSetName='VMName', Mandatory, Position=0, ValueFromPipeline)][string[]]$VMName, [Parameter(Position=1)][string[]]$Name, [Parameter(ParameterSetName='VMObject', Mandatory, Position=0, ValueFromPipeline)][PSTypeName('Microsoft.HyperV.PowerShell.VirtualMachine')][psobject[]]$VM, [Parameter(ParameterSetName='VMSnapshot', Mandatory, Position=0, ValueFromPipeline)][Alias('VMCheckpoint')][PSTypeName('Microsoft.HyperV.PowerShell.VMSnapshot')][psobject]$VMSnapshot) process { Invoke-FakeCommand $PSCmdlet } }
function Get-VMMemory { [CmdletBinding(DefaultParameterSetName='VMName')] param([Parameter(ParameterSetName='VMName')][PSTypeName('Microsoft.Management.Infrastructure.CimSession')][psobject[]]$CimSession, [Parameter(ParameterSetName='VMName')][string[]]$ComputerName, [Parameter(ParameterSetName='VMName')][pscredential[]]$Credential, [Parameter(ParameterSetName='VMName', Mandatory, Position=0, ValueFromPipeline)][string[]]$VMName, [Parameter(ParameterSetName='VMObject', Mandatory, Position=0, ValueFromPipeline)][PSTypeName('Microsoft.HyperV.PowerShell.VirtualMachine')][psobject[]]$VM, [Parameter(ParameterSetName='VMSnapshot', Mandatory, Position=0, ValueFromPipeline)][Alias('VMCheckpoint')][PSTypeName('Microsoft.HyperV.PowerShell.VMSnapshot')][psobject]$VMSnapshot) process { Invoke-FakeCommand $PSCmdlet } }
function Get-VMNetworkAdapter { [CmdletBinding(DefaultParameterSetName='VMName')] param([Parameter(ParameterSetName='VMName')][Parameter(ParameterSetName='VMObject')][bool]$IsLegacy, [Parameter(ParameterSetName='VMName')][Parameter(ParameterSetName='ManagementOS')][Parameter(ParameterSetName='All')][PSTypeName('Microsoft.Management.Infrastructure.CimSession')][psobject[]]$CimSession, [Parameter(ParameterSetName='VMName')][Parameter(ParameterSetName='ManagementOS')][Parameter(ParameterSetName='All')][string[]]$ComputerName, [Parameter(ParameterSetName='VMName')][Parameter(ParameterSetName='ManagementOS')][Parameter(ParameterSetName='All')][pscredential[]]$Credential, [Parameter(ParameterSetName='VMName', Mandatory, Position=0, ValueFromPipeline)][string[]]$VMName, [Parameter(Position=1)][Alias('VMNetworkAdapterName')][string]$Name, [Parameter(ParameterSetName='VMObject', Mandatory, Position=0, ValueFromPipeline)][PSTypeName('Microsoft.HyperV.PowerShell.VirtualMachine')][psobject[]]$VM, [Parameter(ParameterSetName='ManagementOS', Mandatory)][switch]$ManagementOS, [Parameter(ParameterSetName='ManagementOS')][string]$SwitchName, [Parameter(ParameterSetName='All', Mandatory)][switch]$All, [Parameter(ParameterSetName='VMSnapshot', Mandatory, Position=0, ValueFromPipeline)][Alias('VMCheckpoint')][PSTypeName('Microsoft.HyperV.PowerShell.VMSnapshot')][psobject]$VMSnapshot) process { Invoke-FakeCommand $PSCmdlet } }
function Get-VMNetworkAdapterVlan { [CmdletBinding(DefaultParameterSetName='VMName')] param([Parameter(ParameterSetName='VMName', Position=0, ValueFromPipeline)][string[]]$VMName, [Parameter(ParameterSetName='VMName')][Parameter(ParameterSetName='ManagementOS')][Parameter(ParameterSetName='VMObject')][string]$VMNetworkAdapterName, [Parameter(ParameterSetName='VMName')][Parameter(ParameterSetName='ManagementOS')][PSTypeName('Microsoft.Management.Infrastructure.CimSession')][psobject[]]$CimSession, [Parameter(ParameterSetName='VMName')][Parameter(ParameterSetName='ManagementOS')][string[]]$ComputerName, [Parameter(ParameterSetName='VMName')][Parameter(ParameterSetName='ManagementOS')][pscredential[]]$Credential, [Parameter(ParameterSetName='VMSnapshot', Mandatory, Position=0, ValueFromPipeline)][Alias('VMCheckpoint')][PSTypeName('Microsoft.HyperV.PowerShell.VMSnapshot')][psobject]$VMSnapshot, [Parameter(ParameterSetName='ResourceObject', Mandatory, Position=0, ValueFromPipeline)][PSTypeName('Microsoft.HyperV.PowerShell.VMNetworkAdapterBase')][psobject[]]$VMNetworkAdapter, [Parameter(ParameterSetName='ManagementOS', Mandatory)][switch]$ManagementOS, [Parameter(ParameterSetName='VMObject', Mandatory, Position=0, ValueFromPipeline)][PSTypeName('Microsoft.HyperV.PowerShell.VirtualMachine')][psobject[]]$VM) process { Invoke-FakeCommand $PSCmdlet } }
function Get-VMProcessor { [CmdletBinding(DefaultParameterSetName='VMName')] param([Parameter(ParameterSetName='VMName')][PSTypeName('Microsoft.Management.Infrastructure.CimSession')][psobject[]]$CimSession, [Parameter(ParameterSetName='VMName')][string[]]$ComputerName, [Parameter(ParameterSetName='VMName')][pscredential[]]$Credential, [Parameter(ParameterSetName='VMName', Mandatory, Position=0, ValueFromPipeline)][string[]]$VMName, [Parameter(ParameterSetName='VMSnapshot', Mandatory, Position=0, ValueFromPipeline)][Alias('VMCheckpoint')][PSTypeName('Microsoft.HyperV.PowerShell.VMSnapshot')][psobject]$VMSnapshot, [Parameter(ParameterSetName='VMObject', Mandatory, Position=0, ValueFromPipeline)][PSTypeName('Microsoft.HyperV.PowerShell.VirtualMachine')][psobject[]]$VM) process { Invoke-FakeCommand $PSCmdlet } }
function Get-VMSnapshot { [CmdletBinding(DefaultParameterSetName='VMName')] param([Parameter(ParameterSetName='VMName', Mandatory, Position=0, ValueFromPipeline)][string[]]$VMName, [Parameter(ParameterSetName='VMName')][Parameter(ParameterSetName='Id')][PSTypeName('Microsoft.Management.Infrastructure.CimSession')][psobject[]]$CimSession, [Parameter(ParameterSetName='VMName')][Parameter(ParameterSetName='Id')][string[]]$ComputerName, [Parameter(ParameterSetName='VMName')][Parameter(ParameterSetName='Id')][pscredential[]]$Credential, [Parameter(ParameterSetName='VMName', Position=1)][Parameter(ParameterSetName='VMObject', Position=1)][Parameter(ParameterSetName='Parent', Position=1)][Parameter(ParameterSetName='Child', Position=1)][string]$Name, [Parameter(ParameterSetName='VMName')][Parameter(ParameterSetName='VMObject')][Parameter(ParameterSetName='Parent')][Parameter(ParameterSetName='Child')][Alias('VMRecoveryCheckpoint')][Microsoft.HyperV.PowerShell.SnapshotType]$SnapshotType, [Parameter(ParameterSetName='VMObject', Mandatory, Position=0, ValueFromPipeline)][PSTypeName('Microsoft.HyperV.PowerShell.VirtualMachine')][psobject[]]$VM, [Parameter(ParameterSetName='Id', Mandatory, Position=0, ValueFromPipeline, ValueFromPipelineByPropertyName)][guid]$Id, [Parameter(ParameterSetName='Parent', Mandatory)][PSTypeName('Microsoft.HyperV.PowerShell.VirtualMachineBase')][psobject]$ParentOf, [Parameter(ParameterSetName='Child', Mandatory)][PSTypeName('Microsoft.HyperV.PowerShell.VMSnapshot')][psobject]$ChildOf) process { Invoke-FakeCommand $PSCmdlet } }
function Get-VMSwitch { [CmdletBinding(DefaultParameterSetName='Name')] param([Parameter(ParameterSetName='Name', Position=0)][Alias('SwitchName')][string]$Name, [Parameter(Position=1)][string[]]$ResourcePoolName, [Microsoft.HyperV.PowerShell.VMSwitchType[]]$SwitchType, [PSTypeName('Microsoft.Management.Infrastructure.CimSession')][psobject[]]$CimSession, [string[]]$ComputerName, [pscredential[]]$Credential, [Parameter(ParameterSetName='Id', Position=0, ValueFromPipeline, ValueFromPipelineByPropertyName)][Alias('SwitchId')][guid[]]$Id) process { Invoke-FakeCommand $PSCmdlet } }
function New-VM { [CmdletBinding(DefaultParameterSetName='No VHD', SupportsShouldProcess)] param([Parameter(Position=0, ValueFromPipeline, ValueFromPipelineByPropertyName)][Alias('VMName')][string]$Name, [Parameter(Position=1)][long]$MemoryStartupBytes, [Microsoft.HyperV.PowerShell.BootDevice]$BootDevice, [Parameter(ParameterSetName='No VHD')][switch]$NoVHD, [string]$SwitchName, [string]$Path, [version]$Version, [switch]$Prerelease, [switch]$Experimental, [Parameter(Position=2)][ValidateSet('1', '2')][int16]$Generation, [switch]$Force, [switch]$AsJob, [PSTypeName('Microsoft.Management.Infrastructure.CimSession')][psobject[]]$CimSession, [string[]]$ComputerName, [pscredential[]]$Credential, [Parameter(ParameterSetName='New VHD', Mandatory)][string]$NewVHDPath, [Parameter(ParameterSetName='New VHD', Mandatory)][uint64]$NewVHDSizeBytes, [Parameter(ParameterSetName='Existing VHD', Mandatory)][string]$VHDPath) process { Invoke-FakeCommand $PSCmdlet $true } }
function Remove-VM { [CmdletBinding(DefaultParameterSetName='Name', SupportsShouldProcess)] param([Parameter(ParameterSetName='Name')][PSTypeName('Microsoft.Management.Infrastructure.CimSession')][psobject[]]$CimSession, [Parameter(ParameterSetName='Name')][string[]]$ComputerName, [Parameter(ParameterSetName='Name')][pscredential[]]$Credential, [Parameter(ParameterSetName='Name', Mandatory, Position=0, ValueFromPipeline)][Alias('VMName')][string[]]$Name, [switch]$Force, [switch]$AsJob, [switch]$Passthru, [Parameter(ParameterSetName='VMObject', Mandatory, Position=0, ValueFromPipeline)][PSTypeName('Microsoft.HyperV.PowerShell.VirtualMachine')][psobject[]]$VM) process { Invoke-FakeCommand $PSCmdlet $true } }
function Remove-VMDvdDrive { [CmdletBinding(DefaultParameterSetName='VMName', SupportsShouldProcess)] param([Parameter(ParameterSetName='VMName')][PSTypeName('Microsoft.Management.Infrastructure.CimSession')][psobject[]]$CimSession, [Parameter(ParameterSetName='VMName')][string[]]$ComputerName, [Parameter(ParameterSetName='VMName')][pscredential[]]$Credential, [Parameter(ParameterSetName='VMName', Mandatory, Position=0)][string]$VMName, [Parameter(ParameterSetName='VMName', Mandatory, Position=1)][int]$ControllerNumber, [Parameter(ParameterSetName='VMName', Mandatory, Position=2)][int]$ControllerLocation, [switch]$Passthru, [Parameter(ParameterSetName='VMDvdDrive', Mandatory, Position=0, ValueFromPipeline)][PSTypeName('Microsoft.HyperV.PowerShell.DvdDrive')][psobject[]]$VMDvdDrive) process { Invoke-FakeCommand $PSCmdlet $true } }
function Remove-VMHardDiskDrive { [CmdletBinding(DefaultParameterSetName='VMName', SupportsShouldProcess)] param([Parameter(ParameterSetName='VMName')][PSTypeName('Microsoft.Management.Infrastructure.CimSession')][psobject[]]$CimSession, [Parameter(ParameterSetName='VMName')][string[]]$ComputerName, [Parameter(ParameterSetName='VMName')][pscredential[]]$Credential, [Parameter(ParameterSetName='VMName', Mandatory, Position=0)][string]$VMName, [Parameter(ParameterSetName='VMName', Mandatory, Position=1)][Microsoft.HyperV.PowerShell.ControllerType]$ControllerType, [Parameter(ParameterSetName='VMName', Mandatory, Position=2)][int]$ControllerNumber, [Parameter(ParameterSetName='VMName', Mandatory, Position=3)][int]$ControllerLocation, [switch]$Passthru, [Parameter(ParameterSetName='VMHardDiskDrive', Mandatory, Position=0, ValueFromPipeline)][PSTypeName('Microsoft.HyperV.PowerShell.HardDiskDrive')][psobject[]]$VMHardDiskDrive) process { Invoke-FakeCommand $PSCmdlet $true } }
function Rename-VM { [CmdletBinding(DefaultParameterSetName='Name', SupportsShouldProcess)] param([Parameter(ParameterSetName='Name')][PSTypeName('Microsoft.Management.Infrastructure.CimSession')][psobject[]]$CimSession, [Parameter(ParameterSetName='Name')][string[]]$ComputerName, [Parameter(ParameterSetName='Name')][pscredential[]]$Credential, [Parameter(ParameterSetName='Name', Mandatory, Position=0, ValueFromPipeline)][Alias('VMName')][string[]]$Name, [Parameter(Mandatory, Position=1)][string]$NewName, [switch]$Passthru, [Parameter(ParameterSetName='VMObject', Mandatory, Position=0, ValueFromPipeline)][PSTypeName('Microsoft.HyperV.PowerShell.VirtualMachine')][psobject[]]$VM) process { Invoke-FakeCommand $PSCmdlet $true } }
function Restart-VM { [CmdletBinding(DefaultParameterSetName='Name', SupportsShouldProcess)] param([Parameter(ParameterSetName='Name')][Parameter(ParameterSetName='NameWait')][PSTypeName('Microsoft.Management.Infrastructure.CimSession')][psobject[]]$CimSession, [Parameter(ParameterSetName='Name')][Parameter(ParameterSetName='NameWait')][string[]]$ComputerName, [Parameter(ParameterSetName='Name')][Parameter(ParameterSetName='NameWait')][pscredential[]]$Credential, [Parameter(ParameterSetName='Name', Mandatory, Position=0, ValueFromPipeline)][Parameter(ParameterSetName='NameWait', Mandatory, Position=0, ValueFromPipeline)][Alias('VMName')][string[]]$Name, [switch]$Force, [switch]$AsJob, [switch]$Passthru, [Parameter(ParameterSetName='NameWait', Mandatory)][Parameter(ParameterSetName='VMObjectWait', Mandatory)][switch]$Wait, [Parameter(ParameterSetName='NameWait')][Parameter(ParameterSetName='VMObjectWait')][Microsoft.HyperV.PowerShell.WaitVMTypes]$For, [Parameter(ParameterSetName='NameWait')][Parameter(ParameterSetName='VMObjectWait')][uint16]$Delay, [Parameter(ParameterSetName='NameWait')][Parameter(ParameterSetName='VMObjectWait')][Alias('TimeoutSec')][int]$Timeout, [Parameter(ParameterSetName='VMObject', Mandatory, Position=0, ValueFromPipeline)][Parameter(ParameterSetName='VMObjectWait', Mandatory, Position=0, ValueFromPipeline)][PSTypeName('Microsoft.HyperV.PowerShell.VirtualMachine')][psobject[]]$VM) process { Invoke-FakeCommand $PSCmdlet $true } }
function Set-VM { [CmdletBinding(DefaultParameterSetName='Name', SupportsShouldProcess)] param([Parameter(ParameterSetName='Name')][PSTypeName('Microsoft.Management.Infrastructure.CimSession')][psobject[]]$CimSession, [Parameter(ParameterSetName='Name')][string[]]$ComputerName, [Parameter(ParameterSetName='Name')][pscredential[]]$Credential, [Parameter(ParameterSetName='Name', Mandatory, Position=0, ValueFromPipeline)][Alias('VMName')][string[]]$Name, [bool]$GuestControlledCacheTypes, [uint32]$LowMemoryMappedIoSpace, [uint64]$HighMemoryMappedIoSpace, [long]$ProcessorCount, [switch]$DynamicMemory, [switch]$StaticMemory, [long]$MemoryMinimumBytes, [long]$MemoryMaximumBytes, [long]$MemoryStartupBytes, [Microsoft.HyperV.PowerShell.StartAction]$AutomaticStartAction, [Microsoft.HyperV.PowerShell.StopAction]$AutomaticStopAction, [int]$AutomaticStartDelay, [Microsoft.HyperV.PowerShell.CriticalErrorAction]$AutomaticCriticalErrorAction, [int]$AutomaticCriticalErrorActionTimeout, [bool]$AutomaticCheckpointsEnabled, [Microsoft.HyperV.PowerShell.OnOffState]$LockOnDisconnect, [string]$Notes, [string]$NewVMName, [string]$SnapshotFileLocation, [string]$SmartPagingFilePath, [Microsoft.HyperV.PowerShell.CheckpointType]$CheckpointType, [switch]$Passthru, [switch]$AllowUnverifiedPaths, [Parameter(ParameterSetName='VMObject', Mandatory, Position=0, ValueFromPipeline)][PSTypeName('Microsoft.HyperV.PowerShell.VirtualMachine')][psobject[]]$VM) process { Invoke-FakeCommand $PSCmdlet $true } }
function Set-VMDvdDrive { [CmdletBinding(DefaultParameterSetName='VMName', SupportsShouldProcess)] param([Parameter(ParameterSetName='VMName')][PSTypeName('Microsoft.Management.Infrastructure.CimSession')][psobject[]]$CimSession, [Parameter(ParameterSetName='VMName')][string[]]$ComputerName, [Parameter(ParameterSetName='VMName')][pscredential[]]$Credential, [Parameter(ParameterSetName='VMName', Mandatory, Position=0)][string]$VMName, [Parameter(ParameterSetName='VMName', Position=1)][int]$ControllerNumber, [Parameter(ParameterSetName='VMName', Position=2)][int]$ControllerLocation, [int]$ToControllerNumber, [int]$ToControllerLocation, [Parameter(Position=3)][string]$Path, [string]$ResourcePoolName, [switch]$AllowUnverifiedPaths, [switch]$Passthru, [Parameter(ParameterSetName='Object', Mandatory, Position=0, ValueFromPipeline)][PSTypeName('Microsoft.HyperV.PowerShell.DvdDrive')][psobject[]]$VMDvdDrive) process { Invoke-FakeCommand $PSCmdlet $true } }
function Set-VMFirmware { [CmdletBinding(DefaultParameterSetName='VMName', SupportsShouldProcess)] param([Parameter(ParameterSetName='VMName')][PSTypeName('Microsoft.Management.Infrastructure.CimSession')][psobject[]]$CimSession, [Parameter(ParameterSetName='VMName')][string[]]$ComputerName, [Parameter(ParameterSetName='VMName')][pscredential[]]$Credential, [Parameter(ParameterSetName='VMName', Mandatory, Position=0, ValueFromPipeline)][string[]]$VMName, [PSTypeName('Microsoft.HyperV.PowerShell.VMComponentObject')][psobject[]]$BootOrder, [PSTypeName('Microsoft.HyperV.PowerShell.VMComponentObject')][psobject]$FirstBootDevice, [Microsoft.HyperV.PowerShell.OnOffState]$EnableSecureBoot, [string]$SecureBootTemplate, [guid]$SecureBootTemplateId, [Microsoft.HyperV.PowerShell.IPProtocolPreference]$PreferredNetworkBootProtocol, [Microsoft.HyperV.PowerShell.ConsoleModeType]$ConsoleMode, [Microsoft.HyperV.PowerShell.OnOffState]$PauseAfterBootFailure, [switch]$Passthru, [Parameter(ParameterSetName='VMObject', Mandatory, Position=0, ValueFromPipeline)][PSTypeName('Microsoft.HyperV.PowerShell.VirtualMachine')][psobject[]]$VM, [Parameter(ParameterSetName='VMFirmware', Mandatory, Position=0, ValueFromPipeline)][PSTypeName('Microsoft.HyperV.PowerShell.VMFirmware')][psobject[]]$VMFirmware) process { Invoke-FakeCommand $PSCmdlet $true } }
function Set-VMMemory { [CmdletBinding(DefaultParameterSetName='VMName', SupportsShouldProcess)] param([Parameter(ParameterSetName='VMName')][PSTypeName('Microsoft.Management.Infrastructure.CimSession')][psobject[]]$CimSession, [Parameter(ParameterSetName='VMName')][string[]]$ComputerName, [Parameter(ParameterSetName='VMName')][pscredential[]]$Credential, [Parameter(ParameterSetName='VMName', Mandatory, Position=0, ValueFromPipeline)][string[]]$VMName, [int]$Buffer, [bool]$DynamicMemoryEnabled, [long]$MaximumBytes, [long]$StartupBytes, [long]$MinimumBytes, [int]$Priority, [long]$MaximumAmountPerNumaNodeBytes, [string]$ResourcePoolName, [switch]$Passthru, [Parameter(ParameterSetName='VMObject', Mandatory, Position=0, ValueFromPipeline)][PSTypeName('Microsoft.HyperV.PowerShell.VirtualMachine')][psobject[]]$VM, [Parameter(ParameterSetName='ResourceObject', Mandatory, Position=0, ValueFromPipeline)][PSTypeName('Microsoft.HyperV.PowerShell.VMMemory')][psobject[]]$VMMemory) process { Invoke-FakeCommand $PSCmdlet $true } }
function Set-VMNetworkAdapterVlan { [CmdletBinding(DefaultParameterSetName='VMName', SupportsShouldProcess)] param([Parameter(ParameterSetName='VMName')][Parameter(ParameterSetName='ManagementOS')][Parameter(ParameterSetName='VMObject')][string]$VMNetworkAdapterName, [Parameter(ParameterSetName='VMName')][Parameter(ParameterSetName='ManagementOS')][PSTypeName('Microsoft.Management.Infrastructure.CimSession')][psobject[]]$CimSession, [Parameter(ParameterSetName='VMName')][Parameter(ParameterSetName='ManagementOS')][string[]]$ComputerName, [Parameter(ParameterSetName='VMName')][Parameter(ParameterSetName='ManagementOS')][pscredential[]]$Credential, [Parameter(ParameterSetName='VMName', Mandatory, Position=0, ValueFromPipeline)][string[]]$VMName, [Alias('u')][switch]$Untagged, [Alias('a')][switch]$Access, [Alias('AccessVlanId')][int]$VlanId, [Alias('t')][switch]$Trunk, [int]$NativeVlanId, [string]$AllowedVlanIdList, [Alias('i')][switch]$Isolated, [Alias('c')][switch]$Community, [Alias('p')][switch]$Promiscuous, [int]$PrimaryVlanId, [int]$SecondaryVlanId, [string]$SecondaryVlanIdList, [switch]$Passthru, [Parameter(ParameterSetName='ResourceObject', Mandatory, Position=0, ValueFromPipeline)][PSTypeName('Microsoft.HyperV.PowerShell.VMNetworkAdapterBase')][psobject[]]$VMNetworkAdapter, [Parameter(ParameterSetName='ManagementOS', Mandatory)][switch]$ManagementOS, [Parameter(ParameterSetName='VMObject', Mandatory, Position=0, ValueFromPipeline)][PSTypeName('Microsoft.HyperV.PowerShell.VirtualMachine')][psobject[]]$VM) process { Invoke-FakeCommand $PSCmdlet $true } }
function Set-VMProcessor { [CmdletBinding(DefaultParameterSetName='VMName', SupportsShouldProcess)] param([Parameter(ParameterSetName='VMName')][PSTypeName('Microsoft.Management.Infrastructure.CimSession')][psobject[]]$CimSession, [Parameter(ParameterSetName='VMName')][string[]]$ComputerName, [Parameter(ParameterSetName='VMName')][pscredential[]]$Credential, [Parameter(ParameterSetName='VMName', Mandatory, Position=0, ValueFromPipeline)][string[]]$VMName, [long]$Count, [bool]$CompatibilityForMigrationEnabled, [bool]$CompatibilityForOlderOperatingSystemsEnabled, [long]$HwThreadCountPerCore, [long]$Maximum, [long]$Reserve, [int]$RelativeWeight, [int]$MaximumCountPerNumaNode, [int]$MaximumCountPerNumaSocket, [string]$ResourcePoolName, [Parameter(ParameterSetName='VMName')][string]$Perfmon, [bool]$EnableHostResourceProtection, [bool]$ExposeVirtualizationExtensions, [switch]$Passthru, [Parameter(ParameterSetName='VMObject', Mandatory, Position=0, ValueFromPipeline)][PSTypeName('Microsoft.HyperV.PowerShell.VirtualMachine')][psobject[]]$VM, [Parameter(ParameterSetName='VMProcessor', Mandatory, Position=0, ValueFromPipeline)][PSTypeName('Microsoft.HyperV.PowerShell.VMProcessor')][psobject[]]$VMProcessor) process { Invoke-FakeCommand $PSCmdlet $true } }
function Start-VM { [CmdletBinding(DefaultParameterSetName='Name', SupportsShouldProcess)] param([Parameter(ParameterSetName='Name')][PSTypeName('Microsoft.Management.Infrastructure.CimSession')][psobject[]]$CimSession, [Parameter(ParameterSetName='Name')][string[]]$ComputerName, [Parameter(ParameterSetName='Name')][pscredential[]]$Credential, [Parameter(ParameterSetName='Name', Mandatory, Position=0, ValueFromPipeline)][Alias('VMName')][string[]]$Name, [switch]$AsJob, [switch]$Passthru, [Parameter(ParameterSetName='VMObject', Mandatory, Position=0, ValueFromPipeline)][PSTypeName('Microsoft.HyperV.PowerShell.VirtualMachine')][psobject[]]$VM) process { Invoke-FakeCommand $PSCmdlet $true } }
function Stop-VM { [CmdletBinding(DefaultParameterSetName='Name', SupportsShouldProcess)] param([Parameter(ParameterSetName='Name')][PSTypeName('Microsoft.Management.Infrastructure.CimSession')][psobject[]]$CimSession, [Parameter(ParameterSetName='Name')][string[]]$ComputerName, [Parameter(ParameterSetName='Name')][pscredential[]]$Credential, [Parameter(ParameterSetName='Name', Mandatory, Position=0, ValueFromPipeline)][Alias('VMName')][string[]]$Name, [switch]$Save, [switch]$TurnOff, [switch]$Force, [switch]$AsJob, [switch]$Passthru, [Parameter(ParameterSetName='VMObject', Mandatory, Position=0, ValueFromPipeline)][PSTypeName('Microsoft.HyperV.PowerShell.VirtualMachine')][psobject[]]$VM) process { Invoke-FakeCommand $PSCmdlet $true } }
function Add-ClusterVirtualMachineRole { [CmdletBinding()] param([string]$Name, [Parameter(Position=0, ValueFromPipelineByPropertyName)][string]$VMName, [Alias('VM')][string]$VirtualMachine, [Parameter(ValueFromPipelineByPropertyName)][guid]$VMId, [Parameter(ValueFromPipeline)][psobject]$InputObject, [string]$Cluster) process { Invoke-FakeCommand $PSCmdlet } }
function Get-Cluster { [CmdletBinding()] param([Parameter(Position=0)][string]$Name, [string]$Domain) process { Invoke-FakeCommand $PSCmdlet } }
function Get-ClusterGroup { [CmdletBinding()] param([Parameter(Position=0)][string[]]$Name, [Parameter(ValueFromPipelineByPropertyName)][guid]$VMId, [Parameter(ValueFromPipeline)][psobject]$InputObject, [string]$Cluster) process { Invoke-FakeCommand $PSCmdlet } }
function Get-ClusterNode { [CmdletBinding()] param([Parameter(Position=0)][string[]]$Name, [Parameter(ValueFromPipeline)][psobject]$InputObject, [string]$Cluster) process { Invoke-FakeCommand $PSCmdlet } }
function Get-ClusterSharedVolume { [CmdletBinding()] param([Parameter(Position=0)][string[]]$Name, [Parameter(ValueFromPipeline)][psobject]$InputObject, [string]$Cluster) process { Invoke-FakeCommand $PSCmdlet } }
function Move-ClusterVirtualMachineRole { [CmdletBinding()] param([Parameter(Position=0)][string]$Name, [Parameter(Position=1)][string]$Node, [switch]$Cancel, [Microsoft.FailoverClusters.PowerShell.VmMigrationType]$MigrationType, [switch]$IgnoreLocked, [Parameter(ValueFromPipelineByPropertyName)][guid]$VMId, [int]$Wait, [Parameter(ValueFromPipeline)][psobject]$InputObject, [string]$Cluster) process { Invoke-FakeCommand $PSCmdlet } }
function Remove-ClusterGroup { [CmdletBinding(SupportsShouldProcess)] param([Parameter(ValueFromPipelineByPropertyName)][guid]$VMId, [Parameter(Position=0)][string[]]$Name, [switch]$Force, [switch]$RemoveResources, [Parameter(ValueFromPipeline)][psobject]$InputObject, [string]$Cluster) process { Invoke-FakeCommand $PSCmdlet $true } }
function Get-CimAssociatedInstance { [CmdletBinding(DefaultParameterSetName='ComputerSet')] param([Parameter(Position=1, ValueFromPipelineByPropertyName)][string]$Association, [string]$ResultClassName, [Parameter(Mandatory, Position=0, ValueFromPipeline)][Alias('CimInstance')][PSTypeName('Microsoft.Management.Infrastructure.CimInstance')][psobject]$InputObject, [Parameter(ValueFromPipelineByPropertyName)][string]$Namespace, [Parameter(ValueFromPipelineByPropertyName)][Alias('OT')][uint32]$OperationTimeoutSec, [uri]$ResourceUri, [Parameter(ParameterSetName='ComputerSet')][Alias('CN', 'ServerName')][string[]]$ComputerName, [switch]$KeyOnly, [Parameter(ParameterSetName='SessionSet', Mandatory, ValueFromPipeline)][PSTypeName('Microsoft.Management.Infrastructure.CimSession')][psobject[]]$CimSession) process { Invoke-FakeCommand $PSCmdlet } }
function Get-CimInstance { [CmdletBinding(DefaultParameterSetName='ClassNameComputerSet')] param([Parameter(ParameterSetName='ClassNameComputerSet', Mandatory, Position=0, ValueFromPipelineByPropertyName)][Parameter(ParameterSetName='ClassNameSessionSet', Mandatory, Position=0, ValueFromPipelineByPropertyName)][string]$ClassName, [Parameter(ParameterSetName='ClassNameComputerSet', ValueFromPipelineByPropertyName)][Parameter(ParameterSetName='CimInstanceComputerSet', ValueFromPipelineByPropertyName)][Parameter(ParameterSetName='ResourceUriComputerSet', ValueFromPipelineByPropertyName)][Parameter(ParameterSetName='QueryComputerSet', ValueFromPipelineByPropertyName)][Alias('CN', 'ServerName')][string[]]$ComputerName, [Parameter(ParameterSetName='ClassNameComputerSet')][Parameter(ParameterSetName='ResourceUriSessionSet')][Parameter(ParameterSetName='ClassNameSessionSet')][Parameter(ParameterSetName='ResourceUriComputerSet')][switch]$KeyOnly, [Parameter(ParameterSetName='ClassNameComputerSet', ValueFromPipelineByPropertyName)][Parameter(ParameterSetName='ResourceUriSessionSet', ValueFromPipelineByPropertyName)][Parameter(ParameterSetName='QuerySessionSet', ValueFromPipelineByPropertyName)][Parameter(ParameterSetName='ClassNameSessionSet', ValueFromPipelineByPropertyName)][Parameter(ParameterSetName='ResourceUriComputerSet', ValueFromPipelineByPropertyName)][Parameter(ParameterSetName='QueryComputerSet', ValueFromPipelineByPropertyName)][string]$Namespace, [Alias('OT')][uint32]$OperationTimeoutSec, [Parameter(ParameterSetName='ClassNameComputerSet', ValueFromPipelineByPropertyName)][Parameter(ParameterSetName='QuerySessionSet', ValueFromPipelineByPropertyName)][Parameter(ParameterSetName='ClassNameSessionSet', ValueFromPipelineByPropertyName)][Parameter(ParameterSetName='QueryComputerSet', ValueFromPipelineByPropertyName)][string]$QueryDialect, [Parameter(ParameterSetName='ClassNameComputerSet')][Parameter(ParameterSetName='ResourceUriSessionSet')][Parameter(ParameterSetName='QuerySessionSet')][Parameter(ParameterSetName='ClassNameSessionSet')][Parameter(ParameterSetName='ResourceUriComputerSet')][Parameter(ParameterSetName='QueryComputerSet')][switch]$Shallow, [Parameter(ParameterSetName='ClassNameComputerSet', ValueFromPipelineByPropertyName)][Parameter(ParameterSetName='ResourceUriSessionSet', ValueFromPipelineByPropertyName)][Parameter(ParameterSetName='ClassNameSessionSet', ValueFromPipelineByPropertyName)][Parameter(ParameterSetName='ResourceUriComputerSet', ValueFromPipelineByPropertyName)][string]$Filter, [Parameter(ParameterSetName='ClassNameComputerSet', ValueFromPipelineByPropertyName)][Parameter(ParameterSetName='ResourceUriSessionSet', ValueFromPipelineByPropertyName)][Parameter(ParameterSetName='ClassNameSessionSet', ValueFromPipelineByPropertyName)][Parameter(ParameterSetName='ResourceUriComputerSet', ValueFromPipelineByPropertyName)][Alias('SelectProperties')][string[]]$Property, [Parameter(ParameterSetName='ResourceUriSessionSet', Mandatory, ValueFromPipeline)][Parameter(ParameterSetName='QuerySessionSet', Mandatory, ValueFromPipeline)][Parameter(ParameterSetName='ClassNameSessionSet', Mandatory, ValueFromPipeline)][Parameter(ParameterSetName='CimInstanceSessionSet', Mandatory, ValueFromPipeline)][PSTypeName('Microsoft.Management.Infrastructure.CimSession')][psobject[]]$CimSession, [Parameter(ParameterSetName='ResourceUriSessionSet', Mandatory, ValueFromPipelineByPropertyName)][Parameter(ParameterSetName='QuerySessionSet', ValueFromPipelineByPropertyName)][Parameter(ParameterSetName='CimInstanceSessionSet', ValueFromPipelineByPropertyName)][Parameter(ParameterSetName='CimInstanceComputerSet', ValueFromPipelineByPropertyName)][Parameter(ParameterSetName='ResourceUriComputerSet', Mandatory, ValueFromPipelineByPropertyName)][Parameter(ParameterSetName='QueryComputerSet', ValueFromPipelineByPropertyName)][uri]$ResourceUri, [Parameter(ParameterSetName='QuerySessionSet', Mandatory, ValueFromPipelineByPropertyName)][Parameter(ParameterSetName='QueryComputerSet', Mandatory, ValueFromPipelineByPropertyName)][string]$Query, [Parameter(ParameterSetName='CimInstanceSessionSet', Mandatory, Position=0, ValueFromPipeline)][Parameter(ParameterSetName='CimInstanceComputerSet', Mandatory, Position=0, ValueFromPipeline)][Alias('CimInstance')][PSTypeName('Microsoft.Management.Infrastructure.CimInstance')][psobject]$InputObject) process { Invoke-FakeCommand $PSCmdlet } }
function Invoke-CimMethod { [CmdletBinding(DefaultParameterSetName='ClassNameComputerSet', SupportsShouldProcess)] param([Parameter(ParameterSetName='ClassNameComputerSet', Mandatory, Position=0, ValueFromPipelineByPropertyName)][Parameter(ParameterSetName='ClassNameSessionSet', Mandatory, Position=0, ValueFromPipelineByPropertyName)][Alias('Class')][string]$ClassName, [Parameter(ParameterSetName='ClassNameComputerSet', ValueFromPipelineByPropertyName)][Parameter(ParameterSetName='ResourceUriComputerSet', ValueFromPipelineByPropertyName)][Parameter(ParameterSetName='CimInstanceComputerSet', ValueFromPipelineByPropertyName)][Parameter(ParameterSetName='CimClassComputerSet', ValueFromPipelineByPropertyName)][Parameter(ParameterSetName='QueryComputerSet', ValueFromPipelineByPropertyName)][Alias('CN', 'ServerName')][string[]]$ComputerName, [Parameter(Position=1, ValueFromPipelineByPropertyName)][Collections.IDictionary]$Arguments, [Parameter(Mandatory, Position=2, ValueFromPipelineByPropertyName)][Alias('Name')][string]$MethodName, [Parameter(ParameterSetName='ClassNameComputerSet', ValueFromPipelineByPropertyName)][Parameter(ParameterSetName='ClassNameSessionSet', ValueFromPipelineByPropertyName)][Parameter(ParameterSetName='ResourceUriComputerSet', ValueFromPipelineByPropertyName)][Parameter(ParameterSetName='ResourceUriSessionSet', ValueFromPipelineByPropertyName)][Parameter(ParameterSetName='QueryComputerSet', ValueFromPipelineByPropertyName)][Parameter(ParameterSetName='QuerySessionSet', ValueFromPipelineByPropertyName)][string]$Namespace, [Alias('OT')][uint32]$OperationTimeoutSec, [Parameter(ParameterSetName='ClassNameSessionSet', Mandatory, ValueFromPipeline)][Parameter(ParameterSetName='CimInstanceSessionSet', Mandatory, ValueFromPipeline)][Parameter(ParameterSetName='ResourceUriSessionSet', Mandatory, ValueFromPipeline)][Parameter(ParameterSetName='CimClassSessionSet', Mandatory, ValueFromPipeline)][Parameter(ParameterSetName='QuerySessionSet', Mandatory, ValueFromPipeline)][PSTypeName('Microsoft.Management.Infrastructure.CimSession')][psobject[]]$CimSession, [Parameter(ParameterSetName='ResourceUriComputerSet', Mandatory)][Parameter(ParameterSetName='CimInstanceSessionSet', ValueFromPipelineByPropertyName)][Parameter(ParameterSetName='CimInstanceComputerSet', ValueFromPipelineByPropertyName)][Parameter(ParameterSetName='ResourceUriSessionSet', Mandatory)][uri]$ResourceUri, [Parameter(ParameterSetName='CimInstanceSessionSet', Mandatory, Position=0, ValueFromPipeline)][Parameter(ParameterSetName='CimInstanceComputerSet', Mandatory, Position=0, ValueFromPipeline)][Alias('CimInstance')][PSTypeName('Microsoft.Management.Infrastructure.CimInstance')][psobject]$InputObject, [Parameter(ParameterSetName='CimClassComputerSet', Mandatory, Position=0, ValueFromPipeline)][Parameter(ParameterSetName='CimClassSessionSet', Mandatory, Position=0, ValueFromPipeline)][PSTypeName('Microsoft.Management.Infrastructure.CimClass')][psobject]$CimClass, [Parameter(ParameterSetName='QueryComputerSet', Mandatory, ValueFromPipelineByPropertyName)][Parameter(ParameterSetName='QuerySessionSet', Mandatory, ValueFromPipelineByPropertyName)][string]$Query, [Parameter(ParameterSetName='QueryComputerSet', ValueFromPipelineByPropertyName)][Parameter(ParameterSetName='QuerySessionSet', ValueFromPipelineByPropertyName)][string]$QueryDialect) process { Invoke-FakeCommand $PSCmdlet $true } }
function New-CimInstance { [CmdletBinding(DefaultParameterSetName='ClassNameComputerSet', SupportsShouldProcess)] param([Parameter(ParameterSetName='ClassNameComputerSet', Mandatory, Position=0, ValueFromPipelineByPropertyName)][Parameter(ParameterSetName='ClassNameSessionSet', Mandatory, Position=0, ValueFromPipelineByPropertyName)][string]$ClassName, [Parameter(ParameterSetName='ClassNameComputerSet', ValueFromPipelineByPropertyName)][Parameter(ParameterSetName='ClassNameSessionSet', ValueFromPipelineByPropertyName)][Parameter(ParameterSetName='ResourceUriSessionSet', ValueFromPipelineByPropertyName)][Parameter(ParameterSetName='ResourceUriComputerSet', ValueFromPipelineByPropertyName)][string[]]$Key, [Parameter(Position=1, ValueFromPipelineByPropertyName)][Alias('Arguments')][Collections.IDictionary]$Property, [Parameter(ParameterSetName='ClassNameComputerSet', ValueFromPipelineByPropertyName)][Parameter(ParameterSetName='ClassNameSessionSet', ValueFromPipelineByPropertyName)][Parameter(ParameterSetName='ResourceUriSessionSet', ValueFromPipelineByPropertyName)][Parameter(ParameterSetName='ResourceUriComputerSet', ValueFromPipelineByPropertyName)][string]$Namespace, [Alias('OT')][uint32]$OperationTimeoutSec, [Parameter(ParameterSetName='ClassNameComputerSet', ValueFromPipelineByPropertyName)][Parameter(ParameterSetName='ResourceUriComputerSet', ValueFromPipelineByPropertyName)][Parameter(ParameterSetName='CimClassComputerSet', ValueFromPipelineByPropertyName)][Alias('CN', 'ServerName')][string[]]$ComputerName, [Parameter(ParameterSetName='ClassNameComputerSet')][Parameter(ParameterSetName='ClassNameSessionSet')][Parameter(ParameterSetName='CimClassSessionSet')][Parameter(ParameterSetName='CimClassComputerSet')][Alias('Local')][switch]$ClientOnly, [Parameter(ParameterSetName='ClassNameSessionSet', Mandatory, ValueFromPipeline)][Parameter(ParameterSetName='ResourceUriSessionSet', Mandatory, ValueFromPipeline)][Parameter(ParameterSetName='CimClassSessionSet', Mandatory, ValueFromPipeline)][PSTypeName('Microsoft.Management.Infrastructure.CimSession')][psobject[]]$CimSession, [Parameter(ParameterSetName='ResourceUriSessionSet', Mandatory, ValueFromPipelineByPropertyName)][Parameter(ParameterSetName='ResourceUriComputerSet', Mandatory, ValueFromPipelineByPropertyName)][uri]$ResourceUri, [Parameter(ParameterSetName='CimClassSessionSet', Mandatory, Position=0, ValueFromPipeline)][Parameter(ParameterSetName='CimClassComputerSet', Mandatory, Position=0, ValueFromPipeline)][PSTypeName('Microsoft.Management.Infrastructure.CimClass')][psobject]$CimClass) process { Invoke-FakeCommand $PSCmdlet $true } }
function Add-VMAssignableDevice { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Add-VMAssignableDevice @args } else { Add-VMAssignableDevice @args } }
function Add-VMFibreChannelHba { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Add-VMFibreChannelHba @args } else { Add-VMFibreChannelHba @args } }
function Add-VMGpuPartitionAdapter { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Add-VMGpuPartitionAdapter @args } else { Add-VMGpuPartitionAdapter @args } }
function Add-VMGroupMember { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Add-VMGroupMember @args } else { Add-VMGroupMember @args } }
function Add-VMHostAssignableDevice { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Add-VMHostAssignableDevice @args } else { Add-VMHostAssignableDevice @args } }
function Add-VMMigrationNetwork { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Add-VMMigrationNetwork @args } else { Add-VMMigrationNetwork @args } }
function Add-VMNetworkAdapter { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Add-VMNetworkAdapter @args } else { Add-VMNetworkAdapter @args } }
function Add-VMNetworkAdapterAcl { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Add-VMNetworkAdapterAcl @args } else { Add-VMNetworkAdapterAcl @args } }
function Add-VMNetworkAdapterExtendedAcl { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Add-VMNetworkAdapterExtendedAcl @args } else { Add-VMNetworkAdapterExtendedAcl @args } }
function Add-VMNetworkAdapterRoutingDomainMapping { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Add-VMNetworkAdapterRoutingDomainMapping @args } else { Add-VMNetworkAdapterRoutingDomainMapping @args } }
function Add-VMRemoteFx3dVideoAdapter { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Add-VMRemoteFx3dVideoAdapter @args } else { Add-VMRemoteFx3dVideoAdapter @args } }
function Add-VMScsiController { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Add-VMScsiController @args } else { Add-VMScsiController @args } }
function Add-VMStoragePath { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Add-VMStoragePath @args } else { Add-VMStoragePath @args } }
function Add-VMSwitch { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Add-VMSwitch @args } else { Add-VMSwitch @args } }
function Add-VMSwitchExtensionPortFeature { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Add-VMSwitchExtensionPortFeature @args } else { Add-VMSwitchExtensionPortFeature @args } }
function Add-VMSwitchExtensionSwitchFeature { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Add-VMSwitchExtensionSwitchFeature @args } else { Add-VMSwitchExtensionSwitchFeature @args } }
function Add-VMSwitchTeamMember { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Add-VMSwitchTeamMember @args } else { Add-VMSwitchTeamMember @args } }
function Compare-VM { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Compare-VM @args } else { Compare-VM @args } }
function Complete-VMFailover { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Complete-VMFailover @args } else { Complete-VMFailover @args } }
function Connect-VMSan { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Connect-VMSan @args } else { Connect-VMSan @args } }
function Convert-VHD { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Convert-VHD @args } else { Convert-VHD @args } }
function Copy-VMFile { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Copy-VMFile @args } else { Copy-VMFile @args } }
function Debug-VM { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Debug-VM @args } else { Debug-VM @args } }
function Disable-VMConsoleSupport { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Disable-VMConsoleSupport @args } else { Disable-VMConsoleSupport @args } }
function Disable-VMEventing { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Disable-VMEventing @args } else { Disable-VMEventing @args } }
function Disable-VMIntegrationService { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Disable-VMIntegrationService @args } else { Disable-VMIntegrationService @args } }
function Disable-VMMigration { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Disable-VMMigration @args } else { Disable-VMMigration @args } }
function Disable-VMRemoteFXPhysicalVideoAdapter { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Disable-VMRemoteFXPhysicalVideoAdapter @args } else { Disable-VMRemoteFXPhysicalVideoAdapter @args } }
function Disable-VMResourceMetering { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Disable-VMResourceMetering @args } else { Disable-VMResourceMetering @args } }
function Disable-VMSwitchExtension { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Disable-VMSwitchExtension @args } else { Disable-VMSwitchExtension @args } }
function Disable-VMTPM { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Disable-VMTPM @args } else { Disable-VMTPM @args } }
function Disconnect-VMSan { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Disconnect-VMSan @args } else { Disconnect-VMSan @args } }
function Dismount-VHD { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Dismount-VHD @args } else { Dismount-VHD @args } }
function Dismount-VMHostAssignableDevice { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Dismount-VMHostAssignableDevice @args } else { Dismount-VMHostAssignableDevice @args } }
function Enable-VMConsoleSupport { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Enable-VMConsoleSupport @args } else { Enable-VMConsoleSupport @args } }
function Enable-VMEventing { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Enable-VMEventing @args } else { Enable-VMEventing @args } }
function Enable-VMMigration { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Enable-VMMigration @args } else { Enable-VMMigration @args } }
function Enable-VMRemoteFXPhysicalVideoAdapter { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Enable-VMRemoteFXPhysicalVideoAdapter @args } else { Enable-VMRemoteFXPhysicalVideoAdapter @args } }
function Enable-VMReplication { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Enable-VMReplication @args } else { Enable-VMReplication @args } }
function Enable-VMResourceMetering { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Enable-VMResourceMetering @args } else { Enable-VMResourceMetering @args } }
function Enable-VMSwitchExtension { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Enable-VMSwitchExtension @args } else { Enable-VMSwitchExtension @args } }
function Enable-VMTPM { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Enable-VMTPM @args } else { Enable-VMTPM @args } }
function Export-VM { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Export-VM @args } else { Export-VM @args } }
function Export-VMSnapshot { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Export-VMSnapshot @args } else { Export-VMSnapshot @args } }
function Get-VHDSet { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Get-VHDSet @args } else { Get-VHDSet @args } }
function Get-VHDSnapshot { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Get-VHDSnapshot @args } else { Get-VHDSnapshot @args } }
function Get-VMAssignableDevice { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Get-VMAssignableDevice @args } else { Get-VMAssignableDevice @args } }
function Get-VMBios { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Get-VMBios @args } else { Get-VMBios @args } }
function Get-VMComPort { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Get-VMComPort @args } else { Get-VMComPort @args } }
function Get-VMConnectAccess { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Get-VMConnectAccess @args } else { Get-VMConnectAccess @args } }
function Get-VMFibreChannelHba { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Get-VMFibreChannelHba @args } else { Get-VMFibreChannelHba @args } }
function Get-VMFloppyDiskDrive { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Get-VMFloppyDiskDrive @args } else { Get-VMFloppyDiskDrive @args } }
function Get-VMGpuPartitionAdapter { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Get-VMGpuPartitionAdapter @args } else { Get-VMGpuPartitionAdapter @args } }
function Get-VMGroup { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Get-VMGroup @args } else { Get-VMGroup @args } }
function Get-VMHostAssignableDevice { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Get-VMHostAssignableDevice @args } else { Get-VMHostAssignableDevice @args } }
function Get-VMHostCluster { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Get-VMHostCluster @args } else { Get-VMHostCluster @args } }
function Get-VMHostNumaNode { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Get-VMHostNumaNode @args } else { Get-VMHostNumaNode @args } }
function Get-VMHostNumaNodeStatus { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Get-VMHostNumaNodeStatus @args } else { Get-VMHostNumaNodeStatus @args } }
function Get-VMHostPartitionableGpu { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Get-VMHostPartitionableGpu @args } else { Get-VMHostPartitionableGpu @args } }
function Get-VMHostSupportedVersion { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Get-VMHostSupportedVersion @args } else { Get-VMHostSupportedVersion @args } }
function Get-VMIdeController { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Get-VMIdeController @args } else { Get-VMIdeController @args } }
function Get-VMKeyProtector { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Get-VMKeyProtector @args } else { Get-VMKeyProtector @args } }
function Get-VMMigrationNetwork { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Get-VMMigrationNetwork @args } else { Get-VMMigrationNetwork @args } }
function Get-VMNetworkAdapterAcl { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Get-VMNetworkAdapterAcl @args } else { Get-VMNetworkAdapterAcl @args } }
function Get-VMNetworkAdapterExtendedAcl { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Get-VMNetworkAdapterExtendedAcl @args } else { Get-VMNetworkAdapterExtendedAcl @args } }
function Get-VMNetworkAdapterFailoverConfiguration { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Get-VMNetworkAdapterFailoverConfiguration @args } else { Get-VMNetworkAdapterFailoverConfiguration @args } }
function Get-VMNetworkAdapterIsolation { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Get-VMNetworkAdapterIsolation @args } else { Get-VMNetworkAdapterIsolation @args } }
function Get-VMNetworkAdapterRoutingDomainMapping { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Get-VMNetworkAdapterRoutingDomainMapping @args } else { Get-VMNetworkAdapterRoutingDomainMapping @args } }
function Get-VMNetworkAdapterTeamMapping { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Get-VMNetworkAdapterTeamMapping @args } else { Get-VMNetworkAdapterTeamMapping @args } }
function Get-VMRemoteFx3dVideoAdapter { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Get-VMRemoteFx3dVideoAdapter @args } else { Get-VMRemoteFx3dVideoAdapter @args } }
function Get-VMRemoteFXPhysicalVideoAdapter { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Get-VMRemoteFXPhysicalVideoAdapter @args } else { Get-VMRemoteFXPhysicalVideoAdapter @args } }
function Get-VMReplication { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Get-VMReplication @args } else { Get-VMReplication @args } }
function Get-VMReplicationAuthorizationEntry { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Get-VMReplicationAuthorizationEntry @args } else { Get-VMReplicationAuthorizationEntry @args } }
function Get-VMReplicationServer { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Get-VMReplicationServer @args } else { Get-VMReplicationServer @args } }
function Get-VMResourcePool { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Get-VMResourcePool @args } else { Get-VMResourcePool @args } }
function Get-VMSan { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Get-VMSan @args } else { Get-VMSan @args } }
function Get-VMScsiController { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Get-VMScsiController @args } else { Get-VMScsiController @args } }
function Get-VMSecurity { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Get-VMSecurity @args } else { Get-VMSecurity @args } }
function Get-VMStoragePath { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Get-VMStoragePath @args } else { Get-VMStoragePath @args } }
function Get-VMSwitchExtension { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Get-VMSwitchExtension @args } else { Get-VMSwitchExtension @args } }
function Get-VMSwitchExtensionPortData { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Get-VMSwitchExtensionPortData @args } else { Get-VMSwitchExtensionPortData @args } }
function Get-VMSwitchExtensionPortFeature { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Get-VMSwitchExtensionPortFeature @args } else { Get-VMSwitchExtensionPortFeature @args } }
function Get-VMSwitchExtensionSwitchData { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Get-VMSwitchExtensionSwitchData @args } else { Get-VMSwitchExtensionSwitchData @args } }
function Get-VMSwitchExtensionSwitchFeature { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Get-VMSwitchExtensionSwitchFeature @args } else { Get-VMSwitchExtensionSwitchFeature @args } }
function Get-VMSwitchTeam { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Get-VMSwitchTeam @args } else { Get-VMSwitchTeam @args } }
function Get-VMSystemSwitchExtension { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Get-VMSystemSwitchExtension @args } else { Get-VMSystemSwitchExtension @args } }
function Get-VMSystemSwitchExtensionPortFeature { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Get-VMSystemSwitchExtensionPortFeature @args } else { Get-VMSystemSwitchExtensionPortFeature @args } }
function Get-VMSystemSwitchExtensionSwitchFeature { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Get-VMSystemSwitchExtensionSwitchFeature @args } else { Get-VMSystemSwitchExtensionSwitchFeature @args } }
function Get-VMVideo { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Get-VMVideo @args } else { Get-VMVideo @args } }
function Grant-VMConnectAccess { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Grant-VMConnectAccess @args } else { Grant-VMConnectAccess @args } }
function Import-VM { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Import-VM @args } else { Import-VM @args } }
function Import-VMInitialReplication { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Import-VMInitialReplication @args } else { Import-VMInitialReplication @args } }
function Measure-VM { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Measure-VM @args } else { Measure-VM @args } }
function Measure-VMReplication { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Measure-VMReplication @args } else { Measure-VMReplication @args } }
function Measure-VMResourcePool { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Measure-VMResourcePool @args } else { Measure-VMResourcePool @args } }
function Merge-VHD { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Merge-VHD @args } else { Merge-VHD @args } }
function Mount-VHD { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Mount-VHD @args } else { Mount-VHD @args } }
function Mount-VMHostAssignableDevice { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Mount-VMHostAssignableDevice @args } else { Mount-VMHostAssignableDevice @args } }
function Move-VM { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Move-VM @args } else { Move-VM @args } }
function Move-VMStorage { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Move-VMStorage @args } else { Move-VMStorage @args } }
function New-VFD { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | New-VFD @args } else { New-VFD @args } }
function New-VHD { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | New-VHD @args } else { New-VHD @args } }
function New-VMGroup { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | New-VMGroup @args } else { New-VMGroup @args } }
function New-VMReplicationAuthorizationEntry { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | New-VMReplicationAuthorizationEntry @args } else { New-VMReplicationAuthorizationEntry @args } }
function New-VMResourcePool { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | New-VMResourcePool @args } else { New-VMResourcePool @args } }
function New-VMSan { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | New-VMSan @args } else { New-VMSan @args } }
function New-VMSwitch { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | New-VMSwitch @args } else { New-VMSwitch @args } }
function Optimize-VHD { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Optimize-VHD @args } else { Optimize-VHD @args } }
function Optimize-VHDSet { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Optimize-VHDSet @args } else { Optimize-VHDSet @args } }
function Remove-VHDSnapshot { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Remove-VHDSnapshot @args } else { Remove-VHDSnapshot @args } }
function Remove-VMAssignableDevice { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Remove-VMAssignableDevice @args } else { Remove-VMAssignableDevice @args } }
function Remove-VMFibreChannelHba { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Remove-VMFibreChannelHba @args } else { Remove-VMFibreChannelHba @args } }
function Remove-VMGpuPartitionAdapter { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Remove-VMGpuPartitionAdapter @args } else { Remove-VMGpuPartitionAdapter @args } }
function Remove-VMGroup { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Remove-VMGroup @args } else { Remove-VMGroup @args } }
function Remove-VMGroupMember { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Remove-VMGroupMember @args } else { Remove-VMGroupMember @args } }
function Remove-VMHostAssignableDevice { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Remove-VMHostAssignableDevice @args } else { Remove-VMHostAssignableDevice @args } }
function Remove-VMMigrationNetwork { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Remove-VMMigrationNetwork @args } else { Remove-VMMigrationNetwork @args } }
function Remove-VMNetworkAdapter { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Remove-VMNetworkAdapter @args } else { Remove-VMNetworkAdapter @args } }
function Remove-VMNetworkAdapterAcl { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Remove-VMNetworkAdapterAcl @args } else { Remove-VMNetworkAdapterAcl @args } }
function Remove-VMNetworkAdapterExtendedAcl { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Remove-VMNetworkAdapterExtendedAcl @args } else { Remove-VMNetworkAdapterExtendedAcl @args } }
function Remove-VMNetworkAdapterRoutingDomainMapping { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Remove-VMNetworkAdapterRoutingDomainMapping @args } else { Remove-VMNetworkAdapterRoutingDomainMapping @args } }
function Remove-VMNetworkAdapterTeamMapping { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Remove-VMNetworkAdapterTeamMapping @args } else { Remove-VMNetworkAdapterTeamMapping @args } }
function Remove-VMRemoteFx3dVideoAdapter { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Remove-VMRemoteFx3dVideoAdapter @args } else { Remove-VMRemoteFx3dVideoAdapter @args } }
function Remove-VMReplication { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Remove-VMReplication @args } else { Remove-VMReplication @args } }
function Remove-VMReplicationAuthorizationEntry { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Remove-VMReplicationAuthorizationEntry @args } else { Remove-VMReplicationAuthorizationEntry @args } }
function Remove-VMResourcePool { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Remove-VMResourcePool @args } else { Remove-VMResourcePool @args } }
function Remove-VMSan { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Remove-VMSan @args } else { Remove-VMSan @args } }
function Remove-VMSavedState { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Remove-VMSavedState @args } else { Remove-VMSavedState @args } }
function Remove-VMScsiController { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Remove-VMScsiController @args } else { Remove-VMScsiController @args } }
function Remove-VMSnapshot { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Remove-VMSnapshot @args } else { Remove-VMSnapshot @args } }
function Remove-VMStoragePath { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Remove-VMStoragePath @args } else { Remove-VMStoragePath @args } }
function Remove-VMSwitch { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Remove-VMSwitch @args } else { Remove-VMSwitch @args } }
function Remove-VMSwitchExtensionPortFeature { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Remove-VMSwitchExtensionPortFeature @args } else { Remove-VMSwitchExtensionPortFeature @args } }
function Remove-VMSwitchExtensionSwitchFeature { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Remove-VMSwitchExtensionSwitchFeature @args } else { Remove-VMSwitchExtensionSwitchFeature @args } }
function Remove-VMSwitchTeamMember { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Remove-VMSwitchTeamMember @args } else { Remove-VMSwitchTeamMember @args } }
function Rename-VMGroup { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Rename-VMGroup @args } else { Rename-VMGroup @args } }
function Rename-VMNetworkAdapter { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Rename-VMNetworkAdapter @args } else { Rename-VMNetworkAdapter @args } }
function Rename-VMResourcePool { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Rename-VMResourcePool @args } else { Rename-VMResourcePool @args } }
function Rename-VMSan { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Rename-VMSan @args } else { Rename-VMSan @args } }
function Rename-VMSnapshot { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Rename-VMSnapshot @args } else { Rename-VMSnapshot @args } }
function Rename-VMSwitch { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Rename-VMSwitch @args } else { Rename-VMSwitch @args } }
function Repair-VM { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Repair-VM @args } else { Repair-VM @args } }
function Reset-VMReplicationStatistics { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Reset-VMReplicationStatistics @args } else { Reset-VMReplicationStatistics @args } }
function Reset-VMResourceMetering { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Reset-VMResourceMetering @args } else { Reset-VMResourceMetering @args } }
function Resize-VHD { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Resize-VHD @args } else { Resize-VHD @args } }
function Restore-VMSnapshot { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Restore-VMSnapshot @args } else { Restore-VMSnapshot @args } }
function Resume-VM { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Resume-VM @args } else { Resume-VM @args } }
function Resume-VMReplication { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Resume-VMReplication @args } else { Resume-VMReplication @args } }
function Revoke-VMConnectAccess { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Revoke-VMConnectAccess @args } else { Revoke-VMConnectAccess @args } }
function Save-VM { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Save-VM @args } else { Save-VM @args } }
function Set-VHD { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Set-VHD @args } else { Set-VHD @args } }
function Set-VMBios { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Set-VMBios @args } else { Set-VMBios @args } }
function Set-VMComPort { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Set-VMComPort @args } else { Set-VMComPort @args } }
function Set-VMFibreChannelHba { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Set-VMFibreChannelHba @args } else { Set-VMFibreChannelHba @args } }
function Set-VMFloppyDiskDrive { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Set-VMFloppyDiskDrive @args } else { Set-VMFloppyDiskDrive @args } }
function Set-VMGpuPartitionAdapter { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Set-VMGpuPartitionAdapter @args } else { Set-VMGpuPartitionAdapter @args } }
function Set-VMHardDiskDrive { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Set-VMHardDiskDrive @args } else { Set-VMHardDiskDrive @args } }
function Set-VMHost { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Set-VMHost @args } else { Set-VMHost @args } }
function Set-VMHostCluster { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Set-VMHostCluster @args } else { Set-VMHostCluster @args } }
function Set-VMHostPartitionableGpu { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Set-VMHostPartitionableGpu @args } else { Set-VMHostPartitionableGpu @args } }
function Set-VMKeyProtector { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Set-VMKeyProtector @args } else { Set-VMKeyProtector @args } }
function Set-VMMigrationNetwork { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Set-VMMigrationNetwork @args } else { Set-VMMigrationNetwork @args } }
function Set-VMNetworkAdapter { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Set-VMNetworkAdapter @args } else { Set-VMNetworkAdapter @args } }
function Set-VMNetworkAdapterFailoverConfiguration { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Set-VMNetworkAdapterFailoverConfiguration @args } else { Set-VMNetworkAdapterFailoverConfiguration @args } }
function Set-VMNetworkAdapterIsolation { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Set-VMNetworkAdapterIsolation @args } else { Set-VMNetworkAdapterIsolation @args } }
function Set-VMNetworkAdapterRoutingDomainMapping { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Set-VMNetworkAdapterRoutingDomainMapping @args } else { Set-VMNetworkAdapterRoutingDomainMapping @args } }
function Set-VMNetworkAdapterTeamMapping { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Set-VMNetworkAdapterTeamMapping @args } else { Set-VMNetworkAdapterTeamMapping @args } }
function Set-VMRemoteFx3dVideoAdapter { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Set-VMRemoteFx3dVideoAdapter @args } else { Set-VMRemoteFx3dVideoAdapter @args } }
function Set-VMReplication { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Set-VMReplication @args } else { Set-VMReplication @args } }
function Set-VMReplicationAuthorizationEntry { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Set-VMReplicationAuthorizationEntry @args } else { Set-VMReplicationAuthorizationEntry @args } }
function Set-VMReplicationServer { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Set-VMReplicationServer @args } else { Set-VMReplicationServer @args } }
function Set-VMResourcePool { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Set-VMResourcePool @args } else { Set-VMResourcePool @args } }
function Set-VMSan { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Set-VMSan @args } else { Set-VMSan @args } }
function Set-VMSecurity { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Set-VMSecurity @args } else { Set-VMSecurity @args } }
function Set-VMSecurityPolicy { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Set-VMSecurityPolicy @args } else { Set-VMSecurityPolicy @args } }
function Set-VMSwitch { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Set-VMSwitch @args } else { Set-VMSwitch @args } }
function Set-VMSwitchExtensionPortFeature { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Set-VMSwitchExtensionPortFeature @args } else { Set-VMSwitchExtensionPortFeature @args } }
function Set-VMSwitchExtensionSwitchFeature { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Set-VMSwitchExtensionSwitchFeature @args } else { Set-VMSwitchExtensionSwitchFeature @args } }
function Set-VMSwitchTeam { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Set-VMSwitchTeam @args } else { Set-VMSwitchTeam @args } }
function Set-VMVideo { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Set-VMVideo @args } else { Set-VMVideo @args } }
function Start-VMFailover { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Start-VMFailover @args } else { Start-VMFailover @args } }
function Start-VMInitialReplication { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Start-VMInitialReplication @args } else { Start-VMInitialReplication @args } }
function Start-VMTrace { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Start-VMTrace @args } else { Start-VMTrace @args } }
function Stop-VMFailover { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Stop-VMFailover @args } else { Stop-VMFailover @args } }
function Stop-VMInitialReplication { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Stop-VMInitialReplication @args } else { Stop-VMInitialReplication @args } }
function Stop-VMReplication { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Stop-VMReplication @args } else { Stop-VMReplication @args } }
function Stop-VMTrace { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Stop-VMTrace @args } else { Stop-VMTrace @args } }
function Suspend-VM { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Suspend-VM @args } else { Suspend-VM @args } }
function Suspend-VMReplication { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Suspend-VMReplication @args } else { Suspend-VMReplication @args } }
function Test-VHD { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Test-VHD @args } else { Test-VHD @args } }
function Test-VMNetworkAdapter { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Test-VMNetworkAdapter @args } else { Test-VMNetworkAdapter @args } }
function Test-VMReplicationConnection { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Test-VMReplicationConnection @args } else { Test-VMReplicationConnection @args } }
function Update-VMVersion { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Update-VMVersion @args } else { Update-VMVersion @args } }
function Add-ClusterCheckpoint { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Add-ClusterCheckpoint @args } else { Add-ClusterCheckpoint @args } }
function Add-ClusterDisk { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Add-ClusterDisk @args } else { Add-ClusterDisk @args } }
function Add-ClusterExcludedAdapter { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Add-ClusterExcludedAdapter @args } else { Add-ClusterExcludedAdapter @args } }
function Add-ClusterFileServerRole { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Add-ClusterFileServerRole @args } else { Add-ClusterFileServerRole @args } }
function Add-ClusterGenericApplicationRole { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Add-ClusterGenericApplicationRole @args } else { Add-ClusterGenericApplicationRole @args } }
function Add-ClusterGenericScriptRole { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Add-ClusterGenericScriptRole @args } else { Add-ClusterGenericScriptRole @args } }
function Add-ClusterGenericServiceRole { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Add-ClusterGenericServiceRole @args } else { Add-ClusterGenericServiceRole @args } }
function Add-ClusterGroup { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Add-ClusterGroup @args } else { Add-ClusterGroup @args } }
function Add-ClusterGroupSetDependency { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Add-ClusterGroupSetDependency @args } else { Add-ClusterGroupSetDependency @args } }
function Add-ClusterGroupToAffinityRule { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Add-ClusterGroupToAffinityRule @args } else { Add-ClusterGroupToAffinityRule @args } }
function Add-ClusterGroupToSet { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Add-ClusterGroupToSet @args } else { Add-ClusterGroupToSet @args } }
function Add-ClusteriSCSITargetServerRole { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Add-ClusteriSCSITargetServerRole @args } else { Add-ClusteriSCSITargetServerRole @args } }
function Add-ClusterNode { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Add-ClusterNode @args } else { Add-ClusterNode @args } }
function Add-ClusterResource { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Add-ClusterResource @args } else { Add-ClusterResource @args } }
function Add-ClusterResourceDependency { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Add-ClusterResourceDependency @args } else { Add-ClusterResourceDependency @args } }
function Add-ClusterResourceType { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Add-ClusterResourceType @args } else { Add-ClusterResourceType @args } }
function Add-ClusterScaleOutFileServerRole { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Add-ClusterScaleOutFileServerRole @args } else { Add-ClusterScaleOutFileServerRole @args } }
function Add-ClusterSharedVolume { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Add-ClusterSharedVolume @args } else { Add-ClusterSharedVolume @args } }
function Add-ClusterSharedVolumeToAffinityRule { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Add-ClusterSharedVolumeToAffinityRule @args } else { Add-ClusterSharedVolumeToAffinityRule @args } }
function Add-ClusterVMMonitoredItem { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Add-ClusterVMMonitoredItem @args } else { Add-ClusterVMMonitoredItem @args } }
function Add-WorkgroupClusterNode { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Add-WorkgroupClusterNode @args } else { Add-WorkgroupClusterNode @args } }
function Block-ClusterAccess { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Block-ClusterAccess @args } else { Block-ClusterAccess @args } }
function Clear-ClusterDiskReservation { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Clear-ClusterDiskReservation @args } else { Clear-ClusterDiskReservation @args } }
function Clear-ClusterNode { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Clear-ClusterNode @args } else { Clear-ClusterNode @args } }
function Disable-AccelNetManagement { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Disable-AccelNetManagement @args } else { Disable-AccelNetManagement @args } }
function Disable-AccelNetVM { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Disable-AccelNetVM @args } else { Disable-AccelNetVM @args } }
function Disable-ClusterStorageSpacesDirect { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Disable-ClusterStorageSpacesDirect @args } else { Disable-ClusterStorageSpacesDirect @args } }
function Enable-AccelNetManagement { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Enable-AccelNetManagement @args } else { Enable-AccelNetManagement @args } }
function Enable-AccelNetVM { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Enable-AccelNetVM @args } else { Enable-AccelNetVM @args } }
function Enable-ClusterStorageSpacesDirect { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Enable-ClusterStorageSpacesDirect @args } else { Enable-ClusterStorageSpacesDirect @args } }
function Get-AccelNetManagement { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Get-AccelNetManagement @args } else { Get-AccelNetManagement @args } }
function Get-AccelNetManagementPreReq { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Get-AccelNetManagementPreReq @args } else { Get-AccelNetManagementPreReq @args } }
function Get-AccelNetVM { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Get-AccelNetVM @args } else { Get-AccelNetVM @args } }
function Get-ClusterAccess { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Get-ClusterAccess @args } else { Get-ClusterAccess @args } }
function Get-ClusterAffinityRule { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Get-ClusterAffinityRule @args } else { Get-ClusterAffinityRule @args } }
function Get-ClusterAvailableDisk { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Get-ClusterAvailableDisk @args } else { Get-ClusterAvailableDisk @args } }
function Get-ClusterCheckpoint { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Get-ClusterCheckpoint @args } else { Get-ClusterCheckpoint @args } }
function Get-ClusterCredential { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Get-ClusterCredential @args } else { Get-ClusterCredential @args } }
function Get-ClusterDiagnosticInfo { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Get-ClusterDiagnosticInfo @args } else { Get-ClusterDiagnosticInfo @args } }
function Get-ClusterExcludedAdapter { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Get-ClusterExcludedAdapter @args } else { Get-ClusterExcludedAdapter @args } }
function Get-ClusterFaultDomain { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Get-ClusterFaultDomain @args } else { Get-ClusterFaultDomain @args } }
function Get-ClusterFaultDomainXML { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Get-ClusterFaultDomainXML @args } else { Get-ClusterFaultDomainXML @args } }
function Get-ClusterGroupSet { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Get-ClusterGroupSet @args } else { Get-ClusterGroupSet @args } }
function Get-ClusterGroupSetDependency { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Get-ClusterGroupSetDependency @args } else { Get-ClusterGroupSetDependency @args } }
function Get-ClusterLog { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Get-ClusterLog @args } else { Get-ClusterLog @args } }
function Get-ClusterNetwork { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Get-ClusterNetwork @args } else { Get-ClusterNetwork @args } }
function Get-ClusterNetworkInterface { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Get-ClusterNetworkInterface @args } else { Get-ClusterNetworkInterface @args } }
function Get-ClusterOwnerNode { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Get-ClusterOwnerNode @args } else { Get-ClusterOwnerNode @args } }
function Get-ClusterParameter { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Get-ClusterParameter @args } else { Get-ClusterParameter @args } }
function Get-ClusterQuorum { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Get-ClusterQuorum @args } else { Get-ClusterQuorum @args } }
function Get-ClusterResource { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Get-ClusterResource @args } else { Get-ClusterResource @args } }
function Get-ClusterResourceDependency { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Get-ClusterResourceDependency @args } else { Get-ClusterResourceDependency @args } }
function Get-ClusterResourceDependencyReport { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Get-ClusterResourceDependencyReport @args } else { Get-ClusterResourceDependencyReport @args } }
function Get-ClusterResourceType { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Get-ClusterResourceType @args } else { Get-ClusterResourceType @args } }
function Get-ClusterSharedVolumeState { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Get-ClusterSharedVolumeState @args } else { Get-ClusterSharedVolumeState @args } }
function Get-ClusterStorageSpacesDirect { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Get-ClusterStorageSpacesDirect @args } else { Get-ClusterStorageSpacesDirect @args } }
function Get-ClusterVMMonitoredItem { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Get-ClusterVMMonitoredItem @args } else { Get-ClusterVMMonitoredItem @args } }
function Get-VMAdaptersConnectedToEnabledIntentSwitch { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Get-VMAdaptersConnectedToEnabledIntentSwitch @args } else { Get-VMAdaptersConnectedToEnabledIntentSwitch @args } }
function Grant-ClusterAccess { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Grant-ClusterAccess @args } else { Grant-ClusterAccess @args } }
function Move-ClusterGroup { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Move-ClusterGroup @args } else { Move-ClusterGroup @args } }
function Move-ClusterResource { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Move-ClusterResource @args } else { Move-ClusterResource @args } }
function Move-ClusterSharedVolume { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Move-ClusterSharedVolume @args } else { Move-ClusterSharedVolume @args } }
function New-Cluster { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | New-Cluster @args } else { New-Cluster @args } }
function New-ClusterAffinityRule { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | New-ClusterAffinityRule @args } else { New-ClusterAffinityRule @args } }
function New-ClusterFaultDomain { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | New-ClusterFaultDomain @args } else { New-ClusterFaultDomain @args } }
function New-ClusterGroupSet { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | New-ClusterGroupSet @args } else { New-ClusterGroupSet @args } }
function New-ClusterNameAccount { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | New-ClusterNameAccount @args } else { New-ClusterNameAccount @args } }
function New-WorkgroupCluster { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | New-WorkgroupCluster @args } else { New-WorkgroupCluster @args } }
function Remove-Cluster { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Remove-Cluster @args } else { Remove-Cluster @args } }
function Remove-ClusterAccess { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Remove-ClusterAccess @args } else { Remove-ClusterAccess @args } }
function Remove-ClusterAffinityRule { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Remove-ClusterAffinityRule @args } else { Remove-ClusterAffinityRule @args } }
function Remove-ClusterCheckpoint { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Remove-ClusterCheckpoint @args } else { Remove-ClusterCheckpoint @args } }
function Remove-ClusterExcludedAdapter { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Remove-ClusterExcludedAdapter @args } else { Remove-ClusterExcludedAdapter @args } }
function Remove-ClusterFaultDomain { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Remove-ClusterFaultDomain @args } else { Remove-ClusterFaultDomain @args } }
function Remove-ClusterGroupFromAffinityRule { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Remove-ClusterGroupFromAffinityRule @args } else { Remove-ClusterGroupFromAffinityRule @args } }
function Remove-ClusterGroupFromSet { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Remove-ClusterGroupFromSet @args } else { Remove-ClusterGroupFromSet @args } }
function Remove-ClusterGroupSet { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Remove-ClusterGroupSet @args } else { Remove-ClusterGroupSet @args } }
function Remove-ClusterGroupSetDependency { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Remove-ClusterGroupSetDependency @args } else { Remove-ClusterGroupSetDependency @args } }
function Remove-ClusterNode { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Remove-ClusterNode @args } else { Remove-ClusterNode @args } }
function Remove-ClusterResource { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Remove-ClusterResource @args } else { Remove-ClusterResource @args } }
function Remove-ClusterResourceDependency { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Remove-ClusterResourceDependency @args } else { Remove-ClusterResourceDependency @args } }
function Remove-ClusterResourceType { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Remove-ClusterResourceType @args } else { Remove-ClusterResourceType @args } }
function Remove-ClusterSharedVolume { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Remove-ClusterSharedVolume @args } else { Remove-ClusterSharedVolume @args } }
function Remove-ClusterSharedVolumeFromAffinityRule { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Remove-ClusterSharedVolumeFromAffinityRule @args } else { Remove-ClusterSharedVolumeFromAffinityRule @args } }
function Remove-ClusterVMMonitoredItem { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Remove-ClusterVMMonitoredItem @args } else { Remove-ClusterVMMonitoredItem @args } }
function Remove-WorkgroupCluster { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Remove-WorkgroupCluster @args } else { Remove-WorkgroupCluster @args } }
function Remove-WorkgroupClusterNode { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Remove-WorkgroupClusterNode @args } else { Remove-WorkgroupClusterNode @args } }
function Repair-ClusterNameAccount { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Repair-ClusterNameAccount @args } else { Repair-ClusterNameAccount @args } }
function Repair-ClusterStorageSpacesDirect { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Repair-ClusterStorageSpacesDirect @args } else { Repair-ClusterStorageSpacesDirect @args } }
function Reset-ClusterVMMonitoredState { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Reset-ClusterVMMonitoredState @args } else { Reset-ClusterVMMonitoredState @args } }
function Resume-ClusterNode { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Resume-ClusterNode @args } else { Resume-ClusterNode @args } }
function Resume-ClusterResource { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Resume-ClusterResource @args } else { Resume-ClusterResource @args } }
function Set-AccelNetManagement { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Set-AccelNetManagement @args } else { Set-AccelNetManagement @args } }
function Set-AccelNetVM { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Set-AccelNetVM @args } else { Set-AccelNetVM @args } }
function Set-ClusterAffinityRule { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Set-ClusterAffinityRule @args } else { Set-ClusterAffinityRule @args } }
function Set-ClusterExcludedAdapter { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Set-ClusterExcludedAdapter @args } else { Set-ClusterExcludedAdapter @args } }
function Set-ClusterFaultDomain { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Set-ClusterFaultDomain @args } else { Set-ClusterFaultDomain @args } }
function Set-ClusterFaultDomainXML { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Set-ClusterFaultDomainXML @args } else { Set-ClusterFaultDomainXML @args } }
function Set-ClusterGroupSet { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Set-ClusterGroupSet @args } else { Set-ClusterGroupSet @args } }
function Set-ClusterLog { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Set-ClusterLog @args } else { Set-ClusterLog @args } }
function Set-ClusterOwnerNode { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Set-ClusterOwnerNode @args } else { Set-ClusterOwnerNode @args } }
function Set-ClusterParameter { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Set-ClusterParameter @args } else { Set-ClusterParameter @args } }
function Set-ClusterQuorum { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Set-ClusterQuorum @args } else { Set-ClusterQuorum @args } }
function Set-ClusterResourceDependency { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Set-ClusterResourceDependency @args } else { Set-ClusterResourceDependency @args } }
function Set-ClusterStorageSpacesDirect { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Set-ClusterStorageSpacesDirect @args } else { Set-ClusterStorageSpacesDirect @args } }
function Set-ClusterStorageSpacesDirectDisk { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Set-ClusterStorageSpacesDirectDisk @args } else { Set-ClusterStorageSpacesDirectDisk @args } }
function Set-WorkgroupClusterRemotingConfiguration { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Set-WorkgroupClusterRemotingConfiguration @args } else { Set-WorkgroupClusterRemotingConfiguration @args } }
function Start-Cluster { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Start-Cluster @args } else { Start-Cluster @args } }
function Start-ClusterGroup { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Start-ClusterGroup @args } else { Start-ClusterGroup @args } }
function Start-ClusterNode { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Start-ClusterNode @args } else { Start-ClusterNode @args } }
function Start-ClusterResource { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Start-ClusterResource @args } else { Start-ClusterResource @args } }
function Stop-Cluster { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Stop-Cluster @args } else { Stop-Cluster @args } }
function Stop-ClusterGroup { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Stop-ClusterGroup @args } else { Stop-ClusterGroup @args } }
function Stop-ClusterNode { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Stop-ClusterNode @args } else { Stop-ClusterNode @args } }
function Stop-ClusterResource { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Stop-ClusterResource @args } else { Stop-ClusterResource @args } }
function Suspend-ClusterNode { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Suspend-ClusterNode @args } else { Suspend-ClusterNode @args } }
function Suspend-ClusterResource { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Suspend-ClusterResource @args } else { Suspend-ClusterResource @args } }
function Test-Cluster { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Test-Cluster @args } else { Test-Cluster @args } }
function Test-ClusterResourceFailure { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Test-ClusterResourceFailure @args } else { Test-ClusterResourceFailure @args } }
function Test-WorkgroupCluster { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Test-WorkgroupCluster @args } else { Test-WorkgroupCluster @args } }
function Test-WorkgroupClusterRemoting { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Test-WorkgroupClusterRemoting @args } else { Test-WorkgroupClusterRemoting @args } }
function Update-ClusterFunctionalLevel { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Update-ClusterFunctionalLevel @args } else { Update-ClusterFunctionalLevel @args } }
function Update-ClusterIPResource { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Update-ClusterIPResource @args } else { Update-ClusterIPResource @args } }
function Update-ClusterNetworkNameResource { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Update-ClusterNetworkNameResource @args } else { Update-ClusterNetworkNameResource @args } }
function Update-ClusterVirtualMachineConfiguration { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Update-ClusterVirtualMachineConfiguration @args } else { Update-ClusterVirtualMachineConfiguration @args } }
function Export-BinaryMiLog { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Export-BinaryMiLog @args } else { Export-BinaryMiLog @args } }
function Get-CimClass { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Get-CimClass @args } else { Get-CimClass @args } }
function Get-CimSession { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Get-CimSession @args } else { Get-CimSession @args } }
function Import-BinaryMiLog { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Import-BinaryMiLog @args } else { Import-BinaryMiLog @args } }
function New-CimSession { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | New-CimSession @args } else { New-CimSession @args } }
function New-CimSessionOption { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | New-CimSessionOption @args } else { New-CimSessionOption @args } }
function Register-CimIndicationEvent { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Register-CimIndicationEvent @args } else { Register-CimIndicationEvent @args } }
function Remove-CimInstance { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Remove-CimInstance @args } else { Remove-CimInstance @args } }
function Remove-CimSession { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Remove-CimSession @args } else { Remove-CimSession @args } }
function Set-CimInstance { Import-FakeRest; if ($MyInvocation.ExpectingInput) { $input | Set-CimInstance @args } else { Set-CimInstance @args } }
Set-Alias -Name gcai -Value Get-CimAssociatedInstance
Set-Alias -Name gcls -Value Get-CimClass
Set-Alias -Name gcim -Value Get-CimInstance
Set-Alias -Name gcms -Value Get-CimSession
Set-Alias -Name icim -Value Invoke-CimMethod
Set-Alias -Name ncim -Value New-CimInstance
Set-Alias -Name ncms -Value New-CimSession
Set-Alias -Name ncso -Value New-CimSessionOption
Set-Alias -Name rcie -Value Register-CimIndicationEvent
Set-Alias -Name rcim -Value Remove-CimInstance
Set-Alias -Name rcms -Value Remove-CimSession
Set-Alias -Name scim -Value Set-CimInstance
Export-ModuleMember -Function *-* -Alias *
