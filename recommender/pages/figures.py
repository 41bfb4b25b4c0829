"""What the pages of models show: rows of tables and the numbers of plots, from what runs have stored."""

from collections.abc import Iterable
from typing import Any

from django.db.models import QuerySet
from django.urls import reverse
from django.utils.translation import gettext as _

from personalization.access.time_left import time_left
from recommender.models import ModelRun, RunStatus
from recommender.pages import wording

ACTIVE = (RunStatus.QUEUED, RunStatus.RUNNING)
# What a plot can show side by side: all are shares of 1.
PLOTTED = ("ndcg", "recall", "precision", "map", "mrr", "hit_rate", "coverage")
ORDER = ("ndcg", "recall", "precision", "hit_rate", "map", "mrr", "coverage", "diversity", "novelty")


def latest_rows(*, repeats: bool, metric: str) -> list[dict[str, Any]]:
    """A row for each algorithm that was ever trained for that use: its latest finished run, and a newer one
    that is under way or failed. The best by `metric` come first, those without figures last.
    """
    newest = _latest(ModelRun.objects.filter(repeats=repeats))
    finished = _latest(ModelRun.objects.filter(repeats=repeats, status=RunStatus.DONE))
    champion = ModelRun.objects.filter(repeats=repeats, is_champion=True).defer("item_ids").first()
    rows = []
    for algorithm, latest in newest.items():
        run = finished.get(algorithm)
        if champion is not None and champion.algorithm == algorithm:
            run = champion
        rows.append(_row(run, latest if run is None or latest.pk != run.pk else None, metric))
    return sorted(rows, key=_rank)


def _latest(runs: Any) -> dict[str, ModelRun]:
    found = runs.defer("item_ids").order_by("algorithm", "-created_at").distinct("algorithm")
    return {run.algorithm: run for run in found}


def _row(run: ModelRun | None, newer: ModelRun | None, metric: str) -> dict[str, Any]:
    shown = run or newer
    assert shown is not None
    own = run.metrics.get("own", {}) if run is not None else {}
    above = None
    if run is not None and run.algorithm != "popular":
        above = wording.above_popular(run)
    return {
        "title": wording.algorithm_title(shown.algorithm),
        "run": run,
        "newer": newer,
        "value": own.get(metric),
        "figure": wording.figure(own.get(metric)),
        "hit_rate": wording.figure(own.get("hit_rate")),
        "above": wording.difference_figure(above),
        "tone": wording.tone(above),
        "url": reverse("recommender:run", args=[shown.pk]),
    }


def _rank(row: dict[str, Any]) -> tuple[bool, float, str]:
    return row["value"] is None, -(row["value"] or {}).get("value", 0.0), row["title"]


def comparison_plot(rows: Iterable[dict[str, Any]], metric: str) -> dict[str, Any]:
    """Dots with intervals, one line for each row with a figure; the most popular items as the line of
    reference.
    """
    measured = [row for row in rows if row["value"]]
    return {
        "axis": wording.metric_title(metric),
        "reference": _reference(measured, metric),
        "rows": [
            {
                "label": row["title"],
                "points": [
                    {
                        **row["value"],
                        "text": row["figure"],
                        "tone": "good" if row["run"].is_champion else "plain",
                        "note": _("Serves now") if row["run"].is_champion else "",
                    }
                ],
            }
            for row in measured
        ],
    }


def _reference(measured: list[dict[str, Any]], metric: str) -> dict[str, Any] | None:
    """The most popular items as the latest comparison measured them."""
    for row in sorted(measured, key=lambda row: row["run"].created_at, reverse=True):
        popular = row["run"].metrics.get("popular", {}).get(metric)
        if popular:
            return {"value": popular["value"], "label": wording.algorithm_title("popular")}
    return None


def metric_rows(run: ModelRun) -> list[dict[str, Any]]:
    """Every figure of a run beside that of the most popular items, and what it says in plain words."""
    own, popular = run.metrics.get("own", {}), run.metrics.get("popular", {})
    names = [name for name in ORDER if name in own] + [name for name in own if name not in ORDER]
    rows = [_metric_row(run, name, own[name], popular.get(name)) for name in names]
    ratings = run.metrics.get("ratings", {})
    return rows + [_metric_row(run, name, ratings[name], None) for name in ratings]


def _metric_row(run: ModelRun, name: str, own: Any, popular: Any) -> dict[str, Any]:
    return {
        "title": wording.metric_title(name),
        "own": wording.figure(own),
        "popular": wording.figure(popular) if run.algorithm != "popular" else "",
        "meaning": wording.meaning(name, own["value"], run),
        "decides": name == run.metric,
    }


def metrics_plot(run: ModelRun) -> dict[str, Any]:
    own, popular = run.metrics.get("own", {}), run.metrics.get("popular", {})
    rows = []
    for name in PLOTTED:
        if name in own:
            points = [
                {**own[name], "text": wording.figure(own[name]), "tone": "good", "note": _("This model")}
            ]
            if name in popular and run.algorithm != "popular":
                note = wording.algorithm_title("popular")
                text = wording.figure(popular[name])
                points.append({**popular[name], "text": text, "tone": "muted", "note": note})
            rows.append({"label": wording.metric_title(name), "points": points})
    return {"axis": "", "reference": None, "rows": rows}


def difference_plot(run: ModelRun) -> dict[str, Any]:
    """Paired differences to the most popular items and to the champion of that day, around zero."""
    rows = [
        {
            "label": _("against %(other)s") % {"other": wording.opponent_title(found["against"])},
            "points": [
                {
                    "value": found["difference"],
                    "low": found["low"],
                    "high": found["high"],
                    "text": wording.difference_figure(found),
                    "tone": wording.tone(found),
                    "note": "",
                }
            ],
        }
        for found in differences(run)
    ]
    return {
        "axis": _("Difference in %(metric)s") % {"metric": wording.metric_title(run.metric)},
        "reference": {"value": 0.0, "label": ""},
        "rows": rows,
    }


def differences(run: ModelRun) -> list[Any]:
    """The stored paired differences, each opponent once, none of a model against itself."""
    found = [wording.above_popular(run), run.metrics.get("difference")]
    by_opponent = {one["against"]: one for one in found if one and one.get("difference") is not None}
    if run.algorithm == "popular":
        by_opponent.pop("popular", None)
    return list(by_opponent.values())


def active_runs() -> QuerySet[ModelRun]:
    """Trainings that wait or go on, oldest first."""
    return ModelRun.objects.filter(status__in=ACTIVE).defer("item_ids").order_by("created_at")


def active_part(runs: Iterable[ModelRun]) -> dict[str, Any]:
    """For `recommender/live.html`: how far each of them is."""
    rows = [{"run": run, **progress(run)} for run in runs]
    return {"active": rows, "known": ",".join(str(row["run"].pk) for row in rows)}


def progress(run: ModelRun) -> dict[str, Any]:
    phase = _(run.progress) if run.progress else run.get_status_display()
    share = min(max(run.progress_share, 0.0), 1.0)
    return {
        "title": wording.run_title(run),
        "phase": phase,
        "share": share,
        "percent": f"{share * 100:.0f} %",
        "left": time_left(run.started_at, share) if run.status == RunStatus.RUNNING else "",
    }
