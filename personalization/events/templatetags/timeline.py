"""`{% customer_timeline customer.pk as events %}`: for a page of a lower room, which knows no events."""

from django import template
from django.db.models import QuerySet

from personalization.events import selectors
from personalization.events.models import Event

register = template.Library()


@register.simple_tag
def customer_timeline(customer_id: int, limit: int = 50) -> QuerySet[Event]:
    return selectors.timeline(customer_id, limit=limit)
