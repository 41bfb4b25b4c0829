"""What a customer would like more than others would, by the factors of the model in use: a computed trait.

Unlike `interests`, which counts what somebody did, it also names what people of the same taste go on to.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, gettext_noop

from personalization.access.kept_words import keep
from personalization.catalog.labels import labels_of
from personalization.catalog.models import Item
from personalization.customers.models import Customer
from personalization.traits.kind import TraitKind, Values
from personalization.traits.lifetime import TooLittleData
from personalization.traits.models import TraitDefinition
from recommender.algorithms import Interactions
from recommender.inputs.histories import load_histories
from recommender.inputs.interactions import RATED_EVENT
from recommender.models import ModelRun
from recommender.selectors import champion
from recommender.serving import UNREADABLE, ServedModel, serve_run

MOST_TASTES = 3
# In standard deviations of the customers.
LEAST_ABOVE = 1.0
# One item with a label is the item, no taste; rare labels beyond these are left alone.
LEAST_ITEMS, MOST_LABELS = 3, 500
# So many of the newest customers are "others".
OTHERS, LEAST_OTHERS = 2_000, 30
Floats = npt.NDArray[np.float64]


class Taste(TraitKind):
    """The affinity of a customer to a label is û·m: û the customer's factors at length 1 (so that who does
    much does not like everything), m the mean factors of the items with the label. It is compared with its
    mean and standard deviation among others. No value without a history that the model knows.
    """

    name = "taste"
    label = gettext_lazy("Taste (by the recommender)")
    value_type = "text"
    uses = ("property",)
    learns = True

    def formula(self, definition: TraitDefinition) -> str:
        return _(
            "up to %(most)s %(labels)s for which the factors of the recommender in use predict more than for "
            "other customers: by at least %(least)s standard deviation, the highest first"
        ) % {
            "most": MOST_TASTES, "labels": definition.property or _("categories"), "least": f"{LEAST_ABOVE:g}"
        }  # fmt: skip

    def events(self, definition: TraitDefinition) -> tuple[str, ...]:
        return tuple(definition.state.get("events", ()))

    def is_outdated(self, definition: TraitDefinition) -> bool:
        run = champion()
        return run is None or run.pk != definition.state.get("run")

    def learn(self, definition: TraitDefinition, *, now: datetime) -> dict[str, Any]:
        """Raises ValueError where this machine cannot read the champion's file: values then stay."""
        run = champion()
        if run is None:
            raise TooLittleData(gettext_noop("No recommender is in use yet: train one and promote it."))
        served = _serve(run)
        ids = Customer.objects.order_by("-pk").values_list("pk", flat=True)[:OTHERS]
        found = _affinities(served, labeled(run.pk, definition.property, now.isoformat()), list(ids))
        if found is None:
            sentence = gettext_noop(
                "The recommender in use (%(algorithm)s) has no factors: ALS, BPR, SVD and NMF have."
            )
            raise TooLittleData(keep(sentence, algorithm=run.algorithm))
        customers, labels, affinities = found
        if len(customers) < LEAST_OTHERS or not labels:
            sentence = gettext_noop(
                "Too little data to tell: it needs %(customers)s customers and labels of %(items)s items."
            )
            raise TooLittleData(keep(sentence, customers=LEAST_OTHERS, items=LEAST_ITEMS))
        means, spreads = affinities.mean(axis=0), affinities.std(axis=0)
        usual = {
            label: [float(mean), float(spread)]
            for label, mean, spread in zip(labels, means, spreads, strict=True)
        }
        read = {*served.event_weights, *([RATED_EVENT] if served.model.is_explicit else [])}
        return {"run": run.pk, "events": sorted(read), "usual": usual}

    def compute(self, definition: TraitDefinition, customer_ids: Sequence[int], *, now: datetime) -> Values:
        run, state = champion(), definition.state
        if run is None or run.pk != state["run"]:
            return {}  # replaced this very moment: learned anew at the next look
        group = labeled(run.pk, definition.property, state.get("learned_at", now.isoformat()))
        found = _affinities(_serve(run), group, customer_ids)
        assert found is not None
        tastes = {
            customer: tastes_of(dict(zip(found[1], row, strict=True)), state["usual"])
            for customer, row in zip(found[0], found[2].tolist(), strict=True)
        }
        return {customer: ", ".join(best) for customer, best in tastes.items() if best}


def tastes_of(affinities: Mapping[str, float], usual: Mapping[str, Sequence[float]]) -> list[str]:
    """Labels by how many standard deviations somebody lies above others, `usual` being (mean, deviation)."""
    above = {
        label: (affinity - usual[label][0]) / usual[label][1]
        for label, affinity in affinities.items()
        if label in usual and usual[label][1] > 1e-9
    }
    high = [label for label, number in above.items() if number >= LEAST_ABOVE]
    return sorted(high, key=lambda label: (-above[label], label))[:MOST_TASTES]


def _serve(run: ModelRun) -> ServedModel:
    try:
        return serve_run(run)
    except UNREADABLE as error:
        raise ValueError(f"model {run.pk} cannot be read here: {error}") from error


@dataclass(frozen=True, eq=False)
class Labeled:
    """`columns[i]` of the model have label `places[i]`, a place in `labels`."""

    labels: list[str]
    places: npt.NDArray[np.int64]
    columns: npt.NDArray[np.int64]

    def means(self, vectors: npt.NDArray[np.float32]) -> Floats:
        """float64[labels, f]"""
        sums = np.zeros((len(self.labels), vectors.shape[1]))
        np.add.at(sums, self.places, vectors[self.columns])
        return sums / np.bincount(self.places, minlength=len(self.labels))[:, None]


@lru_cache(maxsize=8)
def labeled(run_id: int, by: str, learned_at: str) -> Labeled:
    """The commonest labels of the items that run learned of, as they were when they were first asked for with
    `learned_at`."""
    run = champion()
    assert run is not None and run.pk == run_id
    served = _serve(run)
    rows = Item.objects.filter(pk__in=served.item_ids.tolist()).annotate(own_labels=labels_of(by, item=""))
    of_label: dict[str, list[int]] = {}
    for item_id, labels in rows.order_by("pk").values_list("pk", "own_labels").iterator():
        for one in dict.fromkeys(labels or ()):
            of_label.setdefault(one, []).append(item_id)
    common = sorted(
        (label for label, items in of_label.items() if len(items) >= LEAST_ITEMS),
        key=lambda label: (-len(of_label[label]), label),
    )[:MOST_LABELS]
    places = np.repeat(np.arange(len(common)), [len(of_label[label]) for label in common])
    items = [item for label in common for item in of_label[label]]
    return Labeled(common, places, served.columns(items))


def _affinities(
    served: ServedModel, group: Labeled, customer_ids: Sequence[int]
) -> tuple[list[int], list[str], Floats] | None:
    """The customers with a history, the labels, and û·m float64[customers, labels]. None without factors."""
    histories = load_histories(
        customer_ids, event_weights=served.event_weights, of_ratings=served.model.is_explicit
    )
    rows: Interactions = served.rows(histories)
    factors = served.model.embeddings(rows)
    if factors is None:
        return None
    users, items = factors
    lengths = np.linalg.norm(users.astype(np.float64), axis=1)
    known = (np.diff(rows.indptr) > 0) & (lengths > 0)
    unit = users[known] / lengths[known, None]
    return histories.customers[known].tolist(), group.labels, unit @ group.means(items).T
