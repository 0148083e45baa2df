"""Values of the PowerShell object model become plain Python ones (what `ScriptCall` promises)."""

from psrpcore.types import (
    PSCredential,
    PSCustomObject,
    PSGuid,
    PSObject,
    PSSecureString,
    PSVersion,
)

from aetherv_simhost.backends.api import SecureText


def plain(value: object) -> object:
    """A deserialized value without PowerShell's types.

    Args:
        value: From psrpcore. SecureStrings must have come through the session key.

    Returns:
        str, bool, int, float, bytes, None, dict (keys are strings), list, `SecureText`; what has no counterpart is
        its text.
    """
    match value:
        case None | bool():
            return value
        case PSSecureString():
            return SecureText(str.__str__(value.decrypt()))
        case PSCredential():
            return {"UserName": str(value.UserName), "Password": plain(value.Password)}
        case dict():
            return {str(key): plain(item) for key, item in value.items()}
        case list() | tuple() | set():
            return [plain(item) for item in value]
        case _:
            return _scalar(value)


def _scalar(value: object) -> object:
    if isinstance(value, PSCustomObject):
        return {item.name: plain(item.get_value(value)) for item in value.PSObject.extended_properties}
    if isinstance(value, (PSGuid, PSVersion)):
        return str(value)
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, bytes):
        return bytes(value)
    for kind in (int, float):
        if isinstance(value, kind):
            return kind(value)
    return str(value) if not isinstance(value, PSObject) else str(value.PSObject.to_string or value)
