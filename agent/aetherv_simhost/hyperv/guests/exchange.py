"""What the provisioning services of both families do alike. A guest is a generator that yields the seconds it sleeps."""

import base64
import re
from collections.abc import Generator, Iterator, Mapping
from typing import Final, Protocol

from cryptography.hazmat.primitives.asymmetric import rsa

from aetherv_simhost.hyperv.guests import crypto
from aetherv_simhost.hyperv.guests.port import GuestGone, GuestPort
from aetherv_simhost.hyperv.vm import GuestIdentity, GuestPhase

VERSION: Final = "hlvmm.meta.version"
HOST_STATE: Final = "hlvmm.meta.host_provisioning_system_state"
PUBLIC_KEY: Final = "hlvmm.meta.guest_provisioning_public_key"
GUEST_STATE: Final = "hlvmm.meta.guest_provisioning_system_state"
GUEST_ERROR: Final = "hlvmm.meta.guest_provisioning_error"
AES_KEY: Final = "hlvmm.meta.shared_aes_key"
CHECKSUM: Final = "hlvmm.meta.provisioning_system_checksum"
DATA: Final = "hlvmm.data."

_PIECE: Final = re.compile(r"\._\d+$")
_BEFORE_KEY: Final = (
    "initializing:",
    "waiting:host_signal",
    "validating:manifest",
    "generating:",
    "publishing:public",
)
_BEFORE_APPLYING: Final = (
    "waiting:provisioning_data",
    "decrypting:",
    "reading:",
    "validating:checksum",
    "publishing:guest",
)


class GuestFailedError(Exception):
    """The service gives up with one of its fixed texts."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.text = text


class Family(Protocol):
    """What differs between the families."""

    name: str
    waits_for_ever: bool
    retries_checksum: bool

    def public_key(self, port: GuestPort, key: rsa.RSAPrivateKey) -> bytes:
        """The public key as this family publishes it."""

    def read(self, items: Mapping[str, str], aes_key: bytes) -> dict[str, str]:
        """The plain values by full key, as this family's script holds them; raises DecryptError."""

    def checksum_text(self, value: str) -> str:
        """What this family's script puts into the checksum for a value."""

    def apply(self, port: GuestPort, values: Mapping[str, str]) -> GuestIdentity:
        """What the guest becomes; raises GuestFailedError. Keys are without ``hlvmm.data.``."""


def is_piece(name: str) -> bool:
    """Whether an item's name is that of a piece of a value."""
    return _PIECE.search(name) is not None


def provision(port: GuestPort, family: Family, *, resumed: bool = False) -> Iterator[float]:
    """One life of the provisioning service.

    Args:
        port: The machine.
        family: What is particular of the guest.
        resumed: The simulation's process was restarted, not the guest. Its key was in that process's memory alone, so
            a guest that had published one publishes another.

    Yields:
        Seconds until it wants to go on.
    """
    try:
        yield from _life(port, family, resumed=resumed)
    except GuestFailedError as failure:
        try:
            port.set_phase(GuestPhase.FAILED)
            port.report(GUEST_ERROR, failure.text)
            port.report(GUEST_STATE, "provisioningfailed")
        except GuestGone:
            return
    except GuestGone:
        return


def _life(port: GuestPort, family: Family, *, resumed: bool) -> Iterator[float]:
    yield port.seconds.boot
    phase = port.guest().phase
    again = resumed and phase is GuestPhase.EXCHANGING
    if resumed and (phase is GuestPhase.APPLYING or port.guest().becoming is not None):
        yield from _finish(port)
        return
    iso = port.iso()
    if (phase is not GuestPhase.FRESH and not again) or iso is None or iso[0] != family.name:
        return
    if not port.image.bootstrapper or port.fault("guest_never_ready", "wait_ready") is not None:
        return
    failing = port.fault("guest_fails", "wait_applied")
    text = "" if failing is None else str(failing.value or "error applying:modules")
    key = yield from _show_key(port, family, iso[1], text, again=again)
    if port.fault("guest_restarts", "publish") is not None:
        yield port.seconds.apply
        port.restart()
    values = yield from _take(port, family, key, text, again=again)
    # The outcome is fixed at once, so that it outlives the process, and told after the time that applying takes.
    becoming, refusal = _applied(port, family, values)
    port.set_phase(GuestPhase.APPLYING, becoming)
    port.report(GUEST_STATE, "applying")
    yield port.seconds.apply
    if text or refusal:
        raise GuestFailedError(text or refusal)
    yield from _finish(port)


