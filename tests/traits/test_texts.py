"""A text source from its declaration to traits, pages and API."""

import json
from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission
from django.test import Client, override_settings
from django.utils import translation

from personalization.access.models import AuditEntry, PersonalRead, User
from personalization.access.services import create_key
from personalization.customers.errors import InvalidTraits
from personalization.customers.models import Customer
from personalization.customers.services import write_traits
from personalization.customers.traits import split_traits
from personalization.events.services import NewEvent, record_events
from personalization.privacy.requests import ask_erasure, carry_out
from personalization.traits.models import TextSource, TraitDefinition
from personalization.traits.refreshing import refresh_due
from personalization.traits.text_selectors import mask_names, read_report
from personalization.traits.text_services import declare_source, remove_source
from tests.traits.conftest import NOW
from tests.traits.texts.writing import write_about, write_rated


@pytest.fixture
def people(ada) -> list[Customer]:
    TextSource.objects.all().delete()
    rows = [Customer(external_id=f"c{n}", created_at=NOW, first_name="Zelda") for n in range(90)]
    return Customer.objects.bulk_create(rows)


def review(customer: Customer, text: str, *, minutes_ago: float = 600, key: str = "", **more) -> None:
    at = NOW - timedelta(minutes=minutes_ago)
    properties = {"body": text, **more}
    event = NewEvent(customer.pk, key or f"r{customer.pk}", "Review Submitted", at, None, None, properties)
    record_events([event], received_at=at)


@pytest.fixture
def reviews(people) -> list[Customer]:
    for customer, text, rated in zip(people, write_about(90)[0], write_rated(90), strict=True):
        stars = 5 if rated.rating else 1
        review(customer, f"{rated.text}. {text.text}.", stars=stars)
    return people


def declare(**fields) -> TextSource:
    fields = {"name": "review", "event": "Review Submitted", "property": "body", **fields}
    return declare_source(TextSource(**fields), actor="kim")


def test_nothing_is_told_before_a_source_is_declared(reviews):
    refresh_due(now=NOW)
    assert Customer.objects.filter(traits={}).count() == 91


def test_texts_become_traits_and_new_ones_follow_promptly(reviews, ada):
    declare(rating_property="stars")
    refresh_due(now=NOW)
    traits = Customer.objects.get(external_id="c1").traits
    assert set(traits) <= {"review_language", "review_topic", "review_keywords", "review_sentiment"}
    assert traits["review_sentiment"] == "positive" and traits["review_keywords"]
    later = NOW + timedelta(seconds=9)
    words = "Terrible, broken, waste of money: the parcel was late, the courier left a wet box at the door"
    review(ada, words, minutes_ago=0, key="new")
    refresh_due(now=later, prompt=True)
    ada.refresh_from_db()
    assert ada.traits["review_language"] == "en"
    assert ada.traits["review_sentiment"] == "negative"
    topic = TraitDefinition.objects.get(name="review_topic").state["topics"]
    assert ada.traits["review_topic"] in topic["names"]
    assert "parcel" in ada.traits["review_keywords"] or "delivery" in ada.traits["review_keywords"]


def test_without_stars_there_is_no_sentiment_and_few_texts_say_why(people):
    review(people[0], "One lonely review of some length")
    source = declare()
    refresh_due(now=NOW)
    assert not TraitDefinition.objects.filter(name="review_sentiment").exists()
    told = {one.kind: one for one in read_report(source, with_examples=True).told}
    assert "40" in told["text_topic"].problem
    with translation.override("zh-hans"):
        few = next(one for one in read_report(source, with_examples=True).told if one.kind == "text_topic")
    assert "40" in few.problem and "texts" not in few.problem
    assert told["text_language"].cells[0].customers is None  # one customer is below the floor


def test_a_trait_can_be_the_text_and_is_followed(ada):
    declare(name="survey", event="", property="answer__why")
    refresh_due(now=NOW - timedelta(hours=1))
    write_traits([(ada.pk, split_traits({"answer__why": "Der Tee schmeckt sehr gut und kam schnell an"}))])
    refresh_due(now=NOW, prompt=True)
    ada.refresh_from_db()
    assert ada.traits["survey_language"] == "de"


