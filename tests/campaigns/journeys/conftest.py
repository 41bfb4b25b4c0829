"""Journeys ready to be entered, and a clock that goes on only when told."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest

from campaigns.journeys import entering, passing, services
from campaigns.models import Journey
from campaigns.services import MessageDraft, save_campaign
from personalization.events.services import NewEvent, record_events

BODY = '<p>{{ trigger.cart }}</p><a href="{{ unsubscribe_url }}">Unsubscribe</a>'


@pytest.fixture
def make_message() -> Callable[..., int]:
    def make(name: str = "Cart", **fields: Any) -> int:
        campaign = save_campaign(
            None, name=name, segment=None, kind="triggered", control_share=0.0, actor="test",
            sender_address="shop@shop.example",
            messages=[MessageDraft(key="a", subject="{{ trigger.cart }}", body=BODY)], **fields,
        )  # fmt: skip
        return campaign.pk

    return make


@pytest.fixture
def make_journey() -> Callable[..., Journey]:
    def make(nodes: dict[str, Any], *, now: datetime, **graph: Any) -> Journey:
        data = {"entry": {"kind": "api", "params": {}}, "start": next(iter(nodes)), "nodes": nodes, **graph}
        journey = services.save_journey(None, name="Journey", graph=data, actor="test")
        services.publish(journey, actor="test", now=now)
        journey.refresh_from_db()
        return journey

    return make


@pytest.fixture
def go() -> Callable[..., int]:
    def run(journey: Journey, now: datetime) -> int:
        """What the tick does, at a time."""
        entered = entering.look(journey.pk, now=now)
        passing.run_due(now=now)
        return entered

    return run


@pytest.fixture
def did() -> Callable[..., None]:
    def record(customer_id: int, name: str, at: datetime, **properties: Any) -> None:
        event = NewEvent(
            customer_id=customer_id, message_id=f"{customer_id}-{name}-{at.isoformat()}", name=name,
            occurred_at=at, properties=properties,
        )  # fmt: skip
        record_events([event], received_at=at)

    return record
