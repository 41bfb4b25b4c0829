"""People in trained models: a model keeps no row of a person, but it learned from them, and says who left."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.db.models import BigIntegerField, F, Func, QuerySet, Value

from personalization.personal_data import Person
from recommender.models import ModelRun, RunStatus


class TrainedModels:
    name = "trained models"

    def export(self, person: Person) -> Sequence[Mapping[str, Any]]:
        """The models that may have learned from this person."""
        rows = _trained_on(person).order_by("pk").values("id", "algorithm", "data_from", "data_until")
        return list(rows)

    def erase(self, person: Person) -> int:
        """Notes on each of them that this customer left: it is due to be trained anew without them."""
        left = Func(
            F("departed_ids"), Value(person.customer_ids[0], BigIntegerField()), function="array_append"
        )
        rows = _trained_on(person).exclude(departed_ids__contains=[person.customer_ids[0]])
        return rows.update(departed_ids=left)


def _trained_on(person: Person) -> QuerySet[ModelRun]:
    return ModelRun.objects.filter(status=RunStatus.DONE, data_until__gte=person.known_since)
