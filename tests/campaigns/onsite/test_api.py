import threading
import time
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest
from django.db import connection, connections
from django.test import Client

from campaigns.onsite import admission, answering, live, showing
from campaigns.onsite.deadline import FAILURES, Deadline, NotInTime
from campaigns.onsite.services import ContentDraft
from experiments.traffic.client_keys import create_client_key, revoke_client_key
from personalization.access.models import Scope
from personalization.access.services import create_key
from personalization.catalog.models import Item
from personalization.customers.models import Customer
from personalization.events.models import Event

ADDRESS = "/api/v1/decide"


def ask(client, **body):
    return client.post(ADDRESS, body, content_type="application/json")


@pytest.fixture
def anna(db):
    return Customer.objects.create(external_id="c-1", first_name="Anna", created_at="2026-01-01T00:00Z")


@pytest.fixture
def public(db):
    key = create_client_key(name="website", created_by=None, actor="test")
    return Client(headers={"authorization": f"Bearer {key.key}"}), key


class TestDecide:
    pytestmark = pytest.mark.django_db

    def test_a_server_asks_for_a_customer_and_what_it_shows_is_written_down_once(
        self, program, at_once, make_offer, anna
    ):
        offer = make_offer()
        answer = ask(program, customer="c-1", placements=["hero", "footer"])
        assert answer.status_code == 200 and answer["Cache-Control"] == "private, no-store"
        hero, footer = answer.json()["placements"]
        assert hero["content"] == "<p>Sale for Anna</p>"
        assert (hero["reason"], hero["offer"], hero["variant"], hero["propensity"]) == (
            "chosen", offer.pk, "a", 1.0,
        )  # fmt: skip
        assert footer["reason"] == "unknown_placement" and footer["token"] == ""
        showing.move()
        names = sorted(Event.objects.values_list("name", flat=True))
        assert names == ["Experiment Viewed", "Message Opened"]

    def test_unseen_content_counts_only_when_its_token_is_reported(self, program, at_once, make_offer, anna):
        make_offer()
        found = ask(program, customer="c-1", placements=["hero"], seen=False).json()["placements"][0]
        showing.move()
        assert Event.objects.count() == 0
        for _ in range(2):
            taken = program.post(
                f"{ADDRESS}/reports",
                {"reports": [{"kind": "seen", "token": found["token"]}, {"kind": "clicked", "token": "x"}]},
                content_type="application/json",
            )
            assert (taken.status_code, taken.json()) == (202, {"taken": 1})
        showing.move()
        assert Event.objects.filter(name="Message Opened").count() == 1

    def test_a_public_key_never_asks_as_a_customer(self, public, at_once, make_offer, anna):
        make_offer()
        client, key = public
        found = ask(client, customer="c-1", anonymous_id="v-1", placements=["hero"]).json()
        assert found["placements"][0]["content"] == "<p>Sale for </p>"
        revoke_client_key(key, actor="test")
        assert ask(client, anonymous_id="v-1", placements=["hero"]).status_code == 200
        admission.forget()  # as after a second
        assert ask(client, anonymous_id="v-1", placements=["hero"]).status_code == 401

    def test_who_wants_to_be_nobody_leaves_no_trace(self, public, at_once, make_offer):
        make_offer(body="<p>Sale</p>")
        found = ask(public[0], anonymous_id="v-1", private=True, placements=["hero"]).json()
        assert found["placements"][0]["content"] == "<p>Sale</p>"
        showing.move()
        assert not Customer.objects.exists() and not Event.objects.exists()

    def test_a_batch_answers_each_in_order(self, program, at_once, make_offer, anna):
        make_offer()
        batch = [{"customer": "c-1", "placements": ["hero"]}, {"placements": ["hero"]}]
        answers = ask(program, batch=batch).json()["batch"]
        assert [one["placements"][0]["content"] for one in answers] == [
            "<p>Sale for Anna</p>",
            "<p>Sale for </p>",
        ]

    def test_what_is_the_same_for_everybody_may_be_cached_at_the_edge(self, public, at_once, make_offer):
        make_offer(body="<p>Sale</p>")
        answer = Client().get(f"{ADDRESS}?placements=hero&key={public[1].key}")
        assert answer.json()["placements"][0]["content"] == "<p>Sale</p>"
        assert answer["Cache-Control"].startswith("public, max-age=30")
        assert answer["Access-Control-Allow-Origin"] == "*"

    def test_a_browser_may_ask_from_any_page(self, public):
        answer = Client().options(ADDRESS)
        assert answer.status_code == 204
        assert answer["Access-Control-Allow-Methods"] == "GET, POST, OPTIONS"

    def test_items_come_with_their_reasons(self, program, at_once, make_offer, anna):
        Item.objects.bulk_create(Item(external_id=f"i{n}", name=f"Item {n}") for n in range(4))
        make_offer(
            contents=[ContentDraft("a", "{% for i in items %}<b>{{ i.name }}</b>{% endfor %}", item_count=3)]
        )
        found = ask(program, customer="c-1", placements=["hero"]).json()["placements"][0]
        assert len(found["items"]) == 3 and found["content"].count("<b>Item") == 3
        assert all(one["reason"] for one in found["items"])

    @pytest.mark.parametrize(
        ("body", "pointer"),
        [
            ({}, "/placements"),
            ({"placements": []}, "/placements"),
            ({"placements": ["hero"], "batch": [{"placements": ["hero"]}]}, "/placements"),
            ({"batch": []}, "/batch"),
            ({"placements": ["x"], "customer": "a\0b"}, "/customer"),
            ({"placements": ["x"], "context": {"device": "fridge"}}, "/context/device"),
            ({"placements": ["x"], "context": {"cart": [[]]}}, "/context/cart/0"),
        ],
    )
    def test_a_wrong_call_is_told_what_is_wrong(self, program, at_once, body, pointer):
        answer = ask(program, **body)
        assert answer.status_code == 400
        assert [one["pointer"] for one in answer.json()["errors"]] == [pointer]

    def test_without_the_scope_a_key_is_refused(self, at_once, placement):
        _, token = create_key(name="other", scopes=[Scope.INGEST])
        client = Client(headers={"authorization": f"Bearer {token}"})
        assert ask(client, placements=["hero"]).status_code == 403
        assert ask(Client(), placements=["hero"]).status_code == 401


