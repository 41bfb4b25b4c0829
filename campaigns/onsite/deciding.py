"""What one visitor gets in each placement, and why. Reads only: `showing` writes down what was shown."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import structlog
from django.db.models import Count, Q

from campaigns.item_choice import ItemChoice
from campaigns.items.picks import Pick, pick, pick_items, pictures_for
from campaigns.onsite import item_texts
from campaigns.onsite.features import Seen, seen_as
from campaigns.onsite.learning import choose
from campaigns.onsite.live import Live, LiveOffer, LivePlacement
from campaigns.onsite.models import Order
from campaigns.onsite.next_best import Ranked, rank
from campaigns.onsite.visitors import Visitor
from experiments.assignment import NOWHERE
from personalization.content.errors import RenderError
from personalization.content.remembering import FRAGMENTS
from personalization.events.models import Event
from personalization.segments import selectors as segments
from recommender import selectors as recommender

# A page may take the stock of a second ago.
CATALOG_SECONDS = 1.0
log = structlog.get_logger(__name__)
# Why a visitor gets what they get.
CHOSEN, CONTROL, HOLDOUT, NOTHING_FITS, NOTHING_IS_BETTER, UNKNOWN_PLACEMENT = (
    "chosen", "control", "holdout", "nothing_fits", "nothing_is_better", "unknown_placement",
)  # fmt: skip


@dataclass(frozen=True)
class Decision:
    """`propensity`: the chance of this content for this visitor, of the offers that fit and of the variant;
    None where nothing was drawn. `trail` says of each offer that came before why it was passed over,
    `ranking` of a list of next best actions what each is worth.
    """

    placement: str
    content: str
    reason: str
    offer: LiveOffer | None = None
    variant: str = ""
    propensity: float | None = None
    items: list[dict[str, Any]] = field(default_factory=list)
    trail: list[tuple[int, str]] = field(default_factory=list)
    ranking: list[Ranked] = field(default_factory=list)


@dataclass(frozen=True)
class _Facts:
    """What the offers of this call need to know of the visitor, read once."""

    is_held_out: bool
    stored: Mapping[int, int]  # experiment → variant
    outside: frozenset[int]  # segment versions the visitor is not in
    views: Mapping[int, int]


def decide(
    visitor: Visitor,
    placements: Sequence[str],
    *,
    known: Live,
    moment: recommender.Moment,
    now: datetime,
    details: Mapping[str, Any] | None = None,
) -> list[Decision]:
    """One decision per placement, in the order asked. `details` is what templates see as `context`."""
    open_offers = {
        key: [one for one in known.placements[key].offers if one.is_open(now)]
        for key in placements
        if key in known.placements
    }
    facts = _facts(visitor, [one for found in open_offers.values() for one in found], known, now)
    answer = []
    for key in placements:
        if key not in known.placements:
            answer.append(Decision(key, "", UNKNOWN_PLACEMENT))
            continue
        found = _decide_one(known.placements[key], open_offers[key], visitor, facts, now, details or {})
        answer.append(_with_content(found, known.placements[key], visitor, moment, now, details or {}))
    return answer


def _facts(visitor: Visitor, offers: Sequence[LiveOffer], known: Live, now: datetime) -> _Facts:
    outside = not all(one.lets_through(visitor.hashed) for one in known.holdouts) if visitor.hashed else False
    versions = {one.segment.pk: one.segment for one in offers if one.segment is not None}
    if visitor.pk is None or not offers:
        return _Facts(outside, {}, frozenset(versions), {})
    outside = outside or visitor.is_held_out
    not_in = versions.keys() - segments.memberships(visitor.pk, list(versions.values()), now=now)
    return _Facts(outside, visitor.stored, frozenset(not_in), _views(visitor.pk, offers, now))


def _views(customer_id: int, offers: Sequence[LiveOffer], now: datetime) -> dict[int, int]:
    """How often this customer saw each offer that has a limit, within its days."""
    limited = [one for one in offers if one.max_views is not None]
    if not limited:
        return {}
    since = now - timedelta(days=max(one.view_days for one in limited))
    events = Event.objects.filter(customer=customer_id, name="Message Opened", occurred_at__gt=since)
    seen = events.aggregate(
        **{
            str(one.pk): Count(
                "customer",
                filter=Q(properties__offer=str(one.pk), occurred_at__gt=now - timedelta(days=one.view_days)),
            )
            for one in limited
        }
    )
    return {one.pk: seen[str(one.pk)] for one in limited}


def _decide_one(
    placement: LivePlacement, offers: Sequence[LiveOffer], visitor: Visitor, facts: _Facts, now: datetime,
    details: Mapping[str, Any],
) -> Decision:  # fmt: skip
    if facts.is_held_out:
        return Decision(placement.key, placement.fallback, HOLDOUT)
    trail: list[tuple[int, str]] = []
    fitting = []
    for offer in offers:
        index, why = _variant_index(offer, visitor, facts)
        if why:
            trail.append((offer.pk, why))
        else:
            fitting.append((offer, index))
    if not fitting:
        return Decision(placement.key, placement.fallback, NOTHING_FITS, trail=trail)
    seed = f"{placement.key}:{now:%Y-%m-%d}"
    if placement.order == Order.INCREMENTAL:
        seen = seen_as(visitor.profile, details, placement.tells_apart)
        return _next_best(placement, fitting, trail, seed=seed, person=visitor.hashed, seen=seen)
    chance = 1.0
    if placement.order == Order.LEARNED:
        # A day has one draw, so that a page that is loaded again looks the same.
        order, chance = choose([offer.arm for offer, _ in fitting], seed=seed, person=visitor.hashed)
        fitting.sort(key=lambda pair: order.index(pair[0].pk))
    offer, index = fitting[0]
    trail += [(other.pk, "less_priority") for other, _ in fitting[1:]]
    _, key, is_control = offer.variants[index]
    chance *= offer.rule.chance(index)
    reason = CONTROL if is_control else CHOSEN
    return Decision(placement.key, placement.fallback, reason, offer, key, chance, trail=trail)


def _next_best(
    placement: LivePlacement, fitting: Sequence[tuple[LiveOffer, int]], trail: list[tuple[int, str]],
    *, seed: str, person: str, seen: Seen,
) -> Decision:  # fmt: skip
    models = {offer.pk: offer.tailored for offer, _ in fitting if offer.tailored and placement.tells_apart}
    drawn, chance, ranking = rank(
        {o.pk: models[o.pk].at(seen) if o.pk in models else o.gain for o, _ in fitting},
        seed=seed, person=person,
    )  # fmt: skip
    ranking = [
        replace(one, because=tuple(models[one.offer_id].reasons(seen))) if one.offer_id in models else one
        for one in ranking
    ]
    trail += [(one.offer_id, "less_value") for one in ranking if one.offer_id != drawn]
    found = next(((offer, index) for offer, index in fitting if offer.pk == drawn), None)
    if found is None:
        return Decision(
            placement.key, placement.fallback, NOTHING_IS_BETTER, propensity=chance, trail=trail,
            ranking=ranking,
        )  # fmt: skip
    offer, index = found
    _, key, is_control = offer.variants[index]
    reason = CONTROL if is_control else CHOSEN
    return Decision(
        placement.key, placement.fallback, reason, offer, key, chance * offer.rule.chance(index),
        trail=trail, ranking=ranking,
    )  # fmt: skip


def _variant_index(offer: LiveOffer, visitor: Visitor, facts: _Facts) -> tuple[int, str]:
    """The variant's index, or why the offer is passed over."""
    if offer.segment is not None and offer.segment.pk in facts.outside:
        return NOWHERE, "not_in_segment"
    if offer.max_views is not None and facts.views.get(offer.pk, 0) >= offer.max_views:
        return NOWHERE, "seen_often"
    stored = facts.stored.get(offer.experiment_id)
    if stored is not None:
        index = next((i for i, (pk, *_) in enumerate(offer.variants) if pk == stored), NOWHERE)
    elif visitor.hashed:
        index = offer.rule.choose(visitor.hashed)
    else:  # nobody in particular: the first content, outside of the experiment
        index = next((i for i in sorted(offer.contents)), NOWHERE)
    if index == NOWHERE:
        return NOWHERE, "not_covered"
    if not offer.variants[index][2] and index not in offer.contents:
        return NOWHERE, "broken"
    return index, ""


