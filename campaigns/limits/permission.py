"""Who allows messages of a topic: by a yes, or, for what customers must be told, unless there is a no."""

from collections.abc import Collection

from campaigns.models import TopicRule
from personalization.customers import selectors as customers
from personalization.customers.models import Consent
from personalization.importing.passing import these


def permitted_ids(customer_ids: Collection[int], *, channel: str, topic: str) -> set[int]:
    """Those of the customers to whom such a message may be sent, by their own statements."""
    if not TopicRule.objects.filter(topic=topic, needs_consent=False).exists():
        return customers.consented_ids(customer_ids, channel=channel, topic=topic)
    refused = Consent.objects.filter(
        customer__in=these(customer_ids), channel=channel, topic=topic, is_current=True, granted=False
    )
    return set(customer_ids) - set(refused.values_list("customer_id", flat=True))
