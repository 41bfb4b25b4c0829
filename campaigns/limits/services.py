"""Writes of the limits: all of them are replaced at once, so that a caller states what shall hold."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.db import transaction

from campaigns.models import FrequencyCap, QuietHours, TopicRule
from personalization.access.services import audit


@transaction.atomic
def replace_limits(
    *,
    caps: Sequence[Mapping[str, Any]],
    quiet_hours: Sequence[Mapping[str, Any]],
    topics: Sequence[Mapping[str, Any]],
    actor: str,
) -> None:
    """They hold from the next chunk on that a worker takes."""
    FrequencyCap.objects.all().delete()
    FrequencyCap.objects.bulk_create(FrequencyCap(**row) for row in caps)
    QuietHours.objects.all().delete()
    QuietHours.objects.bulk_create(QuietHours(**row) for row in quiet_hours)
    TopicRule.objects.all().delete()
    TopicRule.objects.bulk_create(TopicRule(**row) for row in topics)
    audit(
        actor, "limits.replaced", "limits", caps=len(caps), quiet_hours=len(quiet_hours), topics=len(topics)
    )