@pytest.mark.django_db(transaction=True)
class TestDeadline:
    def test_what_is_slow_is_not_waited_for_and_after_some_failures_not_even_tried(self):
        deadline, gate = Deadline(0.02, threads=2), threading.Event()
        ended = []
        for _ in range(FAILURES):
            with pytest.raises(NotInTime):
                deadline.run(lambda: ended.append(gate.wait(60)))
        assert ended == []
        tried = []
        with pytest.raises(NotInTime, match="paused"):
            deadline.run(lambda: tried.append(1))
        assert tried == []
        gate.set()

    def test_calls_that_are_held_up_together_count_as_one_failure(self):
        deadline, gate = Deadline(0.5, threads=2 * FAILURES), threading.Event()
        errors = []

        def ask():
            try:
                deadline.run(lambda: gate.wait(5))
            except NotInTime as error:
                errors.append(str(error))

        with ThreadPoolExecutor(2 * FAILURES) as visitors:
            started = threading.Barrier(2 * FAILURES)
            for _ in range(2 * FAILURES):
                visitors.submit(lambda: (started.wait(5), ask()))
        gate.set()
        assert set(errors) == {"too slow"} and deadline._failures < FAILURES

    def test_nobody_waits_for_threads_that_are_all_stuck(self):
        deadline, gate = Deadline(0.02, threads=1), threading.Event()
        with pytest.raises(NotInTime, match="too slow"):
            deadline.run(lambda: gate.wait(5))
        deadline._seconds = 600.0
        with pytest.raises(NotInTime, match="busy"):
            deadline.run(lambda: 1)
        gate.set()
        deadline.close(seconds=5)
        assert deadline._stuck == 0

    def test_what_comes_too_late_has_no_consequences(self):
        deadline, gate, ended = Deadline(0.02), threading.Event(), threading.Event()
        noted = []

        def slow():
            gate.wait(5)
            ended.set()
            return 1

        with pytest.raises(NotInTime):
            deadline.run(slow, then=noted.append)
        gate.set()
        assert ended.wait(5)
        assert Deadline(5.0).run(lambda: 2, then=noted.append) == 2
        deadline.close(seconds=5)
        assert noted == [2]

    def test_at_the_end_what_was_answered_is_noted_first_and_nobody_waits_for_what_hangs(self):
        deadline, gate, noted = Deadline(5.0, threads=2), threading.Event(), []
        deadline.run(lambda: 1, then=lambda answer: (time.sleep(0.2), noted.append(answer)))
        assert deadline.close(seconds=5) and noted == [1]
        deadline._seconds = 0.02
        with pytest.raises(NotInTime):
            deadline.run(lambda: gate.wait(5))
        assert not deadline.close(seconds=0.05)
        gate.set()

    def test_what_fails_is_not_in_time_either(self):
        with pytest.raises(NotInTime, match="ZeroDivisionError"):
            Deadline(1.0).run(lambda: 1 / 0)

    def test_a_connection_that_was_cut_costs_one_answer_and_no_more(self):
        def ask():
            connection.ensure_connection()
            with psycopg.Cursor(connection.connection) as cursor:
                return cursor.execute("SELECT pg_backend_pid()").fetchone()[0]

        deadline = Deadline(10.0, threads=1)
        before = [deadline.run(ask) for _ in range(4)]  # the last ones are prepared and not asked for health
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(%s, 5000)", before[:1])
        with pytest.raises(NotInTime):
            deadline.run(ask)
        after = deadline.run(ask)
        deadline.run(lambda: connection.close())
        assert len(set(before)) == 1 and after != before[0]

    def test_when_the_database_hangs_the_default_content_is_answered(
        self, program, make_offer, anna, monkeypatch
    ):
        make_offer()
        monkeypatch.setitem(connections.settings["default"], "CONN_MAX_AGE", 0)
        monkeypatch.setattr(answering, "_deadline", Deadline(20.0))
        assert ask(program, customer="c-1", placements=["hero"]).json()["placements"][0]["reason"] == "chosen"
        monkeypatch.setattr(answering, "_deadline", Deadline(0.08))
        with connection.cursor() as cursor:
            cursor.execute("BEGIN")
            cursor.execute("LOCK TABLE customers_customer IN ACCESS EXCLUSIVE MODE")
            found = ask(program, customer="c-1", placements=["hero"]).json()["placements"][0]
            cursor.execute("ROLLBACK")
        assert (found["content"], found["reason"]) == ("<p>Welcome</p>", "unavailable")
        assert live.last_known().placements["hero"].fallback == "<p>Welcome</p>"
