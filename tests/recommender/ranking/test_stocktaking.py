"""Whatever changes an item, by whatever means, shows at once; only what changed is read again."""

import threading
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from personalization.catalog.models import Item
from recommender.ranking import stocktaking
from recommender.ranking.stocktaking import load_assortment


class TakenBackError(Exception):
    """Ends a transaction that must leave nothing behind."""


@pytest.fixture
def catalog(transactional_db):
    names = ["a", "b", "c", "d"]
    Item.objects.bulk_create(Item(external_id=n, name=n, categories=["Tea"], price=Decimal(3)) for n in names)
    load_assortment()


def shown():
    found = load_assortment()
    names = dict(Item.objects.values_list("pk", "external_id"))
    return "".join(names.get(item, "?") for item in found.item_ids.tolist())


def stock(name, n):
    Item.objects.filter(external_id=name).update(stock=n)


def test_any_change_is_seen_at_once(catalog):
    seen = [shown()]
    for change in (
        lambda: stock("a", 0),
        lambda: stock("a", 3),
        lambda: Item.objects.filter(external_id="b").update(is_hidden=True),
        lambda: Item.objects.filter(external_id="d")._raw_delete("default"),
        lambda: Item.objects.create(external_id="e", name="E"),
        lambda: (Item.objects.get(external_id="e").delete(), Item.objects.create(external_id="f", name="F")),
    ):
        change()
        seen.append(shown())
    assert seen == ["abcd", "bcd", "abcd", "acd", "ac", "ace", "acf"]


def test_prices_categories_and_brands_are_those_of_now(catalog):
    Item.objects.filter(external_id="a").update(price=None)
    Item.objects.filter(external_id="b").update(price=Decimal("4.50"), stock=0)
    found = load_assortment()
    assert found.cents.tolist() == [-1, 300, 300] and set(found.codes) == {"Tea"}
    Item.objects.filter(external_id="c").update(categories=["Tea", "Green"], brand="Leaf")
    found = load_assortment()
    assert found.category.tolist() == [found.codes[name] for name in ("Tea", "Green", "Tea")]
    assert found.tags[found.tag_starts[1] : found.tag_starts[2]].tolist() == sorted(
        [found.codes["Tea"], found.codes["Green"], found.brand_codes["Leaf"]]
    )


@pytest.mark.alone  # an older transaction of any database of the server keeps more rows in doubt
def test_only_what_changed_is_read_again(catalog):
    first = load_assortment()
    with CaptureQueriesContext(connection) as queries:
        assert load_assortment() is first
    assert len(queries) == 1
    stock("a", 0)
    with CaptureQueriesContext(connection) as queries:
        changed = load_assortment()
    pk = Item.objects.get(external_id="a").pk
    assert len(queries) == 2 and f"id = ANY('{{{pk}}}'" in queries[1]["sql"]
    # A sale that leaves the item in stock changes nothing that lists are made of.
    stock("b", 7)
    assert load_assortment() is changed


def test_whoever_may_take_an_older_one_does_not_ask(catalog):
    first = load_assortment()
    stock("a", 0)
    with CaptureQueriesContext(connection) as queries:
        assert load_assortment(max_age=3600) is first
    assert not queries
    assert shown() == "bcd"
    assert load_assortment(max_age=3600) is not first


def test_what_a_transaction_takes_back_was_never_there(catalog):
    with pytest.raises(TakenBackError), transaction.atomic():
        stock("a", 0)
        assert shown() == "bcd"
        with pytest.raises(TakenBackError), transaction.atomic():
            Item.objects.filter(external_id="b").update(is_hidden=True)
            assert shown() == "cd"
            raise TakenBackError
        assert shown() == "bcd"
        raise TakenBackError
    assert shown() == "abcd"


def test_a_change_that_ends_after_a_later_one_is_not_missed(catalog):
    begun, may_end = threading.Event(), threading.Event()

    def change_slowly():
        with transaction.atomic():
            stock("a", 0)
            begun.set()
            may_end.wait(10)
        connection.close()

    slow = threading.Thread(target=change_slowly)
    slow.start()
    assert begun.wait(10)
    stock("b", 0)
    assert shown() == "acd"
    may_end.set()
    slow.join()
    assert shown() == "cd"


def test_a_catalog_of_another_database_is_read_from_the_start(catalog, monkeypatch):
    known = stocktaking._latest
    for other in ({"database": known.database + 1}, {"since": known.since + 1_000_000}):
        wrong = {**known.__dict__, **other, "rows": {}, "assortment": None}
        monkeypatch.setattr(stocktaking, "_latest", stocktaking._Taken(**wrong))
        assert shown() == "abcd"


@pytest.mark.django_db(transaction=True)
def test_one_thread_reads_it_anew_a_little_early_and_the_others_go_on(monkeypatch):
    Item.objects.create(external_id="a", name="A")
    first = load_assortment()
    readings = []  # not queries: while any transaction of the server runs, fresh rows are read once more
    load = stocktaking._load
    monkeypatch.setattr(stocktaking, "_load", lambda: readings.append(1) or load())
    monkeypatch.setattr(stocktaking, "_read_at", stocktaking._read_at - 0.9 * 3600)
    with stocktaking._reading:  # another thread is at it
        assert load_assortment(max_age=3600) is first
    assert len(readings) == 0
    load_assortment(max_age=3600)
    load_assortment(max_age=3600)
    assert len(readings) == 1
    monkeypatch.setattr(stocktaking, "_read_at", stocktaking._read_at - 1.1 * 3600)
    load_assortment(max_age=3600)  # too old to go on with
    assert len(readings) == 2


@pytest.mark.django_db(transaction=True)
def test_after_a_pause_the_first_one_reads_it_for_all(monkeypatch):
    Item.objects.create(external_id="a", name="A")
    load_assortment()
    monkeypatch.setattr(stocktaking, "_read_at", stocktaking._read_at - 1.1 * 3600)
    read = []
    monkeypatch.setattr(stocktaking, "_load", lambda: read.append(1))
    with ThreadPoolExecutor(1) as pool:
        with stocktaking._reading:
            waiting = pool.submit(load_assortment, max_age=3600)
            stocktaking._read_at += 1.1 * 3600  # as the one that holds the lock does in the end
        assert waiting.result(5) is stocktaking._latest.assortment
    assert read == []