def _with_content(
    found: Decision, placement: LivePlacement, visitor: Visitor, moment: recommender.Moment, now: datetime,
    details: Mapping[str, Any],
) -> Decision:  # fmt: skip
    """A template that fails for this visitor gives the default content, never half a page."""
    if found.offer is None or found.reason != CHOSEN:
        return found
    index = next(i for i, (_, key, _) in enumerate(found.offer.variants) if key == found.variant)
    content = found.offer.contents[index]
    items: list[dict[str, Any]] = []
    if content.choice is not None:
        items = _items(visitor, content.choice, moment)
    context = {
        "customer": visitor.profile, "items": items, "now": now, "context": details,
        "campaign": {"name": found.offer.name, "topic": "", "placement": placement.key},
        FRAGMENTS: item_texts.fragments(),
    }  # fmt: skip
    try:
        html = content.template.render(context)
    except RenderError as error:
        log.warning("offer_failed", offer=found.offer.pk, variant=content.key, error=str(error)[:200])
        trail = [*found.trail, (found.offer.pk, "template_failed")]
        return Decision(placement.key, placement.fallback, NOTHING_FITS, trail=trail)
    return replace(found, content=html, items=items)


def _items(visitor: Visitor, choice: ItemChoice, moment: recommender.Moment) -> list[dict[str, Any]]:
    if visitor.pk is None:
        found = recommender.recommend_popular(
            k=choice.count, rules=choice.rules, context=moment, max_age=CATALOG_SECONDS
        )
        picks: list[Pick] = [pick(one) for one in found]
    else:
        picks = pick_items({visitor.pk: choice}, context=moment, max_age=CATALOG_SECONDS)[visitor.pk]
    language = str(visitor.profile.get("language") or "")
    pictures = pictures_for({visitor.pk: picks}).get(visitor.pk) if visitor.pk is not None else None
    return item_texts.texts_of(picks, language, pictures)
