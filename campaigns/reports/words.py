"""The report in words: its first sentence, and why a number is missing."""

from typing import Any

from django.core.cache import cache
from django.utils.translation import gettext as _

from campaigns.models import Run
from experiments import selectors as experiments
from experiments import tasks
from experiments.reports.report import Finding, MetricReport, Report
from experiments.stats import Effect, Obstacle, Proportion
from experiments.stats.kinds import plain_of

LIST_SECONDS = 60


def percent(value: float | None, digits: int = 1) -> str:
    return "–" if value is None else f"{value * 100:+.{digits}f} %".replace("-", "−")


def amount(value: float | None, *, is_share: bool, digits: int = 2) -> str:
    """A statistic of a metric: a share of customers, or an amount per customer."""
    if value is None:
        return "–"
    return f"{value * 100:.{digits}f} %" if is_share else f"{value:,.{digits}f}"


def bounds(pair: tuple[float | None, float | None] | None, show: Any) -> str:
    if pair is None:
        return ""
    low, high = pair
    return _("%(low)s to %(high)s") % {
        "low": "−∞" if low is None else show(low),
        "high": "∞" if high is None else show(high),
    }


def obstacle_text(obstacle: Obstacle | None) -> str:
    if obstacle is Obstacle.TOO_FEW_CUSTOMERS:
        return _("too few customers")
    if obstacle is Obstacle.NO_VARIATION:
        return _("no events yet")
    if obstacle is Obstacle.NO_DENOMINATOR:
        return _("nothing to divide by yet")
    if obstacle is Obstacle.TOO_FEW_EFFECTIVE:
        return _("drawn too rarely")
    if obstacle is Obstacle.NOT_WEIGHTED:
        return _("cannot be weighted")
    return ""


def headline(report: Report) -> dict[str, str]:
    """`tone` (good, bad, warn, plain), `sentence`, and `detail` with the certainty."""
    verdict = report.verdict
    if verdict.finding is Finding.NOBODY:
        return {
            "tone": "plain",
            "sentence": _("Nobody was in the audience, so there is nothing to report."),
            "detail": "",
        }
    if verdict.finding is Finding.MISMATCH:
        return {
            "tone": "bad",
            "sentence": _("The groups are not divided as planned, so no effect on this page can be trusted."),
            "detail": _("Find the cause first: an import, a merge or a filter that touched one group only."),
        }
    if verdict.finding is Finding.DENOMINATOR:
        return {
            "tone": "bad",
            "sentence": _("The primary metric cannot decide: the message changed what it divides by."),
            "detail": _("Choose a metric per customer as the primary one, for example revenue."),
        }
    if verdict.finding is Finding.NO_COMPARISON:
        return {
            "tone": "plain",
            "sentence": _(
                "There is nothing to compare with: the campaign had one variant and no control group."
            ),
            "detail": "",
        }
    if verdict.finding is Finding.NOT_ENOUGH:
        return {
            "tone": "plain",
            "sentence": _("It is too early to say anything: hardly anybody has done something yet."),
            "detail": _("This page refreshes itself."),
        }
    return _judged(report)


def _judged(report: Report) -> dict[str, str]:
    verdict, metric = report.verdict, report.primary
    assert metric is not None and verdict.effect is not None and verdict.variant and verdict.baseline
    values = {
        "variant": report.variant(verdict.variant).name,
        "baseline": report.variant(verdict.baseline).name,
        "metric": metric.name,
        "lift": effect_text(metric, verdict.effect),
        "interval": interval_text(metric, verdict.effect),
        "p": p_equation(verdict.p_value),
        "size": effect_text(metric, verdict.effect).lstrip("+−"),
    }
    detail = _("95%% interval %(interval)s, %(p)s.") % values
    if verdict.incremental and not is_share(metric) and verdict.finding is not Finding.UNCLEAR:
        detail += " " + _("That is %(each)s for each customer, in all about %(total)s.") % {
            "each": difference_text(metric, verdict.effect.absolute),
            "total": f"{verdict.incremental.value:+,.0f}".replace("-", "−"),
        }
    if verdict.is_preliminary:
        detail += " " + _("Preliminary: customers can still act within their window.")
    if verdict.finding is Finding.UNCLEAR:
        sentence = _(
            "It cannot be told yet whether “%(variant)s” changed “%(metric)s” compared with “%(baseline)s”."
        )
        return {
            "tone": "warn",
            "sentence": sentence % values,
            "detail": _("Best estimate %(lift)s.") % values + " " + detail,
        }
    if verdict.finding is Finding.UP:
        sentence = _("“%(variant)s” raised “%(metric)s” by %(size)s compared with “%(baseline)s”.")
    else:
        sentence = _("“%(variant)s” lowered “%(metric)s” by %(size)s compared with “%(baseline)s”.")
    return {"tone": "good" if verdict.is_good else "bad", "sentence": sentence % values, "detail": detail}


def is_share(metric: MetricReport) -> bool:
    return any(isinstance(plain_of(statistic), Proportion) for statistic in metric.statistics.values())


def effect_text(metric: MetricReport, effect: Effect) -> str:
    """The lift relative to the baseline; in the metric's own unit where a ratio cannot be formed."""
    if effect.relative is not None:
        return percent(effect.relative)
    return difference_text(metric, effect.absolute)


def interval_text(metric: MetricReport, effect: Effect) -> str:
    if effect.relative is not None and effect.relative_ci is not None:
        return bounds(effect.relative_ci, percent)
    return difference_interval(metric, effect)


def difference_interval(metric: MetricReport, effect: Effect) -> str:
    return bounds(effect.absolute_ci, lambda value: difference_text(metric, value))


def difference_text(metric: MetricReport, value: float) -> str:
    if is_share(metric):
        return _("%(n)s percentage points") % {"n": f"{value * 100:+.2f}".replace("-", "−")}
    return f"{value:+,.2f}".replace("-", "−")


def p_text(value: float | None) -> str:
    if value is None:
        return "–"
    return "< 0.001" if value < 0.001 else f"{value:.3f}"


def p_equation(value: float | None) -> str:
    text = p_text(value)
    return f"p {text}" if text.startswith("<") else f"p = {text}"


def effect_of_list(run: Run) -> dict[str, str] | None:
    """The primary metric's effect for one cell of the list, up to a minute old; None without one."""
    key = f"campaigns:effect:{run.pk}"
    known = cache.get(key)
    if known is None:
        known = _short(run) or {}
        cache.set(key, known, LIST_SECONDS)
    return known or None


def _short(run: Run) -> dict[str, str] | None:
    report = experiments.newest_report(run.experiment, primary_only=True)
    if report is None:
        tasks.wish(run.experiment)
        return None
    verdict, metric = report.verdict, report.primary
    if metric is None or verdict.effect is None:
        return None
    tones = {True: "good", False: "bad", None: ""}
    return {
        "text": effect_text(metric, verdict.effect),
        "interval": interval_text(metric, verdict.effect),
        "metric": metric.name,
        "tone": tones[verdict.is_good],
    }
