"""The log of a webhook as it is read."""

from django.db.models import Case, DateTimeField, QuerySet, Value, When
from django.db.models.functions import Greatest

from campaigns.models import Telling, TellingStatus, WebhookEndpoint
from campaigns.transport import breaker
from campaigns.webhooks.telling import breaker_key


def log_of(endpoint: WebhookEndpoint, *, status: str = "") -> QuerySet[Telling]:
    """Its calls with their customers and `next_attempt_at`: None for one that waits for nothing, and for all
    while the webhook is switched off; never before a receiver that is left alone is asked again."""
    until = breaker.state(breaker_key(endpoint)).until_at
    waits = [When(status=TellingStatus.WAITING, then=Greatest("due_at", Value(until)))]
    rows = endpoint.tellings.select_related("customer").annotate(
        next_attempt_at=Case(*waits if endpoint.is_active else (), default=None, output_field=DateTimeField())
    )
    return rows.filter(status=status) if status else rows
