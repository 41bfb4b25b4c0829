"""From real deliveries and events to the sentence beside the subject."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.urls import reverse

from campaigns import services
from campaigns.models import Delivery
from campaigns.subject_lines import learning
from campaigns.subject_lines.learning import learn, lines
from campaigns.subject_lines.model import Line
from personalization.access.models import User
from personalization.events.services import NewEvent, record_events
from tests.campaigns.needs.test_tags_in_messages import END
from tests.campaigns.subject_lines.test_model import made

pytestmark = pytest.mark.django_db(transaction=True)


def test_only_people_of_settled_messages_count(
    sink: Any, make_customers: Any, make_campaign: Any, send_all: Any
) -> None:
    people = make_customers(4)
    run = services.launch(make_campaign(drafts=({"subject": "Hello you", "body": "x" + END},)), actor="test")
    send_all(run)
    now = datetime.now(UTC)
    variant = run.experiment.variants.get().key
    marks: list[dict[str, Any]] = [{}, {}, {"machine": True}]
    record_events(
        [
            NewEvent(
                person.pk, f"o{n}{person.pk}", "Message Opened", now,
                properties={"run": run.pk, "variant": variant, **marks[n]},
            )
            for n, person in enumerate(people[:3])
        ]
    )  # fmt: skip
    assert lines("open", now=now) == []
    Delivery.objects.update(sent_at=now - timedelta(days=4))
    assert lines("open", now=now + timedelta(minutes=1)) == [Line("Hello you", 4, 2)]
    assert lines("click", now=now + timedelta(minutes=1)) == [Line("Hello you", 4, 0)]
    assert learn(now=now) == {}


def test_the_editor_is_told_only_what_was_learned(
    client: Any, make_customers: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache.clear()
    person = make_customers(1)[0]
    client.force_login(User.objects.create_superuser("boss", "boss@example.com", "x"))
    asked = {"subject": "summer sale", "body": "x", "customer": person.pk}

    def told() -> list[dict[str, str]]:
        answer = client.post(reverse("campaigns:preview"), asked, content_type="application/json")
        return answer.json()["subject_outlook"]

    assert told() == []
    monkeypatch.setattr(learning, "lines", lambda kind, now: made(200, effect=0.8 if kind == "open" else 0.0))
    assert set(learn(now=datetime.now(UTC))) == {"open", "click"}
    (opens,) = told()
    assert "open it" in opens["text"] and "“sale”" in opens["detail"] and "200 subjects" in opens["detail"]
