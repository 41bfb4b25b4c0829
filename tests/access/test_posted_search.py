"""Words that name people never stand in an address, in clear in the session, or in a log."""

from datetime import UTC, datetime
from urllib.parse import parse_qs, urlsplit

import pytest
from django.contrib.sessions.models import Session
from django.test import Client

from personalization.access.models import User
from personalization.access.posted_search import MOST_KEPT, keep_words, kept_words
from personalization.customers.models import Customer
from personalization.privacy.erasure import erase

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 3, 1, tzinfo=UTC)
LIST = "/admin/customers/customer/"


@pytest.fixture
def boss() -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("boss"))
    return client


@pytest.fixture
def people() -> None:
    for n in range(60):
        country = "GB" if n % 2 else "FR"
        Customer.objects.create(external_id=f"a{n}", first_name="Ada", country=country, created_at=NOW)
    Customer.objects.create(external_id="bob", first_name="Bob", country="GB", created_at=NOW)


def test_the_address_of_a_search_is_a_key_and_the_field_shows_the_words(boss, people):
    answer = boss.post(f"{LIST}?country=GB&p=2", {"words": " Ada "})
    assert answer.status_code == 302 and "Ada" not in answer.url
    asked = parse_qs(urlsplit(answer.url).query)
    assert asked.keys() == {"country", "q"} and asked["country"] == ["GB"]
    page = boss.get(answer.url)
    assert page.context["cl"].result_count == 30
    assert 'name="words" value="Ada"' in page.content.decode()
    assert boss.get(answer.url).context["cl"].result_count == 30, "going back, or loading again"


def test_paging_and_filters_go_on_within_a_search(boss, people):
    found = boss.get(boss.post(LIST, {"words": "Ada"}).url)
    assert found.context["cl"].result_count == 60
    second = boss.get(LIST + found.context["cl"].get_query_string({"p": 2}))
    assert {customer.first_name for customer in second.context["cl"].result_list} == {"Ada"}
    assert len(second.context["cl"].result_list) == 10
    french = boss.get(LIST + found.context["cl"].get_query_string({"country__exact": "FR"}))
    assert french.context["cl"].result_count == 30


def test_the_database_holds_the_words_only_encrypted(boss, people):
    key = parse_qs(urlsplit(boss.post(LIST, {"words": "Ada"}).url).query)["q"][0]
    kept = Session.objects.get().get_decoded()["searches"]
    assert kept.keys() == {key} and "Ada" not in kept[key]
    assert kept_words(boss.session, key) == "Ada"


def test_nothing_typed_shows_all(boss, people):
    assert boss.post(f"{LIST}?q=x&country=GB", {"words": " "}).url == f"{LIST}?country=GB"


def test_a_key_of_nobody_shows_no_list_that_looks_like_found(boss, people):
    stranger = boss.get(f"{LIST}?q=Ada&country=GB", follow=True)
    assert stranger.redirect_chain == [(f"{LIST}?country=GB", 302)]
    assert "Type the words again" in stranger.content.decode()


def test_the_oldest_words_are_forgotten(boss):
    session = boss.session
    keys = [keep_words(session, f"word {n}") for n in range(MOST_KEPT + 1)]
    assert [kept_words(session, key) for key in keys[:2]] == [None, "word 1"]
    assert kept_words(session, keys[-1]) == f"word {MOST_KEPT}"
    assert len(session["searches"]) == MOST_KEPT


def test_an_erasure_forgets_what_anybody_looked_for(boss, people):
    found = boss.post(LIST, {"words": "Bob"}).url
    assert boss.get(found).context["cl"].result_count == 1
    erased = erase(Customer.objects.get(external_id="bob").pk)
    assert erased.elsewhere["words that staff looked for"] == 1
    assert "searches" not in Session.objects.get().get_decoded()
    assert boss.get(found).url == LIST, "still signed in"


@pytest.mark.parametrize("name", ["user", "auditentry", "personalread"])
def test_lists_of_staff_and_logs_post_too(boss, name):
    address = f"/admin/access/{name}/"
    assert 'method="post" role="search"' in boss.get(address).content.decode()
    answer = boss.post(address, {"words": "boss"})
    assert "boss" not in answer.url and boss.get(answer.url).status_code == 200


def test_who_may_not_open_the_list_may_not_search_it(people):
    client = Client()
    client.force_login(User.objects.create_user("nobody", is_staff=True))
    assert client.post(LIST, {"words": "Ada"}).status_code == 403
