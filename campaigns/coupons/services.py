"""Pools and their codes: filling, taking, giving back.

A code belongs to one delivery. It is taken in a transaction of its own before the message is made, so a
worker that dies gives the same message the same code again. Given back is only what certainly nobody saw.
"""

import re
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime

import structlog
from django.db import connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from campaigns.errors import InvalidCoupons
from campaigns.ledger import Outcome
from campaigns.models import CouponCode, CouponPool, Delivery, DeliveryStatus
from personalization.access.services import audit

log = structlog.get_logger(__name__)
NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,49}")
CODE = re.compile(r"[^\s<>\"'&\x00-\x1f\x7f]{1,100}")
MAX_CODES = 500_000  # in one call
SHOWN = 3


@transaction.atomic
def save_pool(name: str, *, description: str = "", low_at: int = 100, actor: str) -> CouponPool:
    """Creates or changes it; one that was archived comes back. Raises InvalidCoupons."""
    if not NAME.fullmatch(name):
        detail = _("A name has small letters, digits, - and _, 50 at most.")
        raise InvalidCoupons(detail, errors=[{"pointer": "/name", "detail": detail}])
    if len(description) > 200 or not 0 <= low_at < 2**31:
        detail = _("The description is too long, or the number is out of range.")
        raise InvalidCoupons(detail, errors=[{"pointer": "/description", "detail": detail}])
    pool, _new = CouponPool.objects.update_or_create(
        name=name, defaults={"description": description.strip(), "low_at": low_at, "archived_at": None}
    )
    audit(actor, "coupons.saved", f"coupons:{name}", low_at=low_at)
    return pool


def archive_pool(pool: CouponPool, *, actor: str) -> None:
    """No message gets codes of it any more; taken codes stay on record."""
    if CouponPool.objects.filter(pk=pool.pk, archived_at=None).update(archived_at=timezone.now()):
        audit(actor, "coupons.archived", f"coupons:{pool.name}")


@transaction.atomic
def add_codes(pool: CouponPool, codes: Iterable[str], *, actor: str) -> tuple[int, int]:
    """How many were added, and how many the pool knew (or came twice). Raises InvalidCoupons for the whole
    when one of them is no code: nothing is added then."""
    given = [code.strip() for code in codes]
    given = [code for code in given if code]
    if len(given) > MAX_CODES:
        raise InvalidCoupons(_("At most %(n)s codes at a time.") % {"n": f"{MAX_CODES:,}"})
    wrong = [code for code in given if not CODE.fullmatch(code)]
    if wrong:
        facts = {"n": len(wrong), "codes": ", ".join(code[:40] for code in wrong[:SHOWN])}
        raise InvalidCoupons(
            _("%(n)s of these are no codes (no blanks, quotes or < >, 100 characters at most): %(codes)s")
            % facts
        )
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO campaigns_couponcode (pool_id, code)"
            " SELECT %s, code FROM unnest(%s::text[]) WITH ORDINALITY AS given(code, place) ORDER BY place"
            " ON CONFLICT (pool_id, code) DO NOTHING",
            [pool.pk, given],
        )
        added = cursor.rowcount
    audit(actor, "coupons.added", f"coupons:{pool.name}", added=added)
    return added, len(given) - added


def take_codes(pool: CouponPool, delivery_ids: Collection[int], *, at: datetime) -> dict[int, str]:
    """The code of each delivery, now or from an earlier try; those for whom none is left are absent."""
    found: dict[int, str] = {}
    # First around what others hold; then, should that not suffice, waiting for what they do with it. Two
    # transactions, so that nobody holds codes while waiting for more.
    for waits in (False, True):
        missing = sorted(set(delivery_ids) - found.keys())
        if missing:
            found |= _take(pool, missing, at, waits=waits)
    left = CouponCode.objects.filter(pool=pool, taken_at=None)[: pool.low_at].count()
    if left < pool.low_at:
        log.warning("coupons_low", pool=pool.name, left=left)
    return found


@transaction.atomic
def _take(pool: CouponPool, delivery_ids: list[int], at: datetime, *, waits: bool) -> dict[int, str]:
    # Another worker, to whom the chunk went over, asks for the same deliveries: one after the other.
    held = Delivery.objects.filter(pk__in=delivery_ids).order_by("pk")
    list(held.select_for_update(no_key=True).values_list("pk", flat=True))
    found = _known(pool, delivery_ids)
    missing = [pk for pk in delivery_ids if pk not in found]
    with connection.cursor() as cursor:
        cursor.execute(
            _TAKE.format(wait="" if waits else "SKIP LOCKED"),
            {"pool": pool.pk, "deliveries": missing, "n": len(missing), "at": at},
        )
        found.update(cursor.fetchall())
    return found


def _known(pool: CouponPool, delivery_ids: Sequence[int]) -> dict[int, str]:
    rows = CouponCode.objects.filter(pool=pool, delivery__in=delivery_ids)
    return dict(rows.values_list("delivery", "code"))


def give_back(outcomes: Iterable[Outcome]) -> None:
    """Frees what certainly nobody saw: all codes of messages that are not sent, and of sent ones those that
    they do not show. Inside the caller's transaction."""
    skipped: list[int] = []
    pairs: list[tuple[int, str]] = []
    for outcome in outcomes:
        if outcome.status == DeliveryStatus.SKIPPED:
            skipped.append(outcome.delivery_id)
        elif outcome.status == DeliveryStatus.SENT:
            pairs += [(outcome.delivery_id, pool) for pool in outcome.unused]
    if skipped:
        CouponCode.objects.filter(delivery__in=skipped).update(delivery=None, taken_at=None)
    if pairs:
        deliveries, pools = zip(*pairs, strict=True)
        with connection.cursor() as cursor:
            cursor.execute(_GIVE_BACK, {"deliveries": list(deliveries), "pools": list(pools)})


_TAKE = """
    WITH free AS (
        SELECT id, row_number() OVER (ORDER BY id) AS place FROM (
            SELECT id FROM campaigns_couponcode WHERE pool_id = %(pool)s AND taken_at IS NULL
            ORDER BY id LIMIT %(n)s FOR UPDATE {wait}
        ) AS locked
    ), wanted AS (
        SELECT delivery, place FROM unnest(%(deliveries)s::bigint[]) WITH ORDINALITY AS w(delivery, place)
    )
    UPDATE campaigns_couponcode AS c SET delivery_id = wanted.delivery, taken_at = %(at)s
    FROM free JOIN wanted USING (place)
    WHERE c.id = free.id
    RETURNING wanted.delivery, c.code
"""
_GIVE_BACK = """
    UPDATE campaigns_couponcode AS c SET delivery_id = NULL, taken_at = NULL
    FROM unnest(%(deliveries)s::bigint[], %(pools)s::text[]) AS u(delivery, pool)
    JOIN campaigns_couponpool AS p ON p.name = u.pool
    WHERE c.pool_id = p.id AND c.delivery_id = u.delivery
"""
