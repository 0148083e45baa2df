"""WSMan envelopes: a request's bytes become a `WsmanRequest`, an answer's elements become bytes (DSP0226, MS-WSMV)."""

import re
import uuid
import xml.etree.ElementTree as ET
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final
from xml.sax.saxutils import escape, quoteattr

S: Final = "http://www.w3.org/2003/05/soap-envelope"
A: Final = "http://schemas.xmlsoap.org/ws/2004/08/addressing"
W: Final = "http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd"
P: Final = "http://schemas.microsoft.com/wbem/wsman/1/wsman.xsd"
N: Final = "http://schemas.xmlsoap.org/ws/2004/09/enumeration"
X: Final = "http://schemas.xmlsoap.org/ws/2004/09/transfer"
F: Final = "http://schemas.microsoft.com/wbem/wsman/1/wsmanfault"
RSP: Final = "http://schemas.microsoft.com/wbem/wsman/1/windows/shell"
CFG: Final = "http://schemas.microsoft.com/wbem/wsman/1/config"
PWSH: Final = "http://schemas.microsoft.com/powershell"
IDENTITY: Final = "http://schemas.dmtf.org/wbem/wsman/identity/1/wsmanidentity.xsd"
# pypsrp spells it so; Windows and the standard say "identity".
IDENTIFY_VARIANTS: Final = (IDENTITY, "http://schemas.dmtf.org/wbem/wsman/identify/1/wsmanidentity.xsd")
ANONYMOUS: Final = "http://schemas.xmlsoap.org/ws/2004/08/addressing/role/anonymous"
FAULT_ACTION: Final = "http://schemas.dmtf.org/wbem/wsman/1/wsman/fault"

DEFAULT_TIMEOUT: Final = 60.0  # MaxTimeoutms of WinRM's configuration
_DEFAULT_ENVELOPE: Final = 153_600
_DURATION: Final = re.compile(r"P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?)?")
_NAMESPACES: Final = " ".join(
    f'xmlns:{prefix}="{uri}"'
    for prefix, uri in (
        ("s", S),
        ("a", A),
        ("w", W),
        ("p", P),
        ("n", N),
        ("x", X),
        ("rsp", RSP),
        ("cfg", CFG),
    )
)


class EnvelopeError(Exception):
    """The bytes are no WSMan envelope."""


@dataclass(frozen=True, slots=True)
class WsmanRequest:
    """One request.

    Attributes:
        action: The whole action URI (empty for Identify, which has none).
        name: The action's last word: ``Create``, ``Command``, ``Receive``, ..., ``Identify``.
        resource_uri: What it is about.
        message_id: As sent, to relate the answer to.
        session_id: The client's session, as sent.
        selectors: By name.
        options: By name.
        timeout: OperationTimeout in seconds (default 60).
        timeout_text: The same as it was sent.
        max_envelope_size: Bytes that the client takes in one answer.
        body: The body's first element, or an empty element of no name.
    """

    action: str
    name: str
    resource_uri: str = ""
    message_id: str = ""
    session_id: str = ""
    selectors: Mapping[str, str] = field(default_factory=dict)
    options: Mapping[str, str] = field(default_factory=dict)
    timeout: float = DEFAULT_TIMEOUT
    timeout_text: str = ""
    max_envelope_size: int = _DEFAULT_ENVELOPE
    body: ET.Element = field(default_factory=lambda: ET.Element("none"))


def duration(text: str) -> float | None:
    """Seconds of an XML Schema duration without years and months; None if it is none."""
    match = _DURATION.fullmatch(text.strip())
    if match is None or not any(match.groups()):
        return None
    days, hours, minutes, seconds = (float(part or 0) for part in match.groups())
    return ((days * 24 + hours) * 60 + minutes) * 60 + seconds


def parse(message: bytes) -> WsmanRequest:
    """Reads a request envelope.

    Raises:
        EnvelopeError: It is none.
    """
    if b"<!DOCTYPE" in message or b"<!ENTITY" in message:
        raise EnvelopeError("a document type is not allowed in SOAP")
    try:
        root = ET.fromstring(message)  # noqa: S314  # without a document type there are no entities to abuse
    except ET.ParseError as error:
        raise EnvelopeError("not well-formed XML") from error
    body = root.find(f"{{{S}}}Body")
    if root.tag != f"{{{S}}}Envelope" or body is None:
        raise EnvelopeError("not a SOAP 1.2 envelope")
    first = next(iter(body), ET.Element("none"))
    if first.tag in {f"{{{uri}}}Identify" for uri in IDENTIFY_VARIANTS}:
        return WsmanRequest("", "Identify", body=first)
    header = root.find(f"{{{S}}}Header")
    if header is None:
        raise EnvelopeError("no header")
    action = _text(header, A, "Action")
    timeout_text = _text(header, W, "OperationTimeout")
    timeout = duration(timeout_text) if timeout_text else DEFAULT_TIMEOUT
    size = _text(header, W, "MaxEnvelopeSize")
    return WsmanRequest(
        action=action,
        name=action.rsplit("/", 1)[-1],
        resource_uri=_text(header, W, "ResourceURI"),
        message_id=_text(header, A, "MessageID"),
        session_id=_text(header, P, "SessionId"),
        selectors=_pairs(header, "SelectorSet", "Selector"),
        options=_pairs(header, "OptionSet", "Option"),
        timeout=-1.0 if timeout is None else min(timeout, DEFAULT_TIMEOUT),
        timeout_text=timeout_text,
        max_envelope_size=int(size) if size.isascii() and size.isdigit() else _DEFAULT_ENVELOPE,
        body=first,
    )


def answer(request: WsmanRequest, body: str) -> bytes:
    """An answer's envelope; ``body`` is the markup inside its Body, in this module's prefixes."""
    action = request.action + "Response"
    return envelope(request.message_id, action, body)


def envelope(relates_to: str, action: str, body: str) -> bytes:
    """An envelope of the server."""
    return (
        f'<s:Envelope xml:lang="en-US" {_NAMESPACES}><s:Header>'
        f"<a:Action>{escape(action)}</a:Action>"
        f"<a:MessageID>uuid:{str(uuid.uuid4()).upper()}</a:MessageID>"
        f"<a:To>{ANONYMOUS}</a:To>"
        f"<a:RelatesTo>{escape(relates_to)}</a:RelatesTo>"
        f"</s:Header><s:Body>{body}</s:Body></s:Envelope>"
    ).encode()


def element(name: str, text: str = "", **attributes: str) -> str:
    """One element with a text, escaped."""
    rendered = "".join(f" {key}={quoteattr(value)}" for key, value in attributes.items())
    return f"<{name}{rendered}>{escape(text)}</{name}>"


def _text(parent: ET.Element, namespace: str, name: str) -> str:
    return (parent.findtext(f"{{{namespace}}}{name}") or "").strip()


def _pairs(header: ET.Element, outer: str, inner: str) -> dict[str, str]:
    found = header.find(f"{{{W}}}{outer}")
    if found is None:
        return {}
    return {item.get("Name", ""): (item.text or "") for item in found.findall(f"{{{W}}}{inner}")}
