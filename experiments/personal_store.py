"""People in the totals of experiments: numbers in packs, which no foreign key leads to."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from experiments.models import SourceTotals
from experiments.sums.totals import numbers_of
from personalization.personal_data import Person


class CustomerTotals:
    name = "totals of experiments"

    def export(self, person: Person) -> Sequence[Mapping[str, Any]]:
        return [
            {"experiment": row.experiment.name, "event": row.source[0], "until": row.until, **numbers}
            for row in _of(person)
            for numbers in numbers_of(row, person.customer_ids)
        ]

    def erase(self, person: Person) -> int:
        """All totals that have a part of theirs go: the next analysis reads the events anew, because the
        assignments lead to somebody else then."""
        rows = [row.pk for row in _of(person) if any(numbers_of(row, person.customer_ids))]
        SourceTotals.objects.filter(pk__in=rows).delete()
        return len(rows)


def _of(person: Person) -> Iterator[SourceTotals]:
    taken_part = SourceTotals.objects.filter(experiment__assignments__customer__in=person.customer_ids)
    yield from taken_part.select_related("experiment").distinct().order_by("pk")
