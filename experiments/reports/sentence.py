"""The report's first paragraph in plain words. Each case is one whole sentence, so that it can be translated.

A sentence never claims more than the interval: when 0 lies inside, it says that we cannot tell.
"""

from datetime import datetime

from django.utils import formats, timezone
from django.utils.translation import gettext as _

from experiments.reports.report import Finding, MetricReport, Report, Verdict
from experiments.stats import Effect, Note, Proportion
from experiments.stats.kinds import plain_of


def first_sentence(report: Report) -> str:
    """What was found, how large and how sure."""
    verdict = report.verdict
    if verdict.effect is None or verdict.metric is None:
        return _without_effect(verdict)
    metric = next(metric for metric in report.metrics if metric.key == verdict.metric)
    facts = _facts(report, metric, verdict, verdict.effect)
    if _is_share(metric):
        return _about_a_share(verdict.finding) % facts
    return _about_a_mean(verdict.finding) % facts


def further_sentences(report: Report) -> list[str]:
    """What a careful reader must know as well: direction, sum, how many were compared, is it still early."""
    verdict = report.verdict
    if verdict.effect is None:
        return []
    sentences = []
    if verdict.is_good is True:
        sentences.append(_("This is the wanted direction."))
    elif verdict.is_good is False:
        sentences.append(_("This is not the wanted direction."))
    if verdict.incremental is not None and verdict.finding is not Finding.UNCLEAR:
        total = verdict.incremental
        sentences.append(
            _("Over all customers of this variant that makes %(total)s in all, between %(low)s and %(high)s.")
            % {"total": _signed(total.value), "low": _bound(total.ci[0]), "high": _bound(total.ci[1])}
        )
    if verdict.compared > 1:
        sentences.append(
            _(
                "%(count)s variants were compared with the same baseline; the interval and the p-value are "
                "widened for that."
            )
            % {"count": verdict.compared}
        )
    if verdict.is_preliminary and report.primary and report.primary.complete_at:
        sentences.append(
            _(
                "This is preliminary: events are counted until %(date)s. Deciding earlier because it looks "
                "good makes false alarms more frequent."
            )
            % {"date": _date(report.primary.complete_at)}
        )
    return sentences


def explain_note(note: Note) -> str:
    return {
        Note.SMALL_COUNTS: _(
            "Few customers did it, or few did not: the interval is made by a method for small counts."
        ),
        Note.CONTROL_NEAR_ZERO: _(
            "The baseline may be zero within its error: the relative change is not bounded on every side."
        ),
        Note.ROUGH: _("Few customers did it, or few did not: the interval is only rough."),
    }[note]


def _without_effect(verdict: Verdict) -> str:
    return {
        Finding.NOBODY: _("No customer has been assigned yet."),
        Finding.MISMATCH: _(
            "The customers are not divided as planned (%(p)s): something other than chance decided who is in "
            "which group, so do not trust any effect below until the cause is found."
        )
        % {"p": _p_value(verdict.p_value or 0.0)},
        Finding.DENOMINATOR: _(
            "This metric cannot decide: the message itself changed what it divides by, so a higher or lower "
            "value does not mean a better or worse result. Choose a metric per customer."
        ),
        Finding.NO_COMPARISON: _("There is nothing to compare: only one variant, or no metric."),
        Finding.NOT_ENOUGH: _("We cannot tell yet: too little has happened to compute an effect."),
    }[verdict.finding]


def _about_a_share(finding: Finding) -> str:
    return {
        Finding.UP: _(
            "“%(variant)s” raised the share “%(metric)s” by %(size)s percentage points compared with "
            "“%(baseline)s” (%(level)s%% interval %(low)s to %(high)s, %(p)s)."
        ),
        Finding.DOWN: _(
            "“%(variant)s” lowered the share “%(metric)s” by %(size)s percentage points compared with "
            "“%(baseline)s” (%(level)s%% interval %(low)s to %(high)s, %(p)s)."
        ),
        Finding.UNCLEAR: _(
            "We cannot tell whether “%(variant)s” changed the share “%(metric)s” compared with “%(baseline)s”"
            ": the change lies between %(low)s and %(high)s percentage points (%(level)s%% interval, %(p)s)."
        ),
    }[finding]


def _about_a_mean(finding: Finding) -> str:
    return {
        Finding.UP: _(
            "“%(variant)s” raised “%(metric)s” by %(size)s per customer compared with “%(baseline)s” "
            "(%(level)s%% interval %(low)s to %(high)s, %(p)s)."
        ),
        Finding.DOWN: _(
            "“%(variant)s” lowered “%(metric)s” by %(size)s per customer compared with “%(baseline)s” "
            "(%(level)s%% interval %(low)s to %(high)s, %(p)s)."
        ),
        Finding.UNCLEAR: _(
            "We cannot tell whether “%(variant)s” changed “%(metric)s” compared with “%(baseline)s”: the "
            "change lies between %(low)s and %(high)s per customer (%(level)s%% interval, %(p)s)."
        ),
    }[finding]


def _facts(report: Report, metric: MetricReport, verdict: Verdict, effect: Effect) -> dict[str, str]:
    scale = 100.0 if _is_share(metric) else 1.0
    low, high = (None if bound is None else bound * scale for bound in effect.absolute_ci)
    digits = _digits(effect, scale)
    return {
        "metric": metric.name,
        "variant": report.variant(verdict.variant or "").name,
        "baseline": report.variant(verdict.baseline or "").name,
        "size": formats.number_format(round(abs(effect.absolute) * scale, digits), digits),
        "low": _bound(low, digits),
        "high": _bound(high, digits),
        # Together the intervals of all variants hold at the report's level.
        "level": f"{100 * (1 - report.alpha):g}",
        "p": _p_value(verdict.p_value or 0.0),
    }


def _is_share(metric: MetricReport) -> bool:
    return any(isinstance(plain_of(statistic), Proportion) for statistic in metric.statistics.values())


def _digits(effect: Effect, scale: float) -> int:
    """Two digits, more when the interval is so narrow that two would show a bound as 0."""
    bounds = [abs(bound) * scale for bound in effect.absolute_ci if bound]
    digits = 2
    while digits < 6 and bounds and round(min(bounds), digits) == 0:
        digits += 1
    return digits


def _signed(value: float, digits: int = 2) -> str:
    text = formats.number_format(round(abs(value), digits), digits, force_grouping=True)
    return f"+{text}" if value > 0 else f"−{text}" if value < 0 else text


def _bound(value: float | None, digits: int = 2) -> str:
    return _("no limit") if value is None else _signed(value, digits)


def _p_value(value: float) -> str:
    # Rounded up to .05, a value just below would seem to contradict the verdict.
    return "p < 0.0001" if value < 0.0001 else f"p = {value:.4f}"


def _date(at: datetime) -> str:
    return formats.date_format(timezone.localtime(at), "DATETIME_FORMAT")
