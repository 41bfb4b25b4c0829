"""The journal of a chunk: what was about to be handed over, and what was answered.

One append-only file per chunk on the worker's own disk, held under flock. Before the final dot of a message
an intent line is written, after the server's answer a result line; a write that fails stops the message
before its dot. Whoever takes the chunk over reads it: an intent without a result is *unknown* and is not sent
again, no intent means certainly not taken. The lines survive the death of the process (they are in the
kernel's hands); after a reboot the file may miss lines, which `identity` makes visible. An intent carries the
squeezed copy of its message (see `copies`), as a mail queue does; nobody else can read the file, and it is
removed as soon as its chunk is settled.
"""

import base64
import binascii
import fcntl
import json
import os
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from personalization.importing.passing import json_bytes


class JournalError(Exception):
    """The journal cannot be written: nothing may be handed over until it can."""


@dataclass(frozen=True)
class Entry:
    """The last thing known of one try. `status` is None when there is an intent and no result; `copy` is the
    message, squeezed. `devices`: answers of devices so far; `is_open` while the last intent has none."""

    attempt: int
    status: str | None
    detail: str
    at: float  # seconds since the epoch
    copy: bytes = b""
    devices: tuple[dict[str, Any], ...] = ()
    is_open: bool = True


def identity(folder: Path) -> str:
    """`<folder>/<boot>`: which journal this is, and since which start of the machine it is complete."""
    folder.mkdir(parents=True, exist_ok=True)
    name = folder / "identity"
    try:
        with name.open("x") as file:
            file.write(uuid.uuid4().hex)
    except FileExistsError:
        pass
    own = name.read_text().strip()
    if len(own) != 32:
        raise JournalError(f"{name} is damaged; remove it when no worker runs")
    boot = Path("/proc/sys/kernel/random/boot_id")
    return f"{own}/{boot.read_text().strip() if boot.exists() else '-'}"


class Journal:
    """Open with `Journal.open`; holds the chunk's lock on this machine until `close` or `discard`."""

    def __init__(self, path: Path, descriptor: int) -> None:
        self._path = path
        self._fd = descriptor

    @classmethod
    def open(cls, folder: Path, chunk_id: int) -> "Journal | None":
        """None while another process holds the same chunk. Raises JournalError."""
        path = folder / f"chunk-{chunk_id}.journal"
        try:
            while True:
                fd = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
                try:
                    fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    os.close(fd)
                    return None
                # The holder before us may have removed the file between our open and our lock.
                try:
                    if path.stat().st_ino == os.fstat(fd).st_ino:
                        return cls(path, fd)
                except FileNotFoundError:
                    pass
                os.close(fd)
        except OSError as error:
            raise JournalError(f"the journal cannot be opened: {error.strerror}") from error

    def inputs(self, made_from: Mapping[int, Any]) -> None:
        """What the messages are made from, by delivery, so that a takeover can still say it."""
        self._append(b"C " + json_bytes(made_from) + b"\n")

    def intent(self, delivery_id: int, attempt: int, at: float, copy: bytes = b"") -> None:
        packed = binascii.b2a_base64(copy, newline=False)
        self._append(b"I %d %d %.3f %s\n" % (delivery_id, attempt, at, packed))

    def device(self, delivery_id: int, attempt: int, found: Mapping[str, Any]) -> None:
        """What one of several devices of a message answered; ends the intent before it."""
        self._append(b"D %d %d %s\n" % (delivery_id, attempt, json.dumps(found).encode()))

    def result(self, delivery_id: int, attempt: int, at: float, status: str, detail: str) -> None:
        text = " ".join(detail.split()).encode(errors="replace")
        self._append(b"R %d %d %.3f %s %s\n" % (delivery_id, attempt, at, status.encode(), text))

    def _append(self, line: bytes) -> None:
        try:
            written = os.write(self._fd, line)
        except OSError as error:
            raise JournalError(f"the journal cannot be written: {error.strerror}") from error
        if written != len(line):
            # The rest of the line is not there: the reader ignores what does not end properly.
            raise JournalError("the journal's disk is full")

    def read(self) -> tuple[dict[tuple[int, int], Entry], dict[int, Any]]:
        """Tries by (delivery, attempt), and inputs by delivery."""
        tries: dict[tuple[int, int], Entry] = {}
        inputs: dict[int, Any] = {}
        for line in self._lines():
            kind, _, rest = line.partition(" ")
            if kind == "C":
                inputs.update({int(key): value for key, value in json.loads(rest).items()})
            elif kind == "I":
                delivery, attempt, at, *copy = rest.split(" ")
                key = int(delivery), int(attempt)
                before = tries.get(key) or Entry(int(attempt), None, "", 0.0)
                kept = base64.b64decode(copy[0] if copy else "") or before.copy
                tries[key] = Entry(int(attempt), None, "", float(at), kept, before.devices)
            elif kind == "D":
                delivery, attempt, text = rest.split(" ", 2)
                key = int(delivery), int(attempt)
                before = tries.get(key) or Entry(int(attempt), None, "", 0.0)
                tries[key] = replace(before, devices=(*before.devices, json.loads(text)), is_open=False)
            elif kind == "R":
                delivery, attempt, at, status, detail = rest.split(" ", 4)
                key = int(delivery), int(attempt)
                before = tries.get(key) or Entry(int(attempt), None, "", 0.0)
                tries[key] = replace(before, status=status, detail=detail, at=float(at))
        return tries, inputs

    def _lines(self) -> Iterator[str]:
        size = os.fstat(self._fd).st_size
        content = os.pread(self._fd, size, 0) if size else b""
        # A last line without its end was cut off by a full disk, and its writer stopped before the dot. A
        # kill cannot cut: there one write is all or nothing.
        complete, newline, _cut = content.rpartition(b"\n")
        yield from (complete.decode(errors="replace").split("\n") if newline else [])

    @property
    def is_empty(self) -> bool:
        return os.fstat(self._fd).st_size == 0

    def mend(self) -> None:
        """Takes away a line that a full disk cut off, so that the next one stands on its own."""
        size = os.fstat(self._fd).st_size
        if size and os.pread(self._fd, 1, size - 1) != b"\n":
            cut = os.pread(self._fd, size, 0).rpartition(b"\n")[0]
            os.ftruncate(self._fd, len(cut) + 1 if cut else 0)

    def discard(self) -> None:
        """After everything in it is in the database."""
        self._path.unlink(missing_ok=True)
        self.close()

    def close(self) -> None:
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1
