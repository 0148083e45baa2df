"""``aetherv vms``: list and show."""

from __future__ import annotations

import re
from typing import Annotated

import typer

from aetherv_agent.cli.connection import (
    CaCert,
    ClientCert,
    ClientKey,
    Endpoint,
    Json,
    Plaintext,
    TokenFile,
    connected,
)
from aetherv_agent.cli.output import message_json, plain, print_json, print_table

app = typer.Typer(help="Virtual machines.", no_args_is_help=True)

_GUID = re.compile(r"(vms/)?([0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12})")


@app.command("list")
def list_vms(
    filter_text: Annotated[
        str, typer.Option("--filter", help='Such as: host = "hv01" AND vm_name = "web*"')
    ] = "",
    *,
    json: Json = False,
    endpoint: Endpoint = None,
    token_file: TokenFile = None,
    ca_cert: CaCert = None,
    client_cert: ClientCert = None,
    client_key: ClientKey = None,
    plaintext: Plaintext = None,
) -> None:
    """List the VMs of all hosts."""
    from aetherv.v1 import vm_pb2, vm_service_pb2

    with connected(endpoint, token_file, ca_cert, client_cert, client_key, plaintext) as client:
        vms: list[vm_pb2.Vm] = []
        request = vm_service_pb2.ListVmsRequest(page_size=500, filter=filter_text)
        while True:
            answer = client.vms.ListVms(request)
            vms += answer.vms
            if not answer.next_page_token:
                break
            request.page_token = answer.next_page_token
    if json:
        print_json({"vms": [message_json(vm) for vm in vms], "unreachable": list(answer.unreachable)})
        return
    print_table(
        ("name", "host", "state", "cpus", "gib", "addresses", "id"),
        (
            (
                vm.vm_name,
                vm.host,
                vm_pb2.Vm.State.Name(vm.state).removeprefix("STATE_").lower(),
                str(vm.cpu_cores),
                f"{vm.gb_ram:g}",
                ", ".join(vm.ip_addresses),
                vm.name.removeprefix("vms/"),
            )
            for vm in vms
        ),
    )
    for host in answer.unreachable:
        typer.echo(f"{host} can't be asked; its VMs are missing here.", err=True)


@app.command()
def show(
    name: Annotated[str, typer.Argument(help="GUID, vms/GUID, hosts/HOST/vms/NAME or the VM's name.")],
    *,
    json: Json = False,
    endpoint: Endpoint = None,
    token_file: TokenFile = None,
    ca_cert: CaCert = None,
    client_cert: ClientCert = None,
    client_key: ClientKey = None,
    plaintext: Plaintext = None,
) -> None:
    """Show one VM."""
    from aetherv.v1 import vm_service_pb2

    with connected(endpoint, token_file, ca_cert, client_cert, client_key, plaintext) as client:
        vm = client.vms.ReadVm(vm_service_pb2.ReadVmRequest(name=resource_name(name)))
    values = message_json(vm)
    if json:
        print_json(values)
        return
    for key, value in values.items():
        for shown in value if isinstance(value, list) else [value]:
            text = "  ".join(f"{k} {v}" for k, v in shown.items()) if isinstance(shown, dict) else str(shown)
            typer.echo(f"{key:22} {plain(text)}".rstrip())


def resource_name(name: str) -> str:
    """Return the resource name of what a user typed."""
    if found := _GUID.fullmatch(name):
        return f"vms/{found[2].lower()}"
    return name if name.startswith("hosts/") else f"hosts/-/vms/{name}"
