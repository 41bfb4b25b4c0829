"""Short links in texts: counted like those of mails, leading only where the message did."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.db import OperationalError
from django.test import Client
from django.utils import timezone

from campaigns import selectors, services
from campaigns.models import Delivery, ShortLink
from campaigns.sending import composing
from campaigns.tracking import short
from campaigns.why.rerender import rerender
from experiments.sums.questions import BOT_FLAGS
from personalization.customers.models import Customer
from personalization.events.models import Event
from personalization.privacy.erasure import erase

pytestmark = pytest.mark.django_db(transaction=True)
PHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 Mobile/15E148"
BODY = "Sale: https://shop.example/sale?for={{ customer.external_id }}. Stop: {{ unsubscribe_url }}"


@pytest.fixture
def sent(open_service, make_account, give_address, make_customers, make_campaign, send_all) -> Any:
    """A run on a channel that has gone out, and its service."""

    def make(channel: str = "sms", *, body: str = BODY, n: int = 1, **campaign: Any) -> Any:
        service = open_service(channel)
        make_account(service)
        give_address(service, make_customers(n, consent=False))
        fields = {"fields": {"template": "hello_1"}} if channel == "whatsapp" else {}
        made = make_campaign(channel=channel, drafts=({"subject": "", "body": body, **fields},), **campaign)
        run = services.launch(made, actor="test")
        send_all(run)
        Delivery.objects.update(sent_at=timezone.now() - timedelta(hours=1))
        return service, run

    return make


def link_in(text: str) -> str:
    return re.search(r"/t/[0-9A-Za-z]{16}(?![\w-])", text)[0]


def visit(path: str, agent: str = PHONE) -> Any:
    return Client().get(path, headers={"user-agent": agent})


@pytest.mark.parametrize("channel", ["sms", "whatsapp"])
def test_an_address_in_a_text_is_short_counted_and_leads_on(channel, sent) -> None:
    service, _run = sent(channel)
    text = service.taken[0][1]
    assert "shop.example/sale" not in text and "/t/u/" in text
    answer = visit(link_in(text))
    assert (answer.status_code, answer["Location"]) == (302, "https://shop.example/sale?for=c0")
    event = Event.objects.get(name="Message Clicked")
    assert event.properties["url"] == "https://shop.example/sale?for=c0"
    assert (event.properties["channel"], event.customer_id) == (channel, Customer.objects.get().pk)
    assert not any(event.properties.get(flag) for flag in BOT_FLAGS)


def test_whoever_makes_previews_of_links_is_kept_out_of_the_counts(sent) -> None:
    service, _run = sent()
    answer = visit(link_in(service.taken[0][1]), agent="WhatsApp/2.23.20.0")
    assert answer.status_code == 302
    assert Event.objects.get(name="Message Clicked").properties["machine_by"] == "agent"


def test_each_gets_a_link_of_their_own_and_again_the_same_for_the_same_message(sent) -> None:
    service, _run = sent(n=3)
    links = {link_in(text) for _to, text in service.taken}
    assert len(links) == 3 == ShortLink.objects.count()
    delivery = Delivery.objects.first()
    url = delivery.short_links.get().url
    again = {short.shorten(delivery.pk, url, at=timezone.now()) for _ in range(2)}
    assert {link_in(text) for text in again} <= links
    assert ShortLink.objects.count() == 3


def test_what_was_sent_comes_back_with_its_short_links(sent) -> None:
    service, _run = sent()
    assert rerender(Delivery.objects.get()).data.decode() == service.taken[0][1]


def test_the_destination_carries_the_parameters_of_the_campaign(sent) -> None:
    service, _run = sent(utm={"source": "texts"})
    assert visit(link_in(service.taken[0][1]))["Location"] == (
        "https://shop.example/sale?for=c0&utm_source=texts&utm_medium=sms&utm_campaign=spring&utm_content=m0"
    )


def test_a_campaign_may_leave_its_links_as_they_are(sent) -> None:
    service, _run = sent(tracks_clicks=False)
    assert "https://shop.example/sale?for=c0." in service.taken[0][1] and not ShortLink.objects.exists()


@pytest.mark.parametrize("token", ["0" * 16, "Z" * 16, "a" * 15, "a" * 17, "é" * 16, "=" * 16, "٣" * 16])
def test_what_we_did_not_sign_is_a_page(token: str) -> None:
    answer = visit(f"/t/{token}")
    assert answer.status_code == 404 and "Location" not in answer


@pytest.mark.parametrize("number", [1, 2**39 - 1])
def test_a_token_has_letters_and_digits_alone_and_is_as_long_as_its_example(number: int) -> None:
    token = short._token(number)
    assert re.fullmatch("[0-9A-Za-z]{16}", token) and len(short.example("")) == len(
        f"{settings.SITE_URL}/t/{token}"
    )


def test_a_changed_token_leads_nowhere(sent) -> None:
    service, _run = sent()
    token = link_in(service.taken[0][1])[3:]
    for position in range(16):
        changed = token[:position] + ("A" if token[position] != "A" else "B") + token[position + 1 :]
        assert visit(f"/t/{changed}").status_code == 404
    assert not Event.objects.filter(name="Message Clicked").exists()


def test_the_links_of_an_erased_person_are_gone(sent) -> None:
    service, _run = sent()
    erase(Customer.objects.get().pk)
    assert not ShortLink.objects.exists()
    assert visit(link_in(service.taken[0][1])).status_code == 404


def test_a_database_that_is_away_leaves_nobody_out(
    open_service, make_account, give_address, make_customers, make_campaign, send_all, monkeypatch
) -> None:
    service = open_service("sms")
    make_account(service)
    give_address(service, make_customers(1, consent=False))
    run = services.launch(make_campaign(channel="sms", drafts=({"subject": "", "body": BODY},)), actor="test")

    def away(*args: Any, **more: Any) -> str:
        raise OperationalError("gone")

    with monkeypatch.context() as patched, pytest.raises(OperationalError):
        patched.setattr(composing, "shorten", away)
        send_all(run)
    assert service.taken == [] and selectors.progress(run)["pending"] == 1
