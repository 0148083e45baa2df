"""Make a VM without Terraform: a plain gRPC client, following the create as it happens.

Endpoint, token and CA come from AETHERV_ENDPOINT, AETHERV_TOKEN_FILE and AETHERV_CA_CERT; the guest's password from
AETHERV_GUEST_PASSWORD.
"""

from __future__ import annotations

import os
import sys
import uuid

from aetherv.client import AgentError, connect
from aetherv.v1 import operation_pb2, operation_service_pb2, vm_pb2, vm_service_pb2


def main() -> int:
    """Create the VM; return the exit status."""
    request = vm_service_pb2.CreateVmRequest(
        vm=vm_pb2.Vm(
            vm_name="api-01",
            image_name="Ubuntu 24.04",
            gb_ram=2,
            cpu_cores=2,
            guest_la_uid="admin",
        ),
        secrets=vm_pb2.VmSecrets(guest_la_pw=os.environ["AETHERV_GUEST_PASSWORD"]),
        # The same id sent again after a lost answer is the same create.
        request_id=str(uuid.uuid4()),
    )
    with connect() as client:
        try:
            operation = client.wait(client.vms.CreateVm(request), on_event=_show)
        except AgentError as error:
            print(error, file=sys.stderr)
            return 1
    if operation.HasField("error"):
        print(operation.error.message, file=sys.stderr)
        return 1
    vm = vm_pb2.Vm()
    operation.response.Unpack(vm)
    print(f"{vm.vm_name} is {vm.name} on {vm.host}")
    return 0


def _show(event: operation_service_pb2.OperationEvent) -> None:
    if event.WhichOneof("event") == "step":
        state = operation_pb2.Step.State.Name(event.step.state).removeprefix("STATE_").lower()
        print(f"{event.step.step}: {state} {event.step.message}".rstrip())


if __name__ == "__main__":
    sys.exit(main())
