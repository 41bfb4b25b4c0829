"""Uploaded files hold people's data: what erasure does to those that are still kept."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from personalization.personal_data import Person
from personalization.sources import services
from personalization.sources.models import ACTIVE, Import

PIECE_BYTES = 1 << 20


class ImportFiles:
    """A file that names the person is deleted as a whole, for its rows cannot be taken out one by one.

    Parquet is compressed: such a file always goes. One that is being imported is found by the next erasure
    run, or deleted after its time.
    """

    name = "import files"

    def export(self, person: Person) -> Sequence[Mapping[str, Any]]:
        return [{"file": job.name, "created_at": job.created_at.isoformat()} for job in _naming(person)]

    def erase(self, person: Person) -> int:
        found = list(_naming(person))
        for job in found:
            services.delete_file(job)
        return len(found)


def _naming(person: Person) -> Iterator[Import]:
    needles = [needle.encode() for needle in person.needles if needle]
    for job in Import.objects.exclude(path="").exclude(status__in=ACTIVE).filter(fingerprint=""):
        paths = [path for path in (Path(job.path), services.rejects_path(job.pk)) if path.is_file()]
        if any(path.suffix == ".parquet" or _holds(path, needles) for path in paths):
            yield job


def _holds(path: Path, needles: Sequence[bytes]) -> bool:
    """Whether one of them stands in the file, in UTF-8 or UTF-16, over the bounds of pieces as well."""
    wide = [needle.decode().encode(code) for needle in needles for code in ("utf-16-le", "utf-16-be")]
    wanted = [*needles, *wide]
    longest = max(map(len, wanted), default=0)
    tail = b""
    with path.open("rb") as file:
        while piece := file.read(PIECE_BYTES):
            text = tail + piece
            if any(needle in text for needle in wanted):
                return True
            tail = text[-longest:] if longest else b""
    return False
