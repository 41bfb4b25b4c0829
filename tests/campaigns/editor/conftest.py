"""Staff with some permissions, a segment and a campaign for it."""

import pytest
from django.utils import timezone

from campaigns import services
from personalization.customers.models import Customer
from personalization.customers.services import record_consent
from personalization.segments.services import save_segment

BODY = '<p>Hi {{ customer.first_name }}</p><a href="{{ unsubscribe_url }}">Stop</a>'


@pytest.fixture
def segment():
    for number in range(6):
        customer = Customer.objects.create(
            external_id=f"={number}", email=f"p{number}@mail.example", first_name="<Ann>", country="GB",
            created_at=timezone.now(),
        )  # fmt: skip
        if number:
            record_consent(customer.pk, channel="email", topic="marketing", granted=True, source="test")
    definition = {"all": [{"trait": "country", "op": "is", "value": "GB"}]}
    return save_segment(None, name="Britons", definition=definition).segment


@pytest.fixture
def campaign(segment):
    draft = services.MessageDraft(key="a", name="A", subject="Hi", body=BODY)
    return services.save_campaign(
        None, name="Spring", segment=segment, messages=[draft], sender_address="shop@shop.example",
        control_share=0.2, actor="user:kim",
    )  # fmt: skip
