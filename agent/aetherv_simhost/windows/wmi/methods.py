"""Methods: AddKvpItems, ModifyKvpItems, RemoveKvpItems and GetSummaryInformation of the service, RequestStateChange of a VM."""

import xml.etree.ElementTree as ET
from collections.abc import Mapping
from typing import Any, Final

from aetherv_simhost.hyperv.errors import HyperVError, InvalidState, KvpRefused, OutOfMemory, VmNotFound
from aetherv_simhost.hyperv.kvp import Change
from aetherv_simhost.windows.calls import Context
from aetherv_simhost.windows.failures import Refused, cim_failure
from aetherv_simhost.windows.values import PsObject, u32
from aetherv_simhost.windows.wmi.rows import rows
from aetherv_simhost.windows.wmi.schema import Instance, WmiClass, encoded, known

_FAILED: Final = 32768
_INVALID_PARAMETER: Final = 32773
_INVALID_STATE: Final = 32775
_NO_MEMORY: Final = 32778
_ENABLED: Final = 2
_DISABLED: Final = 3
_KVP: Final[Mapping[str, Change]] = {
    "AddKvpItems": "add",
    "ModifyKvpItems": "modify",
    "RemoveKvpItems": "remove",
}
_RESULT: Final = ("Microsoft.Management.Infrastructure.CimMethodResult", "System.Object")


def invoke(
    context: Context, of: WmiClass, values: Mapping[str, Any], method: str, given: Mapping[str, Any]
) -> PsObject:
    """Runs a method of an instance.

    Args:
        context: The model.
        of: The instance's class.
        values: Its properties as the caller holds them.
        method: The method's name.
        given: Arguments by name.

    Raises:
        CmdletFailure: The class has no such method or parameter, or the model does not do it.
    """
    name = next((known_name for known_name in of.methods if known_name.casefold() == method.casefold()), None)
    if name is None:
        raise Refused(f"the method {method} of {of.name}")
    allowed = {parameter.casefold(): parameter for parameter in of.methods[name]["in"]}
    arguments: dict[str, Any] = {}
    for parameter, value in given.items():
        if parameter.casefold() not in allowed:
            raise cim_failure("0x8004102f", f"{of.name}:{name}", f": {parameter}")
        arguments[allowed[parameter.casefold()]] = value
    if name in _KVP:
        return _result(context, _kvp(context, _KVP[name], arguments))
    if name == "GetSummaryInformation":
        return _summaries(context, arguments)
    if of.name == "Msvm_ComputerSystem":
        return _result(context, _state(context, values, arguments))
    raise Refused(f"the method {method} of {of.name}")


def _result(context: Context, code: int) -> PsObject:
    answered, job = context.jobs.ending(code)
    reference = None
    if job is not None:
        reference = encoded(Instance(known("Msvm_ConcreteJob"), {"InstanceID": job.instance_id}))
    return PsObject(_RESULT, {"Job": reference, "ReturnValue": u32(answered), "PSComputerName": None})


def _kvp(context: Context, change: Change, arguments: Mapping[str, Any]) -> int:
    target = arguments.get("TargetSystem")
    items = arguments.get("DataItems")
    if not isinstance(target, dict) or not str(target.get("$type")).endswith("/Msvm_ComputerSystem"):
        return _INVALID_PARAMETER
    read = [_item(str(item)) for item in items] if isinstance(items, list) else [None]
    if any(item is None for item in read):
        return _INVALID_PARAMETER
    try:
        context.host.kvp_change(
            str(target.get("Name")).lower(), change, [item for item in read if item is not None]
        )
    except KvpRefused as error:
        return error.code
    except VmNotFound:
        return _INVALID_PARAMETER
    except HyperVError:
        return _FAILED
    return 0


def _item(text: str) -> tuple[str, str] | None:
    """Name and data of an embedded Msvm_KvpExchangeDataItem; None for anything else."""
    try:
        # The text comes from the host's own scripts.
        root = ET.fromstring(text)  # noqa: S314
    except ET.ParseError:
        return None
    if root.tag != "INSTANCE" or root.get("CLASSNAME") != "Msvm_KvpExchangeDataItem":
        return None
    values: dict[str, str] = {}
    for found in root.iter("PROPERTY"):
        value = found.find("VALUE")
        values[found.get("NAME", "")] = "" if value is None else value.text or ""
    if not values.get("Name") or values.get("Source") != "0":
        return None
    return values["Name"], values.get("Data", "")


def _summaries(context: Context, arguments: Mapping[str, Any]) -> PsObject:
    wanted = arguments.get("SettingData")
    ids = None if wanted is None else {str(item.get("InstanceID")).upper() for item in wanted}
    found = [
        encoded(row)
        for row in rows(context, "Msvm_SummaryInformation")
        if ids is None or str(row.values["InstanceID"]).upper() in ids
    ]
    return PsObject(
        (f"{_RESULT[0]}#Summaries", *_RESULT),
        {"SummaryInformation": found or None, "ReturnValue": u32(0), "PSComputerName": None},
    )


def _state(context: Context, values: Mapping[str, Any], arguments: Mapping[str, Any]) -> int:
    wanted = arguments.get("RequestedState")
    vm_id = str(values.get("Name")).lower()
    try:
        if wanted == _ENABLED:
            context.host.start_vm(vm_id)
        elif wanted == _DISABLED:
            context.host.stop_vm(vm_id, turn_off=True)
        else:
            raise Refused(f"RequestStateChange to {wanted}")
    except VmNotFound:
        return _INVALID_PARAMETER
    except InvalidState:
        return _INVALID_STATE
    except OutOfMemory:
        return _NO_MEMORY
    except HyperVError:
        return _FAILED
    return 0
