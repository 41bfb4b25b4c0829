"""A report for whoever may not see personal data: nothing in it speaks of fewer than `K_ANONYMITY` customers.

Not a rounding: what is left is exact. A metric of which any variant's number is about too few is left out as
a whole, for what is missing of one variant could be had from the others and the effect.
"""

from dataclasses import replace
from fractions import Fraction

from experiments.breakdowns.report import BreakdownReport, CutReport
from experiments.reports.report import Finding, MetricReport, Report, Verdict
from experiments.stats import Mean, Proportion, Ratio, Statistic
from experiments.stats.columns import Number
from experiments.stats.kinds import plain_of
from personalization.privacy.floor import is_reportable, round_down, smallest_cell


def floored(report: Report) -> Report:
    """The verdict is WITHHELD where the metric that decides is left out, and all of them are where a variant
    has too few customers."""
    tellable = all(is_reportable(variant.customers) for variant in report.variants)
    kept = tuple(_without_small_days(metric) for metric in report.metrics if tellable and _is_told(metric))
    primary = report.primary
    is_whole = len(kept) == len(report.metrics)
    withheld = bool(report.metrics) and (not tellable or (primary is not None and not _is_told(primary)))
    cuts = report.breakdown
    return replace(
        report,
        metrics=kept,
        variants=report.variants
        if tellable
        else tuple(replace(one, customers=round_down(one.customers)) for one in report.variants),
        sample_ratio=report.sample_ratio if tellable else None,
        # What did not arrive is what was sent less what arrived.
        stages={},
        stage_counts={
            name: [None if count is None else round_down(count) for count in counts]
            for name, counts in report.stage_counts.items()
        },
        seen_twice=report.seen_twice if is_reportable(report.seen_twice_customers) else None,
        seen_twice_customers=round_down(report.seen_twice_customers),
        verdict=Verdict(Finding.WITHHELD, metric=primary.key if primary else None)
        if withheld
        else report.verdict,
        breakdown=None if cuts is None or not is_whole else _breakdown(cuts),
        # Its days begin with the first few customers.
        allocation=None,
    )


def speaks_of_few(statistic: Statistic) -> bool:
    """Whether it is about fewer customers than the floor, or told by fewer: those who did it, those who did
    not, those whose sum it is.

    A sum of at least k customers' values has (Σx)² ≤ m·Σx² for the m of them that are not 0 (Cauchy and
    Schwarz): where the quotient is k, at least k had a part in it.
    """
    plain = plain_of(statistic)
    if not is_reportable(plain.n):
        return True
    if isinstance(plain, Proportion):
        return not (is_reportable(plain.successes) and is_reportable(plain.n - plain.successes))
    if isinstance(plain, Mean):
        return _is_of_few(plain.sum, plain.sum_squares)
    if isinstance(plain, Ratio):
        return _is_of_few(plain.num_sum, plain.num_sum_squares) or _is_of_few(
            plain.den_sum, plain.den_sum_squares
        )
    return False


def _is_of_few(total: Number, squares: Number) -> bool:
    whole, square = Fraction(total), Fraction(squares)
    return square > 0 and whole * whole < smallest_cell() * square


def _is_told(metric: MetricReport) -> bool:
    return not any(speaks_of_few(statistic) for statistic in metric.statistics.values())


def _without_small_days(metric: MetricReport) -> MetricReport:
    series = tuple(
        point
        for point in metric.series
        if point.statistics is not None and not any(map(speaks_of_few, point.statistics))
    )
    return replace(metric, series=series, daily={})


def _breakdown(found: BreakdownReport) -> BreakdownReport:
    small = {cut.key for cut in found.cuts if _has_small_group(cut)}
    return replace(
        found,
        cuts=tuple(cut for cut in found.cuts if cut.key not in small),
        left_out=(
            *found.left_out,
            *dict.fromkeys((cut.name, "too_few") for cut in found.cuts if cut.key in small),
        ),
        forgotten=tuple(
            cut for cut in found.forgotten if is_reportable(cut.taken_now) and is_reportable(cut.unknown_then)
        ),
    )


def _has_small_group(cut: CutReport) -> bool:
    return any(speaks_of_few(group.control) or speaks_of_few(group.treatment) for group in cut.groups)
