"""Parts of an SMS, by the examples of 3GPP TS 23.038 and TS 23.040."""

import pytest

from campaigns.channels._segments import count_segments


@pytest.mark.parametrize(
    ("text", "encoding", "units", "parts", "room"),
    [
        ("", "GSM-7", 0, 1, 160),
        ("a" * 160, "GSM-7", 160, 1, 0),
        ("a" * 161, "GSM-7", 161, 2, 145),
        ("€" * 80, "GSM-7", 160, 1, 0),
        ("a" * 152 + "€" + "a" * 7, "GSM-7", 161, 2, 144),  # the sign is not parted: 152, then 2 + 7
        ("李" * 70, "UCS-2", 70, 1, 0),
        ("李" * 71, "UCS-2", 71, 2, 63),
        ("😀" * 35, "UCS-2", 70, 1, 0),
        ("ç", "UCS-2", 1, 1, 69),  # only the capital is in the alphabet
    ],
)
def test_parts_are_counted_as_networks_do(
    text: str, encoding: str, units: int, parts: int, room: int
) -> None:
    found = count_segments(text)
    assert (found.encoding, found.units, found.parts, found.room) == (encoding, units, parts, room)
