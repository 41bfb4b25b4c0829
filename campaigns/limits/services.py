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
    for model, rows in ((FrequencyCap, caps), (QuietHours, quiet_hours), (TopicRule, topics)):
        model.objects.all().delete()
        model.objects.bulk_create(model(**row) for row in rows)
    audit(
        actor, "limits.replaced", "limits", caps=len(caps), quiet_hours=len(quiet_hours), topics=len(topics)
    )
