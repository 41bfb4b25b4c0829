"""What a reader must hear before any number: guards that speak up in plain words, or are silent."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

from django.utils.translation import gettext as _

from experiments.reports.report import Comparison, MetricReport, Report
from experiments.stats import Standing, Trend

STALE = timedelta(days=2)


@dataclass(frozen=True)
class Notice:
    """`tone` is "bad" (do not trust, or harm) or "warn" (be careful). `kind` names the guard."""

    kind: str
    tone: str
    text: str
    metric: str | None = None
    variant: str | None = None


def notices(report: Report) -> list[Notice]:
    """The gravest first."""
    found = [*_about_groups(report), *_about_freshness(report)]
    for metric in report.metrics:
        for comparison in metric.comparisons:
            found += _about_comparison(report, metric, comparison)
        found += _about_few(report, metric)
    return sorted(found, key=lambda notice: notice.tone != "bad")


def _about_groups(report: Report) -> Iterator[Notice]:
    if report.sample_ratio and report.sample_ratio.mismatch:
        yield Notice(
            "sample_ratio_assigned",
            "bad",
            _("The groups are not as large as planned: something other than chance decided who is in which."),
        )
    texts = {
        "sent": _(
            "Messages were not handed over evenly to the variants: some were held back more than others."
        ),
        "delivered": _("One variant arrived less often than another: mail servers refused it more."),
    }
    for name, ratio in report.stages.items():
        if ratio and ratio.mismatch:
            yield Notice(f"sample_ratio_{name}", "bad", texts.get(name, name))
    if report.seen_twice and report.seen_twice.share > 0:
        yield Notice(
            "seen_in_several_variants",
            "bad" if report.seen_twice.excessive else "warn",
            _(
                "%(share)s %% of the customers were shown a variant that was not theirs; they count for "
                "their own."
            )
            % {"share": f"{report.seen_twice.share * 100:.2g}"},
        )


def _about_freshness(report: Report) -> Iterator[Notice]:
    primary = report.primary
    if primary is not None and report.unknown_event:
        text = _(
            "No event “%(event)s” has ever come in, and “%(metric)s” counts nothing else. Let the shop send "
            "it, or make a metric of an event that it does send."
        )
        names = {"event": report.unknown_event, "metric": primary.name}
        yield Notice("unknown_event", "bad", text % names, primary.key)
        return
    is_open = primary is not None and primary.complete_at is not None and report.as_of < primary.complete_at
    if not is_open or report.started_at is None or report.as_of - report.started_at < STALE:
        return
    if report.last_event_at is None or report.as_of - report.last_event_at > STALE:
        yield Notice(
            "stale_data",
            "bad",
            _("No event that counts here has come in for two days. Is the shop still sending its events?"),
        )


def _about_comparison(report: Report, metric: MetricReport, comparison: Comparison) -> Iterator[Notice]:
    names = {"metric": metric.name, "variant": report.variant(comparison.variant).name}

    def notice(kind: str, tone: str, text: str) -> Notice:
        return Notice(kind, tone, text % names, metric.key, comparison.variant)

    if comparison.denominator and comparison.denominator.moved:
        yield notice(
            "denominator",
            "bad",
            _("“%(metric)s” cannot decide about “%(variant)s”: the message changed what it divides by."),
        )
    if comparison.guardrail and comparison.guardrail.standing is Standing.INFERIOR:
        yield notice(
            "guardrail",
            "bad",
            _("“%(variant)s” does harm: “%(metric)s” became worse by more than you said you would accept."),
        )
    if not metric.is_primary:
        return
    if comparison.novelty and comparison.novelty.trend is Trend.FADING:
        yield notice(
            "novelty",
            "warn",
            _("The effect of “%(variant)s” on “%(metric)s” shrinks from day to day: it may not last."),
        )


def _about_few(report: Report, metric: MetricReport) -> Iterator[Notice]:
    """One sentence for all variants that it is said of."""
    few = [one for one in metric.comparisons if one.effect and one.counts and not one.counts.enough]
    if not metric.is_primary or not few:
        return
    names = [_("“%(name)s”") % {"name": report.variant(one.variant).name} for one in few]
    text = _("Few customers did “%(metric)s” so far: the numbers of %(variants)s are rough.") % {
        "metric": metric.name,
        "variants": _(", ").join(names),
    }
    yield Notice("too_few", "warn", text, metric.key, few[0].variant if len(few) == 1 else None)
