"""Items of Hyper-V's data exchange: their CIM-XML, and calls told apart, with WMI recorded by stubs of the tests."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from typing import Any

HOSTILE = [
    "plain", "a'b\"c", "<&>]]>", "]]><VALUE>x</VALUE>", "$(Get-Item x)`n", "%TEMP%", "p\u00e4\u00df \U0001f600\u2028",
    "tab\tnew\nline\rend", " blanks  ", "*?[a]", "&amp;&#10;", "x" * 3000, "",
]  # fmt: skip
# One VM whose items are kept here; Add and Modify refuse as WMI does. Every second call answers with a job.
FAKE_WMI = """
$global:Items = @{}
$global:Calls = New-Object -TypeName 'System.Collections.Generic.List[string]'
$global:Off = $false
function global:Get-CimInstance {
    param($Namespace, $ClassName, $Filter, $InputObject)
    if ($null -ne $InputObject) { return [pscustomobject]@{ JobState = 7; ErrorCode = $InputObject.Code } }
    switch ($ClassName) {
        'Msvm_VirtualSystemManagementService' { [pscustomobject]@{ Name = 'vmms' } }
        'Msvm_ComputerSystem' { [pscustomobject]@{ Name = '3F2504E0-4F89-11D3-9A0C-0305E82C3301'; ElementName = 'n'; EnabledState = 2; HealthState = 5 } }
        'Msvm_KvpExchangeComponentSettingData' {
            $texts = if ($global:Off) { $null } else { @(foreach ($n in $global:Items.Keys) { ConvertTo-KvpItemXml -Name $n -Data $global:Items[$n] }) }
            [pscustomobject]@{ HostExchangeItems = $texts }
        }
    }
}
function global:Invoke-CimMethod {
    param($InputObject, $MethodName, $Arguments)
    $given = ConvertFrom-KvpItemXml -Items $Arguments['DataItems']
    $global:Calls.Add("$MethodName $($given.Count)")
    $code = 0
    foreach ($name in $given.Keys) { if ($global:Items.ContainsKey($name) -eq ($MethodName -eq 'AddKvpItems')) { $code = 32773 } }
    if ($given.Count -gt 128 -or $given.Count -eq 0) { $code = 32773 }
    if ($code -eq 0) {
        foreach ($name in @($given.Keys)) { if ($MethodName -eq 'RemoveKvpItems') { $global:Items.Remove($name) } else { $global:Items[$name] = $given[$name] } }
    }
    if ($global:Calls.Count % 2) { return [pscustomobject]@{ ReturnValue = [uint32] 4096; Job = [pscustomobject]@{ Code = $code } } }
    return [pscustomobject]@{ ReturnValue = [uint32] $code; Job = $null }
}
$vm = '3f2504e0-4f89-11d3-9a0c-0305e82c3301'
"""


def test_items_are_escaped_for_any_xml_reader(pwsh: Any) -> None:
    """Hostile names and values are text to another XML reader and come back as they were."""
    script = """
    foreach ($text in $data) {
        $name = if ($text) { $text } else { 'n' }
        $xml = ConvertTo-KvpItemXml -Name $name -Data $text
        $back = ConvertFrom-KvpItemXml -Items @($xml)
        Write-Answer @($xml, $back[$name])
    }
    foreach ($bad in [string] [char] 0, "a$([char] 11)b", [string] [char] 0xfffe) { Write-Answer (Get-Failure { ConvertTo-KvpItemXml -Name n -Data $bad }) }
    """
    *answers, first, second, third = pwsh.answers(script, HOSTILE)
    for text, (xml, back) in zip(HOSTILE, answers, strict=True):
        root = ET.fromstring(xml)
        found = {p.attrib["NAME"]: p.findtext("VALUE") or "" for p in root}
        assert root.attrib == {"CLASSNAME": "Msvm_KvpExchangeDataItem"}
        assert found == {"Name": text or "n", "Data": text, "Source": "0"}
        assert back == text
    assert [a and a["id"] for a in (first, second, third)] == ["KVP_FAILED"] * 3


def test_what_a_host_answers_is_read(pwsh: Any) -> None:
    """Captured texts with empty inherited properties are read; a broken one hides no other; the last of a name wins."""
    captured = (
        '<INSTANCE CLASSNAME="Msvm_KvpExchangeDataItem"><PROPERTY NAME="Caption" PROPAGATED="true" TYPE="string"></PROPERTY>'
        '<PROPERTY NAME="Data" TYPE="string"><VALUE>AUTOBVT-4OVYXAB</VALUE></PROPERTY><PROPERTY NAME="Description" '
        'PROPAGATED="true" TYPE="string"></PROPERTY><PROPERTY NAME="ElementName" PROPAGATED="true" TYPE="string"></PROPERTY>'
        '<PROPERTY NAME="Name" TYPE="string"><VALUE>FullyQualifiedDomainName</VALUE></PROPERTY><PROPERTY NAME="Source" '
        'TYPE="uint16"><VALUE>2</VALUE></PROPERTY></INSTANCE>'
    )
    entity = '<!DOCTYPE x [<!ENTITY y SYSTEM "file:///etc/passwd">]><INSTANCE>&y;</INSTANCE>'
    later = captured.replace("AUTOBVT-4OVYXAB", "later")
    script = "foreach ($items in $data) { $f = ConvertFrom-KvpItemXml -Items $items; Write-Answer @($f.Count, $f['FullyQualifiedDomainName']) }"
    data = [[captured], ["<broken", "", captured, entity], [captured, later]]
    assert pwsh.answers(script, data) == [[1, "AUTOBVT-4OVYXAB"], [1, "AUTOBVT-4OVYXAB"], [1, "later"]]


def test_add_and_modify_are_told_apart_and_tried_again(pwsh: Any) -> None:
    """Items that exist are modified, new ones added, in calls of at most 128; 32773 is answered by reading again."""
    script = (
        FAKE_WMI
        + """
    Set-KvpItem -VmId $vm -Items ([ordered]@{ a = '1'; b = '2' })
    Set-KvpItem -VmId $vm -Items ([ordered]@{ b = '3'; c = '4' })
    Write-Answer @($global:Calls.ToArray())
    $many = [ordered]@{}
    for ($i = 0; $i -lt 200; $i++) { $many["hlvmm.data.k$i"] = "v$i" }
    $global:Calls.Clear()
    Set-KvpItem -VmId $vm -Items $many
    Set-KvpItem -VmId $vm -Items @{ 'hlvmm.meta.shared_aes_key' = 'k' }
    Write-Answer @($global:Calls.ToArray())
    $global:Calls.Clear()
    Clear-KvpSecret -VmId $vm
    Write-Answer @(@($global:Calls.ToArray()) + @($global:Items.Keys | Sort-Object))
    $global:Off = $true
    Set-KvpBlind -VmId $vm -Name a -Value 'over'
    Set-KvpBlind -VmId $vm -Name z -Value 'new'
    Set-KvpItem -VmId $vm -Items @{ b = 'unread' }
    Write-Answer @($global:Items['a'], $global:Items['z'], $global:Items['b'])
    """
    )
    assert pwsh.answers(script) == [
        ["AddKvpItems 2", "ModifyKvpItems 1", "AddKvpItems 1"],
        ["AddKvpItems 128", "AddKvpItems 72", "AddKvpItems 1"],
        ["RemoveKvpItems 128", "RemoveKvpItems 73", "a", "b", "c"],
        ["over", "new", "unread"],
    ]


def test_every_return_value_is_looked_at(pwsh: Any) -> None:
    """A code that is neither 0 nor 4096, and a job that ended with an error, are KVP_FAILED with the code."""
    script = (
        FAKE_WMI
        + """
    function global:Invoke-CimMethod { [pscustomobject]@{ ReturnValue = [uint32] $global:Code; Job = [pscustomobject]@{ Code = $global:JobCode } } }
    foreach ($pair in @(32775, 0), @(4096, 32768), @(4096, 32773), @(1, 0)) {
        $global:Code, $global:JobCode = $pair
        Write-Answer (Get-Failure { Set-KvpItem -VmId $vm -Items @{ a = '1' } })
    }
    """
    )
    answers = pwsh.answers(script)
    assert [a and a["id"] for a in answers] == ["KVP_FAILED"] * 4
    assert [code for code, a in zip(("32775", "32768", "32773", "1"), answers, strict=True) if code in a["message"]] == [
        "32775", "32768", "32773", "1",
    ]  # fmt: skip


def test_no_rows_is_not_nothing_there(pwsh: Any) -> None:
    """Where WMI shows no row, a VM is absent only if Hyper-V's service and the host's own system are visible."""
    script = """
    function global:Get-CimInstance {
        param($Namespace, $ClassName, $Filter)
        if ($Filter -or $global:Blind) { return }
        [pscustomobject]@{ Name = 'HOST1'; ElementName = 'HOST1' }
    }
    $global:Blind = $true
    Write-Answer (Get-Failure { Get-VmSystem -Id '3f2504e0-4f89-11d3-9a0c-0305e82c3301' })
    $global:Blind = $false
    Write-Answer @(($null -eq (Get-VmSystem -Id '3f2504e0-4f89-11d3-9a0c-0305e82c3301')), ($null -eq (Get-VmSystem -Id "x' OR Name LIKE '%")))
    & (Import-Module -Name (Join-Path $env:HOST_SCRIPTS 'AetherV.HyperV.psm1') -PassThru) { function script:Test-DenyOnlyAdministrator { $true } }
    $global:Blind = $true
    Write-Answer (Get-Failure { Get-HyperVView })
    """
    blind, absent, unelevated = pwsh.answers(script)
    assert blind["id"] == "HYPERV_NOT_VISIBLE"
    assert absent == [True, True]
    assert unelevated["id"] == "NOT_ELEVATED"
