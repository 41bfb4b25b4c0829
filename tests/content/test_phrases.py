"""Phrase sets: with a customer's values, in versions, over pages and API."""

from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone

from personalization.access.models import AuditEntry, Scope, User
from personalization.access.services import create_key
from personalization.content.errors import MissingValue, TemplateError
from personalization.content.messages import compile_message
from personalization.content.models import PhraseSet, PhraseVersion
from personalization.content.needs import GIVENS, Givens
from personalization.content.phrase_selectors import phrase_sets, phrases_named
from personalization.content.phrase_services import InvalidPhraseSet, archive_phrase_set, save_phrase_set
from personalization.content.phrases import generate, names_in
from personalization.customers.models import Customer

GREETING = """start:
- [hello]
hello:
- Good morning, {{ customer.first_name }}! @when context.daypart == "morning"
- Hello {{ customer.first_name }}! @when context.daypart != "morning"
- Hello! @weight 0.000001
"""


def say(source: str | dict[str, str], *, seed: str = "1", **customer: Any) -> str:
    texts = source if isinstance(source, dict) else {"": source}
    values = {"customer": customer, "context": {"daypart": "morning"}}
    return generate({"texts": texts, "language": "en"}, values, seed=seed).text


def test_conditions_and_values_are_those_of_the_customer() -> None:
    assert say(GREETING, first_name="Ann") == "Good morning, Ann!"
    assert say(GREETING) == "Hello!"


def test_words_are_bent_in_the_language_of_the_text_not_of_the_reader() -> None:
    points = 'start:\n- {{ customer.traits.n }} {{ customer.traits.n | plural: "point", "points" }}'
    chinese = 'start:\n- 送您{{ customer.traits.n | measure: "张" }}券'
    assert say(points, traits={"n": 1}, language="zh") == "1 point"
    assert say(points, traits={"n": 2}, language="pl") == "2 points"
    both = {"": points, "zh": chinese}
    assert say(both, traits={"n": 2}, language="zh-Hans") == "送您两张券"
    assert say(both, traits={"n": 3}, language="fr") == "3 points"
    bent = "start:\n- {{ customer.a | article }}, {{ customer.a | pluralize }}, {{ customer.all | listed }}"
    assert say(bent, a="hour", all=["a", "b"]) == "an hour, hours, a and b"


@pytest.mark.parametrize("value", [None, "", [], "x" * 501, "many"])
def test_a_phrase_that_cannot_be_said_is_not_taken(value: Any) -> None:
    source = 'start:\n- {{ customer.n | plural: "a", "b" }}{{ customer.n }}\n- fine @weight 0.0000001'
    assert say(source, n=value) == "fine"


def test_conditions_that_compare_apples_with_numbers_do_not_hold() -> None:
    assert say("start:\n- a @when customer.x > 3\n- b @weight 0.0000001", x="apple") == "b"


def rendered(body: str, given: object, *, must: str = "empty") -> str:
    compiled = compile_message(subject="-", body=body, missing=must)
    (need,) = compiled.needs
    return compiled.render({"customer": {}, GIVENS: Givens({need.key: given})}).html


def test_what_is_printed_is_escaped_and_guarded_in_addresses_and_styles() -> None:
    assert "&lt;script&gt;" in rendered('<p>{% generate "a" %}</p>', "<script>")
    assert 'href="#"' in rendered("<a href='{% generate \"a\" %}'>x</a>", "javascript:alert(1)").replace(
        "'", '"'
    )
    assert "url(" not in rendered("<p style='color:{% generate \"a\" %}'>x</p>", "red;background:url(x)")
    assert "<p>x &amp; y</p>" in rendered('{% generate "a" as t %}<p>{{ t }}</p>', "x & y")


@pytest.mark.parametrize(
    "body", ['<p class={% generate "a" %}>x</p>', '<{% generate "a" %}>x', "<p class={% echo x %}>x</p>"]
)
def test_a_tag_that_prints_is_refused_where_a_value_is(body: str) -> None:
    with pytest.raises(TemplateError):
        compile_message(subject="-", body=body)


def test_no_text_is_a_missing_value() -> None:
    assert "<p></p>" in rendered('<p>{% generate "a" %}</p>', "")
    with pytest.raises(MissingValue):
        rendered('<p>{% generate "a" %}</p>', "", must="skip")
    optional = '{% optional %}<p>{% generate "a" %}</p>{% else %}<p>else</p>{% endoptional %}'
    assert "<p>else</p>" in rendered(optional, "")


def test_names_are_found_in_texts() -> None:
    assert names_in("{% generate \"a\" %}{%- generate 'b-2' as x %}{% generate c %}") == {"a", "b-2"}


@pytest.mark.django_db
def test_other_phrases_are_another_version_and_the_same_are_none() -> None:
    first = save_phrase_set("greeting", texts={"": GREETING}, actor="test")
    assert save_phrase_set("greeting", texts={"": GREETING}, actor="test") == first
    assert save_phrase_set("greeting", texts={"": GREETING}, memory=0, actor="test").number == 2
    assert phrases_named('{% generate "greeting" %}{% generate "none" %}') == {
        "greeting": {"version": 2, "texts": {"": GREETING}, "language": "en", "memory": 0}
    }
    assert AuditEntry.objects.filter(action="phrases.saved").count() == 2
    archive_phrase_set(PhraseSet.objects.get(), actor="test")
    assert not phrase_sets().exists()


