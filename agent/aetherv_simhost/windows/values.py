"""Objects as PowerShell's serializer writes them (CLIXML, MS-PSRP 2.2.5). Pure."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final
from xml.sax.saxutils import escape

_ODD: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]|_(?=x[0-9A-Fa-f]{4}_)")
_HEAD: Final = '<Objs Version="1.1.0.1" xmlns="http://schemas.microsoft.com/powershell/2004/04">'


@dataclass(frozen=True, slots=True)
class Typed:
    """A value whose type PowerShell has to know: ``tag`` is the element's name, such as ``U16`` or ``G``."""

    tag: str
    text: str


@dataclass(slots=True)
class PsObject:
    """An object with properties.

    Attributes:
        types: Its type names, the most special one first.
        properties: Values by name.
        text: What ToString gives; empty: the type's own.
    """

    types: tuple[str, ...]
    properties: Mapping[str, object] = field(default_factory=dict)
    text: str = ""


def u16(value: int) -> Typed:
    """A UInt16."""
    return Typed("U16", str(value))


def u32(value: int) -> Typed:
    """A UInt32."""
    return Typed("U32", str(value))


def u64(value: int) -> Typed:
    """A UInt64."""
    return Typed("U64", str(value))


def i64(value: int) -> Typed:
    """An Int64."""
    return Typed("I64", str(value))


def guid(text: str) -> Typed:
    """A Guid."""
    return Typed("G", text)


def version(text: str) -> Typed:
    """A System.Version."""
    return Typed("Version", text)


def moment(seconds: float) -> Typed:
    """A DateTime from seconds since the epoch."""
    return Typed("DT", datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ"))


def span(seconds: float) -> Typed:
    """A TimeSpan."""
    return Typed("TS", f"PT{max(seconds, 0):.3f}S")


def clixml(objects: Iterable[object]) -> str:
    """One document with all objects."""
    writer = _Writer()
    for value in objects:
        writer.put(value, "")
    return _HEAD + "".join(writer.parts) + "</Objs>"


class _Writer:
    def __init__(self) -> None:
        self.parts: list[str] = []
        self._references = 0
        self._types: dict[tuple[str, ...], int] = {}

    def put(self, value: object, name: str) -> None:
        label = f' N="{_text(name)}"' if name else ""
        match value:
            case None:
                self.parts.append(f"<Nil{label}/>")
            case bool():
                self.parts.append(f"<B{label}>{'true' if value else 'false'}</B>")
            case int():
                tag = "I32" if -(2**31) <= value < 2**31 else "I64"
                self.parts.append(f"<{tag}{label}>{value}</{tag}>")
            case float():
                self.parts.append(f"<Db{label}>{value!r}</Db>")
            case str():
                self.parts.append(f"<S{label}>{_text(value)}</S>")
            case Typed():
                self.parts.append(f"<{value.tag}{label}>{value.text}</{value.tag}>")
            case PsObject():
                self._object(value, label)
            case list() | tuple():
                self._list(value, label)
            case _:
                raise TypeError(f"no CLIXML for {type(value).__name__}")

    def _reference(self) -> int:
        self._references += 1
        return self._references

    def _type_names(self, types: tuple[str, ...]) -> None:
        known = self._types.get(types)
        if known is not None:
            self.parts.append(f'<TNRef RefId="{known}"/>')
            return
        number = self._types[types] = len(self._types)
        names = "".join(f"<T>{_text(name)}</T>" for name in types)
        self.parts.append(f'<TN RefId="{number}">{names}</TN>')

    def _object(self, value: PsObject, label: str) -> None:
        self.parts.append(f'<Obj{label} RefId="{self._reference()}">')
        self._type_names(value.types)
        if value.text:
            self.parts.append(f"<ToString>{_text(value.text)}</ToString>")
        self.parts.append("<MS>")
        for name, inner in value.properties.items():
            self.put(inner, name)
        self.parts.append("</MS></Obj>")

    def _list(self, value: Iterable[object], label: str) -> None:
        self.parts.append(f'<Obj{label} RefId="{self._reference()}">')
        self._type_names(("System.Object[]", "System.Array", "System.Object"))
        self.parts.append("<LST>")
        for inner in value:
            self.put(inner, "")
        self.parts.append("</LST></Obj>")


def _text(text: str) -> str:
    return escape(_ODD.sub(_escaped, text), {'"': "&quot;"})


def _escaped(found: re.Match[str]) -> str:
    raw = found[0].encode("utf-16-be", "surrogatepass")
    return "".join(f"_x{raw[at]:02X}{raw[at + 1]:02X}_" for at in range(0, len(raw), 2))
