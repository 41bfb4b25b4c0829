"""Reads of events."""

from django.db.models import QuerySet

from personalization.events.models import Event


def timeline(customer_id: int, *, limit: int = 50) -> QuerySet[Event]:
    """The customer's newest events, with their items; one index range, however long the history is."""
    return (
        Event.objects.filter(customer_id=customer_id).select_related("item").order_by("-occurred_at")[:limit]
    )