@pytest.mark.django_db
@pytest.mark.parametrize(
    "given, words",
    [
        ({"name": "A b"}, "small letters"), ({"texts": {"zh": GREETING}}, "everybody without"),
        ({"texts": {"": "start:\n- {{ x | nofilter }}"}}, "nofilter"),
        ({"texts": {"": "start:\n- x @when a =="}}, "Line 2"),
        ({"texts": {"": "start:\n- x @when a %}{{ x }}{% if b"}}, "Line 2"),
        ({"texts": {"": GREETING, "zh": "start:\n- [x]"}}, "no rule"),
        ({"memory": 99}, "0 to 20"), ({"language": "english!"}, "language like"),
        ({"texts": {"": 3}}, "no text"),
    ],
)  # fmt: skip
def test_what_is_no_phrase_set_is_told_and_not_saved(given: dict[str, Any], words: str) -> None:
    with pytest.raises(InvalidPhraseSet) as caught:
        save_phrase_set(**{"name": "a", "texts": {"": GREETING}, "actor": "test", **given})
    assert any(words in error["detail"] for error in caught.value.errors), caught.value.errors
    assert not PhraseSet.objects.exists()


@pytest.mark.django_db
def test_the_api_reads_writes_tries_and_lists_versions(client: Any) -> None:
    _key, token = create_key(
        name="k", scopes=[Scope.CAMPAIGNS_READ, Scope.CAMPAIGNS_WRITE, Scope.CUSTOMERS_READ]
    )
    head = {"HTTP_AUTHORIZATION": f"Bearer {token}"}
    url = "/api/v1/phrases/greeting"
    for memory in (1, 2):
        data = {"texts": {"": "start:\n- Hi {{ customer.first_name }}"}, "memory": memory}
        answer = client.put(url, data, content_type="application/json", **head)
        assert answer.status_code == 200, answer.content
    assert answer.json()["version"] == 2
    versions = client.get(url + "/versions", **head).json()["results"]
    assert [one["memory"] for one in versions] == [2, 1]
    assert [one["name"] for one in client.get("/api/v1/phrases", **head).json()["results"]] == ["greeting"]
    Customer.objects.create(external_id="c1", first_name="Bo", created_at=timezone.now())
    tried = client.post(url + "/try", {"customer": "c1"}, content_type="application/json", **head).json()
    assert tried["texts"] == ["Hi Bo"] * 6 and tried["tree"]["rule"] == "start" and tried["variety"] == 1
    assert (
        client.post(url + "/try", {"customer": "x"}, content_type="application/json", **head).status_code
        == 404
    )
    wrong = client.put(url, {"texts": {"": "start:"}}, content_type="application/json", **head)
    assert wrong.status_code == 422 and wrong.json()["errors"][0]["pointer"] == "/texts/"
    assert client.delete(url, **head).status_code == 204 and client.get(url, **head).status_code == 404
    assert client.put(url, data, content_type="application/json").status_code == 401


@pytest.mark.django_db
def test_the_pages_try_save_compare_and_bring_back(client: Any) -> None:
    client.force_login(User.objects.create_superuser("boss", "boss@example.com", "x"))
    Customer.objects.create(external_id="c1", first_name="Bo", created_at=timezone.now())
    new = client.get(reverse("content:new-phrase-set")).content.decode()
    assert "Up to" in new and "ph-tree" in new
    data = {
        "name": "greeting",
        "language": ["", "zh"],
        "text": ["start:\r\n- Hi {{ customer.first_name }}", "start:\n- 你好"],
        "memory": "2",
        "text_language": "en",
    }
    tried = client.post(reverse("content:new-phrase-set"), {**data, "try": "1", "who": "c1"}).content.decode()
    assert "Hi Bo" in tried and not PhraseSet.objects.exists()
    assert client.post(reverse("content:new-phrase-set"), data).status_code == 302
    url = reverse("content:phrase-set", args=["greeting"])
    client.post(url, {**data, "text": ["start:\n- Bye", "start:\n- 你好"]})
    page = client.get(url).content.decode()
    assert "<ins>+ - Bye</ins>" in page
    client.post(reverse("content:restore-phrases", args=["greeting", 1]))
    assert PhraseVersion.objects.first().number == 3
    kept = client.post(url, {**data, "text": ["start:\n- [x]", ""]}).content.decode()
    assert "- [x]</textarea>" in kept and "There is no rule" in kept
    client.post(reverse("content:archive-phrases", args=["greeting"]))
    assert not phrase_sets().exists()


@pytest.mark.django_db
def test_who_may_only_look_cannot_save_and_sees_no_names(client: Any) -> None:
    client.force_login(User.objects.create_user("eve", "eve@example.com", "x", is_staff=True))
    assert client.get(reverse("content:phrase-sets")).status_code == 403
