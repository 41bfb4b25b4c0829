"""The page on which people choose what they get, without logging in."""

import pytest
from django.test import Client

from personalization.customers import selectors
from personalization.customers.models import Channel, Consent, Customer, Suppression, SuppressionReason
from personalization.customers.origins import keep_origin
from personalization.customers.services import record_consent, suppress
from personalization.privacy import links
from personalization.privacy.models import Topic

pytestmark = pytest.mark.django_db


@pytest.fixture
def path(ada) -> str:
    Topic.objects.create(
        key="tea", name="Tea", translations={"zh-hans": {"name": "茶", "description": "每月一次"}}
    )
    Topic.objects.create(key="secret", name="Secret", is_public=False)
    return links.preferences_url(ada).split("8000")[1]


def current(customer) -> dict[str, bool]:
    return dict(Consent.objects.filter(customer=customer, is_current=True).values_list("topic", "granted"))


def test_a_visit_shows_every_topic_and_changes_nothing(path, ada):
    record_consent(ada.pk, channel="email", topic="secret", granted=True, source="crm")
    page = Client().get(path)
    text = page.content.decode()
    assert "Tea" in text and "Secret" in text
    assert text.count(" checked") == 1
    assert page["Referrer-Policy"] == "no-referrer"
    assert current(ada) == {"secret": True}


def test_a_topic_that_nobody_described_has_words_where_it_is_the_usual_one(path, ada):
    for topic in ("marketing", "brunch"):
        record_consent(ada.pk, channel="email", topic=topic, granted=True, source="crm")
    page = Client().get(path).content.decode()
    assert "<legend>Offers and news</legend>" in page and "<legend>brunch</legend>" in page
    assert 'value="email:marketing"' in page


def test_what_is_ticked_is_recorded_with_its_words_and_what_is_not_is_withdrawn(path, ada):
    record_consent(ada.pk, channel="email", topic="secret", granted=True, source="crm")
    assert "Saved" in Client().post(path, {"allow": ["email:tea", "email:made-up"]}).content.decode()
    assert current(ada) == {"tea": True, "secret": False}
    consent = Consent.objects.get(topic="tea")
    assert (consent.wording.text, consent.origin, consent.source) == (
        "Tea by E-mail", "127.0.0.0/24", "preferences page",
    )  # fmt: skip
    before = Consent.objects.count()
    Client().post(path, {"allow": ["email:tea"]})
    assert Consent.objects.count() == before


def test_stopping_everything_holds_for_every_profile_with_the_address(path, ada):
    twin = Customer.objects.create(
        external_id="twin", email="ADA@lovelace.example", created_at=ada.created_at
    )
    for customer in (ada, twin):
        record_consent(customer.pk, channel="email", topic="tea", granted=True, source="crm")
    Client().post(path, {"everything": "stop", "allow": ["email:tea"]})
    assert current(ada) == current(twin) == {"tea": False}


def test_only_an_own_unsubscribing_is_taken_back(path, ada):
    suppress(channel=Channel.EMAIL, address=ada.email, reason=SuppressionReason.UNSUBSCRIBED)
    Client().post(path, {"allow": ["email:tea"]})
    assert Suppression.objects.count() == 0
    Client().post(path, {})
    suppress(channel=Channel.EMAIL, address=ada.email, reason=SuppressionReason.COMPLAINED)
    Client().post(path, {"allow": ["email:tea"]})
    assert selectors.suppressed_ids([ada.pk], channel="email") == {ada.pk}


def test_the_page_speaks_the_customers_language_or_the_chosen_one(path, ada):
    Customer.objects.filter(pk=ada.pk).update(language="zh-CN")
    assert "每月一次" in Client().get(path).content.decode()
    assert "Tea" in Client().get(path, {"lang": "en"}).content.decode()


def test_links_of_nobody_and_of_an_old_address_look_the_same(path, ada):
    token = path.rpartition("/")[2]
    unknown = Client().get(f"/p/{token[:-2]}xx")
    Customer.objects.filter(pk=ada.pk).update(email="new@lovelace.example")
    old = Client().get(path)
    assert unknown.status_code == old.status_code == 404
    assert unknown.content == old.content


def test_the_shop_can_ask_for_the_link(api, ada):
    url = api("get", "customers/ada-4711/preferences-link").json()["url"]
    assert links.read_preferences(url.rpartition("/")[2]) == ada


@pytest.mark.parametrize(
    ("policy", "address", "kept"),
    [
        ("truncated", "203.0.113.77", "203.0.113.0/24"),
        ("truncated", "203.0.113.0/24", "203.0.113.0/24"),
        ("truncated", "2001:db8:1:2:3::4", "2001:db8:1::/48"),
        ("truncated", "::ffff:203.0.113.77", "203.0.113.0/24"),
        ("truncated", "the office", ""),
        ("none", "203.0.113.77", ""),
    ],
)
def test_of_an_address_only_what_the_policy_says_is_kept(settings, policy, address, kept):
    settings.ORIGIN_POLICY = policy
    assert keep_origin(address) == kept


def test_a_hashed_origin_is_stable_and_tells_no_address(settings):
    settings.ORIGIN_POLICY = "hashed"
    kept = keep_origin("203.0.113.77")
    assert kept == keep_origin("203.0.113.77") == keep_origin(kept)
    assert kept.startswith("hmac:") and len(kept) == 37