@pytest.mark.parametrize(
    ("fields", "pointer"),
    [
        ({"name": "Review!"}, "/name"),
        ({"property": ""}, "/property"),
        ({"event": "", "property": "email"}, "/property"),
        ({"event": "", "rating_property": "stars"}, "/rating_property"),
        ({"rating_best": 1}, "/rating_best"),
    ],
)
def test_a_wrong_declaration_names_the_field(ada, fields, pointer):
    with pytest.raises(InvalidTraits) as caught:
        declare(**fields)
    assert [one["pointer"] for one in caught.value.errors] == [pointer]


def test_names_of_traits_that_are_there_are_refused(ada, define):
    define("review_topic", "count")
    with pytest.raises(InvalidTraits):
        declare()


def test_removing_a_source_removes_its_values(reviews):
    source = declare()
    refresh_due(now=NOW)
    remove_source(source, actor="kim")
    assert Customer.objects.filter(traits={}).count() == 91
    assert not TraitDefinition.objects.exists()
    assert AuditEntry.objects.filter(action="text_source.removed").exists()


def test_an_erased_person_leaves_no_words_in_what_was_learned(reviews):
    declare()
    review(reviews[3], "Xyzzyva parcel courier late door", key="own")
    refresh_due(now=NOW)
    carry_out(ask_erasure(reviews[3].pk, actor="kim").pk)
    assert not Customer.objects.filter(pk=reviews[3].pk).exists()
    assert all("xyzzyva" not in json.dumps(d.state) for d in TraitDefinition.objects.all())


def test_a_sentence_names_nobody():
    zelda = Customer(first_name="Zelda", last_name="Fitz")
    said = mask_names(
        "I am zelda FITZ, call +49 170 1234567 or z@mail.example, see https://x.example/me", zelda
    )
    assert said == "I am ••• •••, call ••• or ••• see •••"


@override_settings(K_ANONYMITY=10)
def test_the_page_shows_topics_and_sentences_to_those_who_may_see_people(reviews):
    declare(rating_property="stars")
    refresh_due(now=NOW)
    client = Client()
    client.force_login(User.objects.create_superuser("kim", password="secret"))
    page = client.get("/app/texts/review").content.decode()
    assert "review_topic" in page and "“" in page and "Zelda" not in page
    assert PersonalRead.objects.filter(page="texts").count() == 1
    clerk = User.objects.create_user("lee", password="secret", is_staff=True)
    clerk.user_permissions.add(Permission.objects.get(codename="view_traitdefinition"))
    client.force_login(clerk)
    page = client.get("/app/texts/review").content.decode()
    assert "Sentences are shown only to roles" in page
    assert PersonalRead.objects.filter(page="texts").count() == 1
    assert client.post("/app/texts/review/act", {"action": "remove"}).status_code == 403
    assert client.post("/app/texts/", {"name": "x"}).status_code == 403


def test_the_form_keeps_what_was_typed_and_says_what_is_wrong(ada):
    client = Client()
    client.force_login(User.objects.create_superuser("kim", password="secret"))
    page = client.post("/app/texts/", {"name": "My Reviews", "event": "Review Submitted", "property": "body",
                                       "rating_best": "x"})  # fmt: skip
    assert page.status_code == 400 and b"My Reviews" in page.content and b"2 to 100" in page.content
    body = {"name": "review", "event": "Review Submitted", "property": "body", "rating_best": "5"}
    assert client.post("/app/texts/", body).status_code == 302
    assert client.post("/app/texts/review/act", {"action": "learn"}).status_code == 302
    assert client.post("/app/texts/review/act", {"action": "remove"}).status_code == 302
    assert not TextSource.objects.exists()


def test_programs_declare_read_and_remove(reviews):
    token = create_key(name="crm", scopes=["customers:read", "customers:write"])[1]
    client = Client(headers={"Authorization": f"Bearer {token}"})
    body = {"name": "review", "event": "Review Submitted", "property": "body", "rating_property": "stars"}
    made = client.post("/api/v1/text-sources", body, content_type="application/json")
    assert made.status_code == 201, made.content
    again = client.post("/api/v1/text-sources", body, content_type="application/json")
    assert again.status_code == 400 and again.json()["errors"][0]["pointer"] == "/name"
    refresh_due(now=NOW)
    told = {one["name"]: one for one in client.get("/api/v1/text-sources/review").json()["traits"]}
    assert (
        told["review_sentiment"]["held_out"]["right"] > told["review_sentiment"]["held_out"]["right_without"]
    )
    assert client.post("/api/v1/text-sources/review/learn").status_code == 202
    assert client.delete("/api/v1/text-sources/review").status_code == 204
    assert client.get("/api/v1/text-sources/review").status_code == 404
