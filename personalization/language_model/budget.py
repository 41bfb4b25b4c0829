"""What calls cost. A month is one of UTC."""

from datetime import UTC, datetime
from decimal import Decimal

from django.db.models import Sum
from django.utils import timezone

from personalization.language_model.models import Call, Endpoint

MILLION = Decimal(1_000_000)
# Role, separators and the like around each message, generously.
TOKENS_AROUND = 20


def cost(endpoint: Endpoint, *, tokens_in: int, tokens_out: int) -> Decimal:
    return (endpoint.price_in * tokens_in + endpoint.price_out * tokens_out) / MILLION


def most_tokens(messages: list[dict[str, str]]) -> int:
    """No tokenizer that works on bytes makes more tokens than there are bytes."""
    return sum(len(one["content"].encode()) + TOKENS_AROUND for one in messages)


def worst_case(endpoint: Endpoint, messages: list[dict[str, str]], *, max_tokens: int) -> Decimal:
    return cost(endpoint, tokens_in=most_tokens(messages), tokens_out=max_tokens)


def spent(now: datetime | None = None) -> Decimal:
    """This month's cost, with the worst case of what is still under way."""
    start = (now or timezone.now()).astimezone(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    return Call.objects.filter(asked_at__gte=start).aggregate(sum=Sum("cost"))["sum"] or Decimal(0)
