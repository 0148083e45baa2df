"""``aetherv hosts``: list."""

from __future__ import annotations

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
from aetherv_agent.cli.output import gib, message_json, plain, print_json, print_table

app = typer.Typer(help="Hyper-V hosts.", no_args_is_help=True)


@app.callback()
def group() -> None:
    """Keep the group a group although it has one command."""


@app.command("list")
def list_hosts(
    *,
    json: Json = False,
    endpoint: Endpoint = None,
    token_file: TokenFile = None,
    ca_cert: CaCert = None,
    client_cert: ClientCert = None,
    client_key: ClientKey = None,
    plaintext: Plaintext = None,
) -> None:
    """List the agent's hosts, with those that can't be reached."""
    from aetherv.v1 import host_pb2, host_service_pb2

    with connected(endpoint, token_file, ca_cert, client_cert, client_key, plaintext) as client:
        hosts: list[host_pb2.Host] = []
        request = host_service_pb2.ListHostsRequest(page_size=500)
        while True:
            answer = client.hosts.ListHosts(request)
            hosts += answer.hosts
            if not answer.next_page_token:
                break
            request.page_token = answer.next_page_token
    if json:
        print_json({"hosts": [message_json(host) for host in hosts]})
        return
    print_table(
        ("name", "address", "state", "vms", "working", "queued", "memory free (gib)", "cluster"),
        (
            (
                host.name.removeprefix("hosts/"),
                host.address,
                host_pb2.Host.State.Name(host.state).removeprefix("STATE_").lower(),
                str(host.vm_count),
                str(host.running_operation_count),
                str(host.queued_operation_count),
                f"{gib(host.memory_free_bytes)} of {gib(host.memory_bytes)}",
                host.cluster,
            )
            for host in hosts
        ),
    )
    for host in hosts:
        if host.HasField("error"):
            typer.echo(f"{host.name.removeprefix('hosts/')}: {plain(host.error.message)}", err=True)
