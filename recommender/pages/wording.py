"""Models in words: titles, figures, what a figure means, and why a model serves or does not."""

import re
from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from django.utils.formats import date_format, number_format
from django.utils.timesince import timesince
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop, ngettext

from recommender import algorithms
from recommender.evaluation.tuning import AUTO
from recommender.inputs.interactions import BOUGHT_EVENTS
from recommender.models import ModelRun
from recommender.services import SYSTEM

METRICS = {
    "ndcg": gettext_noop("NDCG@20"),
    "recall": gettext_noop("Recall@20"),
    "precision": gettext_noop("Precision@20"),
    "map": gettext_noop("MAP@20"),
    "mrr": gettext_noop("MRR@20"),
    "hit_rate": gettext_noop("Hit rate"),
    "coverage": gettext_noop("Catalog coverage"),
    "diversity": gettext_noop("Diversity"),
    "novelty": gettext_noop("Novelty"),
    "rmse": gettext_noop("RMSE"),
    "mae": gettext_noop("MAE"),
}
UNITS = {"novelty", "rmse", "mae"}  # the others are shares of 1
MAX_DENOMINATOR = 10
MINUTES_FROM = 120  # shorter times are told in seconds
Estimate = Mapping[str, Any]


def algorithm_title(name: str) -> str:
    """The name people know; of an algorithm that is gone, its key."""
    if name == AUTO:
        return _("Automatic choice")
    try:
        return _(algorithms.get(name).title)
    except algorithms.UnknownAlgorithmError:
        return name


def metric_title(name: str) -> str:
    return _(METRICS[name]) if name in METRICS else name


def run_title(run: ModelRun) -> str:
    return f"{algorithm_title(run.algorithm)} #{run.pk}"


def opponent_title(stored: str) -> str:
    """ "ease #4" or "popular", as a comparison stores it."""
    found = re.fullmatch(r"(\w+) #(\d+)", stored)
    return f"{algorithm_title(found[1])} #{found[2]}" if found else algorithm_title(stored)


def figure(estimate: Estimate | None) -> str:
    """'0.312 [0.295, 0.330]', a dash for what was not measured."""
    if not estimate:
        return "–"
    value = f"{estimate['value']:.3f}"
    return value if estimate["low"] is None else f"{value} {interval(estimate)}"


def interval(estimate: Estimate) -> str:
    return f"[{estimate['low']:.3f}, {estimate['high']:.3f}]"


def difference_figure(found: Estimate | None) -> str:
    """'+0.021 [+0.010, +0.032]', a dash where nothing was compared."""
    if not found or found.get("difference") is None:
        return "–"
    text = f"{found['difference']:+.3f}"
    if found["low"] is not None:
        text += f" [{found['low']:+.3f}, {found['high']:+.3f}]"
    return text.replace("-", "−")


def tone(found: Estimate | None) -> str:
    """good, bad, or plain where the interval holds zero."""
    if not found or found["low"] is None:
        return "plain"
    return "good" if found["low"] > 0 else "bad" if found["high"] < 0 else "plain"


def count(number: int | None) -> str:
    return "–" if number is None else number_format(number, force_grouping=True)


def day(moment: Any) -> str:
    return date_format(localtime(moment), "DATE_FORMAT") if moment else "–"


def why_it_serves(run: ModelRun) -> str:
    """One or two plain sentences on the champion."""
    parts = [
        _("%(model)s serves, promoted on %(day)s.") % {"model": run_title(run), "day": day(run.promoted_at)}
    ]
    own = run.metrics.get("own", {}).get(run.metric)
    if own is None:
        parts.append(_("It could not be judged yet: too few customers came back."))
    else:
        facts = {
            "metric": metric_title(run.metric),
            "figure": figure(own),
            "against": against_popular(run),
            "n": count(run.metrics.get("n_users")),
        }
        parts.append(_("%(metric)s is %(figure)s%(against)s, judged on %(n)s customers.") % facts)
    return " ".join(parts)


def against_popular(run: ModelRun) -> str:
    """', 31 % above the most popular items', empty where there is nothing to say."""
    own, popular = (run.metrics.get(side, {}).get(run.metric) for side in ("own", "popular"))
    if not own or not popular or run.algorithm == "popular":
        return ""
    above = above_popular(run)
    if above and tone(above) == "plain":
        return _(", not surely different from the most popular items")
    if not popular["value"]:
        return _(", where the most popular items find nothing")
    share = own["value"] / popular["value"] - 1
    words = _(", %(share)s above the most popular items") if share >= 0 else (
        _(", %(share)s below the most popular items")
    )  # fmt: skip
    return words % {"share": percent(abs(share))}


def above_popular(run: ModelRun) -> Estimate | None:
    """The paired difference to the most popular items, from whichever comparison measured it."""
    found = run.metrics.get("above_popular")
    if found is None and run.metrics.get("difference", {}).get("against") == "popular":
        found = run.metrics["difference"]
    return found


