"""Envelopes, faults and message encryption."""

import asyncio
import threading
import xml.etree.ElementTree as ET

import pytest
from aetherv_simhost.wsman import encryption, errors, soap
from aetherv_simhost.wsman.output import Output, Piece


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("PT20S", 20),
        ("PT7200.000S", 7200),
        ("PT1H2M3.5S", 3723.5),
        ("P1DT1S", 86401),
        ("PT-1S", None),
        ("PT", None),
        ("", None),
        ("20", None),
    ],
)
def test_durations(text: str, seconds: float | None) -> None:
    """XML Schema durations are read, and what is none is told apart."""
    assert soap.duration(text) == seconds


@pytest.mark.parametrize(
    ("fault", "code", "subcode", "text"),
    [
        (errors.timed_out(), "2150858793", "w:TimedOut", "specified in OperationTimeout.  "),
        (
            errors.shell_not_found("AB"),
            "2150858843",
            "w:InvalidSelectors",
            "with ShellId AB failed because the shell",
        ),
        (
            errors.command_not_found(),
            "2150858843",
            "w:InvalidSelectors",
            "specified an invalid command identifier. ",
        ),
        (errors.too_many_shells(5), "2150859173", "w:QuotaLimit", "a maximum number of 5 concurrent shells"),
        (
            errors.bad_timeout("PT-1S"),
            "2150858767",
            "a:InvalidMessageInformationHeader",
            "SOAP header: PT-1S. ",
        ),
        (
            errors.schema("Argument"),
            "2150858817",
            "w:SchemaValidationError",
            "an element Argument that is invalid. ",
        ),
        (errors.aborted(), "995", "w:InternalError", "a thread exit or an application request. "),
    ],
)
def test_faults_are_worded_as_captured(fault: errors.WsmanFault, code: str, subcode: str, text: str) -> None:
    """Code, subcode and text of a fault are those of Windows."""
    root = ET.fromstring(fault.render("uuid:1", "host&"))
    detail = root.find(f".//{{{soap.F}}}WSManFault")
    assert detail is not None
    assert (detail.get("Code"), detail.get("Machine")) == (code, "host&")
    assert text in "".join(detail.itertext())
    values = [value.text for value in root.iter(f"{{{soap.S}}}Value")]
    assert values[1:] == [subcode]


def test_a_listing_wraps_its_fault_in_the_provider() -> None:
    """Get and Enumerate on the shell resource name the shell provider."""
    root = ET.fromstring(errors.shell_not_listed().render("uuid:1", "h"))
    provider = root.find(f".//{{{soap.F}}}ProviderFault")
    assert provider is not None
    assert provider.get("provider") == "Shell provider"


@pytest.mark.parametrize(
    "message",
    [b"", b"<a/>", b"<!DOCTYPE a []><a/>", f"<s:Envelope xmlns:s='{soap.S}'><s:Body/></s:Envelope>".encode()],
)
def test_what_is_no_envelope(message: bytes) -> None:
    """Anything but a WSMan envelope is refused."""
    with pytest.raises(soap.EnvelopeError):
        soap.parse(message)


class Xor:
    """A context that seals by XOR."""

    header = b"S" * 16
    data = b""

    def wrap_winrm(self, data: bytes) -> "Xor":
        """Seals."""
        sealed = Xor()
        sealed.data = bytes(byte ^ 7 for byte in data)
        return sealed

    def unwrap_winrm(self, header: bytes, data: bytes) -> bytes:
        """Opens."""
        if header != self.header:
            raise ValueError("bad signature")
        return bytes(byte ^ 7 for byte in data)


SPNEGO, CREDSSP = encryption.Sealing(Xor()), encryption.Sealing(Xor(), encryption.CREDSSP)


@pytest.mark.parametrize("message", [b"", b"hello", b"--Encrypted Boundary--\r\n", bytes(range(256)) * 300])
@pytest.mark.parametrize("sealing", [SPNEGO, CREDSSP])
def test_encryption_round_trip(sealing: encryption.Sealing, message: bytes) -> None:
    """What is wrapped can be unwrapped, whatever bytes it holds."""
    content_type, body = sealing.wrap(message)
    assert encryption.is_encrypted(content_type)
    assert f'protocol="{sealing.protocol}"' in content_type
    assert sealing.unwrap(body) == message


@pytest.mark.parametrize(
    ("sealing", "kind", "parts"),
    [(SPNEGO, "multipart/encrypted", 1), (CREDSSP, "multipart/x-multi-encrypted", 3)],
)
def test_a_long_message_is_several_parts_by_credssp(
    sealing: encryption.Sealing, kind: str, parts: int
) -> None:
    """A part holds no more than one TLS record can; other contexts seal a message as a whole."""
    content_type, body = sealing.wrap(b"x" * 40000)
    assert content_type.partition(";")[0] == kind
    assert body.count(b"OriginalContent") == parts


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"--Encrypted Boundary",
        b"--Encrypted Boundary--\r\n",
        SPNEGO.wrap(b"hello")[1][:-40],
        b"x" + SPNEGO.wrap(b"hello")[1],
        CREDSSP.wrap(b"x" * 40000)[1][:-20000] + b"--Encrypted Boundary--\r\n",
    ],
)
def test_broken_encryption_is_refused(body: bytes) -> None:
    """What is no sealed message of the context is refused."""
    with pytest.raises(encryption.EncryptionError):
        SPNEGO.unwrap(body)


async def test_the_same_request_gets_the_same_output() -> None:
    """A request that is sent again gets what it got; another one gets what comes after it."""
    output = Output(asyncio.get_running_loop())
    output.put((Piece("stdout", b"1"), Piece("stdout", b"2")))
    first = output.take("a", 1)
    assert output.take("a", 1) == first
    second = output.take("b", 1)
    assert first is not None
    assert second is not None
    assert (first.pieces, second.pieces) == ((Piece("stdout", b"1"),), (Piece("stdout", b"2"),))
    assert output.take("c", 1) is None
    output.finish(3)
    last = output.take("d", 1)
    assert last is not None
    assert (last.done, last.exit_code) == (True, 3)
    assert output.take("d", 1) == last
    with pytest.raises(LookupError):
        output.take("e", 1)


async def test_output_that_was_not_sent_is_given_back() -> None:
    """What an answer carried that never left comes first again."""
    output = Output(asyncio.get_running_loop())
    output.put((Piece("stdout", b"1"), Piece("stdout", b"2")))
    output.take("a", 10)
    output.give_back("other")
    assert output.take("b", 10) is None
    output.put((Piece("stdout", b"3"),))
    output.take("c", 10)
    output.give_back("c")
    again = output.take("d", 10)
    assert again is not None
    assert again.pieces == (Piece("stdout", b"3"),)


async def test_a_full_output_holds_its_writer_up() -> None:
    """A writer waits while too much is unread, and no longer than until it is stopped."""
    output = Output(asyncio.get_running_loop(), limit=1)
    stopped = threading.Event()
    output.put((Piece("stdout", b"12"),))
    writer = threading.Thread(target=output.wait_for_space, args=(stopped,))
    writer.start()
    writer.join(0.2)
    assert writer.is_alive()
    stopped.set()
    writer.join(5)
    assert not writer.is_alive()
    assert await output.wait(0.01) in {True, False}
