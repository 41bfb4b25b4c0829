"""`{% vary "hero" %}…{% or %}…{% endvary %}`: who gets which version, drawn with known chances and stored."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

import structlog
from django.core.cache import cache
from django.utils.translation import gettext as _

from campaigns.errors import InvalidCampaign
from campaigns.learning_plan import LearningPlan, metric_of
from campaigns.models import Run
from campaigns.needs._base import Asked, Given, Provider, Scene
from experiments.assigning import assign
from experiments.errors import NotPossible
from experiments.models import Experiment, Metric
from experiments.personalizing import assign_by, learned_chances
from personalization.content.needs import Need

FLOOR = 0.1
# What is learned from: outcomes of a day, so that a choice learns while its campaign still runs.
WITHIN = timedelta(days=1)
log = structlog.get_logger(__name__)
LEARNED_SECONDS = 300  # chances are learned anew after that


@dataclass(frozen=True)
class Choice:
    """How one `vary` shares its versions out; `metric` is None where nothing is learned."""

    learns: bool
    metric: Metric | None
    floor: float


def read_choice(need: Need) -> Choice:
    """Raises ValueError with what is wrong."""
    given = need.fixed()
    if len(given) < len(need.arguments):
        raise ValueError(_("its arguments are written out, the same for everybody"))
    if not isinstance(given.get("learn", False), bool):
        raise ValueError(_("learn is true or false"))
    floor = given.get("floor", FLOOR)
    if not isinstance(floor, int | float) or not 0 < floor * len(need.options) <= 1:
        most = f"{1 / len(need.options):.2f}"
        raise ValueError(_("floor lies above 0 and is at most %(most)s") % {"most": most})
    if not given.get("learn"):
        return Choice(False, None, float(floor))
    try:
        metric = metric_of(LearningPlan(metric=str(given["metric"]) if "metric" in given else None))
    except InvalidCampaign as error:
        raise ValueError(error.detail or error.errors[0]["detail"]) from error
    return Choice(True, metric, float(floor))


def earlier(experiment: Experiment, campaign_id: int, need: Need) -> list[Experiment]:
    """Experiments of the same choice in earlier runs of the campaign, newest first."""
    runs = Run.objects.filter(campaign=campaign_id).values("experiment")
    found = Experiment.objects.filter(within__in=runs, key__regex=rf"-vary-\d+-{need.name}$")
    return list(found.filter(pk__lt=experiment.pk).order_by("-pk")[:5])


class VaryProvider(Provider):
    name = "vary"

    def problems(self, need: Need) -> Iterator[str]:
        try:
            read_choice(need)
        except ValueError as error:
            yield str(error)

    def load(self, asked: Sequence[Asked], scene: Scene) -> Mapping[tuple[int, str], Given]:
        made = scene.content.get("varies") or {}
        found: dict[tuple[int, str], Given] = {}
        alike: dict[int, list[Asked]] = defaultdict(list)
        for one in asked:
            experiment = made.get(one.variant, {}).get(one.need.name)
            if experiment is None:  # a preview: every version is seen by somebody
                found[one.key] = Given(one.customer_id % len(one.need.options))
            else:
                alike[experiment].append(one)
        rows = Experiment.objects.in_bulk(alike)
        for pk, several in alike.items():
            found |= self._drawn(rows[pk], several, scene)
        return found

    def _drawn(
        self, experiment: Experiment, asked: Sequence[Asked], scene: Scene
    ) -> dict[tuple[int, str], Given]:
        variants = list(experiment.variants.order_by("position"))
        places = {variant.pk: place for place, variant in enumerate(variants)}
        ids = sorted({one.customer_id for one in asked})
        need = asked[0].need
        chances = self._learned(experiment, need, scene) if need.fixed().get("learn") else None
        assigned = (
            assign(experiment, ids, at=scene.at, is_kept=scene.is_real)
            if chances is None
            else assign_by(experiment, ids, chances, at=scene.at, seed="vary", is_kept=scene.is_real)
        )
        found = {}
        for one in asked:
            variant, chance = assigned.get(one.customer_id, (None, 0.0))
            if variant is not None:
                record = {"version": variants[places[variant]].key, "chance": round(chance, 6)}
                found[one.key] = Given(places[variant], record)
        return found

    def _learned(self, experiment: Experiment, need: Need, scene: Scene) -> list[float] | None:
        """Chances by what is known now, the same for some minutes; None as long as nothing is known."""
        key = f"campaigns:vary:{experiment.pk}"
        chances: list[float] | None = cache.get(key)
        if chances is None:
            choice = read_choice(need)
            assert choice.metric is not None
            campaign = Run.everything.values_list("campaign", flat=True).get(pk=scene.run_id)
            try:
                chances = learned_chances(
                    experiment, [experiment, *earlier(experiment, campaign, need)],
                    metric=choice.metric, at=scene.at, floor=choice.floor, within=WITHIN,
                )  # fmt: skip
            except NotPossible as error:
                log.info("vary_without_learning", experiment=experiment.pk, reason=str(error.detail))
                chances = []
            cache.set(key, chances, LEARNED_SECONDS)
        return chances or None
