"""The contract files, and that code and protos keep to them."""

import re
from pathlib import Path

import aetherv_agent
import pytest
from aetherv.v1 import vm_pb2
from aetherv_agent import contracts
from aetherv_agent.core.errors import AethervError, Category
from aetherv_agent.core.model import VmSecrets, VmSpec
from aetherv_agent.core.os_family import os_family_of

SOURCES = Path(aetherv_agent.__file__).parent


def test_every_pattern_is_a_regular_expression() -> None:
    """All patterns of fields and dialects compile."""
    text = (contracts.host_scripts_folder() / "contracts/fields.json").read_text() + str(
        contracts.document("dialects")
    )
    assert "pattern" in text
    for field in contracts.field_rules().fields:
        for pattern in (field.pattern, field.forbidden_pattern):
            assert pattern is None or re.compile(pattern)


def test_spec_secrets_proto_and_contract_have_the_same_fields() -> None:
    """A field that one of them lacks would be lost on the way."""
    contract = {field.name for field in contracts.field_rules().fields}
    inputs = {f.name for f in vm_pb2.Vm.DESCRIPTOR.fields if 2 <= f.number <= 23}
    secrets = {f.name for f in vm_pb2.VmSecrets.DESCRIPTOR.fields}
    assert set(VmSpec.__slots__) == inputs == contract - secrets
    assert set(VmSecrets.__slots__) == secrets == {f.name for f in contracts.field_rules().fields if f.secret}


def test_every_error_id_has_a_category_and_advice() -> None:
    """The category is known, the advice says something."""
    for rule in contracts.error_rules().values():
        assert Category(rule.category)
        assert rule.advice.endswith(".")
        assert set(rule.by) <= {"agent", "script"}


def test_every_id_that_the_agent_raises_is_in_the_contract() -> None:
    """An id in the sources that no contract has would fail at the worst moment."""
    used = set()
    for path in SOURCES.rglob("*.py"):
        used |= set(re.findall(r"AethervError\(\s*\"([A-Z_]+)\"", path.read_text()))
    assert "FIELD_INVALID" in used
    assert used <= set(contracts.error_rules())


def test_an_error_comes_back_from_its_row() -> None:
    """What is stored of an error gives the same error; an unknown id of a newer version is no crash."""
    error = AethervError(
        "IMAGE_NOT_FOUND", "no image", metadata={"host": "hv01"}, host_answered=True, undone=True
    )
    again = AethervError.from_json(error.to_json())
    assert again.to_json() == error.to_json()
    assert AethervError.from_json({"id": "FROM_THE_FUTURE", "message": "x"}).id == "INTERNAL_ERROR"


@pytest.mark.parametrize(
    ("image", "family"),
    [
        ("Windows Server 2022", "windows"),
        ("microsoft windows 11", "windows"),
        ("Red Hat Enterprise Linux 9", "linux"),
        ("opensuse leap", "linux"),
        ("My Ubuntu", None),
        ("", None),
    ],
)
def test_the_family_is_told_by_the_beginning(image: str, family: str | None) -> None:
    """The seeds' patterns match the beginning, in any case."""
    assert os_family_of(image) == family
