"""People in the files of imports: the rows that were refused, and uploads that are still kept."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from personalization.personal_data import Person
from personalization.sources.models import ACTIVE, Import
from personalization.sources.services import rejects_path


class ImportFiles:
    name = "files of imports"

    def export(self, person: Person) -> Sequence[Mapping[str, Any]]:
        return [
            {"import": job.pk, "refused_row": line}
            for job, path in _refused()
            for line in _lines(path)
            if _mentions(line, person)
        ]

    def erase(self, person: Person) -> int:
        """Refused rows go one by one, an upload that mentions the person goes as a whole: its rows are in the
        database by now. Files of an import that still runs are left to it."""
        count = 0
        for _job, path in _refused():
            lines = list(_lines(path))
            kept = [line for line in lines if not _mentions(line, person)]
            if len(kept) < len(lines):
                count += len(lines) - len(kept)
                path.write_text("".join(kept))
        for job in Import.objects.exclude(status__in=ACTIVE).exclude(path=""):
            path = Path(job.path)
            if path.is_file() and any(_mentions(line, person) for line in _lines(path)):
                path.unlink()
                Import.objects.filter(pk=job.pk).update(path="")
                count += 1
        return count


def _refused() -> Iterator[tuple[Import, Path]]:
    for job in Import.objects.exclude(status__in=ACTIVE).filter(rejected__gt=0):
        path = rejects_path(job.pk)
        if path.is_file():
            yield job, path


def _lines(path: Path) -> Iterator[str]:
    # A Parquet file is no text: what of it can be read as such is looked at.
    with path.open(errors="replace", newline="") as file:
        yield from file


def _mentions(line: str, person: Person) -> bool:
    lowered = line.lower()
    return any(needle.lower() in lowered for needle in person.needles)