def decision(run: ModelRun) -> str:
    """Was it better than what it was compared with? In the reader's language, where figures tell."""
    found, stored = run.metrics.get("difference"), run.metrics.get("decision", "")
    if not found or found["low"] is None:
        return _(stored) if stored else ""
    facts = {
        "against": opponent_title(found["against"]),
        "metric": metric_title(found["metric"]),
        "difference": difference_figure(found),
        "n": count(found["n_users"]),
    }
    words = {
        "good": _(
            "Better than %(against)s: the difference in %(metric)s is %(difference)s over %(n)s customers."
        ),
        "bad": _(
            "Worse than %(against)s: the difference in %(metric)s is %(difference)s over %(n)s customers."
        ),
        "plain": _(
            "Not shown to be better than %(against)s: the difference in %(metric)s is %(difference)s over "
            "%(n)s customers, which may be chance."
        ),
    }[tone(found)]
    return words % facts


def promotion(run: ModelRun) -> str:
    """Who made it serve, and why: a person's own words, or the evidence in the reader's language."""
    if run.promoted_by == SYSTEM and run.metrics.get("difference"):
        return _("Promoted by itself, on its evidence. %(why)s") % {"why": decision(run)}
    return _("Promoted by %(who)s: %(why)s") % {"who": run.promoted_by, "why": run.promoted_reason}


def duration(run: ModelRun) -> str:
    """How long the training took; empty where it has not ended."""
    if run.started_at is None or run.finished_at is None:
        return ""
    seconds = round((run.finished_at - run.started_at).total_seconds())
    if seconds >= MINUTES_FROM:
        return timesince(run.started_at, run.finished_at)
    return ngettext("%(n)s second", "%(n)s seconds", seconds) % {"n": seconds}


def percent(share: float) -> str:
    digits = 0 if share >= 0.095 or share == 0 else 1
    return f"{share * 100:.{digits}f} %"


def one_in(share: float) -> str:
    """'1 in 3', '7 in 10', '1 in 250': the nearest that is easy to say."""
    near = Fraction(share).limit_denominator(MAX_DENOMINATOR)
    if 0 < share < 1 / MAX_DENOMINATOR:
        near = Fraction(1, round(1 / share))
    elif near == 1 or share <= 0:
        return _("%(n)s in %(m)s") % {"n": round(share * 100), "m": 100}
    return _("%(n)s in %(m)s") % {"n": near.numerator, "m": count(near.denominator)}


def event_title(name: str) -> str:
    return _(EVENTS[name]) if name in EVENTS else name


def reason(kind: str, because: Mapping[str, Any] | None) -> str:
    """Why an item stands in a list, for staff; `because` is the item of the history that speaks for it."""
    if because is not None:
        return _("Because of %(item)s") % {"item": because["name"]}
    return _(REASONS[kind])


def meaning(name: str, value: float, run: ModelRun) -> str:
    """What a figure says, for somebody who never heard its name."""
    k = run.metrics.get("k", 20)
    only_bought = set(run.event_weights) <= set(BOUGHT_EVENTS)
    facts = {
        "k": k,
        "one_in": one_in(value),
        "share": percent(value),
        "number": f"{value * k:.{1 if value * k >= 0.1 else 2}f}" if name == "precision" else f"{value:.2f}",
        "place": max(1, round(1 / value)) if value > 0 else "–",
        "owners": one_in(2.0**-value) if name == "novelty" else "",
        "do": _("buy") if only_bought else _("look at or buy"),
    }
    words = MEANINGS.get(name)
    return _(words) % facts if words else ""


MEANINGS = {
    "ndcg": gettext_noop("1 would be all the right items on top of the list, 0 none in it."),
    "recall": gettext_noop("Of all that a customer went on to %(do)s, the list of %(k)s held %(share)s."),
    "precision": gettext_noop("%(number)s of the %(k)s places were items the customer went on to %(do)s."),
    "map": gettext_noop("As NDCG, but stricter about the top: 1 would be perfect."),
    "mrr": gettext_noop("The first right item typically stands at about place %(place)s."),
    "hit_rate": gettext_noop(
        "%(one_in)s customers find something in their list of %(k)s that they then %(do)s."
    ),
    "coverage": gettext_noop("%(share)s of the catalog stands in somebody’s list."),
    "diversity": gettext_noop("0 would be lists of items that the same people take, 1 of nothing in common."),
    "novelty": gettext_noop("A typical item of the lists is known to %(owners)s customers."),
    "rmse": gettext_noop("Guessed ratings are off by about %(number)s, large misses counted more."),
    "mae": gettext_noop("Guessed ratings are off by %(number)s on average."),
}

EVENTS = {
    "Order Line": gettext_noop("bought"),
    "Product Added": gettext_noop("put into the cart"),
    "Product Viewed": gettext_noop("looked at"),
    "Product Rated": gettext_noop("rated"),
}
REASONS = {
    "model": gettext_noop("Fits the whole history"),
    "because": gettext_noop("Fits the history"),  # the item it was about is not in the catalog any more
    "similar_customers": gettext_noop("Popular with customers who share traits"),
    "popular": gettext_noop("Popular, not personal"),
    "pinned": gettext_noop("Pinned by a rule"),
}
