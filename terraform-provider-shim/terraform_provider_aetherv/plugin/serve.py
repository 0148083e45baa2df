"""A plugin process from its first line to its last: what ``python -m terraform_provider_aetherv`` does.

What is imported at the top is needed for the handshake; the provider and the protocol's messages are
loaded while Terraform connects.
"""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Final, NoReturn

from terraform_provider_aetherv.plugin import handshake

if TYPE_CHECKING:
    import grpc

    from terraform_provider_aetherv.plugin.provider import Provider
    from terraform_provider_aetherv.plugin.server import PluginServer

_LOG = logging.getLogger(__name__)

# Terraform kills two seconds after Shutdown.
GRACE: Final = 1.0

Build = Callable[[], "Provider"]


def serve(
    build: Build,
    *,
    address: str,
    argv: Sequence[str] | None = None,
    environ: Mapping[str, str] | None = None,
) -> NoReturn:
    """Serve one provider until Terraform is done with it, then end the process.

    Args:
        build: makes the provider; called after the handshake, so that its imports cost nothing before.
        address: the provider's address, for the debug mode.
        argv: arguments without the program's name; ``--debug`` is the only one.
        environ: the environment.
    """
    arguments = sys.argv[1:] if argv is None else argv
    values = os.environ if environ is None else environ
    try:
        status = _run(build, address, values, debug="--debug" in arguments)
    except KeyboardInterrupt:
        status = 130
    except OSError:
        status = 1  # nobody reads the handshake
    _leave(status)


def _run(build: Build, address: str, environ: Mapping[str, str], *, debug: bool) -> int:
    if not debug:
        problem = _refusal(environ)
        if problem:
            _say(problem)
            return 1
    from terraform_provider_aetherv.plugin import parent

    gone = (lambda: False) if debug else parent.parent_is_gone()
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")  # its lines are not hclog's
    try:
        server, certificate = _listen(tls=not debug and handshake.wants_tls(environ))
    except Exception as problem:  # noqa: BLE001  # Terraform shows what stands on the first line, and no trace
        _say(f"The aetherv provider cannot start: {type(problem).__name__}: {problem}".splitlines()[0])
        return 1
    ended = threading.Event()
    provider: Provider | None = None
    try:
        server.start()
        if debug:
            signal.signal(signal.SIGINT, lambda *_: ended.set())
            _say(f"TF_REATTACH_PROVIDERS='{handshake.reattach_json(address, server.address)}'")
        else:
            # Ctrl-C reaches the whole process group: Terraform decides what becomes of it.
            signal.signal(signal.SIGINT, signal.SIG_IGN)
            _say(handshake.handshake_line(server.address, certificate))
        os.dup2(2, 1)
        provider = _load(server, build, ended, reusable=debug)
        _on_termination(ended if debug else provider.stop_event)
        if not parent.wait_for_end(ended, gone):
            _LOG.warning("Terraform is gone; the provider ends")
        provider.stop_event.set()
        ended.set()
        server.stop(GRACE)
    finally:
        server.remove_files()
        if provider is not None:
            with contextlib.suppress(Exception):
                provider.close()
    return 0


def _on_termination(event: threading.Event) -> None:
    """Set an event when the process is asked to end.

    A build server ends the whole process group: Terraform then asks its providers to stop, waits for what
    they report, and ends them. A provider that ended by itself would lose what it was making.
    """
    for name in ("SIGTERM", "SIGHUP"):
        number = getattr(signal, name, None)
        # Whoever started Terraform with nohup wants the signal ignored.
        if number is not None and signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, lambda *_: event.set())


def _refusal(environ: Mapping[str, str]) -> str:
    if not handshake.started_by_terraform(environ):
        return handshake.NOT_BY_HAND
    if not handshake.speaks_our_protocol(environ):
        return "The aetherv provider speaks protocol 6: it needs Terraform 1.0 or later."
    return ""


def _listen(*, tls: bool) -> tuple[PluginServer, bytes | None]:
    from terraform_provider_aetherv.plugin.server import PluginServer

    certificate = None
    if tls:
        from terraform_provider_aetherv.plugin.certificate import make_certificate

        certificate = make_certificate()
    if sys.platform == "win32":
        interceptors: list[grpc.ServerInterceptor] = [
            _parent_only(lambda: int(server.address.address.split(":")[1]))
        ]
        server = PluginServer(certificate, interceptors=interceptors)
    else:
        server = PluginServer(certificate)
    return server, None if certificate is None else certificate.der


def _parent_only(local_port: Callable[[], int]) -> grpc.ServerInterceptor:
    from terraform_provider_aetherv.plugin import windows
    from terraform_provider_aetherv.plugin.peer_check import ParentOnly

    return ParentOnly(os.getppid(), windows.connection_owner, local_port)


def _load(server: PluginServer, build: Build, ended: threading.Event, *, reusable: bool) -> Provider:
    from terraform_provider_aetherv.plugin import hclog

    hclog.configure()
    from terraform_provider_aetherv.plugin.broken import BrokenProvider
    from terraform_provider_aetherv.plugin.dispatch import ProviderServicer
    from terraform_provider_aetherv.plugin.services import add_services
    from terraform_provider_aetherv.plugin.wire.tfplugin6_pb2_grpc import add_ProviderServicer_to_server

    provider: Provider
    try:
        provider = build()
    except Exception as problem:  # noqa: BLE001  # after the handshake nothing but an answer reaches the user
        _LOG.exception("the provider cannot be loaded")
        missing = f" ({problem.name})" if isinstance(problem, ImportError) and problem.name else ""
        provider = BrokenProvider(problem=type(problem).__name__ + missing)
    servicer = ProviderServicer(provider, reusable=reusable)
    server.load(
        lambda target: add_services(target, ended),
        lambda target: add_ProviderServicer_to_server(servicer, target),
    )
    return provider


def _say(text: str) -> None:
    """Write to standard output, whose first line Terraform reads."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def _leave(status: int) -> NoReturn:
    """End at once: a worker that is stuck in a call must not hold the process."""
    logging.shutdown()
    sys.stderr.flush()
    os._exit(status)
