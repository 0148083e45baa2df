"""The audit line of each changing or refused call, and what no log may hold."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import grpc
import pytest
import structlog
from aetherv.v1 import vm_pb2, vm_service_pb2
from aetherv_agent import logs
from aetherv_agent.api.permissions import Role
from aetherv_agent.core.errors import AethervError
from google.longrunning import operations_pb2
from support.api_fakes import ADMIN, GUID, TOKENS, Served, Stubs, bearer, refusal

PASSWORD = "pass-w\u00f6rd \"of' the guest"
CONTROL = "a-control-value-that-is-no-secret"
REQUEST_ID = "3f1c8b52-9d0e-4c37-8a51-0f6f5c1f2a77"
CREATE = vm_service_pb2.CreateVmRequest(
    vm=vm_pb2.Vm(vm_name=CONTROL, image_name="Ubuntu 24.04", gb_ram=2, cpu_cores=2),
    secrets=vm_pb2.VmSecrets(guest_la_pw=PASSWORD),
    request_id=REQUEST_ID,
)


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """Return where JSON logs go during the test."""
    stream = io.StringIO()
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    logs.configure("debug", "json", stream)
    yield stream
    for handler in list(root.handlers):
        root.removeHandler(handler)
    for handler in handlers:
        root.addHandler(handler)
    root.setLevel(level)
    structlog.reset_defaults()


def lines(log: io.StringIO, event: str) -> list[dict[str, Any]]:
    """Return the log's lines of an event."""
    return [line for line in map(json.loads, log.getvalue().splitlines()) if line["event"] == event]


async def test_a_change_is_audited_with_who_what_and_outcome(
    served: Served, stubs: Stubs, log: io.StringIO
) -> None:
    """The line names principal, peer, method, target, request, operation and outcome, and no value."""
    operation = await stubs.vms.CreateVm(CREATE, metadata=bearer(TOKENS[Role.OPERATOR]))
    (line,) = lines(log, "audit")
    assert line["principal"] == "operator"
    assert line["peer"].startswith("ipv4:127.0.0.1:")
    assert line["method"] == "/aetherv.v1.VmService/CreateVm"
    assert line["target"] == f"hosts/-/vms/{CONTROL}"
    assert (line["request_id"], line["operation"], line["outcome"]) == (REQUEST_ID, operation.name, "OK")
    assert line["time"].endswith("+00:00")
    assert "Ubuntu" not in log.getvalue()


async def test_refused_calls_are_audited_and_reads_are_not(
    served: Served, stubs: Stubs, log: io.StringIO
) -> None:
    """Who was refused stands in the log, with why and at what; an answered read does not."""
    await stubs.vms.ListVms(vm_service_pb2.ListVmsRequest(), metadata=ADMIN)
    assert not lines(log, "audit")
    await refusal(stubs.vms.ListVms(vm_service_pb2.ListVmsRequest(), metadata=bearer("wrong")))
    await refusal(stubs.vms.CreateVm(CREATE, metadata=bearer(TOKENS[Role.VIEWER])))
    served.provisioning.error = AethervError("VM_ALREADY_EXISTS", "Taken.")
    await refusal(stubs.vms.CreateVm(CREATE, metadata=ADMIN))
    await refusal(
        stubs.operations.CancelOperation(
            operations_pb2.CancelOperationRequest(name=f"operations/{GUID}"), metadata=ADMIN
        )
    )
    vm = f"hosts/-/vms/{CONTROL}"
    audited = lines(log, "audit")
    assert [(line["principal"], line["target"], line["outcome"], line["reason"]) for line in audited] == [
        ("anonymous", "", "UNAUTHENTICATED", "TOKEN_INVALID"),
        ("viewer", vm, "PERMISSION_DENIED", "PERMISSION_DENIED"),
        ("admin", vm, "ALREADY_EXISTS", "VM_ALREADY_EXISTS"),
        ("admin", f"operations/{GUID}", "NOT_FOUND", "OPERATION_NOT_FOUND"),
    ]
    assert audited[1]["request_id"] == REQUEST_ID


async def test_an_unknown_exception_is_told_by_an_id_alone(
    served: Served, stubs: Stubs, log: io.StringIO
) -> None:
    """The client gets INTERNAL_ERROR with an id; the log has the exception under that id."""
    served.provisioning.error = ValueError(f"{CONTROL} in the text")
    error = await refusal(stubs.vms.CreateVm(CREATE, metadata=(*ADMIN, ("x-request-id", "call-7"))))
    assert error.code() is grpc.StatusCode.INTERNAL
    assert "call-7" in str(error.details())
    assert CONTROL not in str(error.details())
    (line,) = lines(log, "internal_error")
    assert line["id"] == "call-7"
    assert CONTROL in json.dumps(line)
    (audited,) = lines(log, "audit")
    assert (audited["outcome"], audited["reason"]) == ("INTERNAL", "INTERNAL_ERROR")


async def test_no_secret_of_a_call_is_logged_even_by_a_bug(
    served: Served, stubs: Stubs, log: io.StringIO
) -> None:
    """A password or token never stands in a log, also where an exception quotes it; a control value does."""
    served.provisioning.error = ValueError(f"{CONTROL}: {PASSWORD}, {PASSWORD!r}, {TOKENS[Role.ADMIN]}")
    await refusal(stubs.vms.CreateVm(CREATE, metadata=ADMIN))
    text = log.getvalue()
    decoded = "".join(json.dumps(json.loads(line), ensure_ascii=False) for line in text.splitlines())
    assert CONTROL in text
    for form in (PASSWORD, json.dumps(PASSWORD)[1:-1], repr(PASSWORD)[1:-1], "of' the guest"):
        assert form not in text
        assert form not in decoded
    assert TOKENS[Role.ADMIN] not in text


async def test_a_client_cannot_write_lines_of_its_own_into_the_log(served: Served, stubs: Stubs) -> None:
    """A line break in a name stays within its line, for people too."""
    stream = io.StringIO()
    logs.configure("info", "console", stream)
    try:
        request = vm_service_pb2.DeleteVmRequest(name="vms/x\nforged line\x1b[2J", request_id="a\rb")
        await refusal(stubs.vms.DeleteVm(request, metadata=ADMIN))
    finally:
        logging.getLogger().handlers.clear()
        structlog.reset_defaults()
    (line,) = [text for text in stream.getvalue().splitlines() if "audit" in text]
    assert "vms/x?forged line?[2J" in line
    assert "\x1b" not in line
