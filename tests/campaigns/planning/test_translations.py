"""A message in several languages: each customer gets hers, and what is missing is said before the launch."""

import email
import email.policy
from typing import Any

import pytest

from campaigns import channels, services
from campaigns.errors import InvalidCampaign
from campaigns.models import Delivery, Message
from campaigns.planning.checks import check_campaign
from campaigns.planning.drafts import MessageDraft
from campaigns.planning.translations import clean_translations
from campaigns.proofs.diff import compare, content_at
from campaigns.why.answers import explain
from campaigns.workflow.shelving import duplicate
from personalization.content.errors import TemplateError
from personalization.content.services import save_block
from personalization.customers.models import Customer

STOP = '<a href="{{ unsubscribe_url }}">x</a>'
WRITTEN = {
    "subject": "Hello", "preheader": "Look", "body": f"<p>English</p>{STOP}", "fields": {}, "missing": "",
    "translations": {
        "zh": {"subject": "你好", "body": f"<p>中文</p>{STOP}"}, "zh-hant": {"subject": "您好"},
        "de": {"preheader": "Sieh"},
    },
}  # fmt: skip


@pytest.mark.parametrize(("language", "subject", "preheader", "word"), [
    ("en", "Hello", "Look", "English"), ("", "Hello", "Look", "English"),
    ("zh-Hans-CN", "你好", "Look", "中文"),
    ("zh_Hant_TW", "您好", "Look", "中文"), ("de-AT", "Hello", "Sieh", "English"),
])  # fmt: skip
def test_each_part_is_taken_from_the_nearest_language_that_has_it(
    language: str, subject: str, preheader: str, word: str
) -> None:
    text = channels.in_language(WRITTEN, language)
    assert (text["subject"], text["preheader"]) == (subject, preheader)
    assert word in text["body"] and "translations" not in text
    rendered = channels.get("email").compile(WRITTEN).render(
        {"customer": {"language": language}, "unsubscribe_url": "https://shop.example/u"}
    )  # fmt: skip
    assert rendered.subject == subject and word in rendered.html and preheader in rendered.html


def test_problems_are_told_once_under_the_language_in_which_they_are_written() -> None:
    content = {**WRITTEN, "subject": "{{ oops", "translations": {"zh": {"body": "<p>{% nothing %}</p>"}}}
    found = channels.get("email").problems(content)
    told = [(one.language, one.field) for one in found if one.level == "error"]
    assert told == [("", "subject"), ("zh", "body")]
    unwritten = {(one.language, one.field) for one in found if "Nothing is written" in one.message}
    assert unwritten == {("zh", "subject"), ("zh", "preheader")}


def test_values_are_missed_only_in_the_text_that_the_customer_gets() -> None:
    content = {**WRITTEN, "translations": {"zh": {"subject": "{{ customer.traits.nickname }}"}}}
    for language, lacks in (("en", False), ("zh", True)):
        context = {"customer": {"language": language, "traits": {}}, "unsubscribe_url": "u"}
        found = channels.get("email").problems(content, context)
        assert any("no value here" in one.message and one.language == "zh" for one in found) is lacks


def test_a_choice_has_the_same_versions_in_every_language() -> None:
    vary = '{% vary "tone" %}a{% or %}b{% endvary %}'
    same = {**WRITTEN, "subject": vary, "translations": {"zh": {"subject": vary}}}
    assert [need.name for need in channels.get("email").compile(same).needs] == ["tone"]
    other = {"zh": {"subject": '{% vary "tone" %}a{% or %}b{% or %}c{% endvary %}'}}
    with pytest.raises(TemplateError, match="different numbers of versions"):
        channels.get("email").compile({**same, "translations": other})


def test_a_language_may_have_a_template_of_its_own_on_whatsapp() -> None:
    content = {
        "subject": "", "preheader": "", "body": "{{ customer.first_name }}", "missing": "",
        "fields": {"template": "sale", "template_language": "en"},
        "translations": {"zh": {"fields": {"template_language": "zh_CN"}}},
    }  # fmt: skip
    compiled = channels.get("whatsapp").compile(content)
    made = compiled.render({"customer": {"language": "zh-Hans", "first_name": "Li"}})
    assert (made["template"], made["language"], made["body"]) == ("sale", "zh_CN", "Li")


