"""The report's first paragraph in plain words. Each case is one whole sentence, so that it can be translated.

A sentence never claims more than the interval: when 0 lies inside, it says that we cannot tell.
"""

from datetime import datetime

from django.utils import formats, timezone
from django.utils.translation import gettext as _

from experiments.reports.report import Finding, MetricReport, Report, Verdict
from experiments.stats import Effect, Note

PERCENT = "%(n)s %%"


def first_sentence(report: Report) -> str:
    """What was found, how large and how sure."""
    verdict = report.verdict
    if verdict.effect is None or report.primary is None:
        return _without_effect(verdict)
    return _with_effect(verdict.finding) % _facts(report, report.primary, verdict.effect)


def further_sentences(report: Report) -> list[str]:
    """What a careful reader must know as well: direction, sum, how many were compared, is it still early."""
    verdict, metric = report.verdict, report.primary
    if verdict.effect is None or metric is None:
        return []
    sentences = []
    if verdict.is_good is True:
        sentences.append(_("This is the wanted direction."))
    elif verdict.is_good is False:
        sentences.append(_("This is not the wanted direction."))
    if verdict.finding is not Finding.UNCLEAR:
        sentences += _in_all(verdict, metric, verdict.effect)
    if verdict.compared > 1:
        sentences.append(
            _(
                "%(count)s variants were compared with the same baseline; the interval and the p-value are "
                "widened for that."
            )
            % {"count": verdict.compared}
        )
    if verdict.is_preliminary and metric.complete_at:
        sentences.append(
            _(
                "This is preliminary: events are counted until %(date)s. Deciding earlier because it looks "
                "good makes false alarms more frequent."
            )
            % {"date": _date(metric.complete_at)}
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
        % {"p": p_equation(verdict.p_value or 0.0)},
        Finding.DENOMINATOR: _(
            "This metric cannot decide: the message itself changed what it divides by, so a higher or lower "
            "value does not mean a better or worse result. Choose a metric per customer."
        ),
        Finding.NO_COMPARISON: _("There is nothing to compare: only one variant, or no metric."),
        Finding.NOT_ENOUGH: _("We cannot tell yet: too little has happened to compute an effect."),
        Finding.WITHHELD: withheld_sentence(),
    }[verdict.finding]


def _with_effect(finding: Finding) -> str:
    return {
        Finding.UP: _(
            "“%(variant)s” raised “%(metric)s” by %(size)s compared with “%(baseline)s” "
            "(%(level)s%% interval %(low)s to %(high)s, %(p)s)."
        ),
        Finding.DOWN: _(
            "“%(variant)s” lowered “%(metric)s” by %(size)s compared with “%(baseline)s” "
            "(%(level)s%% interval %(low)s to %(high)s, %(p)s)."
        ),
        Finding.UNCLEAR: _(
            "We cannot tell whether “%(variant)s” changed “%(metric)s” compared with “%(baseline)s”: the "
            "change lies between %(low)s and %(high)s (%(level)s%% interval, %(p)s)."
        ),
    }[finding]


def _facts(report: Report, metric: MetricReport, effect: Effect) -> dict[str, str]:
    """The size relative to the baseline; in the metric's own unit where a ratio cannot be formed."""
    verdict = report.verdict
    size, ends, unit, scale = effect.absolute, effect.absolute_ci, _unit(metric), _scale(metric)
    if effect.relative is not None and effect.relative_ci is not None:
        size, ends, unit, scale = effect.relative, effect.relative_ci, PERCENT, 100.0
    low, high = (None if end is None else end * scale for end in ends)
    digits = _digits(low, high, fewest=1 if unit == PERCENT else 2)
    return {
        "metric": metric.name,
        "variant": report.variant(verdict.variant or "").name,
        "baseline": report.variant(verdict.baseline or "").name,
        "size": unit % {"n": _signed(size * scale, digits).lstrip("+−")},
        "low": _bound(low, digits, unit),
        "high": _bound(high, digits, unit),
        # Together the intervals of all variants hold at the report's level.
        "level": f"{100 * (1 - report.alpha):g}",
        "p": p_equation(verdict.p_value or 0.0),
    }


def _in_all(verdict: Verdict, metric: MetricReport, effect: Effect) -> list[str]:
    scale = _scale(metric)
    each = _unit(metric) % {"n": _signed(effect.absolute * scale, _digits(effect.absolute * scale))}
    sentences = [_("For each customer that is %(each)s.") % {"each": each}]
    if total := verdict.incremental:
        sentences.append(
            _("Over all customers of this variant that makes %(total)s in all, between %(low)s and %(high)s.")
            % {"total": _signed(total.value), "low": _bound(total.ci[0]), "high": _bound(total.ci[1])}
        )
    return sentences


def _unit(metric: MetricReport) -> str:
    return _("%(n)s percentage points") if metric.is_share else "%(n)s"


def _scale(metric: MetricReport) -> float:
    return 100.0 if metric.is_share else 1.0


def _digits(*values: float | None, fewest: int = 2) -> int:
    """More than the fewest where those would show one of the values as 0."""
    least = min((abs(value) for value in values if value), default=1.0)
    return next((digits for digits in range(fewest, 6) if round(least, digits)), 6)


def _signed(value: float, digits: int = 2) -> str:
    text = formats.number_format(round(abs(value), digits), digits, force_grouping=True)
    return f"+{text}" if value > 0 else f"−{text}" if value < 0 else text


def _bound(value: float | None, digits: int = 2, unit: str = "%(n)s") -> str:
    return _("no limit") if value is None else unit % {"n": _signed(value, digits)}


def p_equation(value: float) -> str:
    # Rounded up to .05, a value just below would seem to contradict the verdict.
    return "p < 0.0001" if value < 0.0001 else f"p = {value:.4f}"


def _date(at: datetime) -> str:
    return formats.date_format(timezone.localtime(at), "DATETIME_FORMAT")


def withheld_sentence() -> str:
    return _(
        "Too few customers stand behind these numbers to show them to whoever may not see personal data."
    )
