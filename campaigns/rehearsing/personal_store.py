"""People in kept rehearsals: numbers and texts of a few, in JSON to which no foreign key leads."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from django.utils import timezone

from campaigns.models import Rehearsal
from campaigns.rehearsing.found import from_document
from personalization.access.jobs.row import UNDER_WAY, JobStatus
from personalization.personal_data import Person


class Rehearsals:
    name = "rehearsals"

    def export(self, person: Person) -> Sequence[Mapping[str, Any]]:
        ids = set(person.customer_ids)
        return [
            {"rehearsed_at": row.created_at, "messages": samples}
            for row, result in _about(person)
            if (samples := [one for one in result["samples"] if one["customer"] in ids])
        ]

    def erase(self, person: Person) -> int:
        """All that name them go. One under way read them before: it ends and keeps nothing."""
        under_way = Rehearsal.objects.filter(status__in=UNDER_WAY)
        under_way.update(status=JobStatus.CANCELED, finished_at=timezone.now(), lease_until=None)
        rows = [row.pk for row, _result in _about(person)]
        Rehearsal.objects.filter(pk__in=rows).delete()
        return len(rows)


def _about(person: Person) -> Iterator[tuple[Rehearsal, dict[str, Any]]]:
    ids, needles = set(person.customer_ids), [needle.lower() for needle in person.needles]
    for row in Rehearsal.objects.exclude(result=None).order_by("pk").iterator(chunk_size=100):
        result: dict[str, Any] = row.result or {}
        lowered = json.dumps(result, ensure_ascii=False).lower()
        if ids & from_document(result).people() or any(needle in lowered for needle in needles):
            yield row, result
