"""The envelope of a message goes out with the end of the one before; who it is for may still say no."""

import threading
from typing import Any

import pytest
from django.conf import settings as configured
from django.db import connection

from campaigns import selectors, services
from campaigns.sending import gate
from campaigns.transport.session import Outgoing
from campaigns.transport.smtp import Server, SmtpSession
from personalization.customers.services import record_consent

pytestmark = pytest.mark.django_db(transaction=True)
BODY = '<p>Hello {{ customer.first_name }}</p><a href="{{ unsubscribe_url }}">Unsubscribe</a>'


def message(name: str) -> Outgoing:
    return Outgoing("shop@shop.example", f"{name}@example.com", b"Subject: Hello\r\n\r\nHello\r\n")


def test_who_withdraws_after_the_envelope_went_out_gets_nothing(
    sink: Any, make_customers: Any, make_campaign: Any, send_all: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    people = make_customers(3)
    monkeypatch.setattr(gate, "FRESH_SECONDS", 0.0)
    run = services.launch(make_campaign(bodies=(BODY,)), actor="test")

    def withdraw() -> None:
        record_consent(people[1].pk, channel="email", topic="marketing", granted=False, source="test")
        connection.close()

    def when_the_first_has_come(recipient: str) -> None:
        # The server has the second's envelope in hand by now: it came with the first one's dot.
        if recipient == "c0@example.com":
            thread = threading.Thread(target=withdraw)
            thread.start()
            thread.join()

    sink.on_data = when_the_first_has_come
    send_all(run)
    assert selectors.progress(run)["reasons"] == {"no_consent": 1}
    assert sink.recipients == {"c0@example.com": 1, "c2@example.com": 1}
    assert sink.connections == 2  # hanging up is the only way to take a message back


def test_a_message_that_was_only_begun_is_taken_back(sink: Any) -> None:
    session = SmtpSession(Server.from_url(configured.EMAIL_URL))
    session.announce_next(lambda: message("second"))
    session.send(message("first"), intent=lambda: None)
    session.check()
    session.send(message("third"), intent=lambda: None)
    session.close()
    assert sink.recipients == {"first@example.com": 1, "third@example.com": 1}


def test_a_line_cut_at_the_dot_takes_the_begun_message_with_it_and_nobody_else(
    sink: Any, make_customers: Any, make_campaign: Any, send_all: Any
) -> None:
    make_customers(8)
    sink.fault = lambda recipient, number: (
        {"c2@example.com": "gone", "c5@example.com": "421"}.get(recipient, "") if number >= 0 else ""
    )
    run = services.launch(make_campaign(bodies=(BODY,)), actor="test")
    send_all(run, rounds=2)
    found = selectors.progress(run)
    assert (found["sent"], found["unknown"], found["pending"]) == (6, 1, 1)
    assert max(sink.recipients.values()) == 1


def test_a_campaign_with_a_rate_begins_no_message_before_its_turn(
    sink: Any, make_customers: Any, make_campaign: Any, send_all: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_customers(3)
    run = services.launch(make_campaign(bodies=(BODY,)), actor="test")
    type(run).objects.filter(pk=run.pk).update(per_second=500)
    begun: list[Any] = []
    dot = SmtpSession.send

    def told(self: SmtpSession, *args: Any, **options: Any) -> Any:
        answer = dot(self, *args, **options)
        begun.append(self.open().begun)
        return answer

    monkeypatch.setattr(SmtpSession, "send", told)
    send_all(run)
    assert begun == [None, None, None] and selectors.progress(run)["sent"] == 3
