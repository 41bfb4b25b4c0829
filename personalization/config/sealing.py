"""A file that only the holder of its key reads: AES-256-GCM over pieces of a stream, in their order.

Head: `MAGIC`, the key's name, a line feed. Then pieces, each four bytes of length and the ciphertext with its
tag. The nonce counts the pieces and marks the last one, so that none can be moved, taken out or cut off.
A key seals one file, so no nonce comes twice. After STREAM: Hoang, Reyhanitabar, Rogaway and Vizár (2015).
"""

from pathlib import Path
from typing import IO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

MAGIC = b"bespoke-sealed-1 "
PIECE = 2**20
LENGTH = 4
TAG = 16


class Damaged(Exception):
    """Cut off, changed, or sealed with another key."""


class SealedWriter:
    """What `tarfile` writes to; `close` ends the file, which is damaged without it."""

    def __init__(self, out: IO[bytes], *, name: str, key: bytes) -> None:
        self._out, self._cipher, self._number, self._waiting = out, AESGCM(key), 0, bytearray()
        out.write(MAGIC + name.encode() + b"\n")

    def write(self, data: bytes) -> int:
        self._waiting += data
        while len(self._waiting) > PIECE:  # never the last one: that is marked
            self._piece(bytes(self._waiting[:PIECE]), is_last=False)
            del self._waiting[:PIECE]
        return len(data)

    def close(self) -> None:
        self._piece(bytes(self._waiting), is_last=True)

    def _piece(self, plain: bytes, *, is_last: bool) -> None:
        sealed = self._cipher.encrypt(_nonce(self._number, is_last), plain, None)
        self._out.write(len(sealed).to_bytes(LENGTH, "big") + sealed)
        self._number += 1


def name_of_key(file: Path) -> str | None:
    """None for a file that is not sealed."""
    with file.open("rb") as source:
        head = source.readline(len(MAGIC) + 100)
    return head.removeprefix(MAGIC).strip().decode("ascii", "replace") if head.startswith(MAGIC) else None


def unseal(file: Path, out: IO[bytes], *, key: bytes) -> None:
    """Raises Damaged; what was written to `out` by then is worth nothing."""
    cipher, number = AESGCM(key), 0
    with file.open("rb") as source:
        source.readline()
        head = source.read(LENGTH)
        while head:
            sealed = source.read(int.from_bytes(head, "big")) if len(head) == LENGTH else b""
            head = source.read(LENGTH)
            if len(sealed) > PIECE + TAG:
                raise Damaged
            try:
                out.write(cipher.decrypt(_nonce(number, not head), sealed, None))
            except (InvalidTag, ValueError) as error:
                raise Damaged from error
            number += 1
    if not number:
        raise Damaged


def _nonce(number: int, is_last: bool) -> bytes:
    return number.to_bytes(11, "big") + bytes([is_last])
