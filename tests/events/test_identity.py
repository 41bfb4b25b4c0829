"""Who is joined with whom by what clients send, and who never is."""

from datetime import UTC, datetime

import pytest

from personalization.customers.identity import resolve
from personalization.customers.models import Customer, Identifier, IdentityRule, Merge
from personalization.events.identity import connect
from personalization.events.merging import unmerge
from personalization.events.models import Event

pytestmark = pytest.mark.django_db


def identify(post, user: str = "", cookie: str = "", **traits):
    body = (
        {"traits": traits} | ({"userId": user} if user else {}) | ({"anonymousId": cookie} if cookie else {})
    )
    assert post("identify", body).status_code == 200


def named() -> set[str]:
    return set(Customer.objects.exclude(external_id=None).values_list("external_id", flat=True))


def test_a_newsletter_address_joins_the_customer_who_has_it(post):
    identify(post, "ada", email="Ada@example.com")
    post("track", {"anonymousId": "phone", "event": "Product Viewed"})
    identify(post, cookie="phone", email="ada@example.com", plan="gold")
    ada = Customer.objects.get()
    assert (ada.external_id, ada.traits) == ("ada", {"plan": "gold"})
    assert Event.objects.get().customer == ada
    assert (Merge.objects.get().reason, Merge.objects.get().actor) == ("email", "identity rules")


def test_phones_join_in_any_spelling(post):
    identify(post, "ada", phone="+44 20 7946 0018")
    identify(post, cookie="c", phone="(020) 7946 0018", country="GB")
    assert Customer.objects.get().phone == "+442079460018"


def test_an_address_of_two_customers_joins_nobody(post):
    identify(post, "ada", email="info@shop.example")
    identify(post, "bob", email="info@shop.example")
    identify(post, cookie="c", email="info@shop.example")
    assert Customer.objects.count() == 3
    assert not Merge.objects.exists()


def test_a_made_up_address_that_everybody_types_chains_only_a_few(post):
    for number in range(9):
        identify(post, cookie=f"c{number}", email="no@no.example")
    # 5 are taken in, the other 3 stay alone: the default of the rule.
    assert Customer.objects.count() == 4


def test_a_kiosk_never_greets_one_customer_by_the_name_of_another(post):
    """What people complain of elsewhere: one cookie merges all who log in, and history is not joined."""
    post("track", {"anonymousId": "kiosk", "event": "Product Viewed", "messageId": "1"})
    identify(post, "ada", "kiosk", first_name="Ada", email="ada@example.com")
    identify(post, "bob", "kiosk", first_name="Bob", email="bob@example.com")
    post("track", {"anonymousId": "kiosk", "event": "Product Viewed", "messageId": "2"})
    identify(post, "cyd", "kiosk", first_name="Cyd")
    names = dict(Customer.objects.exclude(external_id=None).values_list("external_id", "first_name"))
    assert names == {"ada": "Ada", "bob": "Bob", "cyd": "Cyd"}
    owners = [event.customer.external_id for event in Event.objects.order_by("received_at")]
    assert owners == ["ada", None]  # history before the first name joins; the shared device belongs to nobody
    assert Identifier.objects.get(kind="anonymous_id").shared_at
    assert not Merge.objects.exists()


def test_a_wider_rule_lets_a_family_share_a_tablet(post):
    IdentityRule.objects.update_or_create(kind="anonymous_id", defaults={"joins": True, "most_customers": 2})
    identify(post, "ada", "tablet")
    identify(post, "bob", "tablet")
    assert resolve(anonymous_ids=["tablet"]).visitors["tablet"] == Customer.objects.get(external_id="ada").pk
    identify(post, "cyd", "tablet")
    assert Customer.objects.get(pk=resolve(anonymous_ids=["tablet"]).visitors["tablet"]).external_id is None


@pytest.mark.parametrize("placeholder", ["null", "undefined", "00000000-0000-0000-0000-000000000000"])
def test_a_placeholder_joins_nobody(post, placeholder):
    identify(post, "ada", placeholder)
    identify(post, "bob", placeholder)
    post("track", {"anonymousId": "c", "event": "E"})
    identify(post, placeholder, "c")
    assert not Merge.objects.exists()
    assert Event.objects.get().customer.external_id is None


def test_a_rule_that_is_switched_off_joins_nothing(post):
    IdentityRule.objects.update_or_create(kind="anonymous_id", defaults={"joins": False})
    post("track", {"anonymousId": "c", "event": "E"})
    identify(post, "ada", "c")
    assert Event.objects.get().customer.external_id is None


def test_alias_merges_two_customers_only_where_the_rule_believes_it(post):
    identify(post, "ada")
    identify(post, "bob", city="Leeds")
    assert post("alias", {"userId": "ada", "previousId": "bob"}).status_code == 400
    IdentityRule.objects.update_or_create(kind="user_id", defaults={"joins": True})
    assert post("alias", {"userId": "ada", "previousId": "bob"}).status_code == 200
    assert named() == {"ada"}
    unmerge(Merge.objects.get().pk, actor="user:boss")
    assert named() == {"ada", "bob"}


def test_what_staff_took_apart_is_not_joined_again(post):
    identify(post, "ada", email="ada@example.com")
    identify(post, cookie="c", email="ada@example.com")
    unmerge(Merge.objects.get().pk, actor="user:boss")
    identify(post, cookie="c", email="ada@example.com")
    assert Customer.objects.count() == 2


def test_a_push_token_leads_to_whoever_logged_in_last(post):
    for user in ("ada", "bob"):
        body = {"userId": user, "context": {"device": {"id": "D-1", "token": "T-1"}}}
        assert post("identify", body).status_code == 200
    owners = Identifier.objects.values_list("kind", "customer__external_id")
    assert set(owners) == {("device", "bob"), ("push_token", "bob")}
    assert named() == {"ada", "bob"}


def test_settled_pairs_cost_the_same_however_many(post, django_assert_max_num_queries):
    pairs = [(f"u{n}", f"c{n}") for n in range(20)]
    resolve(user_ids=[u for u, _ in pairs], at=datetime(2026, 1, 1, tzinfo=UTC))
    connect(pairs)
    with django_assert_max_num_queries(5):
        connect(pairs)
