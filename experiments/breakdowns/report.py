"""Does the effect differ between groups of customers? Said with what the number of questions costs. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from experiments.stats import Effect, Obstacle, Statistic, adjust, obstacle, simultaneous
from experiments.uplift.subgroups import Heterogeneity, heterogeneity


@dataclass(frozen=True)
class GroupEffect:
    """One group. `effect` holds alone; `wide` and `p_value` hold for all groups, cuts and variants together,
    and never contradict each other. All are None for the reason in `obstacle`."""

    label: str
    control: Statistic
    treatment: Statistic
    effect: Effect | None
    wide: Effect | None
    p_value: float | None
    obstacle: Obstacle | None


@dataclass(frozen=True)
class CutReport:
    """One way of dividing, one variant. `p_value` is that of the test for a difference between the
    groups, over all such tests of the report; `differs` is None when it cannot be asked, and False only
    means that nothing speaks for a difference.
    """

    kind: str
    key: str
    name: str
    variant: str
    baseline: str
    groups: tuple[GroupEffect, ...]
    heterogeneity: Heterogeneity | None
    p_value: float | None
    differs: bool | None


@dataclass(frozen=True)
class Cut:
    """One way of dividing customers, "trait" or "segment": label → variant key → statistic; none for the
    reason in `problem`: "too_few", "not_words" (lists and objects) or "gone". `taken_now` customers have
    the value of today because nothing else is known of that time; `unknown_then` were changed since, and what
    they were before was not kept.
    """

    kind: str
    key: str
    name: str
    groups: Mapping[str, Mapping[str, Statistic]]
    problem: str = ""
    taken_now: int = 0
    unknown_then: int = 0


@dataclass(frozen=True)
class BreakdownReport:
    """`method`: "holm" (tests of a difference by Holm, groups by Bonferroni: any false claim below alpha)
    or "bh" (both by Benjamini and Hochberg: the share of false claims below alpha; intervals by Benjamini
    and Yekutieli). `left_out`: name and reason of cuts without groups. `is_planned`: chosen before the
    first assignment. `forgotten`: cuts in which the history does not tell all values of that time.
    """

    metric: str
    method: str
    alpha: float
    least: int
    is_planned: bool
    cells: int
    cuts: tuple[CutReport, ...]
    left_out: tuple[tuple[str, str], ...] = ()
    forgotten: tuple[Cut, ...] = ()

    @property
    def differing(self) -> tuple[CutReport, ...]:
        return tuple(cut for cut in self.cuts if cut.differs)


def compare_groups(
    cuts: Sequence[Cut], *, metric: str, baseline: str, variants: Sequence[str], method: str = "holm",
    least: int = 0, is_planned: bool = False, alpha: float = 0.05,
) -> BreakdownReport:  # fmt: skip
    """Each of `variants` (without the baseline) against the baseline in each group.

    Source: Cochran (1954), Biometrics 10; Holm (1979); Dunn (1961); Benjamini and Hochberg (1995);
    Benjamini and Yekutieli (2005).
    """
    asked = [(cut, variant) for cut in cuts if not cut.problem for variant in variants]
    pairs = {
        (place, label): (group[baseline], group[variant])
        for place, (cut, variant) in enumerate(asked)
        for label, group in cut.groups.items()
    }
    joint = simultaneous(
        list(pairs.values()), method="bonferroni" if method == "holm" else method, alpha=alpha
    )
    found = dict(zip(pairs, joint, strict=True))
    tests = [
        heterogeneity({label: pairs[place, label] for label in cut.groups})
        for place, (cut, _variant) in enumerate(asked)
    ]
    known = [test.p_value for test in tests if test]
    corrected = iter(adjust(known, method))
    reports = []
    for place, ((cut, variant), test) in enumerate(zip(asked, tests, strict=True)):
        groups = []
        for label in cut.groups:
            control, treatment = pairs[place, label]
            one = found[place, label]
            why = obstacle(control, treatment)
            if one is None:
                groups.append(GroupEffect(label, control, treatment, None, None, None, why))
            else:
                groups.append(GroupEffect(label, control, treatment, one.plain, one.wide, one.p_value, why))
        p_value = next(corrected) if test else None
        differs = None if p_value is None else p_value < alpha
        reports.append(
            CutReport(cut.kind, cut.key, cut.name, variant, baseline, tuple(groups), test, p_value, differs)
        )
    return BreakdownReport(
        metric, method, alpha, least, is_planned, sum(one is not None for one in joint), tuple(reports),
        tuple((cut.name, cut.problem) for cut in cuts if cut.problem),
        tuple(cut for cut in cuts if not cut.problem and (cut.taken_now or cut.unknown_then)),
    )  # fmt: skip
