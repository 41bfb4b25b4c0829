"""From rows to the pure rule of an experiment, and from customers to what is hashed. Reads only."""

from collections.abc import Iterable, Sequence

from django.db.models import F, Min

from experiments.assignment import Filter, Rule, namespace_filter
from experiments.models import Experiment, Layer, Variant
from personalization.customers.models import Customer, Identifier, IdentifierKind
from personalization.importing.passing import these


def rule_of(experiment: Experiment, variants: Sequence[Variant], *, filters: Iterable[Filter] = ()) -> Rule:
    """`variants` in their order; `filters` beside the layer's, such as those of holdouts."""
    return Rule(
        seed=experiment.key,
        weights=tuple(variant.weight for variant in variants),
        coverage=experiment.coverage,
        version=experiment.hash_version,
        filters=(*layer_filters(experiment), *filters),
        forced={value: index for index, variant in enumerate(variants) for value in variant.forced_ids},
    )


def layer_filters(experiment: Experiment) -> list[Filter]:
    layer = experiment.layer
    if layer is None or experiment.layer_start is None or experiment.layer_end is None:
        return []
    part = (float(experiment.layer_start), float(experiment.layer_end))
    return [namespace_filter(layer.key, part) if layer.hash_version == 1 else layer_filter(layer, part)]


def layer_filter(layer: Layer, part: tuple[float, float]) -> Filter:
    # No key of an experiment has a colon: a layer never hashes like an experiment of the same name.
    return Filter(f"layer:{layer.key}", (part,))


def hash_values(customer_ids: Sequence[int]) -> dict[int, str]:
    """What is hashed for each customer that exists: the shop's own id, which its other systems know too.

    For visitors without one: their first anonymous id, which their browser knows; failing that, our own id.
    """
    known = dict(
        Customer.objects.filter(pk__in=these(customer_ids)).order_by("pk").values_list("pk", "external_id")
    )
    nameless = [pk for pk, external_id in known.items() if not external_id]
    first = (
        Identifier.objects.filter(customer__in=these(nameless), kind=IdentifierKind.ANONYMOUS_ID)
        .values("customer_id")
        .annotate(first=Min("pk"))
        .values("first")
    )
    cookies = (
        dict(Identifier.objects.filter(pk__in=first).values_list(F("customer_id"), "value"))
        if nameless
        else {}
    )
    return {pk: external_id or cookies.get(pk) or str(pk) for pk, external_id in known.items()}
