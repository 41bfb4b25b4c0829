"""Who may still be written to: by their own statements, and by the journey that meant it for them."""

from collections.abc import Collection

from campaigns.models import Passage, PassageStatus
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


def left_among(passages: Collection[int]) -> set[int]:
    """Those of the passages whose customers have left their journey meanwhile (who have bought): what was
    meant for them is not sent."""
    if not passages:
        return set()
    left = Passage.everything.filter(pk__in=passages, status=PassageStatus.LEFT)
    return set(left.values_list("pk", flat=True))
