"""A receiver of webhooks over a socket, and an endpoint that leads to it."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from campaigns.models import Telling, WebhookEndpoint
from campaigns.webhooks import services, telling
from personalization.customers.models import Customer
from personalization.events.services import NewEvent, record_events
from tests.campaigns.channels.conftest import open_service  # noqa: F401 - a fixture


@pytest.fixture
def receiver(open_service: Any) -> Any:  # noqa: F811
    service = open_service("webhook")
    service.bodies = []

    def take(path: str, headers: dict[str, str], body: bytes) -> tuple[int, Any]:
        service.bodies.append((headers, body))
        return 204, {}

    service.take_webhook = take
    return service


@pytest.fixture
def endpoint(receiver: Any) -> WebhookEndpoint:
    return services.save_endpoint(None, name="CRM", url=f"{receiver.url}/in", actor="test")


def happen(customer: Customer, name: str = "Message Clicked", message_id: str = "m1") -> None:
    event = NewEvent(customer.pk, message_id, name, timezone.now(), properties={"url": "https://a.example"})
    record_events([event])


def tell(endpoint: WebhookEndpoint) -> None:
    endpoint.refresh_from_db()
    telling.collect(endpoint, now=timezone.now() + timedelta(seconds=1))
    Telling.objects.update(due_at=timezone.now())
    telling.tell_due(endpoint.pk)
