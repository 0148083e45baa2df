"""Data Exchange through the CIM cmdlets: return values, jobs, and what can be read when."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support.pwsh_site import EDITIONS, Console, console

HELPERS = r"""
function global:Item([string] $Name, [string] $Value) {
    $escape = { param($t) [Security.SecurityElement]::Escape($t) }
    '<INSTANCE CLASSNAME="Msvm_KvpExchangeDataItem"><PROPERTY NAME="Data" TYPE="string"><VALUE>{0}</VALUE></PROPERTY><PROPERTY NAME="Name" TYPE="string"><VALUE>{1}</VALUE></PROPERTY><PROPERTY NAME="Source" TYPE="uint16"><VALUE>0</VALUE></PROPERTY></INSTANCE>' -f (& $escape $Value), (& $escape $Name)
}
function global:Change([string] $Method, [string[]] $Items) {
    $space = 'root\virtualization\v2'
    $service = Get-CimInstance -Namespace $space -ClassName Msvm_VirtualSystemManagementService
    $system = Get-CimInstance -Namespace $space -ClassName Msvm_ComputerSystem -Filter "Name = '$($vm.Id.ToString().ToUpper())'"
    $result = Invoke-CimMethod -InputObject $service -MethodName $Method -Arguments @{ TargetSystem = $system; DataItems = $Items }
    if ($result.ReturnValue -ne 4096) { return [int]$result.ReturnValue }
    do { Start-Sleep -Milliseconds 10; $job = Get-CimInstance -InputObject $result.Job } while ($job.JobState -lt 7)
    [int]$job.ErrorCode
}
function global:Items {
    $set = Get-CimInstance -Namespace root/virtualization/v2 -Query "SELECT * FROM Msvm_KvpExchangeComponentSettingData WHERE InstanceID LIKE 'Microsoft:$($vm.Id)\\%'"
    if ($null -eq $set.HostExchangeItems) { return }
    $found = [ordered]@{}
    foreach ($text in $set.HostExchangeItems) {
        $properties = ([xml]$text).INSTANCE.PROPERTY
        $found[[string]($properties | ? NAME -eq Name).VALUE] = [string]($properties | ? NAME -eq Data).VALUE
    }
    $found
}
$global:vm = New-VM -Name kvp -MemoryStartupBytes 1GB -Generation 2
"""


@pytest.fixture(
    scope="module",
    params=[(edition, share) for edition in EDITIONS for share in (0.0, 1.0)],
    ids=lambda p: f"{p[0]}-{'jobs' if p[1] else 'codes'}",
)
def kvp(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Console]:
    """A shell with a running VM, where the service answers with codes alone or with jobs alone."""
    edition, share = request.param
    settings = {"job_share": share, "job_seconds": 0.03}
    with console(tmp_path_factory.mktemp("kvp"), edition, pwsh=settings) as opened:
        assert opened.run(HELPERS).errors == []
        opened.run("Start-VM -VM $vm")
        yield opened


def change(shell: Console, method: str, *items: tuple[str, str]) -> int:
    """Calls a method with items and gives the code that it ended with."""
    made = ", ".join(f"(Item '{name}' '{value}')" for name, value in items)
    return int(shell.value(f"Change {method} @({made})"))


def test_add_modify_and_remove(kvp: Console) -> None:
    """Add of a new item, Modify of one that is there and Remove of one by its name succeed, by code or by job."""
    assert change(kvp, "AddKvpItems", ("a.one", "1 < 2 & 3"), ("a.two", "")) == 0
    assert change(kvp, "ModifyKvpItems", ("a.one", "changed ]]> \u00e4\U0001f600")) == 0
    assert kvp.value("Items") == {"a.one": "changed ]]> \u00e4\U0001f600", "a.two": ""}
    assert change(kvp, "RemoveKvpItems", ("a.one", ""), ("a.two", "")) == 0
    assert kvp.value("$null -eq (Items)") is True


@pytest.mark.parametrize(
    ("method", "items"),
    [
        ("AddKvpItems", [("b.there", "x")]),
        ("ModifyKvpItems", [("b.absent", "x")]),
        ("RemoveKvpItems", [("b.absent", "")]),
        ("AddKvpItems", [("b.new", "x"), ("b.there", "x")]),
        ("AddKvpItems", [("b.twice", "x"), ("b.twice", "y")]),
        ("AddKvpItems", [("b.long", "x" * 1023)]),
        ("AddKvpItems", [(f"b.{number}", "x") for number in range(129)]),
    ],
    ids=["exists", "modify absent", "remove absent", "one bad of two", "twice", "too long", "129 items"],
)
def test_a_bad_item_fails_the_whole_call(kvp: Console, method: str, items: list[tuple[str, str]]) -> None:
    """One bad item gives 32773, as the method's value or as its job's error, and nothing of the call is done."""
    there = kvp.value("Items") or {}
    if "b.there" not in there:
        assert change(kvp, "AddKvpItems", ("b.there", "first")) == 0
    before = kvp.value("Items")
    assert change(kvp, method, *items) == 32773
    assert kvp.value("Items") == before


@pytest.mark.parametrize(
    "text",
    [
        "no xml",
        "<INSTANCE CLASSNAME='Other'/>",
        '<INSTANCE CLASSNAME="Msvm_KvpExchangeDataItem"><PROPERTY NAME="Name" TYPE="string"><VALUE>x</VALUE></PROPERTY></INSTANCE>',
    ],
    ids=["no xml", "another class", "no source"],
)
def test_text_that_is_no_item_is_an_invalid_parameter(kvp: Console, text: str) -> None:
    """DataItems that are no Msvm_KvpExchangeDataItem of source 0 give 32773."""
    assert int(kvp.value(f"Change AddKvpItems @('{text.replace(chr(39), chr(39) * 2)}')")) == 32773


def test_items_of_a_vm_that_is_off_cannot_be_read(tmp_path: Path) -> None:
    """While a VM is off its items read as none, and an Add of one that exists is still refused."""
    with console(tmp_path, pwsh={"job_share": 0.0}) as shell:
        shell.run(HELPERS)
        assert change(shell, "AddKvpItems", ("c", "1")) == 0
        assert shell.value("$null -eq (Items)") is True
        assert change(shell, "AddKvpItems", ("c", "1")) == 32773
        shell.run("Start-VM -VM $vm")
        assert shell.value("Items") == {"c": "1"}


def test_both_ways_come_by_seed(tmp_path: Path) -> None:
    """With a share between none and all, a seed gives both codes and jobs, and the same ones again."""

    def answers(folder: str) -> list[int]:
        with console(tmp_path / folder, pwsh={"job_share": 0.5, "seed": 7, "job_seconds": 0.0}) as shell:
            shell.run(HELPERS)
            found: Any = shell.value(
                "$s = Get-CimInstance -Namespace root/virtualization/v2 Msvm_VirtualSystemManagementService;"
                "$c = Get-CimInstance -Namespace root/virtualization/v2 Msvm_ComputerSystem | ? ElementName -eq kvp;"
                "1..10 | % { [int](Invoke-CimMethod -InputObject $s -MethodName AddKvpItems"
                ' -Arguments @{ TargetSystem = $c; DataItems = [string[]]@(Item "k$_" x) }).ReturnValue }'
            )
            return [int(code) for code in found]

    first = answers("a")
    assert set(first) == {0, 4096}
    assert answers("b") == first
