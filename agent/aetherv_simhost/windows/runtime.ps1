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
