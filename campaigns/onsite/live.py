"""What may be shown now, compiled, in the memory of this process: it outlives a database that is down."""

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from threading import Lock
from typing import Any

import structlog
from django.db.models import Prefetch, Q
from django.utils import timezone

from campaigns.item_choice import ItemChoice, stored_choice
from campaigns.onsite.learning import Arm
from campaigns.onsite.models import Offer, OfferContent, OfferStatus, Placement
from campaigns.onsite.next_best import gain_of
from campaigns.onsite.tailoring import Tailored, tailored_from
from experiments.assignment import Filter, Rule
from experiments.bandits.incremental import Gain
from experiments.models import Variant
from experiments.traffic.holdouts import global_filters
from experiments.traffic.rules import rule_of
from personalization.content.errors import TemplateError
from personalization.content.fragments import CompiledFragment, compile_fragment
from personalization.segments.models import SegmentVersion

log = structlog.get_logger(__name__)
SECONDS = 5.0


@dataclass(frozen=True)
class LiveContent:
    variant_id: int
    key: str
    template: CompiledFragment
    choice: ItemChoice | None  # of the items it shows; None when it shows none


@dataclass(frozen=True)
class LiveOffer:
    """`contents` by the variant's index in `rule`; the control and what cannot be compiled are missing."""

    pk: int
    name: str
    experiment_id: int
    experiment: str
    rule: Rule
    variants: tuple[tuple[int, str, bool], ...]  # id, key, is control
    contents: Mapping[int, LiveContent]
    segment: SegmentVersion | None
    starts_at: datetime | None
    ends_at: datetime | None
    max_views: int | None
    view_days: int
    arm: Arm
    gain: Gain | None = None
    tailored: Tailored | None = None

    def is_open(self, now: datetime) -> bool:
        return (self.starts_at is None or self.starts_at <= now) and (
            self.ends_at is None or now < self.ends_at
        )


@dataclass(frozen=True)
class LivePlacement:
    """`offers` by priority."""

    key: str
    fallback: str
    order: str
    offers: tuple[LiveOffer, ...]
    tells_apart: tuple[str, ...] = ()


@dataclass(frozen=True)
class Live:
    placements: Mapping[str, LivePlacement] = field(default_factory=dict)
    holdouts: tuple[Filter, ...] = ()
    loaded_at: float = float("-inf")  # monotonic

    def experiments(self, placements: Iterable[str]) -> set[int]:
        """Of the offers that compete there."""
        asked = (self.placements[key] for key in placements if key in self.placements)
        return {offer.experiment_id for one in asked for offer in one.offers}

    def is_fresh(self, max_age: float = SECONDS) -> bool:
        return time.monotonic() - self.loaded_at < max_age


_known = Live()
_lock = Lock()


def live() -> Live:
    """At most SECONDS old. One thread reads the new one; the others go on with what they have."""
    if _known.is_fresh():
        return _known
    refresh(max_age=SECONDS, waits=_known.loaded_at == float("-inf"))
    return _known


def refresh(*, max_age: float, waits: bool = False) -> None:
    """Reads anew what is older than that. Where somebody is doing so already: nothing, unless it `waits`."""
    global _known
    if not _known.is_fresh(max_age) and _lock.acquire(blocking=waits):
        try:
            if not _known.is_fresh(max_age):
                _known = load()
        finally:
            _lock.release()


def last_known() -> Live:
    """Without asking the database; empty in a process that has never read it."""
    return _known


def forget() -> None:
    """The next `live` reads anew."""
    global _known
    _known = Live()


def load() -> Live:
    contents = Prefetch("contents", OfferContent.objects.order_by("position"))
    variants = Prefetch("experiment__variants", Variant.objects.order_by("position"))
    offers = (
        Offer.objects.filter(Q(ends_at=None) | Q(ends_at__gt=timezone.now()), status=OfferStatus.LIVE)
        .select_related("experiment__layer", "segment_version")
        .prefetch_related(contents, variants)
        .order_by("priority", "pk")
    )
    by_placement: dict[int, list[LiveOffer]] = {}
    for offer in offers:
        by_placement.setdefault(offer.placement_id, []).append(_live_offer(offer))
    placements = {
        one.key: LivePlacement(
            one.key, one.fallback, one.order, tuple(by_placement.get(one.pk, ())), tuple(one.tells_apart)
        )
        for one in Placement.objects.filter(archived_at=None)
    }
    return Live(placements, tuple(global_filters()), time.monotonic())


def _live_offer(offer: Offer) -> LiveOffer:
    experiment = offer.experiment
    assert experiment is not None  # made when the offer went live
    variants = list(experiment.variants.all())
    places = {variant.key: index for index, variant in enumerate(variants)}
    contents: dict[int, LiveContent] = {}
    for content in offer.contents.all():
        try:
            template = _compile(content.body)
        except TemplateError as error:  # it was checked when it went live: a rule has become stricter
            log.error("offer_broken", offer=offer.pk, content=content.key, error=str(error)[:300])
            continue
        index = places[content.key]
        chosen = stored_choice(_stored(content)) if template.uses("items") else None
        contents[index] = LiveContent(variants[index].pk, content.key, template, chosen)
    return LiveOffer(
        offer.pk, offer.name, experiment.pk, experiment.key, rule_of(experiment, variants),
        tuple((variant.pk, variant.key, variant.is_control) for variant in variants),
        contents, offer.segment_version, offer.starts_at, offer.ends_at,
        offer.max_views, offer.view_days, Arm(offer.pk, offer.seen, offer.clicked, float(offer.value)),
        gain_of(offer), tailored_from(offer.outcomes),
    )  # fmt: skip


# The text decides alone: most of what is read anew was not changed.
_compile = lru_cache(maxsize=1_000)(compile_fragment)


def _stored(content: OfferContent) -> dict[str, Any]:
    return {"item_count": content.item_count, "rules": content.rules}