def _show_key(
    port: GuestPort, family: Family, version: str, failing: str, *, again: bool
) -> Generator[float, None, rsa.RSAPrivateKey]:
    if (late := port.fault("guest_ready_late", "wait_ready")) is not None:
        yield late.number(1.0)
    if not again:
        yield from _wait_state(port, family, "waitingforpublickey", "error waiting:host_signal")
    if port.received().get(VERSION, "").strip() != version.strip():
        raise GuestFailedError("error validating:manifest")
    _fail_if(failing, _BEFORE_KEY)
    key = crypto.new_key()
    port.keep_key(crypto.private_pem(key))
    port.set_phase(GuestPhase.EXCHANGING)
    port.report(PUBLIC_KEY, base64.b64encode(family.public_key(port, key)).decode("ascii"))
    port.report(GUEST_STATE, "waitingforaeskey")
    return key


def _take(
    port: GuestPort, family: Family, key: rsa.RSAPrivateKey, failing: str, *, again: bool
) -> Generator[float, None, dict[str, str]]:
    yield from _wait_state(port, family, "provisioningdatapublished", "error waiting:provisioning_data")
    _fail_if(failing, _BEFORE_APPLYING)
    try:
        values = yield from _read(port, family, key)
    except GuestFailedError:
        if again:  # published for the key that went with the process: as if the guest had crashed then
            port.restart()
        raise
    return values


def _applied(port: GuestPort, family: Family, values: Mapping[str, str]) -> tuple[GuestIdentity | None, str]:
    try:
        return family.apply(port, {name.removeprefix(DATA): value for name, value in values.items()}), ""
    except GuestFailedError as failure:
        return None, failure.text


def _finish(port: GuestPort) -> Iterator[float]:
    becoming = port.guest().becoming
    if becoming is None:  # the values were in the memory of a process that is gone
        raise GuestFailedError("error:unknown")
    port.set_phase(GuestPhase.APPLIED, becoming)
    port.report(GUEST_STATE, "provisioningapplied")
    yield port.seconds.poll
    port.restart()


def _fail_if(text: str, stages: tuple[str, ...]) -> None:
    if any(text.removeprefix("error ").startswith(stage) for stage in stages):
        raise GuestFailedError(text)


def _wait_state(port: GuestPort, family: Family, state: str, error: str) -> Iterator[float]:
    waited = 0.0
    while port.received().get(HOST_STATE) != state:
        if waited > port.seconds.wait and not family.waits_for_ever:
            raise GuestFailedError(error)
        yield port.seconds.poll
        waited += port.seconds.poll


def _read(port: GuestPort, family: Family, key: rsa.RSAPrivateKey) -> Generator[float, None, dict[str, str]]:
    try:
        aes_key = crypto.unwrap(key, port.received().get(AES_KEY, ""))
    except crypto.DecryptError as error:
        raise GuestFailedError("error decrypting:shared_aes_key") from error
    for last in (not family.retries_checksum, True):
        items = port.received()
        try:
            values = family.read(items, aes_key)
        except crypto.DecryptError as error:
            raise GuestFailedError("error decrypting:provisioning_data") from error
        seen = {name: family.checksum_text(value) for name, value in values.items()}
        if crypto.checksum(seen) == items.get(CHECKSUM, "").strip():
            return values
        if last:
            break
        yield port.seconds.retry
    raise GuestFailedError("error validating:checksum")
