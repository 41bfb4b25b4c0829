"""Reads of coupon pools."""

from typing import Any

from django.db.models import Count, Q, QuerySet

from campaigns.models import CouponPool


def pools() -> QuerySet[Any]:
    """Those in use, with how many codes are `left` and `taken`."""
    return CouponPool.objects.filter(archived_at=None).annotate(
        left=Count("codes", filter=Q(codes__taken_at=None)),
        taken=Count("codes", filter=Q(codes__taken_at__isnull=False)),
    )
