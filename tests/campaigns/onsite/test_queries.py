"""A decision asks the database little, and nothing twice that may be a second old."""

from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from campaigns.onsite import item_texts
from campaigns.onsite.answering import Question, _answer
from experiments.traffic.holdouts import create_holdout
from personalization.access.models import Scope
from personalization.access.services import create_key
from personalization.catalog.models import Item
from personalization.customers.models import Customer
from personalization.segments.services import save_segment
from recommender.ranking.stocktaking import load_assortment

LIST = "<p>{% for item in items %}{{ item.name }} {% endfor %}</p>"


def segment(name, language):
    definition = {"all": [{"trait": "language", "op": "is", "value": language}]}
    return save_segment(None, name=name, definition=definition, actor="test").segment


@pytest.mark.django_db
def test_a_call_in_a_warm_process_reads_only_what_must_be_of_now(
    make_offer, monkeypatch, django_assert_max_num_queries
):
    Customer.objects.create(external_id="c-1", language="en", created_at=timezone.now())
    Item.objects.bulk_create(Item(external_id=f"i-{n}", name=f"Tea {n}") for n in range(8))
    create_holdout(key="all", name="All", share=0.0001, at=timezone.now(), actor="test")
    for n, language in enumerate(["en", "de", "fr"]):
        make_offer(f"For {language}", segment=segment(language, language), max_views=3 + n, body=LIST)
    _, token = create_key(name="shop", scopes=[Scope.DECIDE])
    monkeypatch.setattr("recommender.ranking.stocktaking.CHANGES_QUERY", _as_settled())
    # However slow the machine is: nothing gets too old between the two calls.
    for limit in ("deciding.CATALOG_SECONDS", "admission.SECONDS", "live.SECONDS"):
        monkeypatch.setattr(f"campaigns.onsite.{limit}", 3600.0)

    def ask():
        (answer,), _ = _answer(token, [Question(["hero"], "c-1")], timezone.now())
        return answer["placements"][0]

    assert ask()["content"].count("Tea") == 6
    # The profile with the holdout and stored assignments, the three segments, views of the three offers; the
    # history is read by COPY, which is not counted here.
    with django_assert_max_num_queries(3):
        assert ask()["reason"] == "chosen"


def _as_settled():
    """The test's own transaction wrote the items, and would be waited for."""
    from recommender.ranking.stocktaking import CHANGES_QUERY

    return CHANGES_QUERY.replace("pg_current_xact_id_if_assigned() IS NULL", "true")


@pytest.fixture
def catalog(transactional_db):
    Item.objects.bulk_create(Item(external_id=n, name=n.upper(), price=Decimal(3)) for n in "abc")
    load_assortment()
    return dict(Item.objects.values_list("external_id", "pk"))


def names(catalog):
    return "".join(one["name"] for _, one in sorted(item_texts.items(list(catalog.values())).items()))


@pytest.mark.alone  # what another session has open makes rows look newer than they are
def test_texts_are_read_again_only_of_items_that_were_written(catalog):
    assert names(catalog) == "ABC"
    with CaptureQueriesContext(connection) as queries:
        assert names(catalog) == "ABC"
    assert len(queries) == 0
    Item.objects.filter(external_id="b").update(name="Z")
    load_assortment()
    with CaptureQueriesContext(connection) as queries:
        assert names(catalog) == "AZC"
    assert [str(pk) in queries[0]["sql"].partition("WHERE")[2] for pk in sorted(catalog.values())] == [
        False, True, False,
    ]  # fmt: skip


def test_texts_of_items_that_are_gone_are_forgotten(catalog):
    assert names(catalog) == "ABC"
    Item.objects.filter(external_id="c").delete()
    load_assortment()
    assert names(catalog) == "AB"
