"""What to do about a report, for who knows no statistics. Where a plan decides, it says so itself."""

from collections.abc import Iterator

from django.utils import formats, timezone
from django.utils.translation import gettext as _

from campaigns.reports.words import effect_text
from experiments.reports.report import Comparison, Finding, MetricReport, Report
from experiments.stats import Standing


def advice(report: Report) -> list[str]:
    """Sentences, the one to act on first; empty when the first sentence of the report says all."""
    verdict, metric = report.verdict, report.primary
    if metric is None or not verdict.variant or not verdict.baseline or verdict.effect is None:
        return []
    names = {
        "variant": report.variant(verdict.variant).name,
        "baseline": report.variant(verdict.baseline).name,
        "metric": metric.name,
    }
    if verdict.is_preliminary and metric.complete_at:
        until = formats.date_format(timezone.localtime(metric.complete_at), "DATETIME_FORMAT")
        return [
            _(
                "What to do: wait. Customers can still act until %(until)s, and who decides early because it "
                "looks good is wrong more often."
            )
            % {"until": until}
        ]
    return [_what_to_do(report, names), *_others(report, metric)]


def _what_to_do(report: Report, names: dict[str, str]) -> str:
    verdict = report.verdict
    if verdict.finding is Finding.UNCLEAR:
        return (
            _(
                "What to do: nothing speaks for “%(variant)s” or against it. Keep “%(baseline)s”, or test "
                "with more customers."
            )
            % names
        )
    if not verdict.is_good:
        return _("What to do: do not use “%(variant)s”; “%(baseline)s” did better.") % names
    if harmed := _harmed(report):
        return _("What to do: do not use “%(variant)s” as it is: it did harm to “%(guardrail)s”.") % {
            **names,
            "guardrail": harmed,
        }
    return _("What to do: use “%(variant)s” rather than “%(baseline)s”.") % names


def _harmed(report: Report) -> str:
    return next(
        (
            metric.name
            for metric in report.metrics
            for one in metric.comparisons
            if one.variant == report.verdict.variant
            and one.guardrail
            and one.guardrail.standing is Standing.INFERIOR
        ),
        "",
    )


def _others(report: Report, metric: MetricReport) -> Iterator[str]:
    """What else is known of the primary metric: variants that differ from the baseline as well."""
    for one in metric.comparisons:
        effect = one.decisive
        if one.variant == report.verdict.variant or effect is None or not _is_found(one, report.alpha):
            continue
        sentence = (
            _("“%(variant)s” raised it too, by %(size)s.")
            if effect.absolute > 0
            else _("“%(variant)s” lowered it, by %(size)s.")
        )
        size = effect_text(metric, effect).lstrip("+−")
        yield sentence % {"variant": report.variant(one.variant).name, "size": size}


def _is_found(comparison: Comparison, alpha: float) -> bool:
    return comparison.decisive_p_value is not None and comparison.decisive_p_value < alpha
