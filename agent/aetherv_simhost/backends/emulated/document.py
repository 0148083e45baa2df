"""Reading the document on a script's pipeline: YAML, or JSON as its subset. Nothing of the host is looked at."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Final

import yaml
from aetherv_agent import contracts
from aetherv_agent.core.model import HostSettings, OsFamily, PowerState, VmSecrets, VmSpec

from aetherv_simhost.backends.api import ScriptCall, SecureText
from aetherv_simhost.backends.emulated.failures import JobFailed

_JOB_ID: Final = re.compile(r"^[A-Za-z0-9][A-Za-z0-9-]{0,63}$")
_POLICIES: Final = ("rollback", "keep", "keep_after_publish")
_MAX_BYTES: Final = 256 * 1024
_YES: Final = {"yes": True, "true": True, "no": False, "false": False}


@dataclass(frozen=True, slots=True)
class Document:
    """One script's document.

    Attributes:
        raw: The document's own part: ``fields`` of a create, ``vm`` of a delete.
        timeouts: Seconds by name.
    """

    kind: str
    job_id: str
    cancel: bool
    host: HostSettings
    on_failure: str = "rollback"
    timeouts: Mapping[str, float] = field(default_factory=dict)
    raw: Mapping[str, Any] = field(default_factory=dict)

    def seconds(self, name: str, default: float) -> float:
        """One of the time-outs."""
        return self.timeouts.get(name, default)


def read_document(kind: str, call: ScriptCall) -> Document:
    """The document of a call.

    Args:
        kind: ``create``, ``delete`` or ``inventory``.
        call: The call with its pipeline input.

    Raises:
        JobFailed: DOCUMENT_INVALID, or SCRIPTS_MISMATCH where the document names other scripts.
    """
    raw = _parse("\n".join(call.pipeline_input))
    schema = _part(raw, "schema")
    wanted = contracts.document("records")["scripts"][kind]["schema"]
    if schema.get("id") != wanted or schema.get("version") != 1:
        raise JobFailed("DOCUMENT_INVALID", f"The document's schema must be {wanted}, version 1.")
    version = str(raw.get("scripts_version") or contracts.scripts_version())
    if version != contracts.scripts_version():
        raise JobFailed(
            "SCRIPTS_MISMATCH",
            f"The document is for scripts {version}; these are {contracts.scripts_version()}.",
        )
    job_id = str(raw.get("job_id") or "")
    if kind != "inventory" and not _JOB_ID.fullmatch(job_id):
        raise JobFailed("DOCUMENT_INVALID", "job_id must be 1 to 64 letters, digits and hyphens.")
    on_failure = str(raw.get("on_failure") or "rollback")
    if on_failure not in _POLICIES:
        raise JobFailed("DOCUMENT_INVALID", f"on_failure must be one of {', '.join(_POLICIES)}.")
    timeouts = _part(raw, "timeouts", needed=False)
    if not all(isinstance(v, int | float) and not isinstance(v, bool) and v >= 0 for v in timeouts.values()):
        raise JobFailed("DOCUMENT_INVALID", "timeouts must be seconds, 0 or more.")
    part = {"create": "fields", "delete": "vm", "inventory": "vms"}[kind]
    return Document(
        kind=kind,
        job_id=job_id,
        cancel=raw.get("cancel") is True,
        host=_host(call.host, _part(raw, "host", needed=False)),
        on_failure=on_failure,
        timeouts={str(name): float(value) for name, value in timeouts.items()},
        raw=_part(raw, part, needed=kind != "inventory"),
    )


def spec_of(document: Document) -> VmSpec:
    """What the fields ask for; secrets apart.

    Raises:
        JobFailed: FIELD_INVALID for a field that there is not or of another type.
    """
    known = {f.name: f for f in contracts.field_rules().fields}
    values: dict[str, Any] = {}
    for name, value in document.raw.items():
        if name not in known:
            raise JobFailed("FIELD_INVALID", f"There is no field {str(name)[:64]!r}.", field=str(name)[:64])
        if known[name].secret or value is None or value == "":
            continue
        values[name] = _typed(name, known[name].type, value)
    try:
        return VmSpec(**{"vm_name": "", **values})
    except (TypeError, ValueError) as error:
        raise JobFailed("FIELD_INVALID", f"A field can't be read: {error}") from error


def secrets_of(document: Document, call: ScriptCall) -> VmSecrets:
    """The secrets: those of ``-Secrets``, else those that a person put into the fields."""
    given: dict[str, str] = {}
    handed = next((value for name, value in call.parameters.items() if name.lower() == "secrets"), None)
    sources = (document.raw, handed if isinstance(handed, Mapping) else {})
    names = {f.name for f in fields(VmSecrets)}
    for source in sources:
        for name, value in source.items():
            text = value.reveal() if isinstance(value, SecureText) else value
            if str(name).lower() in names and isinstance(text, str) and text:
                given[str(name).lower()] = text
    return VmSecrets(**given)


def _typed(name: str, kind: str, value: Any) -> Any:
    rule = contracts.field_rules().named(name).rule
    if kind in {"integer", "number"}:
        if isinstance(value, bool) or not re.fullmatch(r"-?\d{1,12}", str(value)):
            raise JobFailed("FIELD_INVALID", f"{name} must be {rule}.", field=name)
        return int(value)
    if kind == "boolean":
        if isinstance(value, bool):
            return value
        if str(value).lower() not in _YES:
            raise JobFailed("FIELD_INVALID", f"{name} must be {rule}.", field=name)
        return _YES[str(value).lower()]
    if not isinstance(value, str):
        raise JobFailed("FIELD_INVALID", f"{name} must be a text: {rule}.", field=name)
    if kind == "enum":
        values = contracts.field_rules().named(name).values
        if value not in values:
            raise JobFailed("FIELD_INVALID", f"{name} must be {rule}.", field=name)
        return OsFamily(value) if name == "os_family" else PowerState(value)
    return value


def _parse(text: str) -> Mapping[str, Any]:
    if len(text.encode("utf-8", "surrogatepass")) > _MAX_BYTES:
        raise JobFailed("DOCUMENT_INVALID", f"The document is longer than {_MAX_BYTES} bytes.")
    try:
        raw = json.loads(text)
    except ValueError:
        try:
            raw = yaml.safe_load(text)
        except (yaml.YAMLError, RecursionError):
            # The parser's own text quotes the document, and a person's document may carry a password.
            raise JobFailed("DOCUMENT_INVALID", "The document is neither JSON nor YAML.") from None
    if not isinstance(raw, dict):
        raise JobFailed("DOCUMENT_INVALID", "The document is no mapping.")
    return raw


def _part(raw: Mapping[str, Any], name: str, *, needed: bool = True) -> Mapping[str, Any]:
    part = raw.get(name)
    if part is None and not needed:
        return {}
    if not isinstance(part, dict):
        raise JobFailed("DOCUMENT_INVALID", f"The document's {name} is missing or no mapping.")
    return part


def _host(host_id: str, raw: Mapping[str, Any]) -> HostSettings:
    known: dict[str, Any] = {
        "install_directory": str,
        "jobs_directory": str,
        "image_paths": tuple,
        "vm_path": str,
        "default_switch": str,
        "secure_boot_template": dict,
        "iso_paths": dict,
        "guest_version": dict,
        "copies": int,
    }
    try:
        values: dict[str, Any] = {
            name: kind(raw[name]) for name, kind in known.items() if raw.get(name) or raw.get(name) == 0
        }
    except (TypeError, ValueError):
        raise JobFailed("DOCUMENT_INVALID", "The document's host part can't be read.") from None
    return HostSettings(id=host_id, **values)
