"""Whom to mail, in one plain sentence that claims no more than the intervals do."""

from typing import Any

from django.utils.translation import gettext as _

from experiments.models import TargetingStudy
from experiments.uplift import Offer
from personalization.segments.describe import describe

Effect = dict[str, Any]


def targeting_sentence(study: TargetingStudy) -> str:
    """For page, API and command; empty before it is made."""
    document = study.document
    if document is None:
        return ""
    cost = document["cost"]
    if study.offer == Offer.NOBODY:
        return _nobody(document["everybody"], cost)
    judged = document[study.offer]
    facts = {"inside": _effect(judged["inside"]), "outside": _effect(judged["outside"])}
    if study.offer == Offer.MODEL:
        facts["share"] = f"{judged['share']:.0%}"
        return _("A model tells customers apart better than any single trait. For the %(share)s it puts "
                 "first a message brings %(inside)s per customer, for the others "
                 "%(outside)s.") % facts  # fmt: skip
    facts["rule"] = describe(document["rule"]["definition"]).rstrip(".")
    low, high = judged["outside"]["absolute_ci"]
    if high is not None and high <= cost:
        return _("Mail only these: “%(rule)s”. A message brings %(inside)s per customer there; for the "
                 "others it is not worth it: %(outside)s.") % facts  # fmt: skip
    if low is not None and low > cost:
        return _("Mail these first: “%(rule)s”. A message brings %(inside)s per customer there, and is worth "
                 "it for the others too: %(outside)s.") % facts  # fmt: skip
    return _("Mail these: “%(rule)s”. A message brings %(inside)s per customer there; whether it is worth it "
             "for the others we cannot tell: %(outside)s.") % facts  # fmt: skip


def subgroups_sentence(study: TargetingStudy) -> str:
    if study.document is None:
        return ""
    differing = [b["trait"] for b in study.document["subgroups"]["breakdowns"] if b["differs"]]
    if not differing:
        return _("There is no evidence that the effect differs between groups of customers.")
    return _("The effect differs by: %(traits)s.") % {"traits": ", ".join(differing)}


def _nobody(everybody: Effect | None, cost: float) -> str:
    if everybody is None:
        return _("Nobody stands out, and the effect over all customers cannot be computed.")
    facts = {"effect": _effect(everybody)}
    low, high = everybody["absolute_ci"]
    if low is not None and low > cost:
        return _("Nobody stands out: mail everybody. A message brings %(effect)s per customer.") % facts
    if high is not None and high <= cost:
        return _("Nobody stands out: mail nobody. A message brings %(effect)s per customer.") % facts
    return _("Nobody stands out: mail everybody or nobody. A message brings %(effect)s per customer, and "
             "whether that is worth it we cannot tell.") % facts  # fmt: skip


def _effect(effect: Effect) -> str:
    low, high = effect["absolute_ci"]
    return _("%(value)s (95 %% interval %(low)s to %(high)s)") % {
        "value": f"{effect['absolute']:+.4g}",
        "low": "…" if low is None else f"{low:+.4g}",
        "high": "…" if high is None else f"{high:+.4g}",
    }
