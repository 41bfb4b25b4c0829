"""Double opt-in: only the owner of the address turns a form's yes into a consent, and it can be proved."""

import re

import pytest
import time_machine
from django.core import mail
from django.test import Client

from personalization.customers import selectors
from personalization.customers.models import Channel, Consent, SuppressionReason
from personalization.customers.services import record_consent, suppress
from personalization.privacy import links, opt_in
from personalization.privacy.models import OptIn

pytestmark = pytest.mark.django_db
WORDS = "Yes, write to me about tea. I can withdraw at any time."
FORM = {"topic": "tea", "source": "footer", "wording": WORDS, "origin_address": "203.0.113.77"}


def path_in(message) -> str:
    return re.search(r"http\S+(/p/confirm/\S+)", message.body)[1]


def consented(customer) -> bool:
    return customer.pk in selectors.consented_ids([customer.pk], channel="email", topic="tea")


def test_a_yes_counts_once_it_is_confirmed_and_carries_its_proof(api, ada):
    answer = api("post", f"customers/{ada.external_id}/opt-ins", FORM)
    assert (answer.status_code, answer.json()["confirmed_at"]) == (202, None)
    assert opt_in.mail_waiting() == 1
    assert opt_in.mail_waiting() == 0
    [message] = mail.outbox
    assert message.to == [ada.email]
    assert WORDS in message.body
    path = path_in(message)
    for _scanner in range(3):
        assert "Yes, I confirm" in Client().get(path).content.decode()
        Client().head(path)
    assert not consented(ada)
    assert "You are subscribed" in Client().post(path).content.decode()
    assert consented(ada)
    consent = Consent.objects.get(customer=ada)
    assert (consent.source, consent.wording.text, consent.origin) == (
        "double opt-in: footer", WORDS, "203.0.113.0/24",
    )  # fmt: skip
    assert consent.requested_at < consent.recorded_at
    assert OptIn.objects.get().confirmed_origin == "127.0.0.0/24"
    shown = api("get", f"customers/{ada.external_id}").json()["consents"][0]
    assert (shown["wording"], shown["origin"]) == (WORDS, "203.0.113.0/24")


def test_an_old_confirmation_does_not_undo_a_later_no(api, ada):
    api("post", f"customers/{ada.external_id}/opt-ins", FORM)
    opt_in.mail_waiting()
    path = path_in(mail.outbox[0])
    Client().post(path)
    record_consent(ada.pk, channel="email", topic="tea", granted=False, source="link")
    for again in (Client().get(path), Client().post(path)):
        assert "You are subscribed" not in again.content.decode()
        assert "used already" in again.content.decode()
    assert not consented(ada)


def test_the_link_ends_after_three_days_and_with_the_address(api, ada):
    api("post", f"customers/{ada.external_id}/opt-ins", FORM)
    row = OptIn.objects.get()
    path = links.confirm_url(row.pk).split("8000")[1]
    with time_machine.travel(row.expires_at.timestamp() + 1):
        assert Client().post(path).status_code == 404
    ada.email = "countess@lovelace.example"
    ada.save()
    assert Client().post(path).status_code == 404
    assert Consent.objects.count() == 0


def test_what_expires_between_the_page_and_the_click_is_not_confirmed(api, ada):
    api("post", f"customers/{ada.external_id}/opt-ins", FORM)
    row = OptIn.objects.get()
    with time_machine.travel(row.expires_at.timestamp() + 1):
        opt_in.confirm(row)
    row.refresh_from_db()
    assert (row.confirmed_at, Consent.objects.count()) == (None, 0)


def test_nobody_floods_a_mailbox_and_a_suppressed_one_gets_nothing(api, ada):
    for _again in range(3):
        api("post", f"customers/{ada.external_id}/opt-ins", FORM)
    assert OptIn.objects.count() == 1
    for number in range(4):
        assert api("post", "customers/ada-4711/opt-ins", FORM | {"topic": f"t{number}"}).status_code == 202
    assert api("post", "customers/ada-4711/opt-ins", FORM | {"topic": "t9"}).status_code == 400
    OptIn.objects.all().delete()
    suppress(channel=Channel.EMAIL, address=ada.email, reason=SuppressionReason.COMPLAINED)
    assert api("post", "customers/ada-4711/opt-ins", FORM).status_code == 400
    assert opt_in.mail_waiting() == 0


def test_who_is_suppressed_after_asking_is_not_asked_to_confirm(api, ada):
    api("post", f"customers/{ada.external_id}/opt-ins", FORM)
    suppress(channel=Channel.EMAIL, address=ada.email, reason=SuppressionReason.COMPLAINED)
    assert opt_in.mail_waiting() == 0
    assert mail.outbox == []


def test_a_mail_server_that_is_away_is_tried_again_later(api, ada, settings):
    api("post", f"customers/{ada.external_id}/opt-ins", FORM)
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_PORT = 1
    assert opt_in.mail_waiting() == 0
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    assert opt_in.mail_waiting() == 1


def test_a_changed_token_and_one_of_another_purpose_open_nothing(ada):
    row = OptIn.objects.create(
        customer=ada, topic="tea", source="x", requested_at=ada.created_at, expires_at=ada.created_at,
        address_hash="",
    )  # fmt: skip
    token = links.confirm_url(row.pk).rpartition("/")[2]
    assert links.read_confirm(token) == row.pk
    other = links.preferences_url(ada).rpartition("/")[2]
    for forged in (token[:-1] + "x", f"{row.pk + 1}{token[1:]}", other, "", "ß", "x" * 5000):
        assert links.read_confirm(forged) is None
        assert Client().get(f"/p/confirm/{forged or 'x'}").status_code == 404
