"""The protos' comments say the contract's rules and the codes that an RPC answers."""

import itertools
import re
from pathlib import Path

import grpc
import pytest
from aetherv_agent import contracts

PROTO = Path(__file__).resolve().parents[2] / "proto/aetherv/v1"
CODES = {code.name for code in grpc.StatusCode}


def comment_of(text: str, declaration: str) -> str:
    """Return the comment lines right above a declaration."""
    lines = text.splitlines()
    index = next(i for i, line in enumerate(lines) if re.search(declaration, line))
    comment: list[str] = []
    while (line := lines[index - 1].strip()).startswith("//"):
        comment.insert(0, line.lstrip("/ "))
        index -= 1
    return " ".join(comment)


@pytest.mark.parametrize(
    "field", [f for f in contracts.field_rules().fields if f.maximum], ids=lambda f: f.name
)
def test_a_field_s_comment_has_its_range(field: contracts.FieldRule) -> None:
    """The limits in the comment are the contract's."""
    text = comment_of((PROTO / "vm.proto").read_text(), rf" {field.name} = \d+")
    low = 1 if field.name == "vlan_id" else int(field.minimum or 0)
    assert f"{low} to {int(field.maximum or 0)}" in text


@pytest.mark.parametrize("path", sorted(PROTO.glob("*_service.proto")), ids=lambda path: path.stem)
def test_each_rpc_lists_its_codes(path: Path) -> None:
    """Each RPC's comment names at least one code with its reason, and only codes that exist."""
    text = path.read_text()
    for rpc in re.findall(r"^  rpc (\w+)", text, re.MULTILINE):
        named = set(re.findall(r"\b([A-Z]+(?:_[A-Z]+)*):", comment_of(text, rf"rpc {rpc}\(")))
        assert named
        assert named <= CODES, rpc


@pytest.mark.parametrize("path", sorted(PROTO.glob("*.proto")), ids=lambda path: path.stem)
def test_every_declaration_has_a_comment(path: Path) -> None:
    """Messages, fields, enums, values, services and RPCs are all described."""
    lines = path.read_text().splitlines()
    bare = [
        line
        for previous, line in itertools.pairwise(lines)
        if re.match(r"\s*(message|enum|service|rpc|oneof)\b.*\{|\s+\S.* = \d+( \[.*\])?;", line)
        and not previous.strip().startswith("//")
    ]
    assert bare == []
    assert any("//" in line for line in lines)
