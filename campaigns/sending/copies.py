"""Copies of what was sent: the bytes themselves, not what they could be made from again.

Templates, libraries, prices, keys and profiles all change; a rendering of later could only hope to come
out the same. So the bytes are kept, squeezed by Zstandard against the text of the variant's template, which
all its messages share: a fraction of their size, and nothing of one customer in the copy of another. Copies
of before were squeezed by DEFLATE and are still read.
"""

import json
import threading
import zlib
from collections.abc import Sequence
from dataclasses import asdict, is_dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any

import zstandard

from campaigns.ledger import Outcome
from campaigns.models import CopyPattern, DeliveryStatus
from personalization.importing.passing import binary_cursor, json_bytes

LEVEL = 1  # as tight as DEFLATE was here, in a third of its time; 3 would save 3 % more
MAGIC = b"\x28\xb5\x2f\xfd"  # begins what Zstandard made; as DEFLATE it would be a block of a wrong length
WINDOW = 1 << 15  # the most that DEFLATE looks back
LARGEST = 1 << 30  # bytes of a message; the true size stands in the copy
DIGEST_BYTES = 32
HEAD_BYTES = DIGEST_BYTES + 8  # of a packed copy: digest and number of the pattern
Buffer = bytes | memoryview  # how PostgreSQL's driver gives bytea
KEPT = (DeliveryStatus.SENT, DeliveryStatus.UNKNOWN)


class Damaged(ValueError):
    """The copy does not give back what was sent."""


class Pattern:
    """What the copies of a variant's messages are squeezed against; `id` names its row."""

    def __init__(self, id: int, text: Buffer) -> None:
        self.id = id
        known = _dictionary(text)
        known.precompute_compress(level=LEVEL)
        self._squeeze = zstandard.ZstdCompressor(level=LEVEL, dict_data=known).compress
        self._one_at_a_time = threading.Lock()  # the compressor's own state is shared by all threads

    def pack(self, data: bytes) -> bytes:
        """Digest, number of the pattern and squeezed bytes as one: what the journal carries."""
        with self._one_at_a_time:
            body = self._squeeze(data)
        return sha256(data).digest() + self.id.to_bytes(8, "big") + body


def pattern(run_id: int, variant: str, sample: str) -> Pattern:
    """The pattern of a variant's messages (see `Channel.sample`), by whoever needs it first."""
    text = sample.replace("\n", "\r\n").encode(errors="replace")
    row, _made = CopyPattern.objects.get_or_create(run_id=run_id, variant=variant, defaults={"text": text})
    return Pattern(row.pk, row.text)


def _dictionary(text: Buffer) -> zstandard.ZstdCompressionDict:
    return zstandard.ZstdCompressionDict(bytes(text), dict_type=zstandard.DICT_TYPE_RAWCONTENT)


def unpack(body: Buffer, *, text: Buffer, digest: Buffer) -> bytes:
    """The bytes that were sent. Raises Damaged unless they have the digest of that time."""
    squeezed = bytes(body)
    try:
        if squeezed.startswith(MAGIC):
            grow = zstandard.ZstdDecompressor(dict_data=_dictionary(text))
            data = grow.decompress(squeezed, max_output_size=LARGEST)
        else:
            inflate = zlib.decompressobj(-zlib.MAX_WBITS, zdict=bytes(text)[-WINDOW:])
            data = inflate.decompress(squeezed) + inflate.flush()
    except (zstandard.ZstdError, zlib.error) as error:
        raise Damaged(str(error)) from error
    if sha256(data).digest() != bytes(digest):
        raise Damaged("the digest differs")
    return data


def wire_bytes(data: Any) -> bytes:
    """What a channel hands over, as bytes: itself for SMTP; where a provider's library makes the request, the
    fields that it is made of."""
    if isinstance(data, bytes):
        return data
    if isinstance(data, str):
        return data.encode(errors="replace")
    fields = asdict(data) if is_dataclass(data) and not isinstance(data, type) else data
    return json.dumps(fields, ensure_ascii=False, sort_keys=True).encode(errors="replace")


def keep(outcomes: Sequence[Outcome], changed: set[int], *, at: datetime) -> None:
    """Stores the copies of what was or may have been taken, inside the caller's transaction."""
    kept = [
        (one.delivery_id, one.copy, one.at or at)
        for one in outcomes
        if one.copy and one.status in KEPT and one.delivery_id in changed
    ]
    if not kept:
        return
    rows, start = [], 1  # PostgreSQL counts from 1
    for delivery, copy, moment in kept:
        pattern = int.from_bytes(copy[DIGEST_BYTES:HEAD_BYTES], "big")
        size = len(copy) - HEAD_BYTES
        rows.append({"id": delivery, "pattern": pattern, "start": start, "size": size, "at": moment})
        start += len(copy)
    values = {
        "rows": json_bytes(rows).decode(), "head": HEAD_BYTES,
        "copies": b"".join(copy for _delivery, copy, _moment in kept),
    }  # fmt: skip
    with binary_cursor() as cursor:
        cursor.execute(_KEEP, values)


# All copies come as one value and are cut up here: as an array, or as text, they cost several times as much.
# Whoever is being erased at this moment is locked, and nothing more is kept of them.
_KEEP = """
    INSERT INTO campaigns_sentcopy (delivery_id, digest, pattern_id, body, kept_at)
    SELECT n.id, substring(%(copies)s::bytea FROM n.start FOR 32), n.pattern,
        substring(%(copies)s::bytea FROM n.start + %(head)s::int FOR n.size), n.at
    FROM json_to_recordset(%(rows)s::json)
        AS n(id bigint, pattern bigint, start int, size int, at timestamptz)
    JOIN campaigns_delivery d ON d.id = n.id
    JOIN customers_customer c ON c.id = d.customer_id
    FOR KEY SHARE OF c SKIP LOCKED
    ON CONFLICT (delivery_id) DO NOTHING
"""
