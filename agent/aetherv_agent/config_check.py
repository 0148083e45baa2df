"""Judging what a configuration points at: hosts, secret files, variables, certificates, the state folder. Nothing is made."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import serialization

from aetherv_agent import secret_files
from aetherv_agent.config import AgentConfig
from aetherv_agent.config_sections import CertificateConfig, HostConfig, TokenConfig
from aetherv_agent.core.errors import AethervError, Violation


def check(config: AgentConfig) -> None:
    """Look at everything that a start needs.

    Raises:
        AethervError: CONFIG_INVALID with all that is wrong.
    """
    found = tuple(_problems(config))
    if found:
        lines = "\n".join(f"  {problem.field}: {problem.message}" for problem in found)
        raise AethervError("CONFIG_INVALID", f"The configuration can't be used:\n{lines}\n", violations=found)


def password_path(host: HostConfig) -> Path | None:
    """Return the file that holds a host's password; None: a variable holds it, or none is needed.

    Raises:
        AethervError: CONFIG_INVALID for a credential without a credentials directory.
    """
    if host.password_credential is not None:
        return secret_files.credential(host.password_credential)
    return host.password_file


def _problems(config: AgentConfig) -> Iterator[Violation]:
    yield from _state_problems(config.state_dir)
    for index, listener in enumerate(config.listeners):
        if listener.client_ca is not None:
            yield from _certificate_problems(f"listeners[{index}].client_ca", listener.client_ca)
    if config.tls is not None:
        yield from _certificate_problems("tls.cert", config.tls.cert)
        yield from _key_problems(config.tls.key)
    yield from _unknown_hosts(config)
    for index, host in enumerate(config.hosts):
        yield from _host_problems(f"hosts[{index}]", host)


def _state_problems(folder: Path) -> Iterator[Violation]:
    if not folder.exists():
        return
    if not folder.is_dir():
        yield Violation("state_dir", f"{folder} is no folder")
    elif folder.stat().st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        yield Violation("state_dir", f"{folder} can be written by others: chmod 700 {folder}")
    elif not os.access(folder, os.W_OK | os.X_OK):
        yield Violation("state_dir", f"{folder} can't be written")


def _unknown_hosts(config: AgentConfig) -> Iterator[Violation]:
    known = {host.name for host in config.hosts}
    sections: tuple[tuple[str, tuple[TokenConfig | CertificateConfig, ...]], ...] = (
        ("tokens", config.tokens),
        ("certificates", config.certificates),
    )
    for section, entries in sections:
        for index, entry in enumerate(entries):
            if unknown := (entry.hosts or frozenset()) - known:
                names = ", ".join(sorted(unknown))
                yield Violation(f"{section}[{index}].hosts", f"names hosts that are not configured: {names}")


def _host_problems(path: str, host: HostConfig) -> Iterator[Violation]:
    if (host.auth == "kerberos" or host.delegate) and find_spec("gssapi") is None:
        yield Violation(f"{path}.auth", "Kerberos needs the Python packages gssapi and krb5 beside the agent")
    if host.ca_cert is not None:
        yield from _certificate_problems(f"{path}.ca_cert", host.ca_cert)
    if host.password_env is not None:
        if not os.environ.get(host.password_env):
            yield Violation(f"{path}.password_env", f"the variable {host.password_env} is not set")
        return
    name = "password_credential" if host.password_credential is not None else "password_file"
    try:
        file = password_path(host)
    except AethervError as error:
        yield Violation(f"{path}.{name}", error.message)
        return
    if file is not None and (problem := secret_files.problem_with(file)):
        yield Violation(f"{path}.{name}", problem)


def _certificate_problems(field: str, path: Path) -> Iterator[Violation]:
    try:
        x509.load_pem_x509_certificates(path.read_bytes())
    except OSError as error:
        yield Violation(field, f"{path} can't be read: {error.strerror}")
    except ValueError:
        yield Violation(field, f"{path} holds no PEM certificate")


def _key_problems(path: Path) -> Iterator[Violation]:
    if problem := secret_files.problem_with(path):
        yield Violation("tls.key", problem)
        return
    try:
        serialization.load_pem_private_key(path.read_bytes(), None)
    except (ValueError, TypeError):
        yield Violation("tls.key", f"{path} holds no PEM private key without a passphrase")
