"""A fitted model as one file: a line with a digest, then an npz archive of plain arrays and a JSON header.

Never pickle: reading a file cannot run code. The digest finds accidents (a copy that was cut off, a
flipped bit); against somebody who rewrites the digest as well, the caller compares it with the one kept
elsewhere.
"""

import hashlib
import json
import os
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt

MARK = b"bespoke-model 1 "
PREFIX_BYTES = len(MARK) + 64 + 1
HEADER = "header.json"
BLOCK_BYTES = 1 << 20


class ArtifactError(ValueError):
    """The file is no model of ours, was cut off, or was changed after it was written."""


def write(path: str | Path, *, header: Mapping[str, Any], arrays: Mapping[str, npt.NDArray[Any]]) -> str:
    """Writes the file so that a reader sees either all of it or nothing; answers its digest (SHA-256,
    hex).
    """
    target = Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(f".{target.name}.{os.getpid()}.part")
    text = np.frombuffer(json.dumps(header, sort_keys=True).encode(), dtype=np.uint8)
    try:
        with part.open("w+b") as file:
            file.write(b" " * PREFIX_BYTES)
            np.savez(file, allow_pickle=False, **{HEADER: text, **arrays})
            digest = _digest(file)
            file.seek(0)
            file.write(MARK + digest.encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)
    folder = os.open(target.parent, os.O_RDONLY)
    try:
        os.fsync(folder)  # the rename itself must survive a power cut
    finally:
        os.close(folder)
    return digest


def read(
    path: str | Path, *, digest: str | None = None
) -> tuple[dict[str, Any], dict[str, npt.NDArray[Any]]]:
    """Header and arrays; raises ArtifactError. `digest` is what `write` answered, checked when given."""
    try:
        with Path(path).open("rb") as file:
            _check(file, path, digest)
            with np.load(file, allow_pickle=False) as archive:
                arrays = {name: archive[name] for name in archive.files}
        header = json.loads(arrays.pop(HEADER).tobytes())
    except (OSError, zipfile.BadZipFile, KeyError, ValueError) as error:
        if isinstance(error, ArtifactError):
            raise
        raise ArtifactError(f"{path} cannot be read: {error}") from error
    return header, arrays


def read_algorithm(path: str | Path) -> str:
    """Only the name of the algorithm, without checking or loading the arrays."""
    try:
        with Path(path).open("rb") as file:
            if file.read(len(MARK)) != MARK:
                raise ArtifactError(f"{path} is not a model file")
            file.seek(PREFIX_BYTES)
            with np.load(file, allow_pickle=False) as archive:
                return str(json.loads(archive[HEADER].tobytes())["algorithm"])
    except (OSError, zipfile.BadZipFile, KeyError, EOFError, ValueError) as error:
        if isinstance(error, ArtifactError):
            raise
        raise ArtifactError(f"{path} was cut off or changed: {error}") from error


def _check(file: BinaryIO, path: str | Path, digest: str | None) -> None:
    prefix = file.read(PREFIX_BYTES)
    if not prefix.startswith(MARK) or len(prefix) < PREFIX_BYTES:
        raise ArtifactError(f"{path} is not a model file")
    written = prefix[len(MARK) : -1].decode("ascii", errors="replace")
    found = _digest(file)
    if found != written:
        raise ArtifactError(f"{path} was cut off or changed: its content has SHA-256 {found}, not {written}")
    if digest is not None and digest != found:
        raise ArtifactError(f"{path} is another model: its SHA-256 is {found}, expected {digest}")
    file.seek(PREFIX_BYTES)


def _digest(file: BinaryIO) -> str:
    file.seek(PREFIX_BYTES)
    digest = hashlib.sha256()
    while block := file.read(BLOCK_BYTES):
        digest.update(block)
    return digest.hexdigest()
