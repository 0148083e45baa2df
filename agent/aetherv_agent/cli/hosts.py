"""``aetherv hosts``: list, check and deploy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

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
from aetherv_agent.cli.output import fail, gib, message_json, plain, print_json, print_table

if TYPE_CHECKING:
    from aetherv.client import Client
    from aetherv.v1 import host_pb2

app = typer.Typer(help="Hyper-V hosts.", no_args_is_help=True)

# A deployment may wait for another one and for a slow host; the agent's own limit is 300 s.
_DEPLOY_SECONDS = 330.0
_CHECK_SECONDS = 180.0
_UNUSABLE = 2


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
    from aetherv.v1 import host_pb2

    with connected(endpoint, token_file, ca_cert, client_cert, client_key, plaintext) as client:
        hosts = _all_hosts(client)
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


@app.command()
def check(
    name: Annotated[str | None, typer.Argument(help="A host of the configuration; none: all.")] = None,
    *,
    json: Json = False,
    endpoint: Endpoint = None,
    token_file: TokenFile = None,
    ca_cert: CaCert = None,
    client_cert: ClientCert = None,
    client_key: ClientKey = None,
    plaintext: Plaintext = None,
) -> None:
    """Look at hosts from the login to the space for VMs, and say what to do. Changes nothing; exit status 1: something failed."""
    from aetherv.v1 import host_pb2, host_service_pb2

    found: dict[str, host_service_pb2.CheckHostResponse] = {}
    with connected(endpoint, token_file, ca_cert, client_cert, client_key, plaintext) as client:
        for host in [_bare(name)] if name else _names(client):
            request = host_service_pb2.CheckHostRequest(name=f"hosts/{host}")
            found[host] = client.hosts.CheckHost(request, timeout=_CHECK_SECONDS)
    failed = any(
        finding.state == host_pb2.HostFinding.STATE_FAILED
        for answer in found.values()
        for finding in answer.findings
    )
    if json:
        print_json({"hosts": [{"name": f"hosts/{host}", **message_json(found[host])} for host in found]})
    else:
        print_table(
            ("host", "check", "state", "found", "what to do"),
            (
                (host, finding.id, _state(finding), finding.message, finding.advice)
                for host, answer in found.items()
                for finding in answer.findings
            ),
        )
    raise typer.Exit(1 if failed else 0)


@app.command()
def deploy(
    names: Annotated[list[str] | None, typer.Argument(help="Hosts of the configuration.")] = None,
    *,
    every: Annotated[bool, typer.Option("--all", help="All hosts of the configuration.")] = False,
    json: Json = False,
    endpoint: Endpoint = None,
    token_file: TokenFile = None,
    ca_cert: CaCert = None,
    client_cert: ClientCert = None,
    client_key: ClientKey = None,
    plaintext: Plaintext = None,
) -> None:
    """Bring the agent's scripts to hosts, beside what is there and never over it. Needs the role admin."""
    from aetherv.client import AgentError
    from aetherv.v1 import host_service_pb2

    if bool(names) == every:
        fail("name the hosts, or say --all", _UNUSABLE)
    done: list[dict[str, object]] = []
    failed = False
    with connected(endpoint, token_file, ca_cert, client_cert, client_key, plaintext) as client:
        for host in _names(client) if every else [_bare(name) for name in names or ()]:
            request = host_service_pb2.DeployHostScriptsRequest(name=f"hosts/{host}")
            try:
                answer = client.hosts.DeployHostScripts(request, timeout=_DEPLOY_SECONDS)
            except AgentError as error:
                # One host's refusal says nothing of the next.
                failed = True
                done.append({"host": host, "error": error.message, "reason": error.reason or str(error.code)})
                continue
            done.append({"host": host, **message_json(answer)})
            if not json:
                word = "deployed to" if answer.made else "were already in"
                typer.echo(f"{host}: scripts {answer.version} {word} {plain(answer.path)}")
    if json:
        print_json({"hosts": done})
    else:
        for entry in done:
            if "error" in entry:
                typer.echo(
                    f"error: {entry['host']}: {plain(str(entry['error']))} [{entry['reason']}]", err=True
                )
    raise typer.Exit(1 if failed else 0)


def _all_hosts(client: Client) -> list[host_pb2.Host]:
    from aetherv.v1 import host_service_pb2

    hosts: list[host_pb2.Host] = []
    request = host_service_pb2.ListHostsRequest(page_size=500)
    while True:
        answer = client.hosts.ListHosts(request)
        hosts += answer.hosts
        if not answer.next_page_token:
            return hosts
        request.page_token = answer.next_page_token


def _names(client: Client) -> list[str]:
    return [_bare(host.name) for host in _all_hosts(client)]


def _bare(name: str) -> str:
    return name.removeprefix("hosts/")


def _state(finding: host_pb2.HostFinding) -> str:
    from aetherv.v1 import host_pb2

    return host_pb2.HostFinding.State.Name(finding.state).removeprefix("STATE_").lower()
