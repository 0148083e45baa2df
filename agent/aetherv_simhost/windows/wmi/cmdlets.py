"""The CIM cmdlets: Get-CimInstance, Get-CimAssociatedInstance, Invoke-CimMethod, New-CimInstance -ClientOnly."""

import re
from collections.abc import Callable
from typing import Any, Final

from aetherv_simhost.windows import objects
from aetherv_simhost.windows.calls import Call, Context, Reply, command
from aetherv_simhost.windows.failures import Refused, cim_failure
from aetherv_simhost.windows.wmi import machine, wql
from aetherv_simhost.windows.wmi.methods import invoke
from aetherv_simhost.windows.wmi.rows import KVP, ROWS, rows
from aetherv_simhost.windows.wmi.schema import (
    CIMV2,
    CLUSTER,
    INSTANCE,
    VIRTUALIZATION,
    Instance,
    WmiClass,
    classes,
    encoded,
    known,
)

_NAMED: Final = re.compile(
    r"""^\s*Name\s*=\s*(?P<quote>['"])(?P<name>.*)(?P=quote)\s*$""", re.IGNORECASE | re.DOTALL
)
_NAMESPACES: Final = frozenset({VIRTUALIZATION, CIMV2, CLUSTER})
objects.SHAPES["Microsoft.Management.Infrastructure.CimMethodResult"] = {"Job": "object"}
objects.SHAPES["Microsoft.Management.Infrastructure.CimMethodResult#Summaries"] = {
    "SummaryInformation": "objects"
}


@command(
    "Get-CimInstance",
    "ClassName",
    "Namespace",
    "Filter",
    "Query",
    "QueryDialect",
    "InputObject",
    "Property",
    "KeyOnly",
)
def get_instance(context: Context, call: Call, reply: Reply) -> None:
    """Rows of a class, of a query, or one instance read again."""
    if call.text("QueryDialect", "WQL").upper() != "WQL":
        raise Refused(f"Get-CimInstance -QueryDialect {call.text('QueryDialect')}")
    if call.has("InputObject"):
        reply.objects.append(encoded(again(context, call)))
        return
    namespace = _namespace(context, call)
    properties = tuple(str(name) for name in call.many("Property"))
    condition: wql.Condition = wql.everything
    text = call.text("Query") if call.has("Query") else call.text("Filter")
    name = call.text("ClassName")
    try:
        if call.has("Query"):
            query = wql.parse(text)
            name, properties, condition = query.class_name, query.properties, query.condition
        elif call.has("Filter"):
            condition = wql.parse_filter(text)
    except wql.WqlInvalid as error:
        raise cim_failure("0x80041017", text, f": {error}") from error
    except wql.WqlUnknown as error:
        raise Refused(str(error)) from error
    of = _class(namespace, name)
    only = frozenset(p.casefold() for p in properties) if properties else None
    if call.flag("KeyOnly"):
        only = frozenset()
    for unknown in (only or frozenset()) - {p.casefold() for p in of.properties}:
        raise cim_failure("0x80041017", text or name, f": {unknown}")
    found = _rows(context, of)
    if of.name == "Win32_Directory":
        found = _folders(context, text)
    reply.objects += [encoded(row, only) for row in found if condition(row.folded())]


@command("Get-CimAssociatedInstance", "InputObject", "ResultClassName", "Association", "Namespace")
def get_associated(context: Context, call: Call, reply: Reply) -> None:
    """What belongs to an instance, for the pairs of classes that matter."""
    source = again(context, call)
    result = call.text("ResultClassName")
    pair = (source.of.name.casefold(), result.casefold())
    if not result or pair not in _PAIRS:
        raise Refused(f"Get-CimAssociatedInstance from {source.of.name} to {result or 'every class'}")
    association, joined = _PAIRS[pair]
    if call.has("Association") and call.text("Association").casefold() != association.casefold():
        raise Refused(
            f"Get-CimAssociatedInstance -Association {call.text('Association')} from {source.of.name} to {result}"
        )
    reply.objects += [encoded(row) for row in rows(context, result) if joined(source, row)]


@command("Invoke-CimMethod", "InputObject", "MethodName", "Arguments")
def invoke_method(context: Context, call: Call, reply: Reply) -> None:
    """A method of an instance; with a class's name the arguments' types would be guessed, so that is refused."""
    target = again(context, call)
    arguments = (call.parameters.get("Arguments") or {}).get("$table", {})
    reply.objects.append(invoke(context, target.of, target.values, call.text("MethodName"), arguments))


@command("New-CimInstance", "ClassName", "Namespace", "Property", "Key", "ClientOnly")
def new_instance(context: Context, call: Call, reply: Reply) -> None:
    """An instance that lives in the caller alone."""
    if not call.flag("ClientOnly"):
        raise Refused("New-CimInstance without -ClientOnly")
    of = _class(_namespace(context, call), call.text("ClassName"))
    given = (call.parameters.get("Property") or {}).get("$table", {})
    exact = {p.casefold(): p for p in of.properties}
    values = {}
    for name, value in given.items():
        if name.casefold() not in exact:
            raise cim_failure("0x8004102f", of.name, f": {name}")
        values[exact[name.casefold()]] = value
    reply.objects.append(encoded(Instance(of, values)))