@pytest.mark.parametrize(("translations", "pointer"), [
    ({"中文": {"subject": "x"}}, "/messages/0/translations/中文"),
    ({"zh_CN": {"subject": "x"}, "zh-cn": {"subject": "y"}}, "/messages/0/translations/zh-cn"),
    ({"zh": {"subject": "x" * 501}}, "/messages/0/translations/zh/subject"),
    ({"zh": {"link": "x"}}, "/messages/0/translations/zh/link"),
    ({"zh": {"fields": {"link": "x"}}}, "/messages/0/translations/zh/fields/link"),
    ({"zh": {"body": "\0"}}, "/messages/0/translations/zh/body"),
    ({"zh": "x"}, "/messages/0/translations/zh"),
    ({f"a{chr(97 + n % 26)}-{n:02}": {"subject": "x"} for n in range(41)}, "/messages/0/translations"),
])  # fmt: skip
def test_what_makes_no_translation_is_answered_beside_its_place(translations: Any, pointer: str) -> None:
    with pytest.raises(InvalidCampaign) as caught:
        services.validate(
            name="x", topic="t", channel="email", control_share=0,
            messages=[MessageDraft(key="a", body="b", translations=translations)],
        )  # fmt: skip
    assert [error["pointer"] for error in caught.value.errors] == [pointer]


def test_languages_are_kept_in_one_spelling_and_what_is_empty_is_left_out() -> None:
    given = {"zh_Hant": {"subject": "您好", "body": " ", "fields": {"link": ""}}, "de": {"subject": ""}}
    assert clean_translations(given) == {"zh-hant": {"subject": "您好"}}


@pytest.mark.django_db(transaction=True)
def test_everyone_gets_the_message_in_their_language_and_a_language_is_no_variant(
    sink: Any, make_customers: Any, make_campaign: Any, send_all: Any
) -> None:
    make_customers(2)
    make_customers(2, start=2, language="zh-Hans")
    make_customers(1, start=4, language="zh-Hant")
    save_block("footer", texts={"": "The shop"}, actor="t")
    draft = {"body": WRITTEN["body"], "subject": "Hello", "translations": {
        "zh": {"subject": "你好", "body": f'<p>中文 {{% block "footer" %}}</p>{STOP}'},
        "zh-hant": {"subject": "您好 {{ customer.first_name }}"},
    }}  # fmt: skip
    campaign = make_campaign(drafts=(draft,))
    run = services.launch(campaign, actor="t")
    send_all(run)
    got = {}
    for recipient, data in sink.accepted:
        letter = email.message_from_bytes(data, policy=email.policy.default)
        text = letter.get_body(("plain",)).get_content().split()[0]
        got[recipient[:2]] = (letter["Subject"], text)
        assert ("The shop" in letter.get_body(("html",)).get_content()) is (text == "中文")
    assert got == {
        "c0": ("Hello", "English"), "c1": ("Hello", "English"),
        "c2": ("你好", "中文"), "c3": ("你好", "中文"),
        "c4": ("您好 Name0", "中文"),
    }  # fmt: skip
    assert run.experiment.variants.count() == 1
    customer = Customer.objects.get(external_id="c4")
    delivery = Delivery.objects.get(run=run, customer=customer)
    why = next(one for one in explain(run, customer, delivery) if one.step == "content")
    assert why.facts["language"] == "zh-hant"
    assert why.facts["subject"] == "", "nobody has read what the template has there"
    copied = duplicate(campaign, actor="t")
    assert copied.messages.get().translations == campaign.messages.get().translations
    older, newer = content_at(campaign, "draft:m0"), content_at(copied, "draft:m0")
    assert older and newer and all(part.is_same for part in compare(older, newer))
    newer["translations"]["zh"]["subject"] = "嗨"
    changed = [part for part in compare(older, newer) if not part.is_same]
    assert [(part.part, part.label) for part in changed] == [("translations.zh.subject", "subject (zh)")]


@pytest.mark.django_db
def test_missing_parts_and_languages_of_some_variants_are_said_before_the_launch(
    make_customers: Any, make_campaign: Any
) -> None:
    make_customers(1)
    body = WRITTEN["body"]
    campaign = make_campaign(drafts=(
        {"key": "a", "name": "A", "body": body, "translations": {"zh": {"body": "<p>没有</p>"}}},
        {"key": "b", "name": "B", "body": body},
    ))  # fmt: skip
    found = {(one.level, one.message, one.field) for one in check_campaign(campaign)}
    said = "A (zh): Nothing is written in this language: it gets what is for everybody."
    assert ("warning", said, "messages/0/subject") in found
    no_way_out = "A (zh): there is no unsubscribe link. Add {{ unsubscribe_url }}."
    assert ("error", no_way_out, "messages/0/body") in found
    lacking = "B: another variant has a text in zh, this one has none."
    assert ("warning", lacking, "messages/1/body") in found
    Message.objects.filter(key="a").update(
        translations={"zh": {"subject": "你好", "body": f"<p>好</p>{STOP}"}}
    )
    assert not [one for one in check_campaign(campaign) if one.level == "error"]
