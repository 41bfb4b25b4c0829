"""Who was erased, noted beside the keys of the backups: a backup that is put back does not know it.

A line for each profile: its number, and a keyed hash of number and text for each text that named it. Numbers
are given anew after a restore; the hashes tell the same profile from another one.
"""

import json
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from personalization.customers.addresses import address_hash
from personalization.customers.models import Customer, Identifier, Merge
from personalization.privacy import backup_keys

NAME = "erased.jsonl"


def remember(customer_ids: Sequence[int]) -> None:
    """Before the rows go; on the disk when this returns. Nothing where backups are not sealed."""
    place = backup_keys.folder()
    if place is None:
        return
    names = sorted(_names(customer_ids))
    # A profile that was merged into one of them is a row of its own in older backups.
    merged = Merge.objects.filter(survivor__in=customer_ids).values_list("source_id", flat=True)
    lines = [
        "\n" + json.dumps({"customer": pk, "hashes": [_hash(pk, name) for name in names]})
        for pk in sorted({*customer_ids, *merged})
    ]
    place.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(place / NAME, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    with os.fdopen(descriptor, "ab") as file:
        file.write("".join(lines).encode())  # at once, so that two workers do not mix their lines
        file.flush()
        os.fsync(file.fileno())


def returned() -> Iterator[int]:
    """Numbers of the profiles that were erased and are here again, each looked up when its turn comes."""
    place = backup_keys.folder()
    for pk, hashes in _read(place / NAME) if place else ():
        is_here = Customer.objects.filter(pk=pk, erased_at=None).exists()
        if is_here and not hashes.isdisjoint(_hash(pk, name) for name in _names([pk])):
            yield pk


def _names(customer_ids: Sequence[int]) -> set[str]:
    """All that names one of these profiles; where nothing does, since when it is known."""
    rows = Customer.objects.filter(pk__in=customer_ids).values_list("external_id", "email", "phone")
    found = {text.strip() for row in rows for text in row if text}
    found |= set(Identifier.objects.filter(customer__in=customer_ids).values_list("value", flat=True))
    known = Customer.objects.filter(pk__in=customer_ids).values_list("created_at", flat=True)
    return found or {moment.isoformat() for moment in known}


def _hash(pk: int, name: str) -> str:
    return address_hash("erased", f"{pk} {name}")


def _read(path: Path) -> Iterator[tuple[int, set[str]]]:
    if not path.is_file():
        return
    with path.open() as file:
        for line in file:
            try:
                entry: dict[str, Any] = json.loads(line)
            except ValueError:  # the empty first line, or half of one where the machine lost its power
                continue
            yield entry["customer"], set(entry["hashes"])
