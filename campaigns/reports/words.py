"""A report's numbers as a page writes them, its first words with their tone, and why a number is missing."""

from typing import Any

from django.core.cache import cache
from django.utils.translation import gettext as _

from campaigns.models import Run
from experiments import selectors as experiments
from experiments import tasks
from experiments.reports.floored import floored
from experiments.reports.report import Finding, MetricReport, Report, Verdict
from experiments.reports.sentence import first_sentence, further_sentences
from experiments.stats import Effect, Obstacle

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
    """The report's own sentences, and the `tone` they are shown in: good, bad, warn or plain."""
    return {
        "tone": _tone(report.verdict),
        "sentence": first_sentence(report),
        "detail": " ".join(further_sentences(report)),
    }


def _tone(verdict: Verdict) -> str:
    if verdict.finding in (Finding.MISMATCH, Finding.DENOMINATOR):
        return "bad"
    if verdict.finding is Finding.UNCLEAR:
        return "warn"
    if verdict.effect is None:
        return "plain"
    return "good" if verdict.is_good else "bad"


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
    if metric.is_share:
        return _("%(n)s percentage points") % {"n": f"{value * 100:+.2f}".replace("-", "−")}
    return f"{value:+,.2f}".replace("-", "−")


def p_text(value: float | None) -> str:
    if value is None:
        return "–"
    return "< 0.001" if value < 0.001 else f"{value:.3f}"


def effect_of_list(run: Run, *, whole: bool) -> dict[str, str] | None:
    """The primary metric's effect for one cell of the list, up to a minute old; None without one."""
    key = f"campaigns:effect:{run.pk}:{whole}"
    known = cache.get(key)
    if known is None:
        known = _short(run, whole) or {}
        cache.set(key, known, LIST_SECONDS)
    return known or None


def _short(run: Run, whole: bool) -> dict[str, str] | None:
    report = experiments.newest_report(run.experiment, primary_only=True)
    if report is None:
        tasks.wish(run.experiment)
        return None
    report = report if whole else floored(report)
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
