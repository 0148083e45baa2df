"""The documents that host scripts read: YAML 1.2 in its JSON form (design: host-contract, architecture 9).

Windows PowerShell 5.1 reads them with ConvertFrom-Json, a YAML reader gives the same values. Pure.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from aetherv_agent import contracts
from aetherv_agent.core.errors import AethervError
from aetherv_agent.core.model import HostSettings, ShutdownMode, VmSpec

# YAML's printable set leaves these out or folds them; JSON escapes are read alike by both.
_ESCAPED = re.compile("[\x7f-\xa0\u2028\u2029\ufeff\ufffe\uffff]")


def encode(document: Mapping[str, Any]) -> str:
    """Return a document as text that a JSON and a YAML 1.2 reader read alike.

    Raises:
        AethervError: REQUEST_INVALID for a float or for half of a surrogate pair.
    """
    _refuse(document, "document")
    text = json.dumps(document, ensure_ascii=False, separators=(", ", ": "), allow_nan=False)
    return _ESCAPED.sub(lambda match: f"\\u{ord(match[0]):04x}", text)


def create_document(
    job_id: str,
    spec: VmSpec,
    host: HostSettings,
    *,
    on_failure: str,
    timeouts: Mapping[str, int],
    cancel: bool = False,
) -> str:
    """Return the document of ``Invoke-ProvisioningJob.ps1``; secrets go beside it.

    Args:
        job_id: the operation's id (UUID).
        spec: the effective spec: family known.
        host: the host's settings.
        on_failure: ``rollback``, ``keep`` or ``keep_after_publish``.
        timeouts: ``wait_ready``, ``settle_seconds``, ``wait_applied``, ``verify_timeout``, in seconds.
        cancel: take the job back instead of doing it.
    """
    fields = spec.fields()
    fields["gb_ram"] = int(spec.gb_ram)
    return encode(
        {
            **_head("create", job_id, cancel=cancel),
            "on_failure": on_failure,
            "timeouts": dict(timeouts),
            "host": host_section(host),
            "fields": fields,
        }
    )


def delete_document(
    job_id: str,
    vm_id: str,
    host: HostSettings,
    *,
    shutdown_mode: ShutdownMode,
    keep_disks: bool,
    allow_missing: bool,
    stop_seconds: int,
    cancel: bool = False,
) -> str:
    """Return the document of ``Invoke-DeleteVmJob.ps1``; ``vm_id`` is a GUID, ``stop_seconds`` the graceful wait."""
    return encode(
        {
            **_head("delete", job_id, cancel=cancel),
            "timeouts": {"stop": stop_seconds},
            "host": host_section(host),
            "vm": {
                "id": vm_id,
                "shutdown_mode": shutdown_mode.value,
                "keep_disks": keep_disks,
                "allow_missing": allow_missing,
            },
        }
    )


def inventory_document(host: HostSettings) -> str:
    """Return the document of ``Get-HostInventory.ps1``: all VMs of the host."""
    return encode({**_head("inventory", "", cancel=False), "host": host_section(host)})


def host_section(host: HostSettings) -> dict[str, Any]:
    """Return the ``host`` part that every document has."""
    return {
        "install_directory": host.install_directory,
        "jobs_directory": host.jobs_directory,
        "image_paths": list(host.image_paths),
        "vm_path": host.vm_path,
        "default_switch": host.default_switch,
        "secure_boot_template": dict(host.secure_boot_template),
        "iso_paths": dict(host.iso_paths),
        "guest_version": dict(host.guest_version),
        "copies": host.copies,
    }


def script_path(kind: str, host: HostSettings) -> str:
    """Return the full, versioned path of a script on a host; ``kind`` as in ``records.json`` (create, delete...)."""
    file = contracts.document("records")["scripts"][kind]["file"]
    return f"{host.install_directory}\\scripts\\{contracts.scripts_version()}\\{file}"


def _head(kind: str, job_id: str, *, cancel: bool) -> dict[str, Any]:
    return {
        "schema": {"id": contracts.document("records")["scripts"][kind]["schema"], "version": 1},
        "job_id": job_id,
        "scripts_version": contracts.scripts_version(),
        "cancel": cancel,
    }


def _refuse(value: Any, path: str) -> None:
    if isinstance(value, float):
        raise AethervError("REQUEST_INVALID", f"{path} must be a whole number.")
    if isinstance(value, str):
        if any("\ud800" <= character <= "\udfff" for character in value):
            raise AethervError("REQUEST_INVALID", f"{path} holds half of a surrogate pair.")
    elif isinstance(value, Mapping):
        for name, item in value.items():
            _refuse(item, f"{path}.{name}")
    elif isinstance(value, list | tuple):
        for index, item in enumerate(value):
            _refuse(item, f"{path}[{index}]")
