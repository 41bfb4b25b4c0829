"""Who allows messages of a topic: by a yes, or, for what customers must be told, unless there is a no."""

from collections.abc import Collection

from personalization.customers import selectors as customers
from personalization.customers.models import Consent
from personalization.importing.passing import ask, these


def permitted_ids(customer_ids: Collection[int], *, channel: str, topic: str) -> set[int]:
    """Those of the customers to whom such a message may be sent, by their own statements."""
    if not ask("SELECT 1 FROM campaigns_topicrule WHERE topic = %s AND NOT needs_consent", [topic]):
        return customers.consented_ids(customer_ids, channel=channel, topic=topic)
    refused = Consent.objects.filter(
        customer__in=these(customer_ids), channel=channel, topic=topic, is_current=True, granted=False
    )
    return set(customer_ids) - set(refused.values_list("customer_id", flat=True))