def again(context: Context, call: Call) -> Instance:
    """The row that an instance handed in stands for, as it is now.

    Raises:
        CmdletFailure: It is no CIM instance, or is not there any more.
    """
    given: Any = call.parameters.get("InputObject")
    if isinstance(given, list):
        given = given[0] if len(given) == 1 else None
    kind = str(given.get("$type", "")) if isinstance(given, dict) else ""
    if not kind.startswith(f"{INSTANCE}#"):
        raise Refused(f"{call.command} -InputObject with something that is no CIM instance")
    namespace, _, name = kind.removeprefix(f"{INSTANCE}#").rpartition("/")
    of = known(name, namespace)
    for row in _rows(context, of):
        if all(str(row.values.get(key)).casefold() == str(given.get(key)).casefold() for key in of.keys):
            return row
    raise cim_failure("0x80041002", of.name)


def _namespace(context: Context, call: Call) -> str:
    namespace = call.text("Namespace", CIMV2).replace("\\", "/").strip("/").casefold()
    if namespace not in _NAMESPACES or (namespace == CLUSTER and not context.host.cluster.name):
        raise cim_failure("0x8004100e", namespace.replace("/", "\\"))
    return namespace


def _class(namespace: str, name: str) -> WmiClass:
    found = classes().get((namespace, name.casefold()))
    if found is None:
        # A class that Windows has is not told apart from one that it has not: neither is ever answered with no rows.
        raise cim_failure("0x80041010", f"{namespace}:{name}")
    return found


def _rows(context: Context, of: WmiClass) -> list[Instance]:
    if of.name == "Msvm_ConcreteJob":
        return [Instance(of, job.row()) for job in context.jobs.all()]
    if of.namespace == VIRTUALIZATION:
        if of.name not in ROWS:
            raise Refused(f"rows of {of.name}")
        return rows(context, of.name)
    if (of.namespace, of.name) not in machine.ROWS:
        raise Refused(f"rows of {of.name}")
    return machine.rows(context, of.namespace, of.name)


def _folders(context: Context, text: str) -> list[Instance]:
    where = re.split(r"\bWHERE\b", text, flags=re.IGNORECASE)[-1]
    named = _NAMED.match(where)
    if named is None:
        raise Refused("Win32_Directory but by one Name")
    row = machine.folder_row(context, re.sub(r"\\(.)", r"\1", named["name"]))
    return [] if row is None else [row]


def _own(row: Instance, *names: str) -> str:
    """The id of the VM that a row is about, upper case."""
    for name in names:
        value = row.values.get(name)
        if isinstance(value, str):
            return value.removeprefix("Microsoft:").split("\\")[0].upper()
    return ""


def _same_vm(source_key: str, result_key: str) -> Callable[[Instance, Instance], bool]:
    return lambda source, row: _own(source, source_key) == _own(row, result_key) != ""


def _settings_of(source: Instance, row: Instance) -> bool:
    return row.values["InstanceID"] == f"Microsoft:{source.values['Name']}"


def _kvp_settings_of(source: Instance, row: Instance) -> bool:
    return row.values["InstanceID"] == source.values["DeviceID"] and str(row.values["InstanceID"]).endswith(
        KVP
    )


_SYSTEM: Final = "msvm_computersystem"
_SETTINGS: Final = "msvm_virtualsystemsettingdata"
_PARTS: Final = (
    "Msvm_ProcessorSettingData",
    "Msvm_MemorySettingData",
    "Msvm_SyntheticEthernetPortSettingData",
    "Msvm_EthernetPortAllocationSettingData",
    "Msvm_StorageAllocationSettingData",
    "Msvm_ResourceAllocationSettingData",
    "Msvm_KvpExchangeComponentSettingData",
)
_PAIRS: Final[dict[tuple[str, str], tuple[str, Callable[[Instance, Instance], bool]]]] = {
    (_SYSTEM, _SETTINGS): ("Msvm_SettingsDefineState", _settings_of),
    (_SYSTEM, "msvm_kvpexchangecomponent"): ("Msvm_SystemDevice", _same_vm("Name", "SystemName")),
    (_SYSTEM, "msvm_heartbeatcomponent"): ("Msvm_SystemDevice", _same_vm("Name", "SystemName")),
    (_SYSTEM, "msvm_shutdowncomponent"): ("Msvm_SystemDevice", _same_vm("Name", "SystemName")),
    ("msvm_kvpexchangecomponent", "msvm_kvpexchangecomponentsettingdata"): (
        "Msvm_ElementSettingData",
        _kvp_settings_of,
    ),
    **{
        (_SETTINGS, part.casefold()): (
            "Msvm_VirtualSystemSettingDataComponent",
            _same_vm("InstanceID", "InstanceID"),
        )
        for part in _PARTS
    },
    ("msvm_ethernetportallocationsettingdata", "msvm_ethernetswitchportvlansettingdata"): (
        "Msvm_EthernetPortSettingDataComponent",
        lambda source, row: str(row.values["InstanceID"]).startswith(f"{source.values['InstanceID']}\\"),
    ),
    ("msvm_syntheticethernetportsettingdata", "msvm_guestnetworkadapterconfiguration"): (
        "Msvm_SettingAllocationData",
        lambda source, row: (
            str(row.values["InstanceID"]).split("\\")[1:]
            == str(source.values["InstanceID"]).removeprefix("Microsoft:").split("\\")
        ),
    ),
}
