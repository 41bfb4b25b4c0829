"""Who gets which text of a message, told before it is sent."""

import json
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.urls import reverse

from campaigns.editor.languages import languages_in, share_out
from personalization.access.models import User
from personalization.segments.services import save_segment

BODY = '<p>{% localized %}Hello{% language "zh" %}你好{% language "pt-BR" %}Oi{% endlocalized %}</p>'


def test_the_languages_of_texts_blocks_and_conditions_are_found() -> None:
    content = {
        "subject": '{% if customer.language == "fr" %}Salut{% else %}Hello{% endif %}',
        "body": BODY,
        "blocks": {"footer": {"texts": {"": "x", "de": "y", "zh-Hant": '{%- language "ja" -%}'}}},
    }
    assert languages_in(content) == {"fr", "zh", "pt-br", "de", "zh-hant", "ja"}


def test_each_customer_gets_the_nearest_text_and_everybody_is_counted_once() -> None:
    counts = [("en", 5), ("zh-Hans-CN", 3), ("zh", 2), ("pt", 4), ("pt_BR", 1), ("", 7)]
    rows = share_out(counts, {"zh", "pt-br", "de"})
    assert rows == [
        {"gets": "", "customers": 16, "languages": ["", "en", "pt"]},
        {"gets": "zh", "customers": 5, "languages": ["zh", "zh-hans-cn"]},
        {"gets": "pt-br", "customers": 1, "languages": ["pt-br"]},
        {"gets": "de", "customers": 0, "languages": []},
    ]
    assert sum(row["customers"] for row in rows) == sum(number for _language, number in counts)


@pytest.mark.django_db
def test_the_editor_tells_it_for_the_segment_and_previews_each_language(
    client: Any, make_customers: Any
) -> None:
    make_customers(3, language="en")
    make_customers(2, start=10, language="zh-Hans")
    make_customers(1, start=20, language="zh", country="CN")
    definition = {"trait": "country", "op": "is", "value": "GB"}
    segment = save_segment(None, name="Britons", definition=definition).segment
    user = User.objects.create_user("kim", is_staff=True)
    client.force_login(user)
    url, asked = reverse("campaigns:languages"), {"subject": "s", "body": BODY, "segment": str(segment.pk)}
    assert client.post(url, json.dumps(asked), content_type="application/json").status_code == 403
    user.user_permissions.set(
        Permission.objects.filter(codename__in=["view_campaign", "view_customer", "view_personal_data"])
    )
    rows = client.post(url, json.dumps(asked), content_type="application/json").json()["rows"]
    assert {row["gets"]: row["customers"] for row in rows} == {"": 3, "zh": 2, "pt-br": 0}
    everybody = {**asked, "segment": ""}
    rows = client.post(url, json.dumps(everybody), content_type="application/json").json()["rows"]
    assert {row["gets"]: row["customers"] for row in rows} == {"": 3, "zh": 3, "pt-br": 0}
    for language, shown in (("", "Hello"), ("zh", "你好"), ("pt-BR", "Oi")):
        answer = client.post(
            reverse("campaigns:preview"),
            json.dumps({**asked, "language": language or "en", "item_count": 4, "rules": {}, "name": "x"}),
            content_type="application/json",
        )  # fmt: skip
        assert shown in answer.json()["rendered"]["html"]


@pytest.mark.django_db
def test_the_preview_shows_the_text_of_a_language_and_tells_which_it_is(
    client: Any, make_customers: Any
) -> None:
    make_customers(1, language="zh-Hans")
    client.force_login(User.objects.create_superuser("ada"))
    asked = {
        "subject": "Hello", "preheader": "Look", "body": "<p>Hello</p>", "item_count": 4, "rules": {},
        "translations": {
            "zh": {"subject": "你好", "preheader": "看", "body": "<p>你好</p>"}, "de": {"subject": ""},
        },
    }  # fmt: skip
    for given, gets, subject, preheader in (
        ({}, "zh", "你好", "看"),
        ({"language": ""}, "", "Hello", "Look"),
        ({"language": "zh"}, "zh", "你好", "看"),
    ):  # fmt: skip
        data = json.dumps({**asked, **given})
        answer = client.post(reverse("campaigns:preview"), data, content_type="application/json").json()
        assert answer["language"] == gets
        assert answer["rendered"]["subject"] == subject and answer["rendered"]["preheader"] == preheader
    rows = client.post(reverse("campaigns:languages"), json.dumps(asked), content_type="application/json")
    assert {row["gets"]: row["customers"] for row in rows.json()["rows"]} == {"": 0, "zh": 1}
    wrong = json.dumps({**asked, "translations": {"!": {"subject": "x"}}})
    answer = client.post(reverse("campaigns:preview"), wrong, content_type="application/json")
    assert answer.status_code == 422 and answer.json()["errors"][0]["pointer"] == "/translations/!"
