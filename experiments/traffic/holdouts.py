"""Holdouts: who is kept out, drawn by hash and written down with the time of entering and leaving.

A draw is repeated whenever customers are considered, so new ones are drawn as soon as something could be sent
to them. Whoever is in stays in until the share is lowered, a new draw, or the end.
"""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime

from django.db import IntegrityError, connection, transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from experiments.assignment import Filter, hash_fractions
from experiments.errors import HoldoutEnded, InvalidHoldout, KeyTaken
from experiments.models import Holdout, HoldoutMember, HoldoutVersion
from experiments.traffic.rules import hash_values
from personalization.access.services import audit
from personalization.customers.models import Customer
from personalization.importing.passing import numbers, these

CHUNK = 50_000
# Half of the customers is more than any measurement needs; more is surely a slip.
MAX_SHARE = 0.5


@transaction.atomic
def create_holdout(
    *, key: str, name: str, share: float, is_global: bool = True, at: datetime, actor: str
) -> Holdout:
    """Draws among all present customers; seconds for a million. Raises KeyTaken, InvalidHoldout."""
    _check_share(share)
    try:
        with transaction.atomic():
            holdout = Holdout.objects.create(key=key, name=name, is_global=is_global)
    except IntegrityError as error:
        raise KeyTaken(key) from error
    seed = _seed(holdout, 1)
    _add_version(holdout, number=1, share=share, seed=seed, may_leave=False, at=at, actor=actor)
    audit(actor, "holdout.created", f"holdout:{key}", share=share)
    return holdout


@transaction.atomic
def change_share(holdout: Holdout, *, share: float, at: datetime, actor: str) -> HoldoutVersion:
    """A larger share takes more in and lets nobody go; a smaller one lets some go and takes nobody in."""
    current = _current_locked(holdout)
    _check_share(share)
    version = _add_version(
        holdout, number=current.number + 1, share=share, seed=current.seed,
        may_leave=share < current.share, at=at, actor=actor,
    )  # fmt: skip
    audit(actor, "holdout.changed", f"holdout:{holdout.key}", share=share)
    return version


@transaction.atomic
def redraw(holdout: Holdout, *, at: datetime, actor: str) -> HoldoutVersion:
    """Draws anew from everybody, so that nobody goes without messages for ever: who is not drawn again is
    let go."""
    current = _current_locked(holdout)
    number = current.number + 1
    version = _add_version(
        holdout, number=number, share=current.share, seed=_seed(holdout, number), may_leave=True,
        at=at, actor=actor,
    )  # fmt: skip
    audit(actor, "holdout.redrawn", f"holdout:{holdout.key}", version=number)
    return version


@transaction.atomic
def end_holdout(holdout: Holdout, *, at: datetime, actor: str) -> None:
    """Everybody is let go; who was in when stays on record. Ending twice changes nothing."""
    if Holdout.objects.filter(pk=holdout.pk, ended_at=None).update(ended_at=at):
        HoldoutMember.objects.filter(holdout=holdout, left_at=None).update(left_at=at)
        audit(actor, "holdout.ended", f"holdout:{holdout.key}")
    holdout.refresh_from_db(fields=["ended_at"])


def draw(
    customer_ids: Sequence[int], *, at: datetime, also: Iterable[int] = (), is_kept: bool = True
) -> tuple[set[int], float]:
    """Those of the customers that are held out now, and the chance of that.

    Held out by the global holdouts and those with the ids `also`. Writes down whoever enters, if `is_kept`.
    """
    versions = _in_force(also)
    held: set[int] = set()
    through = 1.0
    if not versions or not customer_ids:
        return held, 0.0
    for version in versions:
        through *= 1 - version.share
    ordered = sorted(set(customer_ids))
    with transaction.atomic():
        for start in range(0, len(ordered), CHUNK):
            chunk = ordered[start : start + CHUNK]
            for version in versions:
                held |= _draw_chunk(version, chunk, at, is_kept)
    return held, 1 - through


def held_out_at(holdout: Holdout, *, at: datetime) -> set[int]:
    """Who was in it at that moment."""
    stays = HoldoutMember.objects.filter(holdout=holdout, entered_at__lte=at)
    return set(stays.filter(Q(left_at=None) | Q(left_at__gt=at)).values_list("customer_id", flat=True))


