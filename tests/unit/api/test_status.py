"""The one table from category to code, the details, and the size that a status may have."""

from __future__ import annotations

from typing import Any, TypeVar

import grpc
import pytest
from aetherv.v1 import vm_pb2, vm_service_pb2
from aetherv_agent import contracts
from aetherv_agent.api.status import CODES, LIMIT, to_status, wire_size
from aetherv_agent.core.errors import AethervError, Category, Violation
from google.protobuf.message import Message
from google.rpc import error_details_pb2, status_pb2
from support.api_fakes import ADMIN, Served, Stubs, refusal

M = TypeVar("M", bound=Message)

EXPECTED = {
    "not_found": grpc.StatusCode.NOT_FOUND,
    "already_exists": grpc.StatusCode.ALREADY_EXISTS,
    "invalid": grpc.StatusCode.INVALID_ARGUMENT,
    "precondition": grpc.StatusCode.FAILED_PRECONDITION,
    "resource_exhausted": grpc.StatusCode.RESOURCE_EXHAUSTED,
    "unavailable": grpc.StatusCode.UNAVAILABLE,
    "timeout": grpc.StatusCode.DEADLINE_EXCEEDED,
    "permission": grpc.StatusCode.FAILED_PRECONDITION,
    "internal": grpc.StatusCode.INTERNAL,
    "aborted": grpc.StatusCode.ABORTED,
    "cancelled": grpc.StatusCode.CANCELLED,
    "unauthenticated": grpc.StatusCode.UNAUTHENTICATED,
    "permission_denied": grpc.StatusCode.PERMISSION_DENIED,
    "out_of_range": grpc.StatusCode.OUT_OF_RANGE,
    "unimplemented": grpc.StatusCode.UNIMPLEMENTED,
}


def detail(status: status_pb2.Status, kind: type[M]) -> M | None:
    """Return a status's detail of a type, or None."""
    for packed in status.details:
        found = kind()
        if packed.Unpack(found):
            return found
    return None


def test_every_category_has_its_code() -> None:
    """The table is whole and says what the design says."""
    assert {category.value: code for category, code in CODES.items()} == EXPECTED
    assert set(CODES) == set(Category)


@pytest.mark.parametrize("error_id", sorted(contracts.error_rules()))
def test_every_error_of_the_contract_is_told_with_its_id(error_id: str) -> None:
    """ErrorInfo carries the contract's id and the domain; the message says what to do."""
    error = AethervError(error_id, "Something happened.", metadata={"host": "hv01"})
    status = to_status(error)
    info = detail(status, error_details_pb2.ErrorInfo)
    assert info is not None
    assert (info.reason, info.domain, dict(info.metadata)) == (error_id, "aetherv", {"host": "hv01"})
    assert status.code == EXPECTED[error.category.value].value[0]
    assert status.message == f"Something happened. {error.advice}"


@pytest.mark.parametrize(
    "text", ["x" * 3000, "\u6f22" * 3000, "%" * 3000, 'a"\\\x00\n' * 600, "\U0001f600" * 800]
)
def test_500_long_violations_stay_below_the_limit(text: str) -> None:
    """Whatever the text is made of, the status fits on the wire and still tells its first violations."""
    error = AethervError(
        "FIELD_INVALID",
        text,
        violations=tuple(Violation(f"vm.field_{n}_{text}", text) for n in range(500)),
        metadata={f"key{n}": text for n in range(50)},
    )
    status = to_status(error, "operations/1")
    assert wire_size(status) < LIMIT
    bad = detail(status, error_details_pb2.BadRequest)
    info = detail(status, error_details_pb2.ErrorInfo)
    assert info is not None
    assert info.reason == "FIELD_INVALID"
    if bad is not None:
        assert 1 <= len(bad.field_violations) <= 20


def test_short_violations_are_all_told_up_to_20() -> None:
    """Twenty wrong fields are named, and how many more there are."""
    error = AethervError(
        "FIELD_INVALID", "Wrong.", violations=tuple(Violation(f"vm.f{n}", "is wrong") for n in range(25))
    )
    bad = detail(to_status(error), error_details_pb2.BadRequest)
    assert bad is not None
    assert [v.field for v in bad.field_violations] == [f"vm.f{n}" for n in range(20)]
    assert bad.field_violations[-1].description == "is wrong (and 5 more wrong fields)"


def test_host_text_is_cut_with_a_reference_to_the_operation() -> None:
    """Long text of a host is cut to 1 KiB, and where the rest stands is said."""
    status = to_status(AethervError("HYPERV_ERROR", "y" * 5000, host_answered=True), "operations/abc")
    assert status.message.startswith("y" * 1000)
    assert "the log of operations/abc has it whole" in status.message
    assert len(status.message) < 1400


@pytest.mark.parametrize(
    ("error", "seconds"),
    [
        (AethervError("QUEUE_FULL", "Full.", retry_after=30.0), 30),
        (AethervError("HOST_UNREACHABLE", "Away."), 5),
        (AethervError("DISK_FULL", "Full.", host_answered=True), None),
        (AethervError("VM_NOT_FOUND", "Gone."), None),
    ],
)
def test_retry_info_is_there_where_a_retry_can_help(error: AethervError, seconds: int | None) -> None:
    """A client's loop is told to try again only where waiting can change the answer."""
    retry = detail(to_status(error), error_details_pb2.RetryInfo)
    assert (retry.retry_delay.seconds if retry else None) == seconds


async def test_500_violations_reach_a_real_client(served: Served, stubs: Stubs) -> None:
    """A client gets INVALID_ARGUMENT with details, not RESOURCE_EXHAUSTED for too much metadata."""
    text = "\u6f22 is wrong " * 100
    served.provisioning.error = AethervError(
        "FIELD_INVALID", text, violations=tuple(Violation(f"vm.f{n}", text) for n in range(500))
    )
    request = vm_service_pb2.CreateVmRequest(vm=vm_pb2.Vm(vm_name="web01"), validate_only=True)
    for _ in range(20):
        error: Any = await refusal(stubs.vms.CreateVm(request, metadata=ADMIN))
        assert error.code() is grpc.StatusCode.INVALID_ARGUMENT
        raw = dict(error.trailing_metadata())["grpc-status-details-bin"]
        status = status_pb2.Status.FromString(raw)
        assert status.message == error.details()
        assert detail(status, error_details_pb2.BadRequest) is not None
