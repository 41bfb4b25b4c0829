"""`{% generate %}`: from the phrase set to the mails that a real SMTP server got."""

import re
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from campaigns import services
from campaigns.models import Delivery
from campaigns.needs.generate import read_before
from campaigns.planning.checks import check_campaign
from campaigns.sending import gate
from personalization.access.models import User
from personalization.content.phrase_services import save_phrase_set
from tests.campaigns.needs.test_tags_in_messages import END, shown

pytestmark = pytest.mark.django_db(transaction=True)
WORDS = "start:\n" + "".join(f"- word{n}\n" for n in range(4))
BODY = '<p>{% generate "words" %}</p>' + END


def test_phrases_are_frozen_at_the_launch_and_the_same_in_subject_and_body(
    sink: Any, make_customers: Any, make_campaign: Any, send_all: Any
) -> None:
    make_customers(20, language="en")
    save_phrase_set("words", texts={"": WORDS}, actor="test")
    campaign = make_campaign(drafts=({"subject": '{% generate "words" %}', "body": BODY},))
    run = services.launch(campaign, actor="test")
    save_phrase_set("words", texts={"": "start:\n- later"}, actor="test")
    send_all(run)
    found = {who: re.findall(r"<p>(word\d)</p>", html)[0] for who, html in shown(sink).items()}
    assert len(found) == 20 and len(set(found.values())) > 1
    for _recipient, data in sink.accepted:
        assert len(set(re.findall(rb"word\d", data))) == 1
    row = Delivery.objects.filter(run=run).first()
    (record,) = row.inputs["needs"].values()
    assert record["set"] == "words" and record["version"] == 1 and len(record["phrases"]) == 1


def test_a_customer_reads_no_phrase_again_until_all_were_read(
    sink: Any, make_customers: Any, make_campaign: Any, send_all: Any
) -> None:
    people = make_customers(6)
    save_phrase_set("words", texts={"": WORDS}, memory=3, actor="test")
    said: dict[str, list[str]] = {}
    for _round in range(4):
        sink.accepted.clear()
        send_all(services.launch(make_campaign(bodies=(BODY,)), actor="test"))
        for who, html in shown(sink).items():
            said.setdefault(who, []).append(re.findall(r"<p>(word\d)</p>", html)[0])
    assert len(said) == 6 and all(len(set(words)) == 4 for words in said.values()), said
    assert len(read_before([people[0].pk])[people[0].pk, "words"]) == 4


def test_phrases_are_loaded_for_the_chunk_not_for_each_message(
    make_customers: Any, make_campaign: Any, send_all: Any, sink: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    people = make_customers(30)
    save_phrase_set("words", texts={"": WORDS}, actor="test")
    monkeypatch.setattr(gate, "FRESH_SECONDS", 60)  # on a busy machine it would be asked again

    def queries(n: int) -> int:
        type(people[0]).objects.filter(pk__in=[p.pk for p in people[:n]]).update(country="GB")
        type(people[0]).objects.filter(pk__in=[p.pk for p in people[n:]]).update(country="FR")
        run = services.launch(make_campaign(bodies=(BODY,)), actor="test")
        with CaptureQueriesContext(connection) as captured:
            send_all(run)
        return len(captured)

    queries(2)  # what is loaded once for the process
    assert abs(queries(30) - queries(5)) <= 1


def test_a_set_that_does_not_exist_stops_the_launch(make_customers: Any, make_campaign: Any) -> None:
    make_customers(1)
    found = check_campaign(make_campaign(bodies=(BODY,)))
    assert any(one.level == "error" and "words" in one.message for one in found), found


def test_the_preview_says_what_it_would(client: Any, make_customers: Any) -> None:
    person = make_customers(1)[0]
    save_phrase_set(
        "words", texts={"": "start:\n- {{ thing | article }} in {{ context.season }}"}, actor="test"
    )
    client.force_login(User.objects.create_superuser("boss", "boss@example.com", "x"))
    body = '<p>{% generate "words" thing: "umbrella" %}</p>'
    asked = {"subject": "s", "body": body, "customer": person.pk}
    answer = client.post(reverse("campaigns:preview"), asked, content_type="application/json").json()
    assert "<p>an umbrella in " in answer["rendered"]["html"], answer["problems"]
