"""Writing host items as a script must: split into Add and Modify, and again where 32773 says that the split was wrong."""

from collections.abc import Mapping
from typing import Final, Literal

from aetherv_simhost.backends.emulated.context import JobContext
from aetherv_simhost.backends.emulated.failures import JobFailed
from aetherv_simhost.hyperv.errors import KvpRefused

VERSION: Final = "hlvmm.meta.version"
HOST_STATE: Final = "hlvmm.meta.host_provisioning_system_state"
PUBLIC_KEY: Final = "hlvmm.meta.guest_provisioning_public_key"
GUEST_STATE: Final = "hlvmm.meta.guest_provisioning_system_state"
GUEST_ERROR: Final = "hlvmm.meta.guest_provisioning_error"
AES_KEY: Final = "hlvmm.meta.shared_aes_key"
CHECKSUM: Final = "hlvmm.meta.provisioning_system_checksum"
DATA: Final = "hlvmm.data."
WAITING: Final = "waitingforpublickey"
PUBLISHED: Final = "provisioningdatapublished"

_INVALID_PARAMETER: Final = 32773
_CALL_ITEMS: Final = 128
_TRIES: Final = 3


def put_blind(context: JobContext, vm_id: str, name: str, value: str) -> None:
    """Writes an item of a VM whose items can't be read, because it may be off: Add, and on 32773 Modify."""
    try:
        context.host.kvp_change(vm_id, "add", [(name, value)])
    except KvpRefused as error:
        if error.code != _INVALID_PARAMETER:
            raise
        context.host.kvp_change(vm_id, "modify", [(name, value)])


def put(context: JobContext, vm_id: str, items: Mapping[str, str]) -> None:
    """Writes items of a running VM.

    Raises:
        JobFailed: KVP_FAILED.
    """
    for attempt in range(1, _TRIES + 1):
        there = context.host.host_items(vm_id)
        changed = [(name, value) for name, value in items.items() if name in there]
        new = [(name, value) for name, value in items.items() if name not in there]
        try:
            _in_calls(context, vm_id, "modify", changed)
            _in_calls(context, vm_id, "add", new)
        except KvpRefused as error:
            if error.code != _INVALID_PARAMETER or attempt == _TRIES:
                raise JobFailed("KVP_FAILED", f"Hyper-V refused an item ({error.code}).") from error
        else:
            return


def remove(context: JobContext, vm_id: str) -> None:
    """Removes every data item and the wrapped key that stand in the host's configuration, if they can be read."""
    there = context.host.host_items(vm_id)
    names = [(name, "") for name in there if name.startswith(DATA) or name == AES_KEY]
    try:
        _in_calls(context, vm_id, "remove", names)
    except KvpRefused as error:
        raise JobFailed("KVP_FAILED", f"Hyper-V refused to remove items ({error.code}).") from error


def _in_calls(
    context: JobContext, vm_id: str, kind: Literal["add", "modify", "remove"], items: list[tuple[str, str]]
) -> None:
    for start in range(0, len(items), _CALL_ITEMS):
        context.host.kvp_change(vm_id, kind, items[start : start + _CALL_ITEMS])
