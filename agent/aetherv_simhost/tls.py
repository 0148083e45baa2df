"""The server's own certificate authority and certificate, kept in the state folder over restarts."""

import json
import ssl
from collections.abc import Sequence
from pathlib import Path

import trustme


def server_context(state_dir: Path, names: Sequence[str]) -> tuple[ssl.SSLContext, Path]:
    """The TLS context of a server, whose CA and certificate are made at the first call.

    Args:
        state_dir: Gets ``ca.pem`` (for clients) and ``tls/`` (private keys, mode 0600).
        names: DNS names and addresses of the server; other names than last time mean a new certificate of the same CA.

    Returns:
        The context and the path of ``ca.pem``.
    """
    folder = state_dir / "tls"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    ca_path = state_dir / "ca.pem"
    ca_key = folder / "ca.key.pem"
    if ca_path.exists() and ca_key.exists():
        authority = trustme.CA.from_pem(ca_path.read_bytes(), ca_key.read_bytes())
    else:
        authority = trustme.CA(organization_name="Aether-V simulated host")
        _write_secret(ca_key, authority.private_key_pem.bytes())
        authority.cert_pem.write_to_path(str(ca_path))
        (folder / "names.json").unlink(missing_ok=True)
    certificate = folder / "server.pem"
    wanted = json.dumps(list(names))
    names_path = folder / "names.json"
    if not (
        certificate.exists() and names_path.exists() and names_path.read_text(encoding="utf-8") == wanted
    ):
        leaf = authority.issue_cert(*names)
        _write_secret(certificate, leaf.private_key_and_cert_chain_pem.bytes())
        names_path.write_text(wanted, encoding="utf-8")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(certificate)
    return context, ca_path


def _write_secret(path: Path, content: bytes) -> None:
    path.unlink(missing_ok=True)
    path.touch(mode=0o600, exist_ok=False)
    path.write_bytes(content)
