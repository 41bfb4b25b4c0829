# ruff: noqa: E501, F811
"""From the question to the launch: drafts by a server that speaks the protocol, decided by people."""

import json
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone

from campaigns import services as campaigns
from campaigns.errors import CampaignNotReady, InvalidState, InvalidSuggestion
from campaigns.models import Suggestion, SuggestionStatus
from campaigns.planning.checks import check_campaign
from campaigns.suggestions import services
from personalization.access.models import AuditEntry, Scope
from personalization.access.services import create_key
from personalization.catalog.models import Item
from personalization.customers.models import Customer
from personalization.language_model import calls
from personalization.language_model.models import BrandVoice, Call, CallStatus, Endpoint
from personalization.segments.services import save_segment
from tests.campaigns.conftest import BODY
from tests.language_model.conftest import completion, endpoint, model_server  # noqa: F401

pytestmark = pytest.mark.django_db
NAME = '{{ customer.first_name | default: "friend" }}'


@pytest.fixture
def model(model_server: Any, endpoint: Endpoint) -> Any:
    endpoint.save()

    def answer(*texts: Any, raw: str | None = None) -> None:
        content = json.dumps({"suggestions": list(texts)}, ensure_ascii=False)
        model_server.answer = completion(content if raw is None else raw)

    model_server.answers = answer
    return model_server


def ask(**changes: Any) -> Call:
    fields = {
        "field": "subject", "wish": "variants", "source": f"{NAME}, 20 % off", "language": "en", "actor": "user:kim",
        **changes,
    }  # fmt: skip
    call = services.ask_for_texts(**fields)
    calls.carry_out(call.pk)
    call.refresh_from_db()
    return call


def drafts(call: Call) -> list[tuple[str, str]]:
    return list(Suggestion.objects.filter(call=call).order_by("position").values_list("text", "status"))


def test_texts_become_drafts_and_made_up_facts_are_rejected_with_the_reason(model: Any) -> None:
    model.answers(f"20 % off for {NAME}", "30 % off", "20 % off, only today", "20 % off")
    call = ask()
    assert call.result == {"drafts": 2, "unfit": 2}
    assert [status for _text, status in drafts(call)] == ["draft", "unfit", "unfit", "draft"]
    unfit = Suggestion.objects.filter(status=SuggestionStatus.UNFIT).order_by("position")
    assert unfit[0].problems == ["The percentage “30 %” is not among the facts."]
    assert unfit[1].problems == ["“today” promises what is not among the facts."]


def test_what_is_sent_are_the_voice_the_facts_of_items_and_the_segment_in_words(model: Any) -> None:
    BrandVoice.objects.create(voice="Warm and plain.", banned_words="cheap\nbest")
    Item.objects.create(external_id="A-1", name="Aurora Lamp", brand="Nordlys", price="49.90", currency="EUR",
                        description="secret notes")  # fmt: skip
    definition = {"all": [{"trait": "email", "op": "is", "value": "ann@lovelace.example"},
                          {"trait": "last_name", "op": "contains", "value": "Lovelace"},
                          {"trait": "country", "op": "is", "value": "GB"}]}  # fmt: skip
    segment = save_segment(None, name="Ann Lovelace", definition=definition).segment
    Customer.objects.create(
        external_id="c1", email="ann@lovelace.example", last_name="Lovelace", country="GB",
        created_at=timezone.now(),
    )  # fmt: skip
    model.answers("The Aurora Lamp for €49.90", "The Aurora Lamp, best of all", "The Aurora Lamp for €39.90")
    call = ask(wish="segment", segment=segment, items=["A-1"], facts="Lamps are back")
    (asked,) = model.asked
    data = json.loads(asked["messages"][1]["content"])
    assert data["items"] == [{"name": "Aurora Lamp", "brand": "Nordlys", "price": "49.90 EUR"}]
    assert data["segment"] == "Customers where e-mail is known and last name is known and country is “GB”."
    assert (data["voice"], data["banned_words"]) == ("Warm and plain.", ["cheap", "best"])
    sent_and_kept = json.dumps(asked) + json.dumps(call.question) + json.dumps(call.messages)
    assert "lovelace" not in sent_and_kept.lower()
    assert "secret notes" not in sent_and_kept
    assert [status for _text, status in drafts(call)] == ["draft", "unfit", "unfit"]


def test_a_translation_keeps_the_claims_and_the_placeholders(model: Any) -> None:
    model.answers("{{ customer.first_name | default: '朋友' }}，八折优惠", f"{NAME}，八折优惠", f"{NAME}，七折优惠",
                  f"{NAME}，免费")  # fmt: skip
    call = ask(wish="translate", language="zh")
    assert [status for _text, status in drafts(call)] == ["draft", "draft", "unfit", "unfit"]


