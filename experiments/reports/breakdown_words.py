"""What the groups say, in plain words that claim no more than the tests do."""

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from experiments.breakdowns.breakdown import IN, OTHERS, OUT
from experiments.breakdowns.customer_groups import UNKNOWN
from experiments.breakdowns.report import BreakdownReport, Cut
from experiments.reports.report import Report


def breakdown_sentences(report: Report, found: BreakdownReport) -> list[str]:
    """The answer first, then how far it can be trusted."""
    if not found.cuts:
        return [_left_out(name, reason) for name, reason in found.left_out]
    sentences = [_answer(report, found), _method(found)]
    if found.differing and not found.is_planned:
        sentences.append(
            _(
                "The groups were chosen after the start: take this as a hint and test it anew before you "
                "rely on it."
            )
        )
    kinds = {cut.kind for cut in found.cuts}
    if "trait" in kinds:
        sentences.append(_("Traits are taken as they were when a customer was assigned."))
    if "segment" in kinds:
        sentences.append(_("Segments are taken as they were when a customer was assigned."))
    sentences += [text for cut in found.forgotten for text in _forgotten(cut)]
    return sentences + [_left_out(name, reason) for name, reason in found.left_out]


def label_text(kind: str, label: str) -> str:
    if kind == "segment":
        return _("in the segment") if label == IN else _("not in it") if label == OUT else label
    return {UNKNOWN: _("unknown"), OTHERS: _("all others")}.get(label, label)


def _answer(report: Report, found: BreakdownReport) -> str:
    if found.differing:
        where = ", ".join(
            _("“%(name)s” (%(variant)s)") % {"name": cut.name, "variant": report.variant(cut.variant).name}
            for cut in found.differing
        )
        return _("The effect differs between groups of %(where)s.") % {"where": where}
    if all(cut.differs is None for cut in found.cuts):
        return _("Whether the effect differs between groups cannot be computed yet.")
    return _(
        "We cannot tell whether the effect differs between these groups: nothing speaks for it. That does "
        "not mean it is the same everywhere."
    )


def _method(found: BreakdownReport) -> str:
    if found.method == "holm":
        text = ngettext(
            "%(n)s effect is asked for; the tests of a difference are corrected by Holm.",
            "%(n)s effects are asked for at once; intervals and p-values are widened so that all hold "
            "together (Bonferroni, and Holm for the tests of a difference).",
            found.cells,
        )
    else:
        text = ngettext(
            "%(n)s effect is asked for; of what is claimed at most 5 %% is false.",
            "%(n)s effects are asked for at once; of what is claimed at most 5 %% is false (Benjamini and "
            "Hochberg; intervals by Benjamini and Yekutieli).",
            found.cells,
        )
    return text % {"n": found.cells}


def _forgotten(cut: Cut) -> list[str]:
    if cut.kind == "segment":
        text = ngettext(
            "“%(name)s”: who was in it when %(n)s customer was assigned was not recorded; that one is taken "
            "as it is now. If the message can fill or empty the segment, these groups mislead.",
            "“%(name)s”: who was in it when %(n)s customers were assigned was not recorded; those are taken "
            "as they are now. If the message can fill or empty the segment, these groups mislead.",
            cut.taken_now,
        )
        return [text % {"name": cut.name, "n": cut.taken_now}]
    told = []
    if cut.taken_now:
        text = ngettext(
            "“%(name)s”: the history knows no change of %(n)s customer (a file may have set it at any time); "
            "that one is taken as it is now.",
            "“%(name)s”: the history knows no change of %(n)s customers (a file may have set them at any "
            "time); those are taken as they are now.",
            cut.taken_now,
        )
        told.append(text % {"name": cut.name, "n": cut.taken_now})
    if cut.unknown_then:
        text = ngettext(
            "“%(name)s”: it changed for %(n)s customer after the assignment, and what it was before was not "
            "kept; that one counts as unknown. If the message caused the change, these groups mislead.",
            "“%(name)s”: it changed for %(n)s customers after the assignment, and what it was before was not "
            "kept; those count as unknown. If the message caused the changes, these groups mislead.",
            cut.unknown_then,
        )
        told.append(text % {"name": cut.name, "n": cut.unknown_then})
    return told


def _left_out(name: str, reason: str) -> str:
    texts = {
        "too_few": _("“%(name)s” is not shown: it has no two groups that are large enough."),
        "not_words": _("“%(name)s” is not shown: it holds lists, which make no groups."),
        "gone": _("“%(name)s” is not shown: the segment is gone."),
    }
    return texts.get(reason, "%(name)s") % {"name": name}
