"""From a call of the decide API to its answer, in time: the decision, or the default content without one."""

import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.utils import timezone

from campaigns.onsite import showing
from campaigns.onsite.admission import admit
from campaigns.onsite.deadline import Deadline, NotInTime
from campaigns.onsite.deciding import CHOSEN, CONTROL, Decision, decide
from campaigns.onsite.live import Live, last_known, live
from campaigns.onsite.refreshing import Refresher
from campaigns.onsite.visitors import Visitor, find_visitor
from personalization.catalog.selectors import ids_by_external
from personalization.context import Context, as_values
from personalization.customers.contexts import context_of
from recommender.inputs.moment import Moment

UNAVAILABLE = "unavailable"
# Longer than any of its queries may take.
CLOSING_SECONDS = 2.0
_deadline = Deadline()
refresher = Refresher()


@dataclass(frozen=True)
class Question:
    """`customer_id` only with a secret key: with a public one anybody could ask as anybody. `is_seen`: what
    is chosen counts as seen at once; otherwise when its token is reported. `is_private`: the visitor wants
    to be nobody, so nothing is looked up and nothing is kept.
    """

    placements: Sequence[str]
    customer_id: str = ""
    anonymous_id: str = ""
    context: Mapping[str, Any] = field(default_factory=dict)
    is_seen: bool = True
    is_private: bool = False


def answer(token: str | None, questions: Sequence[Question]) -> list[dict[str, Any]]:
    """One answer per question. Raises NotAllowed and LacksScope; whatever else fails or is slow gives the
    default content, with the reason "unavailable".
    """
    now = timezone.now()
    refresher.note_question()
    try:
        answers, _ = _deadline.run(
            lambda: _answer(token, questions, now), then=lambda found: showing.note(found[1])
        )
    except NotInTime:
        return [{"placements": [_unavailable(key) for key in one.placements]} for one in questions]
    return answers


def as_body(answers: Sequence[dict[str, Any]], *, is_batch: bool) -> dict[str, Any]:
    return {"placements": [], "batch": answers} if is_batch else answers[0]


def in_all_threads(work: Callable[[], object], *, seconds: float) -> None:
    """`work` in each thread that decides, which is then connected."""
    _deadline.in_all_threads(work, seconds=seconds)


def close() -> None:
    """At the end of a process: what was shown last is noted first."""
    _deadline.close(seconds=CLOSING_SECONDS)


def _answer(
    token: str | None, questions: Sequence[Question], now: datetime
) -> tuple[list[dict[str, Any]], list[showing.Report]]:
    """The answers, and what is to be noted once they are given."""
    admitted = admit(token)
    known = live()
    answers: list[dict[str, Any]] = []
    reports: list[showing.Report] = []
    for one in questions:
        visitor = _visitor(one, known, is_public=admitted.is_public)
        situation = context_of(dict(visitor.profile), at=now, raw=one.context)
        made = decide(
            visitor, one.placements, known=known, moment=_moment(situation), now=now,
            details=as_values(situation),
        )  # fmt: skip
        tokens = [_token(found, visitor, now) for found in made]
        if one.is_seen and not one.is_private and not admitted.is_test:
            reports += [
                showing.Report(showing.SEEN, token, now, visitor.anonymous_id, situation.device.kind)
                for token in tokens
                if token and visitor.hashed
            ]
        answers.append(
            {"placements": [_body(found, token) for found, token in zip(made, tokens, strict=True)]}
        )
    return answers, reports


def _visitor(one: Question, known: Live, *, is_public: bool) -> Visitor:
    if one.is_private:
        return Visitor()
    return find_visitor(
        customer_id="" if is_public else one.customer_id, anonymous_id=one.anonymous_id,
        experiments=known.experiments(one.placements),
    )  # fmt: skip


def _moment(situation: Context) -> Moment:
    named = {line.item for line in situation.cart} | ({situation.item} if situation.item else set())
    return Moment.of(situation, item_ids=ids_by_external(named) if named else {})


def _token(found: Decision, visitor: Visitor, now: datetime) -> str:
    """Empty where nothing was chosen. The control group's default content counts as seen, too."""
    if found.offer is None or found.reason not in (CHOSEN, CONTROL):
        return ""
    place = next(i for i, (_, key, _) in enumerate(found.offer.variants) if key == found.variant)
    shown = showing.Shown(
        found.offer.pk,
        place,
        visitor.pk or 0,
        int(now.timestamp() * 1000),
        secrets.token_bytes(8),
        found.propensity or 0.0,
    )
    return showing.sign(shown)


def _body(found: Decision, token: str) -> dict[str, Any]:
    offer = found.offer
    return {
        "placement": found.placement,
        "content": found.content,
        "reason": found.reason,
        "offer": offer.pk if offer else None,
        "offer_name": offer.name if offer else "",
        "experiment": offer.experiment if offer else None,
        "variant": found.variant or None,
        "propensity": found.propensity,
        "items": [
            {"item": one["external_id"], "name": one["name"], "reason": one["reason"]} for one in found.items
        ],
        "passed_over": [{"offer": pk, "reason": why} for pk, why in found.trail],
        "ranking": [
            {
                "offer": one.offer_id,
                "basis": one.basis,
                "value": one.value,
                "low": one.low,
                "high": one.high,
                "customers": one.customers,
                "chance": one.chance,
                "because": [{"what": why.label, "adds": why.adds} for why in one.because],
            }
            for one in found.ranking
        ],
        "token": token,
    }


def _unavailable(key: str) -> dict[str, Any]:
    placement = last_known().placements.get(key)
    return _body(Decision(key, placement.fallback if placement else "", UNAVAILABLE), "")
