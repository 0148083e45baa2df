"""Between protobuf messages and the interface's data: values, paths, diagnostics, capabilities."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from terraform_provider_aetherv.cty import (
    CtyError,
    CtyType,
    KeyStep,
    Path,
    Value,
    decode,
    decode_json,
    encode,
    is_wholly_known,
    parse_json,
)
from terraform_provider_aetherv.plugin.messages import (
    ClientCapabilities,
    Diagnostic,
    Identity,
    Severity,
    State,
)
from terraform_provider_aetherv.plugin.wire import tfplugin6_pb2 as pb

_SEVERITIES: Final = {Severity.ERROR: pb.Diagnostic.ERROR, Severity.WARNING: pb.Diagnostic.WARNING}


def value_in(dynamic: pb.DynamicValue, cty_type: CtyType) -> Value:
    """Decode a value; a message that is empty or absent is null.

    Raises:
        CtyError: it is malformed or not of the type.
    """
    if dynamic.msgpack:
        return decode(dynamic.msgpack, cty_type)
    return decode_json(dynamic.json, cty_type) if dynamic.json else None


def value_out(value: Value, cty_type: CtyType) -> pb.DynamicValue:
    """Encode a value.

    Raises:
        CtyError: it is not of the type.
    """
    return pb.DynamicValue(msgpack=encode(value, cty_type))


def state_in(dynamic: pb.DynamicValue, cty_type: CtyType) -> State | None:
    """Decode an object or null.

    Raises:
        CtyError: it is neither, malformed, or not of the type.
    """
    value = value_in(dynamic, cty_type)
    if value is None or isinstance(value, dict):
        return value
    raise CtyError("expected an object as a whole that is known")


def object_in(dynamic: pb.DynamicValue, cty_type: CtyType) -> State:
    """Decode an object.

    Raises:
        CtyError: it is none, malformed, or not of the type.
    """
    state = state_in(dynamic, cty_type)
    if state is None:
        raise CtyError("expected an object, got null")
    return state


def raw_in(raw: pb.RawState) -> dict[str, Any]:
    """Parse an object of the state file without a type.

    Raises:
        CtyError: it is malformed, not an object, or in the form of Terraform 0.11.
    """
    if not raw.json:
        raise CtyError("a state in the form of Terraform 0.11, or an empty one")
    parsed = parse_json(raw.json)
    if isinstance(parsed, dict):
        return parsed
    raise CtyError("a state that is not an object")


def identity_in(data: pb.ResourceIdentityData, cty_type: CtyType | None) -> Identity | None:
    """Decode an identity; None if there is none, or the resource has no identity schema.

    Raises:
        CtyError: it is malformed or not of the type.
    """
    return None if cty_type is None else state_in(data.identity_data, cty_type)


def identity_out(identity: Identity | None, cty_type: CtyType | None) -> pb.ResourceIdentityData | None:
    """Encode an identity; None stays None.

    Raises:
        CtyError: it is not of the type, or a part of it is unknown (Terraform cannot store that).
    """
    if identity is None or cty_type is None:
        return None
    if not is_wholly_known(identity):
        raise CtyError("an identity with an unknown part")
    return pb.ResourceIdentityData(identity_data=value_out(identity, cty_type))


def path_out(path: Path) -> pb.AttributePath:
    """Convert a path."""
    steps = []
    for step in path:
        match step:
            case KeyStep(key):
                steps.append(pb.AttributePath.Step(element_key_string=key))
            case int():
                steps.append(pb.AttributePath.Step(element_key_int=step))
            case _:
                steps.append(pb.AttributePath.Step(attribute_name=step))
    return pb.AttributePath(steps=steps)


def diagnostics_out(diagnostics: Iterable[Diagnostic]) -> list[pb.Diagnostic]:
    """Convert diagnostics, in their order."""
    return [
        pb.Diagnostic(
            severity=_SEVERITIES[diagnostic.severity],
            summary=_text(diagnostic.summary),
            detail=_text(diagnostic.detail),
            attribute=path_out(diagnostic.path) if diagnostic.path else None,
        )
        for diagnostic in diagnostics
    ]


def capabilities_in(capabilities: pb.ClientCapabilities) -> ClientCapabilities:
    """Convert what Terraform says that it can do."""
    return ClientCapabilities(
        deferral_allowed=capabilities.deferral_allowed,
        write_only_attributes_allowed=capabilities.write_only_attributes_allowed,
        store_planned_private=capabilities.store_planned_private,
    )


def _text(text: str) -> str:
    # A lone surrogate (a file name, say) must not turn a message into a second failure.
    return text.encode(errors="backslashreplace").decode()
