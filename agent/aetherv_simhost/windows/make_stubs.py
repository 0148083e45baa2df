"""Writes the module FakeHyperV from the tables: one advanced function per documented command, and the part written by hand.

Run as ``python -m aetherv_simhost.windows.make_stubs`` after a change of a table or of ``runtime.ps1``; a test holds the
checked-in module to be fresh.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from aetherv_simhost.windows.documented import table
from aetherv_simhost.windows.registry import COMMANDS

HERE: Final = Path(__file__).parent
MODULE: Final = HERE / "FakeHyperV.psm1"
REST: Final = HERE / "FakeHyperV.Rest.ps1"
MODULES: Final = ("Hyper-V", "FailoverClusters", "CimCmdlets")
_PLAIN: Final = {
    "Boolean": "bool",
    "Byte": "byte",
    "CultureInfo": "cultureinfo",
    "DateTime": "datetime",
    "Guid": "guid",
    "Hashtable": "hashtable",
    "IDictionary": "Collections.IDictionary",
    "Int16": "int16",
    "Int32": "int",
    "Int64": "long",
    "Object": "object",
    "PSCredential": "pscredential",
    "PSObject": "psobject",
    "ScriptBlock": "scriptblock",
    "String": "string",
    "StringCollection": "string[]",
    "SwitchParameter": "switch",
    "TimeSpan": "timespan",
    "UInt16": "uint16",
    "UInt32": "uint32",
    "UInt64": "uint64",
    "Uri": "uri",
    "Version": "version",
}
_INFRASTRUCTURE: Final = "Microsoft.Management.Infrastructure."
_SPACES: Final = {
    "Hyper-V": "Microsoft.HyperV.PowerShell.",
    "FailoverClusters": "Microsoft.FailoverClusters.PowerShell.",
    "CimCmdlets": _INFRASTRUCTURE,
}
_DISK_TYPES: Final = frozenset({"VhdType", "VhdFormat", "VhdCompactMode", "VHDSnapshotInfo"})
_PIPELINE: Final = {
    "ByValue": ("ValueFromPipeline",),
    "ByPropertyName": ("ValueFromPipelineByPropertyName",),
    "both": ("ValueFromPipeline", "ValueFromPipelineByPropertyName"),
}


def texts() -> dict[Path, str]:
    """The module and its rest by path.

    The rest holds the commands that the model does not do: they refuse by name too, and are read at their first call
    alone, so that a shell starts fast.
    """
    enums = {_full("Hyper-V", name): values for name, values in table("enums").items()}
    done: list[str] = []
    rest: list[str] = []
    later: list[str] = []
    aliases: list[str] = []
    used = set(enums)
    for module in MODULES:
        for name, command in table(module).items():
            text = _function(module, name, command, enums)
            aliases += [f"Set-Alias -Name {alias} -Value {name}" for alias in command.get("aliases", ())]
            if name in COMMANDS:
                done.append(text)
                used |= {enum for enum in enums if f"[{enum}" in text}
            else:
                rest.append(text.replace("function ", "function script:", 1))
                later.append(
                    f"function {name} {{ Import-FakeRest; if ($MyInvocation.ExpectingInput) {{ $input | {name} @args }} else {{ {name} @args }} }}"
                )
    runtime = (HERE / "runtime.ps1").read_text(encoding="utf-8")
    return {
        MODULE: _joined(
            runtime.rstrip("\n"),
            *(_enum(name, values) for name, values in sorted(enums.items()) if name in used),
            *done,
            *later,
            *aliases,
            "Export-ModuleMember -Function *-* -Alias *",
        ),
        REST: _joined(
            *(_enum(name, values) for name, values in sorted(enums.items()) if name not in used), *rest
        ),
    }


def _joined(*parts: str) -> str:
    head = "# Made by aetherv_simhost.windows.make_stubs: change the tables or runtime.ps1 instead."
    return "\n".join((head, *parts)) + "\n"


def _enum(name: str, values: Mapping[str, int]) -> str:
    inside = "; ".join(f"{_key(key)}={value}" for key, value in values.items())
    return f"Add-FakeEnum '{name}' @{{{inside}}}"


def _key(name: str) -> str:
    return f"'{name}'"


def _function(module: str, name: str, command: Mapping[str, Any], enums: dict[str, dict[str, int]]) -> str:
    sets: Mapping[str, list[str]] = command["sets"]
    order = list(dict.fromkeys(parameter for members in sets.values() for parameter in members))
    order += [parameter for parameter in command["parameters"] if parameter not in order]
    parameters = [
        text
        for parameter in order
        if (raw := command["parameters"].get(parameter)) is not None and not raw.get("only_2025")
        for text in (_parameter(module, parameter, raw, sets, enums),)
    ]
    binding = [f"DefaultParameterSetName='{command['default_set']}'"] if "default_set" in command else []
    confirmable = command.get("supports_should_process", False)
    binding += ["SupportsShouldProcess"] if confirmable else []
    return (
        f"function {name} {{ [CmdletBinding({', '.join(binding)})] param({', '.join(parameters)}) "
        f"process {{ Invoke-FakeCommand $PSCmdlet{' $true' if confirmable else ''} }} }}"
    )


def _parameter(
    module: str,
    name: str,
    raw: Mapping[str, Any],
    sets: Mapping[str, list[str]],
    enums: dict[str, dict[str, int]],
) -> str:
    alias = f"[Alias({', '.join(_key(alias) for alias in raw['aliases'])})]" if raw.get("aliases") else ""
    attributes = "".join(_attributes(name, raw, sets))
    return f"{attributes}{alias}{_type(module, raw, enums)}${name}"


def _attributes(name: str, raw: Mapping[str, Any], sets: Mapping[str, list[str]]) -> Iterator[str]:
    members = [group for group, parameters in sets.items() if name in parameters] or list(sets)
    found = {group: _attribute(raw, group) for group in members}
    everywhere = len(members) == len(sets) and len(set(found.values())) == 1
    if everywhere:
        inside = next(iter(found.values()))
        yield f"[Parameter({', '.join(inside)})]" if inside else ""
        return
    for group, inside in found.items():
        yield f"[Parameter({', '.join((f'ParameterSetName={_key(group)}', *inside))})]"


def _attribute(raw: Mapping[str, Any], group: str) -> tuple[str, ...]:
    inside: list[str] = ["Mandatory"] if group in raw.get("mandatory_in", ()) else []
    if (position := raw.get("position", {}).get(group)) is not None:
        inside.append(f"Position={position}")
    pipeline = raw.get("pipeline", "")
    if isinstance(pipeline, dict):
        pipeline = pipeline.get(group, "")
    return (*inside, *_PIPELINE.get(pipeline, ()))


def _type(module: str, raw: Mapping[str, Any], enums: dict[str, dict[str, int]]) -> str:
    name = str(raw["type"])
    bare, many = name.removesuffix("[]"), "[]" if name.endswith("[]") else ""
    accepted: list[str] = raw.get("accepted", [])
    if bare in _PLAIN:
        values = f"[ValidateSet({', '.join(_key(value) for value in accepted)})]" if accepted else ""
        return f"{values}[{_PLAIN[bare]}{many}]"
    full = _full(module, bare)
    if accepted and full not in enums:
        enums[full] = {value: number for number, value in enumerate(accepted)}
    if full in enums:
        return f"[{full}{many}]"
    # PowerShell checks such a parameter by the object's type names, which the model's objects carry.
    return f"[PSTypeName('{full}')][psobject{many}]"


def _full(module: str, name: str) -> str:
    if "." in name:
        return name
    if name in _DISK_TYPES:
        return f"Microsoft.Vhd.PowerShell.{name}"
    if name.startswith("Cim"):
        return f"{_INFRASTRUCTURE}{name}"
    return f"{_SPACES[module]}{name}"


if __name__ == "__main__":
    for path, text in texts().items():
        path.write_text(text, encoding="utf-8")
