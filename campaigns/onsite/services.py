"""Writes: offers are drafted, go live as an experiment, pause and end."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from campaigns.item_choice import DEFAULT_COUNT, MAX_COUNT, wrong_count
from campaigns.onsite.errors import InvalidOffer, OfferState
from campaigns.onsite.features import MAX_NAMES
from campaigns.onsite.models import Offer, OfferContent, OfferStatus, Order, Placement
from experiments.models import Metric
from experiments.services import VariantSpec, create_experiment, end_experiment, start_experiment
from experiments.sums.outcomes import is_one_number
from personalization.access.models import User
from personalization.access.services import audit
from personalization.content.fragments import check_fragment
from personalization.customers.declared import rules_of
from personalization.segments.models import Segment
from recommender.ranking.rules import Rules

KEY = re.compile(r"[a-z0-9][a-z0-9_-]{0,49}")
MAX_CONTENTS = 10
MAX_SHARE = 0.9


@dataclass(frozen=True)
class ContentDraft:
    key: str
    body: str
    name: str = ""
    weight: float = 1.0
    item_count: int = DEFAULT_COUNT
    rules: Rules = field(default_factory=Rules)


@dataclass(frozen=True)
class OfferDraft:
    placement: Placement
    name: str
    contents: Sequence[ContentDraft]
    segment: Segment | None = None
    priority: int = 100
    value: Decimal = Decimal(1)
    control_share: float = 0.1
    max_views: int | None = None
    view_days: int = 7
    starts_at: datetime | None = None
    ends_at: datetime | None = None


def save_placement(
    placement: Placement | None, *, key: str, name: str, fallback: str, order: str, actor: str,
    metric: Metric | None = None, tells_apart: Sequence[str] = (),
) -> Placement:  # fmt: skip
    """Raises InvalidOffer; the key of a placement that exists stays."""
    errors = []
    if placement is None and (not KEY.fullmatch(key) or Placement.objects.filter(key=key).exists()):
        errors.append(_problem("/key", _("A key has small letters, digits, - and _, and is not taken yet.")))
    if not 0 < len(name.strip()) <= 200:
        errors.append(_problem("/name", _("Give it a name of 1 to 200 characters.")))
    errors += [_problem("/fallback", one.message) for one in check_fragment(fallback)]
    if "{{" in fallback or "{%" in fallback:
        errors.append(_problem("/fallback", _("The default content is the same for everybody: no Liquid.")))
    if order == Order.INCREMENTAL and (metric is None or not is_one_number(metric)):
        detail = _("Choose what counts as earned: a metric that is one number per customer.")
        errors.append(_problem("/metric", detail))
    errors += [_problem("/tells_apart", detail) for detail in _wrong_names(tells_apart)]
    if errors:
        raise InvalidOffer(_("Correct the marked fields and try again."), errors=errors)
    with transaction.atomic():
        placement = placement or Placement(key=key)
        placement.name, placement.fallback, placement.order = name.strip(), fallback, order
        placement.tells_apart = list(dict.fromkeys(tells_apart))
        if placement.metric != metric:
            placement.metric = metric
            # What was earned in another currency is no evidence in this one.
            Offer.objects.filter(placement=placement.pk).update(outcomes={})
        placement.save()
        audit(actor, "placement.saved", f"placement:{placement.key}")
    return placement


def _wrong_names(names: Sequence[str]) -> list[str]:
    if len(names) > MAX_NAMES or not all(0 < len(name) <= 100 and "\0" not in name for name in names):
        return [_("Name at most %(n)s, each with 1 to 100 characters.") % {"n": MAX_NAMES}]
    sealed = [name for name, rule in rules_of(names).items() if rule.is_encrypted]
    text = _("What tells customers apart is written into events: %(name)s is encrypted and must not be.")
    return [text % {"name": name} for name in sealed]


def save_offer(offer: Offer | None, draft: OfferDraft, *, by: User | None, actor: str) -> Offer:
    """A draft or a paused offer; of one that was live, its variants keep their keys and shares. Raises
    InvalidOffer, OfferState.
    """
    _check(draft)
    with transaction.atomic():
        if offer is None:
            offer = Offer(placement=draft.placement, created_by=by)
        else:
            offer = _locked(offer)
            _must_be(offer, OfferStatus.DRAFT, OfferStatus.PAUSED)
            if offer.experiment is not None:
                _must_keep_variants(offer, draft)
        for name in ("name", "segment", "priority", "value", "control_share", "max_views", "view_days",
                     "starts_at", "ends_at"):  # fmt: skip
            setattr(offer, name, getattr(draft, name))
        offer.save()
        offer.contents.all().delete()
        OfferContent.objects.bulk_create(
            OfferContent(
                offer=offer, key=one.key, name=one.name, position=place, weight=one.weight, body=one.body,
                item_count=one.item_count, rules=one.rules.as_json(),
            )
            for place, one in enumerate(draft.contents)
        )  # fmt: skip
        audit(actor, "offer.saved", f"offer:{offer.pk}")
    return offer


def start_offer(offer: Offer, *, at: datetime, actor: str) -> Offer:
    """Live from now on, within its dates. The first start makes its experiment. Raises OfferState."""
    with transaction.atomic():
        offer = _locked(offer)
        _must_be(offer, OfferStatus.DRAFT, OfferStatus.PAUSED)
        if offer.ends_at is not None and offer.ends_at <= at:
            raise OfferState(_("Its last day has passed: choose a later one first."))
        if offer.placement.order == Order.INCREMENTAL and not offer.control_share:
            raise OfferState(_("Give it a control share: without one nobody can tell what it earns."))
        offer.segment_version = offer.segment.current if offer.segment is not None else None
        if offer.experiment is None:
            offer.experiment = create_experiment(
                key=f"offer-{offer.pk}", name=offer.name, variants=_variants(offer)
            )
            start_experiment(offer.experiment, at=at)
        offer.status = OfferStatus.LIVE
        offer.save()
        audit(actor, "offer.started", f"offer:{offer.pk}")
    return offer


def pause_offer(offer: Offer, *, actor: str) -> Offer:
    """Nobody is shown it any more after a few seconds; what was measured stays. Raises OfferState."""
    with transaction.atomic():
        offer = _locked(offer)
        _must_be(offer, OfferStatus.LIVE)
        offer.status = OfferStatus.PAUSED
        offer.save(update_fields=["status", "updated_at"])
        audit(actor, "offer.paused", f"offer:{offer.pk}")
    return offer


def end_offer(offer: Offer, *, at: datetime, actor: str) -> Offer:
    """For good: its experiment ends too. Ending twice changes nothing."""
    with transaction.atomic():
        offer = _locked(offer)
        if offer.status != OfferStatus.ENDED:
            offer.status = OfferStatus.ENDED
            offer.save(update_fields=["status", "updated_at"])
            if offer.experiment is not None:
                end_experiment(offer.experiment, at=at)
            audit(actor, "offer.ended", f"offer:{offer.pk}")
    return offer


def _variants(offer: Offer) -> list[VariantSpec]:
    contents = list(offer.contents.order_by("position"))
    total = sum(one.weight for one in contents)
    shown = 1 - offer.control_share
    specs = [VariantSpec(one.key, one.name or one.key, shown * one.weight / total) for one in contents]
    if offer.control_share > 0:
        specs.insert(0, VariantSpec("control", _("Default content"), offer.control_share, is_control=True))
    return specs


def _check(draft: OfferDraft) -> None:
    errors: list[dict[str, str]] = []
    if not 0 < len(draft.name.strip()) <= 200:
        errors.append(_problem("/name", _("Give it a name of 1 to 200 characters.")))
    if not 0 <= draft.control_share <= MAX_SHARE:
        errors.append(_problem("/control_share", _("The control share lies between 0 and 0.9.")))
    if draft.starts_at is not None and draft.ends_at is not None and draft.ends_at <= draft.starts_at:
        errors.append(_problem("/ends_at", _("It ends before it begins.")))
    if not 1 <= len(draft.contents) <= MAX_CONTENTS:
        errors.append(_problem("/contents", _("An offer has 1 to %(n)s variants.") % {"n": MAX_CONTENTS}))
    seen: set[str] = set()
    for place, one in enumerate(draft.contents):
        errors += _check_content(one, f"/contents/{place}", taken=seen)
        seen.add(one.key)
    if errors:
        raise InvalidOffer(_("Correct the marked fields and try again."), errors=errors)


def _check_content(one: ContentDraft, where: str, *, taken: set[str]) -> list[dict[str, str]]:
    errors = []
    if not KEY.fullmatch(one.key) or one.key == "control" or one.key in taken:
        detail = _("A key has small letters, digits, - and _, and is used once; “control” is taken.")
        errors.append(_problem(f"{where}/key", detail))
    if not 0 < one.weight < 1e6:
        errors.append(_problem(f"{where}/weight", _("A weight is greater than 0.")))
    if not 1 <= one.item_count <= MAX_COUNT:
        errors.append(_problem(f"{where}/item_count", wrong_count()))
    if not one.body.strip():
        errors.append(_problem(f"{where}/body", _("There is nothing to show.")))
    for found in check_fragment(one.body):
        line = _("line %(n)s: ") % {"n": found.line} if found.line else ""
        errors.append(_problem(f"{where}/body", f"{line}{found.message}"))
    return errors


def _must_keep_variants(offer: Offer, draft: OfferDraft) -> None:
    assert offer.experiment is not None
    kept = {one.key for one in offer.experiment.variants.filter(is_control=False)}
    if {one.key for one in draft.contents} != kept:
        raise OfferState(_("Its test has begun: variants can be reworded, but none added or taken away."))
    if draft.control_share != offer.control_share:
        raise OfferState(_("Its test has begun: the control group stays as it is."))


def _locked(offer: Offer) -> Offer:
    return Offer.objects.select_for_update(of=("self",)).get(pk=offer.pk)


def _must_be(offer: Offer, *statuses: Any) -> None:
    if offer.status not in statuses:
        raise OfferState(_("It is %(status)s.") % {"status": offer.get_status_display()})


def _problem(pointer: str, detail: object) -> dict[str, str]:
    return {"pointer": pointer, "detail": str(detail)}