HOSTILE = {
    "a script": "<script>alert(1)</script>",
    "a picture with an event": "<img src=x onerror=alert(1)>",
    "markup in entities": "&#60;script&#62;",
    "an address that is a script": "javascript:alert(1)",
    "the same in capitals and spaces": "JaVaScRiPt :alert(1)",
    "data": "data:text/html;base64,PHNjcmlwdD4=",
    "a link": "See https://evil.example/",
    "a bare domain": "See evil-shop.com",
    "an address of the sender": "Write to boss@evil.example",
    "a tag": "{% connected_content 'http://169.254.169.254/' as x %}{{ x }}",
    "all values": "{{ customer }}",
    "somebody's address": "{{ customer.email }}",
    "a loop": "{% for i in (1..1000000) %}x{% endfor %}",
    "half a tag": "20 % off {% if",
    "a stray end": "20 % off {% endif %}",
    "nested braces": "{{{{ customer.first_name }}}}",
    "a comment": "{% comment %}20 % off{% endcomment %}",
    "raw": "{% raw %}{{ customer.first_name }}{% endraw %}",
    "a second header": "20 % off\r\nBcc: all@evil.example",
    "a line break": "20 % off\nmore",
    "a turn of the direction": "20 % off \u202egnp.exe",
    "a hidden sign": "20 % o\u200bff",
    "a bell": "20 % off\x07",
    "a tag character": "20 % off \U000e0041",
    "far too long": "off " * 2_000,
    "a name": "Hi Anna, 20 % off",
    "another price": "Now $5",
    "a promise": "Free shipping",
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_hostile_texts_never_become_drafts(model: Any, text: str) -> None:
    model.answers(text)
    call = ask()
    (row,) = Suggestion.objects.filter(call=call)
    assert (row.status, bool(row.problems)) == (SuggestionStatus.UNFIT, True)
    with pytest.raises(InvalidState):
        services.approve(row, actor="user:kim")


SHAPES = {
    "no JSON": "Here are some ideas!", "another object": '{"ideas": ["a"]}', "a list": '["a"]',
    "numbers": '{"suggestions": [1, 2]}', "objects": '{"suggestions": [{"text": "a"}]}', "none": '{"suggestions": []}',
    "blanks": '{"suggestions": [" ", ""]}', "a text": '{"suggestions": "a"}', "deep": "[" * 50_000,
}  # fmt: skip


@pytest.mark.parametrize("raw", SHAPES.values(), ids=SHAPES)
def test_an_answer_of_another_shape_is_refused(model: Any, raw: str) -> None:
    model.answers(raw=raw)
    call = ask()
    assert (call.status, Suggestion.objects.count()) == (CallStatus.REFUSED, 0)
    assert call.trouble


def test_a_fence_around_the_answer_is_taken_off_and_more_texts_than_asked_are_left_out(model: Any) -> None:
    model.answers(raw='```json\n{"suggestions": ["New", "Newer", "Newer", "Newest"]}\n```')
    assert drafts(ask(count=2)) == [("New", "draft"), ("Newer", "draft")]


def test_what_is_no_question_is_refused_with_the_field(model: Any) -> None:
    wrong = {"field": "footer", "wish": "poem", "language": "???", "count": 99, "items": ["gone"]}
    with pytest.raises(InvalidSuggestion) as caught:
        ask(**wrong)
    assert {one["pointer"] for one in caught.value.errors} == {f"/{name}" for name in wrong}
    with pytest.raises(InvalidSuggestion):
        ask(wish="tone")
    with pytest.raises(InvalidSuggestion):
        ask(wish="segment")
    assert model.asked == []


def test_a_draft_stops_the_launch_until_somebody_approves_it(model: Any, make_campaign: Any) -> None:
    model.answers("Now 20 % off")
    campaign = make_campaign(drafts=({"subject": "Now 20 % off", "body": BODY},))
    (row,) = Suggestion.objects.filter(call=ask(campaign=campaign))
    found = [check for check in check_campaign(campaign) if "nobody approved" in check.message]
    assert [(one.level, one.field) for one in found] == [("error", "messages/0/subject")]
    with pytest.raises(CampaignNotReady):
        campaigns.launch(campaign, actor="user:kim")
    row = services.approve(row, actor="user:boss")
    assert (row.status, row.decided_by, row.decided_at is not None) == ("approved", "user:boss", True)
    assert AuditEntry.objects.filter(actor="user:boss", action="suggestion.approved").count() == 1
    assert not [check for check in check_campaign(campaign) if "nobody approved" in check.message]
    services.dismiss(row, actor="user:boss")
    with pytest.raises(InvalidState):
        services.approve(row, actor="user:kim")


def test_words_for_a_message_are_escaped_where_they_are_put_in() -> None:
    text = f'Salt & pepper > 1 for {NAME}\n{{% if x %}}"now"{{% endif %}}'
    assert services.as_markup(text) == (
        f'Salt &amp; pepper &gt; 1 for {NAME}<br />\n{{% if x %}}"now"{{% endif %}}'
    )


# --- Pages and API ------------------------------------------------------------------------------------------
ASK = {"field": "subject", "wish": "variants", "source": "20 % off", "language": "en", "count": "2"}
AUTHOR = ("view_campaign", "change_campaign", "add_suggestion", "view_suggestion", "view_segment")


def test_the_page_shows_drafts_and_only_an_approver_the_buttons(model: Any, staff: Any) -> None:
    model.answers("Now <b>20</b> % off", "Now 20 % off")
    client = staff(*AUTHOR)
    page = client.post(reverse("suggestions:ask"), ASK).content.decode()
    call = Call.objects.get()
    assert reverse("suggestions:call", args=[call.pk]) in page
    calls.carry_out(call.pk)
    page = client.get(reverse("suggestions:call", args=[call.pk])).content.decode()
    assert "Now &lt;b&gt;20&lt;/b&gt; % off" in page
    assert "hx-get" not in page
    row = Suggestion.objects.get(status="draft")
    decide = reverse("suggestions:decide", args=[row.pk, "approve"])
    assert decide not in page
    assert client.post(decide).status_code == 403
    client = staff("view_campaign", "view_suggestion", "approve_suggestion")
    assert decide in client.get(reverse("suggestions:list")).content.decode()
    page = client.post(decide).content.decode()
    assert 'data-text="Now 20 % off"' in page
    assert "Approved" in page
    assert client.post(reverse("suggestions:ask"), ASK).status_code == 403
    assert client.post(reverse("suggestions:decide", args=[row.pk, "launch"])).status_code == 403


def test_the_page_says_why_nothing_can_be_asked(staff: Any) -> None:
    page = staff(*AUTHOR).post(reverse("suggestions:ask"), ASK).content.decode()
    assert "No language model is set up" in page


def test_the_editor_offers_it_only_when_a_language_model_is_set_up(
    model: Any, staff: Any, make_campaign: Any
) -> None:
    client = staff(*AUTHOR, "view_customer")
    url = reverse("campaigns:edit", args=[make_campaign().pk])
    assert reverse("suggestions:ask") in client.get(url).content.decode()
    Endpoint.objects.update(is_active=False)
    assert reverse("suggestions:ask") not in client.get(url).content.decode()


def test_a_key_may_ask_and_read_and_never_approve(model: Any, client: Any) -> None:
    model.answers("Now 20 % off")
    key = create_key(name="x", scopes=[Scope.CAMPAIGNS_READ, Scope.CAMPAIGNS_WRITE])[1]
    headers = {"HTTP_AUTHORIZATION": f"Bearer {key}", "content_type": "application/json"}
    answer = client.post("/api/v1/suggestions", {**ASK, "count": 2}, **headers)
    assert (answer.status_code, answer.json()["status"]) == (202, "queued")
    calls.carry_out(answer.json()["id"])
    call = client.get(f"/api/v1/suggestions/calls/{answer.json()['id']}", **headers).json()
    assert [one["text"] for one in call["suggestions"]] == ["Now 20 % off"]
    pk = call["suggestions"][0]["id"]
    assert client.post(f"/api/v1/suggestions/{pk}/approve", **headers).status_code == 403
    assert Suggestion.objects.get().status == "draft"
    listed = client.get("/api/v1/suggestions?status=draft", **headers).json()["results"]
    assert [one["id"] for one in listed] == [pk]


def test_an_approver_decides_over_the_api_too(model: Any, staff: Any) -> None:
    model.answers("Now 20 % off")
    (row,) = Suggestion.objects.filter(call=ask())
    client = staff("view_campaign", "approve_suggestion")
    assert client.post(f"/api/v1/suggestions/{row.pk}/approve").json()["status"] == "approved"
    assert client.post(f"/api/v1/suggestions/{row.pk}/dismiss").json()["status"] == "dismissed"
    answer = client.post(f"/api/v1/suggestions/{row.pk}/approve")
    assert (answer.status_code, answer["Content-Type"]) == (409, "application/problem+json")


def test_the_reasons_are_told_in_the_language_of_whoever_asked(model: Any, staff: Any) -> None:
    model.answers("30 % off")
    call = ask()
    assert call.language == "en"
    assert Suggestion.objects.get().problems[0].startswith("The percentage")
