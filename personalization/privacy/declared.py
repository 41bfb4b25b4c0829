"""Where rows about a customer are, as their models declare it, and the stores beside the tables."""

from collections.abc import Iterable
from functools import cache

from django.apps import apps
from django.db.models import Model, QuerySet
from django.utils.module_loading import import_string

from personalization.personal_data import PersonalData, PersonalStore


@cache
def declared() -> list[tuple[type[Model], PersonalData]]:
    """Every model with `personal_data`; those that refer to others of them come first."""
    found: dict[type[Model], PersonalData] = {}
    for model in apps.get_models():
        data = getattr(model, "personal_data", None)
        if isinstance(data, PersonalData):
            found[model] = data
    return sorted(found.items(), key=lambda entry: (-_depth(entry[0], set(found)), entry[0]._meta.label))


def _depth(model: type[Model], among: set[type[Model]], seen: frozenset[type[Model]] = frozenset()) -> int:
    targets = {f.related_model for f in model._meta.concrete_fields if isinstance(f.related_model, type)}
    below = [_depth(t, among, seen | {model}) for t in (targets & among) - seen - {model}]
    return 1 + max(below, default=0)


def rows_of(model: type[Model], data: PersonalData, customer_ids: Iterable[int]) -> QuerySet[Model]:
    return model._base_manager.filter(**{f"{data.path}__in": list(customer_ids)})


def stores() -> list[PersonalStore]:
    """What rooms keep outside of such rows, named by `personal_stores` of their app configurations."""
    names = [name for config in apps.get_app_configs() for name in getattr(config, "personal_stores", ())]
    return [import_string(name)() for name in names]
