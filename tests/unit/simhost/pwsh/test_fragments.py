"""The relay's reading of fragments: when a pipeline has ended, whatever the pieces are."""

import struct

import pytest
from aetherv_simhost.psrp.fragments import PIPELINE_STATE, PipelineEnd, takeover


def message(kind: int, text: str, object_id: int = 1, size: int = 10_000) -> bytes:
    """A message in fragments of a size."""
    blob = struct.pack("<II", 1, kind) + bytes(32) + text.encode()
    parts = [blob[at : at + size] for at in range(0, len(blob), size)]
    return b"".join(
        struct.pack(">QQBI", object_id, index, (index == 0) | (index == len(parts) - 1) << 1, len(part))
        + part
        for index, part in enumerate(parts)
    )


def state(number: int) -> str:
    """The text of a pipeline's state."""
    return f'<Obj RefId="0"><MS><I32 N="PipelineState">{number}</I32></MS></Obj>'


@pytest.mark.parametrize("number", [3, 4, 5])
@pytest.mark.parametrize("piece", [1, 7, 100_000])
def test_a_last_state_ends_a_pipeline(number: int, piece: int) -> None:
    """Stopped, Completed and Failed end it, also when fragments and pieces cut the message anywhere."""
    data = message(0x41004, "<S>x</S>") + message(PIPELINE_STATE, state(number), 2, size=9)
    end = PipelineEnd()
    seen = [end.ended(data[at : at + piece]) for at in range(0, len(data), piece)]
    assert seen == [False] * (len(seen) - 1) + [True]
    assert end.last_object == 2


def test_what_does_not_end_a_pipeline() -> None:
    """A running state, and output that only looks like a state, end nothing."""
    end = PipelineEnd()
    assert not end.ended(message(PIPELINE_STATE, state(2)))
    assert not end.ended(message(0x41004, state(4), 2))


def test_a_takeover_is_four_messages_that_go_on_counting() -> None:
    """The answer holds capability and size, the stream private data and state, with rising object ids."""
    answer, stream = takeover("6d0c2c46-9f0a-4ac6-9c3c-5d3d9f1f1a10", 41)
    kinds = []
    for data in (answer, stream):
        at = 0
        while at < len(data):
            object_id, _, flags, length = struct.unpack_from(">QQBI", data, at)
            kinds.append((object_id, flags, struct.unpack_from("<II", data, at + 21)[1]))
            at += 21 + length
    assert kinds == [(42, 3, 0x10002), (43, 3, 0x2100B), (44, 3, 0x21009), (45, 3, 0x21005)]