def global_members(customer_ids: Collection[int]) -> set[int]:
    """Those of them that a holdout of everything keeps out now."""
    found = HoldoutMember.objects.filter(
        customer__in=customer_ids, left_at=None, holdout__is_global=True, holdout__ended_at=None
    )
    return set(found.values_list("customer_id", flat=True))


def global_filters() -> list[Filter]:
    """What clients that hash by themselves need to keep the global holdouts out."""
    return [Filter(version.seed, ((version.share, 1.0),)) for version in _in_force(())]


def _in_force(also: Iterable[int]) -> list[HoldoutVersion]:
    # Asked before every message or nearly: as written, building it anew would take longer than its answer.
    return list(
        HoldoutVersion.objects.raw(
            "SELECT DISTINCT ON (v.holdout_id) v.* FROM experiments_holdoutversion v"
            " JOIN experiments_holdout h ON h.id = v.holdout_id"
            " WHERE h.ended_at IS NULL AND (h.is_global OR h.id = ANY(%s::bigint[]))"
            " ORDER BY v.holdout_id, v.number DESC",
            [numbers(also)],
        )
    )


def _add_version(
    holdout: Holdout, *, number: int, share: float, seed: str, may_leave: bool, at: datetime, actor: str
) -> HoldoutVersion:
    version = HoldoutVersion.objects.create(
        holdout=holdout, number=number, share=share, seed=seed, started_at=at, created_by=actor
    )
    present = list(
        HoldoutMember.objects.filter(holdout=holdout, left_at=None)
        .order_by("customer_id")
        .values_list("customer_id", flat=True)
    )
    if may_leave:
        staying = set(_drawn(version, present))
        gone = [pk for pk in present if pk not in staying]
        HoldoutMember.objects.filter(holdout=holdout, customer__in=gone, left_at=None).update(left_at=at)
    last = 0
    while chunk := list(
        Customer.objects.filter(pk__gt=last).order_by("pk").values_list("pk", flat=True)[:CHUNK]
    ):
        last = chunk[-1]
        _enter(version, _drawn(version, chunk), at)
    return version


def _draw_chunk(version: HoldoutVersion, customer_ids: list[int], at: datetime, is_kept: bool) -> set[int]:
    inside = _members(version.holdout_id, customer_ids)
    entering = _drawn(version, [pk for pk in customer_ids if pk not in inside])
    if entering and is_kept:
        _enter(version, entering, at)
    return inside | set(entering)


def _members(holdout_id: int, customer_ids: list[int]) -> set[int]:
    rows = HoldoutMember.objects.filter(holdout=holdout_id, customer__in=these(customer_ids), left_at=None)
    return set(rows.values_list("customer_id", flat=True))


def _drawn(version: HoldoutVersion, customer_ids: Sequence[int]) -> list[int]:
    values = hash_values(customer_ids)
    if not values:
        return []
    inside = hash_fractions(version.seed, list(values.values())) < version.share
    return [pk for pk, is_in in zip(values, inside.tolist(), strict=True) if is_in]


def _enter(version: HoldoutVersion, customer_ids: list[int], at: datetime) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {HoldoutMember._meta.db_table} (holdout_id, version_id, customer_id, entered_at)"  # noqa: S608
            " SELECT %s, %s, customer, %s FROM unnest(%s::bigint[]) AS customer"
            " ON CONFLICT (holdout_id, customer_id) WHERE left_at IS NULL DO NOTHING",
            [version.holdout_id, version.pk, at, customer_ids],
        )


def _current_locked(holdout: Holdout) -> HoldoutVersion:
    locked = Holdout.objects.select_for_update().get(pk=holdout.pk)
    if locked.ended_at is not None:
        raise HoldoutEnded(_("An ended holdout stays ended: make a new one."))
    return locked.versions.latest("number")


def _seed(holdout: Holdout, number: int) -> str:
    # No key of an experiment has a colon: a holdout never hashes like an experiment of the same name.
    return f"holdout:{holdout.key}:{number}"


def _check_share(share: float) -> None:
    if not 0 < share <= MAX_SHARE:
        raise InvalidHoldout(_("The share lies above 0 and is at most 0.5: half of the customers."))
