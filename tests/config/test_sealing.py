"""A sealed file opens with its key, whole and in order, or not at all."""

import io
import secrets
from pathlib import Path

import pytest

from personalization.config.sealing import PIECE, Damaged, SealedWriter, name_of_key, unseal

KEY = secrets.token_bytes(32)


def sealed(folder: Path, plain: bytes) -> Path:
    file = folder / "file"
    with file.open("wb") as out:
        writer = SealedWriter(out, name="abc", key=KEY)
        for start in range(0, len(plain), 700_000):
            writer.write(plain[start : start + 700_000])
        writer.close()
    return file


def opened(file: Path, key: bytes = KEY) -> bytes:
    out = io.BytesIO()
    unseal(file, out, key=key)
    return out.getvalue()


@pytest.mark.parametrize("length", [0, 1, PIECE - 1, PIECE, PIECE + 1, 3 * PIECE])
def test_what_was_sealed_is_opened_to_the_byte(tmp_path, length):
    plain = secrets.token_bytes(length)
    file = sealed(tmp_path, plain)
    assert name_of_key(file) == "abc"
    assert opened(file) == plain


def test_a_file_that_is_not_sealed_has_no_key(tmp_path):
    (tmp_path / "file").write_bytes(b"manifest.json")
    assert name_of_key(tmp_path / "file") is None


def test_another_key_opens_nothing(tmp_path):
    with pytest.raises(Damaged):
        opened(sealed(tmp_path, b"x" * 100), secrets.token_bytes(32))


def test_pieces_cut_off_moved_or_changed_are_noticed(tmp_path):
    file = sealed(tmp_path, b"a" * PIECE + b"b" * PIECE + b"c")
    whole = file.read_bytes()
    start = whole.index(b"\n") + 1
    size = 4 + PIECE + 16
    first, second, last = (
        whole[start : start + size],
        whole[start + size : start + 2 * size],
        whole[start + 2 * size :],
    )
    broken = [
        first + second, second + first + last, first + last, b"", first[:100], last,
        first[:50] + bytes([first[50] ^ 1]) + first[51:] + second + last, whole[start:] + last,
    ]  # fmt: skip
    for rest in broken:
        file.write_bytes(whole[:start] + rest)
        with pytest.raises(Damaged):
            opened(file)
