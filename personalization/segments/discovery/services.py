"""Writes about discoveries, and the segments that are made of what they found."""

import re
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from personalization.access.problems import ProblemError
from personalization.access.services import audit
from personalization.segments.discovery.naming import group_name
from personalization.segments.discovery_models import ACTIVE
from personalization.segments.models import (
    Discovery,
    DiscoveryKind,
    DiscoveryStatus,
    Segment,
    SegmentVersion,
)
from personalization.segments.services import save_segment
from personalization.traits.services import remove_values

MOST_DAYS = 365


class InvalidDiscovery(ProblemError):
    status = 422
    slug = "invalid-discovery"
    title = gettext_lazy("This cannot be looked for")

    @classmethod
    def at(cls, field: str, detail: str) -> "InvalidDiscovery":
        return cls(detail, errors=[{"pointer": f"/{field}", "detail": detail}])


class NotNow(ProblemError):
    status = 409
    slug = "discovery-not-now"
    title = gettext_lazy("This is not possible now")


@transaction.atomic
def create_discovery(
    *, name: str, kind: str, seed: Segment | None = None, purchase_event: str = "Order Completed",
    every_days: int = 7, actor: str,
) -> Discovery:  # fmt: skip
    """It waits for a worker from then on. `every_days` 0: only when asked. Raises InvalidDiscovery."""
    name, purchase_event = name.strip(), purchase_event.strip()
    if not 0 < len(name) <= 100 or "\0" in name:
        raise InvalidDiscovery.at("name", _("Give it a name of 1 to 100 characters."))
    if kind not in DiscoveryKind.values:
        raise InvalidDiscovery.at(
            "kind", _("One of: %(kinds)s.") % {"kinds": ", ".join(DiscoveryKind.values)}
        )
    if (seed is None) == (kind == DiscoveryKind.LOOKALIKES):
        raise InvalidDiscovery.at("seed", _("Look-alikes need a segment; groups take none."))
    if seed is not None and not seed.versions.exists():
        raise InvalidDiscovery.at("seed", _("This segment was never defined."))
    if not 0 < len(purchase_event) <= 200 or "\0" in purchase_event:
        raise InvalidDiscovery.at("purchase_event", _("Name the event that is a purchase."))
    if not 0 <= every_days <= MOST_DAYS:
        raise InvalidDiscovery.at("every_days", _("0 to %(most)s days.") % {"most": MOST_DAYS})
    discovery = Discovery.objects.create(
        name=name, key=_free_key(name), kind=kind, seed=seed, purchase_event=purchase_event,
        every_days=every_days,
    )  # fmt: skip
    audit(actor, "discovery.created", f"discovery:{discovery.pk}", kind=kind)
    return discovery


def _free_key(name: str) -> str:
    """Small letters, digits and _; of a name without Latin letters a number alone."""
    plain = re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")[:30] or "found"
    taken = set(Discovery.objects.filter(key__startswith=plain).values_list("key", flat=True))
    return next(key for key in (plain, *(f"{plain}_{n}" for n in range(2, 10_000))) if key not in taken)


@transaction.atomic
def rerun(discovery: Discovery, *, actor: str) -> None:
    """Puts it in the queue again. Raises NotNow."""
    idle = Discovery.objects.filter(pk=discovery.pk).exclude(status__in=ACTIVE)
    if not idle.update(status=DiscoveryStatus.WAITING, share_done=0):
        raise NotNow(_("It runs already."))
    audit(actor, "discovery.started", f"discovery:{discovery.pk}")


@transaction.atomic
def cancel(discovery: Discovery, *, actor: str) -> None:
    """Ends it after the chunk that is being written; what was written stays until the next run.

    Raises NotNow.
    """
    running = Discovery.objects.filter(pk=discovery.pk, status__in=ACTIVE)
    if not running.update(status=DiscoveryStatus.CANCELED, lease_until=None):
        raise NotNow(_("It is not running."))
    audit(actor, "discovery.canceled", f"discovery:{discovery.pk}")


@transaction.atomic
def remove(discovery: Discovery, *, actor: str) -> None:
    """With the values in all profiles; segments made of them stay and become empty."""
    # First the row: a worker that writes a chunk holds it, and after us finds it gone.
    Discovery.objects.select_for_update().filter(pk=discovery.pk).first()
    remove_values(discovery.trait)
    audit(actor, "discovery.removed", f"discovery:{discovery.pk}")
    discovery.delete()


def definition_of(discovery: Discovery, *, letter: str = "", top_percent: int = 0) -> dict[str, Any]:
    """Of the segment of one group, or of the customers most alike. Raises InvalidDiscovery, NotNow."""
    if not discovery.model:
        raise NotNow(_("Nothing was found that a segment could be made of."))
    if discovery.makes_groups:
        if letter not in discovery.model["letters"]:
            known = ", ".join(sorted(discovery.model["letters"]))
            raise InvalidDiscovery.at("group", _("One of: %(kinds)s.") % {"kinds": known})
        return {"trait": discovery.trait, "op": "is", "value": letter}
    if not 1 <= top_percent <= 50:
        raise InvalidDiscovery.at("top_percent", _("1 to 50 percent."))
    return {"trait": discovery.trait, "op": "at_least", "value": 100 - top_percent}


def make_segment(
    discovery: Discovery, *, letter: str = "", top_percent: int = 0, actor: str
) -> SegmentVersion:
    """A name that is taken gets a number. Raises InvalidDiscovery, NotNow."""
    definition = definition_of(discovery, letter=letter, top_percent=top_percent)
    if discovery.makes_groups:
        group = next(one for one in discovery.result["groups"] if one["letter"] == letter)
        name = f"{discovery.name}: {group_name(group)}"
    else:
        name = _("%(name)s: top %(percent)s %%") % {"name": discovery.name, "percent": top_percent}
    return save_segment(
        None, name=free_name(name), definition=definition,
        description=_("Found by “%(name)s”.") % {"name": discovery.name}, actor=actor,
    )  # fmt: skip


def free_name(name: str) -> str:
    name = name[:190]
    taken = set(Segment.objects.filter(name__startswith=name).values_list("name", flat=True))
    return next(one for one in (name, *(f"{name} ({n})" for n in range(2, 10_000))) if one not in taken)
