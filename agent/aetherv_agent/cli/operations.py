"""``aetherv operations``: list, show, watch and cancel."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

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
from aetherv_agent.cli.output import fail, gib, message_json, moment, plain, print_json, print_table

if TYPE_CHECKING:
    from aetherv.v1 import operation_pb2, operation_service_pb2

app = typer.Typer(help="Creates and deletes: what runs, what has ended, and why.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(help="The operation's id, or operations/ID.")]


@app.command("list")
def list_operations(
    filter_text: Annotated[
        str, typer.Option("--filter", help='Such as: done = false AND host = "hv01"')
    ] = "",
    limit: Annotated[int, typer.Option(min=1, max=500, help="At most so many, the newest.")] = 50,
    *,
    json: Json = False,
    endpoint: Endpoint = None,
    token_file: TokenFile = None,
    ca_cert: CaCert = None,
    client_cert: ClientCert = None,
    client_key: ClientKey = None,
    plaintext: Plaintext = None,
) -> None:
    """List operations, the newest first."""
    from google.longrunning import operations_pb2

    with connected(endpoint, token_file, ca_cert, client_cert, client_key, plaintext) as client:
        request = operations_pb2.ListOperationsRequest(name="operations", page_size=limit, filter=filter_text)
        found = list(client.operations.ListOperations(request).operations)
    if json:
        print_json({"operations": [message_json(operation) for operation in found]})
        return
    print_table(
        ("operation", "verb", "vm", "host", "state", "created (utc)", "by"),
        (
            (
                operation.name.removeprefix("operations/"),
                about.Verb.Name(about.verb).removeprefix("VERB_").lower(),
                about.vm_name or about.target,
                about.host,
                about.State.Name(about.state).removeprefix("STATE_").lower(),
                moment(about.create_time),
                about.principal,
            )
            for operation in found
            for about in (_metadata(operation),)
        ),
    )


@app.command()
def show(
    name: Name,
    *,
    json: Json = False,
    endpoint: Endpoint = None,
    token_file: TokenFile = None,
    ca_cert: CaCert = None,
    client_cert: ClientCert = None,
    client_key: ClientKey = None,
    plaintext: Plaintext = None,
) -> None:
    """Show one operation with its steps."""
    with connected(endpoint, token_file, ca_cert, client_cert, client_key, plaintext) as client:
        operation = client.get_operation(_full(name))
    if json:
        print_json(message_json(operation))
        return
    about = _metadata(operation)
    state = about.State.Name(about.state).removeprefix("STATE_").lower()
    typer.echo(f"{operation.name}: {plain(about.vm_name or about.target)} on {about.host}: {state}")
    if about.waiting_for:
        typer.echo(f"  waits for: {plain(about.waiting_for)}")
    for step in about.steps:
        typer.echo(f"  {_step(step)}")
    for warning in about.warnings:
        typer.echo(f"  warning: {plain(warning.message)} [{warning.reason}]")
    for leftover in about.leftovers:
        typer.echo(f"  left over: {leftover.kind} {plain(leftover.path)}: {plain(leftover.message)}")
    if operation.HasField("error"):
        typer.echo(f"  error: {plain(operation.error.message)}")


@app.command()
def watch(
    name: Name,
    *,
    json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
    endpoint: Endpoint = None,
    token_file: TokenFile = None,
    ca_cert: CaCert = None,
    client_cert: ClientCert = None,
    client_key: ClientKey = None,
    plaintext: Plaintext = None,
) -> None:
    """Follow an operation to its end; exit code 1 if it ends in an error. Ctrl-C ends the watching alone."""
    with connected(endpoint, token_file, ca_cert, client_cert, client_key, plaintext) as client:
        done = client.wait(_full(name), on_event=_print_event_json if json else _print_event)
    if done.HasField("error"):
        if json:
            raise typer.Exit(1)
        fail(plain(done.error.message))
    if not json:
        typer.echo("done")


@app.command()
def cancel(
    name: Name,
    endpoint: Endpoint = None,
    token_file: TokenFile = None,
    ca_cert: CaCert = None,
    client_cert: ClientCert = None,
    client_key: ClientKey = None,
    plaintext: Plaintext = None,
) -> None:
    """Ask an operation to end; what it made is taken back."""
    with connected(endpoint, token_file, ca_cert, client_cert, client_key, plaintext) as client:
        client.cancel_operation(_full(name))
    typer.echo(f"asked {_full(name)} to cancel; `aetherv operations watch {name}` shows its end.")


def _full(name: str) -> str:
    return name if name.startswith("operations/") else f"operations/{name}"


def _metadata(operation: Any) -> operation_pb2.VmOperationMetadata:
    from aetherv.v1 import operation_pb2

    about = operation_pb2.VmOperationMetadata()
    operation.metadata.Unpack(about)
    return about


def _print_event_json(event: operation_service_pb2.OperationEvent) -> None:
    import json

    typer.echo(json.dumps(message_json(event), ensure_ascii=False))


def _print_event(event: operation_service_pb2.OperationEvent) -> None:
    kind = event.WhichOneof("event")
    if kind == "step":
        typer.echo(_step(event.step))
    elif kind == "log":
        typer.echo(f"  {plain(event.log.message)}")
    elif kind == "warning":
        typer.echo(f"  warning: {plain(event.warning.message)} [{event.warning.reason}]")
    elif kind == "heartbeat" and event.heartbeat.waiting_for:
        typer.echo(f"  waits for: {plain(event.heartbeat.waiting_for)}")


def _step(step: operation_pb2.Step) -> str:
    state = step.State.Name(step.state).removeprefix("STATE_").lower()
    size = f" {gib(step.done_bytes)} of {gib(step.total_bytes)} GiB" if step.total_bytes else ""
    return f"{step.step:14} {state}{size} {plain(step.message)}".rstrip()
